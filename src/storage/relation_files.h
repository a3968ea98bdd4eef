// Relation files: the blocks of a relation's fork as files of at most 1 GB (as md.c, 15).
//
//   base/5/16384          main fork, blocks 0 … 131071
//   base/5/16384.1        blocks 131072 …
//   base/5/16384_fsm      free space map; _vm visibility map, _init
//   global/1262           of a relation all databases share (tablespace 1664)
//   pg_tblspc/OID/PG_15_202209061/DB/NNN   of another tablespace
//
// All segments but the last are 1 GB; a fork's length is what its last segment has. Blocks are read
// and written whole. Nothing is promised to be on disk after a write: a request to force the file
// there goes to the checkpointer (sync_request.h), which is done with it before the checkpoint is.
//
// Descriptors are kept open by the thread, not by the task (file_cache.h). Everything may wait for
// the disk. Errors have the SQLSTATE of the errno and md.c's words; a failed fsync is a PANIC.
#pragma once

#include <string>

#include "storage/page.h"
#include "wal/format.h"

namespace cofork {

inline constexpr uint32_t kDefaultTablespaceOid = 1663;
inline constexpr uint32_t kGlobalTablespaceOid = 1664;
inline constexpr BlockNumber kBlocksPerSegment = 131072;
inline constexpr int kForks = 4;
/// Folder of this version inside a tablespace.
inline constexpr const char* kTablespaceVersionFolder = "PG_15_202209061";

/// "main", "fsm", "vm", "init".
const char* fork_name(ForkNumber fork);
/// "base/5/16384_fsm": the fork's first segment (relpath); segment > 0 appends ".N".
std::string relation_path(const RelationFile& file, ForkNumber fork, uint32_t segment = 0);
/// "base/5": where the relations of a database in a tablespace lie (GetDatabasePath).
std::string database_path(uint32_t database, uint32_t tablespace);

/// Makes the fork's first segment, empty. `may_exist` (redo): fine if it is there already; else
/// ERROR 58P02 "could not create file …". Makes missing folders only in redo of a tablespace.
void create_relation_file(const RelationFile& file, ForkNumber fork, bool may_exist = false);
bool relation_file_exists(const RelationFile& file, ForkNumber fork);

/// Reads 8192 bytes. A block past the end is ERROR XX001 "could not read block …: read only 0 of
/// 8192 bytes"; with zero_damaged_pages, or in recovery, it is zeros.
void read_block(const RelationFile& file, ForkNumber fork, BlockNumber block, char* page);
/// Writes 8192 bytes of a block that is there. `sync` false: the caller will force the file to disk
/// itself (building an index).
void write_block(const RelationFile& file, ForkNumber fork, BlockNumber block, const char* page,
                 bool sync = true);
/// Writes the block at the end, or past it (the gap reads as zeros). Throws "could not extend file
/// …" with HINT "Check free disk space.".
void extend_fork(const RelationFile& file, ForkNumber fork, BlockNumber block, const char* page,
                 bool sync = true);
/// Starts reading a block into the kernel's memory (posix_fadvise); false when there is no file.
bool prefetch_block(const RelationFile& file, ForkNumber fork, BlockNumber block);
/// Asks the kernel to begin writing blocks out.
void writeback_blocks(const RelationFile& file, ForkNumber fork, BlockNumber first,
                      BlockNumber count);

/// Length in blocks, asked of the kernel. The fork must exist.
BlockNumber fork_blocks(const RelationFile& file, ForkNumber fork);
/// Cuts to `blocks`; buffers past it must be gone (drop_relation_buffers). Later segments stay as
/// empty files. "could not truncate file … to N blocks: it's only M blocks now" in an ERROR.
void truncate_fork(const RelationFile& file, ForkNumber fork, BlockNumber blocks);
/// Removes all forks, or one. The main fork's first segment stays, empty, until the next checkpoint
/// is done, so that nobody gets its number meanwhile; in redo (`redo`) it goes at once.
void unlink_relation(const RelationFile& file, bool redo);
void unlink_fork(const RelationFile& file, ForkNumber fork, bool redo);
/// Closes what this thread has open and nobody is using (smgrreleaseall).
void close_relation_files();
/// Forces every segment to disk now.
void sync_fork(const RelationFile& file, ForkNumber fork);

}  // namespace cofork
