// See checkpoint.h.
#include "recovery/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/file.h"
#include "log/log.h"
#include "model/model.h"
#include "recovery/cluster_state.h"
#include "recovery/xlog_records.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "shmem/stats.h"
#include "storage/buffer_pool.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/snapshot.h"
#include "txn/subtrans.h"
#include "txn/variable_cache.h"
#include "wal/checkpoint_request.h"
#include "wal/insert.h"
#include "wal/segments.h"
#include "wal/write.h"

namespace cofork {

namespace {

/// What "checkpoint complete" reports (CheckpointStatsData). Times are monotonic nanoseconds.
struct Measured {
  int64_t begin = 0;
  int64_t write_begin = 0;
  int64_t sync_begin = 0;
  int64_t sync_end = 0;
  int buffers_written = 0;
  int segments_added = 0;
  RemovedSegments removed;
  int synced_files = 0;
  int64_t longest_sync_ns = 0;
  int64_t total_sync_ns = 0;
};

int64_t monotonic_ns() {
  return this_task().os().clock.monotonic_ns();
}

std::string seconds_text(int64_t ns) {
  int64_t ms = ns / 1000000;
  return fmt::format("{}.{:03} s", ms / 1000, ms % 1000);
}

int64_t kilobytes(double bytes) {
  return static_cast<int64_t>(bytes / 1024.0);
}

bool is_shutdown_kind(uint32_t flags) {
  return (flags & (kCheckpointIsShutdown | kCheckpointEndOfRecovery)) != 0;
}

/// Step 2. False when nothing has happened since the last checkpoint.
bool choose_redo_pointer(uint32_t flags, CheckPoint& checkpoint) {
  Lsn last_important = wal_last_important();
  WalInsertExclusive all;
  bool may_skip = !is_shutdown_kind(flags) && (flags & kCheckpointForce) == 0;
  if (may_skip && last_important == Lsn{control_file_copy().checkpoint}) return false;
  checkpoint.full_page_writes = wal_shared().full_page_writes;
  checkpoint.redo = all.next_record_start().value;
  all.set_redo({checkpoint.redo});
  return true;
}

void log_start(uint32_t flags) {
  if (!settings().get(setting::kLogCheckpoints)) return;
  log(Severity::kLog, "checkpoint starting:{}", checkpoint_flag_words(flags));
}

void log_end(const Measured& measured, const CheckpointHistory& history) {
  if (!settings().get(setting::kLogCheckpoints)) return;
  int64_t average = measured.synced_files > 0 ? measured.total_sync_ns / measured.synced_files : 0;
  log(Severity::kLog,
      "checkpoint complete: wrote {} buffers ({:.1f}%); {} WAL file(s) added, {} removed, {} "
      "recycled; write={}, sync={}, total={}; sync files={}, longest={}, average={}; distance={} "
      "kB, estimate={} kB",
      measured.buffers_written,
      static_cast<double>(measured.buffers_written) * 100 / shared_memory().limits().shared_buffers,
      measured.segments_added, measured.removed.removed, measured.removed.recycled,
      seconds_text(measured.sync_begin - measured.write_begin),
      seconds_text(measured.sync_end - measured.sync_begin),
      seconds_text(monotonic_ns() - measured.begin), measured.synced_files,
      seconds_text(measured.longest_sync_ns), seconds_text(average),
      kilobytes(history.last_distance), kilobytes(history.distance_estimate));
}

void count(const Measured& measured) {
  CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
  stats.write_time_ms += (measured.sync_begin - measured.write_begin) / 1000000;
  stats.sync_time_ms += (measured.sync_end - measured.sync_begin) / 1000000;
  stats.buffers_written += measured.buffers_written;
}

/// A commit whose record lies before the redo pointer must be in the commit log before that is
/// written: those who are in between finish first.
void wait_for_commits_in_progress() {
  constexpr int64_t kPauseUs = 10'000;
  std::vector<DelayingTransaction> delaying = transactions_delaying_checkpoint();
  Task& task = this_task();
  while (!delaying.empty() && any_still_delays_checkpoint(delaying)) {
    task.model().pause_us(task, kPauseUs);
  }
}

/// Step 4 (CheckPointGuts), in the order commit log, subtransactions, multixacts, buffers of
/// relations | fsyncs | two-phase files.
void bring_changes_to_disk(uint32_t flags, const CheckpointHooks& hooks, Measured& measured) {
  measured.write_begin = monotonic_ns();
  clog_checkpoint();
  subtrans_checkpoint();
  multixact_checkpoint();
  measured.buffers_written = buffers_sync(flags, hooks.pause);
  measured.sync_begin = monotonic_ns();
  SyncFigures synced = hooks.syncs.sync_all();
  measured.sync_end = monotonic_ns();
  measured.synced_files = synced.files;
  measured.longest_sync_ns = synced.longest_ns;
  measured.total_sync_ns = synced.total_ns;
}

Lsn insert_checkpoint_record(const CheckPoint& checkpoint, bool shutdown_kind) {
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerXlog, shutdown_kind ? kXlogCheckpointShutdown : kXlogCheckpointOnline);
  record.add_main(&checkpoint, sizeof checkpoint);
  Lsn end = wal_insert(record);
  wal_flush(end);
  return end;
}

/// Step 6.
void record_in_control_file(const CheckPoint& checkpoint, Lsn record, bool shutdown_kind) {
  update_control_file([&](ControlFileData& control) {
    if (shutdown_kind) control.state = ClusterState::kShutdowned;
    control.checkpoint = record.value;
    control.checkpoint_copy = checkpoint;
    control.min_recovery_point = 0;
    control.min_recovery_timeline = 0;
  });
}

/// Step 7.
void tidy_segments(uint32_t flags, const CheckPoint& checkpoint, Lsn end,
                   const CheckpointHistory& history, Measured& measured) {
  WalGeometry geometry = wal_shared().geometry();
  WalSegmentNo keep_from = oldest_wal_to_keep(geometry.segment_of({checkpoint.redo}), end);
  measured.removed = remove_old_wal(keep_from, {checkpoint.redo}, end, checkpoint.timeline,
                                    history.distance_estimate);
  if ((flags & kCheckpointIsShutdown) == 0 && !is_shutdown_kind(flags)) {
    measured.segments_added = preallocate_wal(end, checkpoint.timeline);
  }
}

}  // namespace

