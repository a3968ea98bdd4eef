// Waiting for the end of transactions (XactLockTable… in lmgr.c, VirtualXact… in lock.c, 15).
//
// Every transaction holds its own xid's lock exclusively until it ends; who wants to wait for it
// asks for a share. The virtual xid's lock stands beside the Proc, for nearly nobody ever wants it:
// the first who does moves it into the table on the owner's behalf.
#include "txn/lock_xact.h"

#include "model/model.h"
#include "shmem/lwlock.h"
#include "support/error.h"
#include "txn/lock_local.h"
#include "txn/snapshot.h"
#include "txn/subtrans.h"
#include "txn/task_state.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

constexpr int64_t kLockNotThereYetUs = 1000;

const char* doing(XactWaitContext::Operation operation) {
  using Operation = XactWaitContext::Operation;
  switch (operation) {
    case Operation::kUpdate:
      return "while updating tuple";
    case Operation::kDelete:
      return "while deleting tuple";
    case Operation::kLock:
      return "while locking tuple";
    case Operation::kLockUpdated:
      return "while locking updated version";
    case Operation::kInsertIndex:
      return "while inserting index tuple";
    case Operation::kInsertIndexUnique:
      return "while checking uniqueness of tuple";
    case Operation::kFetchUpdated:
      return "while rechecking updated tuple";
    case Operation::kRecheckExclusion:
      return "while checking exclusion constraint on tuple";
    case Operation::kNone:
      break;
  }
  return "";
}

/// While it lives, errors and log lines of waits say what the wait is for.
class WaitContext {
 public:
  explicit WaitContext(const XactWaitContext& context) : mine_(lock_task()) {
    if (context.operation != XactWaitContext::Operation::kNone) mine_.context = &context;
  }
  ~WaitContext() { mine_.context = nullptr; }
  WaitContext(const WaitContext&) = delete;

 private:
  LockTask& mine_;
};

void wait_for_end(TransactionId xid) {
  // The lock of a transaction that is just beginning may not be there yet, and one that is looked
  // up as a child may have become its parent's: go on until it is not running.
  for (bool first = true;; first = false) {
    if (xid == my_transaction().top_xid_if_any()) {
      throw Error(sqlstate::kInternalError, "transaction {} waits for itself", xid);
    }
    LockTag tag = LockTag::transaction(xid);
    lock_acquire(tag, LockMode::kShare);
    lock_release(tag, LockMode::kShare);
    if (!xid_in_progress(xid)) return;
    if (!first) {
      this_task().check_interrupts();
      this_task().model().pause_us(this_task(), kLockNotThereYetUs);
    }
    xid = subtrans_topmost(xid, snapshot_task().xmin);
  }
}

}  // namespace

std::string describe_wait_context(const XactWaitContext& context) {
  if (context.operation == XactWaitContext::Operation::kNone) return "";
  const char* joint = context.operation == XactWaitContext::Operation::kLockUpdated
                          ? " of tuple in relation"
                          : " in relation";
  return fmt::format("{} ({},{}){} \"{}\"", doing(context.operation), context.block, context.offset,
                     joint, context.relation);
}

// --- xids

void lock_xid_insert(TransactionId xid, int level) {
  lock_acquire_at(LockTag::transaction(xid), LockMode::kExclusive, LockWait::kWait, level);
}

void lock_xid_delete(TransactionId xid) {
  lock_release(LockTag::transaction(xid), LockMode::kExclusive);
}

void xact_lock_wait(TransactionId xid, const XactWaitContext& context) {
  WaitContext said(context);
  try {
    wait_for_end(xid);
  } catch (Error& error) {
    if (error.data().context.empty()) error.data().context = describe_wait_context(context);
    throw;
  }
}

bool xact_lock_try(TransactionId xid) {
  for (bool first = true;; first = false) {
    LockTag tag = LockTag::transaction(xid);
    if (lock_acquire(tag, LockMode::kShare, LockWait::kNoWait) == LockOutcome::kNotAvailable) {
      return false;
    }
    lock_release(tag, LockMode::kShare);
    if (!xid_in_progress(xid)) return true;
    if (!first) {
      this_task().check_interrupts();
      this_task().model().pause_us(this_task(), kLockNotThereYetUs);
    }
    xid = subtrans_topmost(xid, snapshot_task().xmin);
  }
}

// --- virtual xids

void lock_virtual_xid_insert() {
  lock_task();
  LockProc& proc = LockTables().proc(my_proc_number());
  LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
  proc.fast_vxid = true;
  proc.fast_local_xid = my_proc().last_local_xid;
}

void lock_virtual_xid_delete() {
  LockTables tables;
  LockProc& proc = tables.proc(my_proc_number());
  LocalTransactionId local;
  {
    LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
    local = std::exchange(proc.fast_local_xid, 0u);
    if (std::exchange(proc.fast_vxid, false)) return;
  }
  if (local == 0) return;
  // Somebody waits, or has waited, for it.
  LockTag tag = LockTag::virtual_transaction(my_proc_number() + 1, local);
  uint32_t hash = lock_hash(tag);
  LwLockGuard partition(tables.partition_lock(hash), LwMode::kExclusive);
  EntryRef lock = tables.find(tag, hash);
  EntryRef holder = lock == 0 ? 0 : tables.find_holder(tables.lock(lock), my_proc_number());
  if (holder != 0) tables.release(holder, LockMode::kExclusive);
}

bool virtual_xact_wait(VirtualXid vxid, LockWait wait) {
  LockTables tables;
  int32_t number = vxid.backend - 1;
  LockProc& proc = tables.proc(number);
  LockTag tag = LockTag::virtual_transaction(vxid.backend, vxid.local);
  if (!proc.is_ready.load(std::memory_order_acquire)) return true;
  {
    LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
    if (proc.fast_local_xid != vxid.local) return true;
    if (wait == LockWait::kNoWait) return false;
    if (proc.fast_vxid) {
      uint32_t hash = lock_hash(tag);
      LwLockGuard partition(tables.partition_lock(hash), LwMode::kExclusive);
      EntryRef ref = tables.request(tag, hash, number, LockMode::kExclusive);
      if (ref == 0) throw_lock_table_full();
      tables.grant(tables.lock(tables.holder(ref).lock), tables.holder(ref), LockMode::kExclusive);
      proc.fast_vxid = false;
    }
  }
  lock_acquire(tag, LockMode::kShare);
  lock_release(tag, LockMode::kShare);
  return true;
}

}  // namespace cofork
