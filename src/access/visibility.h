// Visibility: which row versions exist for whom (heapam_visibility.c, 15).
//
// The question is answered from the tuple's header alone, in this order, and the order matters:
//   hint bits · is it my own transaction? · was it running when the snapshot was taken? · commit
//   log
// A transaction sets its bits in the commit log before it leaves the list of running ones; asking
// the log first could see a commit that the snapshot must not.
//
// What the commit log said is written back into the tuple as hint bits, under whatever lock the
// caller holds. A commit that is not yet on disk (synchronous_commit off) must not be remembered on
// a page that could reach the disk before it, unless the page waits for that WAL anyway.
//
// The caller holds a pin and at least a shared lock on the buffer. All functions may wait: the
// commit log is on disk.
#pragma once

#include "access/tuple.h"
#include "storage/buffer_pool.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"

namespace cofork {

enum class TmResult : uint8_t;

/// Of this task's transaction, its live subtransactions included
/// (TransactionIdIsCurrentTransactionId).
inline bool is_mine(TransactionId xid) {
  return my_transaction().is_current_xid(xid);
}

/// Is the version visible to the snapshot, whatever its kind? (HeapTupleSatisfiesVisibility) A
/// dirty snapshot's results are filled in.
bool tuple_is_visible(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer);
/// The same for kMvcc alone, without the way there.
bool tuple_is_visible_mvcc(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer);

/// May the version be updated, deleted or locked by command `command`?
/// (HeapTupleSatisfiesUpdate)
TmResult tuple_update_state(const HeapTuple& tuple, CommandId command, Buffer& buffer);

/// What vacuum and pruning see in a version (HTSV_Result).
enum class VacuumState : uint8_t {
  kDead,              ///< nobody can see it
  kLive,              ///< committed, not deleted
  kRecentlyDead,      ///< deleted, but somebody may still see it
  kInsertInProgress,  ///< its inserter is running
  kDeleteInProgress,  ///< its deleter is running
};
/// With kRecentlyDead, `dead_after` is the deleter: once that is older than every snapshot the
/// version is dead. (HeapTupleSatisfiesVacuumHorizon)
VacuumState tuple_vacuum_state(const HeapTuple& tuple, Buffer& buffer, TransactionId& dead_after);
/// The same, judged by a fixed horizon (HeapTupleSatisfiesVacuum).
VacuumState tuple_vacuum_state_before(const HeapTuple& tuple, TransactionId oldest_xmin,
                                      Buffer& buffer);
/// Dead to everybody by the hint bits alone: cheap, and often enough wrong in saying no
/// (HeapTupleIsSurelyDead).
bool tuple_is_surely_dead(const HeapTupleHeader& header, HorizonKind kind);

/// Whoever updated or deleted it, out of a multixact if need be; 0: nobody, only lockers
/// (HeapTupleHeaderGetUpdateXid). xmax must be valid.
TransactionId tuple_update_xid(const HeapTupleHeader& header);
/// Only locked, also when an updating member of its multixact has aborted
/// (HeapTupleHeaderIsOnlyLocked).
bool tuple_is_only_locked(const HeapTupleHeader& header);

/// Remembers how a transaction ended: `mask` is one of kTupleXminCommitted, kTupleXminInvalid,
/// kTupleXmaxCommitted, kTupleXmaxInvalid; `xid` the one that committed, 0 for one that did not
/// (HeapTupleSetHintBits).
void set_tuple_hint(HeapTupleHeader& header, Buffer& buffer, TupleMask mask, TransactionId xid);

/// Which horizon the versions of a relation follow (GlobalVisHorizonKindForRel).
struct Relation;
HorizonKind horizon_kind(const Relation& relation);

}  // namespace cofork
