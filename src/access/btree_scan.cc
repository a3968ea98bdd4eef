// Reading the leaves of a B-tree in order (see btree_scan.h; nbtsearch.c and nbtutils.c, 15).
#include "access/btree_scan.h"

#include <algorithm>
#include <cstring>

#include "model/task.h"
#include "support/error.h"

namespace cofork {

BtreeScan::BtreeScan(BtreeIndex& index, const Options& options) : index_(index), options_(options) {
  // Without WAL a page's LSN does not tell whether it has changed, which is what allows marking
  // entries dead without a pin kept.
  options_.hold_pins |= !index.relation.needs_wal();
}

BtreeScan::~BtreeScan() = default;

/// The items of the page are used up.
bool BtreeScan::next_page(ScanDirection direction) {
  if (impossible_) return false;
  if (page_.is_valid()) {
    if (step_page(direction)) return true;
  } else {
    if (!arrays_.empty()) start_arrays(direction);
    if (first_page(direction)) return true;
  }
  while (!arrays_.empty() && advance_arrays(direction)) {
    this_task().check_interrupts();
    if (first_page(direction)) return true;
  }
  return false;
}

bool BtreeScan::first_page(ScanDirection direction) {
  bool forward = direction == ScanDirection::kForward;
  Start start;
  make_start(direction, start);
  OffsetNumber from;
  if (start.from_end) {
    buffer_ = btree_get_endpoint(index_, 0, !forward);
    if (!buffer_.is_valid()) return false;
    ConstPage page = buffer_.page();
    from = forward ? btree_special(page).first_data() : page_item_count(page);
  } else {
    buffer_ = btree_search(index_, start.key, BtreeAccess::kRead, nullptr);
    if (!buffer_.is_valid()) return false;
    from = btree_binary_search(index_.shape, start.key, buffer_.page());
    if (start.go_back) --from;
  }
  page_ = {};
  page_.more_left = !forward;
  page_.more_right = forward;
  if (read_page(direction, from)) return true;
  return forward ? go_right(page_.right) : go_left();
}

/// To the page after (before) the current one.
bool BtreeScan::step_page(ScanDirection direction) {
  leave_page();
  if (direction == ScanDirection::kForward) {
    page_.more_left = true;
    buffer_.release();
    return go_right(page_.right);
  }
  page_.more_right = true;
  if (buffer_.is_valid()) {
    buffer_.lock_shared();
  } else {
    buffer_ = btree_get_page(index_, page_.block, BtreeAccess::kRead);
  }
  return go_left();
}

/// From `block` on to the right, to the first page with items that fit.
bool BtreeScan::go_right(BlockNumber block) {
  for (;;) {
    buffer_.release();
    if (block == kBtreeNone || !page_.more_right) break;
    this_task().check_interrupts();
    buffer_ = btree_get_page(index_, block, BtreeAccess::kRead);
    const BtreeSpecial& special = btree_special(static_cast<ConstPage>(buffer_.page()));
    block = special.right;
    if (!special.is_ignored() && read_page(ScanDirection::kForward, special.first_data())) {
      return true;
    }
  }
  end();
  return false;
}

/// From the page in buffer_, read-locked, on to the left.
bool BtreeScan::go_left() {
  while (page_.more_left) {
    buffer_ = walk_left(std::move(buffer_));
    if (!buffer_.is_valid()) break;
    ConstPage page = buffer_.page();
    if (!btree_special(page).is_ignored() &&
        read_page(ScanDirection::kBackward, page_item_count(page))) {
      return true;
    }
  }
  end();
  return false;
}

/// The left neighbour of a page, locked like it; invalid at the left end (_bt_walk_left). While
/// nothing is locked the neighbour may be split (the new neighbour is to its right) or deleted, and
/// so may the page itself.
Buffer BtreeScan::walk_left(Buffer buffer) {
  constexpr int kPagesToTry = 4;
  for (;;) {
    const BtreeSpecial* special = &btree_special(static_cast<ConstPage>(buffer.page()));
    if (special->is_leftmost()) return {};
    BlockNumber original = buffer.block();
    BlockNumber left = special->left;
    buffer.release();
    this_task().check_interrupts();
    buffer = btree_get_page(index_, left, BtreeAccess::kRead);
    for (int tries = 0;; ++tries) {
      special = &btree_special(static_cast<ConstPage>(buffer.page()));
      if (!special->has(kBtreeDeleted) && special->right == original) return buffer;
      if (special->is_rightmost() || tries == kPagesToTry) break;
      BlockNumber right = special->right;
      buffer.release();
      buffer = btree_get_page(index_, right, BtreeAccess::kRead);
    }
    buffer.release();
    buffer = find_again(original, left);
  }
}

/// The page `original` whose left link was `left`, or, when it is deleted, the one that has taken
/// over its keys.
Buffer BtreeScan::find_again(BlockNumber original, BlockNumber left) {
  Buffer buffer = btree_get_page(index_, original, BtreeAccess::kRead);
  const BtreeSpecial* special = &btree_special(static_cast<ConstPage>(buffer.page()));
  if (!special->has(kBtreeDeleted)) {
    if (special->left == left) {
      throw Error(sqlstate::kInternalError,
                  "could not find left sibling of block {} in index \"{}\"", original,
                  index_.relation.name);
    }
    return buffer;
  }
  while (special->has(kBtreeDeleted)) {
    if (special->is_rightmost()) {
      throw Error(sqlstate::kInternalError, "fell off the end of index \"{}\"",
                  index_.relation.name);
    }
    BlockNumber right = special->right;
    buffer.release();
    buffer = btree_get_page(index_, right, BtreeAccess::kRead);
    special = &btree_special(static_cast<ConstPage>(buffer.page()));
  }
  return buffer;
}

/// Notes the items of the page in buffer_ that fit, beginning at `from`. True: there are some, and
/// the page is unlocked. False: there are none, and it is still locked. (_bt_readpage)
bool BtreeScan::read_page(ScanDirection direction, OffsetNumber from) {
  ConstPage page = buffer_.page();
  page_.block = buffer_.block();
  page_.right = btree_special(page).right;
  page_.lsn = buffer_.lsn();
  items_.clear();
  tuples_.clear();
  killed_.clear();
  bool go_on = true;
  if (direction == ScanDirection::kForward) {
    read_forward(from, go_on);
    page_.more_right &= go_on;
  } else {
    read_backward(from, go_on);
    page_.more_left &= go_on;
    std::reverse(items_.begin(), items_.end());
  }
  last_ = static_cast<int>(items_.size()) - 1;
  position_ = direction == ScanDirection::kForward ? 0 : last_;
  if (items_.empty()) return false;
  buffer_.unlock();
  if (!options_.hold_pins) buffer_.release();
  return true;
}

void BtreeScan::read_forward(OffsetNumber from, bool& go_on) {
  ConstPage page = buffer_.page();
  const BtreeSpecial& special = btree_special(page);
  OffsetNumber last = page_item_count(page);
  int columns = index_.shape.key_count();
  for (OffsetNumber i = std::max(from, special.first_data()); i <= last && go_on; ++i) {
    if (options_.ignore_killed && page_item_id(page, i).is_dead()) continue;
    const IndexTuple& tuple = btree_item(page, i);
    if (fits(tuple, columns, ScanDirection::kForward, go_on)) save_tuple(tuple, i, false);
  }
  // The high key may show that the next page is not worth visiting.
  if (go_on && !special.is_rightmost()) {
    const IndexTuple& high_key = btree_item(page, kBtreeHighKey);
    fits(high_key, high_key.column_count(index_.shape), ScanDirection::kForward, go_on);
  }
}

void BtreeScan::read_backward(OffsetNumber from, bool& go_on) {
  ConstPage page = buffer_.page();
  OffsetNumber first = btree_special(page).first_data();
  int columns = index_.shape.key_count();
  for (OffsetNumber i = std::min(from, page_item_count(page)); i >= first && go_on; --i) {
    bool dead = options_.ignore_killed && page_item_id(page, i).is_dead();
    // A killed first item can still show that the page on the left is not worth visiting.
    if (dead && i > first) continue;
    const IndexTuple& tuple = btree_item(page, i);
    if (fits(tuple, columns, ScanDirection::kBackward, go_on) && !dead) save_tuple(tuple, i, true);
  }
}

void BtreeScan::save_tuple(const IndexTuple& tuple, OffsetNumber number, bool backward) {
  auto tuple_offset = static_cast<uint32_t>(tuples_.size());
  if (options_.want_tuples) {
    size_t bytes = tuple.is_posting() ? tuple.posting_offset() : tuple.size();
    tuples_.insert(tuples_.end(), tuple.bytes(), tuple.bytes() + bytes);
    auto* copy = reinterpret_cast<IndexTuple*>(tuples_.data() + tuple_offset);
    copy->set_size(bytes);
    copy->t_info &= static_cast<uint16_t>(~IndexTuple::kAlternativeTid);
  }
  std::span<const ItemPointer> tids = tuple.heap_tids();
  // What is read backwards is turned round as a whole later.
  for (size_t i = 0; i < tids.size(); ++i) {
    items_.push_back({tids[backward ? tids.size() - 1 - i : i], number, tuple_offset});
  }
}

/// Before the current page's items are given up.
void BtreeScan::leave_page() {
  if (!killed_.empty()) kill_items();
  if (!mark_.on_this_page) return;
  mark_.on_this_page = false;
  mark_.page = page_;
  mark_.items = items_;
  mark_.tuples = tuples_;
  if (buffer_.is_valid()) mark_.buffer = buffer_.pin_again();
}

void BtreeScan::end() {
  if (page_.is_valid()) leave_page();
  buffer_.release();
  page_ = {};
  items_.clear();
  killed_.clear();
  last_ = position_ = -1;
}

/// Marks entries dead whose rows nobody can see (_bt_killitems). A hint: nothing is lost if the
/// page has changed meanwhile and it is not done.
void BtreeScan::kill_items() {
  Buffer own;
  if (!buffer_.is_valid()) {
    own = btree_get_page(index_, page_.block, BtreeAccess::kRead);
    // A row's address might have been given to another row, and that been entered here.
    if (own.lsn() != page_.lsn) {
      killed_.clear();
      return;
    }
  } else {
    buffer_.lock_shared();
  }
  Buffer& buffer = buffer_.is_valid() ? buffer_ : own;
  Page page = buffer.page();
  std::vector<ItemPointer> dead_rows;
  for (int i : killed_) dead_rows.push_back(items_[static_cast<size_t>(i)].tid);
  std::sort(dead_rows.begin(), dead_rows.end());
  auto is_dead = [&](const ItemPointer& tid) {
    return std::binary_search(dead_rows.begin(), dead_rows.end(), tid);
  };
  bool any = false;
  OffsetNumber last = page_item_count(page);
  for (int i : killed_) {
    const Item& item = items_[static_cast<size_t>(i)];
    // With a pin kept, insertions may have moved the entry to the right, or off the page.
    for (OffsetNumber at = item.offset; at <= last; ++at) {
      std::span<const ItemPointer> tids = btree_item(static_cast<ConstPage>(page), at).heap_tids();
      if (std::find(tids.begin(), tids.end(), item.tid) == tids.end()) continue;
      ItemId& id = page_item_id(page, at);
      if (!id.is_dead() && std::all_of(tids.begin(), tids.end(), is_dead)) {
        id.mark_dead();
        any = true;
      }
      break;
    }
  }
  killed_.clear();
  if (any) {
    btree_special(page).set(kBtreeHasGarbage);
    buffer.mark_dirty_hint();
  }
  if (buffer_.is_valid()) buffer_.unlock();
}

void BtreeScan::mark() {
  mark_ = {};
  if (!page_.is_valid()) return;
  mark_.on_this_page = true;
  mark_.position = position_;
  for (const Array& array : arrays_) mark_.arrays.push_back(array.current);
}

void BtreeScan::restore() {
  if (mark_.on_this_page) {
    position_ = mark_.position;
  } else if (mark_.page.is_valid()) {
    if (page_.is_valid() && !killed_.empty()) kill_items();
    page_ = mark_.page;
    items_ = mark_.items;
    tuples_ = mark_.tuples;
    killed_.clear();
    last_ = static_cast<int>(items_.size()) - 1;
    position_ = mark_.position;
    buffer_.release();
    if (mark_.buffer.is_valid()) buffer_ = mark_.buffer.pin_again();
    // The mark is on the current page again: no need for the copies.
    std::vector<size_t> arrays = std::move(mark_.arrays);
    int position = mark_.position;
    mark_ = {};
    mark_.on_this_page = true;
    mark_.position = position;
    mark_.arrays = std::move(arrays);
  } else {
    end();
  }
  for (size_t i = 0; i < mark_.arrays.size(); ++i) {
    arrays_[i].current = mark_.arrays[i];
    keys_[arrays_[i].key].value = arrays_[i].elements[arrays_[i].current];
  }
}

}  // namespace cofork
