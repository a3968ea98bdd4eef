// Looks at every page of a B-tree and says what is wrong with it (as amcheck's
// bt_index_parent_check()). Shares nothing with the code it checks but the page layout.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "access/btree_page.h"

namespace cofork::testing_support {

class BtreeChecker {
 public:
  /// `page` gives the bytes of a block, which stay until the checker is done.
  using PageSource = std::function<const char*(BlockNumber)>;
  BtreeChecker(const IndexShape& shape, BlockNumber blocks, PageSource page)
      : shape_(shape), blocks_(blocks), page_(std::move(page)) {}

  /// Leaf entries in order, one for each row.
  struct Entry {
    const IndexTuple* tuple;
    ItemPointer tid;
    bool dead;
  };

  /// "" or the first thing that is wrong.
  std::string check() {
    try {
      check_all();
      return "";
    } catch (const Wrong& wrong) {
      return wrong.text;
    }
  }
  const std::vector<Entry>& entries() const { return entries_; }
  uint32_t height() const { return height_; }
  int deleted_pages() const { return deleted_; }
  int free_pages() const { return free_; }
  int incomplete_splits() const { return incomplete_; }
  int half_dead_pages() const { return half_dead_; }
  BlockNumber leaves() const { return leaves_; }

 private:
  struct Wrong {
    std::string text;
  };
  template <typename... Args>
  [[noreturn]] static void wrong(fmt::format_string<Args...> format, Args&&... args) {
    throw Wrong{fmt::format(format, std::forward<Args>(args)...)};
  }
  static const BtreeSpecial& special(const char* page) { return btree_special(page); }
  static const IndexTuple& item(const char* page, int number) {
    return btree_item(page, static_cast<OffsetNumber>(number));
  }

  /// The order the tree is about; columns and addresses cut off are minus infinity.
  int compare(const IndexTuple& a, const IndexTuple& b, const ItemPointer* a_tid,
              const ItemPointer* b_tid) const {
    int a_columns = std::min(a.column_count(shape_), shape_.key_count());
    int b_columns = std::min(b.column_count(shape_), shape_.key_count());
    for (int i = 0; i < std::min(a_columns, b_columns); ++i) {
      const IndexKey& key = shape_.keys[static_cast<size_t>(i)];
      bool a_null, b_null;
      Datum left = index_attribute(a, shape_, i, a_null);
      Datum right = index_attribute(b, shape_, i, b_null);
      int result = 0;
      if (a_null || b_null) {
        if (a_null != b_null) result = (a_null ? 1 : -1) * (key.nulls_first ? -1 : 1);
      } else {
        result = key.compare(left, right) * (key.descending ? -1 : 1);
      }
      if (result != 0) return result;
    }
    if (a_columns != b_columns) return a_columns < b_columns ? -1 : 1;
    if (a_tid == nullptr || b_tid == nullptr) {
      return (a_tid == nullptr ? 0 : 1) - (b_tid == nullptr ? 0 : 1);
    }
    return *a_tid < *b_tid ? -1 : (*b_tid < *a_tid ? 1 : 0);
  }
  int compare(const IndexTuple& a, const IndexTuple& b) const {
    return compare(a, b, a.heap_tid(), b.heap_tid());
  }

  void check_all() {
    const char* meta = page_(kBtreeMetaBlock);
    const BtreeMetadata& metadata = btree_metadata(meta);
    if (metadata.magic != kBtreeMagic || metadata.version != kBtreeVersion ||
        special(meta).flags != kBtreeMeta) {
      wrong("metapage is none");
    }
    seen_.assign(blocks_, false);
    seen_[kBtreeMetaBlock] = true;
    height_ = metadata.level;
    if (metadata.root != kBtreeNone) {
      if (metadata.fast_level > metadata.level) wrong("fast root is above the root");
      BlockNumber leftmost = metadata.root;
      std::vector<BlockNumber> expected = {metadata.root};
      for (uint32_t level = metadata.level;; --level) {
        std::vector<const IndexTuple*> bounds = std::move(next_bounds_);
        next_bounds_.clear();
        expected = check_level(leftmost, level, metadata, expected, bounds);
        if (level == 0) break;
        leftmost = expected.at(0);
      }
    }
    for (BlockNumber block = 1; block < blocks_; ++block) check_unseen(block);
  }

  void check_unseen(BlockNumber block) {
    if (seen_[block]) return;
    const char* page = page_(block);
    if (page_is_new(page)) {
      ++free_;
    } else if (special(page).has(kBtreeDeleted)) {
      ++deleted_;
    } else {
      wrong("page {} is not part of the tree", block);
    }
  }

