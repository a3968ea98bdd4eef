// Sync requests: which files the next checkpoint has to force to disk (as sync.c and the queue in
// checkpointer.c, 15).
//
// Whoever writes to a data file says so; the checkpointer collects what was said, each file once,
// and calls fsync for all of them when the checkpoint has written its pages. So a file that is
// written a thousand times between two checkpoints is synced once, and by nobody who has a client
// waiting. Removing the last remains of a dropped relation waits in the same way until the
// checkpoint is done.
//
//   writer        request_sync(tag): an entry in the queue in shared memory ("Checkpointer Data").
//                 Full, with nothing to compact: false, and the writer calls fsync itself.
//   checkpointer  absorbs the queue into its own table, PendingSyncs
//
// A failed fsync is a PANIC (data_sync_retry = off): the kernel may have dropped the pages.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "wal/checkpoint_request.h"

namespace cofork {

/// "base/5/16384.1", "pg_xact/0001".
std::string sync_tag_path(const SyncTag& tag);

/// Says that a file was written. False: nobody will sync it unless the caller does. In the
/// checkpointer itself always true. Does not wait but for CheckpointerCommLock.
bool request_sync(const SyncTag& tag);
/// The file is to be removed after the next checkpoint; it need not be synced; nor any file of a
/// database. These must not get lost: they wait for room in the queue.
void request_unlink(const SyncTag& tag);
void forget_sync(const SyncTag& tag);
void forget_database_syncs(uint32_t database);

/// Drops every request that an equal later one repeats, keeping the order of the rest; how many are
/// left. (CompactCheckpointerRequestQueue)
int32_t compact_requests(SyncRequest* requests, int32_t count);

/// What syncing took, for "checkpoint complete".
struct SyncFigures {
  int files = 0;
  int64_t longest_ns = 0;
  int64_t total_ns = 0;
};

/// The checkpointer's table. While it lives, requests of its task go straight into it.
class PendingSyncs {
 public:
  PendingSyncs();
  ~PendingSyncs();
  PendingSyncs(const PendingSyncs&) = delete;

  /// Takes over the queue (AbsorbSyncRequests); may be called at any time.
  void absorb();
  void remember(const SyncRequest& request);

  /// Step 0 of a checkpoint: removals asked for from now on wait for the one after it.
  void before_checkpoint();
  /// Syncs everything asked for before the call (ProcessSyncRequests). PANIC when that fails.
  SyncFigures sync_all();
  /// After the control file says that the checkpoint is done (SyncPostCheckpoint).
  void after_checkpoint();

 private:
  struct TagHash {
    size_t operator()(const SyncTag& tag) const;
  };
  struct Entry {
    uint16_t cycle;
    bool cancelled;
  };
  struct Removal {
    SyncTag tag;
    uint16_t cycle;
    bool cancelled;
  };
  bool sync_one(const SyncTag& tag, SyncFigures& figures);

  std::unordered_map<SyncTag, Entry, TagHash> files_;
  std::vector<Removal> removals_;  ///< in the order they were asked for
  uint16_t sync_cycle_ = 0;        ///< counts calls of sync_all
  uint16_t checkpoint_cycle_ = 0;
  bool syncing_ = false;  ///< still true at the next call: the one before failed
};

/// The running task's table, or null if it is not the checkpointer.
PendingSyncs* my_pending_syncs();

}  // namespace cofork
