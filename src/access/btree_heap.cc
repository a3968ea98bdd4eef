// See btree_heap.h (table_index_fetch_tuple_check in tableam.c, heap_index_delete_tuples in
// heapam.c, 15).
#include "access/btree_heap.h"

#include <algorithm>
#include <vector>

#include "access/visibility.h"
#include "txn/commit_log.h"

namespace cofork {

IndexedTable::Row HeapBehindIndex::look_at(const ItemPointer& tid) {
  Row row;
  bool all_dead = false;
  row.live = fetch_.fetch(tid, dirty_, &all_dead);
  row.dead_to_all = all_dead;
  if (row.live) row.in_doubt = dirty_.dirty_xmin != 0 ? dirty_.dirty_xmin : dirty_.dirty_xmax;
  fetch_.release();
  return row;
}

bool HeapBehindIndex::is_alive(const ItemPointer& tid) {
  bool alive = fetch_.fetch(tid, self_);
  fetch_.release();
  return alive;
}

namespace {

/// Whoever could see this version of a row must be gone before it may be removed: up to `latest`
/// (HeapTupleHeaderAdvanceLatestRemovedXid).
void advance(const HeapTupleHeader& header, TransactionId& latest) {
  bool inserted =
      header.xmin_is_committed() || (!header.xmin_is_invalid() && xid_did_commit(header.xmin));
  if (!inserted) return;
  TransactionId xmax = tuple_update_xid(header);
  if (xmax != header.xmin && xid_precedes(latest, xmax)) latest = xmax;
}

/// Goes along the versions an entry leads to.
void advance_along_chain(ConstPage page, OffsetNumber offset, TransactionId& latest) {
  OffsetNumber last = page_item_count(page);
  TransactionId expected_xmin = kInvalidXid;
  while (offset >= kFirstOffset && offset <= last) {
    ItemId id = page_item_id(page, offset);
    if (id.is_redirect()) {
      offset = id.redirect();
      continue;
    }
    // Removed by pruning already, whose record has told.
    if (!id.is_normal()) return;
    const auto& header = *reinterpret_cast<const HeapTupleHeader*>(page_item(page, id));
    if (expected_xmin != kInvalidXid && header.xmin != expected_xmin) return;
    advance(header, latest);
    if (!header.is_hot_updated()) return;
    offset = header.ctid.offset;
    expected_xmin = tuple_update_xid(header);
  }
}

}  // namespace

TransactionId HeapBehindIndex::latest_removed_xid(std::span<const ItemPointer> tids) {
  std::vector<ItemPointer> sorted(tids.begin(), tids.end());
  std::sort(sorted.begin(), sorted.end());
  TransactionId latest = kInvalidXid;
  Buffer buffer;
  for (const ItemPointer& tid : sorted) {
    if (!buffer.is_valid() || buffer.block() != tid.block()) {
      buffer = read_buffer(heap_.file, ForkNumber::kMain, tid.block());
      buffer.lock_shared();
    }
    advance_along_chain(buffer.page(), tid.offset, latest);
  }
  return latest;
}

}  // namespace cofork
