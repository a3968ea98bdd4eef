// See btree_delete_page.h.
//
//   1. half dead: the parent's item of the page takes over the downlink of its right neighbour,
//   whose
//      own item goes. So the keys of the page belong to the neighbour now. Where the page is an
//      only child, this is done to the highest ancestor of which that is true; the leaf remembers
//      it.
//   2. deleted: from that ancestor down to the leaf, each page is taken out from between its
//      neighbours. It keeps its links, for those who are on the way to it.
#include "access/btree_delete_page.h"

#include "access/btree_change.h"
#include "log/log.h"
#include "model/task.h"
#include "support/error.h"
#include "txn/variable_cache.h"

namespace cofork {

namespace {

class PageDeletion {
 public:
  PageDeletion(BtreeIndex& index, Buffer leaf, BlockNumber scanned_block, IndexVacuumResult& result,
               std::vector<BtreeDeletedPage>& deleted)
      : index_(index),
        leaf_(std::move(leaf)),
        scanned_block_(scanned_block),
        result_(result),
        deleted_(deleted) {}

  void run();

 private:
  /// The page whose downlink is to go, in its parent, which is locked.
  struct Subtree {
    Buffer parent;
    OffsetNumber parent_item = 0;
    BlockNumber top = kInvalidBlock;  ///< the page the downlink leads to
    BlockNumber top_right = kBtreeNone;
  };
  /// The pages an unlinking changes.
  struct Neighbours {
    BlockNumber target;
    uint32_t level = 0;
    BlockNumber left_block = kBtreeNone;
    BlockNumber right_block = kBtreeNone;
    BlockNumber next_top = kInvalidBlock;  ///< the page below the target, unless that is the leaf
    Buffer left, page, right, meta;        ///< `page` is empty when the leaf is the target
  };
  BtreeSpecial& leaf_special() { return btree_special(leaf_.page()); }
  bool can_be_deleted();
  bool find_way();
  bool left_split_is_incomplete(BlockNumber left, BlockNumber block);
  bool is_half_dead(BlockNumber block);
  bool right_is_half_dead(BlockNumber block, BlockNumber right);
  bool lock_subtree(BlockNumber child, BlockNumber child_right, BtreeStack stack, Subtree& subtree);
  bool mark_half_dead();
  bool unlink(bool& right_is_empty);
  bool lock_left(Neighbours& pages);
  void check_target(Neighbours& pages, ConstPage page);
  void lock_right(Neighbours& pages, bool& right_is_empty);
  void change_links(Neighbours& pages, BlockNumber leaf_left, BlockNumber leaf_right);

