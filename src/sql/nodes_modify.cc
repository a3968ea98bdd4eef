// See nodes_modify.h.
#include "sql/nodes_modify.h"

#include <fmt/format.h>

#include "catalog/toast.h"
#include "sql/explain.h"
#include "sql/foreign_keys.h"
#include "sql/nodes_lock.h"
#include "sql/planner.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

/// The row's place, as its scan left it in the frame.
ItemPointer place_of(const Execution& execution, const TableRow& row) {
  size_t slot = static_cast<size_t>(row.first_slot()) + row.relation().columns.size();
  return *datum_to_pointer<ItemPointer>(execution.values[slot]);
}

/// What an UPDATE or DELETE that met a changed row does next.
enum class After : uint8_t { kSkip, kRetry };

/// Locks the newest version, shows it in the frame, and looks at the conditions again.
After look_again(Execution& execution, TableRow& row, ItemPointer& place, TmResult result,
                 TmFailure& failure, LockTupleMode mode, CommandId command, Program* recheck,
                 Buffer& latest, Arena& arena) {
  switch (result) {
    case TmResult::kSelfModified:
      // Joined with several rows of FROM: the first one counted.
      if (failure.cmax != command) {
        throw Error(sqlstate::kTriggeredDataChangeViolation,
                    "tuple to be updated was already modified by an operation triggered by the "
                    "current command");
      }
      return After::kSkip;
    case TmResult::kDeleted:
      refuse_concurrent_change(true);
      return After::kSkip;
    case TmResult::kUpdated:
      refuse_concurrent_change(false);
      break;
    default:
      throw Error(sqlstate::kInternalError, "attempted to update invisible tuple");
  }
  HeapTuple tuple;
  tuple.self = place;
  bool moved = false;
  TmResult locked = lock_latest_version(row.relation().access, tuple, command, mode,
                                        LockWaitPolicy::kBlock, latest, failure, moved);
  if (locked != TmResult::kOk) return After::kSkip;
  row.show(execution, tuple);
  place = tuple.self;
  arena.reset();
  bool fits = recheck == nullptr || recheck->test(execution, arena);
  return fits ? After::kRetry : After::kSkip;
}

}  // namespace

std::unique_ptr<ExplainNode> ModifyNode::explain_modification(ExplainContext& context,
                                                              std::string_view operation,
                                                              const RelationDesc& relation,
                                                              const RangeEntry& entry) const {
  auto node = context.node(*this, "ModifyTable");
  node->headline = operation;
  node->add_kind("Operation", operation);
  context.set_table(*node, entry, relation.name, relation.schema_name);
  node->output.clear();
  node->add_child("Outer", context.below(*child), false);
  return node;
}

bool ModifyNode::next(Execution& execution) {
  while (child->next(execution)) {
    execution.task.check_interrupts();
    arena_.reset();
    if (!modify(execution)) continue;
    ++execution.processed;
    if (returning == nullptr) continue;
    returning->run(execution, arena_);
    return true;
  }
  return false;
}

// --- INSERT

InsertNode::InsertNode(Planner& planner, const Modification& modification)
    : modification_(modification), writer_(planner, modification) {
  if (const ConflictAction* conflict = modification.conflict) {
    writer_.set_arbiters(conflict->arbiters);
  }
}

void InsertNode::open(Execution& execution) {
  writer_.open(execution);
  if (existing) existing->open(execution);
  child->open(execution);
}

void InsertNode::close() {
  existing_buffer_.release();
  writer_.close();
}

bool InsertNode::modify(Execution& execution) {
  row->run(execution, arena_);
  writer_.complete(execution, arena_);
  if (modification_.conflict == nullptr) {
    HeapTuple tuple = writer_.form(execution, arena_);
    writer_.insert(execution, tuple, arena_);
    return true;
  }
  for (;;) {
    ItemPointer place;
    if (!writer_.find_conflict(execution, arena_, place)) break;
    if (!modification_.conflict->updates) return false;
    bool retry = false;
    bool counts = update_existing(execution, place, retry);
    if (!retry) return counts;
  }
  HeapTuple tuple = writer_.form(execution, arena_);
  writer_.insert(execution, tuple, arena_);
  return true;
}

bool InsertNode::update_existing(Execution& execution, const ItemPointer& place, bool& retry) {
  RelationDesc& relation = writer_.relation;
  HeapTuple tuple;
  tuple.self = place;
  TmFailure failure;
  TmResult result =
      heap_lock(relation.access, tuple, writer_.command, LockTupleMode::kNoKeyExclusive,
                LockWaitPolicy::kBlock, false, existing_buffer_, failure);
  switch (result) {
    case TmResult::kOk:
      break;
    case TmResult::kInvisible:
      if (my_transaction().is_current_xid(tuple.header->xmin)) {
        throw Error(sqlstate::kCardinalityViolation,
                    "ON CONFLICT DO UPDATE command cannot affect row a second time")
            .hint(
                "Ensure that no rows proposed for insertion within the same command have "
                "duplicate constrained values.");
      }
      throw Error(sqlstate::kInternalError, "attempted to lock invisible tuple");
    case TmResult::kUpdated:
      refuse_concurrent_change(false);
      retry = true;
      return false;
    case TmResult::kDeleted:
      refuse_concurrent_change(true);
      retry = true;
      return false;
    default:
      throw Error(sqlstate::kInternalError, "unexpected state of a row in conflict");
  }
  existing->show(execution, tuple);
  if (conflict_where != nullptr && !conflict_where->test(execution, arena_)) return false;
  conflict_row->run(execution, arena_);
  // From here on the row's slots hold what it becomes.
  int columns = static_cast<int>(relation.columns.size());
  for (int i = 0; i < columns; ++i) {
    execution.values[writer_.first_slot + i] = execution.values[existing->first_slot() + i];
    execution.nulls[writer_.first_slot + i] = execution.nulls[existing->first_slot() + i];
  }
  for (auto [column, slot] : assigned) {
    execution.values[writer_.first_slot + column] = execution.values[slot];
    execution.nulls[writer_.first_slot + column] = execution.nulls[slot];
  }
  writer_.complete(execution, arena_);
  HeapTuple changed = writer_.form(execution, arena_);
  if (writer_.is_long(changed)) writer_.shorten(execution, changed, arena_);
  UpdateOutcome outcome{};
  ItemPointer old_place = tuple.self;
  result = heap_update(relation.access, old_place, changed, writer_.command, nullptr, true, failure,
                       outcome);
  if (result != TmResult::kOk) {
    throw Error(sqlstate::kInternalError, "unexpected state of a locked row");
  }
  delete_toasted(relation, old_place, writer_.command);
  writer_.after_update(execution, changed, outcome.needs_index_entries, arena_);
  writer_.note_change(execution, existing->first_slot(), old_place, changed);
  return true;
}

