// Making one checkpoint (as CreateCheckPoint, xlog.c, 15). When to make one is the checkpointer's
// business (roles/checkpointer.cc).
//
// A checkpoint fixes a *redo pointer*, brings everything before it to disk, and then says so: first
// in a WAL record, then in the control file. After a crash, redo begins at the redo pointer of the
// last checkpoint whose record the control file names; all WAL before it is no longer needed and is
// removed or recycled.
//
//   0 take over the requests to sync so far
//   1 control file: "shutting down" (shutdown and end-of-recovery kinds)
//   2 under all insertion locks: is there anything new? redo pointer := here
//   3 log "checkpoint starting", collect counters
//   4 bring what was changed before the redo pointer to disk
//   5 running transactions (online, wal_level >= replica), then the checkpoint record, flushed
//   6 control file: the new checkpoint
//   7 remove what was dropped before; remove, recycle and prepare WAL segments; log "checkpoint
//     complete"
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "storage/sync_request.h"
#include "support/lsn.h"

namespace cofork {

/// What the checkpointer remembers from one checkpoint to the next (file-level statics of xlog.c).
struct CheckpointHistory {
  double distance_estimate = 0;  ///< bytes of WAL per checkpoint, follows rises at once
  double last_distance = 0;
};

/// A moving average that believes in growth immediately and in shrinking slowly
/// (UpdateCheckPointDistanceEstimate).
void note_checkpoint_distance(CheckpointHistory& history, uint64_t bytes);

struct CheckpointOutcome {
  bool performed = false;  ///< false: skipped, the system is idle
};

/// What a checkpoint needs of the one who makes it.
struct CheckpointHooks {
  std::function<void(std::string_view)>
      title;                          ///< what to show in the process title; "" at the end
  std::function<void(double)> pause;  ///< after each page, with the progress: 0 … 1
  PendingSyncs& syncs;
};

/// `flags` are CheckpointFlag. Throws; inside its critical sections a failure is a PANIC.
CheckpointOutcome create_checkpoint(uint32_t flags, CheckpointHistory& history,
                                    const CheckpointHooks& hooks);

/// " shutdown immediate" …: the words of "checkpoint starting:".
std::string checkpoint_flag_words(uint32_t flags);

/// WAL record of the transactions that run now (LogStandbySnapshot). Returns its start.
Lsn log_running_transactions();

}  // namespace cofork
