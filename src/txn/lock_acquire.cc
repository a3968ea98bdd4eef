// Taking and giving back locks: lock_manager.h's main entry points (LockAcquireExtended,
// LockRelease, LockReleaseAll in lock.c, 15).
#include <algorithm>
#include <cassert>
#include <utility>

#include "log/log.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "support/error.h"
#include "txn/lock_local.h"
#include "txn/lock_xact.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr uint8_t kManagerStandby = 8;
constexpr uint8_t kStandbyLock = 0x00;

/// A strong lock is being taken: weak ones keep away from the fast path (BeginStrongLockAcquire).
void begin_strong(LockTask& mine, uint32_t hash) {
  mine.strong_in_progress = &shared_memory().area<StrongLocks>().of(hash);
  mine.strong_in_progress->fetch_add(1, std::memory_order_seq_cst);
}
void abort_strong(LockTask& mine) {
  if (auto* counter = std::exchange(mine.strong_in_progress, nullptr)) {
    counter->fetch_sub(1, std::memory_order_seq_cst);
  }
}

/// Exclusive locks on relations are repeated by standbys, which must know who to wait for.
bool is_logged(const LockTag& tag, LockMode mode) {
  return mode == LockMode::kAccessExclusive && tag.type == LockTagType::kRelation &&
         settings().get(setting::kWalLevel) != setting::WalLevel::kMinimal &&
         !recovery_in_progress();
}
void log_exclusive_lock(const LockTag& tag) {
  struct {
    int32_t count;
    TransactionId xid;
    uint32_t database;
    uint32_t relation;
  } body{1, my_transaction().current_xid(), tag.field1, tag.field2};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerStandby, kStandbyLock, body.xid);
  record.add_main(&body, sizeof body);
  wal_insert(record, false);
}

/// Forgets an entry that holds nothing.
void forget_if_unused(LockTask& mine, LocalLock& local) {
  if (local.held == 0 && local.owned.empty()) mine.locks.remove(local);
}

/// The mode is really given back: from the fast path, or wherever it has been moved to.
void release_shared(LockTask& mine, LocalLock& local, LockMode mode) {
  bool was_fast = (local.fast & lock_bit(mode)) != 0;
  local.held = static_cast<uint16_t>(local.held & ~lock_bit(mode));
  local.fast = static_cast<uint16_t>(local.fast & ~lock_bit(mode));
  if (was_fast && fast_path_release(mine, local.tag, mode)) return;
  LockTables tables;
  {
    LwLockGuard partition(tables.partition_lock(local.hash), LwMode::kExclusive);
    EntryRef lock = tables.find(local.tag, local.hash);
    EntryRef holder = lock == 0 ? 0 : tables.find_holder(tables.lock(lock), my_proc_number());
    assert(holder != 0);
    tables.release(holder, mode);
  }
  if (conflicts_with_fast_path(local.tag, mode)) {
    shared_memory().area<StrongLocks>().of(local.hash).fetch_sub(1, std::memory_order_seq_cst);
  }
}

/// Gives back whatever `gone` says of the owners of all locks. Shared locks that nobody owns any
/// more are released.
template <typename Gone>
void release_owned(LockTask& mine, Gone&& gone) {
  // From the end: removing puts the last entry into the hole.
  for (size_t i = mine.locks.size(); i-- > 0;) {
    LocalLock& local = mine.locks.at(i);
    std::erase_if(local.owned, gone);
    for (int m = 1; m <= kLockModes; ++m) {
      auto mode = static_cast<LockMode>(m);
      if (local.holds(mode) && !local.is_owned(mode)) release_shared(mine, local, mode);
    }
    forget_if_unused(mine, local);
  }
}