void note_checkpoint_distance(CheckpointHistory& history, uint64_t bytes) {
  auto distance = static_cast<double>(bytes);
  history.last_distance = distance;
  history.distance_estimate = history.distance_estimate < distance
                                  ? distance
                                  : 0.90 * history.distance_estimate + 0.10 * distance;
}

std::string checkpoint_flag_words(uint32_t flags) {
  static constexpr struct {
    uint32_t flag;
    const char* word;
  } kWords[] = {
      {kCheckpointIsShutdown, " shutdown"}, {kCheckpointEndOfRecovery, " end-of-recovery"},
      {kCheckpointImmediate, " immediate"}, {kCheckpointForce, " force"},
      {kCheckpointWait, " wait"},           {kCheckpointCauseXlog, " wal"},
      {kCheckpointCauseTime, " time"},      {kCheckpointFlushAll, " flush-all"},
  };
  std::string words;
  for (const auto& [flag, word] : kWords) {
    if (flags & flag) words += word;
  }
  return words;
}

Lsn log_running_transactions() {
  RunningTransactions running = running_transactions_and_children();
  StandbyRunningXacts body{};
  body.xid_count = static_cast<int32_t>(running.xids.size());
  body.subxid_count = static_cast<int32_t>(running.subxids.size());
  body.subxids_overflowed = running.overflowed;
  body.next_xid = next_full_xid().xid();
  body.oldest_running_xid = body.next_xid;
  for (TransactionId xid : running.xids) {
    if (xid_precedes(xid, body.oldest_running_xid)) body.oldest_running_xid = xid;
  }
  body.latest_completed_xid = running.latest_completed_xid;
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerStandby, kStandbyRunningXacts);
  record.add_main(&body, sizeof body);
  record.add_main(running.xids.data(), running.xids.size() * sizeof(TransactionId));
  record.add_main(running.subxids.data(), running.subxids.size() * sizeof(TransactionId));
  wal_insert(record, false);
  return wal_last_inserted();
}

CheckpointOutcome create_checkpoint(uint32_t flags, CheckpointHistory& history,
                                    const CheckpointHooks& hooks) {
  bool shutdown_kind = is_shutdown_kind(flags);
  bool end_of_recovery = (flags & kCheckpointEndOfRecovery) != 0;
  if (recovery_in_progress() && !end_of_recovery) {
    throw Error(sqlstate::kInternalError, "can't create a checkpoint during recovery");
  }
  // The one who ends recovery writes before recovery has ended.
  if (end_of_recovery) wal_allow_insert(true);

  Measured measured;
  measured.begin = monotonic_ns();
  hooks.syncs.before_checkpoint();
  CriticalSection beginning;
  if (shutdown_kind) {
    update_control_file(
        [](ControlFileData& control) { control.state = ClusterState::kShutdowning; });
  }
  CheckPoint checkpoint;
  std::memset(&checkpoint, 0, sizeof checkpoint);
  checkpoint.time = this_task().os().clock.realtime_us() / 1000000;
  checkpoint.timeline = checkpoint.previous_timeline = wal_shared().timeline;
  if (!shutdown_kind && standbys_may_follow()) checkpoint.oldest_active_xid = oldest_active_xid();
  if (!choose_redo_pointer(flags, checkpoint)) {
    beginning.end();
    log(Severity::kDebug1, "checkpoint skipped because system is idle");
    return {.performed = false};
  }
  log_start(flags);
  if (shutdown_kind) {
    hooks.title(end_of_recovery ? "performing end-of-recovery checkpoint"
                                : "performing shutdown checkpoint");
  }
  counters_to_checkpoint(cluster_counters(!shutdown_kind), checkpoint);
  beginning.end();
  wait_for_commits_in_progress();

  bring_changes_to_disk(flags, hooks, measured);
  if (!shutdown_kind && standbys_may_follow()) log_running_transactions();

  CriticalSection ending;
  Lsn end = insert_checkpoint_record(checkpoint, shutdown_kind);
  Lsn record = wal_last_inserted();
  // After a shutdown checkpoint this task writes no WAL ever again.
  if (end_of_recovery) wal_allow_insert(false);
  if (shutdown_kind && record.value != checkpoint.redo) {
    throw Error(sqlstate::kInternalError,
                "concurrent write-ahead log activity while database system is shutting down")
        .severity(Severity::kPanic);
  }
  Lsn previous_redo{control_file_copy().checkpoint_copy.redo};
  record_in_control_file(checkpoint, record, shutdown_kind);
  ending.end();

  hooks.syncs.after_checkpoint();
  if (previous_redo.is_valid()) {
    note_checkpoint_distance(history, Lsn{checkpoint.redo} - previous_redo);
  }
  tidy_segments(flags, checkpoint, end, history, measured);
  if (!recovery_in_progress()) subtrans_truncate(oldest_considered_running());
  log_end(measured, history);
  count(measured);
  hooks.title("");
  return {.performed = true};
}

}  // namespace cofork
