// See nodes_group.h.
#include "sql/nodes_group.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/explain.h"

namespace cofork {

// --- one aggregate

void start_aggregate(const AggregateCall& call, AggregateState& state, Arena& arena) {
  state.is_null = call.initial_is_null;
  state.value = call.initial;
  if (!call.initial_is_null && call.state_type != nullptr) {
    state.value = copy_datum(*call.state_type, call.initial, arena);
  }
}

namespace {

void transition(Execution& ex, AggregateCall& call, AggregateState& state, Arena& arena) {
  int first = call.transition->first;
  const BuiltinAggregate& aggregate = *call.expr->aggregate;
  if (aggregate.strict) {
    for (int i = 1; i < call.transition->call.count; ++i) {
      if (ex.nulls[first + i]) return;
    }
    if (state.is_null && call.initial_is_null && call.state_type != nullptr) {
      // The first value is the state.
      state.value = copy_datum(*call.state_type, ex.values[first + 1], arena);
      state.is_null = false;
      return;
    }
  }
  ex.values[first] = state.value;
  ex.nulls[first] = state.is_null;
  ex.context.arena = &arena;
  FunctionCall& site = call.transition->call;
  site.result_is_null = false;
  state.value = aggregate.transition(site);
  state.is_null = site.result_is_null;
}

/// DISTINCT and ORDER BY: the collected rows, sorted, go through the transition now.
void take_in_sorted(Execution& ex, AggregateCall& call, AggregateState& state, Arena& arena) {
  auto compare = [&](const StoredRow& a, const StoredRow& b) {
    for (const SortKey& key : call.order) {
      auto c = static_cast<size_t>(key.target);
      int order = compare_for_sort(a.values[c], a.nulls[c], b.values[c], b.nulls[c],
                                   *call.collected.type(c), key.descending, key.nulls_first);
      if (order != 0) return order;
    }
    return 0;
  };
  std::stable_sort(state.rows.begin(), state.rows.end(),
                   [&](const StoredRow& a, const StoredRow& b) { return compare(a, b) < 0; });
  const StoredRow* last = nullptr;
  for (const StoredRow& row : state.rows) {
    ex.task.check_interrupts();
    if (call.expr->distinct && last != nullptr && compare(*last, row) == 0) continue;
    last = &row;
    call.collected.restore(ex, row);
    transition(ex, call, state, arena);
  }
}

}  // namespace

void advance_aggregate(Execution& ex, AggregateCall& call, AggregateState& state, Arena& arena,
                       Arena& row_arena) {
  if (call.filter != nullptr && !call.filter->test(ex, row_arena)) return;
  if (!call.arguments->steps.empty()) call.arguments->run(ex, row_arena);
  if (!call.sorted) {
    transition(ex, call, state, arena);
    return;
  }
  call.keys->run(ex, row_arena);
  state.rows.push(arena, call.collected.save(ex, arena));
}

void finish_aggregate(Execution& ex, AggregateCall& call, AggregateState& state, Arena& arena) {
  if (call.sorted) take_in_sorted(ex, call, state, arena);
  if (call.final == nullptr) {
    ex.values[call.result_slot] = state.value;
    ex.nulls[call.result_slot] = state.is_null;
    return;
  }
  ex.values[call.final->first] = state.value;
  ex.nulls[call.final->first] = state.is_null;
  ex.context.arena = &arena;
  FunctionCall& site = call.final->call;
  site.result_is_null = false;
  ex.values[call.result_slot] = call.expr->aggregate->final(site);
  ex.nulls[call.result_slot] = site.result_is_null;
}

// --- groups

void AggregateNode::open(Execution& execution) {
  child_->open(execution);
  has_read_ = single_done_ = false;
  set_ = at_ = 0;
  arena_.reset();
  if (tables_.empty() && keys_.size() > 0) {
    tables_.resize(sets.size());
    for (size_t s = 0; s < sets.size(); ++s) {
      for (size_t k : sets[s]) tables_[s].key.add(keys_.slot(k), keys_.type(k));
      tables_[s].table = std::make_unique<RowTable>(tables_[s].key);
    }
  }
  for (Set& set : tables_) set.table->clear();
}

AggregateState* AggregateNode::new_states() {
  AggregateState* states = arena_.make_array<AggregateState>(calls.size());
  for (size_t i = 0; i < calls.size(); ++i) start_aggregate(calls[i], states[i], arena_);
  return states;
}

void AggregateNode::advance(Execution& ex, AggregateState* states) {
  for (size_t i = 0; i < calls.size(); ++i) {
    advance_aggregate(ex, calls[i], states[i], arena_, row_arena_);
  }
}

void AggregateNode::read_input(Execution& ex) {
  has_read_ = true;
  if (tables_.empty()) single_ = new_states();
  while (child_->next(ex)) {
    row_arena_.reset();
    if (tables_.empty()) {
      advance(ex, single_);
      continue;
    }
    key_program_->run(ex, row_arena_);
    for (Set& set : tables_) {
      uint64_t hash = set.key.hash(ex);
      RowTable::Entry* entry = set.table->find(ex, hash);
      if (entry == nullptr) {
        entry = set.table->add(hash, set.key.save(ex, set.table->arena()));
        entry->extra = new_states();
      }
      advance(ex, static_cast<AggregateState*>(entry->extra));
    }
  }
  // An empty grouping set has its group even without input.
  for (size_t s = 0; s < tables_.size(); ++s) {
    RowTable& table = *tables_[s].table;
    if (!sets[s].empty() || !table.entries().empty()) continue;
    table.add(0, {})->extra = new_states();
  }
}

void AggregateNode::emit(Execution& ex, AggregateState* states) {
  for (size_t i = 0; i < calls.size(); ++i) finish_aggregate(ex, calls[i], states[i], arena_);
}

bool AggregateNode::next(Execution& ex) {
  if (!has_read_) read_input(ex);
  if (tables_.empty()) {
    if (std::exchange(single_done_, true)) return false;
    emit(ex, single_);
    if (grouping_slot >= 0) ex.values[grouping_slot] = 0;
    return true;
  }
  while (set_ < tables_.size()) {
    Set& set = tables_[set_];
    if (at_ == set.table->entries().size()) {
      ++set_;
      at_ = 0;
      continue;
    }
    ex.task.check_interrupts();
    RowTable::Entry* entry = set.table->entries()[at_++];
    keys_.set_null(ex);
    if (set.key.size() > 0) set.key.restore(ex, entry->row);
    if (grouping_slot >= 0) {
      uint64_t mask = ~uint64_t{0};
      for (size_t k : sets[set_]) mask &= ~(uint64_t{1} << k);
      ex.values[grouping_slot] = mask;
      ex.nulls[grouping_slot] = false;
    }
    emit(ex, static_cast<AggregateState*>(entry->extra));
    return true;
  }
  return false;
}

std::unique_ptr<ExplainNode> AggregateNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Aggregate");
  if (keys_.size() > 0) node->headline = sets.size() > 1 ? "MixedAggregate" : "HashAggregate";
  node->add_kind("Strategy", keys_.size() == 0 ? "Plain" : sets.size() > 1 ? "Mixed" : "Hashed");
  node->add_kind("Partial Mode", "Simple");
  if (keys_.size() > 0 && sets.size() == 1) {
    std::vector<std::string> keys;
    for (const Expr* expr : key_exprs) keys.push_back(context.text_of(*expr));
    node->add_list("Group Key", keys);
    node->output = keys;
  }
  for (size_t s = 0; sets.size() > 1 && s < sets.size(); ++s) {
    if (sets[s].empty()) {
      node->add_text_only("Group Key", "()");
      continue;
    }
    std::vector<std::string> keys;
    for (size_t k : sets[s]) keys.push_back(context.text_of(*key_exprs[k]));
    node->add_list("Hash Key", std::move(keys));
  }
  for (const AggregateCall& call : calls) {
    node->output.push_back(context.text_of(*call.expr));
    context.note_sub_plans(*node, *call.expr);
  }
  if (context.options().analyze && keys_.size() > 0) {
    size_t bytes = arena_.footprint_bytes();
    for (const Set& set : tables_) bytes += set.table->bytes();
    std::string kilobytes = fmt::format("{}", (bytes + 1023) / 1024);
    node->add_text_only("Batches", fmt::format("1  Memory Usage: {}kB", kilobytes));
    node->add_number("HashAgg Batches", "1", ExplainProperty::Where::kStructuredOnly);
    node->add_number("Peak Memory Usage", kilobytes, ExplainProperty::Where::kStructuredOnly);
    node->add_number("Disk Usage", "0", ExplainProperty::Where::kStructuredOnly);
  }
  node->add_child("Outer", context.below(*child_), false);
  return node;
}

