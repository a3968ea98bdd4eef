// LWLocks: shared/exclusive locks that guard shared memory, sleeping on the Proc's semaphore
// (as lwlock.c, 15).
//
// The state word:   30 HAS_WAITERS   29 RELEASE_OK   28 LOCKED (the wait list's own spin bit)
//                   24 EXCLUSIVE     0…23 number of shared holders
//
// Rules
//  1. No hand-off: a release only wakes; whoever comes first takes the lock, and a woken task that
//     loses queues again at the tail. Throughput over fairness.
//  2. A release wakes all queued WAIT_UNTIL_FREE waiters and then either the first exclusive one or
//     all shared ones; it clears RELEASE_OK, and until the woken one runs, others wake nobody.
//  3. No deadlock detection: locks are taken in an agreed order. No time limit.
//  4. While one is held, interrupts are held off and the task keeps its thread unless it waits;
//     an ERROR ends with release_all_lwlocks().
//  5. Only a task with a Proc may take one: without a Proc there is nothing to sleep on.
#pragma once

#include <atomic>
#include <cstdint>

#include "model/wait_event.h"
#include "shmem/proc_list.h"
#include "shmem/segment.h"

namespace cofork {

enum class LwTranche : uint16_t {
#define COFORK_LWLOCK(symbol, number, name) symbol = number,
#include "shmem/lwlock_list.h"
#undef COFORK_LWLOCK
};

enum class LwMode : uint8_t {
  kExclusive,
  kShared,
  kWaitUntilFree,  ///< only inside lwlock.cc: waits for a release without taking the lock
};

class LwLock {
 public:
  static constexpr uint32_t kExclusive = 1u << 24;
  static constexpr uint32_t kSharedMask = kExclusive - 1;
  static constexpr uint32_t kLockMask = kExclusive | kSharedMask;
  static constexpr uint32_t kListLocked = 1u << 28;
  static constexpr uint32_t kReleaseOk = 1u << 29;
  static constexpr uint32_t kHasWaiters = 1u << 30;
  static constexpr int kHeldMax = 200;  ///< of one task; more: ERROR "too many LWLocks taken"

  /// Makes a free lock of raw memory.
  void init(LwTranche tranche);

  /// Takes the lock, sleeping as long as needed. True when it did not have to sleep.
  bool acquire(LwMode mode);
  /// Takes the lock if that is possible at once.
  bool try_acquire(LwMode mode);
  /// Takes the lock and returns true; or, if it is busy, sleeps until it is released once and
  /// returns false without it: somebody has done the work meanwhile (WALWriteLock).
  bool acquire_or_wait(LwMode mode);

  /// Waits until nobody holds the lock exclusively (true), or until `variable`, which the holder
  /// guards with it, is no longer `old_value` (false; `new_value` says what it is now).
  bool wait_for_variable(const std::atomic<uint64_t>& variable, uint64_t old_value,
                         uint64_t& new_value);
  /// The holder publishes a new value and wakes those who wait for one.
  void update_variable(std::atomic<uint64_t>& variable, uint64_t value);

  void release();
  /// Sets the variable and releases (LWLockReleaseClearVar).
  void release_and_set(std::atomic<uint64_t>& variable, uint64_t value);

  bool held_by_me() const;
  bool held_by_me(LwMode mode) const;

  LwTranche tranche() const { return static_cast<LwTranche>(tranche_); }
  uint32_t state() const { return state_.load(std::memory_order_relaxed); }

 private:
  bool attempt(LwMode mode);
  void lock_wait_list();
  void unlock_wait_list() { state_.fetch_and(~kListLocked, std::memory_order_release); }
  void enqueue_self(LwMode mode);
  void dequeue_self();
  void sleep_until_woken();
  void wake_waiters();
  bool variable_differs(const std::atomic<uint64_t>& variable, uint64_t old_value,
                        uint64_t& new_value, bool& free) const;

  std::atomic<uint32_t> state_;
  uint16_t tranche_;
  ProcList waiters_;  ///< guarded by kListLocked
};
static_assert(sizeof(LwLock) == 16, "as PostgreSQL's");
static_assert(std::atomic<uint64_t>::is_always_lock_free);

/// One to a pair of cache lines, so that neighbours do not disturb each other.
struct alignas(kAreaAlignment) PaddedLwLock {
  LwLock lock;
};

/// The locks that are one of a kind: main_lwlock(LwTranche::kProcArray).
struct LwLockArea {
  static constexpr Area kArea = Area::kLwLocks;
  static constexpr const char* kName = "LWLocks";
  static constexpr bool kAnonymous = true;
  static constexpr size_t kIndividual = 48;
  static size_t size(const Limits&) { return sizeof(LwLockArea); }
  static void init(void* memory, const Limits&);
  PaddedLwLock locks[kIndividual];
};

inline LwLock& main_lwlock(LwTranche which) {
  return shared_memory().area<LwLockArea>().locks[static_cast<size_t>(which)].lock;
}

/// Holds a lock for a scope. An early release() is allowed.
class LwLockGuard {
 public:
  LwLockGuard(LwLock& lock, LwMode mode) : lock_(&lock) { lock.acquire(mode); }
  LwLockGuard(LwTranche which, LwMode mode) : LwLockGuard(main_lwlock(which), mode) {}
  ~LwLockGuard() {
    if (lock_ != nullptr) lock_->release();
  }
  LwLockGuard(const LwLockGuard&) = delete;
  void release() {
    lock_->release();
    lock_ = nullptr;
  }

 private:
  LwLock* lock_;
};

/// After an error: releases whatever this task still holds (LWLockReleaseAll).
void release_all_lwlocks();

/// "WALWrite", "BufferContent" …; "extension" for a number nobody has defined.
const char* lwlock_tranche_name(uint16_t tranche);

/// What pg_stat_activity shows for a word of wait_event_info, LWLocks included; null: no wait.
const char* full_wait_event_name(uint32_t word);

}  // namespace cofork
