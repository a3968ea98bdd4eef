// Waiting for a lock: taking a place in the queue, sleeping, looking for a deadlock when it takes
// long (ProcSleep and CheckDeadLock in proc.c, 15).
//
// While the task sleeps, whoever grants the lock does all the work in shared memory; the task only
// looks at its own wait_status. An error that comes out of the sleep (cancel, lock_timeout) finds
// the task still queued: it leaves first, then the error goes on.
#include <cassert>
#include <optional>

#include "log/log.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"
#include "support/error.h"
#include "txn/lock_local.h"
#include "txn/lock_xact.h"

namespace cofork {

namespace {

/// "… waiting" behind what `ps` shows of the task.
class WaitingTitle {
 public:
  explicit WaitingTitle(Task& task) : task_(task) {
    if (task.card() == nullptr || !settings().get(setting::kUpdateProcessTitle)) return;
    before_ = task.card()->title;
    if (!before_.empty()) task.set_title(before_ + " waiting");
  }
  ~WaitingTitle() {
    if (!before_.empty()) task_.set_title(before_);
  }
  WaitingTitle(const WaitingTitle&) = delete;

 private:
  Task& task_;
  std::string before_;
};

/// One wait from queue to end.
class Waiter {
 public:
  Waiter(LockTask& mine, const LocalLock& local, LockMode mode, EntryRef holder)
      : mine_(mine),
        task_(this_task()),
        tag_(local.tag),
        hash_(local.hash),
        mode_(mode),
        partition_(tables_.partition_lock(local.hash)),
        proc_(tables_.proc(my_proc_number())),
        holder_(holder) {}

  enum class Place : uint8_t { kQueued, kGranted, kDeadlock };
  Place take_place();
  void sleep();
  bool was_granted() const {
    return proc_.wait_status.load(std::memory_order_acquire) == LockWaitStatus::kGranted;
  }

 private:
  void enqueue(Lock& lock, int32_t before);
  void look_for_deadlock();
  void log_progress(LockWaitStatus status);
  std::string holders_and_waiters();

  LockTask& mine_;
  Task& task_;
  LockTables tables_;
  LockTag tag_;
  uint32_t hash_;
  LockMode mode_;
  LwLock& partition_;
  LockProc& proc_;
  EntryRef holder_;
  int64_t began_ns_ = 0;
};

void Waiter::enqueue(Lock& lock, int32_t before) {
  LockTables::WaitQueue queue = tables_.queue(lock);
  if (before == kNoProc) {
    queue.push_tail(my_proc_number());
  } else {
    queue.insert_before(before, my_proc_number());
  }
  lock.waiting_mask |= lock_bit(mode_);
  proc_.wait_lock = tables_.holder(holder_).lock;
  proc_.wait_holder = holder_;
  proc_.wait_mode = mode_;
  proc_.held_while_waiting = tables_.holder(holder_).mask;
  proc_.wait_status.store(LockWaitStatus::kWaiting, std::memory_order_relaxed);
}

/// Normally at the end. But who holds the lock already in another mode goes before the first waiter
/// that has to wait for him: behind it, both would wait for each other.
Waiter::Place Waiter::take_place() {
  Lock& lock = tables_.lock(tables_.holder(holder_).lock);
  const Holder& holder = tables_.holder(holder_);
  uint16_t conflicting = lock_conflict_mask(mode_);
  LockTables::WaitQueue queue = tables_.queue(lock);
  uint16_t wanted_ahead = 0;
  int32_t before = kNoProc;
  if (holder.mask != 0) {
    for (int32_t n = queue.head(); n != kNoProc; n = queue.next(n)) {
      const LockProc& other = tables_.proc(n);
      if ((lock_conflict_mask(other.wait_mode) & holder.mask) == 0) {
        wanted_ahead |= lock_bit(other.wait_mode);
        continue;
      }
      if ((conflicting & other.held_while_waiting) != 0) {
        // It waits for us and we for it: no need to wait to find that out.
        const LockTag& others = tables_.lock(other.wait_lock).tag;
        mine_.deadlock.state = DeadlockState::kHard;
        mine_.deadlock.cycle = {{tag_, mode_, task_.pid()},
                                {others, other.wait_mode, all_procs()[n].pid.load()}};
        enqueue(lock, n);
        tables_.remove_waiter(my_proc_number());
        return Place::kDeadlock;
      }
      if ((conflicting & wanted_ahead) == 0 && !tables_.conflicts(mode_, lock, holder)) {
        tables_.grant(lock, tables_.holder(holder_), mode_);
        return Place::kGranted;
      }
      before = n;
      break;
    }
  }
  enqueue(lock, before);
  return Place::kQueued;
}

void Waiter::look_for_deadlock() {
  tables_.lock_all_partitions(LwMode::kExclusive);
  // Granted meanwhile: nothing to look for.
  if (proc_.wait_lock != 0) {
    mine_.deadlock = check_for_deadlock(my_proc_number());
    if (mine_.deadlock.state == DeadlockState::kHard) tables_.remove_waiter(my_proc_number());
  }
  tables_.unlock_all_partitions();
}

/// "Process holding the lock: 4711. Wait queue: 4712, 4713."
std::string Waiter::holders_and_waiters() {
  std::string holding, waiting;
  int holders = 0;
  LwLockGuard guard(partition_, LwMode::kShared);
  EntryRef lock = tables_.find(tag_, hash_);
  auto append = [](std::string& list, int32_t n) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ",
                        all_procs()[n].pid.load(std::memory_order_relaxed));
  };
  for (EntryRef ref = lock == 0 ? 0 : tables_.lock(lock).first_holder; ref != 0;
       ref = tables_.holder(ref).next_of_lock) {
    int32_t n = tables_.holder(ref).proc;
    if (tables_.proc(n).wait_holder == ref) {
      append(waiting, n);
    } else {
      append(holding, n);
      ++holders;
    }
  }
  return fmt::format("Process{} holding the lock: {}. Wait queue: {}.", holders == 1 ? "" : "es",
                     holding, waiting);
}