// --- sort

void SortNode::open(Execution& execution) {
  child_->open(execution);
  rows_.clear();
  arena_.reset();
  sorted_ = false;
}

void SortNode::rewind(Execution& execution) {
  if (sorted_) {
    at_ = 0;
  } else {
    open(execution);
  }
}

bool SortNode::next(Execution& ex) {
  if (!sorted_) {
    while (child_->next(ex)) rows_.push_back(shape_.save(ex, arena_));
    uint32_t comparisons = 0;
    std::stable_sort(rows_.begin(), rows_.end(), [&](const StoredRow& a, const StoredRow& b) {
      if ((++comparisons & 0x3ff) == 0) ex.task.check_interrupts();
      for (const Key& key : keys_) {
        size_t c = key.column;
        int order = compare_for_sort(a.values[c], a.nulls[c], b.values[c], b.nulls[c],
                                     *shape_.type(c), key.descending, key.nulls_first);
        if (order != 0) return order < 0;
      }
      return false;
    });
    sorted_ = true;
    at_ = 0;
  }
  if (at_ == rows_.size()) return false;
  ex.task.check_interrupts();
  shape_.restore(ex, rows_[at_++]);
  return true;
}

std::unique_ptr<ExplainNode> SortNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Sort");
  std::vector<std::string> keys;
  for (const Key& key : keys_) {
    if (key.expr == nullptr) continue;
    std::string text = context.text_of(*key.expr);
    if (key.descending) text += " DESC";
    if (key.nulls_first != key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    keys.push_back(std::move(text));
  }
  node->add_list("Sort Key", std::move(keys));
  if (context.options().analyze && sorted_) {
    // The name PostgreSQL has for a sort in memory.
    size_t kilobytes =
        (arena_.footprint_bytes() + rows_.capacity() * sizeof(StoredRow) + 1023) / 1024;
    std::string space = fmt::format("{}", kilobytes);
    node->add_text_only("Sort Method", fmt::format("quicksort  Memory: {}kB", space));
    auto structured = ExplainProperty::Where::kStructuredOnly;
    node->properties.push_back(
        {"Sort Method", ExplainProperty::Kind::kText, structured, "quicksort", {}});
    node->add_number("Sort Space Used", space, structured);
    node->properties.push_back(
        {"Sort Space Type", ExplainProperty::Kind::kText, structured, "Memory", {}});
  }
  node->add_child("Outer", context.below(*child_));
  return node;
}

