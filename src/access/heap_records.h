// Writing the WAL records of changes to rows (log_heap_update and its like in heapam.c, 15).
//
// Each is called in the critical section of its change, after the pages are changed and marked
// dirty, and stamps them with the record's end. Inside access/.
#pragma once

#include <span>

#include "access/heap.h"
#include "access/heap_wal.h"

namespace cofork {

struct MapCleared {
  bool old_page = false;
  bool new_page = false;
};

void log_insert(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags);
void log_delete(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags);
/// `target` empty: the new version is on the old one's page.
void log_update(Relation& relation, Buffer& old_buffer, const HeapTuple& old_tuple, Buffer& target,
                const HeapTuple& new_tuple, MapCleared cleared);
void log_lock(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags);
/// A newer version along the chain of one that is locked.
void log_lock_updated(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags);
void log_inplace(Relation& relation, Buffer& buffer, const HeapTuple& tuple);
/// Tuples that were put on one page; `scratch` has room for them (kMultiInsertScratch).
inline constexpr size_t kMultiInsertScratch = kPageBytes;
void log_multi_insert(Relation& relation, Buffer& buffer, std::span<const HeapTuple> tuples,
                      bool init_page, uint8_t flags, char* scratch);

}  // namespace cofork
