// See visibility.h. Readers' questions are here; those of writers and vacuum are in
// visibility_change.cc.
#include "access/visibility.h"

#include "access/combo_command.h"
#include "access/relation.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/transaction.h"
#include "wal/write.h"

namespace cofork {

namespace {

/// The inserter has committed, or is the reader: is the version still there for the snapshot?
/// `ended_before` says of another transaction's xid whether its end counts.
bool deleted_for(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (header.has_xmax(kTupleXmaxInvalid) || header.mask_is_only_locked()) return false;
  if (header.xmax_is_multi()) {
    TransactionId updater = tuple_update_xid(header);
    if (is_mine(updater)) return tuple_cmax(header) < snapshot.curcid;
    return !xid_in_snapshot(updater, snapshot) && xid_did_commit(updater);
  }
  if (header.has_xmax(kTupleXmaxCommitted)) return !xid_in_snapshot(header.xmax, snapshot);
  if (is_mine(header.xmax)) return tuple_cmax(header) < snapshot.curcid;
  if (xid_in_snapshot(header.xmax, snapshot)) return false;
  if (!xid_did_commit(header.xmax)) {
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    return false;
  }
  set_tuple_hint(header, buffer, kTupleXmaxCommitted, header.xmax);
  return true;
}

/// The same when the inserter is the reader's own transaction: only it could have deleted.
bool deleted_by_inserter(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (header.has_xmax(kTupleXmaxInvalid) || header.mask_is_only_locked()) return false;
  if (header.xmax_is_multi()) {
    return is_mine(tuple_update_xid(header)) && tuple_cmax(header) < snapshot.curcid;
  }
  if (!is_mine(header.xmax)) {
    // A subtransaction that was rolled back.
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    return false;
  }
  return tuple_cmax(header) < snapshot.curcid;
}

/// Has the inserter's end been settled as committed? Asks the log and remembers the answer. Not for
/// own or running ones.
bool inserter_committed(HeapTupleHeader& header, Buffer& buffer) {
  if (xid_did_commit(header.xmin)) {
    set_tuple_hint(header, buffer, kTupleXminCommitted, header.xmin);
    return true;
  }
  set_tuple_hint(header, buffer, kTupleXminInvalid, kInvalidXid);
  return false;
}

/// kSelf and kDirty: what is committed now and what the own transaction did. With `dirty` the
/// changes of running ones count too, and it learns who they are.
bool is_visible_now(const HeapTuple& tuple, Buffer& buffer, const Snapshot* dirty) {
  HeapTupleHeader& header = *tuple.header;
  if (!header.xmin_is_committed()) {
    if (header.xmin_is_invalid()) return false;
    if (is_mine(header.xmin)) {
      if (header.has_xmax(kTupleXmaxInvalid) || header.mask_is_only_locked()) return true;
      if (header.xmax_is_multi()) return !is_mine(tuple_update_xid(header));
      if (is_mine(header.xmax)) return false;
      set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
      return true;
    }
    if (xid_in_progress(header.xmin)) {
      if (dirty == nullptr) return false;
      dirty->dirty_xmin = header.xmin;
      return true;  // in insertion by another: what it will become is not known
    }
    if (!inserter_committed(header, buffer)) return false;
  }
  if (header.has_xmax(kTupleXmaxInvalid) || header.mask_is_only_locked()) return true;
  if (header.has_xmax(kTupleXmaxCommitted) && !header.xmax_is_multi()) return false;
  TransactionId deleter = header.xmax_is_multi() ? tuple_update_xid(header) : header.xmax.load();
  if (is_mine(deleter)) return false;
  if (xid_in_progress(deleter)) {
    if (dirty != nullptr) dirty->dirty_xmax = deleter;
    return true;
  }
  bool committed = xid_did_commit(deleter);
  if (!header.xmax_is_multi()) {
    if (committed) set_tuple_hint(header, buffer, kTupleXmaxCommitted, deleter);
    if (!committed) set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
  }
  return !committed;
}

/// Only a version that an aborted insertion left is not there for a TOAST pointer.
bool is_visible_toast(const HeapTuple& tuple) {
  return !tuple.header->xmin_is_invalid() && xid_is_valid(tuple.header->xmin);
}

bool is_not_vacuumable(const HeapTuple& tuple, Buffer& buffer) {
  TransactionId dead_after = kInvalidXid;
  VacuumState state = tuple_vacuum_state(tuple, buffer, dead_after);
  if (state == VacuumState::kRecentlyDead) {
    // The widest horizon: right for every relation, if not the sharpest.
    return !xid_is_removable(dead_after, HorizonKind::kShared);
  }
  return state != VacuumState::kDead;
}

}  // namespace

bool tuple_is_visible_mvcc(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (!header.xmin_is_committed()) {
    if (header.xmin_is_invalid()) return false;
    if (is_mine(header.xmin)) {
      if (tuple_cmin(header) >= snapshot.curcid) return false;
      return !deleted_by_inserter(tuple, snapshot, buffer);
    }
    if (xid_in_snapshot(header.xmin, snapshot)) return false;
    if (!inserter_committed(header, buffer)) return false;
  } else if (!header.xmin_is_frozen() && xid_in_snapshot(header.xmin, snapshot)) {
    return false;
  }
  return !deleted_for(tuple, snapshot, buffer);
}

bool tuple_is_visible(const HeapTuple& tuple, const Snapshot& snapshot, Buffer& buffer) {
  switch (snapshot.kind) {
    case SnapshotKind::kMvcc:
      return tuple_is_visible_mvcc(tuple, snapshot, buffer);
    case SnapshotKind::kSelf:
      return is_visible_now(tuple, buffer, nullptr);
    case SnapshotKind::kAny:
      return true;
    case SnapshotKind::kToast:
      return is_visible_toast(tuple);
    case SnapshotKind::kDirty:
      snapshot.dirty_xmin = kInvalidXid;
      snapshot.dirty_xmax = kInvalidXid;
      return is_visible_now(tuple, buffer, &snapshot);
    case SnapshotKind::kNonVacuumable:
      return is_not_vacuumable(tuple, buffer);
  }
  return false;
}

void set_tuple_hint(HeapTupleHeader& header, Buffer& buffer, TupleMask mask, TransactionId xid) {
  if (xid_is_valid(xid)) {
    Lsn commit = xid_commit_lsn(xid);
    // An unlogged table is emptied by a crash: its pages may know more than the log.
    if (commit.value != 0 && wal_flushed() < commit && buffer.lsn() < commit) return;
  }
  header.infomask = static_cast<uint16_t>(header.infomask | mask);
  buffer.mark_dirty_hint();
}

TransactionId tuple_update_xid(const HeapTupleHeader& header) {
  if (!header.xmax_is_multi()) return header.xmax;
  if (header.has_xmax(kTupleXmaxLockOnly)) return kInvalidXid;
  for (const MultiXactMember& member : multixact_members(header.xmax, false)) {
    if (multixact_status_is_update(member.status)) return member.xid;
  }
  return kInvalidXid;
}

bool tuple_is_only_locked(const HeapTupleHeader& header) {
  if (header.has_xmax(kTupleXmaxInvalid) || header.has_xmax(kTupleXmaxLockOnly)) return true;
  if (!xid_is_valid(header.xmax)) return true;
  if (!header.xmax_is_multi()) return false;
  TransactionId updater = tuple_update_xid(header);
  if (is_mine(updater) || xid_in_progress(updater)) return false;
  return !xid_did_commit(updater);  // it aborted or crashed
}

HorizonKind horizon_kind(const Relation& relation) {
  if (relation.is_shared) return HorizonKind::kShared;
  if (relation.is_catalog) return HorizonKind::kCatalog;
  return relation.persistence == 't' ? HorizonKind::kTemp : HorizonKind::kData;
}

}  // namespace cofork