// --- unique rows

void DistinctNode::open(Execution& execution) {
  child_->open(execution);
  table_.clear();
}

bool DistinctNode::next(Execution& execution) {
  while (child_->next(execution)) {
    uint64_t hash = shape_.hash(execution);
    if (table_.find(execution, hash) != nullptr) continue;
    table_.add(hash, shape_.save(execution, table_.arena()));
    return true;
  }
  return false;
}

std::unique_ptr<ExplainNode> DistinctNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Aggregate");
  node->headline = "HashAggregate";
  node->add_kind("Strategy", "Hashed");
  node->add_kind("Partial Mode", "Simple");
  std::vector<std::string> keys;
  for (const Expr* expr : key_exprs_) keys.push_back(context.text_of(*expr));
  node->add_list("Group Key", std::move(keys));
  if (context.options().analyze) {
    std::string kilobytes = fmt::format("{}", (table_.bytes() + 1023) / 1024);
    node->add_text_only("Batches", fmt::format("1  Memory Usage: {}kB", kilobytes));
    node->add_number("HashAgg Batches", "1", ExplainProperty::Where::kStructuredOnly);
    node->add_number("Peak Memory Usage", kilobytes, ExplainProperty::Where::kStructuredOnly);
    node->add_number("Disk Usage", "0", ExplainProperty::Where::kStructuredOnly);
  }
  node->add_child("Outer", context.below(*child_));
  return node;
}

void UniqueNode::open(Execution& execution) {
  child_->open(execution);
  has_last_ = false;
}

bool UniqueNode::next(Execution& execution) {
  while (child_->next(execution)) {
    if (has_last_ && key_.equals(execution, last_)) continue;
    arena_.reset();
    last_ = key_.save(execution, arena_);
    has_last_ = true;
    return true;
  }
  return false;
}

std::unique_ptr<ExplainNode> UniqueNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Unique");
  node->add_child("Outer", context.below(*child_));
  return node;
}

}  // namespace cofork
