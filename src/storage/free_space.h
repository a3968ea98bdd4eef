// The free space map: where in a relation there is room (freespace.c, 15).
//
// One byte a page: c promises c * 32 bytes, 255 all of it. The bytes are the slots of a tree of
// three levels of map pages (free_space_page.h), stored depth first in fork _fsm: root 0, then the
// first page of level 1, then leaves. A slot of an upper page is the root value of a lower one.
//
// The map is not in WAL and is changed without waiting for anybody: it may be wrong, and who is
// sent to a page has to look there and, if it is full, say so. Vacuum sets the upper levels right.
// For indexes a page is free or not.
//
// Everything here may wait for the disk. A relation without a map has no room.
#pragma once

#include "storage/page.h"
#include "wal/format.h"

namespace cofork {

/// A page with at least `wanted` bytes, or kInvalidBlock. Throws ERROR for more than 8160.
/// (GetPageWithFreeSpace)
BlockNumber page_with_free_space(const RelationFile& file, uint32_t wanted);
/// The page it gave was no good: it has `room` bytes. Another one? (RecordAndGetPageWithFreeSpace)
BlockNumber record_and_find_free_space(const RelationFile& file, BlockNumber old_block,
                                       uint32_t room, uint32_t wanted);
/// Records a page's room in the lowest level only: searches see it when an upper one promises as
/// much. (RecordPageWithFreeSpace)
void record_free_space(const RelationFile& file, BlockNumber block, uint32_t room);
/// The same in redo. (XLogRecordPageWithFreeSpace)
void redo_record_free_space(const RelationFile& file, BlockNumber block, uint32_t room);
/// What is recorded, in bytes. (GetRecordedFreeSpace)
uint32_t recorded_free_space(const RelationFile& file, BlockNumber block);

/// Sets the upper levels right, everywhere or above the pages first … end - 1. (FreeSpaceMapVacuum)
void free_space_vacuum(const RelationFile& file);
void free_space_vacuum_range(const RelationFile& file, BlockNumber first, BlockNumber end);

/// Before the relation is cut to `blocks`: forgets the rest. Returns to how many pages the map
/// itself can be cut then (truncate_fork, after drop_relation_buffers), kInvalidBlock: not at all.
/// `needs_wal`: the relation is in WAL. (FreeSpaceMapPrepareTruncateRel)
BlockNumber truncate_free_space(const RelationFile& file, BlockNumber blocks, bool needs_wal);

/// Indexes: takes a free page out of the map, or kInvalidBlock; puts one in. (indexfsm.c)
BlockNumber free_index_page(const RelationFile& file);
void record_free_index_page(const RelationFile& file, BlockNumber block);

}  // namespace cofork
