// B-tree indexes: what the rest of the server calls (as nbtree.c, 15; its README tells the theory).
//
//   index_tuple.h       what an entry is made of         btree_page.h      what a page is made of
//   btree_search.h      down the tree, and to the right  btree_scan.h      reading in order
//   btree_insert.cc     new entries, unique checks       btree_split.cc    full pages
//   btree_build.h       a new index from a whole table   btree_vacuum.h    dead entries, empty
//   pages btree_records.h     WAL records                      btree_redo.cc     doing them again
//
// Everything on disk is PostgreSQL's, version 4: pageinspect and amcheck can read it. Entries with
// equal keys are ordered by the address of their row, so no two entries are equal. Posting lists
// (deduplication) are read, kept in order and vacuumed, but not made.
//
//   BtreeIndex index(relation, shape);      // the catalog keeps one for a task
//   HeapBehindIndex table(heap);            // btree_heap.h
//   btree_insert(index, values, nulls, tid, UniqueCheck::kYes, table);
//   BtreeScan scan(index, {});
//   scan.rescan(keys);
//   while (scan.next()) fetch(scan.tid());
#pragma once

#include <optional>

#include "access/btree_page.h"
#include "access/relation.h"
#include "storage/buffer_pool.h"
#include "wal/record.h"

namespace cofork {

/// An index of this task: private memory, kept with the relation. The relation's `fillfactor` is
/// the leaves' (90 by default).
class BtreeIndex {
 public:
  BtreeIndex(Relation& index, const IndexShape& index_shape)
      : relation(index), shape(index_shape) {}

  Relation& relation;
  const IndexShape& shape;
  std::string table_name;  ///< for messages

  // What the task remembers of the tree; anything may have changed since, and users look.
  std::optional<BtreeMetadata> metadata;       ///< as it was read last
  BlockNumber last_rightmost = kInvalidBlock;  ///< the leaf the last insertion at the end went to
  Arena scratch;                               ///< of one insertion
};

/// What unique checks and clean-ups have to ask the table the entries point at.
class IndexedTable {
 public:
  virtual ~IndexedTable() = default;

  struct Row {
    bool live = false;           ///< some version is there, or may come to be
    bool dead_to_all = false;    ///< nobody can see any version any more
    TransactionId in_doubt = 0;  ///< it depends on whether this transaction commits
  };
  /// Looks at the chain of versions that begins at `tid` with a dirty snapshot. May read pages.
  virtual Row look_at(const ItemPointer& tid) = 0;
  /// Is the row being indexed still alive for its own transaction?
  virtual bool is_alive(const ItemPointer& tid) = 0;
  /// The newest xid among those whose row versions these entries lead to: a standby must have no
  /// snapshot older than it. Takes the entries in any order. (index_compute_xid_horizon_for_tuples)
  virtual TransactionId latest_removed_xid(std::span<const ItemPointer> tids) = 0;
};

enum class UniqueCheck : uint8_t {
  kNo,        ///< the index is not unique, or the caller knows
  kYes,       ///< duplicates are refused, after waiting for transactions in doubt
  kPartial,   ///< deferrable: inserts all the same and says whether it may be a duplicate
  kExisting,  ///< the deferred check of an entry that is there already: inserts nothing
};

struct BtreeInserted {
  /// False: there is (kYes, kExisting) or may be (kPartial) another live row with these keys. With
  /// kYes nothing has been inserted, and the caller throws 23505 "duplicate key value violates
  /// unique constraint …" with DETAIL "Key (a)=(1) already exists." from the values it passed.
  bool is_unique = true;
  ItemPointer conflict;  ///< the other row
};

/// Enters a row: all columns, keys first. Waits for other transactions only in unique checks, and
/// then holds no page. Throws 54000 "index row size … exceeds btree version 4 maximum …".
BtreeInserted btree_insert(BtreeIndex& index, const Datum* values, const bool* nulls,
                           const ItemPointer& tid, UniqueCheck check, IndexedTable& table);

/// Writes the metapage of an empty index into a fork, with its full image in WAL: the init fork of
/// an unlogged index (btbuildempty).
void btree_create_empty(BtreeIndex& index, ForkNumber fork);

/// Levels below the root; 0 for an empty index or one with a single leaf (_bt_getrootheight).
uint32_t btree_height(BtreeIndex& index);

/// Applies a record of resource manager 11.
void btree_redo(const DecodedRecord& record);
/// What it does to the page that is its block `block_id`; the page's LSN is not touched. A page
/// that the record makes anew comes as zeros. Throws a PANIC when the page does not fit the record.
void apply_btree_record(const DecodedRecord& record, int block_id, Page page);

}  // namespace cofork
