// Rows into a table: constraints, the heap, the indexes. See nodes_modify.h.
#include <fmt/format.h>

#include <algorithm>

#include "catalog/names.h"
#include "catalog/toast.h"
#include "sql/foreign_keys.h"
#include "sql/nodes_modify.h"
#include "sql/planner.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

/// At most 64 bytes of a value, cut where a character ends.
void append_clipped(std::string& text, std::string_view value) {
  constexpr size_t kLongest = 64;
  if (value.size() <= kLongest) {
    text += value;
    return;
  }
  size_t end = kLongest;
  while (end > 0 && (static_cast<uint8_t>(value[end]) & 0xC0) == 0x80) --end;
  text += value.substr(0, end);
  text += "...";
}

std::string value_text(const EvalContext& context, Oid type, Datum value) {
  Arena arena;
  EvalContext own = context;
  own.arena = &arena;
  std::string text;
  find_type(type)->to_text(own, value, text);
  return text;
}

Error& at_table(Error& error, const RelationDesc& relation) {
  error.data().schema_name = relation.schema_name;
  error.data().table_name = relation.name;
  return error;
}

}  // namespace

std::string describe_row(Execution& execution, const RelationDesc& relation, int first_slot) {
  std::string text = "(";
  for (const ColumnDesc& column : relation.columns) {
    if (column.dropped) continue;
    if (text.size() > 1) text += ", ";
    int slot = first_slot + column.number - 1;
    if (execution.nulls[slot]) {
      text += "null";
    } else {
      append_clipped(text, value_text(execution.context, column.type, execution.values[slot]));
    }
  }
  return text + ")";
}

std::string describe_key(const EvalContext& context, const RelationDesc& relation,
                         const IndexDesc& index, const Datum* values, const bool* nulls) {
  std::string names, texts;
  size_t expression = 0;
  for (int i = 0; i < index.key_count; ++i) {
    if (i > 0) {
      names += ", ";
      texts += ", ";
    }
    int16_t number = index.columns[static_cast<size_t>(i)];
    Oid type = index.shape.tuple[i].type;
    if (number == 0) {
      names += index.expressions[expression++];
    } else {
      names += quote_identifier(relation.columns[static_cast<size_t>(number - 1)].name);
    }
    texts += nulls[i] ? std::string("null") : value_text(context, type, values[i]);
  }
  return fmt::format("({})=({})", names, texts);
}

TableWriter::TableWriter(Planner& planner, const Modification& modification)
    : relation(*modification.relation),
      first_slot(modification.row->first_slot),
      has_foreign_keys_(ForeignKeyQueue::concerns(relation)) {
  for (const ColumnDesc& column : relation.columns) {
    if (column.not_null && !column.dropped) not_null_.push_back(column.number - 1);
  }
  for (const CheckedConstraint& check : modification.checks) {
    checks_.push_back({check.name, planner.compile(*check.condition)});
  }
  for (const Target& target : modification.generated) {
    generated_.emplace_back(target.table_column - 1, planner.compile(*target.expr));
  }
  size_t widest = 1;
  for (const auto& index : relation.indexes) {
    if (!index->ready) continue;
    MaintainedIndex maintained;
    maintained.index = index.get();
    for (const IndexedExpressions& indexed : modification.indexed) {
      if (indexed.index != index->oid) continue;
      for (const Expr* e : indexed.expressions) {
        maintained.expressions.push_back(planner.compile(*e));
      }
      if (indexed.predicate != nullptr) maintained.predicate = planner.compile(*indexed.predicate);
    }
    widest = std::max(widest, index->columns.size());
    indexes_.push_back(std::move(maintained));
  }
  key_values_.resize(widest);
  key_nulls_ = std::make_unique<bool[]>(widest);
  const List<bool>& used = modification.row->used;
  bool wants_system = false;
  for (size_t i = relation.columns.size(); i < used.size(); ++i) wants_system |= used[i];
  if (wants_system) shown_.emplace(relation, *modification.row);
}

void TableWriter::set_arbiters(std::span<const Oid> arbiters) {
  for (MaintainedIndex& index : indexes_) {
    index.is_arbiter =
        index.index->unique &&
        (arbiters.empty() || std::ranges::find(arbiters, index.index->oid) != arbiters.end());
  }
}

void TableWriter::open(Execution& execution) {
  command = my_transaction().current_command(true);
  if (!indexes_.empty() && !table_) table_.emplace(relation.access);
  size_t system = static_cast<size_t>(first_slot) + relation.columns.size();
  std::fill_n(execution.nulls + system, kSystemColumns, false);
}

void TableWriter::close() {
  table_.reset();
}

void TableWriter::complete(Execution& execution, Arena& arena) {
  for (auto& [column, program] : generated_) {
    program->run(execution, arena);
    execution.values[first_slot + column] = execution.values[program->result];
    execution.nulls[first_slot + column] = execution.nulls[program->result];
  }
  for (int column : not_null_) {
    if (!execution.nulls[first_slot + column]) [[likely]]
      continue;
    const ColumnDesc& desc = relation.columns[static_cast<size_t>(column)];
    Error error(sqlstate::kNotNullViolation,
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                desc.name, relation.name);
    error.data().detail =
        fmt::format("Failing row contains {}.", describe_row(execution, relation, first_slot));
    error.data().column_name = desc.name;
    throw std::move(at_table(error, relation));
  }
  for (const Check& check : checks_) {
    check.condition->run(execution, arena);
    int slot = check.condition->result;
    if (execution.nulls[slot] || datum_to_bool(execution.values[slot])) continue;
    Error error(sqlstate::kCheckViolation,
                "new row for relation \"{}\" violates check constraint \"{}\"", relation.name,
                check.name);
    error.data().detail =
        fmt::format("Failing row contains {}.", describe_row(execution, relation, first_slot));
    error.data().constraint_name = check.name;
    throw std::move(at_table(error, relation));
  }
}

