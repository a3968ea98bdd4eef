// VACUUM, the end of the table: empty pages there are given back (lazy_truncate_heap in
// vacuumlazy.c, 15). See heap_vacuum.h.
//
// Nobody may be reading the table meanwhile, so it takes AccessExclusiveLock; but only for as long
// as nobody waits, and only if it is to be had soon.
#include <algorithm>

#include "access/heap_vacuum_state.h"
#include "access/relation_storage.h"
#include "access/row_lock.h"
#include "log/log.h"
#include "model/task.h"
#include "txn/lock_manager.h"

namespace cofork {

namespace {

constexpr BlockNumber kWorthwhilePages = 1000;
constexpr BlockNumber kWorthwhileShare = 16;  ///< or a 16th of the table
constexpr int64_t kLookForWaitersEvery_ms = 20;
constexpr int64_t kRetryLockEvery_ms = 50;
constexpr int64_t kGiveUpLockAfter_ms = 5000;

LockTag tag_of(const Relation& relation) {
  return LockTag::relation(lock_database(relation), relation.oid);
}

/// False: somebody has had it all the time.
bool get_lock(const Relation& relation) {
  Task& task = this_task();
  int64_t deadline_ns = task.os().clock.monotonic_ns() + kGiveUpLockAfter_ms * 1'000'000;
  while (lock_acquire(tag_of(relation), LockMode::kAccessExclusive, LockWait::kNoWait) ==
         LockOutcome::kNotAvailable) {
    task.check_interrupts();
    if (task.os().clock.monotonic_ns() > deadline_ns) return false;
    wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, kRetryLockEvery_ms,
               WaitEventId::kVacuumTruncate);
    reset_latch(task.latch());
  }
  return true;
}

}  // namespace

bool HeapVacuum::should_truncate() const {
  if (!truncate_ || failsafe_) return false;
  BlockNumber empty = pages_ - nonempty_pages_;
  return empty > 0 && (empty >= kWorthwhilePages || empty >= pages_ / kWorthwhileShare);
}

/// The pages up to the last one that has anything on it, read backwards from the end. `waiter`:
/// stopped early because somebody wants the lock.
BlockNumber HeapVacuum::count_nonempty(bool& waiter) {
  Task& task = this_task();
  int64_t looked_ns = task.os().clock.monotonic_ns();
  waiter = false;
  BlockNumber block = pages_;
  while (block > nonempty_pages_) {
    if (block % 32 == 0) {
      int64_t now_ns = task.os().clock.monotonic_ns();
      if (now_ns - looked_ns >= kLookForWaitersEvery_ms * 1'000'000) {
        if (lock_has_waiters(tag_of(relation_), LockMode::kAccessExclusive)) {
          waiter = true;
          return block;
        }
        looked_ns = now_ns;
      }
    }
    task.check_interrupts();
    Buffer buffer =
        read_buffer(relation_.file, ForkNumber::kMain, block - 1, ReadMode::kNormal, &strategy_);
    buffer.lock_shared();
    ConstPage page = buffer.page();
    bool has_items = false;
    // A dead item would do no harm, but its index entries may still be there.
    for (OffsetNumber i = kFirstOffset; !page_is_new(page) && i <= page_item_count(page); ++i) {
      has_items |= page_item_id(page, i).is_used();
    }
    if (has_items) return block;
    --block;
  }
  return nonempty_pages_;
}

void HeapVacuum::cut_off_empty_end() {
  Severity level = options_.verbose ? Severity::kInfo : Severity::kDebug2;
  bool waiter;
  do {
    if (!get_lock(relation_)) {
      log(level, "\"{}\": stopping truncate due to conflicting lock request", relation_.name);
      return;
    }
    // Somebody may have added pages before we had the lock: they are not empty for long.
    bool unchanged = relation_blocks(relation_.file, ForkNumber::kMain) == pages_;
    BlockNumber kept = pages_;
    waiter = false;
    if (unchanged) kept = count_nonempty(waiter);
    if (kept < pages_) truncate_relation(relation_, kept);
    // Nothing more is changed, so nobody needs to wait for the end of the transaction.
    lock_release(tag_of(relation_), LockMode::kAccessExclusive);
    if (kept >= pages_) return;
    log(level, "table \"{}\": truncated {} to {} pages", relation_.name, pages_, kept);
    if (waiter) {
      log(level, "table \"{}\": suspending truncate due to conflicting lock request",
          relation_.name);
    }
    removed_pages_ += pages_ - kept;
    pages_ = kept;
  } while (waiter && pages_ > nonempty_pages_);
}

}  // namespace cofork
