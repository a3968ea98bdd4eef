// Reserving and copying records: see insert.h and shared.h.
#include "wal/insert.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>

#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "support/bytes.h"
#include "support/error.h"
#include "wal/task_state.h"

namespace cofork {

namespace {

struct Reserved {
  Lsn start;
  Lsn end;
  Lsn previous;
};

/// The one instruction stretch that every insertion goes through alone.
Reserved reserve(WalShared& wal, uint32_t record_bytes) {
  uint64_t size = align_up(record_bytes, 8);
  WalBytePosition start, previous;
  {
    SpinGuard guard(wal.reserve_lock);
    start = wal.current;
    previous = wal.previous;
    wal.current = start + size;
    wal.previous = start;
  }
  WalGeometry geometry = wal.geometry();
  return {geometry.start_lsn(start), geometry.end_lsn(start + size),
          previous == 0 ? Lsn{} : geometry.start_lsn(previous)};
}

/// Reserves all that is left of the segment, up to `segment_end`; `reserved` is the record's part
/// of it. False when the segment has nothing in it.
bool reserve_switch(WalShared& wal, Reserved& reserved, Lsn& segment_end) {
  WalGeometry geometry = wal.geometry();
  SpinGuard guard(wal.reserve_lock);
  WalBytePosition start = wal.current;
  segment_end = geometry.end_lsn(start);
  if (geometry.offset_in_segment(segment_end) == 0) return false;
  reserved = {geometry.start_lsn(start), geometry.end_lsn(start + kWalRecordHeaderBytes),
              geometry.start_lsn(wal.previous)};
  segment_end = {align_up(reserved.end.value, geometry.segment_bytes())};
  wal.current = geometry.byte_position(segment_end);
  wal.previous = start;
  return true;
}

/// Takes one of the eight; returns which. The choice is kept as long as it is to be had at once, so
/// that a task's lock stays in its CPU's cache; after a wait the next insertion tries another.
int take_insert_lock(WalShared& wal, WalTask& task) {
  if (task.insert_lock < 0) task.insert_lock = my_proc_number() % kWalInsertLocks;
  int taken = task.insert_lock;
  if (!wal.insert_locks[taken].lock.acquire(LwMode::kExclusive)) {
    task.insert_lock = (taken + 1) % kWalInsertLocks;
  }
  return taken;
}

/// The holder says how far it has got, before it may have to wait for somebody who waits for it.
void publish_progress(WalShared& wal, int lock, Lsn position) {
  WalInsertLock& mine = wal.insert_locks[lock];
  mine.lock.update_variable(mine.inserting_at, position.value);
}

/// Where the byte at `lsn` lies in the buffers; makes the page if need be (GetXLogBuffer).
char* buffer_at(WalShared& wal, WalTask& task, int lock, Lsn lsn) {
  uint64_t page = lsn.value / kWalPageBytes;
  if (page != task.cached_page) {
    uint32_t buffer = wal.buffer_of(lsn.value);
    uint64_t expected_end = (page + 1) * kWalPageBytes;
    if (wal.block_end()[buffer].load(std::memory_order_acquire) != expected_end) {
      // All before this page's data is copied; the page header is made by whoever makes the page.
      Lsn done = lsn;
      if (wal_page_offset(lsn.value) == wal.geometry().header_bytes({wal_page_start(lsn.value)})) {
        done = {wal_page_start(lsn.value)};
      }
      publish_progress(wal, lock, done);
      advance_wal_buffers(wal, lsn, false);
      if (wal.block_end()[buffer].load(std::memory_order_acquire) != expected_end) {
        throw Error(sqlstate::kInternalError, "could not find WAL buffer for {}", lsn)
            .severity(Severity::kPanic);
      }
    }
    task.cached_page = page;
    task.cached_bytes = wal.page_in(buffer);
  }
  return task.cached_bytes + wal_page_offset(lsn.value);
}

/// Copies a record's pieces over as many pages as it takes (CopyXLogRecordToWAL).
class RecordCopier {
 public:
  RecordCopier(WalShared& wal, WalTask& task, int lock, Lsn start, uint32_t total)
      : wal_(wal), task_(task), lock_(lock), at_(start), left_(total) {
    to_ = buffer_at(wal_, task_, lock_, at_);
    room_ = kWalPageBytes - wal_page_offset(at_.value);
  }

