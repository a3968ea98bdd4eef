// See slru.h.
#include "storage/slru.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "io/durable.h"
#include "log/log.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

/// Beside the slots, in shared memory; guarded by the control lock.
struct Slru::Head {
  std::atomic<uint32_t> uses;        ///< counts up when another slot than the last one is used
  std::atomic<int32_t> latest_page;  ///< newest page: stays in memory
};

namespace {

constexpr size_t align_area(size_t bytes) {
  return (bytes + kAreaAlignment - 1) / kAreaAlignment * kAreaAlignment;
}

off_t offset_in_segment(int32_t page) {
  return static_cast<off_t>(page % kSlruPagesPerSegment) * kPageBytes;
}

}  // namespace

size_t slru_bytes(const SlruKind& kind) {
  auto slots = static_cast<size_t>(kind.slots);
  auto lsns = slots * static_cast<size_t>(kind.lsns_per_page) * sizeof(uint64_t);
  return align_area(sizeof(Slru::Head)) + align_area(slots * sizeof(Slru::Slot)) +
         align_area(lsns) + slots * kPageBytes;
}

void slru_init(void* memory, const SlruKind& kind) {
  auto* slots =
      reinterpret_cast<Slru::Slot*>(static_cast<char*>(memory) + align_area(sizeof(Slru::Head)));
  for (int32_t i = 0; i < kind.slots; ++i) slots[i].lock.init(kind.buffer_tranche);
}

Slru::Slru(const SlruKind& kind) : kind_(&kind), control_lock_(&main_lwlock(kind.control_lock)) {
  auto* at = static_cast<char*>(shared_memory().at(kind.area));
  auto slots = static_cast<size_t>(kind.slots);
  head_ = reinterpret_cast<Head*>(at);
  at += align_area(sizeof(Head));
  slots_ = reinterpret_cast<Slot*>(at);
  at += align_area(slots * sizeof(Slot));
  lsns_ = reinterpret_cast<std::atomic<uint64_t>*>(at);
  pages_ = at + align_area(slots * static_cast<size_t>(kind.lsns_per_page) * sizeof(uint64_t));
}

int32_t Slru::latest_page() const {
  return head_->latest_page.load(std::memory_order_relaxed);
}
void Slru::set_latest_page(int32_t page) {
  head_->latest_page.store(page, std::memory_order_relaxed);
}

void Slru::raise_group_lsn(int slot, int group, Lsn lsn) {
  std::atomic<uint64_t>& held = lsns_[slot * kind_->lsns_per_page + group];
  if (held.load(std::memory_order_relaxed) < lsn.value) {
    held.store(lsn.value, std::memory_order_relaxed);
  }
}

/// Readers do this under a shared lock: two may give their slots the same number, and then either
/// counts as the older one.
void Slru::note_use(int slot) {
  uint32_t now = head_->uses.load(std::memory_order_relaxed);
  std::atomic<uint32_t>& last_use = slots_[slot].last_use;
  if (last_use.load(std::memory_order_relaxed) == now) return;
  head_->uses.store(now + 1, std::memory_order_relaxed);
  last_use.store(now + 1, std::memory_order_relaxed);
}

int Slru::zero_page(int32_t page_number) {
  int slot = select_slot(page_number);
  Slot& chosen = slots_[slot];
  chosen.page = page_number;
  chosen.state = SlruState::kValid;
  chosen.dirty = true;
  note_use(slot);
  std::memset(page(slot), 0, kPageBytes);
  for (int32_t i = 0; i < kind_->lsns_per_page; ++i) {
    lsns_[slot * kind_->lsns_per_page + i].store(0, std::memory_order_relaxed);
  }
  set_latest_page(page_number);
  return slot;
}

