// Replacing a row (heap_update in heapam.c, 15). See heap.h.
//
// The new version goes to the old one's page if it fits there: then, when no indexed column has
// changed, it is a heap-only tuple that index entries reach through the old one (HOT), and nothing
// but this page is touched. Otherwise a page with room must be found, and that may wait; so the old
// version is first locked for real, in its header and in WAL, and its page let go.
#include <algorithm>

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

namespace {

/// Do any of these columns (ascending) differ between the two versions?
bool columns_differ(const Relation& relation, std::span<const int16_t> columns,
                    const HeapTuple& old_tuple, const HeapTuple& new_tuple) {
  const TupleShape& shape = *relation.shape;
  for (int16_t column : columns) {
    bool old_null;
    bool new_null;
    Datum old_value = tuple_column(old_tuple.header, shape, column, old_null);
    Datum new_value = tuple_column(new_tuple.header, shape, column, new_null);
    if (old_null != new_null) return true;
    if (!old_null && !datums_have_same_bytes(shape[column], old_value, new_value)) return true;
  }
  return false;
}

struct Update {
  Relation& relation;
  TargetTuple old;
  HeapTuple& tuple;
  TransactionId xid;
  LockTupleMode mode = LockTupleMode::kExclusive;
  bool key_intact = false;
  bool may_be_hot = false;
  bool lockers_checked = false;  ///< it is known whether lockers remain
  bool locker_remains = false;   ///< and they do: the new version inherits them
  TupleQueueLock queue;

  bool wait_for_others(TmResult& result);
  TmResult settle(CommandId command, const Snapshot* crosscheck, bool wait);
  Xmax inherited_xmax() const;
  void prepare_new_version(CommandId command);
  void lock_old_version(StoredCommand stored);
  Buffer find_room(StoredCommand stored, Buffer& new_map_page);
  void replace(Buffer& target, Buffer& new_map_page, StoredCommand stored);
};

/// True: look at the row again.
bool Update::wait_for_others(TmResult& result) {
  HeapTupleHeader& header = *old.tuple.header;
  XmaxSeen seen = see_xmax(header);
  RowWait wait{relation, old.tuple.self, XactWaitContext::Operation::kUpdate};
  bool can_continue = false;
  if ((seen.infomask & kTupleXmaxIsMulti) != 0) {
    bool own_is_member;
    if (multixact_conflicts(seen, mode, own_is_member)) {
      old.buffer.unlock();
      if (!own_is_member) queue.acquire(mode);
      int remaining = wait_for_multixact(seen, multixact_status_for(mode, true), wait);
      lockers_checked = true;
      locker_remains = remaining != 0;
      old.buffer.lock_exclusive();
      if (xmax_has_changed(header, seen)) return true;
    }
    // What remains may be lockers that do not disturb, or an updater that has ended.
    TransactionId updater = header.mask_is_only_locked() ? kInvalidXid : tuple_update_xid(header);
    can_continue = !xid_is_valid(updater) || xid_did_abort(updater);
  } else if (my_transaction().is_current_xid(seen.xid) ||
             (key_intact && (seen.infomask & kTupleLockMask) == kTupleXmaxKeyShareLock)) {
    // The own lock, or FOR KEY SHARE of somebody whom this update does not concern.
    lockers_checked = true;
    locker_remains = true;
    can_continue = true;
  } else {
    old.buffer.unlock();
    queue.acquire(mode);
    wait_for_xid(seen.xid, wait);
    lockers_checked = true;
    old.buffer.lock_exclusive();
    if (xmax_has_changed(header, seen)) return true;
    remember_xmax_end(header, old.buffer, seen.xid);
    can_continue = header.has_xmax(kTupleXmaxInvalid);
  }
  result = can_continue ? TmResult::kOk : ended_result(old.tuple);
  return false;
}

TmResult Update::settle(CommandId command, const Snapshot* crosscheck, bool wait) {
  TmResult result;
  for (;;) {
    lockers_checked = false;
    locker_remains = false;
    result = tuple_update_state(old.tuple, command, old.buffer);
    if (result == TmResult::kInvisible) {
      throw Error(sqlstate::kObjectNotInPrerequisiteState, "attempted to update invisible tuple");
    }
    if (result == TmResult::kBeingModified && wait && wait_for_others(result)) continue;
    if (result == TmResult::kOk && crosscheck != nullptr &&
        !tuple_is_visible(old.tuple, *crosscheck, old.buffer)) {
      result = TmResult::kUpdated;
    }
    if (result != TmResult::kOk || pin_map_page(relation, old)) return result;
  }
}

/// Whoever locks the old version, and is not disturbed by the update, locks the new one too.
Xmax Update::inherited_xmax() const {
  const HeapTupleHeader& header = *old.tuple.header;
  if (header.has_xmax(kTupleXmaxInvalid) || (lockers_checked && !locker_remains)) {
    return {kInvalidXid, kTupleXmaxInvalid, 0};
  }
  if (header.xmax_is_multi()) return xmax_of_multixact(header.xmax);
  return {header.xmax, kTupleXmaxKeyShareLock | kTupleXmaxLockOnly, 0};
}

void Update::prepare_new_version(CommandId command) {
  Xmax inherited = inherited_xmax();
  HeapTupleHeader& header = *tuple.header;
  header.infomask = static_cast<uint16_t>((header.infomask & ~kTupleVisibilityMask) |
                                          kTupleUpdated | inherited.infomask);
  header.infomask2 =
      static_cast<uint16_t>((header.infomask2 & ~kTupleVisibilityMask2) | inherited.infomask2);
  header.xmin = xid;
  header.xmax = inherited.xid;
  set_tuple_cmin(header, command);
  tuple.table = relation.oid;
}

void Update::lock_old_version(StoredCommand stored) {
  Xmax lock = add_to_xmax(*old.tuple.header, xid, mode, false);
  CriticalSection critical;
  HeapTupleHeader& header = *old.tuple.header;
  header.infomask2 = static_cast<uint16_t>(header.infomask2 & ~kTupleHotUpdated);
  store_xmax(header, lock);
  set_tuple_cmax(header, stored);
  header.ctid = old.tuple.self;
  bool unfrozen =
      page_is_all_visible(old.buffer.page()) &&
      visibility_map_clear(relation.file, old.buffer.block(), old.map_page, kVmAllFrozen);
  old.buffer.mark_dirty();
  log_lock(relation, old.buffer, old.tuple, unfrozen ? kWalLockAllFrozenCleared : 0);
  critical.end();
}

/// The page for the new version: an empty Buffer when it fits the old one's. Afterwards both are
/// exclusively locked.
Buffer Update::find_room(StoredCommand stored, Buffer& new_map_page) {
  if (align8(tuple.length) <= page_heap_free_space(old.buffer.page())) return {};
  check_tuple_size(relation, tuple.length);
  lock_old_version(stored);
  old.buffer.unlock();
  MapPins pins;
  pins.other = std::move(old.map_page);
  Buffer target = page_for_update(relation, tuple.length, old.buffer, pins);
  old.map_page = std::move(pins.other);
  new_map_page = std::move(pins.page);
  return target;
}

void Update::replace(Buffer& target, Buffer& new_map_page, StoredCommand stored) {
  // Room on the page, but only by chance: without it there would have been no HOT update, and the
  // next one should find a page that was pruned.
  bool hot = !target.is_valid() && may_be_hot;
  HeapTupleHeader& header = *old.tuple.header;
  Xmax xmax = add_to_xmax(header, xid, mode, true);
  Buffer& new_buffer = target.is_valid() ? target : old.buffer;

  CriticalSection critical;
  if (target.is_valid()) set_page_flag(old.buffer.page(), kPageFull, true);
  mark_prunable(old.buffer.page(), xid);
  auto with_bit = [](uint16_t word, uint16_t bit, bool on) {
    return static_cast<uint16_t>(on ? word | bit : word & ~bit);
  };
  header.infomask2 = with_bit(header.infomask2, kTupleHotUpdated, hot);
  tuple.header->infomask2 = with_bit(tuple.header->infomask2, kTupleHeapOnly, hot);
  put_tuple(new_buffer, tuple);
  store_xmax(header, xmax);
  set_tuple_cmax(header, stored);
  header.ctid = tuple.self;
  MapCleared cleared;
  cleared.old_page = clear_all_visible(relation, old.buffer, old.map_page);
  if (target.is_valid()) {
    cleared.new_page = clear_all_visible(relation, target, new_map_page);
    target.mark_dirty();
  }
  old.buffer.mark_dirty();
  log_update(relation, old.buffer, old.tuple, target, tuple, cleared);
  critical.end();
}

}  // namespace