void Waiter::log_progress(LockWaitStatus status) {
  int64_t us = (task_.os().clock.monotonic_ns() - began_ns_) / 1000;
  std::string tail = fmt::format("{} on {} after {}.{:03} ms", lock_mode_name(mode_),
                                 describe_lock_tag(tag_), us / 1000, us % 1000);
  std::string detail = holders_and_waiters();
  auto line = [&](std::string message, bool with_detail) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate::kSuccessfulCompletion;
    data.message = std::move(message);
    if (with_detail) data.detail_log = detail;
    if (mine_.context != nullptr) data.context = describe_wait_context(*mine_.context);
    report(data);
  };
  Pid pid = task_.pid();
  DeadlockState& state = mine_.deadlock.state;
  if (state == DeadlockState::kSoft) {
    line(fmt::format("process {} avoided deadlock for {} on {} by rearranging queue order after "
                     "{}.{:03} ms",
                     pid, lock_mode_name(mode_), describe_lock_tag(tag_), us / 1000, us % 1000),
         true);
  } else if (state == DeadlockState::kHard) {
    line(fmt::format("process {} detected deadlock while waiting for {}", pid, tail), true);
  }
  if (status == LockWaitStatus::kWaiting) {
    line(fmt::format("process {} still waiting for {}", pid, tail), true);
  } else if (status == LockWaitStatus::kGranted) {
    line(fmt::format("process {} acquired {}", pid, tail), false);
  } else if (state != DeadlockState::kHard) {
    line(fmt::format("process {} failed to acquire {}", pid, tail), true);
  }
}

/// Returns when the wait is over, one way or the other. Throws what interrupts throw, and 55P03.
void Waiter::sleep() {
  Timeouts& timeouts = task_.timeouts();
  timeouts.fired(TimeoutId::kDeadlock, true);
  timeouts.fired(TimeoutId::kLock, true);
  timeouts.enable_after_ms(TimeoutId::kDeadlock, settings().get(setting::kDeadlockTimeout));
  if (int limit = settings().get(setting::kLockTimeout); limit > 0) {
    timeouts.enable_after_ms(TimeoutId::kLock, limit);
  }
  began_ns_ = task_.os().clock.monotonic_ns();
  proc_.wait_start.store(now_timestamp(), std::memory_order_relaxed);
  mine_.deadlock = {};
  auto event = static_cast<WaitEventId>(static_cast<uint32_t>(WaitClass::kLock) << 24 |
                                        static_cast<uint32_t>(tag_.type));
  bool logs = settings().get(setting::kLogLockWaits);
  LockWaitStatus status;
  do {
    wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, event);
    reset_latch(task_.latch());
    if (timeouts.fired(TimeoutId::kDeadlock, true)) look_for_deadlock();
    if (timeouts.fired(TimeoutId::kLock, true)) {
      throw Error(sqlstate::kLockNotAvailable, "canceling statement due to lock timeout");
    }
    task_.check_interrupts();
    status = proc_.wait_status.load(std::memory_order_acquire);
    if (logs && mine_.deadlock.state != DeadlockState::kNotChecked) {
      log_progress(status);
      // The next line only says whether it still waits; a deadlock is still to be raised below.
      if (mine_.deadlock.state != DeadlockState::kHard) mine_.deadlock.state = DeadlockState::kNone;
    }
  } while (status == LockWaitStatus::kWaiting);
  timeouts.disable(TimeoutId::kDeadlock);
  timeouts.disable(TimeoutId::kLock);
}

}  // namespace

void wait_for_lock(LockTask& mine, LocalLock& local, LockMode mode, int level, EntryRef holder) {
  Waiter waiter(mine, local, mode, holder);
  LwLock& partition = LockTables().partition_lock(local.hash);
  mine.awaited_tag = local.tag;
  mine.awaited_hash = local.hash;
  mine.awaited_mode = mode;
  mine.awaited_level = level;
  Waiter::Place place = waiter.take_place();
  mine.is_waiting = place == Waiter::Place::kQueued;
  partition.release();
  if (mine.is_waiting) {
    std::optional<ErrorData> failure;
    try {
      WaitingTitle title(this_task());
      waiter.sleep();
    } catch (Error& error) {
      failure = std::move(error.data());
    }
    if (failure) {
      lock_error_cleanup();
      throw Error(std::move(*failure));
    }
    mine.is_waiting = false;
  }
  bool granted =
      place == Waiter::Place::kGranted || (place == Waiter::Place::kQueued && waiter.was_granted());
  if (!granted) {
    lock_error_cleanup();
    if (local.held == 0 && local.owned.empty()) mine.locks.remove(local);
    mine.deadlock.raise();
  }
  local.held |= lock_bit(mode);
  local.add(mode, level);
  mine.strong_in_progress = nullptr;
}

}  // namespace cofork
