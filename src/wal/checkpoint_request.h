// Asking the checkpointer for a checkpoint, and waiting for it: the handshake in shared memory
// ("Checkpointer Data"; CheckpointerShmemStruct in checkpointer.c, 15).
//
//   requester     ORs its wishes into `flags`, remembers `started` and `failed`, wakes the
//                 checkpointer; to wait, sleeps until `started` has moved (a checkpoint that began
//                 after the request) and then until `done` has caught up with that number
//   checkpointer  takes the flags and sets them to zero, started += 1; at the end done = started,
//                 on an error failed += 1 as well
//
// It stands in wal/ because the volume of WAL asks for checkpoints too. The same area holds the
// queue of files to be synced, which storage/sync_request.h fills and empties.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "shmem/condition_variable.h"
#include "shmem/segment.h"
#include "shmem/spinlock.h"
#include "wal/format.h"

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

/// Whose file a sync request is about: decides what its path is.
enum class SyncHandler : uint8_t {
  kRelation,
  kClog,
  kCommitTs,
  kMultiXactOffset,
  kMultiXactMember,
  kNone,
};

/// One file: a segment of a relation's fork, or of one of the transactions' logs (FileTag).
struct SyncTag {
  SyncHandler handler = SyncHandler::kRelation;
  ForkNumber fork = ForkNumber::kMain;
  uint16_t padding = 0;
  RelationFile file;
  uint32_t segment = 0;
  friend bool operator==(const SyncTag&, const SyncTag&) = default;
};

enum class SyncRequestType : uint32_t {
  kSync,    ///< the file was written
  kUnlink,  ///< the file can go when the checkpoint is done
  kForget,  ///< the file is gone: no need to sync it
  kFilter,  ///< the same for all files of tag.file.database
};

struct SyncRequest {
  SyncRequestType type;
  SyncTag tag;
  friend bool operator==(const SyncRequest&, const SyncRequest&) = default;
};
static_assert(sizeof(SyncRequest) == 24);

struct CheckpointerShared {
  static constexpr Area kArea = Area::kCheckpointer;
  static constexpr const char* kName = "Checkpointer Data";
  static constexpr int32_t kRequestsMax = 10'000'000;
  /// Room for as many sync requests as there are buffers.
  static int32_t request_capacity(const Limits& limits) {
    return std::min(limits.shared_buffers, kRequestsMax);
  }
  static size_t size(const Limits& limits) {
    return sizeof(CheckpointerShared) +
           static_cast<size_t>(request_capacity(limits)) * sizeof(SyncRequest);
  }
  static void init(void*, const Limits&) {}

  SpinLock mutex;  ///< guards the four words below
  uint32_t flags;
  int32_t started;
  int32_t done;
  int32_t failed;
  ConditionVariable start_cv;
  ConditionVariable done_cv;

  // Guarded by CheckpointerCommLock.
  uint32_t backend_writes;  ///< by others than the background writer, since the last report
  uint32_t backend_syncs;   ///< those that had to sync themselves
  int32_t request_count;
  SyncRequest* requests() { return reinterpret_cast<SyncRequest*>(this + 1); }

  /// Rises when first segments of relations are removed: who keeps files open lets go of them.
  std::atomic<uint32_t> files_removed;
};

inline CheckpointerShared& checkpointer_shared() {
  return shared_memory().area<CheckpointerShared>();
}

/// Asks for a checkpoint (RequestCheckpoint). With kCheckpointWait returns when one that began
/// after the call has ended; throws ERROR "checkpoint request failed" when it failed, and "could
/// not signal for checkpoint: checkpointer is not running" after a minute without one.
void request_checkpoint(uint32_t flags);

}  // namespace cofork
