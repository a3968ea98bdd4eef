// Inserting rows (heap_insert, heap_multi_insert; heapam.c, 15). See heap.h.
#include "access/combo_command.h"
#include "access/heap.h"
#include "access/heap_records.h"
#include "access/heap_space.h"
#include "model/task.h"
#include "storage/visibility_map.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// The header of a version that nobody has touched (heap_prepare_insert).
void prepare_insert(const Relation& relation, HeapTuple& tuple, TransactionId xid,
                    CommandId command, uint32_t options) {
  HeapTupleHeader& header = *tuple.header;
  uint16_t mask = static_cast<uint16_t>(header.infomask & ~kTupleVisibilityMask);
  mask |= kTupleXmaxInvalid;
  if ((options & kInsertFrozen) != 0) mask |= kTupleXminFrozen;
  header.infomask = mask;
  header.infomask2 = static_cast<uint16_t>(header.infomask2 & ~kTupleVisibilityMask2);
  header.xmin = xid;
  header.xmax = kInvalidXid;
  set_tuple_cmin(header, command);
  tuple.table = relation.oid;
  check_tuple_size(relation, tuple.length);
}

/// A frozen insertion into a page that is empty makes it all-visible at once; into any other page,
/// it leaves the mark alone. Everybody else clears it.
bool clears_all_visible(const Buffer& buffer, uint32_t options) {
  return page_is_all_visible(buffer.page()) && (options & kInsertFrozen) == 0;
}

}  // namespace

void heap_insert(Relation& relation, HeapTuple& tuple, CommandId command, uint32_t options,
                 BulkInsert* bulk) {
  TransactionId xid = my_transaction().current_xid();
  prepare_insert(relation, tuple, xid, command, options);
  Buffer map_page;
  Buffer buffer = page_for_tuple(relation, tuple.length, options, bulk, map_page);

  CriticalSection critical;
  put_tuple(buffer, tuple);
  uint8_t flags = 0;
  if (clears_all_visible(buffer, options)) {
    clear_all_visible(relation, buffer, map_page);
    flags = kWalInsertAllVisibleCleared;
  }
  buffer.mark_dirty();
  log_insert(relation, buffer, tuple, flags);
  critical.end();
}

namespace {

/// As many of `tuples` as fit, the first in any case; returns how many.
size_t put_tuples(Relation& relation, const Buffer& buffer, std::span<HeapTuple> tuples) {
  size_t count = 0;
  for (HeapTuple& tuple : tuples) {
    uint32_t needed = static_cast<uint32_t>(align8(tuple.length)) + reserved_bytes(relation);
    if (count > 0 && page_heap_free_space(buffer.page()) < needed) break;
    put_tuple(buffer, tuple);
    ++count;
  }
  return count;
}

}  // namespace

void heap_multi_insert(Relation& relation, std::span<HeapTuple> tuples, CommandId command,
                       uint32_t options, BulkInsert* bulk) {
  TransactionId xid = my_transaction().current_xid();
  for (HeapTuple& tuple : tuples) prepare_insert(relation, tuple, xid, command, options);
  char scratch[kMultiInsertScratch];
  Buffer map_page;
  while (!tuples.empty()) {
    this_task().check_interrupts();
    Buffer buffer = page_for_tuple(relation, tuples.front().length, options, bulk, map_page);
    bool was_empty = page_item_count(buffer.page()) == 0;
    bool freeze_page = was_empty && (options & kInsertFrozen) != 0;

    CriticalSection critical;
    size_t count = put_tuples(relation, buffer, tuples);
    uint8_t flags = 0;
    if (clears_all_visible(buffer, options)) {
      clear_all_visible(relation, buffer, map_page);
      flags |= kWalInsertAllVisibleCleared;
    } else if (freeze_page) {
      set_page_flag(buffer.page(), kPageAllVisible, true);
      flags |= kWalInsertAllFrozenSet;
    }
    if (count == tuples.size()) flags |= kWalInsertLastInMulti;
    buffer.mark_dirty();
    log_multi_insert(relation, buffer, tuples.first(count), was_empty, flags, scratch);
    critical.end();

    if (freeze_page) set_all_visible(relation, buffer, map_page, kInvalidXid, kVmAllBits);
    tuples = tuples.subspan(count);
  }
}

}  // namespace cofork
