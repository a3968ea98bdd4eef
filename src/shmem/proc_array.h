// ProcArray: who runs here, and which transactions are running (as procarray.c, 15).
//
// Two things that PostgreSQL keeps in one sorted array are kept apart here, because most of many
// connections are idle:
//   ProcArray    the numbers of all Procs that can run transactions, in no order;
//   RunningXids  dense parallel arrays with one entry for each Proc that has a transaction id now.
// Joining, leaving, getting an xid and ending a transaction are O(1), and a snapshot reads as many
// entries as there are transactions with an xid. (PostgreSQL keeps one entry for every connection
// and shifts the arrays, and every later Proc's index, on each connect and disconnect.)
//
// Locks: joining, leaving and ending a transaction with an xid hold ProcArrayLock exclusive;
// looking holds it shared. Getting an xid holds XidGenLock exclusive, and only the spinlock `mutex`
// of ProcArrayLock's things: a reader may or may not see an entry appended meanwhile, which is
// right, because its xid is not below the reader's xmax.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "shmem/proc.h"

namespace cofork {

/// Subtransactions of a running transaction: how many stand in its Proc's list (ProcSubxids).
/// Written by the owner, under `mutex`; read with ProcArrayLock shared.
struct SubxidStatus {
  std::atomic<uint8_t> count;
  std::atomic<bool> overflowed;  ///< there are more
  void set(uint8_t new_count, bool new_overflowed) {
    overflowed.store(new_overflowed, std::memory_order_relaxed);
    count.store(new_count, std::memory_order_release);
  }
};
static_assert(sizeof(SubxidStatus) == 2);

/// The xids of a Proc's running subtransactions, oldest first; a list of its own, because most
/// connections never have one.
struct ProcSubxids {
  static constexpr Area kArea = Area::kProcSubxids;
  static constexpr const char* kName = "Proc Subxids";
  static constexpr bool kAnonymous = true;
  static constexpr int kMax = 64;  ///< PGPROC_MAX_CACHED_SUBXIDS
  static size_t size(const Limits& limits);
  static void init(void*, const Limits&) {}
  struct List {
    std::atomic<TransactionId> xids[kMax];
  };
  List& of(int32_t proc_number) { return reinterpret_cast<List*>(this)[proc_number]; }
};

struct ProcArray {
  static constexpr Area kArea = Area::kProcArray;
  static constexpr const char* kName = "Proc Array";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits&);

  std::atomic<int32_t> count;  ///< Procs in it
  int32_t capacity;            ///< max_backends + max_prepared_transactions
  SpinLock mutex;              ///< the structure of RunningXids, see above
  std::atomic<int32_t> running_count;
  std::atomic<uint64_t> completion_count;      ///< transactions with an xid that have ended
  std::atomic<uint64_t> latest_completed_xid;  ///< FullTransactionId; guarded by ProcArrayLock

  int32_t* numbers() { return reinterpret_cast<int32_t*>(this + 1); }
  // RunningXids: parallel arrays of `capacity` entries.
  std::atomic<TransactionId>* running_xids() {
    return reinterpret_cast<std::atomic<TransactionId>*>(numbers() + capacity);
  }
  int32_t* running_procs() { return reinterpret_cast<int32_t*>(running_xids() + capacity); }
  SubxidStatus* running_subxids() {
    return reinterpret_cast<SubxidStatus*>(running_procs() + capacity);
  }
  std::atomic<uint8_t>* running_flags() {
    return reinterpret_cast<std::atomic<uint8_t>*>(running_subxids() + capacity);
  }
};

/// The running task joins (phase 2 of start-up); it leaves by an exit callback.
/// FATAL 53300 "sorry, too many clients already" when the array is full.
void proc_array_join();

/// The running task's transaction has been given an xid. The caller holds XidGenLock exclusive.
void proc_array_set_xid(TransactionId xid);

/// The running task's transaction, which has an xid, has got a subtransaction's. The caller holds
/// XidGenLock exclusive.
void proc_array_add_subxid(TransactionId xid);
/// A subtransaction and its children have been rolled back: they are running no longer.
/// `latest_xid` is the newest of them (XidCacheRemoveRunningXids).
void proc_array_remove_subxids(TransactionId xid, std::span<const TransactionId> children,
                               TransactionId latest_xid);
/// Sets a flag of the running task's transaction where snapshots look (kProcInVacuum …); it goes
/// with the end of the transaction.
void proc_array_set_status(uint8_t flags);
/// Procs whose commit is between WAL and the commit log, as (number, virtual id) pairs; and whether
/// one of such pairs still is (GetVirtualXIDsDelayingChkpt, HaveVirtualXIDsDelayingChkpt).
struct DelayingTransaction {
  int32_t proc_number;
  LocalTransactionId local_xid;
};
std::vector<DelayingTransaction> transactions_delaying_checkpoint();
bool any_still_delays_checkpoint(std::span<const DelayingTransaction> seen);

/// Ends the running task's transaction for others: clears xid, xmin, virtual id and vacuum flags.
/// `latest_xid` is the newest xid it used, 0 when it had none: then no lock is taken.
/// Several that end at once are served by one of them (ProcArrayGroupClearXid).
void proc_array_end_transaction(TransactionId latest_xid);

/// A transaction begins and ends in a client backend: its virtual id, its start in
/// pg_stat_activity, the counters of its database. `start` as StatusRow's times; `latest_xid` as
/// above.
void transaction_begins(int64_t start);
void transaction_ends(bool committed, TransactionId latest_xid);

/// Numbers of all Procs in the array, in no order.
std::vector<int32_t> proc_array_numbers();

/// Xids running now, oldest first. Takes ProcArrayLock shared.
std::vector<TransactionId> running_transactions();
/// What a standby must know of them (GetRunningTransactionData), at one moment; the caller may be
/// told that a list of children has overflowed: then `subxids` has none of any.
struct RunningTransactions {
  std::vector<TransactionId> xids, subxids;
  bool overflowed = false;
  TransactionId latest_completed_xid = 0;
};
RunningTransactions running_transactions_and_children();

/// The Proc of a backend (not of an auxiliary process) by pid; kNoProc when there is none.
int32_t proc_of_backend(Pid pid);
/// The Proc of an auxiliary process by pid; kNoProc when there is none.
int32_t proc_of_auxiliary(Pid pid);

/// Backends connected to a database / with a role, background workers and autovacuum left out
/// (CountDBConnections, CountUserBackends).
int32_t count_connections_to_database(uint32_t database_id);
int32_t count_connections_of_role(uint32_t role_id);

}  // namespace cofork
