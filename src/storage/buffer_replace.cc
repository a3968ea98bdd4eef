// Which buffer to replace, and making it free (as freelist.c and GetVictimBuffer, 15 and 16).
//
//   1 the strategy's ring, if its next buffer is used by nobody else
//   2 a buffer that was never used
//   3 the free list: buffers of dropped relations
//   4 the clock hand: it takes one use off each unpinned buffer it passes, and stops at one without
//
// The victim is written if it is dirty and taken out of the mapping; somebody who wants its page
// meanwhile simply pins it, and the search begins again.
#include <algorithm>
#include <utility>

#include "model/model.h"
#include "settings/setting.h"
#include "shmem/proc.h"
#include "storage/buffer_access.h"
#include "storage/setting_or.h"
#include "support/error.h"
#include "wal/write.h"

namespace cofork {

using namespace buffer_state;

namespace {

constexpr int32_t kBulkReadBuffers = 256 * 1024 / kPageBytes;
constexpr int32_t kBulkWriteBuffers = 16 * 1024 * 1024 / kPageBytes;
constexpr int32_t kVacuumBuffers = 256 * 1024 / kPageBytes;
constexpr int32_t kFreeListEnd = -1;  ///< of free_next, where 0 means "not on the list"
constexpr int32_t kRingShare = 8;     ///< a ring takes no more than this part of all buffers

int32_t ring_size(AccessStrategy::Kind kind) {
  switch (kind) {
    case AccessStrategy::Kind::kBulkRead:
      return kBulkReadBuffers;
    case AccessStrategy::Kind::kBulkWrite:
      return kBulkWriteBuffers;
    case AccessStrategy::Kind::kVacuum:
      return kVacuumBuffers;
  }
  return 0;
}

/// A descriptor's memory reads as zero until somebody takes it, its content lock included.
void make_usable(BufferDescriptor& descriptor) {
  if (descriptor.content_lock.tranche() != LwTranche::kBufferContent) {
    descriptor.content_lock.init(LwTranche::kBufferContent);
  }
}

}  // namespace

AccessStrategy::AccessStrategy(Kind kind) : kind_(kind) {
  int32_t size = std::min(ring_size(kind), shared_memory().limits().shared_buffers / kRingShare);
  ring_.assign(static_cast<size_t>(size), -1);
}

/// The ring's next buffer, if there is one and nobody but the ring has used it.
BufferDescriptor* BufferAccess::take_from_ring(AccessStrategy& strategy, uint32_t& state) {
  strategy.current_was_in_ring_ = false;
  if (++strategy.current_ >= strategy.ring_.size()) strategy.current_ = 0;
  int32_t number = strategy.ring_[strategy.current_];
  if (number < 0) return nullptr;
  BufferDescriptor& descriptor = descriptors_[number];
  state = descriptor.lock_header();
  if (pins(state) == 0 && uses(state) <= 1) {
    strategy.current_was_in_ring_ = true;
    return &descriptor;
  }
  descriptor.unlock_header(state);
  return nullptr;
}

BufferDescriptor* BufferAccess::take_fresh(uint32_t& state) {
  while (strategy_.fresh.load(std::memory_order_relaxed) < count_) {
    int32_t number = strategy_.fresh.fetch_add(1, std::memory_order_acq_rel);
    if (number >= count_) return nullptr;
    BufferDescriptor& descriptor = descriptors_[number];
    state = descriptor.lock_header();
    make_usable(descriptor);
    if (pins(state) == 0 && uses(state) == 0) return &descriptor;
    descriptor.unlock_header(state);  // the clock hand was here before us
  }
  return nullptr;
}

BufferDescriptor* BufferAccess::take_free(uint32_t& state) {
  while (strategy_.first_free.load(std::memory_order_relaxed) != 0) {
    int32_t first;
    {
      SpinGuard guard(strategy_.mutex);
      first = strategy_.first_free.load(std::memory_order_relaxed);
      if (first == 0) return nullptr;
      int32_t next = std::exchange(descriptors_[first - 1].free_next, 0);
      strategy_.first_free.store(next == kFreeListEnd ? 0 : next, std::memory_order_relaxed);
    }
    BufferDescriptor& descriptor = descriptors_[first - 1];
    state = descriptor.lock_header();
    if (pins(state) == 0 && uses(state) == 0) return &descriptor;
    descriptor.unlock_header(state);  // in use again: then it does not belong on the list
  }
  return nullptr;
}

void BufferAccess::give_to_free_list(BufferDescriptor& descriptor) {
  SpinGuard guard(strategy_.mutex);
  if (descriptor.free_next != 0) return;
  int32_t first = strategy_.first_free.load(std::memory_order_relaxed);
  descriptor.free_next = first == 0 ? kFreeListEnd : first;
  strategy_.first_free.store(number_of(descriptor) + 1, std::memory_order_relaxed);
}

/// Moves the clock hand one buffer on; the number it stood at.
uint32_t BufferAccess::tick() {
  auto count = static_cast<uint32_t>(count_);
  uint32_t at = strategy_.hand.fetch_add(1, std::memory_order_relaxed);
  if (at < count) return at;
  uint32_t number = at % count;
  if (number != 0) return number;
  // The one who comes round brings the hand back, so that it never runs out of numbers.
  uint32_t expected = at + 1;
  for (;;) {
    SpinGuard guard(strategy_.mutex);
    if (strategy_.hand.compare_exchange_strong(expected, expected % count)) {
      ++strategy_.complete_passes;
      return number;
    }
  }
}

BufferDescriptor& BufferAccess::sweep(uint32_t& state) {
  int32_t tries_left = count_;
  for (;;) {
    BufferDescriptor& descriptor = descriptors_[tick()];
    state = descriptor.lock_header();
    if (pins(state) == 0) {
      if (uses(state) == 0) {
        make_usable(descriptor);
        return descriptor;
      }
      descriptor.unlock_header(state - kUse);
      tries_left = count_;
      continue;
    }
    descriptor.unlock_header(state);
    if (--tries_left == 0) {
      throw Error(sqlstate::kInternalError, "no unpinned buffers available");
    }
  }
}

/// A buffer nobody has pinned, its header locked (StrategyGetBuffer).
BufferDescriptor& BufferAccess::choose_victim(AccessStrategy* strategy, uint32_t& state) {
  if (strategy != nullptr) {
    if (BufferDescriptor* found = take_from_ring(*strategy, state)) return *found;
  }
  if (strategy_.notify.load(std::memory_order_relaxed) != 0) {
    int32_t sleeper = strategy_.notify.exchange(0);
    if (sleeper != 0) set_latch(all_procs()[sleeper - 1].latch);
  }
  strategy_.allocated.fetch_add(1, std::memory_order_relaxed);
  BufferDescriptor* found = take_fresh(state);
  if (found == nullptr) found = take_free(state);
  if (found == nullptr) found = &sweep(state);
  if (strategy != nullptr) strategy->ring_[strategy->current_] = number_of(*found);
  return *found;
}

/// A bulk read must not flush WAL for others' changes with every page: it lets such a buffer go
/// and takes one from outside its ring.
bool BufferAccess::reject_ring_buffer(AccessStrategy& strategy, BufferDescriptor& descriptor) {
  if (strategy.kind_ != AccessStrategy::Kind::kBulkRead || !strategy.current_was_in_ring_) {
    return false;
  }
  uint32_t state = descriptor.lock_header();
  Lsn lsn = page_lsn(page(number_of(descriptor)));
  descriptor.unlock_header(state);
  if (lsn <= wal_flushed()) return false;
  strategy.ring_[strategy.current_] = -1;
  return true;
}

/// Writes the page if it is dirty. False: better another buffer.
bool BufferAccess::make_clean(BufferDescriptor& descriptor, uint32_t state,
                              AccessStrategy* strategy) {
  if ((state & kDirty) == 0) return true;
  // Conditionally: whoever holds it may be waiting for a lock of ours.
  if (!descriptor.content_lock.try_acquire(LwMode::kShared)) return false;
  bool reject = strategy != nullptr && reject_ring_buffer(*strategy, descriptor);
  if (!reject) {
    flush(descriptor);
    writeback_.add(descriptor.tag, setting_or(setting::kBackendFlushAfter, 0));
  }
  descriptor.content_lock.release();
  return !reject;
}

/// Takes a buffer pinned by us out of the mapping. False: somebody else wants its page after all.
bool BufferAccess::unmap(BufferDescriptor& descriptor) {
  uint32_t hash = descriptor.hash.load(std::memory_order_relaxed);
  LwLockGuard guard(map_.partition(hash), LwMode::kExclusive);
  uint32_t state = descriptor.lock_header();
  if (pins(state) != 1 || (state & kDirty) != 0) {
    descriptor.unlock_header(state);
    return false;
  }
  descriptor.tag = BufferTag{};
  descriptor.unlock_header(state & ~(kFlagMask | kUseMask));
  map_.remove(descriptors_, number_of(descriptor));
  return true;
}

BufferDescriptor& BufferAccess::take_victim(AccessStrategy* strategy) {
  for (;;) {
    reserve_pin();
    uint32_t state;
    BufferDescriptor& descriptor = choose_victim(strategy, state);
    pin_locked(descriptor, state);
    ScopedPin pinned(*this, descriptor);
    if (make_clean(descriptor, state, strategy) &&
        ((state & kTagValid) == 0 || unmap(descriptor))) {
      pinned.keep();
      return descriptor;
    }
    this_task().check_interrupts();
  }
}

void notify_at_next_allocation(int32_t proc_number) {
  shared_memory().area<BufferStrategy>().notify.store(proc_number + 1);
}

}  // namespace cofork
