// Pages for redo: the blocks of a WAL record, each in the state its change is to be applied to (as
// xlogutils.c, 15: XLogReadBufferForRedo).
//
//   Buffer buffer;
//   if (redo_page(record, 0, buffer) == RedoAction::kApply) {
//     … change buffer.page() …
//     redo_changed(record, buffer);
//   }
//
// A page may carry the change already, because it was written after it: its LSN says so. It may
// have to be replaced by the image in the record. Or it may not be there at all, because a later
// record removes it: such pages are remembered, and one that nothing has removed by the end of
// recovery means that data is lost.
#pragma once

#include "storage/buffer_pool.h"
#include "wal/record.h"

namespace cofork {

enum class RedoAction : uint8_t {
  kApply,     ///< the change is to be applied: pinned, exclusively locked
  kDone,      ///< the page has it already; pinned and locked all the same
  kRestored,  ///< the image in the record has brought it; likewise
  kNotFound,  ///< no such page; no buffer
};

/// The page of a block reference. A block the record makes anew (will_init) comes as a page of
/// zeros, to be applied always. `cleanup`: with a cleanup lock. Throws PANIC for a record without
/// that block, or an image that cannot be restored.
RedoAction redo_page(const DecodedRecord& record, uint8_t block_id, Buffer& buffer,
                     bool cleanup = false);
/// A page by name, with no record's block: created when it is missing if `mode` is one of zeroing;
/// otherwise invalid (and remembered) when it is not there. Exclusively locked in zeroing modes
/// only.
Buffer redo_read(const RelationFile& file, ForkNumber fork, BlockNumber block, ReadMode mode);
/// Stamps a page the record has changed and marks it dirty.
void redo_changed(const DecodedRecord& record, Buffer& buffer);

/// A record removes pages from `first` on of a fork, whole relations with `first` 0, or a database:
/// those missing need not be there any more.
void redo_forget_missing(const RelationFile& file, ForkNumber fork, BlockNumber first);
void redo_forget_missing_database(uint32_t database);
/// A record has made forks of the relation shorter: their sizes are to be looked up anew.
void redo_forget_sizes(const RelationFile& file);
/// At the end of recovery (or at consistency): PANIC "WAL contains references to invalid pages"
/// when pages are still missing, each reported by a WARNING before.
void redo_check_missing();
bool redo_has_missing();

}  // namespace cofork
