// Keys of a B-tree: making them, comparing with them, searching a page (see btree_search.h).
#include "access/btree_search.h"

namespace cofork {

void btree_key_of(const IndexShape& shape, const IndexTuple& tuple, SearchKey& key) {
  int columns = std::min(shape.key_count(), tuple.column_count(shape));
  key.column_count = columns;
  key.next_key = false;
  key.pivot_search = false;
  key.any_null = false;
  key.heap_tid = nullptr;
  index_deform(tuple, shape, columns, key.values, key.nulls);
  for (int i = 0; i < columns; ++i) key.any_null |= key.nulls[i];
}

namespace {

/// Both addresses have their place in the order: below, within (0) or above what an item stands
/// for.
int compare_tid(const ItemPointer& tid, const IndexTuple& tuple, const ItemPointer& lowest) {
  if (tid < lowest) return -1;
  if (tid == lowest) return 0;
  if (!tuple.is_posting()) return 1;
  return tid > *tuple.max_heap_tid() ? 1 : 0;
}

}  // namespace

int btree_compare(const IndexShape& shape, const SearchKey& key, ConstPage page,
                  OffsetNumber number) {
  const BtreeSpecial& special = btree_special(page);
  if (!special.is_leaf() && number == special.first_data()) return 1;
  const IndexTuple& tuple = btree_item(page, number);
  int tuple_columns = tuple.column_count(shape);
  int columns = std::min(tuple_columns, key.column_count);
  for (int i = 0; i < columns; ++i) {
    const IndexKey& order = shape.keys[static_cast<size_t>(i)];
    bool is_null;
    Datum value = index_attribute(tuple, shape, i, is_null);
    int result;
    if (key.nulls[i] || is_null) {
      if (key.nulls[i] && is_null) continue;
      // The one that is null is last, or first.
      result = key.nulls[i] == order.nulls_first ? -1 : 1;
    } else {
      auto* compare = key.compare[i] != nullptr ? key.compare[i] : order.compare;
      result = compare(value, key.values[i]);
      // That was the item against the key.
      if (!order.descending) result = result > 0 ? -1 : (result < 0 ? 1 : 0);
    }
    if (result != 0) return result;
  }
  // All columns that both have are equal; one that was cut off the item is minus infinity.
  if (key.column_count > tuple_columns) return 1;
  const ItemPointer* tuple_tid = tuple.heap_tid();
  if (key.heap_tid == nullptr) {
    // A key of all columns and no address is above a pivot that has no address either: what it
    // looks for begins on the right of it.
    bool above = tuple_tid == nullptr && !key.pivot_search && key.column_count == tuple_columns;
    return above ? 1 : 0;
  }
  if (tuple_tid == nullptr) return 1;
  return compare_tid(*key.heap_tid, tuple, *tuple_tid);
}

OffsetNumber btree_binary_search(const IndexShape& shape, const SearchKey& key, ConstPage page) {
  const BtreeSpecial& special = btree_special(page);
  OffsetNumber low = special.first_data();
  OffsetNumber high = static_cast<OffsetNumber>(page_item_count(page) + 1);
  if (high <= low) return low;
  // Invariant: items below `low` compare >= limit against the key, those from `high` on do not.
  int limit = key.next_key ? 0 : 1;
  while (high > low) {
    auto middle = static_cast<OffsetNumber>(low + (high - low) / 2);
    if (btree_compare(shape, key, page, middle) >= limit) {
      low = static_cast<OffsetNumber>(middle + 1);
    } else {
      high = middle;
    }
  }
  // On an internal page: the last item below the key; there is one, minus infinity.
  return special.is_leaf() ? low : static_cast<OffsetNumber>(low - 1);
}

}  // namespace cofork
