// Segment files in pg_wal: making, recycling and removing them (as XLogFileInit,
// InstallXLogFileSegment, RemoveOldXlogFiles and PreallocXlogFiles, xlog.c, 15).
//
// A segment always has its full length: it is filled with zeros when made, so that later writes
// only touch blocks the file system has already given. Old segments are not removed but renamed to
// future numbers, as long as max_wal_size expects them to be needed; their old page headers carry
// old addresses, which is how a reader knows where WAL ends.
//
// Renaming into place happens under ControlFileLock, so that two tasks never install one number.
#pragma once

#include <cstdint>
#include <string>

#include "io/file.h"
#include "wal/format.h"

namespace cofork {

inline constexpr const char* kWalDirectory = "pg_wal";

/// "pg_wal/000000010000000000000001".
std::string wal_segment_path(TimelineId timeline, WalSegmentNo segment);

/// How wal_sync_method and fsync say that written WAL gets to disk.
enum class WalSyncCall : uint8_t { kNone, kFsync, kFdatasync };
WalSyncCall wal_sync_call();

/// Opens a segment for writing; makes it if it is not there. Throws PANIC-worthy errors. May wait.
/// `added`: set when a new file was made.
File open_wal_segment(TimelineId timeline, WalSegmentNo segment, bool* added = nullptr);

/// Makes the next segment when the current one is three quarters full. Returns how many (0, 1).
int preallocate_wal(Lsn end, TimelineId timeline);

struct RemovedSegments {
  int removed = 0;
  int recycled = 0;
};
/// Removes or recycles segments older than `keep_from`. `redo` is that of the last checkpoint,
/// `end` the current end of WAL; `distance_estimate` bytes of WAL are expected per checkpoint.
RemovedSegments remove_old_wal(WalSegmentNo keep_from, Lsn redo, Lsn end, TimelineId timeline,
                               double distance_estimate);
/// Oldest segment to keep for a checkpoint that ended at `record`, with wal_keep_size (KeepLogSeg).
WalSegmentNo oldest_wal_to_keep(WalSegmentNo redo_segment, Lsn record);

/// Removes what a crash left half-made: xlogtemp.* (RemoveTempXlogFiles).
void remove_temporary_wal();

/// Highest segment number worth recycling into (XLOGfileslop).
WalSegmentNo wal_recycle_limit(Lsn redo, double distance_estimate, uint32_t segment_bytes,
                               int64_t min_wal_size_mb, int64_t max_wal_size_mb,
                               double completion_target);

}  // namespace cofork
