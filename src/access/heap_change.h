// What deleting, updating and locking a row have in common. Inside access/.
#pragma once

#include "access/heap.h"
#include "txn/xid.h"

namespace cofork {

/// A row version on its exclusively locked page, with the map page pinned if that will be needed.
struct TargetTuple {
  Buffer map_page;
  Buffer buffer;
  HeapTuple tuple;
};
TargetTuple open_target(Relation& relation, const ItemPointer& tid);
/// Finds the tuple on the page that is in target.buffer. XX000 when there is none.
void point_at(const Relation& relation, TargetTuple& target, const ItemPointer& tid);
/// The page may have become all-visible while it was not locked: pins the map page. False: it had
/// to unlock for that, and everything must be looked at again.
bool pin_map_page(Relation& relation, TargetTuple& target);

/// kUpdated when a newer version exists, else kDeleted.
TmResult ended_result(const HeapTuple& tuple);
void fill_failure(const HeapTuple& tuple, TmResult result, TmFailure& failure);

/// Pruning may pay once `xid` is history (PageSetPrunable).
inline void mark_prunable(Page page, TransactionId xid) {
  Unordered<uint32_t>& oldest = page_header(page).prune_xid;
  if (!xid_is_valid(oldest) || xid_precedes(xid, oldest)) oldest = xid;
}

}  // namespace cofork
