// global/pg_control: what a server must know before it can read anything else.
//
// 296 bytes in PostgreSQL 15's own layout, so pg_controldata, pg_resetwal and pg_checksums read it:
// who the cluster is (system identifier), in which format it was made, in what state it was left,
// and where its last checkpoint is. It is written in place, 8192 bytes in one write, then synced;
// the meaningful part fits a disk sector and carries a CRC, so no torn-write protection is needed.
//
// The catalog version is ours (kCatalogVersion): a real PostgreSQL refuses the directory, and this
// server refuses PostgreSQL's, each saying why. It changes whenever what we keep in the directory
// changes in a way an older or newer server cannot read.
//
// While the server runs, a copy in shared memory is what everybody reads ("Control File"); changes
// go to the copy under ControlFileLock and then to the file (as ControlFile in xlog.c, 15).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/lsn.h"
#include "wal/format.h"

namespace cofork {

inline constexpr uint32_t kControlFileVersion = 1300;
inline constexpr uint32_t kCatalogVersion = 202611251;
/// What PostgreSQL 15 itself writes there.
inline constexpr uint32_t kPostgresql15CatalogVersion = 202209061;

inline constexpr const char* kControlFilePath = "global/pg_control";
inline constexpr size_t kControlFileBytes = 8192;

/// Where things stood when a checkpoint began; also the body of both checkpoint records.
struct CheckPoint {
  uint64_t redo;  ///< redo starts here
  TimelineId timeline;
  TimelineId previous_timeline;  ///< differs at the first checkpoint of a timeline
  bool full_page_writes;
  uint64_t next_xid;  ///< epoch << 32 | xid
  uint32_t next_oid;
  uint32_t next_multi;
  uint32_t next_multi_offset;
  TransactionId oldest_xid;
  uint32_t oldest_xid_database;
  uint32_t oldest_multi;
  uint32_t oldest_multi_database;
  int64_t time;  ///< Unix seconds
  TransactionId oldest_commit_timestamp_xid;
  TransactionId newest_commit_timestamp_xid;
  TransactionId oldest_active_xid;  ///< online checkpoints at wal_level >= replica only
};
static_assert(sizeof(CheckPoint) == 88);
static_assert(offsetof(CheckPoint, next_xid) == 24 && offsetof(CheckPoint, time) == 64);

enum class ClusterState : uint32_t {
  kStartup = 0,
  kShutdowned = 1,
  kShutdownedInRecovery = 2,
  kShutdowning = 3,
  kInCrashRecovery = 4,
  kInArchiveRecovery = 5,
  kInProduction = 6,
};

struct ControlFileData {
  uint64_t system_identifier;
  uint32_t control_version;
  uint32_t catalog_version;
  ClusterState state;
  int64_t time;         ///< Unix seconds of the last write
  uint64_t checkpoint;  ///< start of the last checkpoint record
  CheckPoint checkpoint_copy;
  uint64_t unlogged_lsn;
  uint64_t min_recovery_point;
  TimelineId min_recovery_timeline;
  uint64_t backup_start_point;
  uint64_t backup_end_point;
  bool backup_end_required;
  // Settings a standby must know of.
  int32_t wal_level;
  bool wal_log_hints;
  int32_t max_connections;
  int32_t max_worker_processes;
  int32_t max_wal_senders;
  int32_t max_prepared_transactions;
  int32_t max_locks_per_transaction;
  bool track_commit_timestamp;
  // What the format was compiled with.
  uint32_t max_align;
  double float_format;
  uint32_t block_bytes;
  uint32_t relation_segment_blocks;
  uint32_t wal_page_bytes;
  uint32_t wal_segment_bytes;
  uint32_t name_bytes;
  uint32_t index_keys_max;
  uint32_t toast_chunk_bytes;
  uint32_t large_object_chunk_bytes;
  bool float8_by_value;
  uint32_t data_checksum_version;  ///< 0: none
  uint8_t mock_authentication_nonce[32];
  uint32_t crc;  ///< of all before
};
static_assert(sizeof(ControlFileData) == 296);
static_assert(offsetof(ControlFileData, checkpoint_copy) == 40);
static_assert(offsetof(ControlFileData, unlogged_lsn) == 128);
static_assert(offsetof(ControlFileData, wal_level) == 172);
static_assert(offsetof(ControlFileData, float_format) == 208);
static_assert(offsetof(ControlFileData, mock_authentication_nonce) == 256);
static_assert(offsetof(ControlFileData, crc) == 288);

/// A fresh one: everything but the identifier, the checkpoint and the settings is filled in.
ControlFileData make_control_file_data();

/// The file's 8192 bytes, with the CRC computed.
std::string encode_control_file(const ControlFileData& control);
/// Takes the struct out of a file's content, unchecked. False when there are too few bytes.
bool decode_control_file(std::string_view content, ControlFileData& control);
/// The CRC the struct should have.
uint32_t control_file_crc(const ControlFileData& control);

/// Throws FATAL, in PostgreSQL's words, for a control file this server must not start from:
/// version, CRC, catalog version, sizes (the second half of ReadControlFile, xlog.c).
void check_control_file(const ControlFileData& control);

/// Reads and checks `path`. Throws PANIC when it cannot be read whole, FATAL as above. May wait.
ControlFileData read_control_file(const std::string& path = kControlFilePath);

/// Stamps time and CRC and writes the file in place, synced (update_controlfile). Throws PANIC.
/// May wait. `now_s` is Unix seconds.
void write_control_file(ControlFileData& control, int64_t now_s,
                        const std::string& path = kControlFilePath);

}  // namespace cofork
