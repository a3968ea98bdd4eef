// Deleting a row (heap_delete in heapam.c, 15). See heap.h.
#include "access/combo_command.h"
#include "access/heap.h"
#include "access/heap_change.h"
#include "access/heap_records.h"
#include "access/heap_space.h"
#include "access/row_lock.h"
#include "access/visibility.h"
#include "storage/visibility_map.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/transaction.h"

namespace cofork {

TargetTuple open_target(Relation& relation, const ItemPointer& tid) {
  TargetTuple target;
  target.buffer = read_buffer(relation.file, ForkNumber::kMain, tid.block());
  if (page_is_all_visible(target.buffer.page())) {
    visibility_map_pin(relation.file, tid.block(), target.map_page);
  }
  target.buffer.lock_exclusive();
  point_at(relation, target, tid);
  return target;
}

void point_at(const Relation& relation, TargetTuple& target, const ItemPointer& tid) {
  char* page = target.buffer.page();
  // The caller has seen the version and holds a snapshot that keeps it: pruning cannot have taken
  // its item.
  if (tid.offset > page_item_count(page) || !page_item_id(page, tid.offset).is_normal()) {
    throw Error(sqlstate::kInternalError, "attempted to change a row that is not there: ({},{})",
                tid.block(), tid.offset);
  }
  ItemId id = page_item_id(page, tid.offset);
  target.tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
  target.tuple.length = id.length();
  target.tuple.self = tid;
  target.tuple.table = relation.oid;
}

bool pin_map_page(Relation& relation, TargetTuple& target) {
  BlockNumber block = target.buffer.block();
  if (!page_is_all_visible(target.buffer.page()) ||
      visibility_map_pin_covers(target.map_page, block)) {
    return true;
  }
  target.buffer.unlock();
  visibility_map_pin(relation.file, block, target.map_page);
  target.buffer.lock_exclusive();
  return false;
}

TmResult ended_result(const HeapTuple& tuple) {
  const HeapTupleHeader& header = *tuple.header;
  bool has_next = header.ctid != tuple.self || header.moved_to_other_partition();
  return has_next ? TmResult::kUpdated : TmResult::kDeleted;
}

void fill_failure(const HeapTuple& tuple, TmResult result, TmFailure& failure) {
  const HeapTupleHeader& header = *tuple.header;
  failure.ctid = header.ctid;
  failure.xmax = tuple_update_xid(header);
  failure.cmax = result == TmResult::kSelfModified ? tuple_cmax(header) : kInvalidCommandId;
}

namespace {

/// Somebody is in the way: waits until that is settled. True: look at the row again.
bool wait_before_delete(Relation& relation, TargetTuple& target, TupleQueueLock& queue,
                        TmResult& result) {
  HeapTuple& tuple = target.tuple;
  XmaxSeen seen = see_xmax(*tuple.header);
  RowWait wait{relation, tuple.self, XactWaitContext::Operation::kDelete};
  if ((seen.infomask & kTupleXmaxIsMulti) != 0) {
    bool own_is_member;
    if (multixact_conflicts(seen, LockTupleMode::kExclusive, own_is_member)) {
      target.buffer.unlock();
      // Who is a member already must not queue behind those who wait for it.
      if (!own_is_member) queue.acquire(LockTupleMode::kExclusive);
      wait_for_multixact(seen, MultiXactStatus::kUpdate, wait);
      target.buffer.lock_exclusive();
      if (xmax_has_changed(*tuple.header, seen)) return true;
    }
  } else if (!my_transaction().is_current_xid(seen.xid)) {
    target.buffer.unlock();
    queue.acquire(LockTupleMode::kExclusive);
    wait_for_xid(seen.xid, wait);
    target.buffer.lock_exclusive();
    if (xmax_has_changed(*tuple.header, seen)) return true;
    remember_xmax_end(*tuple.header, target.buffer, seen.xid);
  }
  result = tuple_is_only_locked(*tuple.header) ? TmResult::kOk : ended_result(tuple);
  return false;
}

/// May it be deleted? Waits as long as that is not certain.
TmResult settle_delete(Relation& relation, TargetTuple& target, CommandId command,
                       const Snapshot* crosscheck, bool wait, TupleQueueLock& queue) {
  TmResult result;
  for (;;) {
    if (!pin_map_page(relation, target)) continue;
    result = tuple_update_state(target.tuple, command, target.buffer);
    if (result == TmResult::kInvisible) {
      throw Error(sqlstate::kObjectNotInPrerequisiteState, "attempted to delete invisible tuple");
    }
    if (result != TmResult::kBeingModified || !wait) break;
    if (wait_before_delete(relation, target, queue, result)) continue;
    if (pin_map_page(relation, target)) break;
  }
  if (result == TmResult::kOk && crosscheck != nullptr &&
      !tuple_is_visible(target.tuple, *crosscheck, target.buffer)) {
    result = TmResult::kUpdated;
  }
  return result;
}

}  // namespace

TmResult heap_delete(Relation& relation, const ItemPointer& tid, CommandId command,
                     const Snapshot* crosscheck, bool wait, TmFailure& failure) {
  TransactionId xid = my_transaction().current_xid();
  TargetTuple target = open_target(relation, tid);
  TupleQueueLock queue(relation, tid);
  HeapTuple& tuple = target.tuple;
  TmResult result = settle_delete(relation, target, command, crosscheck, wait, queue);
  if (result != TmResult::kOk) {
    fill_failure(tuple, result, failure);
    target.buffer.release();
    queue.release();
    return result;
  }
  StoredCommand stored = command_for_cmax(*tuple.header, command);
  multixact_set_oldest_member();
  Xmax xmax = add_to_xmax(*tuple.header, xid, LockTupleMode::kExclusive, true);

  CriticalSection critical;
  mark_prunable(target.buffer.page(), xid);
  bool cleared = clear_all_visible(relation, target.buffer, target.map_page);
  HeapTupleHeader& header = *tuple.header;
  store_xmax(header, xmax);
  header.infomask2 = static_cast<uint16_t>(header.infomask2 & ~kTupleHotUpdated);
  set_tuple_cmax(header, stored);
  header.ctid = tid;
  target.buffer.mark_dirty();
  log_delete(relation, target.buffer, tuple, cleared ? kWalDeleteAllVisibleCleared : 0);
  critical.end();

  target.buffer.release();
  queue.release();
  return TmResult::kOk;
}

}  // namespace cofork
