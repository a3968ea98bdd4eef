// VACUUM of a B-tree: dead entries go, empty pages leave the tree and are used again (as nbtree.c
// and nbtpage.c, 15).
//
// Leaves are visited in the order of the file. A page split meanwhile may have moved entries to a
// page already visited: each run has a cycle number that splits leave on their pages, and from such
// a page the run goes along to the right.
//
// A page leaves in two steps, each with a record of its own: its downlink is taken out of the
// parent (half dead), then its neighbours are joined (deleted). It may be used again only when
// nobody who could have been on the way to it is left.
#pragma once

#include <functional>

#include "access/btree.h"

namespace cofork {

/// What VACUUM VERBOSE and the catalog want to know (IndexBulkDeleteResult).
struct IndexVacuumResult {
  BlockNumber pages = 0;
  double entries = 0;
  double entries_removed = 0;
  BlockNumber pages_newly_deleted = 0;
  BlockNumber pages_deleted = 0;  ///< in all, not used again yet
  BlockNumber pages_free = 0;
};

struct IndexVacuumOptions {
  double heap_tuples = -1;  ///< in the table, when that is known exactly; else negative
  AccessStrategy* strategy = nullptr;
  std::function<void()> delay = {};  ///< called between pages without locks (vacuum_cost_delay)
};

/// Removes the entries whose row `is_dead` says is to be removed; sums up in `result`. May be
/// called several times in one VACUUM (btbulkdelete).
void btree_bulk_delete(BtreeIndex& index, const IndexVacuumOptions& options,
                       const std::function<bool(const ItemPointer&)>& is_dead,
                       IndexVacuumResult& result);
/// At the end of a VACUUM; `bulk_deleted`: the above has been called. Looks at the pages only when
/// deleted ones may have become usable (btvacuumcleanup).
void btree_vacuum_cleanup(BtreeIndex& index, const IndexVacuumOptions& options, bool bulk_deleted,
                          IndexVacuumResult& result);

}  // namespace cofork