  BtreeIndex& index_;
  Buffer leaf_;
  BlockNumber scanned_block_;
  IndexVacuumResult& result_;
  std::vector<BtreeDeletedPage>& deleted_;
  bool way_known_ = false;
  BtreeStack stack_;
};

void PageDeletion::run() {
  for (;;) {
    if (!leaf_special().has(kBtreeHalfDead)) {
      if (!can_be_deleted()) return;
      if (!way_known_) {
        // Finding the parent means searching from the root, and that without locks.
        if (!find_way()) return;
        continue;
      }
      if (!mark_half_dead()) return;
    }
    bool right_is_empty = false;
    while (leaf_special().has(kBtreeHalfDead)) {
      if (!unlink(right_is_empty)) return;
    }
    BlockNumber right = leaf_special().right;
    leaf_.release();
    this_task().check_interrupts();
    if (!right_is_empty) return;
    leaf_ = btree_get_page(index_, right, BtreeAccess::kWrite);
  }
}

bool PageDeletion::can_be_deleted() {
  const BtreeSpecial& special = leaf_special();
  return special.is_leaf() && !special.has(kBtreeDeleted) && !special.is_rightmost() &&
         !special.is_root() && !special.has(kBtreeIncompleteSplit) &&
         page_item_count(leaf_.page()) < special.first_data();
}

/// Searches for the leaf's high key, to know the way to its parent. The leaf is unlocked meanwhile:
/// all has to be looked at again. False when it cannot be deleted.
bool PageDeletion::find_way() {
  Arena arena;
  const IndexTuple* high_key =
      copy_index_tuple(btree_item(static_cast<ConstPage>(leaf_.page()), kBtreeHighKey), arena);
  BlockNumber left = leaf_special().left;
  leaf_.unlock();
  // The left neighbour's split may have made this page, with no downlink yet.
  if (left_split_is_incomplete(left, leaf_.block())) return false;
  SearchKey key;
  btree_key_of(index_.shape, *high_key, key);
  key.heap_tid = high_key->heap_tid();
  key.pivot_search = true;
  stack_.clear();
  btree_search(index_, key, BtreeAccess::kRead, &stack_);
  way_known_ = true;
  leaf_.lock_exclusive();
  return true;
}

bool PageDeletion::left_split_is_incomplete(BlockNumber left, BlockNumber block) {
  if (left == kBtreeNone) return false;
  Buffer buffer = btree_get_page(index_, left, BtreeAccess::kRead);
  const BtreeSpecial& special = btree_special(buffer.page());
  return special.right == block && special.has(kBtreeIncompleteSplit);
}

bool PageDeletion::is_half_dead(BlockNumber block) {
  Buffer buffer = btree_get_page(index_, block, BtreeAccess::kRead);
  return btree_special(buffer.page()).has(kBtreeHalfDead);
}

/// A half-dead neighbour has no downlink that could be taken over.
bool PageDeletion::right_is_half_dead(BlockNumber block, BlockNumber right) {
  if (!is_half_dead(right)) return false;
  log(Severity::kDebug1, "could not delete page {} because its right sibling {} is half-dead",
      block, right);
  return true;
}

/// Finds the highest page that would be left without children, and locks its parent
/// (_bt_lock_subtree_parent). False when that would be a page that must stay.
bool PageDeletion::lock_subtree(BlockNumber child, BlockNumber child_right, BtreeStack stack,
                                Subtree& subtree) {
  for (;;) {
    subtree.top = child;
    subtree.top_right = child_right;
    subtree.parent = stack.empty() ? Buffer() : btree_find_parent(index_, stack, child);
    if (!subtree.parent.is_valid()) {
      log(Severity::kLog,
          "failed to re-find parent key in index \"{}\" for deletion target page {}",
          index_.relation.name, child);
      return false;
    }
    ConstPage page = subtree.parent.page();
    const BtreeSpecial& special = btree_special(page);
    OffsetNumber item = stack.back().offset;
    subtree.parent_item = item;
    if (item < page_item_count(page)) return true;
    // The last child: its right neighbour belongs to another parent. Only with the parent itself.
    if (item != special.first_data() || special.is_rightmost()) return false;
    child = subtree.parent.block();
    child_right = special.right;
    BlockNumber left = special.left;
    subtree.parent.release();
    stack.pop_back();
    if (left_split_is_incomplete(left, child) || right_is_half_dead(child, child_right)) {
      return false;
    }
  }
}

/// Step 1 (_bt_mark_page_halfdead).
bool PageDeletion::mark_half_dead() {
  const BtreeSpecial& special = leaf_special();
  BlockNumber leaf_block = leaf_.block();
  if (right_is_half_dead(leaf_block, special.right)) return false;
  Subtree subtree;
  if (!lock_subtree(leaf_block, special.right, stack_, subtree)) return false;
  Page parent = subtree.parent.page();
  auto next = static_cast<OffsetNumber>(subtree.parent_item + 1);
  BlockNumber next_child = btree_item(parent, next).downlink();
  if (next_child != subtree.top_right) {
    throw Error(sqlstate::kIndexCorrupted,
                "right sibling {} of block {} is not next child {} of block {} in index \"{}\"",
                subtree.top_right, subtree.top, next_child, subtree.parent.block(),
                index_.relation.name);
  }
  BtreeHalfDeadRecord body{
      .parent_item = subtree.parent_item,
      .padding = 0,
      .leaf = leaf_block,
      .left = special.left,
      .right = special.right,
      .top_parent = subtree.top == leaf_block ? kInvalidBlock : subtree.top,
  };
  CriticalSection critical;
  btree_item(parent, subtree.parent_item).set_downlink(subtree.top_right);
  page_index_tuple_delete(parent, next);
  leaf_special().set(kBtreeHalfDead);
  IndexTuple dummy = btree_half_dead_item(body.top_parent);
  if (!page_index_tuple_overwrite(leaf_.page(), kBtreeHighKey, &dummy, sizeof dummy)) {
    throw Error(sqlstate::kInternalError, "could not overwrite high key in half-dead page");
  }
  subtree.parent.mark_dirty();
  leaf_.mark_dirty();
  BtreeRecordWriter record(index_, kBtreeMarkPageHalfDead);
  record.block(0, leaf_, kWalBlockReinitialized);
  record.block(1, subtree.parent, kWalBlockStandardPage);
  record.main(&body, sizeof body);
  record.insert({&subtree.parent, &leaf_});
  critical.end();
  return true;
}

/// Step 2, for one page of the branch: the highest first, the leaf last (_bt_unlink_halfdead_page).
/// False when it could not be done: the leaf is let go of then, and stays half dead for the next
/// VACUUM.
bool PageDeletion::unlink(bool& right_is_empty) {
  BlockNumber leaf_left = leaf_special().left;
  BlockNumber leaf_right = leaf_special().right;
  BlockNumber top = btree_item(static_cast<ConstPage>(leaf_.page()), kBtreeHighKey).downlink();
  bool is_leaf = top == kInvalidBlock;
  Neighbours pages{.target = is_leaf ? leaf_.block() : top};
  pages.left_block = leaf_left;
  // Locks go from left to right and from below upwards: begin anew.
  leaf_.unlock();
  this_task().check_interrupts();
  if (!is_leaf) {
    Buffer target = btree_get_page(index_, pages.target, BtreeAccess::kRead);
    pages.left_block = btree_special(target.page()).left;
    pages.level = btree_special(target.page()).level;
    target.release();
    leaf_.lock_exclusive();
  }
  if (!lock_left(pages)) return false;
  if (is_leaf) {
    leaf_.lock_exclusive();
  } else {
    pages.page = btree_get_page(index_, pages.target, BtreeAccess::kWrite);
  }
  check_target(pages, is_leaf ? leaf_.page() : pages.page.page());
  lock_right(pages, right_is_empty);
  change_links(pages, leaf_left, leaf_right);
  return true;
}

/// The page that links to the target: its left link, or further right if that has been split.
bool PageDeletion::lock_left(Neighbours& pages) {
  if (pages.left_block == kBtreeNone) return true;
  pages.left = btree_get_page(index_, pages.left_block, BtreeAccess::kWrite);
  for (;;) {
    const BtreeSpecial& special = btree_special(pages.left.page());
    if (!special.has(kBtreeDeleted) && special.right == pages.target) return true;
    BlockNumber next = special.right;
    pages.left.release();
    if (next == kBtreeNone) {
      log(Severity::kLog,
          "valid left sibling for deletion target could not be located: left sibling {} of target "
          "{} with leafblkno {} and scanblkno {} in index \"{}\"",
          pages.left_block, pages.target, leaf_.block(), scanned_block_, index_.relation.name);
      return false;
    }
    this_task().check_interrupts();
    pages.left_block = next;
    pages.left = btree_get_page(index_, next, BtreeAccess::kWrite);
  }
}

/// Nobody but VACUUM could have changed the page.
void PageDeletion::check_target(Neighbours& pages, ConstPage page) {
  const BtreeSpecial& special = btree_special(page);
  bool is_leaf = pages.target == leaf_.block();
  bool as_expected =
      !special.is_rightmost() && !special.is_root() && !special.has(kBtreeDeleted) &&
      special.is_leaf() == is_leaf && special.has(kBtreeHalfDead) == is_leaf &&
      page_item_count(page) == (is_leaf ? special.first_data() - 1 : special.first_data());
  if (!as_expected) {
    throw Error(sqlstate::kInternalError,
                "target page changed status unexpectedly in block {} of index \"{}\"", pages.target,
                index_.relation.name);
  }
  if (special.left != pages.left_block) {
    throw Error(sqlstate::kIndexCorrupted,
                "target page left link unexpectedly changed from {} to {} in block {} of index "
                "\"{}\"",
                pages.left_block, special.left, pages.target, index_.relation.name);
  }
  pages.right_block = special.right;
  if (is_leaf) return;
  BlockNumber child = btree_item(page, special.first_data()).downlink();
  if (child != leaf_.block()) pages.next_top = child;
}

void PageDeletion::lock_right(Neighbours& pages, bool& right_is_empty) {
  pages.right = btree_get_page(index_, pages.right_block, BtreeAccess::kWrite);
  ConstPage page = pages.right.page();
  const BtreeSpecial& special = btree_special(page);
  if (special.left != pages.target) {
    throw Error(sqlstate::kIndexCorrupted,
                "right sibling's left-link doesn't match: block {} links to {} instead of expected "
                "{} in index \"{}\"",
                pages.right_block, special.left, pages.target, index_.relation.name);
  }
  right_is_empty = page_item_count(page) < special.first_data();
  if (pages.left_block == kBtreeNone && special.is_rightmost()) {
    // The neighbour will be alone on its level, and may be the fast root from now on.
    pages.meta = btree_get_page(index_, kBtreeMetaBlock, BtreeAccess::kWrite);
    if (btree_metadata(pages.meta.page()).fast_level > pages.level + 1) pages.meta.release();
  }
}

void PageDeletion::change_links(Neighbours& pages, BlockNumber leaf_left, BlockNumber leaf_right) {
  bool is_leaf = pages.target == leaf_.block();
  Buffer& target = is_leaf ? leaf_ : pages.page;
  BtreeUnlinkRecord body{
      .left = pages.left_block,
      .right = pages.right_block,
      .level = pages.level,
      .padding = 0,
      .safe_xid = next_full_xid().value,
      .leaf_left = leaf_left,
      .leaf_right = leaf_right,
      .leaf_top_parent = pages.next_top,
  };
  CriticalSection critical;
  if (pages.left.is_valid()) {
    btree_special(pages.left.page()).right = pages.right_block;
    pages.left.mark_dirty();
  }
  btree_special(pages.right.page()).left = pages.left_block;
  pages.right.mark_dirty();
  if (!is_leaf) {
    btree_item(leaf_.page(), kBtreeHighKey).set_downlink(pages.next_top);
    leaf_.mark_dirty();
  }
  btree_set_deleted(target.page(), body.safe_xid);
  btree_special(target.page()).cycle = 0;
  target.mark_dirty();
  if (pages.meta.is_valid()) {
    BtreeMetadata& metadata = btree_metadata(pages.meta.page());
    metadata.fast_root = pages.right_block;
    metadata.fast_level = pages.level;
    pages.meta.mark_dirty();
  }
  BtreeRecordWriter record(index_, pages.meta.is_valid() ? kBtreeUnlinkPageMeta : kBtreeUnlinkPage);
  record.block(0, target, kWalBlockReinitialized);
  if (pages.left.is_valid()) record.block(1, pages.left, kWalBlockStandardPage);
  record.block(2, pages.right, kWalBlockStandardPage);
  if (!is_leaf) record.block(3, leaf_, kWalBlockReinitialized);
  if (pages.meta.is_valid()) record.meta(4, pages.meta);
  record.main(&body, kBtreeUnlinkRecordBytes);
  record.insert({&target, &pages.left, &pages.right, &leaf_, &pages.meta});
  critical.end();
  if (pages.meta.is_valid()) index_.metadata.reset();
  ++result_.pages_newly_deleted;
  // The scan will come to the others, and count them then.
  if (pages.target <= scanned_block_) ++result_.pages_deleted;
  deleted_.push_back({pages.target, body.safe_xid});
}

}  // namespace

void btree_delete_pages(BtreeIndex& index, Buffer leaf, BlockNumber scanned_block,
                        IndexVacuumResult& result, std::vector<BtreeDeletedPage>& deleted) {
  PageDeletion(index, std::move(leaf), scanned_block, result, deleted).run();
}

}  // namespace cofork
