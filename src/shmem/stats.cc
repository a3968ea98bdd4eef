// See stats.h.
#include "shmem/stats.h"

#include <new>

#include "shmem/backend_status.h"
#include "shmem/proc.h"

namespace cofork {

namespace {

constexpr int64_t kReportInterval_us = 1'000'000;  // PGSTAT_MIN_INTERVAL

SharedStats& stats() {
  return shared_memory().area<SharedStats>();
}

/// Moves a pending count over. Most are zero: no write to the shared line then.
void add(StatCounter& shared, int64_t& pending) {
  if (pending == 0) return;
  shared.fetch_add(pending, std::memory_order_relaxed);
  pending = 0;
}

bool wal_is_pending(const PendingStats& p) {
  return (p.wal_records | p.wal_full_page_images | p.wal_bytes | p.wal_buffers_full | p.wal_writes |
          p.wal_syncs | p.wal_write_time_us | p.wal_sync_time_us) != 0;
}

void add_wal(PendingStats& pending) {
  WalStats& wal = stats().wal;
  add(wal.records, pending.wal_records);
  add(wal.full_page_images, pending.wal_full_page_images);
  add(wal.bytes, pending.wal_bytes);
  add(wal.buffers_full, pending.wal_buffers_full);
  add(wal.writes, pending.wal_writes);
  add(wal.syncs, pending.wal_syncs);
  add(wal.write_time_us, pending.wal_write_time_us);
  add(wal.sync_time_us, pending.wal_sync_time_us);
}

bool database_is_pending(const PendingStats& p) {
  return (p.commits | p.rollbacks | p.deadlocks | p.active_time_us | p.idle_in_transaction_time_us |
          (p.buffers.hit - p.reported_buffers.hit) | (p.buffers.read - p.reported_buffers.read)) !=
         0;
}

/// The row of a database, made when it has none yet; null when all rows are taken.
DatabaseStats* find_or_make(uint32_t database_id) {
  for (DatabaseStats& row : stats().databases) {
    uint32_t id = row.database_id.load(std::memory_order_acquire);
    if (id == 0 && row.database_id.compare_exchange_strong(id, database_id)) return &row;
    if (id == database_id) return &row;
  }
  return nullptr;
}

void add_database(PendingStats& pending, DatabaseStats& row, int64_t now) {
  add(row.commits, pending.commits);
  add(row.rollbacks, pending.rollbacks);
  row.blocks_hit.fetch_add(pending.buffers.hit - pending.reported_buffers.hit,
                           std::memory_order_relaxed);
  row.blocks_read.fetch_add(pending.buffers.read - pending.reported_buffers.read,
                            std::memory_order_relaxed);
  pending.reported_buffers = pending.buffers;
  add(row.deadlocks, pending.deadlocks);
  add(row.active_time_us, pending.active_time_us);
  add(row.idle_in_transaction_time_us, pending.idle_in_transaction_time_us);
  if (pending.session_counted_to != 0) {
    int64_t session_time = now - pending.session_counted_to;
    add(row.session_time_us, session_time);
    pending.session_counted_to = now;
  }
}

void reset(StatCounter* first, StatCounter* end) {
  for (; first != end; ++first) first->store(0, std::memory_order_relaxed);
}

}  // namespace

void SharedStats::init(void* memory, const Limits&) {
  auto* made = new (memory) SharedStats{};
  int64_t now = now_timestamp();
  made->checkpointer.reset_at.store(now, std::memory_order_relaxed);
  made->wal.reset_at.store(now, std::memory_order_relaxed);
}

int64_t report_stats(bool force) {
  PendingStats& pending = my().stats;
  bool wal = wal_is_pending(pending);
  bool database = pending.database_id != 0 && (force || database_is_pending(pending));
  if (!wal && !database) return 0;
  int64_t now = now_timestamp();
  int64_t since = now - pending.reported_at;
  if (!force && since >= 0 && since < kReportInterval_us) {
    return (kReportInterval_us - since + 999) / 1000;
  }
  if (wal) add_wal(pending);
  if (database) {
    if (DatabaseStats* row = find_or_make(pending.database_id)) add_database(pending, *row, now);
  }
  pending.reported_at = now;
  return 0;
}

void stats_session_begins(uint32_t database_id) {
  PendingStats& pending = my().stats;
  pending.database_id = database_id;
  pending.session_counted_to = now_timestamp();
  if (DatabaseStats* row = find_or_make(database_id)) {
    row->sessions.fetch_add(1, std::memory_order_relaxed);
  }
}

void stats_session_ends(SessionEnd how) {
  PendingStats& pending = my().stats;
  report_stats(true);
  pending.session_counted_to = 0;
  DatabaseStats* row = pending.database_id != 0 ? find_or_make(pending.database_id) : nullptr;
  if (row == nullptr) return;
  switch (how) {
    case SessionEnd::kNormal:
      break;
    case SessionEnd::kAbandoned:
      row->sessions_abandoned.fetch_add(1, std::memory_order_relaxed);
      break;
    case SessionEnd::kFatal:
      row->sessions_fatal.fetch_add(1, std::memory_order_relaxed);
      break;
    case SessionEnd::kKilled:
      row->sessions_killed.fetch_add(1, std::memory_order_relaxed);
      break;
  }
}

DatabaseStats* database_stats(uint32_t database_id) {
  for (DatabaseStats& row : stats().databases) {
    uint32_t id = row.database_id.load(std::memory_order_acquire);
    if (id == database_id) return &row;
    if (id == 0) break;
  }
  return nullptr;
}

void reset_database_stats(uint32_t database_id) {
  DatabaseStats* row = find_or_make(database_id);
  if (row == nullptr) return;
  reset(&row->commits, &row->reset_at);
  row->reset_at.store(now_timestamp(), std::memory_order_relaxed);
}

void reset_checkpointer_stats() {
  CheckpointerStats& checkpointer = stats().checkpointer;
  reset(&checkpointer.timed_checkpoints, &checkpointer.reset_at);
  checkpointer.reset_at.store(now_timestamp(), std::memory_order_relaxed);
}

void reset_wal_stats() {
  WalStats& wal = stats().wal;
  reset(&wal.records, &wal.reset_at);
  wal.reset_at.store(now_timestamp(), std::memory_order_relaxed);
}

}  // namespace cofork
