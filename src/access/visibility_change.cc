// Visibility for those who change rows or clean up after them. See visibility.h.
#include "access/combo_command.h"
#include "access/heap.h"
#include "access/visibility.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// Deleted or updated for good: is there a newer version?
TmResult updated_or_deleted(const HeapTuple& tuple) {
  return tuple.self == tuple.header->ctid ? TmResult::kDeleted : TmResult::kUpdated;
}

/// The own transaction has deleted or updated it, in this command or before.
TmResult ended_by_me(const HeapTupleHeader& header, CommandId command) {
  return tuple_cmax(header) >= command ? TmResult::kSelfModified : TmResult::kInvisible;
}

/// A version the own transaction made.
TmResult update_state_of_mine(const HeapTuple& tuple, CommandId command, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (tuple_cmin(header) >= command) return TmResult::kInvisible;
  if (header.has_xmax(kTupleXmaxInvalid)) return TmResult::kOk;
  if (header.mask_is_only_locked()) {
    // Others may hold key-share locks on what they cannot see: through foreign keys.
    bool runs = header.xmax_is_multi() ? multixact_is_running(header.xmax, true)
                                       : xid_in_progress(header.xmax);
    return runs ? TmResult::kBeingModified : TmResult::kOk;
  }
  if (header.xmax_is_multi()) {
    if (is_mine(tuple_update_xid(header))) return ended_by_me(header, command);
    // The updating subtransaction was rolled back; lockers may remain.
    return multixact_is_running(header.xmax, false) ? TmResult::kBeingModified : TmResult::kOk;
  }
  if (!is_mine(header.xmax)) {
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    return TmResult::kOk;
  }
  return ended_by_me(header, command);
}

/// A committed version whose xmax is a multixact.
TmResult update_state_of_multi(const HeapTuple& tuple, CommandId command, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (header.mask_is_only_locked()) {
    if (multixact_is_running(header.xmax, true)) return TmResult::kBeingModified;
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    return TmResult::kOk;
  }
  TransactionId updater = tuple_update_xid(header);
  if (xid_is_valid(updater)) {
    if (is_mine(updater)) return ended_by_me(header, command);
    if (xid_in_progress(updater)) return TmResult::kBeingModified;
    if (xid_did_commit(updater)) return updated_or_deleted(tuple);
  }
  // The updater aborted: what remains are lockers, if they still run.
  if (multixact_is_running(header.xmax, false)) return TmResult::kBeingModified;
  set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
  return TmResult::kOk;
}

}  // namespace

TmResult tuple_update_state(const HeapTuple& tuple, CommandId command, Buffer& buffer) {
  HeapTupleHeader& header = *tuple.header;
  if (!header.xmin_is_committed()) {
    if (header.xmin_is_invalid()) return TmResult::kInvisible;
    if (is_mine(header.xmin)) return update_state_of_mine(tuple, command, buffer);
    if (xid_in_progress(header.xmin)) return TmResult::kInvisible;
    if (!xid_did_commit(header.xmin)) {
      set_tuple_hint(header, buffer, kTupleXminInvalid, kInvalidXid);
      return TmResult::kInvisible;
    }
    set_tuple_hint(header, buffer, kTupleXminCommitted, header.xmin);
  }
  if (header.has_xmax(kTupleXmaxInvalid)) return TmResult::kOk;
  if (header.has_xmax(kTupleXmaxCommitted)) {
    return header.mask_is_only_locked() ? TmResult::kOk : updated_or_deleted(tuple);
  }
  if (header.xmax_is_multi()) return update_state_of_multi(tuple, command, buffer);
  if (is_mine(header.xmax)) {
    return header.mask_is_only_locked() ? TmResult::kBeingModified : ended_by_me(header, command);
  }
  if (xid_in_progress(header.xmax)) return TmResult::kBeingModified;
  if (!xid_did_commit(header.xmax) || header.mask_is_only_locked()) {
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    return TmResult::kOk;
  }
  set_tuple_hint(header, buffer, kTupleXmaxCommitted, header.xmax);
  return updated_or_deleted(tuple);
}

