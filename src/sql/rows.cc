// Rows outside the frame: keeping them, putting them back, finding them by hash.
#include "model/stack.h"
#include "sql/exec.h"

namespace cofork {

StoredRow RowShape::save(const Execution& execution, Arena& arena) const {
  size_t n = slots_.size();
  auto* values = static_cast<Datum*>(arena.allocate(n * (sizeof(Datum) + sizeof(bool))));
  auto* nulls = reinterpret_cast<bool*>(values + n);
  for (size_t i = 0; i < n; ++i) {
    int slot = slots_[i];
    nulls[i] = execution.nulls[slot];
    values[i] = execution.values[slot];
    if (!nulls[i] && !types_[i]->by_value) values[i] = copy_datum(*types_[i], values[i], arena);
  }
  return {values, nulls};
}

void RowShape::restore(Execution& execution, const StoredRow& row) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    execution.values[slots_[i]] = row.values[i];
    execution.nulls[slots_[i]] = row.nulls[i];
  }
}

void RowShape::restore_to(Execution& execution, const StoredRow& row, int first_slot) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    execution.values[first_slot + static_cast<int>(i)] = row.values[i];
    execution.nulls[first_slot + static_cast<int>(i)] = row.nulls[i];
  }
}

void RowShape::set_null(Execution& execution) const {
  for (int slot : slots_) execution.nulls[slot] = true;
}

uint64_t RowShape::hash(const Execution& execution) const {
  uint64_t h = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    uint64_t part = execution.nulls[slots_[i]] ? 0 : types_[i]->hash(execution.values[slots_[i]]);
    h = (h ^ part) * 0x9E3779B97F4A7C15u;
    h ^= h >> 32;
  }
  return h;
}

bool RowShape::equals(const Execution& execution, const StoredRow& row) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    bool is_null = execution.nulls[slots_[i]];
    if (is_null != row.nulls[i]) return false;
    if (!is_null && types_[i]->compare(execution.values[slots_[i]], row.values[i]) != 0) {
      return false;
    }
  }
  return true;
}

bool RowShape::has_null(const Execution& execution) const {
  for (int slot : slots_) {
    if (execution.nulls[slot]) return true;
  }
  return false;
}

RowTable::Entry* RowTable::find(const Execution& execution, uint64_t hash) const {
  if (buckets_.empty()) return nullptr;
  const Bucket& bucket = buckets_[hash & (buckets_.size() - 1)];
  for (Entry* e = bucket.first; e != nullptr; e = e->next_in_bucket) {
    if (e->hash == hash && key_.equals(execution, e->row)) return e;
  }
  return nullptr;
}

RowTable::Entry* RowTable::find_next(const Execution& execution, const Entry* entry) const {
  for (Entry* e = entry->next_in_bucket; e != nullptr; e = e->next_in_bucket) {
    if (e->hash == entry->hash && key_.equals(execution, e->row)) return e;
  }
  return nullptr;
}

void RowTable::link(Entry* entry) {
  // At the end of its chain, so that equal rows come out in the order they went in.
  Bucket& bucket = buckets_[entry->hash & (buckets_.size() - 1)];
  entry->next_in_bucket = nullptr;
  (bucket.first == nullptr ? bucket.first : bucket.last->next_in_bucket) = entry;
  bucket.last = entry;
}

RowTable::Entry* RowTable::add(uint64_t hash, const StoredRow& row) {
  if (entries_.size() >= buckets_.size()) {
    buckets_.assign(std::max<size_t>(64, buckets_.size() * 4), {});
    for (Entry* entry : entries_) link(entry);
  }
  Entry* entry = arena_.make<Entry>(Entry{hash, row, nullptr, nullptr, 0});
  entries_.push_back(entry);
  link(entry);
  return entry;
}

void RowTable::clear() {
  buckets_.clear();
  entries_.clear();
  arena_.reset();
}

int compare_for_sort(Datum a, bool a_null, Datum b, bool b_null, const BuiltinType& type,
                     bool descending, bool nulls_first) {
  if (a_null || b_null) {
    if (a_null && b_null) return 0;
    return a_null == nulls_first ? -1 : 1;
  }
  int order = type.compare(a, b);
  return descending ? (order < 0 ? 1 : order > 0 ? -1 : 0) : order;
}

bool CommonTableState::fetch(Execution& execution, size_t index) {
  if (index < rows.size()) return true;
  if (is_complete) return false;
  if (!is_open) {
    plan->open(execution);
    is_open = true;
  }
  if (!plan->next(execution)) {
    is_complete = true;
    return false;
  }
  rows.push_back(output.save(execution, arena));
  return true;
}

void Execution::start() {
  for (auto& sub_plan : sub_plans) sub_plan->reset();
  processed = 0;
  if (stack_bytes == 0) {
    root->open(*this);
  } else {
    with_stack_of(stack_bytes, [&] { root->open(*this); });
  }
}

bool Execution::next_deep() {
  return with_stack_of(stack_bytes, [&] { return root->next(*this); });
}

void Execution::finish() {
  for (auto& node : nodes) node->close();
  snapshot.reset();
}

}  // namespace cofork
