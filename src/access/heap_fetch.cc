// Finding row versions by their place (heap_fetch, heap_hot_search_buffer; heapam.c, 15). See
// heap.h.
#include "access/heap.h"
#include "access/heap_prune.h"
#include "access/visibility.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

namespace {

/// The tuple of a normal item; false when the offset names none.
bool point_at_item(const Buffer& buffer, OffsetNumber offset, HeapTuple& tuple) {
  char* page = buffer.page();
  if (offset < kFirstOffset || offset > page_item_count(page)) return false;
  ItemId id = page_item_id(page, offset);
  if (!id.is_normal()) return false;
  tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
  tuple.length = id.length();
  return true;
}

}  // namespace

bool heap_fetch(Relation& relation, const Snapshot& snapshot, HeapTuple& tuple, Buffer& buffer,
                bool keep) {
  if (!buffer.is_valid() || buffer.block() != tuple.self.block()) {
    buffer = read_buffer(relation.file, ForkNumber::kMain, tuple.self.block());
  }
  buffer.lock_shared();
  tuple.header = nullptr;
  tuple.table = relation.oid;
  bool visible =
      point_at_item(buffer, tuple.self.offset, tuple) && tuple_is_visible(tuple, snapshot, buffer);
  buffer.unlock();
  if (!visible && (!keep || tuple.header == nullptr)) buffer.release();
  return visible;
}

bool heap_hot_search(Relation& relation, ItemPointer& tid, Buffer& buffer, const Snapshot& snapshot,
                     HeapTuple& tuple, bool* all_dead, bool first) {
  char* page = buffer.page();
  OffsetNumber last = page_item_count(page);
  OffsetNumber offset = tid.offset;
  TransactionId prior_xmax = kInvalidXid;
  bool at_start = first;
  bool skip = !first;
  if (all_dead != nullptr) *all_dead = first;
  while (offset >= kFirstOffset && offset <= last) {
    ItemId id = page_item_id(page, offset);
    if (id.is_redirect() && at_start) {
      offset = id.redirect();
      at_start = false;
      continue;
    }
    if (!id.is_normal()) break;
    tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
    tuple.length = id.length();
    tuple.self = {tid.block(), offset};
    tuple.table = relation.oid;
    const HeapTupleHeader& header = *tuple.header;
    // The chain has been pruned and its place used again: what is here is another row's.
    if (at_start && header.is_heap_only()) break;
    if (xid_is_valid(prior_xmax) && header.effective_xmin() != prior_xmax) break;
    if (!skip) {
      if (tuple_is_visible(tuple, snapshot, buffer)) {
        tid.offset = offset;
        if (all_dead != nullptr) *all_dead = false;
        return true;
      }
    }
    skip = false;
    if (all_dead != nullptr && *all_dead && !tuple_is_surely_dead(header, horizon_kind(relation))) {
      *all_dead = false;
    }
    if (!header.is_hot_updated()) break;
    prior_xmax = tuple_update_xid(header);
    offset = header.ctid.offset;
    at_start = false;
  }
  return false;
}

bool HeapIndexFetch::fetch(ItemPointer tid, const Snapshot& snapshot, bool* all_dead) {
  if (!buffer_.is_valid() || buffer_.block() != tid.block()) {
    buffer_.release();
    buffer_ = read_buffer(relation_.file, ForkNumber::kMain, tid.block());
    prune_page_if_useful(relation_, buffer_);
  }
  buffer_.lock_shared();
  bool found = heap_hot_search(relation_, tid, buffer_, snapshot, tuple_, all_dead, true);
  buffer_.unlock();
  return found;
}

void heap_latest_tid(Relation& relation, const Snapshot& snapshot, ItemPointer& tid) {
  ItemPointer at = tid;
  TransactionId prior_xmax = kInvalidXid;
  for (;;) {
    this_task().check_interrupts();
    Buffer buffer = read_buffer(relation.file, ForkNumber::kMain, at.block());
    buffer.lock_shared();
    HeapTuple tuple;
    tuple.self = at;
    tuple.table = relation.oid;
    if (!point_at_item(buffer, at.offset, tuple)) return;
    const HeapTupleHeader& header = *tuple.header;
    if (xid_is_valid(prior_xmax) && header.effective_xmin() != prior_xmax) return;
    if (tuple_is_visible(tuple, snapshot, buffer)) tid = at;
    bool is_last = header.has_xmax(kTupleXmaxInvalid) || tuple_is_only_locked(header) ||
                   header.moved_to_other_partition() || header.ctid == at;
    if (is_last) return;
    at = header.ctid;
    prior_xmax = tuple_update_xid(header);
  }
}

}  // namespace cofork