namespace {

/// Not settled as committed yet. True: the answer is in `state`.
bool state_by_inserter(HeapTupleHeader& header, Buffer& buffer, VacuumState& state) {
  state = VacuumState::kDead;
  if (header.xmin_is_invalid()) return true;
  if (is_mine(header.xmin)) {
    bool deleted = !header.has_xmax(kTupleXmaxInvalid) && !tuple_is_only_locked(header) &&
                   is_mine(tuple_update_xid(header));
    state = deleted ? VacuumState::kDeleteInProgress : VacuumState::kInsertInProgress;
    return true;
  }
  if (xid_in_progress(header.xmin)) {
    // Its deleter can only be itself: still an insertion as far as others can tell.
    state = VacuumState::kInsertInProgress;
    return true;
  }
  if (!xid_did_commit(header.xmin)) {
    set_tuple_hint(header, buffer, kTupleXminInvalid, kInvalidXid);
    return true;
  }
  set_tuple_hint(header, buffer, kTupleXminCommitted, header.xmin);
  return false;
}

VacuumState state_by_multi(HeapTupleHeader& header, Buffer& buffer, TransactionId& dead_after) {
  TransactionId updater = tuple_update_xid(header);
  if (xid_in_progress(updater)) return VacuumState::kDeleteInProgress;
  if (xid_did_commit(updater)) {
    // Members that still lock the newer version do not keep this one.
    dead_after = updater;
    return VacuumState::kRecentlyDead;
  }
  if (!multixact_is_running(header.xmax, false)) {
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
  }
  return VacuumState::kLive;
}

}  // namespace

VacuumState tuple_vacuum_state(const HeapTuple& tuple, Buffer& buffer, TransactionId& dead_after) {
  HeapTupleHeader& header = *tuple.header;
  dead_after = kInvalidXid;
  VacuumState state;
  if (!header.xmin_is_committed() && state_by_inserter(header, buffer, state)) return state;
  if (header.has_xmax(kTupleXmaxInvalid)) return VacuumState::kLive;
  if (header.mask_is_only_locked()) {
    if (!header.has_xmax(kTupleXmaxCommitted)) {
      bool runs = header.xmax_is_multi() ? multixact_is_running(header.xmax, true)
                                         : xid_in_progress(header.xmax);
      if (!runs) set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
    }
    return VacuumState::kLive;
  }
  if (header.xmax_is_multi()) return state_by_multi(header, buffer, dead_after);
  if (!header.has_xmax(kTupleXmaxCommitted)) {
    if (xid_in_progress(header.xmax)) return VacuumState::kDeleteInProgress;
    if (!xid_did_commit(header.xmax)) {
      set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
      return VacuumState::kLive;
    }
    set_tuple_hint(header, buffer, kTupleXmaxCommitted, header.xmax);
  }
  dead_after = header.xmax;
  return VacuumState::kRecentlyDead;
}

VacuumState tuple_vacuum_state_before(const HeapTuple& tuple, TransactionId oldest_xmin,
                                      Buffer& buffer) {
  TransactionId dead_after;
  VacuumState state = tuple_vacuum_state(tuple, buffer, dead_after);
  bool is_old = state == VacuumState::kRecentlyDead && xid_precedes(dead_after, oldest_xmin);
  return is_old ? VacuumState::kDead : state;
}

bool tuple_is_surely_dead(const HeapTupleHeader& header, HorizonKind kind) {
  if (!header.xmin_is_committed()) return header.xmin_is_invalid();
  if (header.has_xmax(kTupleXmaxInvalid) || header.mask_is_only_locked()) return false;
  if (header.xmax_is_multi() || !header.has_xmax(kTupleXmaxCommitted)) return false;
  return xid_is_removable(header.xmax, kind);
}

}  // namespace cofork
