// WAL records of B-trees: what their main data looks like (as nbtxlog.h, 15).
//
// Which blocks a record has, and what data comes with them, stands with each kind. A block of a
// record is named by its role:
//
//   INSERT_*   0 the page (data: the tuple)   1 left child whose split is finished   2 metapage
//   SPLIT_*    0 left   1 right (made anew)   2 old right sibling   3 child whose split is finished
//   DELETE, VACUUM, DEDUP   0 the leaf
//   MARK_PAGE_HALFDEAD      0 leaf (made anew)   1 parent
//   UNLINK_PAGE*   0 target (made anew)   1 left   2 right   3 leaf   4 metapage
//   NEWROOT        0 root (made anew)   1 left child   2 metapage
#pragma once

#include <cstdint>

#include "access/btree_page.h"
#include "wal/format.h"

namespace cofork {

inline constexpr uint8_t kManagerBtree = 11;

enum BtreeRecord : uint8_t {
  kBtreeInsertLeaf = 0x00,
  kBtreeInsertUpper = 0x10,
  kBtreeInsertMeta = 0x20,
  kBtreeSplitLeft = 0x30,   ///< the new tuple went to the left page
  kBtreeSplitRight = 0x40,  ///< to the right page
  kBtreeInsertPosting = 0x50,
  kBtreeDedup = 0x60,
  kBtreeDelete = 0x70,
  kBtreeUnlinkPage = 0x80,
  kBtreeUnlinkPageMeta = 0x90,
  kBtreeNewRoot = 0xA0,
  kBtreeMarkPageHalfDead = 0xB0,
  kBtreeVacuum = 0xC0,
  kBtreeReusePage = 0xD0,
  kBtreeMetaCleanup = 0xE0,
};

/// Data of the metapage in every record that has one.
struct BtreeMetaRecord {
  uint32_t version;
  BlockNumber root;
  uint32_t level;
  BlockNumber fast_root;
  uint32_t fast_level;
  uint32_t last_cleanup_deleted_pages;
  uint8_t all_equal_image;
  uint8_t padding[3];
};
static_assert(sizeof(BtreeMetaRecord) == 28);

struct BtreeInsertRecord {
  OffsetNumber offset;
};

/// Offsets are those of the page before the split.
struct BtreeSplitRecord {
  uint32_t level;
  OffsetNumber first_right;
  OffsetNumber new_item;
  uint16_t posting_place;  ///< 0: no posting list is split
};
inline constexpr size_t kBtreeSplitRecordBytes = 10;

struct BtreeDedupRecord {
  uint16_t intervals;
};
/// Data of block 0, one for each interval: so many items from `first` on become one.
struct BtreeDedupInterval {
  OffsetNumber first;
  uint16_t items;
};

/// Data of block 0: offsets deleted, offsets of updated posting lists, then for each of the latter
/// a BtreeUpdateHead and the positions it loses.
struct BtreeDeleteRecord {
  TransactionId latest_removed_xid;
  uint16_t deleted;
  uint16_t updated;
};
static_assert(sizeof(BtreeDeleteRecord) == 8);

struct BtreeVacuumRecord {
  uint16_t deleted;
  uint16_t updated;
};
struct BtreeUpdateHead {
  uint16_t removed;
};

struct BtreeHalfDeadRecord {
  OffsetNumber parent_item;
  uint16_t padding;
  BlockNumber leaf;
  BlockNumber left;
  BlockNumber right;
  BlockNumber top_parent;
};
static_assert(sizeof(BtreeHalfDeadRecord) == 20);

struct BtreeUnlinkRecord {
  BlockNumber left;
  BlockNumber right;
  uint32_t level;
  uint32_t padding;
  uint64_t safe_xid;
  BlockNumber leaf_left;
  BlockNumber leaf_right;
  BlockNumber leaf_top_parent;
};
inline constexpr size_t kBtreeUnlinkRecordBytes = 36;

struct BtreeNewRootRecord {
  BlockNumber root;
  uint32_t level;
};

struct BtreeReuseRecord {
  RelationFile file;
  BlockNumber block;
  uint64_t safe_xid;
};
static_assert(sizeof(BtreeReuseRecord) == 24);

}  // namespace cofork