std::unique_ptr<ExplainNode> InsertNode::explain(ExplainContext& context) const {
  auto node = explain_modification(context, "Insert", writer_.relation, *modification_.row);
  const ConflictAction* conflict = modification_.conflict;
  if (conflict == nullptr) return node;
  node->add("Conflict Resolution", conflict->updates ? "UPDATE" : "NOTHING");
  std::vector<std::string> arbiters;
  for (Oid oid : conflict->arbiters) {
    if (const IndexDesc* index = writer_.relation.find_index(oid)) arbiters.push_back(index->name);
  }
  if (!arbiters.empty()) node->add_list("Conflict Arbiter Indexes", std::move(arbiters));
  if (conflict->where != nullptr) {
    context.add_condition(*node, "Conflict Filter", {&conflict->where, 1}, nullptr);
  }
  return node;
}

// --- UPDATE

UpdateNode::UpdateNode(Planner& planner, const Modification& modification)
    : modification_(modification),
      old_row_(*modification.relation, *modification.old_row),
      writer_(planner, modification) {}

void UpdateNode::open(Execution& execution) {
  writer_.open(execution);
  old_row_.open(execution);
  child->open(execution);
}

void UpdateNode::close() {
  latest_.release();
  writer_.close();
}

void UpdateNode::make_row(Execution& execution) {
  int from = old_row_.first_slot(), to = writer_.first_slot;
  for (int column : copied) {
    execution.values[to + column] = execution.values[from + column];
    execution.nulls[to + column] = execution.nulls[from + column];
  }
  assignments->run(execution, arena_);
  writer_.complete(execution, arena_);
}

bool UpdateNode::modify(Execution& execution) {
  ItemPointer place = place_of(execution, old_row_);
  for (;;) {
    make_row(execution);
    HeapTuple tuple = writer_.form(execution, arena_);
    TmFailure failure;
    UpdateOutcome outcome{};
    TmResult result = TmResult::kOk;
    if (writer_.is_long(tuple)) {
      // Locked first: what is moved out is there for good, so it must not be done in vain.
      HeapTuple old;
      old.self = place;
      result =
          heap_lock(writer_.relation.access, old, writer_.command, LockTupleMode::kNoKeyExclusive,
                    LockWaitPolicy::kBlock, false, latest_, failure);
      if (result == TmResult::kOk) writer_.shorten(execution, tuple, arena_);
    }
    if (result == TmResult::kOk) {
      result = heap_update(writer_.relation.access, place, tuple, writer_.command, nullptr, true,
                           failure, outcome);
    }
    if (result == TmResult::kOk) {
      delete_toasted(writer_.relation, place, writer_.command);
      writer_.after_update(execution, tuple, outcome.needs_index_entries, arena_);
      writer_.note_change(execution, old_row_.first_slot(), place, tuple);
      return true;
    }
    After after =
        look_again(execution, old_row_, place, result, failure, LockTupleMode::kNoKeyExclusive,
                   writer_.command, recheck, latest_, arena_);
    if (after == After::kSkip) return false;
  }
}

std::unique_ptr<ExplainNode> UpdateNode::explain(ExplainContext& context) const {
  return explain_modification(context, "Update", writer_.relation, *modification_.old_row);
}

// --- DELETE

DeleteNode::DeleteNode(const Modification& modification)
    : modification_(modification),
      old_row_(*modification.relation, *modification.old_row),
      has_foreign_keys_(ForeignKeyQueue::concerns(*modification.relation)) {}

void DeleteNode::open(Execution& execution) {
  command_ = my_transaction().current_command(true);
  old_row_.open(execution);
  child->open(execution);
}

void DeleteNode::close() {
  latest_.release();
}

bool DeleteNode::modify(Execution& execution) {
  ItemPointer place = place_of(execution, old_row_);
  for (;;) {
    TmFailure failure;
    TmResult result =
        heap_delete(modification_.relation->access, place, command_, nullptr, true, failure);
    if (result == TmResult::kOk) {
      delete_toasted(*modification_.relation, place, command_);
      if (has_foreign_keys_) {
        foreign_key_queue(execution)->note(execution, *modification_.relation,
                                           old_row_.first_slot(), -1, place, {});
      }
      return true;
    }
    After after = look_again(execution, old_row_, place, result, failure, LockTupleMode::kExclusive,
                             command_, recheck, latest_, arena_);
    if (after == After::kSkip) return false;
  }
}

std::unique_ptr<ExplainNode> DeleteNode::explain(ExplainContext& context) const {
  return explain_modification(context, "Delete", *modification_.relation, *modification_.old_row);
}

}  // namespace cofork