TmResult heap_update(Relation& relation, const ItemPointer& old_tid, HeapTuple& tuple,
                     CommandId command, const Snapshot* crosscheck, bool wait, TmFailure& failure,
                     UpdateOutcome& outcome) {
  TransactionId xid = my_transaction().current_xid();
  Update update{.relation = relation,
                .old = open_target(relation, old_tid),
                .tuple = tuple,
                .xid = xid,
                .queue = TupleQueueLock(relation, old_tid)};
  const HeapTuple& old_tuple = update.old.tuple;
  update.may_be_hot = !columns_differ(relation, relation.indexed_columns, old_tuple, tuple);
  // Key columns are indexed columns: what may be HOT has no changed key either.
  update.key_intact =
      update.may_be_hot || !columns_differ(relation, relation.key_columns, old_tuple, tuple);
  if (update.key_intact) {
    update.mode = LockTupleMode::kNoKeyExclusive;
    multixact_set_oldest_member();
  }
  outcome.lock_mode = update.mode;

  TmResult result = update.settle(command, crosscheck, wait);
  if (result != TmResult::kOk) {
    fill_failure(old_tuple, result, failure);
    update.old.buffer.release();
    update.queue.release();
    return result;
  }
  multixact_set_oldest_member();
  update.prepare_new_version(command);
  StoredCommand stored = command_for_cmax(*old_tuple.header, command);
  Buffer new_map_page;
  Buffer target = update.find_room(stored, new_map_page);
  update.replace(target, new_map_page, stored);
  outcome.needs_index_entries = !tuple.header->is_heap_only();

  target.release();
  update.old.buffer.release();
  update.queue.release();
  return TmResult::kOk;
}

}  // namespace cofork
