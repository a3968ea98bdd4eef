// See nodes_table.h.
#include "sql/nodes_table.h"

#include <fmt/format.h>

#include "catalog/array_access.h"

namespace cofork {

// --- rows ---------------------------------------------------------------------------------------

TableRow::TableRow(RelationDesc& relation, const RangeEntry& entry)
    : relation_(relation), first_slot_(entry.first_slot) {
  size_t columns = entry.columns.size();
  for (size_t i = 0; i < columns; ++i) {
    if (!entry.used[i]) continue;
    needed_ = static_cast<int>(i) + 1;
    const BuiltinType* type = find_type(entry.columns[i].type);
    if (type != nullptr && type->is_array()) arrays_.push_back(static_cast<int>(i));
  }
  for (size_t i = 0; i < kSystemColumns; ++i) shows_system_ |= entry.used[columns + i];
}

void TableRow::open(Execution& execution) {
  reader_.emplace(relation_.shape, execution.values + first_slot_, execution.nulls + first_slot_);
}

void TableRow::show(Execution& execution, const HeapTuple& tuple) {
  reader_->start(tuple.header);
  reader_->need(needed_);
  if (shows_system_) show_system(execution, tuple);
  if (arrays_.empty()) return;
  arena_.reset();
  for (int column : arrays_) {
    Datum& value = execution.values[first_slot_ + column];
    if (execution.nulls[first_slot_ + column]) continue;
    if (varlena_is_short(datum_to_pointer(value)))
      value = varlena_from(arena_, varlena_view(value));
  }
}

void TableRow::show_system(Execution& execution, const HeapTuple& tuple) {
  place_ = tuple.self;
  Datum* values = execution.values + first_slot_ + relation_.columns.size();
  auto set = [&](SystemColumn column, Datum value) { values[static_cast<int>(column)] = value; };
  set(SystemColumn::kCtid, datum_from_pointer(&place_));
  set(SystemColumn::kXmin, tuple.header->xmin);
  set(SystemColumn::kCmin, tuple.header->command);
  set(SystemColumn::kXmax, tuple.header->xmax);
  set(SystemColumn::kCmax, tuple.header->command);
  set(SystemColumn::kTableOid, relation_.oid);
  std::fill_n(execution.nulls + first_slot_ + relation_.columns.size(), kSystemColumns, false);
}

// --- sequential scans ---------------------------------------------------------------------------

void SeqScanNode::open(Execution& execution) {
  row_.open(execution);
  if (scan_) {
    scan_->rewind();
  } else {
    scan_.emplace(row_.relation().access, *execution.snapshot);
  }
}

namespace {

std::string named(std::string_view relation, std::string_view alias) {
  return relation == alias ? std::string(relation) : fmt::format("{} {}", relation, alias);
}

}  // namespace

void SeqScanNode::explain(ExplainSink& sink) const {
  sink.node(fmt::format("Seq Scan on {}", named(row_.relation().name, alias_)));
}

// --- index scans --------------------------------------------------------------------------------

void IndexScanNode::set_condition(Execution& execution, size_t number) {
  const IndexKeyPlan& key = keys_[number];
  BtreeCondition& condition = conditions_[number];
  condition = {};
  condition.column = key.column;
  condition.strategy = key.strategy;
  condition.kind = key.kind;
  condition.compare = key.compare;
  if (key.value == nullptr) return;
  key.value->run(execution, arena_);
  condition.value = execution.values[key.value->result];
  condition.value_is_null = execution.nulls[key.value->result];
  if (key.kind != BtreeCondition::Kind::kAnyOf || condition.value_is_null) return;
  ArrayElements all = array_elements(arena_, condition.value);
  int kept = 0;
  for (int i = 0; i < all.count; ++i) {
    if (!all.nulls[i]) all.values[kept++] = all.values[i];
  }
  condition.elements = {all.values, static_cast<size_t>(kept)};
}

void IndexScanNode::open(Execution& execution) {
  row_.open(execution);
  arena_.reset();
  for (size_t i = 0; i < keys_.size(); ++i) set_condition(execution, i);
  if (!scan_) {
    BtreeScan::Options options;
    scan_.emplace(index_.btree, options);
  } else if (is_open_) {
    scan_->end();
  }
  scan_->rescan(conditions_);
  is_open_ = true;
}

bool IndexScanNode::next(Execution& execution) {
  while (scan_->next(direction_)) {
    execution.task.check_interrupts();
    bool all_dead = false;
    if (fetch_.fetch(scan_->tid(), *execution.snapshot, &all_dead)) {
      row_.show(execution, fetch_.tuple());
      return true;
    }
    if (all_dead) scan_->kill_current();
  }
  return false;
}

void IndexScanNode::close() {
  fetch_.release();
  if (is_open_) scan_->end();
  is_open_ = false;
}

void IndexScanNode::explain(ExplainSink& sink) const {
  sink.node(fmt::format("Index Scan{} using {} on {}",
                        direction_ == ScanDirection::kBackward ? " Backward" : "", index_.name,
                        named(row_.relation().name, alias_)));
}

}  // namespace cofork
