// Putting tuples on pages, and splitting pages (see btree_change.h; nbtinsert.c, 15).
//
//   1. The page is divided in two halves; the right half is a new page. One record; the left half
//   is
//      marked "incomplete split", because nothing above leads to the right half yet.
//   2. A downlink to the right half goes into the parent, which may split in turn, or into a new
//      root. Its record clears the mark.
//
// Whoever fails between the two leaves a tree that can be searched: the left half links to the
// right. The next one who comes to change something there finishes the split.
#include <algorithm>
#include <cstring>
#include <memory>

#include "access/btree_change.h"
#include "access/btree_split_choice.h"
#include "log/log.h"
#include "model/stack.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

namespace {

[[noreturn]] void throw_cannot_add(const BtreeIndex& index, const char* what, BlockNumber block) {
  throw Error(sqlstate::kInternalError, "failed to add {} to block {} in index \"{}\"", what, block,
              index.relation.name);
}

/// One split: what becomes of the items, then the pages.
class PageSplit {
 public:
  PageSplit(BtreeIndex& index, Buffer& left, const BtreeInsertion& insertion,
            const IndexTuple* original_tuple, const IndexTuple* new_posting)
      : index_(index),
        left_(left),
        old_page_(left.page()),
        old_special_(btree_special(old_page_)),
        insertion_(insertion),
        original_tuple_(original_tuple),
        new_posting_(new_posting) {}

  /// Returns the right half, locked; lets go of the child whose split the new tuple completes.
  Buffer run(Buffer& child);

 private:
  const IndexTuple& old_item(OffsetNumber number) const {
    if (new_posting_ != nullptr && number + 1 == insertion_.offset) return *new_posting_;
    return btree_item(old_page_, number);
  }
  const IndexTuple* left_high_key();
  void fill_pages();
  void add(BtreePageCopy& page, const IndexTuple& tuple);
  Buffer lock_right_sibling();
  void change_pages(Buffer& right, Buffer& sibling, Buffer& child);
  void log(Buffer& right, Buffer& sibling, Buffer& child);

