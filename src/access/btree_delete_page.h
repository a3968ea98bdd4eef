// Taking empty pages out of a B-tree (as the second half of nbtpage.c, 15). For this folder's own
// use.
#pragma once

#include <functional>
#include <vector>

#include "access/btree.h"
#include "access/btree_vacuum.h"

namespace cofork {

/// A page that has left the tree in this run, and since when.
struct BtreeDeletedPage {
  BlockNumber block;
  uint64_t safe_xid;
};

/// Deletes the empty leaf in `leaf`, exclusively locked, if that can be done: not the rightmost of
/// its level, not the last child of a parent that has others. Parents of which it is the only child
/// go with it, and then its right neighbour if that is empty, too (_bt_pagedel). `scanned_block`:
/// where the VACUUM is; pages behind it will not be counted by it any more.
void btree_delete_pages(BtreeIndex& index, Buffer leaf, BlockNumber scanned_block,
                        IndexVacuumResult& result, std::vector<BtreeDeletedPage>& deleted);

}  // namespace cofork