/// The slot that holds the page, in whatever state, or one that may be taken for it: empty, or
/// clean. May wait, so the caller has to look again at what it found before.
int Slru::select_slot(int32_t page_number) {
  for (;;) {
    for (int32_t i = 0; i < kind_->slots; ++i) {
      if (slots_[i].state != SlruState::kEmpty && slots_[i].page == page_number) return i;
    }
    uint32_t now = head_->uses.load(std::memory_order_relaxed);
    int oldest = -1, oldest_busy = -1;
    uint32_t age = 0, busy_age = 0;
    for (int32_t i = 0; i < kind_->slots; ++i) {
      Slot& slot = slots_[i];
      if (slot.state == SlruState::kEmpty) return i;
      if (slot.page == latest_page()) continue;
      uint32_t its_age = now - slot.last_use.load(std::memory_order_relaxed);
      if (slot.state == SlruState::kValid) {
        if (oldest < 0 || its_age > age) oldest = i, age = its_age;
      } else if (oldest_busy < 0 || its_age > busy_age) {
        oldest_busy = i, busy_age = its_age;
      }
    }
    if (oldest < 0) {
      wait_for_io(oldest_busy);
    } else if (slots_[oldest].dirty) {
      write_page(oldest);
    } else {
      return oldest;
    }
  }
}

void Slru::wait_for_io(int slot) {
  control_lock_->release();
  slots_[slot].lock.acquire(LwMode::kShared);
  slots_[slot].lock.release();
  control_lock_->acquire(LwMode::kExclusive);
}

int Slru::read_page(int32_t page_number, bool write_ok, uint32_t xid) {
  for (;;) {
    int number = select_slot(page_number);
    Slot& slot = slots_[number];
    if (slot.state != SlruState::kEmpty && slot.page == page_number) {
      if (slot.state == SlruState::kReading || (slot.state == SlruState::kWriting && !write_ok)) {
        wait_for_io(number);
        continue;
      }
      note_use(number);
      return number;
    }
    slot.page = page_number;
    slot.state = SlruState::kReading;
    slot.dirty = false;
    slot.lock.acquire(LwMode::kExclusive);
    control_lock_->release();
    IoFailure failure = read_from_disk(number, page_number);
    for (int32_t i = 0; i < kind_->lsns_per_page; ++i) {
      lsns_[number * kind_->lsns_per_page + i].store(0, std::memory_order_relaxed);
    }
    control_lock_->acquire(LwMode::kExclusive);
    bool read = failure.step == IoFailure::Step::kNone;
    slot.state = read ? SlruState::kValid : SlruState::kEmpty;
    slot.lock.release();
    if (!read) fail(page_number, xid, failure);
    note_use(number);
    return number;
  }
}

int Slru::read_page_shared(int32_t page_number, uint32_t xid) {
  control_lock_->acquire(LwMode::kShared);
  for (int32_t i = 0; i < kind_->slots; ++i) {
    Slot& slot = slots_[i];
    if (slot.page == page_number && slot.state != SlruState::kEmpty &&
        slot.state != SlruState::kReading) {
      note_use(i);
      return i;
    }
  }
  control_lock_->release();
  control_lock_->acquire(LwMode::kExclusive);
  return read_page(page_number, true, xid);
}

void Slru::write_page(int number) {
  Slot& slot = slots_[number];
  int32_t page_number = slot.page;
  while (slot.state == SlruState::kWriting && slot.page == page_number) wait_for_io(number);
  // Somebody else may have written it, and even put another page here.
  if (!slot.dirty || slot.state != SlruState::kValid || slot.page != page_number) return;
  slot.state = SlruState::kWriting;
  slot.dirty = false;  // whoever changes it from now on makes it dirty again
  slot.lock.acquire(LwMode::kExclusive);
  // A copy, and the LSN that belongs to it: others may go on changing the page while it is written.
  alignas(8) char bytes[kPageBytes];
  std::memcpy(bytes, page(number), kPageBytes);
  Lsn newest = newest_lsn(number);
  control_lock_->release();
  IoFailure failure = write_to_disk(page_number, bytes, newest);
  control_lock_->acquire(LwMode::kExclusive);
  bool written = failure.step == IoFailure::Step::kNone;
  if (!written) slot.dirty = true;
  slot.state = SlruState::kValid;
  slot.lock.release();
  if (!written) fail(page_number, 0, failure);
}