  BtreeIndex& index_;
  Buffer& left_;
  ConstPage old_page_;
  const BtreeSpecial& old_special_;
  const BtreeInsertion& insertion_;
  const IndexTuple* original_tuple_;  ///< as it came, before a posting list was split
  const IndexTuple* new_posting_;
  SplitPlace place_{};
  std::unique_ptr<BtreePageCopy[]> copies_ = std::make_unique<BtreePageCopy[]>(2);
  BtreePageCopy& left_page_ = copies_[0];
  BtreePageCopy& right_page_ = copies_[1];
  Arena arena_;
};

const IndexTuple* PageSplit::left_high_key() {
  bool new_at_split = insertion_.offset == place_.first_right;
  const IndexTuple& first_right =
      new_at_split && !place_.new_item_on_left ? *insertion_.tuple : old_item(place_.first_right);
  if (!old_special_.is_leaf()) return &first_right;
  const IndexTuple& last_left = new_at_split && place_.new_item_on_left
                                    ? *insertion_.tuple
                                    : old_item(static_cast<OffsetNumber>(place_.first_right - 1));
  return index_truncate(index_.shape, last_left, first_right, arena_);
}

void PageSplit::add(BtreePageCopy& page, const IndexTuple& tuple) {
  auto where = static_cast<OffsetNumber>(page_item_count(page.bytes) + 1);
  // What was a separator in front of the right page's first child is minus infinity there.
  bool cut = &page == &right_page_ && !old_special_.is_leaf() &&
             where == btree_special(static_cast<ConstPage>(page.bytes)).first_data();
  if (!btree_add_item(page.bytes, where, tuple, cut)) {
    const char* what =
        &page == &left_page_ ? "old item to the left sibling" : "old item to the right sibling";
    throw Error(sqlstate::kInternalError,
                "failed to add {} while splitting block {} of index \"{}\"", what, left_.block(),
                index_.relation.name);
  }
}

/// Divides the items over the two copies. The links are set when the right half has its number.
void PageSplit::fill_pages() {
  uint16_t cycle = btree_vacuum_cycle(index_);
  for (BtreePageCopy* page : {&left_page_, &right_page_}) {
    btree_page_init(page->bytes);
    BtreeSpecial& special = btree_special(page->bytes);
    special = old_special_;
    special.clear(kBtreeRoot | kBtreeSplitEnd | kBtreeHasGarbage);
    special.cycle = cycle;
  }
  // Not rightmost from now on, and changed last when the old page was.
  btree_special(left_page_.bytes).set(kBtreeIncompleteSplit);
  set_page_lsn(left_page_.bytes, page_lsn(old_page_));

  add(left_page_, *left_high_key());
  if (!old_special_.is_rightmost()) add(right_page_, btree_item(old_page_, kBtreeHighKey));
  OffsetNumber last = page_item_count(old_page_);
  BtreePageCopy& new_side = place_.new_item_on_left ? left_page_ : right_page_;
  for (OffsetNumber i = old_special_.first_data(); i <= last; ++i) {
    if (i == insertion_.offset) add(new_side, *insertion_.tuple);
    add(i < place_.first_right ? left_page_ : right_page_, old_item(i));
  }
  if (insertion_.offset > last) add(right_page_, *insertion_.tuple);
}

/// The page on the right of the old one, whose left link is to change; invalid when there is none.
Buffer PageSplit::lock_right_sibling() {
  if (old_special_.is_rightmost()) return {};
  Buffer sibling = btree_get_page(index_, old_special_.right, BtreeAccess::kWrite);
  const BtreeSpecial& special = btree_special(static_cast<ConstPage>(sibling.page()));
  if (special.left != left_.block()) {
    throw Error(sqlstate::kIndexCorrupted,
                "right sibling's left-link doesn't match: block {} links to {} instead of expected "
                "{} in index \"{}\"",
                sibling.block(), special.left, left_.block(), index_.relation.name);
  }
  // The last page of those that this vacuum cycle has seen split.
  if (special.cycle != btree_special(right_page_.bytes).cycle) {
    btree_special(right_page_.bytes).set(kBtreeSplitEnd);
  }
  return sibling;
}

Buffer PageSplit::run(Buffer& child) {
  place_ = btree_choose_split(old_page_, index_.shape, insertion_.offset, *insertion_.tuple,
                              index_.relation.fillfactor, index_.relation.name.c_str());
  fill_pages();
  Buffer sibling = lock_right_sibling();
  // Nothing may fail from here on: the new page would be lost.
  Buffer right = btree_new_page(index_);
  change_pages(right, sibling, child);
  child.release();
  return right;
}

void PageSplit::change_pages(Buffer& right, Buffer& sibling, Buffer& child) {
  btree_special(left_page_.bytes).right = right.block();
  btree_special(right_page_.bytes).left = left_.block();
  CriticalSection critical;
  std::memcpy(right.page(), right_page_.bytes, kPageBytes);
  std::memcpy(left_.page(), left_page_.bytes, kPageBytes);
  left_.mark_dirty();
  right.mark_dirty();
  if (sibling.is_valid()) {
    btree_special(sibling.page()).left = right.block();
    sibling.mark_dirty();
  }
  if (child.is_valid()) {
    btree_special(child.page()).clear(kBtreeIncompleteSplit);
    child.mark_dirty();
  }
  log(right, sibling, child);
  critical.end();
}

void PageSplit::log(Buffer& right, Buffer& sibling, Buffer& child) {
  // The pages have been overwritten: `old_page_` is the left half now.
  BtreeSplitRecord body{
      .level = btree_special(left_page_.bytes).level,
      .first_right = place_.first_right,
      .new_item = insertion_.offset,
      .posting_place = 0,
  };
  // A posting list that went right as a whole is in the right page's bytes.
  if (new_posting_ != nullptr && insertion_.offset - 1 < place_.first_right) {
    body.posting_place = static_cast<uint16_t>(insertion_.posting_place);
  }
  BtreeRecordWriter record(index_, place_.new_item_on_left ? kBtreeSplitLeft : kBtreeSplitRight);
  record.block(0, left_, kWalBlockStandardPage);
  if (body.posting_place != 0) {
    record.data(0, original_tuple_, original_tuple_->size());
  } else if (place_.new_item_on_left) {
    record.data(0, insertion_.tuple, insertion_.tuple->size());
  }
  const IndexTuple& high_key = btree_item(static_cast<ConstPage>(left_page_.bytes), kBtreeHighKey);
  record.data(0, &high_key, high_key.size());
  record.block(1, right, kWalBlockReinitialized);
  const PageHeader& header = page_header(static_cast<ConstPage>(right_page_.bytes));
  record.data(1, right_page_.bytes + header.upper, size_t{header.special} - header.upper);
  if (sibling.is_valid()) record.block(2, sibling, kWalBlockStandardPage);
  if (child.is_valid()) record.block(3, child, kWalBlockStandardPage);
  record.main(&body, kBtreeSplitRecordBytes);
  record.insert({&left_, &right, &sibling, &child});
}

/// A new root above the two halves of the old one (_bt_newroot).
void add_root(BtreeIndex& index, Buffer& left, Buffer& right) {
  Buffer root = btree_new_page(index);
  Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kWrite);
  Arena arena;
  IndexTuple left_item = btree_minus_infinity(left.block());
  IndexTuple* right_item =
      copy_index_tuple(btree_item(static_cast<ConstPage>(left.page()), kBtreeHighKey), arena);
  right_item->set_downlink(right.block());
  uint32_t level = btree_special(left.page()).level + 1;

