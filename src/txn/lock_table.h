// The shared side of the lock manager: what is locked, by whom, and who waits. Inside txn/ only,
// but for the list of areas in postmaster/shared_memory.cc.
//
//   LockTable    buckets ─► Lock ─► Holder ─► Holder …      one for each task that holds or waits
//                             └─► queue of waiters          Procs, linked through LockProc
//   LockHolders  the pool Holders come from
//   LockProcs    for each Proc: its fast-path slots, what it waits for, its Holders by partition
//
// Everything about a Lock is guarded by the LWLock of its partition, the tag's hash modulo 16; a
// task that needs several takes them in ascending order. Numbers stand for pointers: entry + 1, so
// that memory that reads as zero is an empty table.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/proc_list.h"
#include "shmem/segment.h"
#include "shmem/spinlock.h"
#include "txn/lock_manager.h"

namespace cofork {

inline constexpr int kLockPartitions = 16;
inline constexpr int kFastPathSlots = 16;

/// Number of an entry plus one; 0: none.
using EntryRef = int32_t;

constexpr uint16_t lock_bit(LockMode mode) {
  return static_cast<uint16_t>(1u << static_cast<int>(mode));
}

struct Lock {
  LockTag tag;
  uint32_t hash;
  EntryRef next;  ///< in its bucket, or in a free list
  EntryRef first_holder;
  uint16_t granted_mask;  ///< modes somebody holds
  uint16_t waiting_mask;  ///< modes somebody waits for
  ProcList waiters;       ///< first come, first served, but for lock_wait.cc's exception
  int32_t requested_total;
  int32_t granted_total;
  std::array<int32_t, kLockModes + 1> requested;  ///< by mode: held and waited for
  std::array<int32_t, kLockModes + 1> granted;
};

struct Holder {
  EntryRef lock;
  EntryRef next_of_lock, previous_of_lock;  ///< next_of_lock also links free ones
  EntryRef next_of_proc, previous_of_proc;  ///< the Proc's in the same partition
  int32_t proc;
  uint16_t mask;  ///< modes it holds
};

enum class LockWaitStatus : uint8_t { kGranted, kWaiting, kError };

struct alignas(kAreaAlignment) LockProc {
  // Guarded by fast_path_lock; the owner alone adds to it.
  LwLock fast_path_lock;
  std::atomic<bool> is_ready;  ///< fast_path_lock has been made
  bool fast_vxid;              ///< the own virtual xid is locked here, not in the table
  LocalTransactionId fast_local_xid;
  uint64_t fast_modes;  ///< three bits a slot: kAccessShare, kRowShare, kRowExclusive
  std::array<uint32_t, kFastPathSlots> fast_relations;

  // Guarded by the partition of what it waits for.
  ProcLink wait_link;
  EntryRef wait_lock;
  EntryRef wait_holder;
  LockMode wait_mode;
  std::atomic<LockWaitStatus> wait_status;
  uint16_t held_while_waiting;      ///< modes of the same lock
  std::atomic<int64_t> wait_start;  ///< microseconds since 2000-01-01 UTC

  /// Its Holders, each list guarded by its partition.
  std::array<EntryRef, kLockPartitions> holders;
};

struct LockProcs {
  static constexpr Area kArea = Area::kLockProcs;
  static constexpr const char* kName = "Lock Procs";
  static constexpr bool kAnonymous = true;
  static size_t size(const Limits& limits);
  static void init(void*, const Limits&) {}
  LockProc* all() { return reinterpret_cast<LockProc*>(this); }
};

/// Free entries of a pool of T, linked through `link`. Entries that were never used come after the
/// ones that were given back: their memory was never touched.
template <typename T, EntryRef T::*link>
struct EntryPool {
  struct alignas(64) FreeList {
    SpinLock mutex;
    EntryRef head;
  };
  FreeList lists[kLockPartitions];
  std::atomic<int32_t> next_fresh;
  int32_t capacity;