LockOutcome acquire_in_table(LockTask& mine, LocalLock& local, LockMode mode, LockWait wait,
                             int level) {
  LockTables tables;
  LwLock& partition = tables.partition_lock(local.hash);
  partition.acquire(LwMode::kExclusive);
  EntryRef ref = tables.request(local.tag, local.hash, my_proc_number(), mode);
  if (ref == 0) {
    partition.release();
    abort_strong(mine);
    forget_if_unused(mine, local);
    throw_lock_table_full();
  }
  Holder& holder = tables.holder(ref);
  Lock& lock = tables.lock(holder.lock);
  // Nobody overtakes those who wait for something that conflicts with it.
  bool blocked =
      (lock_conflict_mask(mode) & lock.waiting_mask) != 0 || tables.conflicts(mode, lock, holder);
  if (!blocked) {
    tables.grant(lock, holder, mode);
    partition.release();
  } else if (wait == LockWait::kNoWait) {
    tables.withdraw(ref, mode);
    partition.release();
    abort_strong(mine);
    forget_if_unused(mine, local);
    return LockOutcome::kNotAvailable;
  } else {
    wait_for_lock(mine, local, mode, level, ref);
    return LockOutcome::kGranted;
  }
  local.held |= lock_bit(mode);
  local.add(mode, level);
  mine.strong_in_progress = nullptr;
  return LockOutcome::kGranted;
}

int level_of(LockOwner owner) {
  return owner == LockOwner::kSession ? kSessionLevel
                                      : std::max(1, my_transaction().nesting_level());
}

}  // namespace

LockOutcome lock_acquire(const LockTag& tag, LockMode mode, LockWait wait, LockOwner owner) {
  return lock_acquire_at(tag, mode, wait, level_of(owner));
}

LockOutcome lock_acquire_at(const LockTag& tag, LockMode mode, LockWait wait, int level) {
  LockTask& mine = lock_task();
  uint32_t hash = lock_hash(tag);
  if (LocalLock* known = mine.locks.find(tag, hash); known != nullptr && known->holds(mode)) {
    known->add(mode, level);
    return LockOutcome::kAlreadyHeld;
  }
  // The record of the lock carries an xid, whose own lock must come first.
  bool logged = is_logged(tag, mode);
  if (logged) my_transaction().current_xid();
  LocalLock& local = mine.locks.find_or_add(tag, hash);
  if (is_fast_path_lock(tag, mode) && (mine.fast_slots_used < kFastPathSlots || local.fast != 0) &&
      fast_path_take(mine, tag, hash, mode)) {
    local.held |= lock_bit(mode);
    local.fast |= lock_bit(mode);
    local.add(mode, level);
    return LockOutcome::kGranted;
  }
  if (conflicts_with_fast_path(tag, mode)) {
    begin_strong(mine, hash);
    if (!move_fast_path_locks(tag, hash)) {
      abort_strong(mine);
      forget_if_unused(mine, local);
      throw_lock_table_full();
    }
  }
  LockOutcome outcome = acquire_in_table(mine, local, mode, wait, level);
  if (logged && outcome == LockOutcome::kGranted) log_exclusive_lock(tag);
  return outcome;
}

bool lock_release(const LockTag& tag, LockMode mode, LockOwner owner) {
  LockTask& mine = lock_task();
  LocalLock* local = mine.locks.find(tag, lock_hash(tag));
  bool released = false;
  if (local != nullptr) {
    // A transaction's lock may have been taken by a level around this one.
    for (int level = level_of(owner); !released && level >= (owner == LockOwner::kSession ? 0 : 1);
         --level) {
      released = local->remove(mode, level);
    }
  }
  if (!released) {
    ErrorData warning;
    warning.severity = Severity::kWarning;
    warning.sqlstate = sqlstate::kWarning;
    warning.message = fmt::format("you don't own a lock of type {}", lock_mode_name(mode));
    report(warning);
    return false;
  }
  if (!local->is_owned(mode)) release_shared(mine, *local, mode);
  forget_if_unused(mine, *local);
  return true;
}

// --- asking

bool lock_is_held(const LockTag& tag, LockMode mode) {
  LocalLock* local = lock_task().locks.find(tag, lock_hash(tag));
  return local != nullptr && local->holds(mode);
}

