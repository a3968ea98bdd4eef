// See nodes_table.h.
#include "sql/nodes_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/array_access.h"
#include "catalog/toast.h"
#include "sql/explain.h"
#include "storage/visibility_map.h"

namespace cofork {

// --- rows

TableRow::TableRow(RelationDesc& relation, const RangeEntry& entry)
    : relation_(relation), entry_(entry), first_slot_(entry.first_slot) {
  size_t columns = entry.columns.size();
  for (size_t i = 0; i < columns; ++i) {
    if (!entry.used[i]) continue;
    needed_ = static_cast<int>(i) + 1;
    const BuiltinType* type = find_type(entry.columns[i].type);
    if (type != nullptr && type->is_array()) arrays_.push_back(static_cast<int>(i));
    if (type != nullptr && type->length == -1 && relation.toast != kInvalidOid) {
      long_.push_back(static_cast<int>(i));
    }
  }
  for (size_t i = 0; i < kSystemColumns; ++i) shows_system_ |= entry.used[columns + i];
}

void TableRow::open(Execution& execution) {
  reader_.emplace(relation_.shape, execution.values + first_slot_, execution.nulls + first_slot_);
}

void TableRow::show_rest(Execution& execution, const HeapTuple& tuple) {
  reader_->need(needed_);
  if (shows_system_) show_system(execution, tuple);
  if (arrays_.empty() && long_.empty()) return;
  arena_.reset();
  for (int column : long_) {
    Datum& value = execution.values[first_slot_ + column];
    if (execution.nulls[first_slot_ + column] || !is_toasted(value)) [[likely]]
      continue;
    value = detoast(value, arena_);
  }
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

// --- sequential scans

void SeqScanNode::open(Execution& execution) {
  row_.open(execution);
  if (scan_) {
    scan_->rewind();
  } else {
    scan_.emplace(row_.relation().access, *execution.snapshot);
  }
}

std::unique_ptr<ExplainNode> SeqScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Seq Scan");
  context.set_table(*node, row_.entry(), row_.relation().name, row_.relation().schema_name);
  return node;
}

// --- searching an index

void IndexSearch::set_condition(Execution& execution, size_t number) {
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

void IndexSearch::open(Execution& execution) {
  arena_.reset();
  for (size_t i = 0; i < keys_.size(); ++i) set_condition(execution, i);
  if (!scan_) {
    scan_.emplace(index_.btree, options_);
  } else if (is_open_) {
    scan_->end();
  }
  scan_->rescan(conditions_);
  is_open_ = true;
}

void IndexSearch::close() {
  if (is_open_) scan_->end();
  is_open_ = false;
}

std::vector<Expr*> IndexSearch::conditions() const {
  std::vector<Expr*> all;
  for (const IndexKeyPlan& key : keys_) all.push_back(key.condition);
  return all;
}

// --- index scans

void IndexScanNode::open(Execution& execution) {
  row_.open(execution);
  search_.open(execution);
}

bool IndexScanNode::next(Execution& execution) {
  BtreeScan& scan = search_.scan();
  while (scan.next(direction_)) {
    execution.task.check_interrupts();
    bool all_dead = false;
    if (fetch_.fetch(scan.tid(), *execution.snapshot, &all_dead)) {
      row_.show(execution, fetch_.tuple());
      return true;
    }
    if (all_dead) scan.kill_current();
  }
  return false;
}

void IndexScanNode::close() {
  fetch_.release();
  search_.close();
}

namespace {

/// "Index Scan Backward using i on t", and the same for JSON.
std::unique_ptr<ExplainNode> explain_index_scan(ExplainContext& context, const PlanNode& plan,
                                                std::string_view type, const IndexSearch& search,
                                                ScanDirection direction, const RangeEntry& entry,
                                                const RelationDesc& relation) {
  auto node = context.node(plan, type);
  bool backward = direction == ScanDirection::kBackward;
  node->headline += fmt::format("{} using {}", backward ? " Backward" : "",
                                quote_identifier(search.index().name));
  node->add_head("Scan Direction", backward ? "Backward" : "Forward");
  node->add_head("Index Name", search.index().name);
  context.set_table(*node, entry, relation.name, relation.schema_name);
  context.add_condition(*node, "Index Cond", search.conditions(), &entry);
  return node;
}

}  // namespace

std::unique_ptr<ExplainNode> IndexScanNode::explain(ExplainContext& context) const {
  return explain_index_scan(context, *this, "Index Scan", search_, direction_, row_.entry(),
                            row_.relation());
}

// --- index-only scans

IndexOnlyScanNode::IndexOnlyScanNode(RelationDesc& relation, const RangeEntry& entry,
                                     IndexDesc& index, std::vector<IndexKeyPlan> keys,
                                     ScanDirection direction)
    : relation_(relation),
      entry_(entry),
      search_(index, std::move(keys), {.want_tuples = true, .hold_pins = true}),
      direction_(direction),
      fetch_(relation.access) {
  for (size_t i = 0; i < index.columns.size(); ++i) {
    int column = index.columns[i] - 1;
    if (column < 0 || !entry.used[static_cast<size_t>(column)]) continue;
    columns_.emplace_back(static_cast<int>(i), entry.first_slot + column);
  }
}

void IndexOnlyScanNode::open(Execution& execution) {
  search_.open(execution);
}

bool IndexOnlyScanNode::next(Execution& execution) {
  BtreeScan& scan = search_.scan();
  while (scan.next(direction_)) {
    execution.task.check_interrupts();
    uint8_t bits = visibility_map_status(relation_.access.file, scan.tid().block(), map_page_);
    if ((bits & kVmAllVisible) == 0) {
      ++heap_fetches_;
      bool all_dead = false;
      if (!fetch_.fetch(scan.tid(), *execution.snapshot, &all_dead)) {
        if (all_dead) scan.kill_current();
        continue;
      }
    }
    show(execution, scan.tuple());
    return true;
  }
  return false;
}

void IndexOnlyScanNode::show(Execution& execution, const IndexTuple& tuple) {
  const IndexShape& shape = search_.index().shape;
  arena_.reset();
  for (auto [column, slot] : columns_) {
    bool is_null = false;
    Datum value = index_attribute(tuple, shape, column, is_null);
    execution.nulls[slot] = is_null;
    const Attribute& attribute = shape.tuple.attributes()[static_cast<size_t>(column)];
    // The entry goes when the scan's page is read anew; arrays need a long header besides.
    if (!is_null && attribute.length == -1) value = varlena_from(arena_, varlena_view(value));
    execution.values[slot] = value;
  }
}

void IndexOnlyScanNode::close() {
  fetch_.release();
  map_page_.release();
  search_.close();
}

std::unique_ptr<ExplainNode> IndexOnlyScanNode::explain(ExplainContext& context) const {
  auto node =
      explain_index_scan(context, *this, "Index Only Scan", search_, direction_, entry_, relation_);
  if (context.options().analyze) node->add_number("Heap Fetches", fmt::format("{}", heap_fetches_));
  return node;
}

// --- bitmap scans

bool BitmapIndexScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  return search_.scan().next(ScanDirection::kForward);
}

std::unique_ptr<ExplainNode> BitmapIndexScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Bitmap Index Scan");
  node->headline += fmt::format(" on {}", quote_identifier(search_.index().name));
  node->add_head("Index Name", search_.index().name);
  return node;
}