// --- files

std::string Slru::segment_path(int32_t segment) const {
  return fmt::format("{}/{:04X}", kind_->directory, segment);
}

Slru::IoFailure Slru::read_from_disk(int slot, int32_t page_number) {
  std::string path = segment_path(page_number / kSlruPagesPerSegment);
  File file;
  int error = file.open(path, O_RDONLY);
  if (error == -ENOENT && recovery_in_progress()) {
    // Redo may ask for the status of transactions whose file a later truncation has removed.
    log(Severity::kLog, "file \"{}\" doesn't exist, reading as zeroes", path);
    std::memset(page(slot), 0, kPageBytes);
    return {};
  }
  if (error != 0) return {IoFailure::Step::kOpen, -error};
  ssize_t got =
      file.read_at(page(slot), kPageBytes, offset_in_segment(page_number), WaitEventId::kSlruRead);
  if (got != kPageBytes) {
    return {IoFailure::Step::kRead, got < 0 ? static_cast<int>(-got) : 0};
  }
  return {};
}

Lsn Slru::newest_lsn(int slot) const {
  Lsn newest;
  for (int32_t i = 0; i < kind_->lsns_per_page; ++i) newest = std::max(newest, group_lsn(slot, i));
  return newest;
}

Slru::IoFailure Slru::write_to_disk(int32_t page_number, const char* bytes, Lsn newest) {
  // WAL before data: of asynchronous commits, whose records nobody has waited for.
  if (newest.is_valid()) {
    // A failure here must not leave the slot being written for ever.
    CriticalSection critical;
    wal_flush(newest);
    critical.end();
  }
  int32_t segment = page_number / kSlruPagesPerSegment;
  File file;
  int error = file.open(segment_path(segment), O_RDWR | O_CREAT);
  if (error != 0) return {IoFailure::Step::kOpen, -error};
  ssize_t wrote =
      file.write_at(bytes, kPageBytes, offset_in_segment(page_number), WaitEventId::kSlruWrite);
  if (wrote < 0) return {IoFailure::Step::kWrite, static_cast<int>(-wrote)};
  if (kind_->sync == SyncHandler::kNone) return {};
  SyncTag tag;
  tag.handler = kind_->sync;
  tag.segment = static_cast<uint32_t>(segment);
  if (request_sync(tag)) return {};
  error = file.sync(WaitEventId::kSlruSync);
  if (error != 0) return {IoFailure::Step::kSync, -error};
  return {};
}

void Slru::fail(int32_t page_number, uint32_t xid, const IoFailure& failure) const {
  std::string path = segment_path(page_number / kSlruPagesPerSegment);
  off_t offset = offset_in_segment(page_number);
  Error error(
      failure.error != 0 ? sqlstate_for_file_errno(failure.error) : sqlstate::kDataCorrupted,
      "could not access status of transaction {}", xid);
  std::string why = errno_text(failure.error);
  switch (failure.step) {
    case IoFailure::Step::kNone:
    case IoFailure::Step::kOpen:
      throw std::move(error).detail("Could not open file \"{}\": {}.", path, why);
    case IoFailure::Step::kRead:
      if (failure.error == 0) {
        throw std::move(error).detail(
            "Could not read from file \"{}\" at offset {}: read too few bytes.", path, offset);
      }
      throw std::move(error).detail("Could not read from file \"{}\" at offset {}: {}.", path,
                                    offset, why);
    case IoFailure::Step::kWrite:
      throw std::move(error).detail("Could not write to file \"{}\" at offset {}: {}.", path,
                                    offset, why);
    case IoFailure::Step::kSync:
      break;
  }
  throw std::move(error)
      .severity(data_sync_severity(Severity::kError))
      .detail("Could not fsync file \"{}\": {}.", path, why);
}

