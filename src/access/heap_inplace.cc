// Changing a row where it is, outside of any transaction's visibility (heap_inplace_update in
// heapam.c, 15). See heap.h.
//
// Only for values that every reader may see change under it: counts of pages and rows in pg_class,
// the oldest xid in pg_database. Nobody waits for it, and it stays when the transaction aborts.
#include <cstring>

#include "access/heap.h"
#include "access/heap_change.h"
#include "access/heap_records.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

void heap_inplace_update(Relation& relation, const HeapTuple& tuple) {
  TargetTuple target;
  target.buffer = read_buffer(relation.file, ForkNumber::kMain, tuple.self.block());
  target.buffer.lock_exclusive();
  point_at(relation, target, tuple.self);
  HeapTupleHeader& stored = *target.tuple.header;
  uint32_t bytes = target.tuple.length - stored.hoff;
  if (tuple.length != target.tuple.length || tuple.header->hoff != stored.hoff) {
    throw Error(sqlstate::kInternalError, "wrong tuple length");
  }
  CriticalSection critical;
  std::memcpy(stored.bytes() + stored.hoff, tuple.header->bytes() + stored.hoff, bytes);
  target.buffer.mark_dirty();
  log_inplace(relation, target.buffer, target.tuple);
  critical.end();
}

}  // namespace cofork
