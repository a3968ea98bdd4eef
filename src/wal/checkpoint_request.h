// Asking the checkpointer for a checkpoint, and waiting for it: the handshake in shared memory
// ("Checkpointer Data"; CheckpointerShmemStruct in checkpointer.c, 15).
//
//   requester     ORs its wishes into `flags`, remembers `started` and `failed`, wakes the
//                 checkpointer; to wait, sleeps until `started` has moved (a checkpoint that began
//                 after the request) and then until `done` has caught up with that number
//   checkpointer  takes the flags and sets them to zero, started += 1; at the end done = started,
//                 on an error failed += 1 as well
//
// It stands in wal/ because the volume of WAL asks for checkpoints too.
#pragma once

#include <cstdint>

#include "shmem/condition_variable.h"
#include "shmem/segment.h"
#include "shmem/spinlock.h"

namespace cofork {

/// CHECKPOINT_* of xlog.h.
enum CheckpointFlag : uint32_t {
  kCheckpointIsShutdown = 0x0001,
  kCheckpointEndOfRecovery = 0x0002,
  kCheckpointImmediate = 0x0004,  ///< without pauses
  kCheckpointForce = 0x0008,      ///< even if nothing has happened
  kCheckpointFlushAll = 0x0010,   ///< unlogged relations too
  kCheckpointWait = 0x0020,       ///< the requester waits
  kCheckpointRequested = 0x0040,
  kCheckpointCauseXlog = 0x0080,
  kCheckpointCauseTime = 0x0100,
};

struct CheckpointerShared {
  static constexpr Area kArea = Area::kCheckpointer;
  static constexpr const char* kName = "Checkpointer Data";
  static size_t size(const Limits&) { return sizeof(CheckpointerShared); }
  static void init(void*, const Limits&) {}

  SpinLock mutex;  ///< guards the four words below
  uint32_t flags;
  int32_t started;
  int32_t done;
  int32_t failed;
  ConditionVariable start_cv;
  ConditionVariable done_cv;
};

inline CheckpointerShared& checkpointer_shared() {
  return shared_memory().area<CheckpointerShared>();
}

/// Asks for a checkpoint (RequestCheckpoint). With kCheckpointWait returns when one that began
/// after the call has ended; throws ERROR "checkpoint request failed" when it failed, and "could
/// not signal for checkpoint: checkpointer is not running" after a minute without one.
void request_checkpoint(uint32_t flags);

}  // namespace cofork
