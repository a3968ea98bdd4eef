// Pins and content locks of buffers: the Buffer class, and what a task counts for itself (as
// PinBuffer, UnpinBuffer and LockBufferForCleanup in bufmgr.c, 15).
#include <cassert>

#include "model/model.h"
#include "shmem/proc.h"
#include "storage/buffer_access.h"
#include "storage/task_state.h"
#include "support/error.h"
#include "support/unordered.h"
#include "wal/insert.h"
#include "wal/shared.h"

namespace cofork {

using namespace buffer_state;

BufferAccess::BufferAccess()
    : descriptors_(static_cast<BufferDescriptor*>(shared_memory().at(Area::kBufferDescriptors))),
      blocks_(static_cast<char*>(shared_memory().at(Area::kBufferBlocks))),
      conditions_(static_cast<BufferIoCondition*>(shared_memory().at(Area::kBufferIoConditions))),
      map_(shared_memory().area<BufferMap>()),
      strategy_(shared_memory().area<BufferStrategy>()),
      count_(shared_memory().limits().shared_buffers),
      usage_(my().stats.buffers) {}

BufferAccess::~BufferAccess() {
  // Unwinding has released every pin, or a Buffer outlived its task.
  assert(more_pins_.empty());
}

BufferAccess& buffer_access() {
  if (auto* mine = this_task().slot<StorageTask>(); mine != nullptr && mine->buffers != nullptr)
      [[likely]] {
    return *mine->buffers;
  }
  StorageTask& mine = storage_task();
  mine.buffers = std::make_unique<BufferAccess>();
  return *mine.buffers;
}

const BufferUsage& buffer_usage() {
  return my().stats.buffers;
}

// --- private counts

BufferAccess::Pins* BufferAccess::find_pins(int32_t number) {
  for (Pins& pins : pins_) {
    if (pins.buffer == number + 1) return &pins;
  }
  return nullptr;
}

int32_t BufferAccess::my_pins(int32_t number) const {
  for (const Pins& pins : pins_) {
    if (pins.buffer == number + 1) return pins.count;
  }
  if (more_pins_.empty()) return 0;
  auto found = more_pins_.find(number);
  return found == more_pins_.end() ? 0 : found->second;
}

bool BufferAccess::pin_again(int32_t number) {
  if (Pins* pins = find_pins(number)) {
    ++pins->count;
    return true;
  }
  if (more_pins_.empty()) return false;
  auto found = more_pins_.find(number);
  if (found == more_pins_.end()) return false;
  ++found->second;
  return true;
}

void BufferAccess::reserve_pin() {
  if (find_pins(-1) != nullptr) return;
  // Any will do; the first is the one looked at first, and the new one deserves that.
  more_pins_.emplace(pins_[0].buffer - 1, pins_[0].count);
  pins_[0] = {};
}

void BufferAccess::forget_pins(int32_t number) {
  if (Pins* pins = find_pins(number)) {
    *pins = {};
  } else {
    more_pins_.erase(number);
  }
}

// --- shared pins

uint32_t BufferAccess::pin(BufferDescriptor& descriptor, bool use_once) {
  reserve_pin();
  uint32_t old = descriptor.unlocked_state();
  for (;;) {
    uint32_t wanted = old + kPin;
    // How popular a page is decides how long it stays. A ring's pages are used once.
    if (uses(old) < (use_once ? 1 : kUseMax)) wanted += kUse;
    if (descriptor.state.compare_exchange_weak(old, wanted, std::memory_order_acquire)) break;
    if ((old & kLocked) != 0) old = descriptor.unlocked_state();
  }
  *find_pins(-1) = {number_of(descriptor) + 1, 1};
  return old;
}

void BufferAccess::pin_locked(BufferDescriptor& descriptor, uint32_t state) {
  int32_t number = number_of(descriptor);
  if (pin_again(number)) {
    descriptor.unlock_header(state);
    return;
  }
  descriptor.unlock_header(state + kPin);
  *find_pins(-1) = {number + 1, 1};
}

void BufferAccess::unpin(BufferDescriptor& descriptor) {
  int32_t number = number_of(descriptor);
  Pins* pins = find_pins(number);
  int32_t& count = pins != nullptr ? pins->count : more_pins_.at(number);
  if (--count > 0) return;
  forget_pins(number);
  uint32_t old = descriptor.unlocked_state();
  while (!descriptor.state.compare_exchange_weak(old, old - kPin, std::memory_order_release)) {
    if ((old & kLocked) != 0) old = descriptor.unlocked_state();
  }
  if ((old & kPinCountWaiter) == 0) [[likely]]
    return;
  // One who waits for a cleanup lock holds the last pin: tell it.
  uint32_t state = descriptor.lock_header();
  int32_t waiter = descriptor.waiter;
  bool wake = (state & kPinCountWaiter) != 0 && buffer_state::pins(state) == 1;
  descriptor.unlock_header(wake ? state & ~kPinCountWaiter : state);
  if (wake) set_latch(all_procs()[waiter].latch);
}

namespace {

/// Takes back the wish for the last pin, should the wait end by an error.
class CleanupWish {
 public:
  explicit CleanupWish(BufferDescriptor& descriptor) : descriptor_(descriptor) {}
  ~CleanupWish() {
    uint32_t state = descriptor_.lock_header();
    bool mine = (state & kPinCountWaiter) != 0 && descriptor_.waiter == my_proc_number();
    descriptor_.unlock_header(mine ? state & ~kPinCountWaiter : state);
  }
  CleanupWish(const CleanupWish&) = delete;