void BitmapHeapScanNode::open(Execution& execution) {
  row_.open(execution);
  index_->open(execution);
  has_collected_ = false;
  at_ = 0;
}

void BitmapHeapScanNode::collect(Execution& execution) {
  places_.clear();
  while (index_->next(execution)) {
    const ItemPointer& tid = index_->tid();
    places_.push_back(uint64_t{tid.block()} << 16 | tid.offset);
  }
  index_->close();
  std::ranges::sort(places_);
  places_.erase(std::ranges::unique(places_).begin(), places_.end());
  has_collected_ = true;
}

bool BitmapHeapScanNode::next(Execution& execution) {
  if (!has_collected_) collect(execution);
  while (at_ < places_.size()) {
    execution.task.check_interrupts();
    uint64_t place = places_[at_];
    if (at_ == 0 || places_[at_ - 1] >> 16 != place >> 16) ++blocks_;
    ++at_;
    ItemPointer tid(static_cast<BlockNumber>(place >> 16), static_cast<uint16_t>(place));
    bool all_dead = false;
    if (!fetch_.fetch(tid, *execution.snapshot, &all_dead)) continue;
    row_.show(execution, fetch_.tuple());
    return true;
  }
  return false;
}

void BitmapHeapScanNode::close() {
  fetch_.release();
  index_->close();
}

std::unique_ptr<ExplainNode> BitmapHeapScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Bitmap Heap Scan");
  context.set_table(*node, row_.entry(), row_.relation().name, row_.relation().schema_name);
  std::vector<Expr*> conditions = index_->conditions();
  context.add_condition(*node, "Recheck Cond", conditions, &row_.entry());
  if (context.options().analyze) {
    node->add_text_only("Heap Blocks", fmt::format("exact={}", blocks_));
    node->add_number("Exact Heap Blocks", fmt::format("{}", blocks_),
                     ExplainProperty::Where::kStructuredOnly);
    node->add_number("Lossy Heap Blocks", "0", ExplainProperty::Where::kStructuredOnly);
  }
  auto child = context.below(*index_);
  context.add_condition(*child, "Index Cond", conditions, &row_.entry());
  node->add_child("Outer", std::move(child), false);
  return node;
}

}  // namespace cofork