  /// Walks a level from left to right. `children`: the downlinks of the level above, in order, and
  /// `bounds` their keys. Returns the downlinks of this level.
  std::vector<BlockNumber> check_level(BlockNumber leftmost, uint32_t level,
                                       const BtreeMetadata& metadata,
                                       const std::vector<BlockNumber>& children,
                                       const std::vector<const IndexTuple*>& bounds) {
    std::vector<BlockNumber> downlinks;
    BlockNumber left = kBtreeNone;
    const IndexTuple* left_high_key = nullptr;
    bool left_incomplete = false;
    size_t child = 0;
    int pages = 0;
    BlockNumber only = kBtreeNone;
    // A half-dead page may stand to the left of the first downlink.
    BlockNumber block = leftmost;
    while (special(page_(block)).left != kBtreeNone) block = special(page_(block)).left;
    for (; block != kBtreeNone; ++pages) {
      if (block >= blocks_ || seen_[block]) wrong("page {} is linked twice or not there", block);
      seen_[block] = true;
      const char* page = page_(block);
      const BtreeSpecial& s = special(page);
      if (s.level != level) wrong("page {} has level {} instead of {}", block, s.level, level);
      if (s.is_leaf() != (level == 0)) wrong("page {} is or is not a leaf", block);
      if (s.left != left) wrong("page {} has left link {} instead of {}", block, s.left, left);
      // Between the two steps of its split the root is none any more, and named as one still.
      bool was_root = block == metadata.root && s.has(kBtreeIncompleteSplit);
      if (s.is_root() != (block == metadata.root) && !was_root) wrong("page {}: root flag", block);
      if (s.has(kBtreeDeleted)) wrong("page {} is deleted and linked", block);
      if (s.has(kBtreeHalfDead)) {
        ++half_dead_;
        if (level != 0) wrong("page {} is half dead and no leaf", block);
      } else {
        check_page(block, page, downlinks);
        bool has_downlink = child < children.size() && children[child] == block;
        if (has_downlink == left_incomplete) wrong("page {}: downlink and incomplete split", block);
        if (has_downlink) {
          if (!bounds.empty() && bounds[child] != nullptr && left_high_key != nullptr &&
              compare(*bounds[child], *left_high_key) != 0 &&
              compare(*bounds[child], *left_high_key) > 0) {
            wrong("page {}: key of its downlink is above the high key on its left", block);
          }
          if (!bounds.empty() && bounds[child] != nullptr) check_bound(block, page, *bounds[child]);
          ++child;
        }
        if (left_high_key != nullptr) check_bound(block, page, *left_high_key);
        left_incomplete = s.has(kBtreeIncompleteSplit);
        incomplete_ += left_incomplete ? 1 : 0;
        left_high_key = s.is_rightmost() ? nullptr : &item(page, 1);
      }
      only = block;
      left = block;
      block = s.right;
    }
    if (child != children.size())
      wrong("level {}: downlink to {} leads nowhere", level, children[child]);
    if (level == 0) leaves_ = static_cast<BlockNumber>(pages);
    if (level == metadata.fast_level && incomplete_ == 0 &&
        (pages != 1 || only != metadata.fast_root)) {
      wrong("fast root {} is not alone on its level", metadata.fast_root);
    }
    return downlinks;
  }

  /// Everything on the page is at or above a separator on its left.
  void check_bound(BlockNumber block, const char* page, const IndexTuple& bound) {
    int first = special(page).first_data();
    if (!special(page).is_leaf()) ++first;
    if (first <= page_item_count(page) && compare(bound, item(page, first)) > 0) {
      wrong("page {}: first item is below the separator on its left", block);
    }
  }

  void check_page(BlockNumber block, const char* page, std::vector<BlockNumber>& downlinks) {
    const PageHeader& header = page_header(page);
    const BtreeSpecial& s = special(page);
    if (header.special != kPageBytes - sizeof(BtreeSpecial) || header.lower > header.upper ||
        header.upper > header.special) {
      wrong("page {}: header", block);
    }
    int last = page_item_count(page);
    if (!s.is_rightmost() && last < 1) wrong("page {} has no high key", block);
    for (int i = 1; i <= last; ++i) {
      ItemId id = page_item_id(page, static_cast<OffsetNumber>(i));
      if (id.offset() < header.upper || id.offset() + id.length() > header.special ||
          id.offset() % 8 != 0 || id.length() % 8 != 0) {
        wrong("page {}, item {}: place", block, i);
      }
      if (item(page, i).size() != id.length()) wrong("page {}, item {}: size", block, i);
      bool is_high_key = i < s.first_data();
      if (item(page, i).is_pivot() != (is_high_key || !s.is_leaf())) {
        wrong("page {}, item {}: kind", block, i);
      }
    }
    const IndexTuple* high_key = s.is_rightmost() ? nullptr : &item(page, 1);
    const IndexTuple* before = nullptr;
    const ItemPointer* before_tid = nullptr;
    for (int i = s.first_data(); i <= last; ++i) {
      const IndexTuple& tuple = item(page, i);
      bool infinite = !s.is_leaf() && i == s.first_data();
      if (infinite && (tuple.size() != 8 || tuple.column_count(shape_) != 0)) {
        wrong("page {}: first item is not minus infinity", block);
      }
      if (before != nullptr && !infinite &&
          compare(*before, tuple, before_tid, tuple.heap_tid()) >= 0) {
        wrong("page {}, item {}: order", block, i);
      }
      const ItemPointer* highest = s.is_leaf() ? tuple.max_heap_tid() : tuple.heap_tid();
      if (high_key != nullptr && !infinite &&
          compare(tuple, *high_key, highest, high_key->heap_tid()) > (s.is_leaf() ? 0 : -1)) {
        wrong("page {}, item {} is above the high key", block, i);
      }
      before = &tuple;
      before_tid = highest;
      if (s.is_leaf()) {
        bool dead = page_item_id(page, static_cast<OffsetNumber>(i)).is_dead();
        for (const ItemPointer& tid : tuple.heap_tids()) {
          if (!entries_.empty() && entries_.back().tuple == &tuple &&
              !(entries_.back().tid < tid)) {
            wrong("page {}, item {}: posting list", block, i);
          }
          entries_.push_back({&tuple, tid, dead});
        }
      } else {
        downlinks.push_back(tuple.downlink());
        next_bounds_.push_back(infinite ? nullptr : &tuple);
      }
    }
  }

  const IndexShape& shape_;
  BlockNumber blocks_;
  PageSource page_;
  std::vector<bool> seen_;
  std::vector<Entry> entries_;
  std::vector<const IndexTuple*> next_bounds_;
  uint32_t height_ = 0;
  int deleted_ = 0, free_ = 0, incomplete_ = 0, half_dead_ = 0;
  BlockNumber leaves_ = 0;
};

}  // namespace cofork::testing_support