 private:
  BufferDescriptor& descriptor_;
};

}  // namespace

void BufferAccess::lock_for_cleanup(BufferDescriptor& descriptor) {
  int32_t mine = my_pins(number_of(descriptor));
  if (mine != 1) throw Error(sqlstate::kInternalError, "incorrect local pin count: {}", mine);
  Task& task = this_task();
  for (;;) {
    descriptor.content_lock.acquire(LwMode::kExclusive);
    uint32_t state = descriptor.lock_header();
    if (buffer_state::pins(state) == 1) {
      descriptor.unlock_header(state);
      return;
    }
    if ((state & kPinCountWaiter) != 0) {
      descriptor.unlock_header(state);
      descriptor.content_lock.release();
      throw Error(sqlstate::kInternalError, "multiple backends attempting to wait for pincount 1");
    }
    descriptor.waiter = my_proc_number();
    descriptor.unlock_header(state | kPinCountWaiter);
    CleanupWish wish(descriptor);
    descriptor.content_lock.release();
    wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, WaitEventId::kBufferPin);
    reset_latch(task.latch());
    task.check_interrupts();
  }
}

// --- Buffer

const BufferTag& Buffer::tag() const {
  return descriptor_->tag;
}

int32_t Buffer::id() const {
  return buffer_access().number_of(*descriptor_) + 1;
}

void Buffer::lock_shared() {
  descriptor_->content_lock.acquire(LwMode::kShared);
  locked_ = true;
}
void Buffer::lock_exclusive() {
  descriptor_->content_lock.acquire(LwMode::kExclusive);
  locked_ = true;
}
bool Buffer::try_lock_exclusive() {
  locked_ = descriptor_->content_lock.try_acquire(LwMode::kExclusive);
  return locked_;
}
void Buffer::unlock() {
  assert(locked_);
  locked_ = false;
  descriptor_->content_lock.release();
}

void Buffer::lock_for_cleanup() {
  buffer_access().lock_for_cleanup(*descriptor_);
  locked_ = true;
}

bool Buffer::try_lock_for_cleanup() {
  BufferAccess& access = buffer_access();
  if (access.my_pins(access.number_of(*descriptor_)) != 1) return false;
  // Another's pin shows before the lock is asked for; and again after it, when none can come.
  if (pins(descriptor_->unlocked_state()) != 1) return false;
  if (!try_lock_exclusive()) return false;
  if (pins(descriptor_->unlocked_state()) == 1) return true;
  unlock();
  return false;
}

