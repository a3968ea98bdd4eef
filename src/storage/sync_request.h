// Sync requests: which files the next checkpoint has to force to disk (as sync.c and the queue in
// checkpointer.c, 15).
//
// Whoever writes to a data file says so; the checkpointer collects what was said, each file once,
// and calls fsync for all of them when the checkpoint has written its pages. So a file that is
// written a thousand times between two checkpoints is synced once, and by nobody who has a client
// waiting. Unlinking the last remains of a dropped relation waits in the same way until the
// checkpoint is done.
//
//   writer        register_sync(tag): an entry in the queue in shared memory ("Checkpointer Data").
//                 Full, with nothing to compact: the writer calls fsync itself.
//   checkpointer  absorbs the queue into its own table, PendingSyncs
//
// A failed fsync is a PANIC (data_sync_retry = off): the kernel may have dropped the pages.
#pragma once

#include <cstdint>

#include "wal/format.h"

namespace cofork {

/// Whose file it is: decides what its path is.
enum class SyncHandler : uint8_t {
  kRelation,
  kClog,
  kCommitTs,
  kMultiXactOffset,
  kMultiXactMember,
  kNone,
};

}  // namespace cofork
