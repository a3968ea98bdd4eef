// See nodes_lock.h.
#include "sql/nodes_lock.h"

#include "access/visibility.h"
#include "sql/explain.h"
#include "support/error.h"
#include "txn/lock_manager.h"
#include "txn/transaction.h"

namespace cofork {

void refuse_concurrent_change(bool was_delete) {
  if (!my_transaction().uses_one_snapshot()) return;
  throw Error(sqlstate::kTRSerializationFailure, "could not serialize access due to concurrent {}",
              was_delete ? "delete" : "update");
}

namespace {

enum class ChainEnd : uint8_t { kFound, kGone, kOwn, kWouldBlock };

/// Goes along the chain of versions from `tuple.self` to one that no running transaction is
/// changing. `expected_xmin`: who must have made it, else the place holds another row now.
ChainEnd follow_chain(Relation& relation, HeapTuple& tuple, TransactionId expected_xmin,
                      CommandId command, LockWaitPolicy policy) {
  Snapshot dirty = snapshot_of(SnapshotKind::kDirty);
  for (;;) {
    Buffer buffer;
    ItemPointer place = tuple.self;
    bool visible = heap_fetch(relation, dirty, tuple, buffer, true);
    if (tuple.header == nullptr) return ChainEnd::kGone;
    if (tuple.header->xmin != expected_xmin) return ChainEnd::kGone;
    if (visible) {
      if (TransactionId other = dirty.dirty_xmax; other != kInvalidXid) {
        buffer.release();
        if (policy == LockWaitPolicy::kSkip && !xact_lock_try(other)) return ChainEnd::kWouldBlock;
        if (policy == LockWaitPolicy::kError && !xact_lock_try(other)) {
          throw Error(sqlstate::kLockNotAvailable,
                      "could not obtain lock on row in relation \"{}\"", relation.name);
        }
        if (policy == LockWaitPolicy::kBlock) {
          xact_lock_wait(other, {XactWaitContext::Operation::kFetchUpdated, relation.name.c_str(),
                                 place.block(), place.offset});
        }
        tuple.self = place;
        continue;
      }
      bool own =
          my_transaction().is_current_xid(tuple.header->xmin) && tuple.header->command >= command;
      tuple.self = place;
      return own ? ChainEnd::kOwn : ChainEnd::kFound;
    }
    if (tuple.header->ctid == place) return ChainEnd::kGone;
    expected_xmin = tuple_update_xid(*tuple.header);
    tuple.self = tuple.header->ctid;
  }
}

}  // namespace

TmResult lock_latest_version(Relation& relation, HeapTuple& tuple, CommandId command,
                             LockTupleMode mode, LockWaitPolicy policy, Buffer& buffer,
                             TmFailure& failure, bool& moved) {
  moved = false;
  for (;;) {
    ItemPointer place = tuple.self;
    TmResult result = heap_lock(relation, tuple, command, mode, policy, false, buffer, failure);
    if (result != TmResult::kUpdated) return result;
    refuse_concurrent_change(false);
    buffer.release();
    if (failure.ctid == place) return TmResult::kDeleted;
    tuple.self = failure.ctid;
    moved = true;
    switch (follow_chain(relation, tuple, failure.xmax, command, policy)) {
      case ChainEnd::kGone:
        return TmResult::kDeleted;
      case ChainEnd::kOwn:
        return TmResult::kSelfModified;
      case ChainEnd::kWouldBlock:
        return TmResult::kWouldBlock;
      case ChainEnd::kFound:
        break;
    }
  }
}

// --- SELECT FOR UPDATE

LockRowsNode::Locked::Locked(RelationDesc& relation, const RangeEntry& entry)
    : row(relation, entry),
      ctid_slot(entry.first_slot + static_cast<int>(entry.columns.size())),
      mode(entry.row_lock == RowLockStrength::kKeyShare      ? LockTupleMode::kKeyShare
           : entry.row_lock == RowLockStrength::kShare       ? LockTupleMode::kShare
           : entry.row_lock == RowLockStrength::kNoKeyUpdate ? LockTupleMode::kNoKeyExclusive
                                                             : LockTupleMode::kExclusive),
      policy(entry.row_lock_wait == RowLockWait::kSkip    ? LockWaitPolicy::kSkip
             : entry.row_lock_wait == RowLockWait::kError ? LockWaitPolicy::kError
                                                          : LockWaitPolicy::kBlock) {}

void LockRowsNode::add(RelationDesc& relation, const RangeEntry& entry) {
  locked_.push_back(std::make_unique<Locked>(relation, entry));
}

void LockRowsNode::open(Execution& execution) {
  child_->open(execution);
  for (auto& locked : locked_) locked->row.open(execution);
}

bool LockRowsNode::lock(Execution& execution, Locked& locked, bool& moved) {
  if (execution.nulls[locked.ctid_slot]) return true;  // the inner side of an outer join
  HeapTuple tuple;
  tuple.self = *datum_to_pointer<ItemPointer>(execution.values[locked.ctid_slot]);
  TmFailure failure;
  bool newer = false;
  TmResult result =
      lock_latest_version(locked.row.relation().access, tuple, execution.snapshot->curcid,
                          locked.mode, locked.policy, locked.buffer, failure, newer);
  switch (result) {
    case TmResult::kOk:
      break;
    case TmResult::kDeleted:
      refuse_concurrent_change(true);
      return false;
    case TmResult::kInvisible:
      throw Error(sqlstate::kInternalError, "attempted to lock invisible tuple");
    default:
      return false;
  }
  if (newer) {
    moved = true;
    locked.row.show(execution, tuple);
  }
  return true;
}

bool LockRowsNode::next(Execution& execution) {
  while (child_->next(execution)) {
    bool moved = false, all = true;
    for (auto& locked : locked_) {
      all = lock(execution, *locked, moved);
      if (!all) break;
    }
    if (!all) continue;
    arena_.reset();
    if (moved && recheck != nullptr && !recheck->test(execution, arena_)) continue;
    if (moved && projection != nullptr) projection->run(execution, arena_);
    return true;
  }
  return false;
}

void LockRowsNode::close() {
  for (auto& locked : locked_) locked->buffer.release();
}

std::unique_ptr<ExplainNode> LockRowsNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "LockRows");
  node->add_child("Outer", context.below(*child_));
  return node;
}

}  // namespace cofork
