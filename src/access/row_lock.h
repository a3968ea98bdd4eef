// xmax: several transactions in one field, and waiting for them (the second half of heapam.c, 15).
//
// A row's xmax is a locker, an updater, or a multixact of several. Four row locks, of which these
// conflict ("x"):
//
//                         KEY SHARE   SHARE   NO KEY UPDATE   UPDATE
//   FOR KEY SHARE                                               x
//   FOR SHARE                                      x            x
//   FOR NO KEY UPDATE                   x          x            x
//   FOR UPDATE                x         x          x            x
//
// An UPDATE that leaves the key takes NO KEY UPDATE; one that does not, and DELETE, take UPDATE.
//
// A row lock is in the tuple and costs no shared memory. Only who has to wait for one takes a lock
// on the tuple in the lock manager first, as a place in the queue: so that of many waiters one at a
// time wakes up and none is overtaken for ever. Everything here is inside access/.
#pragma once

#include <optional>

#include "access/heap.h"
#include "txn/lock_manager.h"
#include "txn/multixact.h"

namespace cofork {

/// What a member of a multixact holds, as a row lock.
LockTupleMode lock_mode_of(MultiXactStatus status);
/// What a locker, or an updater, with this mode becomes in a multixact.
MultiXactStatus multixact_status_for(LockTupleMode mode, bool is_update);
/// What the one transaction in xmax, no multixact, does to the row, by the bits.
MultiXactStatus status_of_xmax(const HeapTupleHeader& header);
bool row_locks_conflict(LockTupleMode a, LockTupleMode b);

/// An xmax with the bits that describe it.
struct Xmax {
  TransactionId xid = kInvalidXid;
  uint16_t infomask = 0;
  uint16_t infomask2 = 0;
};

/// What xmax becomes when `xid` locks or updates the row in `mode`: itself, or a multixact with
/// whoever still counts. (compute_new_xmax_infomask) May wait.
Xmax add_to_xmax(const HeapTupleHeader& header, TransactionId xid, LockTupleMode mode,
                 bool is_update);
/// The bits that say what a multixact's members do (GetMultiXactIdHintBits).
Xmax xmax_of_multixact(MultiXactId multi);
/// Puts it into a tuple, the former's bits gone.
void store_xmax(HeapTupleHeader& header, const Xmax& xmax);
/// The same as a WAL record says it (compute_infobits).
uint8_t wal_xmax_bits(uint16_t infomask, uint16_t infomask2);

/// xmax and what it means, to find out whether they have changed during a wait.
struct XmaxSeen {
  TransactionId xid;
  uint16_t infomask;
};
inline XmaxSeen see_xmax(const HeapTupleHeader& header) {
  return {header.xmax, header.infomask};
}
bool xmax_has_changed(const HeapTupleHeader& header, const XmaxSeen& seen);

/// Would a row lock in `mode` conflict with a member, other than the own transaction?
/// `own_is_member`: is that one of them? (DoesMultiXactIdConflict)
bool multixact_conflicts(const XmaxSeen& xmax, LockTupleMode mode, bool& own_is_member);

/// For whom and why one waits.
struct RowWait {
  const Relation& relation;
  ItemPointer tid;
  XactWaitContext::Operation operation;
};
/// Waits for one transaction. Holds no page lock.
void wait_for_xid(TransactionId xid, const RowWait& wait);
/// Waits for the members that conflict with `status`; returns how many others still run
/// (MultiXactIdWait).
int wait_for_multixact(const XmaxSeen& xmax, MultiXactStatus status, const RowWait& wait);
/// Without waiting: false when one that conflicts still runs.
bool try_multixact(const XmaxSeen& xmax, MultiXactStatus status);
/// After the wait for an ordinary xmax: remembers how it ended (UpdateXmaxHintBits).
void remember_xmax_end(HeapTupleHeader& header, Buffer& buffer, TransactionId xid);

/// The place in the queue: taken at most once, and given back by release() when the row is done, or
/// with everything else when the transaction aborts.
class TupleQueueLock {
 public:
  TupleQueueLock(const Relation& relation, const ItemPointer& tid)
      : relation_(relation), tid_(tid) {}
  TupleQueueLock(const TupleQueueLock&) = delete;

  /// False only under kSkip. Throws 55P03 under kError. (heap_acquire_tuplock)
  bool acquire(LockTupleMode mode, LockWaitPolicy policy = LockWaitPolicy::kBlock);
  void release();

 private:
  const Relation& relation_;
  ItemPointer tid_;
  std::optional<LockMode> held_;
};
/// 55P03 "could not obtain lock on row in relation \"%s\"".
[[noreturn]] void throw_row_not_available(const Relation& relation);

/// The database whose name is in lock tags; 0 for a shared relation.
uint32_t lock_database(const Relation& relation);

}  // namespace cofork
