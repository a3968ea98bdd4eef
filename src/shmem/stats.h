// Cumulative statistics: counters that outlive the tasks that counted (as pgstat.c, 15).
//
// A task counts in its own memory (PendingStats) and adds to the shared counters when it becomes
// idle, at most once a second, and when it ends; so counting costs an increment and nobody waits
// for anybody. What is seen is therefore up to a second old, as in PostgreSQL.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "shmem/segment.h"

namespace cofork {

using StatCounter = std::atomic<int64_t>;

/// pg_stat_bgwriter: what the checkpointer counts.
struct CheckpointerStats {
  StatCounter timed_checkpoints;
  StatCounter requested_checkpoints;
  StatCounter write_time_ms;
  StatCounter sync_time_ms;
  StatCounter buffers_written;
  StatCounter backend_writes;     ///< by others: buffers_backend
  StatCounter backend_syncs;      ///< buffers_backend_fsync
  StatCounter buffers_clean;      ///< by the background writer
  StatCounter maximum_reached;    ///< maxwritten_clean
  StatCounter buffers_allocated;  ///< buffers_alloc
  StatCounter reset_at;           ///< microseconds since 2000-01-01 UTC
};

/// pg_stat_wal.
struct WalStats {
  StatCounter records;
  StatCounter full_page_images;
  StatCounter bytes;
  StatCounter buffers_full;
  StatCounter writes;
  StatCounter syncs;
  StatCounter write_time_us;
  StatCounter sync_time_us;
  StatCounter reset_at;
};

/// pg_stat_database: one database.
struct DatabaseStats {
  std::atomic<uint32_t> database_id;  ///< 0: unused row
  StatCounter commits;
  StatCounter rollbacks;
  StatCounter blocks_read;
  StatCounter blocks_hit;
  StatCounter deadlocks;
  StatCounter session_time_us;
  StatCounter active_time_us;
  StatCounter idle_in_transaction_time_us;
  StatCounter sessions;
  StatCounter sessions_abandoned;
  StatCounter sessions_fatal;
  StatCounter sessions_killed;
  StatCounter reset_at;  ///< 0: never
};

struct SharedStats {
  static constexpr Area kArea = Area::kSharedStats;
  static constexpr const char* kName = "Shared Memory Stats";
  /// Databases counted for. The first ones to have a session get the rows.
  static constexpr int32_t kDatabases = 256;
  static size_t size(const Limits&) { return sizeof(SharedStats); }
  static void init(void* memory, const Limits&);

  alignas(kAreaAlignment) CheckpointerStats checkpointer;
  alignas(kAreaAlignment) WalStats wal;
  alignas(kAreaAlignment) DatabaseStats databases[kDatabases];
};

/// How a session ended, for pg_stat_database.
enum class SessionEnd : uint8_t { kNormal, kAbandoned, kFatal, kKilled };

/// How a task has used shared buffers since it began (pgBufferUsage; EXPLAIN's BUFFERS).
struct BufferUsage {
  int64_t hit = 0;
  int64_t read = 0;
  int64_t dirtied = 0;
  int64_t written = 0;
};

/// What a task has counted and not yet added. Part of MyProc.
struct PendingStats {
  BufferUsage buffers;           ///< counts on for ever
  BufferUsage reported_buffers;  ///< as they were when they were last added

  int64_t commits = 0;
  int64_t rollbacks = 0;
  int64_t deadlocks = 0;
  int64_t active_time_us = 0;
  int64_t idle_in_transaction_time_us = 0;
  int64_t wal_records = 0;
  int64_t wal_full_page_images = 0;
  int64_t wal_bytes = 0;
  int64_t wal_buffers_full = 0;
  int64_t wal_writes = 0;
  int64_t wal_syncs = 0;
  int64_t wal_write_time_us = 0;
  int64_t wal_sync_time_us = 0;

  int64_t reported_at = 0;         ///< when it was last added (microseconds since 2000-01-01)
  int64_t session_counted_to = 0;  ///< session time up to here is in the shared counters
  uint32_t database_id = 0;        ///< of the session; 0: counts no transactions
};

/// Adds what is pending if a second has passed since the last time, or if `force`.
/// Returns how many milliseconds later it should be called again; 0: nothing is left to add.
/// Called when a task becomes idle, and by the exit callback of init_process().
int64_t report_stats(bool force);

/// A session of a database begins to count, and ends for a reason. Between the two, and after a
/// call of the second, report_stats() charges its time.
void stats_session_begins(uint32_t database_id);
void stats_session_ends(SessionEnd how);

/// The row of a database, or null while it has none.
DatabaseStats* database_stats(uint32_t database_id);
/// pg_stat_reset() for a database; pg_stat_reset_shared('bgwriter' / 'wal').
void reset_database_stats(uint32_t database_id);
void reset_checkpointer_stats();
void reset_wal_stats();

}  // namespace cofork