bool lock_is_held_or_stronger(const LockTag& tag, LockMode mode) {
  LocalLock* local = lock_task().locks.find(tag, lock_hash(tag));
  return local != nullptr && local->held >= lock_bit(mode);
}

bool lock_has_waiters(const LockTag& tag, LockMode mode) {
  LockTables tables;
  uint32_t hash = lock_hash(tag);
  LwLockGuard partition(tables.partition_lock(hash), LwMode::kShared);
  EntryRef lock = tables.find(tag, hash);
  return lock != 0 && (lock_conflict_mask(mode) & tables.lock(lock).waiting_mask) != 0;
}

// --- the end of levels, transactions, sessions

void lock_error_cleanup() {
  LockTask* found = this_task().slot<LockTask>();
  if (found == nullptr) return;
  LockTask& mine = *found;
  abort_strong(mine);
  if (!mine.is_waiting) return;
  HoldInterrupts hold;
  Timeouts& timeouts = this_task().timeouts();
  timeouts.disable(TimeoutId::kDeadlock);
  timeouts.disable(TimeoutId::kLock);
  LockTables tables;
  LockProc& proc = tables.proc(my_proc_number());
  LocalLock* local = mine.locks.find(mine.awaited_tag, mine.awaited_hash);
  {
    LwLockGuard partition(tables.partition_lock(mine.awaited_hash), LwMode::kExclusive);
    if (proc.wait_lock != 0) {
      tables.remove_waiter(my_proc_number());
    } else if (proc.wait_status.load(std::memory_order_relaxed) == LockWaitStatus::kGranted) {
      // Somebody was quicker: it is ours now, and goes with the transaction.
      local->held |= lock_bit(mine.awaited_mode);
      local->add(mine.awaited_mode, mine.awaited_level);
      if (conflicts_with_fast_path(mine.awaited_tag, mine.awaited_mode)) {
        // What abort_strong() has just taken back counts again until the release.
        shared_memory().area<StrongLocks>().of(mine.awaited_hash).fetch_add(1);
      }
    }
  }
  mine.is_waiting = false;
  mine.context = nullptr;
  if (local != nullptr) forget_if_unused(mine, *local);
}

void locks_end_transaction() {
  LockTask* mine = this_task().slot<LockTask>();
  if (mine == nullptr) return;
  lock_error_cleanup();
  lock_virtual_xid_delete();
  release_owned(*mine, [](const LocalLock::Owned& one) { return one.level != kSessionLevel; });
}

void locks_end_session() {
  LockTask* mine = this_task().slot<LockTask>();
  if (mine == nullptr) return;
  lock_error_cleanup();
  lock_virtual_xid_delete();
  release_owned(*mine, [](const LocalLock::Owned&) { return true; });
}

void locks_release_level(int level) {
  LocalLocks& locks = lock_task().locks;
  for (size_t i = 0; i < locks.size(); ++i) {
    LocalLock& local = locks.at(i);
    for (size_t k = local.owned.size(); k-- > 0;) {
      LocalLock::Owned one = local.owned[k];
      if (one.level != level) continue;
      local.owned.erase(local.owned.begin() + static_cast<ptrdiff_t>(k));
      auto parent = std::find_if(local.owned.begin(), local.owned.end(), [&](const auto& other) {
        return other.mode == one.mode && other.level == level - 1;
      });
      if (parent != local.owned.end()) {
        parent->count += one.count;
      } else {
        local.owned.push_back({one.mode, level - 1, one.count});
      }
    }
  }
}

void locks_rollback_level(int level) {
  release_owned(lock_task(), [level](const LocalLock::Owned& one) { return one.level >= level; });
}

void release_session_advisory_locks() {
  release_owned(lock_task(),
                [](const LocalLock::Owned& one) { return one.level == kSessionLevel; });
}

}  // namespace cofork
