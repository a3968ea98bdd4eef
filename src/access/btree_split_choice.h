// Where to split a full page (as nbtsplitloc.c, 15).
//
// Every place between two items is a candidate if both halves have room, the new item counted.
// Among those near the best balance of free space the one wins whose separator keeps the fewest
// columns (leaf), or is shortest (internal page): a shorter separator makes a flatter tree. Special
// cases:
//
//   rightmost page               the left half keeps `fillfactor` percent: keys that only grow
//   grows inside the page        likewise for the last group of a multi-column index
//   many duplicates              at an edge of the group of equal keys, wherever that is
//   one value fills the page     96 percent on the left: more of the same will come with higher
//   rows
#pragma once

#include "access/btree_page.h"

namespace cofork {

struct SplitPlace {
  OffsetNumber first_right;  ///< first old item on the right page; one past the last: none
  bool new_item_on_left;     ///< decides when the new item goes in at `first_right`
};

/// `new_offset`: in front of which item the new one goes. Throws XX000 "could not find a feasible
/// split point for index …", which cannot be as long as no item is over a third of a page.
SplitPlace btree_choose_split(ConstPage page, const IndexShape& shape, OffsetNumber new_offset,
                              const IndexTuple& new_item, int leaf_fillfactor,
                              const char* index_name);

}  // namespace cofork