  void copy(const char* bytes, size_t count) {
    while (count > room_) {
      std::memcpy(to_, bytes, room_);
      bytes += room_;
      count -= room_;
      left_ -= room_;
      next_page();
    }
    if (count == 0) return;  // `bytes` may be null then, which memcpy() must not see
    std::memcpy(to_, bytes, count);
    to_ += count;
    at_ += count;
    room_ -= static_cast<uint32_t>(count);
    left_ -= static_cast<uint32_t>(count);
  }
  Lsn at() const { return at_; }

 private:
  void next_page() {
    Lsn page = at_ + room_;
    char* bytes = buffer_at(wal_, task_, lock_, page);
    auto& header = *reinterpret_cast<WalPageHeader*>(bytes);
    header.remaining_length = left_;
    header.flags |= kWalPageFirstIsContinued;
    uint32_t header_bytes = wal_.geometry().header_bytes(page);
    to_ = bytes + header_bytes;
    at_ = page + header_bytes;
    room_ = kWalPageBytes - header_bytes;
  }

  WalShared& wal_;
  WalTask& task_;
  int lock_;
  Lsn at_;
  char* to_;
  uint32_t room_;
  uint32_t left_;
};

void copy_record(WalShared& wal, WalTask& task, int lock, WalRecordBuilder& record,
                 const Reserved& place) {
  const WalRecordHeader& header = record.finish_header(place.previous);
  RecordCopier copier(wal, task, lock, place.start, record.total_length());
  copier.copy(reinterpret_cast<const char*>(&header), sizeof header);
  for (WalRecordBuilder::Piece piece : record.body()) copier.copy(piece.data(), piece.size());
  assert(align_up(copier.at().value, 8) == place.end.value);
}

/// The tail of a segment that ends early: pages of zeros, without headers.
void clear_rest_of_segment(WalShared& wal, WalTask& task, Lsn from, Lsn to) {
  Lsn at{wal_page_start(from.value)};
  if (at < from) at += kWalPageBytes;
  for (; at < to; at += kWalPageBytes) {
    std::memset(buffer_at(wal, task, kWalInsertLocks - 1, at), 0, kWalPageBytes);
  }
}

void count_insertion(const WalRecordBuilder& record) {
  PendingStats& stats = my().stats;
  ++stats.wal_records;
  stats.wal_bytes += record.total_length();
  stats.wal_full_page_images += record.image_count();
}

/// Is the record still as the redo pointer of now demands?
bool rule_has_changed(WalShared& wal, WalTask& task, const WalRecordBuilder& record) {
  Lsn redo{wal.redo.load(std::memory_order_relaxed)};
  bool full_page_writes = wal.full_page_writes.load(std::memory_order_relaxed);
  bool newly_on = full_page_writes && !task.full_page_writes;
  task.redo = redo;
  task.full_page_writes = full_page_writes;
  Lsn oldest = record.oldest_unimaged();
  return full_page_writes && ((oldest.is_valid() && oldest <= redo) || newly_on);
}

/// One try; false when the record has to be assembled again.
bool try_insert(WalShared& wal, WalTask& task, WalRecordBuilder& record, bool important,
                Reserved& place) {
  CriticalSection critical;
  int lock = take_insert_lock(wal, task);
  WalInsertLock& mine = wal.insert_locks[lock];
  bool stale = rule_has_changed(wal, task, record);
  if (!stale) {
    place = reserve(wal, record.total_length());
    copy_record(wal, task, lock, record, place);
    if (important) mine.last_important = place.start.value;
  }
  mine.lock.release_and_set(mine.inserting_at, 0);
  critical.end();
  return !stale;
}

}  // namespace

WalTask& wal_task() {
  Task& task = this_task();
  if (auto* mine = task.slot<WalTask>()) return *mine;
  auto* mine = std::make_unique<WalTask>().release();
  task.set_slot(mine);
  task.on_proc_exit([mine](Task& ending, int) {
    ending.set_slot<WalTask>(nullptr);
    delete mine;
  });
  return *mine;
}

WalRecordBuilder& wal_record() {
  return wal_task().record;
}

Lsn wal_insert(WalRecordBuilder& record, bool important) {
  if (!wal_insert_allowed()) {
    throw Error(sqlstate::kInternalError, "cannot make new WAL entries during recovery");
  }
  WalShared& wal = wal_shared();
  WalTask& task = wal_task();
  Reserved place;
  do {
    record.assemble({task.redo, task.full_page_writes});
  } while (!try_insert(wal, task, record, important, place));

  // Whoever fills a page tells the WAL writer that there is something to write.
  if (place.start.value / kWalPageBytes != place.end.value / kWalPageBytes) {
    raise_position(wal.write_request, wal_page_start(place.end.value));
  }
  count_insertion(record);
  task.last_inserted = place.start;
  task.last_end = place.end;
  return place.end;
}

Lsn wal_last_inserted() {
  return wal_task().last_inserted;
}

Lsn wal_last_end() {
  return wal_task().last_end;
}

Lsn wal_switch_segment(bool important) {
  if (!wal_insert_allowed()) {
    throw Error(sqlstate::kInternalError, "cannot make new WAL entries during recovery");
  }
  WalShared& wal = wal_shared();
  WalTask& task = wal_task();
  WalRecordBuilder& record = task.record;
  record.begin(kWalXlogManager, kWalXlogSwitch);
  record.assemble({task.redo, task.full_page_writes});
  Reserved place;
  Lsn segment_end;
  CriticalSection critical;
  bool switched;
  {
    WalInsertExclusive all;
    switched = reserve_switch(wal, place, segment_end);
    if (switched) {
      copy_record(wal, task, kWalInsertLocks - 1, record, place);
      clear_rest_of_segment(wal, task, place.end, segment_end);
      if (important) wal.insert_locks[kWalInsertLocks - 1].last_important = place.start.value;
    }
  }
  critical.end();
  if (!switched) return segment_end;
  raise_position(wal.write_request, segment_end.value);
  count_insertion(record);
  task.last_inserted = place.start;
  task.last_end = segment_end;
  return segment_end;
}

bool standbys_may_follow() {
  return settings().get(setting::kWalLevel) != setting::WalLevel::kMinimal;
}

bool recovery_in_progress() {
  WalTask& task = wal_task();
  if (task.recovery_is_over) return false;
  // It ends once and for all, so the answer "over" needs to be found only once.
  task.recovery_is_over =
      wal_shared().recovery_state.load(std::memory_order_acquire) == RecoveryState::kDone;
  return !task.recovery_is_over;
}

bool wal_insert_allowed() {
  WalTask& task = wal_task();
  if (task.insert_allowed >= 0) return task.insert_allowed == 1;
  if (recovery_in_progress()) return false;
  WalShared& wal = wal_shared();
  task.redo = {wal.redo.load(std::memory_order_relaxed)};
  task.full_page_writes = wal.full_page_writes.load(std::memory_order_relaxed);
  task.insert_allowed = 1;
  return true;
}

void wal_allow_insert(bool allowed) {
  WalTask& task = wal_task();
  WalShared& wal = wal_shared();
  task.insert_allowed = allowed ? 1 : -1;
  task.redo = {wal.redo.load(std::memory_order_relaxed)};
  task.full_page_writes = wal.full_page_writes.load(std::memory_order_relaxed);
}

Lsn wal_insert_position() {
  WalShared& wal = wal_shared();
  WalBytePosition current;
  {
    SpinGuard guard(wal.reserve_lock);
    current = wal.current;
  }
  return wal.geometry().start_lsn(current);
}

Lsn wal_last_important() {
  uint64_t newest = 0;
  for (WalInsertLock& insert_lock : wal_shared().insert_locks) {
    LwLockGuard guard(insert_lock.lock, LwMode::kExclusive);
    newest = std::max(newest, insert_lock.last_important);
  }
  return {newest};
}

Lsn wal_redo() {
  return {wal_shared().redo.load(std::memory_order_acquire)};
}

WalInsertExclusive::WalInsertExclusive() {
  WalShared& wal = wal_shared();
  for (int i = 0; i < kWalInsertLocks; ++i) {
    WalInsertLock& insert_lock = wal.insert_locks[i];
    insert_lock.lock.acquire(LwMode::kExclusive);
    // Nobody need wait on the first seven: the last one carries the real position.
    if (i < kWalInsertLocks - 1) {
      insert_lock.lock.update_variable(insert_lock.inserting_at, UINT64_MAX);
    }
  }
}

WalInsertExclusive::~WalInsertExclusive() {
  WalShared& wal = wal_shared();
  for (WalInsertLock& insert_lock : wal.insert_locks) {
    insert_lock.lock.release_and_set(insert_lock.inserting_at, 0);
  }
}

Lsn WalInsertExclusive::next_record_start() const {
  return wal_insert_position();
}

void WalInsertExclusive::set_redo(Lsn redo) {
  wal_task().redo = redo;
  wal_shared().redo.store(redo.value, std::memory_order_release);
}

void WalInsertExclusive::set_full_page_writes(bool on) {
  wal_shared().full_page_writes.store(on, std::memory_order_release);
}

}  // namespace cofork
