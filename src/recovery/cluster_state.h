// What a running server knows of its cluster, in shared memory: the control file's copy, and the
// counters that checkpoints record.
//
// Start-up fills both before it does anything else; until then nobody may look. The counters are
// the transaction floor's (txn/variable_cache.h); here they are gathered for a checkpoint and set
// from one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "recovery/control_file.h"
#include "shmem/segment.h"

namespace cofork {

/// Guarded by ControlFileLock.
struct ControlFileShared {
  static constexpr Area kArea = Area::kControlFile;
  static constexpr const char* kName = "Control File";
  static size_t size(const Limits&) { return sizeof(ControlFileShared); }
  static void init(void*, const Limits&) {}
  ControlFileData data;
};

/// Next numbers to be given out, and the oldest still in use.
struct ClusterCounters {
  uint64_t next_xid;
  uint32_t next_oid;
  uint32_t next_multi;
  uint32_t next_multi_offset;
  TransactionId oldest_xid;
  uint32_t oldest_xid_database;
  uint32_t oldest_multi;
  uint32_t oldest_multi_database;
  TransactionId oldest_commit_timestamp_xid;
  TransactionId newest_commit_timestamp_xid;
};

struct RecoveryShared {
  static constexpr Area kArea = Area::kXlogRecoveryCtl;
  static constexpr const char* kName = "XLOG Recovery Ctl";
  static size_t size(const Limits&) { return sizeof(RecoveryShared); }
  static void init(void*, const Limits&) {}

  std::atomic<uint64_t> replayed_to;  ///< end of the last record redone
};

/// Start-up: reads global/pg_control into shared memory and tells wal/ the facts of the cluster.
/// Throws as read_control_file().
void load_cluster_state();

/// A copy of the control file as it is in shared memory.
ControlFileData control_file_copy();
/// Changes the shared copy and writes the file, under ControlFileLock. Throws PANIC. May wait.
void update_control_file(const std::function<void(ControlFileData&)>& change);

/// As they are now. `announced`: the next oid is the one after those that WAL has announced, so
/// that none is given out twice (online checkpoints).
ClusterCounters cluster_counters(bool announced = false);
/// Only start-up, in recovery.
void set_cluster_counters(const ClusterCounters& counters);
/// The part of a checkpoint that is counters, both ways.
void counters_to_checkpoint(const ClusterCounters& counters, CheckPoint& checkpoint);
ClusterCounters counters_of_checkpoint(const CheckPoint& checkpoint);

/// min_wal_size and max_wal_size against the cluster's segment size; throws FATAL 22023 as
/// ReadControlFile does. For the postmaster, before it starts anybody.
void check_wal_size_settings(const ControlFileData& control);

}  // namespace cofork