  CriticalSection critical;
  btree_special(root.page()) = {kBtreeNone, kBtreeNone, level, kBtreeRoot, 0};
  if (!btree_add_item(root.page(), 1, left_item, false)) {
    throw_cannot_add(index, "leftkey to new root page", root.block());
  }
  if (!btree_add_item(root.page(), 2, *right_item, false)) {
    throw_cannot_add(index, "rightkey to new root page", root.block());
  }
  BtreeMetadata& metadata = btree_metadata(meta.page());
  metadata.root = metadata.fast_root = root.block();
  metadata.level = metadata.fast_level = level;
  btree_special(left.page()).clear(kBtreeIncompleteSplit);
  root.mark_dirty();
  meta.mark_dirty();
  left.mark_dirty();
  BtreeRecordWriter record(index, kBtreeNewRoot);
  BtreeNewRootRecord body{root.block(), level};
  record.block(0, root, kWalBlockReinitialized);
  const PageHeader& header = page_header(static_cast<ConstPage>(root.page()));
  record.data(0, root.page() + header.upper, size_t{header.special} - header.upper);
  record.block(1, left, kWalBlockStandardPage);
  record.meta(2, meta);
  record.main(&body, sizeof body);
  record.insert({&root, &left, &meta});
  critical.end();
  index.metadata.reset();
}

/// Enters the right half of a split one level up (_bt_insert_parent).
void insert_downlink(BtreeIndex& index, Buffer left, Buffer right, BtreeStack stack, bool was_root,
                     bool was_only) {
  if (was_root) {
    add_root(index, left, right);
    return;
  }
  if (stack.empty()) {
    // The way down began below: at a page that was the root then, or at a remembered leaf. The
    // parent is somewhere on the level above.
    uint32_t level = btree_special(left.page()).level + 1;
    index.last_rightmost = kInvalidBlock;
    Buffer leftmost = btree_get_endpoint(index, level, false);
    stack.push_back({leftmost.block(), kInvalidOffset});
  }
  Arena arena;
  IndexTuple* tuple =
      copy_index_tuple(btree_item(static_cast<ConstPage>(left.page()), kBtreeHighKey), arena);
  tuple->set_downlink(right.block());
  // The parent's item cannot go away while its child is locked.
  Buffer parent = btree_find_parent(index, stack, left.block());
  BlockNumber right_block = right.block();
  right.release();
  if (!parent.is_valid()) {
    throw Error(sqlstate::kIndexCorrupted,
                "failed to re-find parent key in index \"{}\" for split pages {}/{}",
                index.relation.name, left.block(), right_block);
  }
  auto offset = static_cast<OffsetNumber>(stack.back().offset + 1);
  stack.pop_back();
  btree_insert_on_page(index, std::move(parent), std::move(left), std::move(stack),
                       {.tuple = tuple, .offset = offset, .only_page_of_level = was_only});
}

/// The page had room: one record (the second half of _bt_insertonpg).
void insert_where_it_fits(BtreeIndex& index, Buffer& buffer, Buffer& child,
                          const BtreeInsertion& insertion, const IndexTuple& original_tuple,
                          const IndexTuple* new_posting) {
  Page page = buffer.page();
  const BtreeSpecial& special = btree_special(page);
  Buffer meta;
  if (insertion.only_page_of_level) {
    meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kWrite);
    if (btree_metadata(meta.page()).fast_level >= special.level) meta.release();
  }
  CriticalSection critical;
  if (new_posting != nullptr) {
    IndexTuple& posting = btree_item(page, static_cast<OffsetNumber>(insertion.offset - 1));
    std::memcpy(static_cast<void*>(&posting), new_posting, new_posting->size());
  }
  if (!btree_add_item(page, insertion.offset, *insertion.tuple, false)) {
    throw_cannot_add(index, "new item", buffer.block());
  }
  buffer.mark_dirty();
  if (meta.is_valid()) {
    // The level below has more than one page now, and this one is alone.
    BtreeMetadata& metadata = btree_metadata(meta.page());
    metadata.fast_root = buffer.block();
    metadata.fast_level = special.level;
    meta.mark_dirty();
  }
  if (child.is_valid()) {
    btree_special(child.page()).clear(kBtreeIncompleteSplit);
    child.mark_dirty();
  }
  BtreeRecord kind = special.is_leaf()
                         ? (new_posting != nullptr ? kBtreeInsertPosting : kBtreeInsertLeaf)
                         : (meta.is_valid() ? kBtreeInsertMeta : kBtreeInsertUpper);
  BtreeRecordWriter record(index, kind);
  BtreeInsertRecord body{insertion.offset};
  auto posting_place = static_cast<uint16_t>(insertion.posting_place);
  record.block(0, buffer, kWalBlockStandardPage);
  if (new_posting != nullptr) record.data(0, &posting_place, sizeof posting_place);
  const IndexTuple& logged = new_posting != nullptr ? original_tuple : *insertion.tuple;
  record.data(0, &logged, logged.size());
  if (child.is_valid()) record.block(1, child, kWalBlockStandardPage);
  if (meta.is_valid()) record.meta(2, meta);
  record.main(&body, sizeof body);
  record.insert({&buffer, &child, &meta});
  critical.end();
  if (meta.is_valid()) index.metadata.reset();
}

}  // namespace