HeapTuple TableWriter::form(Execution& execution, Arena& arena) {
  return form_tuple(relation.shape, execution.values + first_slot, execution.nulls + first_slot,
                    arena);
}

void TableWriter::shorten(Execution& execution, HeapTuple& tuple, Arena& arena) {
  toast_tuple(relation, execution.values + first_slot, execution.nulls + first_slot, tuple, command,
              arena);
}

void TableWriter::insert(Execution& execution, HeapTuple& tuple, Arena& arena, uint32_t options,
                         BulkInsert* bulk) {
  if (is_long(tuple)) shorten(execution, tuple, arena);
  heap_insert(relation.access, tuple, command, options, bulk);
  enter_indexes(execution, tuple, arena);
  note_change(execution, -1, {}, tuple);
}

void TableWriter::note_change(Execution& execution, int old_slot, const ItemPointer& old_place,
                              const HeapTuple& tuple) {
  if (!has_foreign_keys_) return;
  foreign_key_queue(execution)->note(execution, relation, old_slot, first_slot, old_place,
                                     tuple.self);
}

bool TableWriter::index_row(Execution& execution, const MaintainedIndex& index, Arena& arena) {
  if (index.predicate != nullptr && !index.predicate->test(execution, arena)) return false;
  size_t expression = 0;
  const std::vector<int16_t>& columns = index.index->columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    int slot = first_slot + columns[i] - 1;
    if (columns[i] == 0) {
      const Program* program = index.expressions[expression++];
      program->run(execution, arena);
      slot = program->result;
    }
    key_values_[i] = execution.values[slot];
    key_nulls_[i] = execution.nulls[slot];
  }
  return true;
}

void TableWriter::duplicate(Execution& execution, const IndexDesc& index) {
  Error error(sqlstate::kUniqueViolation, "duplicate key value violates unique constraint \"{}\"",
              index.name);
  error.data().detail = fmt::format(
      "Key {} already exists.",
      describe_key(execution.context, relation, index, key_values_.data(), key_nulls_.get()));
  error.data().constraint_name = index.name;
  throw std::move(at_table(error, relation));
}

void TableWriter::after_update(Execution& execution, const HeapTuple& tuple, bool needs_entries,
                               Arena& arena) {
  if (needs_entries) {
    enter_indexes(execution, tuple, arena);
  } else if (shown_) {
    shown_->show_system(execution, tuple);
  }
}

void TableWriter::enter_indexes(Execution& execution, const HeapTuple& tuple, Arena& arena) {
  if (shown_) shown_->show_system(execution, tuple);
  for (const MaintainedIndex& index : indexes_) {
    if (!index_row(execution, index, arena)) continue;
    UniqueCheck check = index.index->unique ? UniqueCheck::kYes : UniqueCheck::kNo;
    BtreeInserted inserted = btree_insert(index.index->btree, key_values_.data(), key_nulls_.get(),
                                          tuple.self, check, *table_);
    if (!inserted.is_unique) duplicate(execution, *index.index);
  }
}

bool TableWriter::find_conflict(Execution& execution, Arena& arena, ItemPointer& conflict) {
  for (const MaintainedIndex& index : indexes_) {
    if (!index.is_arbiter || !index_row(execution, index, arena)) continue;
    std::vector<BtreeCondition> conditions;
    bool has_null = false;
    for (int i = 0; i < index.index->key_count; ++i) {
      BtreeCondition condition;
      condition.column = i;
      condition.value = key_values_[static_cast<size_t>(i)];
      has_null |= key_nulls_[static_cast<size_t>(i)];
      conditions.push_back(condition);
    }
    if (has_null) continue;  // NULLs are distinct from everything
    Snapshot dirty = snapshot_of(SnapshotKind::kDirty);
    BtreeScan::Options options;
    options.hold_pins = true;
    BtreeScan scan(index.index->btree, options);
    HeapIndexFetch fetch(relation.access);
    for (bool again = true; again;) {
      again = false;
      scan.rescan(conditions);
      while (!again && scan.next()) {
        if (!fetch.fetch(scan.tid(), dirty)) continue;
        ItemPointer place = fetch.tuple().self;
        TransactionId other = dirty.dirty_xmin != kInvalidXid ? dirty.dirty_xmin : dirty.dirty_xmax;
        fetch.release();
        if (other == kInvalidXid) {
          scan.end();
          conflict = place;
          return true;
        }
        scan.end();
        xact_lock_wait(other, {XactWaitContext::Operation::kInsertIndex, relation.name.c_str(),
                               place.block(), place.offset});
        again = true;
      }
    }
    scan.end();
  }
  return false;
}

}  // namespace cofork
