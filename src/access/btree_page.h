// Pages of a B-tree: the metapage, the special space, high keys (as nbtree.h, 15; version 4).
//
//   block 0        metapage: where the root is, and the "fast" root: the lowest level with one page
//   other blocks   | item ids → | free | ← index tuples | special: left, right, level, flags, cycle
//   |
//
// On a page with a right sibling item 1 is the high key, an upper bound of everything on the page;
// data begins at item 2. A rightmost page has none and data begins at item 1. The first data item
// of an internal page is minus infinity: its key is cut off completely.
//
// Rules
//  1. Links first: who arrives at a page compares with its high key and goes right while its key is
//     greater. So a split needs no lock on the parent (Lehman and Yao).
//  2. Locks are coupled only to the right and upwards, never to the left or down.
//  3. A page that is half dead or deleted has no items; who meets it goes on to the right (a
//     backward scan: to the left).
#pragma once

#include "access/index_tuple.h"
#include "storage/page.h"

namespace cofork {

inline constexpr BlockNumber kBtreeMetaBlock = 0;
inline constexpr BlockNumber kBtreeNone = 0;  ///< no sibling, no root
inline constexpr uint32_t kBtreeMagic = 0x053162;
inline constexpr uint32_t kBtreeVersion = 4;
inline constexpr uint16_t kBtreeMaxCycle = 0xFF7F;
inline constexpr int kBtreeLeafFillfactor = 90;
inline constexpr int kBtreeInternalFillfactor = 70;
inline constexpr int kBtreeSingleValueFillfactor = 96;
/// So that three items fit every page, one of them with a heap address added (BTMaxItemSize).
inline constexpr size_t kBtreeMaxItemBytes = 2704;
/// And before that addition (BTMaxItemSizeNoHeapTid).
inline constexpr size_t kBtreeMaxItemBytesWithoutTid = 2712;
/// Rows a leaf page can stand for at most (MaxTIDsPerBTreePage).
inline constexpr int kBtreeMaxTidsPerPage = 1358;
/// Items a page can have at most (MaxIndexTuplesPerPage).
inline constexpr int kBtreeMaxItemsPerPage = 408;
inline constexpr OffsetNumber kBtreeHighKey = 1;

enum BtreeFlag : uint16_t {
  kBtreeLeaf = 0x001,
  kBtreeRoot = 0x002,
  kBtreeDeleted = 0x004,
  kBtreeMeta = 0x008,
  kBtreeHalfDead = 0x010,
  kBtreeSplitEnd = 0x020,         ///< last page of a group of pages split in the same vacuum cycle
  kBtreeHasGarbage = 0x040,       ///< a hint: some item ids are dead
  kBtreeIncompleteSplit = 0x080,  ///< the right sibling has no downlink yet
  kBtreeHasFullXid = 0x100,       ///< a deleted page that tells since when
};

/// The special space.
struct BtreeSpecial {
  BlockNumber left;
  BlockNumber right;
  uint32_t level;  ///< 0: leaf
  uint16_t flags;
  uint16_t cycle;  ///< vacuum cycle of the latest split; 0: none was running

  bool has(uint16_t flag) const { return (flags & flag) != 0; }
  void set(uint16_t flag) { flags = static_cast<uint16_t>(flags | flag); }
  void clear(uint16_t flag) { flags = static_cast<uint16_t>(flags & ~flag); }
  bool is_leaf() const { return has(kBtreeLeaf); }
  bool is_root() const { return has(kBtreeRoot); }
  bool is_leftmost() const { return left == kBtreeNone; }
  bool is_rightmost() const { return right == kBtreeNone; }
  /// To be passed by: no items, no keys.
  bool is_ignored() const { return has(kBtreeDeleted | kBtreeHalfDead); }
  OffsetNumber first_data() const { return is_rightmost() ? OffsetNumber{1} : OffsetNumber{2}; }
};
static_assert(sizeof(BtreeSpecial) == 16);

struct BtreeMetadata {
  uint32_t magic;
  uint32_t version;
  BlockNumber root;
  uint32_t level;
  BlockNumber fast_root;
  uint32_t fast_level;
  uint32_t last_cleanup_deleted_pages;
  uint32_t padding;
  double last_cleanup_heap_tuples;
  uint8_t all_equal_image;
  uint8_t padding2[7];
};
static_assert(sizeof(BtreeMetadata) == 48);

/// A page to work on before anybody sees it. Too big for the stack of a fiber.
struct alignas(8) BtreePageCopy {
  char bytes[kPageBytes];
};

/// What a deleted page holds instead of items: from when on nobody can be on the way to it.
struct BtreeDeletedContents {
  uint64_t safe_xid;
};

inline BtreeSpecial& btree_special(Page page) {
  return *reinterpret_cast<BtreeSpecial*>(page + kPageBytes - sizeof(BtreeSpecial));
}
inline const BtreeSpecial& btree_special(ConstPage page) {
  return *reinterpret_cast<const BtreeSpecial*>(page + kPageBytes - sizeof(BtreeSpecial));
}
inline BtreeMetadata& btree_metadata(Page page) {
  return *reinterpret_cast<BtreeMetadata*>(page + kPageHeaderBytes);
}
inline const BtreeMetadata& btree_metadata(ConstPage page) {
  return *reinterpret_cast<const BtreeMetadata*>(page + kPageHeaderBytes);
}
inline const IndexTuple& btree_item(ConstPage page, OffsetNumber number) {
  return *reinterpret_cast<const IndexTuple*>(page_item(page, page_item_id(page, number)));
}
inline IndexTuple& btree_item(Page page, OffsetNumber number) {
  return *reinterpret_cast<IndexTuple*>(page_item(page, page_item_id(page, number)));
}

/// An empty page with no links.
void btree_page_init(Page page);
/// A whole metapage (_bt_initmetapage).
void btree_meta_init(Page page, BlockNumber root, uint32_t level, bool all_equal_image);
/// The dummy item a half-dead leaf has: `top_parent` is the page above it whose downlink is gone,
/// kInvalidBlock when that is the leaf itself.
IndexTuple btree_half_dead_item(BlockNumber top_parent);
/// Empties a page that is taken out of the tree (BTPageSetDeleted).
void btree_set_deleted(Page page, uint64_t safe_xid);
/// Since when nobody can be on the way to a deleted page; 0 for one of an old version (at once).
uint64_t btree_safe_xid(ConstPage page);

/// A tuple of 8 bytes that leads to `child` and compares below everything.
IndexTuple btree_minus_infinity(BlockNumber child);

/// Adds a tuple at `where`, in front of what is there. The caller knows that it fits; on an
/// internal page, `cut` says that only the downlink is to be stored (_bt_pgaddtup).
bool btree_add_item(Page page, OffsetNumber where, const IndexTuple& tuple, bool cut);

/// Puts `new_tuple` into a posting list whose range its address lies in: the list takes the
/// address, `new_tuple` becomes the row that was last (_bt_swap_posting). The returned list has the
/// size of the old one. `place`: how many rows of the list stay before the new one.
IndexTuple* btree_swap_posting(IndexTuple& new_tuple, const IndexTuple& old_posting, int place,
                               Arena& arena);

/// A posting list without the rows at `removed` (0-based, ascending): plain when one is left
/// (_bt_update_posting).
IndexTuple* btree_remove_from_posting(const IndexTuple& posting, std::span<const uint16_t> removed,
                                      Arena& arena);

}  // namespace cofork