bool Buffer::has_cleanup_lock() const {
  BufferAccess& access = buffer_access();
  return access.my_pins(access.number_of(*descriptor_)) == 1 &&
         pins(descriptor_->unlocked_state()) == 1;
}

void Buffer::mark_dirty() {
  assert(descriptor_->content_lock.held_by_me(LwMode::kExclusive));
  uint32_t old = descriptor_->unlocked_state();
  while (!descriptor_->state.compare_exchange_weak(old, old | kDirty | kJustDirtied,
                                                   std::memory_order_release)) {
    if ((old & kLocked) != 0) old = descriptor_->unlocked_state();
  }
  if ((old & kDirty) == 0) ++buffer_access().usage().dirtied;
}

Lsn Buffer::lsn() const {
  uint32_t state = descriptor_->lock_header();
  Lsn lsn = page_lsn(page_);
  descriptor_->unlock_header(state);
  return lsn;
}

Buffer Buffer::pin_again() const {
  BufferAccess& access = buffer_access();
  access.pin_again(access.number_of(*descriptor_));
  return {descriptor_, page_};
}

void Buffer::release_pinned() {
  // After an error the locks may have been released all at once before we are told to go.
  if (locked_ && descriptor_->content_lock.held_by_me()) descriptor_->content_lock.release();
  locked_ = false;
  BufferDescriptor* descriptor = descriptor_;
  descriptor_ = nullptr;
  page_ = nullptr;
  buffer_access().unpin(*descriptor);
}

namespace {

/// Between the image in WAL and the dirty bit no checkpoint may begin to look for dirty pages.
class DelayedCheckpoint {
 public:
  DelayedCheckpoint() { my_proc().delays_checkpoint.store(true, std::memory_order_seq_cst); }
  ~DelayedCheckpoint() { my_proc().delays_checkpoint.store(false, std::memory_order_release); }
  DelayedCheckpoint(const DelayedCheckpoint&) = delete;
};

constexpr uint8_t kXlogImageForHint = 0xA0;  // XLOG_FPI_FOR_HINT

/// The page's image as a record of its own, if this is its first change after a checkpoint. From a
/// copy: others may set more hints meanwhile. (XLogSaveBufferForHint)
Lsn log_image_for_hint(const BufferTag& tag, const char* page, char* copy, bool standard) {
  {
    RacyReads hints;
    std::memcpy(copy, page, kPageBytes);
  }
  WalRecordBuilder& record = wal_record();
  record.begin(kWalXlogManager, kXlogImageForHint);
  auto flags = static_cast<uint8_t>(kWalBlockForceImage | (standard ? kWalBlockStandardPage : 0));
  record.add_block({.id = 0,
                    .file = tag.file,
                    .fork = tag.fork,
                    .block = tag.block,
                    .page = copy,
                    .flags = flags});
  return wal_insert(record);
}

}  // namespace

void Buffer::mark_dirty_hint(bool standard) {
  uint32_t seen = descriptor_->state.load(std::memory_order_acquire);
  if ((seen & (kDirty | kJustDirtied)) == (kDirty | kJustDirtied)) return;
  BufferAccess& access = buffer_access();
  Lsn logged;
  auto set = [&] {
    uint32_t state = descriptor_->lock_header();
    // Readers of a page's LSN hold the header lock, when they do not hold the page exclusively.
    if (logged.is_valid() && (state & kDirty) == 0) set_page_lsn(page_, logged);
    descriptor_->unlock_header(state | kDirty | kJustDirtied);
    if ((state & kDirty) == 0) ++access.usage().dirtied;
  };
  if (!hints_need_wal() || (seen & kPermanent) == 0) {
    set();
    return;
  }
  // No WAL in recovery: then the hint must not reach the disk.
  if (recovery_in_progress()) return;
  DelayedCheckpoint delay;
  if (lsn() <= wal_redo()) logged = log_image_for_hint(tag(), page_, access.scratch(), standard);
  set();
}

}  // namespace cofork
