// Redo of the Heap and Heap2 records (heap_redo and heap2_redo in heapam.c, 15).
#pragma once

#include "storage/page.h"
#include "wal/record.h"

namespace cofork {

void heap_redo(const DecodedRecord& record);
void heap2_redo(const DecodedRecord& record);

/// What a Heap or Heap2 record does to the heap page that is its block `block_id`; the page's LSN
/// is not touched. A page that the record makes anew comes as zeros. Throws a PANIC when the page
/// does not fit the record.
void apply_heap_record(const DecodedRecord& record, int block_id, Page page);

}  // namespace cofork
