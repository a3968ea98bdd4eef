// Pruning: taking dead row versions off a page without touching any index (pruneheap.c, 15).
//
//   index → 1 → 2 → 3 → 4        versions 1 and 2 are dead to everybody
//   index → [1: redirect to 3]  3 → 4        2 is unused and its space free
//   index → [1: dead]                        when all are dead: only vacuum may free item 1, after
//                                            the index entry has gone
//
// Any reader may do it, when the page is short of room and the oldest deletion on it is history.
// It needs a cleanup lock, for tuples move; an opportunistic prune does without rather than wait.
#pragma once

#include "access/heap.h"

namespace cofork {

/// Prunes if it looks worth while and the lock can be had at once. The caller holds a pin and no
/// lock. (heap_page_prune_opt)
void prune_page_if_useful(Relation& relation, Buffer& buffer);

struct PruneCounts {
  int removed = 0;   ///< versions that are gone
  int new_dead = 0;  ///< items that became dead: counted among the removed, left to vacuum
};
/// Prunes; the caller holds a cleanup lock. (heap_page_prune)
PruneCounts prune_page(Relation& relation, Buffer& buffer);

/// What pruning, or its redo, does to a page: pairs (from, to), dead and unused items; then the
/// page is packed. (heap_page_prune_execute)
inline void apply_prune(Page page, std::span<const OffsetNumber> redirected,
                        std::span<const OffsetNumber> dead, std::span<const OffsetNumber> unused) {
  for (size_t i = 0; i + 1 < redirected.size(); i += 2) {
    page_item_id(page, redirected[i]).set_redirect(redirected[i + 1]);
  }
  for (OffsetNumber offset : dead) page_item_id(page, offset).set_dead();
  for (OffsetNumber offset : unused) page_item_id(page, offset).set_unused();
  page_repair_fragmentation(page);
}

/// For every item that is a tuple, the item at the beginning of its HOT chain; others
/// kInvalidOffset. `roots` has kMaxHeapTuplesPerPage entries, item 1 first. An index build needs
/// it. The page is locked. (heap_get_root_tuples)
void find_hot_roots(ConstPage page, OffsetNumber* roots);

}  // namespace cofork
