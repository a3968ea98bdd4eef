// Finding a place in a B-tree: keys to compare with, the way down, the way to the right (as
// nbtsearch.c, 15). For this folder's own use.
//
// Locks: a page is locked only while it is looked at, and the next one is pinned and locked when
// the one before is let go. What may have happened in between is a split (then the key is above the
// high key: go right) or a deletion (the page says so: go right as well).
#pragma once

#include <array>

#include "access/btree.h"

namespace cofork {

/// What a page is compared with (BTScanInsert). Missing columns and a missing address count as
/// minus infinity.
struct SearchKey {
  int column_count = 0;
  bool next_key = false;  ///< look for the first entry above the key instead of not below it
  /// Among pivots, one that ends with these columns is equal, not above: page deletion looks for
  /// the very pivot (pivotsearch).
  bool pivot_search = false;
  bool any_null = false;
  const ItemPointer* heap_tid = nullptr;
  Datum values[kIndexMaxColumns];
  bool nulls[kIndexMaxColumns];
  /// Order of a column's value against the key's; null: the index's own.
  int (*compare[kIndexMaxColumns])(Datum column_value, Datum value) = {};
};

/// The key columns of a tuple, its address left out (_bt_mkscankey). Values point into it.
void btree_key_of(const IndexShape& shape, const IndexTuple& tuple, SearchKey& key);

/// < 0, 0, > 0: the key is below, equal to or above an item (_bt_compare).
int btree_compare(const IndexShape& shape, const SearchKey& key, ConstPage page,
                  OffsetNumber number);

/// On a leaf the first item that is not below the key (above it, with next_key), perhaps one past
/// the last; on an internal page the item whose child to go to (_bt_binsrch).
OffsetNumber btree_binary_search(const IndexShape& shape, const SearchKey& key, ConstPage page);

enum class BtreeAccess : uint8_t { kRead, kWrite };

/// A page passed on the way down: where its item was.
struct BtreeStackEntry {
  BlockNumber block;
  OffsetNumber offset;
};
/// From the root on (BTStack). No tree is higher: every level doubles the number of pages at least.
class BtreeStack {
 public:
  bool empty() const { return count_ == 0; }
  void push_back(const BtreeStackEntry& entry) { entries_[count_++] = entry; }
  void pop_back() { --count_; }
  BtreeStackEntry& back() { return entries_[count_ - 1]; }
  BtreeStack without_last() const {
    BtreeStack rest = *this;
    rest.pop_back();
    return rest;
  }
  void clear() { count_ = 0; }

 private:
  static constexpr size_t kMostLevels = 32;
  std::array<BtreeStackEntry, kMostLevels> entries_;
  size_t count_ = 0;
};

/// Reads a page, locks it and checks that it is one of a B-tree: XX002 "index … contains
/// unexpected zero page at block …" and friends (_bt_getbuf, _bt_checkpage).
Buffer btree_get_page(BtreeIndex& index, BlockNumber block, BtreeAccess access,
                      AccessStrategy* strategy = nullptr);
void btree_check_page(const BtreeIndex& index, const Buffer& buffer);
inline void btree_lock(Buffer& buffer, BtreeAccess access) {
  access == BtreeAccess::kWrite ? buffer.lock_exclusive() : buffer.lock_shared();
}

/// The fast root, locked for reading; invalid when the index is empty. kWrite makes one then.
Buffer btree_get_root(BtreeIndex& index, BtreeAccess access);
/// The true root, for reading; invalid when there is none (_bt_gettrueroot).
Buffer btree_get_true_root(BtreeIndex& index);
/// Down to the leaf where the key belongs, locked as wanted; invalid when the index is empty
/// (kRead). With `stack`, notes the way; kWrite finishes incomplete splits it meets. (_bt_search)
Buffer btree_search(BtreeIndex& index, const SearchKey& key, BtreeAccess access, BtreeStack* stack);
/// Right as long as the key does not belong on the page (_bt_moveright). `stack` is the way to its
/// level, for finishing splits with `for_update`.
Buffer btree_move_right(BtreeIndex& index, const SearchKey& key, Buffer buffer, bool for_update,
                        const BtreeStack* stack, BtreeAccess access);
/// First or last page of a level, read-locked; invalid for an empty index (_bt_get_endpoint).
Buffer btree_get_endpoint(BtreeIndex& index, uint32_t level, bool rightmost);

}  // namespace cofork
