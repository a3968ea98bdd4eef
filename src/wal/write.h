// Getting WAL to disk (as XLogFlush, XLogBackgroundFlush and XLogWrite, xlog.c, 15).
//
// Group commit falls out of two rules: only one task writes at a time (WALWriteLock), and it takes
// along whatever others have finished inserting. Those who waited for the lock usually find their
// record on disk already.
#pragma once

#include "support/lsn.h"
#include "wal/format.h"

namespace cofork {

/// Returns when everything up to `upto` is on disk. Throws, or PANICs in a critical section, when
/// that position does not exist. During recovery does nothing: there is nothing of ours to write.
void wal_flush(Lsn upto);
/// What is known to be on disk, and in the kernel.
Lsn wal_flushed();
Lsn wal_written();

/// A round of the WAL writer: full pages that were asked for, else the newest asynchronous commit.
/// False when there was nothing to do.
bool wal_background_flush();
/// An asynchronous commit ended at `lsn` (XLogSetAsyncXactLSN). True when the WAL writer should be
/// woken.
bool wal_note_async_commit(Lsn lsn);
/// The WAL writer says whether it is about to sleep long (SetWalWriterSleeping).
void wal_set_writer_sleeping(bool sleeping);

/// Would WAL that reaches `segment` call for a checkpoint? (XLogCheckpointNeeded)
bool wal_checkpoint_needed(WalSegmentNo segment);
/// CheckPointSegments: how many segments may come between two checkpoints, from max_wal_size.
int wal_checkpoint_segments();

}  // namespace cofork