void Slru::write_all() {
  {
    LwLockGuard guard(*control_lock_, LwMode::kExclusive);
    for (int32_t i = 0; i < kind_->slots; ++i) {
      if (slots_[i].state != SlruState::kEmpty) write_page(i);
    }
  }
  // New segments must not lose their names.
  if (kind_->sync != SyncHandler::kNone) sync_path(kind_->directory, true);
}

bool Slru::may_delete_segment(int32_t first_page, int32_t cutoff) const {
  // Both ends: the cutoff may lie half a turn away from the middle of a segment.
  return kind_->precedes(first_page, cutoff) &&
         kind_->precedes(first_page + kSlruPagesPerSegment - 1, cutoff);
}

void Slru::truncate(int32_t cutoff) {
  {
    LwLockGuard guard(*control_lock_, LwMode::kExclusive);
    for (int32_t i = 0; i < kind_->slots;) {
      if (kind_->precedes(latest_page(), cutoff)) {
        guard.release();
        log(Severity::kLog, "could not truncate directory \"{}\": apparent wraparound",
            kind_->directory);
        return;
      }
      Slot& slot = slots_[i];
      if (slot.state == SlruState::kEmpty || !kind_->precedes(slot.page, cutoff)) {
        ++i;
      } else if (slot.state == SlruState::kValid && !slot.dirty) {
        slot.state = SlruState::kEmpty;
        ++i;
      } else {
        // Never expected: a checkpoint has written these. The lock is given up meanwhile, so all
        // slots are looked at again.
        if (slot.state == SlruState::kValid) {
          write_page(i);
        } else {
          wait_for_io(i);
        }
        i = 0;
      }
    }
  }
  scan_segments([&](int32_t first_page) {
    if (may_delete_segment(first_page, cutoff)) remove_file(first_page / kSlruPagesPerSegment);
    return false;
  });
}

void Slru::remove_file(int32_t segment) {
  if (kind_->sync != SyncHandler::kNone) {
    SyncTag tag;
    tag.handler = kind_->sync;
    tag.segment = static_cast<uint32_t>(segment);
    forget_sync(tag);
  }
  std::string path = segment_path(segment);
  log(Severity::kDebug2, "removing file \"{}\"", path);
  task_files().unlink(path);
}

void Slru::delete_segment(int32_t segment) {
  {
    LwLockGuard guard(*control_lock_, LwMode::kExclusive);
    for (int32_t i = 0; i < kind_->slots;) {
      Slot& slot = slots_[i];
      if (slot.state == SlruState::kEmpty || slot.page / kSlruPagesPerSegment != segment) {
        ++i;
      } else if (slot.state == SlruState::kValid) {
        slot.state = SlruState::kEmpty;  // dirty or not: nobody wants it any more
        ++i;
      } else {
        wait_for_io(i);
        i = 0;
      }
    }
  }
  remove_file(segment);
}

bool Slru::page_exists_on_disk(int32_t page_number) const {
  File file;
  std::string path = segment_path(page_number / kSlruPagesPerSegment);
  int error = file.open(path, O_RDONLY);
  if (error == -ENOENT) return false;
  if (error != 0) fail(page_number, 0, {IoFailure::Step::kOpen, -error});
  return file.size() >= offset_in_segment(page_number) + static_cast<off_t>(kPageBytes);
}

bool Slru::scan_segments(const std::function<bool(int32_t)>& callback) const {
  std::vector<std::string> names;
  int error = task_files().list(kind_->directory, names);
  if (error != 0) {
    throw Error(sqlstate_for_file_errno(-error), "could not open directory \"{}\": {}",
                kind_->directory, errno_text(-error));
  }
  for (const std::string& name : names) {
    bool is_segment = name.size() >= 4 && name.size() <= 6 &&
                      name.find_first_not_of("0123456789ABCDEF") == std::string::npos;
    if (!is_segment) continue;
    auto segment = static_cast<int32_t>(std::strtol(name.c_str(), nullptr, 16));
    if (callback(segment * kSlruPagesPerSegment)) return true;
  }
  return false;
}

}  // namespace cofork
