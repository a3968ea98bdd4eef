// See heap_lock_chain.h.
#include "access/heap_lock_chain.h"

#include "access/heap_change.h"
#include "access/heap_records.h"
#include "access/row_lock.h"
#include "access/visibility.h"
#include "model/task.h"
#include "storage/visibility_map.h"
#include "txn/commit_log.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// What stands in the way of a lock on a version in the chain.
struct Obstacle {
  TmResult result = TmResult::kOk;  ///< kSelfModified: locked by the own transaction already
  TransactionId wait_for = kInvalidXid;
};

/// (test_lockmode_for_conflict)
Obstacle look_at_holder(const HeapTuple& tuple, TransactionId xid, MultiXactStatus status,
                        LockTupleMode mode) {
  if (my_transaction().is_current_xid(xid)) return {TmResult::kSelfModified};
  bool conflicts = row_locks_conflict(lock_mode_of(status), mode);
  if (xid_in_progress(xid)) return {TmResult::kOk, conflicts ? xid : kInvalidXid};
  if (!multixact_status_is_update(status) || !conflicts || !xid_did_commit(xid)) return {};
  return {ended_result(tuple)};
}

Obstacle look_at_holders(const HeapTuple& tuple, LockTupleMode mode) {
  const HeapTupleHeader& header = *tuple.header;
  if (header.has_xmax(kTupleXmaxInvalid)) return {};
  if (!header.xmax_is_multi()) {
    return look_at_holder(tuple, header.xmax, status_of_xmax(header), mode);
  }
  for (const MultiXactMember& member :
       multixact_members(header.xmax, header.mask_is_only_locked())) {
    Obstacle found = look_at_holder(tuple, member.xid, member.status, mode);
    if (found.result != TmResult::kOk || xid_is_valid(found.wait_for)) return found;
  }
  return {};
}

void lock_version(Relation& relation, TargetTuple& target, TransactionId xid, LockTupleMode mode) {
  Xmax xmax = add_to_xmax(*target.tuple.header, xid, mode, false);
  CriticalSection critical;
  bool unfrozen =
      page_is_all_visible(target.buffer.page()) &&
      visibility_map_clear(relation.file, target.buffer.block(), target.map_page, kVmAllFrozen);
  store_xmax(*target.tuple.header, xmax);
  target.buffer.mark_dirty();
  log_lock_updated(relation, target.buffer, target.tuple, unfrozen ? kWalLockAllFrozenCleared : 0);
  critical.end();
}

/// False: it has been vacuumed away.
bool find_version(const Relation& relation, TargetTuple& target, const ItemPointer& tid) {
  char* page = target.buffer.page();
  if (tid.offset == kInvalidOffset || tid.offset > page_item_count(page)) return false;
  if (!page_item_id(page, tid.offset).is_normal()) return false;
  point_at(relation, target, tid);
  return true;
}

}  // namespace

TmResult lock_newer_versions(Relation& relation, const ItemPointer& tid, const ItemPointer& next,
                             LockTupleMode mode) {
  HeapTupleHeader end_mark{};
  end_mark.ctid = next;
  if (next == tid || end_mark.moved_to_other_partition()) return TmResult::kOk;
  multixact_set_oldest_member();
  TransactionId xid = my_transaction().current_xid();
  TransactionId prior_xmax = kInvalidXid;
  ItemPointer at = next;
  TargetTuple target;
  for (;;) {
    this_task().check_interrupts();
    if (!target.buffer.is_valid() || target.buffer.block() != at.block()) {
      if (at.block() >= relation_blocks(relation.file, ForkNumber::kMain)) return TmResult::kOk;
      target.buffer = read_buffer(relation.file, ForkNumber::kMain, at.block());
    }
    target.buffer.lock_exclusive();
    while (!pin_map_page(relation, target)) {
    }
    if (!find_version(relation, target, at)) return TmResult::kOk;
    const HeapTupleHeader& header = *target.tuple.header;
    // Another row has the place now, or the update failed: the chain ended before.
    if (xid_is_valid(prior_xmax) && header.effective_xmin() != prior_xmax) return TmResult::kOk;
    if (xid_did_abort(header.xmin)) return TmResult::kOk;
    Obstacle found = look_at_holders(target.tuple, mode);
    if (xid_is_valid(found.wait_for)) {
      target.buffer.unlock();
      wait_for_xid(found.wait_for, {relation, at, XactWaitContext::Operation::kLockUpdated});
      continue;
    }
    if (found.result != TmResult::kOk && found.result != TmResult::kSelfModified) {
      return found.result;
    }
    if (found.result == TmResult::kOk) lock_version(relation, target, xid, mode);
    bool is_last = header.has_xmax(kTupleXmaxInvalid) || header.moved_to_other_partition() ||
                   header.ctid == at || tuple_is_only_locked(header);
    if (is_last) return TmResult::kOk;
    prior_xmax = tuple_update_xid(header);
    at = header.ctid;
    target.buffer.unlock();
  }
}

}  // namespace cofork
