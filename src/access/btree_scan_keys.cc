// Conditions of a scan: which are needed, where to begin, when to stop (see btree_scan.h;
// _bt_preprocess_keys, _bt_first, _bt_checkkeys in nbtutils.c and nbtsearch.c, 15).
#include <algorithm>

#include "access/btree_scan.h"

namespace cofork {

namespace {

using Kind = BtreeCondition::Kind;

BtreeStrategy turned_round(BtreeStrategy strategy) {
  return static_cast<BtreeStrategy>(6 - static_cast<int>(strategy));
}

bool holds(BtreeStrategy strategy, int comparison) {
  switch (strategy) {
    case BtreeStrategy::kLess:
      return comparison < 0;
    case BtreeStrategy::kLessEqual:
      return comparison <= 0;
    case BtreeStrategy::kEqual:
      return comparison == 0;
    case BtreeStrategy::kGreaterEqual:
      return comparison >= 0;
    case BtreeStrategy::kGreater:
      return comparison > 0;
  }
  return false;
}

bool bounds_from_below(BtreeStrategy strategy) {
  return strategy >= BtreeStrategy::kGreaterEqual;
}
bool bounds_from_above(BtreeStrategy strategy) {
  return strategy <= BtreeStrategy::kLessEqual;
}

}  // namespace

BtreeScan::Key BtreeScan::make_key(const BtreeCondition& condition) const {
  const IndexKey& order = index_.shape.keys[static_cast<size_t>(condition.column)];
  Key key;
  key.column = condition.column;
  key.kind = condition.kind;
  key.strategy = condition.kind == Kind::kValue ? condition.strategy : BtreeStrategy::kEqual;
  if (condition.kind == Kind::kIsNotNull) {
    // Everything on the side of the nulls where there are none.
    key.order_strategy = order.nulls_first ? BtreeStrategy::kGreater : BtreeStrategy::kLess;
  } else {
    key.order_strategy = order.descending ? turned_round(key.strategy) : key.strategy;
  }
  key.value = condition.value;
  key.elements = condition.elements;
  key.compare = condition.compare != nullptr ? condition.compare : order.compare;
  return key;
}

void BtreeScan::rescan(std::span<const BtreeCondition> conditions) {
  end();
  mark_ = {};
  keys_.clear();
  arrays_.clear();
  impossible_ = false;
  bool prefix_equal = true;
  for (int column = 0; column < index_.shape.key_count(); ++column) {
    add_column_keys(column, conditions, prefix_equal);
  }
}

/// The conditions on one column, without those that follow from others.
void BtreeScan::add_column_keys(int column, std::span<const BtreeCondition> conditions,
                                bool& prefix_equal) {
  std::vector<Key> keys;
  for (const BtreeCondition& condition : conditions) {
    if (condition.column != column) continue;
    impossible_ |= condition.kind == Kind::kValue && condition.value_is_null;
    keys.push_back(make_key(condition));
  }
  if (impossible_) return;
  auto is_kind = [](Kind kind) { return [kind](const Key& key) { return key.kind == kind; }; };
  if (std::any_of(keys.begin(), keys.end(), is_kind(Kind::kIsNull))) {
    // IS NULL goes with nothing but itself.
    impossible_ |= !std::all_of(keys.begin(), keys.end(), is_kind(Kind::kIsNull));
    keys.resize(1);
  } else if (keys.size() > 1) {
    std::erase_if(keys, is_kind(Kind::kIsNotNull));  // any operator says as much
    if (keys.empty()) keys.push_back(make_key({.column = column, .kind = Kind::kIsNotNull}));
  }
  if (!reduce_with_equality(keys)) reduce_inequalities(keys);
  bool equality = false;
  for (Key& key : keys) {
    equality |= key.is_equality();
    key.required_forward =
        prefix_equal && (key.is_equality() || bounds_from_above(key.order_strategy));
    key.required_backward =
        prefix_equal && (key.is_equality() || bounds_from_below(key.order_strategy));
    if (key.kind == Kind::kAnyOf) {
      arrays_.push_back(
          {.key = keys_.size(), .elements = {key.elements.begin(), key.elements.end()}});
      key.elements = {};
      std::vector<Datum>& elements = arrays_.back().elements;
      bool descending = index_.shape.keys[static_cast<size_t>(column)].descending;
      auto* compare = key.compare;
      std::sort(elements.begin(), elements.end(), [&](Datum a, Datum b) {
        return descending ? compare(b, a) < 0 : compare(a, b) < 0;
      });
      elements.erase(std::unique(elements.begin(), elements.end(),
                                 [&](Datum a, Datum b) { return compare(a, b) == 0; }),
                     elements.end());
      impossible_ |= elements.empty();
    }
    keys_.push_back(key);
  }
  prefix_equal = prefix_equal && equality;
}

/// Are the values of these conditions all of the column's type, so that they compare with each
/// other?
bool BtreeScan::are_comparable(const Key& a, const Key& b) const {
  auto* own = index_.shape.keys[static_cast<size_t>(a.column)].compare;
  return a.compare == own && b.compare == own;
}

/// One equality decides about all other conditions whose values can be compared with its own.
bool BtreeScan::reduce_with_equality(std::vector<Key>& keys) {
  auto equality = std::find_if(keys.begin(), keys.end(), [](const Key& key) {
    return key.kind == Kind::kValue && key.strategy == BtreeStrategy::kEqual;
  });
  if (equality == keys.end()) return false;
  Key chosen = *equality;
  keys.erase(equality);
  std::erase_if(keys, [&](const Key& key) {
    if (!are_comparable(key, chosen)) return false;
    bool is_true;
    if (key.kind == Kind::kAnyOf) {
      is_true = std::any_of(key.elements.begin(), key.elements.end(), [&](Datum element) {
        return chosen.compare(chosen.value, element) == 0;
      });
    } else {
      is_true = holds(key.strategy, chosen.compare(chosen.value, key.value));
    }
    impossible_ |= !is_true;
    return true;
  });
  keys.insert(keys.begin(), chosen);
  return true;
}

/// Of several bounds on the same side the tightest.
void BtreeScan::reduce_inequalities(std::vector<Key>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = i + 1; j < keys.size();) {
      Key& a = keys[i];
      Key& b = keys[j];
      bool above = bounds_from_above(a.strategy) && bounds_from_above(b.strategy);
      bool below = bounds_from_below(a.strategy) && bounds_from_below(b.strategy);
      if (a.kind != Kind::kValue || b.kind != Kind::kValue || !are_comparable(a, b) ||
          !(above || below)) {
        ++j;
        continue;
      }
      int comparison = a.compare(a.value, b.value);
      bool strict_b = b.strategy == BtreeStrategy::kLess || b.strategy == BtreeStrategy::kGreater;
      bool b_is_tighter = comparison == 0 ? strict_b : (above ? comparison > 0 : comparison < 0);
      if (b_is_tighter) a = b;
      keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
}

void BtreeScan::start_arrays(ScanDirection direction) {
  for (Array& array : arrays_) {
    array.current = direction == ScanDirection::kForward ? 0 : array.elements.size() - 1;
    keys_[array.key].value = array.elements[array.current];
  }
}

/// The next combination of elements, the last list turning fastest; false after the last one.
bool BtreeScan::advance_arrays(ScanDirection direction) {
  for (size_t i = arrays_.size(); i-- > 0;) {
    Array& array = arrays_[i];
    bool wrapped = false;
    if (direction == ScanDirection::kForward) {
      wrapped = ++array.current == array.elements.size();
      if (wrapped) array.current = 0;
    } else {
      wrapped = array.current-- == 0;
      if (wrapped) array.current = array.elements.size() - 1;
    }
    keys_[array.key].value = array.elements[array.current];
    if (!wrapped) return true;
  }
  return false;
}

/// The condition that says where entries begin in a column; null when there is none. `not_null`:
/// then still, nulls that come first can be passed over.
const BtreeScan::Key* BtreeScan::boundary_of(int column, ScanDirection direction,
                                             bool& not_null) const {
  bool forward = direction == ScanDirection::kForward;
  const Key* boundary = nullptr;
  not_null = false;
  for (const Key& key : keys_) {
    if (key.column != column) continue;
    if (key.is_equality()) return &key;
    not_null = true;
    if (key.kind == Kind::kIsNotNull) continue;
    bool bounds =
        forward ? bounds_from_below(key.order_strategy) : bounds_from_above(key.order_strategy);
    if (bounds && boundary == nullptr) boundary = &key;
  }
  bool nulls_first = index_.shape.keys[static_cast<size_t>(column)].nulls_first;
  not_null = not_null && boundary == nullptr && forward == nulls_first;
  return boundary;
}

/// Where the first entry is: the leading equalities, and the bounds after them as long as they
/// include their value.
void BtreeScan::make_start(ScanDirection direction, Start& start) const {
  bool forward = direction == ScanDirection::kForward;
  SearchKey& key = start.key;
  key.column_count = 0;
  bool strict = false;
  while (!strict && key.column_count < index_.shape.key_count()) {
    int column = key.column_count;
    bool not_null;
    const Key* boundary = boundary_of(column, direction, not_null);
    if (boundary == nullptr && !not_null) break;
    key.nulls[column] = boundary == nullptr || boundary->kind == Kind::kIsNull;
    key.values[column] = boundary != nullptr ? boundary->value : 0;
    key.compare[column] = boundary != nullptr ? boundary->compare : nullptr;
    ++key.column_count;
    strict = boundary == nullptr ||
             (boundary->kind == Kind::kValue && (boundary->strategy == BtreeStrategy::kLess ||
                                                 boundary->strategy == BtreeStrategy::kGreater));
  }
  start.from_end = key.column_count == 0;
  // Forward: the first entry not below the key, or above it. Backward: the one before the first
  // that is not below, or is above.
  key.next_key = forward == strict;
  start.go_back = !forward;
}

/// Does an entry fit? `columns`: those it has; the ones cut off a high key are taken as fitting.
/// `go_on` false: neither will anything further on.
bool BtreeScan::fits(const IndexTuple& tuple, int columns, ScanDirection direction,
                     bool& go_on) const {
  bool forward = direction == ScanDirection::kForward;
  for (const Key& key : keys_) {
    if (key.column >= columns) continue;
    bool is_null;
    Datum value = index_attribute(tuple, index_.shape, key.column, is_null);
    bool required = forward ? key.required_forward : key.required_backward;
    if (key.kind == Kind::kIsNull || key.kind == Kind::kIsNotNull) {
      if (is_null == (key.kind == Kind::kIsNull)) continue;
    } else if (is_null) {
      // At the nulls at the far end: whatever the operator, nothing comes after them.
      bool at_far_end = index_.shape.keys[static_cast<size_t>(key.column)].nulls_first != forward;
      required = at_far_end && (key.required_forward || key.required_backward);
    } else if (holds(key.strategy, key.compare(value, key.value))) {
      continue;
    }
    if (required) go_on = false;
    return false;
  }
  return true;
}

}  // namespace cofork
