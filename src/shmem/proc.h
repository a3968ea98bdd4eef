// Proc: what a task that uses shared memory owns there (PGPROC in proc.h, 15), and how it is taken
// and given back (InitProcess, InitAuxiliaryProcess, ProcKill in proc.c).
//
// A Proc carries the task's latch and semaphore, its links in wait queues, its wait event and what
// others may know about its transaction. Procs are numbered; the number is the task's name in every
// shared structure. Ordinary backends, autovacuum, background workers and WAL senders draw from
// pools of their own, so that none can starve another; auxiliary processes search their few.
//
// A Proc that was never taken was never touched: memory follows what is connected, and taking and
// giving back are O(1), at any max_connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "model/cells.h"
#include "model/task.h"
#include "shmem/backend_type.h"
#include "shmem/lwlock.h"
#include "shmem/proc_list.h"
#include "shmem/segment.h"
#include "shmem/spinlock.h"
#include "shmem/stats.h"

namespace cofork {

using TransactionId = uint32_t;
using LocalTransactionId = uint32_t;

enum class ProcPool : uint8_t { kOrdinary, kAutovacuum, kBackgroundWorker, kWalSender, kCount };
inline constexpr int32_t kProcPools = static_cast<int32_t>(ProcPool::kCount);

/// Where a Proc stands with an LWLock.
enum class LwWaiting : uint8_t { kNo, kWaiting, kPendingWakeup };

/// Bits of Proc::status_flags, numbered as PROC_* in proc.h.
enum ProcStatus : uint8_t {
  kProcIsAutovacuum = 0x01,
  kProcInVacuum = 0x02,
  kProcInSafeIndexCreation = 0x04,
  kProcVacuumForWraparound = 0x08,
  kProcInLogicalDecoding = 0x10,
  kProcAffectsAllHorizons = 0x20,
};

struct alignas(kAreaAlignment) Proc {
  // Read by everybody, written by the owner.
  std::atomic<Pid> pid;                       ///< 0: free
  std::atomic<uint32_t> wait_event_info;      ///< pg_stat_activity; see wait_event.h
  std::atomic<uint32_t> database_id;          ///< Oid; 0 until known
  std::atomic<uint32_t> role_id;              ///< Oid
  std::atomic<TransactionId> xid;             ///< also in RunningXids while set
  std::atomic<TransactionId> xmin;            ///< oldest xid its snapshots may need
  std::atomic<LocalTransactionId> local_xid;  ///< of the current virtual transaction; 0 = none
  std::atomic<uint8_t> status_flags;          ///< ProcStatus
  std::atomic<bool> is_background_worker;
  std::atomic<bool> recovery_conflict_pending;
  std::atomic<bool>
      delays_checkpoint;  ///< between its WAL and what belongs to it (delayChkptFlags)
  ProcPool pool;
  BackendType type;

  // Sleeping and being woken.
  Latch latch;
  Semaphore semaphore;
  std::atomic<LwWaiting> lw_waiting;
  LwMode lw_wait_mode;
  ProcLink lw_link;    ///< in the wait list of an LwLock
  ProcLink cv_link;    ///< in the wait list of a ConditionVariable
  ProcLink free_link;  ///< in a free list

  // Guarded by ProcArrayLock.
  int32_t proc_array_index;  ///< in ProcArray; -1 outside
  int32_t running_index;     ///< in RunningXids; -1 without an xid

  // Ending a transaction as one of a group (ProcArrayGroupClearXid).
  std::atomic<int32_t> clear_next;  ///< next member; kNoProc at the end
  std::atomic<bool> clear_is_member;
  TransactionId clear_latest_xid;

  /// Goes on counting over the Proc's owners, so that a virtual transaction id comes back late.
  LocalTransactionId last_local_xid;
};
static_assert(std::is_standard_layout_v<Proc>);
static_assert(std::is_trivially_destructible_v<Proc>);
static_assert(sizeof(Proc) == 128, "one connection: two cache lines of Proc");
static_assert(std::atomic<LwWaiting>::is_always_lock_free);

/// Free lists and counts (PROC_HDR).
struct ProcHeader {
  static constexpr Area kArea = Area::kProcHeader;
  static constexpr const char* kName = "Proc Header";
  static size_t size(const Limits&) { return sizeof(ProcHeader); }
  static void init(void* memory, const Limits&);

  struct Pool {
    ProcList free;       ///< given back; the last one given is the first one taken
    int32_t next_fresh;  ///< Procs from here to `end` were never taken
    int32_t end;
    int32_t free_count;  ///< both kinds
  };
  SpinLock mutex;  ///< ProcStructLock: guards the pools and the choice of an auxiliary Proc
  Pool pools[kProcPools];
  std::atomic<int32_t> spins_per_delay;    ///< shared estimate, see s_lock.c
  std::atomic<int32_t> clear_group_first;  ///< ProcArray's group of transactions to end
  std::atomic<int32_t> checkpointer;       ///< Proc number, or kNoProc
  std::atomic<int32_t> wal_writer;
};

/// The Procs themselves: backends first, in the order of ProcPool, then the auxiliary ones.
struct Procs {
  static constexpr Area kArea = Area::kProcs;
  static constexpr const char* kName = "PGPROC structures";
  static constexpr bool kAnonymous = true;
  static size_t size(const Limits& limits);
  static void init(void*, const Limits&) {}
  Proc* all() { return reinterpret_cast<Proc*>(this); }
};

/// A task's private half: what PostgreSQL keeps in MyProc and the static variables around it.
/// Lives from init_process() until the last on_shmem_exit callback.
struct MyProc {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kProc;
  struct HeldLwLock {
    LwLock* lock;
    LwMode mode;
  };
  Proc* proc = nullptr;
  Proc* procs = nullptr;  ///< the whole array
  int32_t number = kNoProc;
  int32_t status_slot = -1;  ///< in the backend status and ProcSignal arrays
  int32_t child_slot = 0;    ///< in PMChildFlags; 0: none
  int32_t spins_per_delay = 100;
  std::vector<HeldLwLock> held;                      ///< LWLocks, oldest first
  struct ConditionVariable* sleep_target = nullptr;  ///< prepared to sleep on this one
  PendingStats stats;
};

/// The running task's; only after init_process() or init_auxiliary_process().
inline MyProc& my() {
  return *this_task().slot<MyProc>();
}
inline MyProc* my_or_null() {
  return this_task().slot<MyProc>();
}
inline Proc& my_proc() {
  return *my().proc;
}
inline int32_t my_proc_number() {
  return my().number;
}
inline Proc* all_procs() {
  return shared_memory().area<Procs>().all();
}

/// Gives the running task a Proc of the pool's, its latch, semaphore and wait-event word, and
/// registers what gives them back. `child_slot` is the PMChildFlags slot the postmaster assigned
/// (0: none); it becomes ACTIVE here and ASSIGNED again at exit.
/// FATAL 53300 "sorry, too many clients already" and its relatives when the pool is empty.
void init_process(BackendType type, ProcPool pool, int32_t child_slot);

/// The same for an auxiliary process; FATAL "all AuxiliaryProcs are in use" when they are.
void init_auxiliary_process(AuxiliaryKind kind);

/// Are at least `n` ordinary Procs free? For the reserved-connections check (HaveNFreeProcs).
bool have_free_procs(int32_t n);

/// A task says under which number others find it: the checkpointer, the WAL writer.
/// Cleared when the task ends.
void publish_proc_number(std::atomic<int32_t>& word);

}  // namespace cofork
