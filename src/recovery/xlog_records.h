// The records of the two resource managers a cluster without tables needs: XLOG and Standby
// (catalog/pg_control.h, access/xlog_internal.h and storage/standbydefs.h, 15).
#pragma once

#include <cstdint>

#include "wal/format.h"

namespace cofork {

inline constexpr uint8_t kManagerXlog = 0;
inline constexpr uint8_t kManagerStandby = 8;

enum XlogInfo : uint8_t {
  kXlogCheckpointShutdown = 0x00,
  kXlogCheckpointOnline = 0x10,
  kXlogNoop = 0x20,
  kXlogNextOid = 0x30,
  kXlogSwitch = 0x40,
  kXlogBackupEnd = 0x50,
  kXlogParameterChange = 0x60,
  kXlogRestorePoint = 0x70,
  kXlogFullPageWritesChange = 0x80,
  kXlogEndOfRecovery = 0x90,
  kXlogImageForHint = 0xA0,
  kXlogImage = 0xB0,
  kXlogOverwriteContinued = 0xD0,
};

/// PARAMETER_CHANGE: settings a standby must follow.
struct XlogParameterChange {
  int32_t max_connections;
  int32_t max_worker_processes;
  int32_t max_wal_senders;
  int32_t max_prepared_transactions;
  int32_t max_locks_per_transaction;
  int32_t wal_level;
  bool wal_log_hints;
  bool track_commit_timestamp;
  uint8_t padding[2];
};
static_assert(sizeof(XlogParameterChange) == 28);

/// OVERWRITE_CONTRECORD: a record that was never completed, and when that was found.
struct XlogOverwriteContinued {
  uint64_t overwritten;
  int64_t time;  ///< microseconds since 2000-01-01 UTC
};
static_assert(sizeof(XlogOverwriteContinued) == 16);

enum StandbyInfo : uint8_t {
  kStandbyLock = 0x00,
  kStandbyRunningXacts = 0x10,
  kStandbyInvalidations = 0x20,
};

/// RUNNING_XACTS without its list.
struct StandbyRunningXacts {
  int32_t xid_count;
  int32_t subxid_count;
  bool subxids_overflowed;
  uint8_t padding[3];
  TransactionId next_xid;
  TransactionId oldest_running_xid;
  TransactionId latest_completed_xid;
};
static_assert(sizeof(StandbyRunningXacts) == 24);

}  // namespace cofork