  /// 0 when there is none left.
  EntryRef take(T* entries, int partition) {
    if (EntryRef mine = pop(lists[partition], entries)) return mine;
    int32_t fresh = next_fresh.load(std::memory_order_relaxed);
    while (fresh < capacity) {
      if (next_fresh.compare_exchange_weak(fresh, fresh + 1, std::memory_order_relaxed)) {
        return fresh + 1;
      }
    }
    for (FreeList& other : lists) {
      if (EntryRef borrowed = pop(other, entries)) return borrowed;
    }
    return 0;
  }
  void give_back(T* entries, int partition, EntryRef entry) {
    SpinGuard guard(lists[partition].mutex);
    entries[entry - 1].*link = lists[partition].head;
    lists[partition].head = entry;
  }

 private:
  static EntryRef pop(FreeList& list, T* entries) {
    SpinGuard guard(list.mutex);
    EntryRef entry = list.head;
    if (entry != 0) list.head = entries[entry - 1].*link;
    return entry;
  }
};

struct LockTable {
  static constexpr Area kArea = Area::kLockTable;
  static constexpr const char* kName = "LOCK hash";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);

  PaddedLwLock partitions[kLockPartitions];
  EntryPool<Lock, &Lock::next> pool;
  uint32_t bucket_mask;

  EntryRef* buckets() { return reinterpret_cast<EntryRef*>(this + 1); }
  Lock* entries() { return reinterpret_cast<Lock*>(buckets() + bucket_mask + 1); }
};

struct LockHolders {
  static constexpr Area kArea = Area::kLockHolders;
  static constexpr const char* kName = "PROCLOCK hash";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);
  EntryPool<Holder, &Holder::next_of_lock> pool;
  Holder* entries() { return reinterpret_cast<Holder*>(this + 1); }
};

/// How many strong locks are held or wanted on relations of each hash: while there are any, weak
/// ones must go through the table (FastPathStrongRelationLocks).
struct StrongLocks {
  static constexpr Area kArea = Area::kStrongLocks;
  static constexpr const char* kName = "Fast Path Strong Relation Lock Data";
  static constexpr uint32_t kCounters = 1024;
  static size_t size(const Limits&) { return sizeof(StrongLocks); }
  static void init(void*, const Limits&) {}
  std::atomic<uint32_t> count[kCounters];
  std::atomic<uint32_t>& of(uint32_t hash) { return count[hash % kCounters]; }
};

uint32_t lock_hash(const LockTag& tag);

/// The tables of the running task's server, and what can be done with them. Cheap to make.
class LockTables {
 public:
  LockTables();

  LwLock& partition_lock(uint32_t hash) { return table_.partitions[hash % kLockPartitions].lock; }
  Lock& lock(EntryRef ref) { return locks_[ref - 1]; }
  Holder& holder(EntryRef ref) { return holders_[ref - 1]; }
  LockProc& proc(int32_t number) { return procs_[number]; }
  LockProc* procs() { return procs_; }
  using WaitQueue = ProcListView<LockProc, &LockProc::wait_link>;
  WaitQueue queue(Lock& lock) { return WaitQueue(lock.waiters, procs_); }

  // All with the partition's lock held exclusively; the finders: at least shared.
  EntryRef find(const LockTag& tag, uint32_t hash);
  EntryRef find_holder(const Lock& lock, int32_t proc);
  /// Enters a request: the Holder, whose Lock and itself are made if they are not there. 0: the
  /// table is full.
  EntryRef request(const LockTag& tag, uint32_t hash, int32_t proc, LockMode mode);
  /// Would granting `mode` to `holder` conflict with what others hold?
  bool conflicts(LockMode mode, const Lock& lock, const Holder& holder) const;
  void grant(Lock& lock, Holder& holder, LockMode mode);
  /// Takes a mode from its holder; wakes who can go on, frees what is not needed any more.
  void release(EntryRef holder, LockMode mode);
  /// Takes back a request that was not granted.
  void withdraw(EntryRef holder, LockMode mode);
  /// Takes a waiting Proc out of its queue, in vain.
  void remove_waiter(int32_t proc);
  /// Grants what can be granted, in the queue's order.
  void wake_waiters(Lock& lock);

  void lock_all_partitions(LwMode mode);
  void unlock_all_partitions();

 private:
  void clean_up(EntryRef holder, bool wake);
  void link_holder(EntryRef ref, Lock& lock, int partition);
  void unlink_holder(EntryRef ref, int partition);

  LockTable& table_;
  LockHolders& holder_table_;
  Lock* locks_;
  Holder* holders_;
  LockProc* procs_;
};

}  // namespace cofork