void btree_insert_on_page(BtreeIndex& index, Buffer buffer, Buffer child, BtreeStack stack,
                          const BtreeInsertion& insertion) {
  ConstPage page = buffer.page();
  const BtreeSpecial& special = btree_special(page);
  if (special.has(kBtreeIncompleteSplit)) {
    throw Error(sqlstate::kInternalError, "cannot insert to incompletely split page {}",
                buffer.block());
  }
  Arena arena;
  const IndexTuple* original_tuple = insertion.tuple;
  const IndexTuple* new_posting = nullptr;
  BtreeInsertion changed = insertion;
  if (insertion.posting_place > 0) {
    changed.tuple = copy_index_tuple(*insertion.tuple, arena);
    new_posting = btree_swap_posting(
        *changed.tuple, btree_item(page, static_cast<OffsetNumber>(insertion.offset - 1)),
        insertion.posting_place, arena);
  }
  if (page_free_space(page) < changed.tuple->size()) {
    bool was_root = special.is_root();
    bool was_only = special.is_leftmost() && special.is_rightmost();
    Buffer right = PageSplit(index, buffer, changed, original_tuple, new_posting).run(child);
    with_stack([&] {
      insert_downlink(index, std::move(buffer), std::move(right), std::move(stack), was_root,
                      was_only);
    });
    return;
  }
  insert_where_it_fits(index, buffer, child, changed, *original_tuple, new_posting);
  // Growing keys will come to the same leaf: worth remembering once the way to it is long.
  if (special.is_leaf() && special.is_rightmost() && !special.is_root()) {
    BlockNumber block = buffer.block();
    buffer.release();
    constexpr uint32_t kWorthRemembering = 2;
    if (btree_height(index) >= kWorthRemembering) index.last_rightmost = block;
  }
}

void btree_finish_split(BtreeIndex& index, Buffer left, BtreeStack stack) {
  const BtreeSpecial& special = btree_special(static_cast<ConstPage>(left.page()));
  Buffer right = btree_get_page(index, special.right, BtreeAccess::kWrite);
  bool was_root = false;
  if (stack.empty()) {
    Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kWrite);
    was_root = btree_checked_metadata(index, meta).root == left.block();
  }
  bool was_only = special.is_leftmost() && btree_special(right.page()).is_rightmost();
  log(Severity::kDebug1, "finishing incomplete split of {}/{}", left.block(), right.block());
  insert_downlink(index, std::move(left), std::move(right), std::move(stack), was_root, was_only);
}

Buffer btree_find_parent(BtreeIndex& index, BtreeStack& stack, BlockNumber child) {
  BlockNumber block = stack.back().block;
  OffsetNumber start = stack.back().offset;
  for (;;) {
    Buffer buffer = btree_get_page(index, block, BtreeAccess::kWrite);
    ConstPage page = buffer.page();
    const BtreeSpecial& special = btree_special(page);
    if (special.has(kBtreeIncompleteSplit)) {
      btree_finish_split(index, std::move(buffer), stack.without_last());
      continue;
    }
    if (!special.is_ignored()) {
      OffsetNumber first = special.first_data();
      OffsetNumber last = page_item_count(page);
      start = std::clamp(start, first, static_cast<OffsetNumber>(last + 1));
      // From where it was to the right, where insertions have moved it; then to the left.
      auto leads_to_child = [&](OffsetNumber i) {
        if (btree_item(page, i).downlink() != child) return false;
        stack.back() = {block, i};
        return true;
      };
      for (OffsetNumber i = start; i <= last; ++i) {
        if (leads_to_child(i)) return buffer;
      }
      for (auto i = static_cast<OffsetNumber>(start - 1); i >= first; --i) {
        if (leads_to_child(i)) return buffer;
      }
    }
    if (special.is_rightmost()) return {};
    block = special.right;
    start = kInvalidOffset;
  }
}

}  // namespace cofork
