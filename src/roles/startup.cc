// The startup task: makes a data directory that may have been left in any state one that can be
// used (as StartupXLOG in xlog.c and xlogrecovery.c, 15). It runs alone, before anybody may
// connect, and ends.
//
//   1 read the control file: who the cluster is, how it was left
//   2 after a crash: force the whole directory to disk; nobody knows what had not been written
//   3 read the checkpoint record the control file names
//   4 if it was not shut down: redo every record from that checkpoint's redo pointer on, until the
//     WAL stops making sense, which is where it ended
//   5 go on writing WAL there; the checkpointer makes an end-of-recovery checkpoint
//   6 control file: "in production"; exit 0, and the postmaster lets clients in
//
// Until 6 a crash changes nothing: the next start begins from the same checkpoint.
//
// Signals: SIGTERM stops it at the next record (exit 1), SIGHUP reloads, SIGUSR2 would promote a
// standby and is ignored.
#include "roles/startup.h"

#include <cstring>
#include <optional>

#include "access/redo_page.h"
#include "access/unlogged.h"
#include "io/sync_tree.h"
#include "log/format.h"
#include "log/log.h"
#include "os/cpu_time.h"
#include "recovery/cluster_state.h"
#include "recovery/redo.h"
#include "recovery/startup_progress.h"
#include "recovery/wal_parameters.h"
#include "recovery/xlog_records.h"
#include "roles/auxiliary.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/pm_signal.h"
#include "shmem/proc_array.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/subtrans.h"
#include "txn/variable_cache.h"
#include "wal/checkpoint_request.h"
#include "wal/insert.h"
#include "wal/segments.h"
#include "wal/write.h"

namespace cofork {

namespace {

constexpr const char* kStartupTitle = "startup";

void serve_interrupts(Task& task, uint32_t bits) {
  if (bits & kInterruptDie) proc_exit(1);
  if (bits & kInterruptReload) reload_configuration(task);
  if (bits & kInterruptProcSignal) serve_proc_signals(task);
}

Error panic(SqlState sqlstate, const char* text) {
  return Error(sqlstate, "{}", text).severity(Severity::kPanic);
}

/// "CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.00 s" since its making (pg_rusage_show).
class UsageSince {
 public:
  UsageSince() : begin_ns_(this_task().os().clock.monotonic_ns()), cpu_(thread_cpu_times()) {}
  std::string text() const {
    CpuTimes now = thread_cpu_times();
    int64_t elapsed_us = (this_task().os().clock.monotonic_ns() - begin_ns_) / 1000;
    return fmt::format("CPU: user: {}, system: {}, elapsed: {}",
                       seconds(now.user_us - cpu_.user_us), seconds(now.system_us - cpu_.system_us),
                       seconds(elapsed_us));
  }

 private:
  static std::string seconds(int64_t us) {
    return fmt::format("{}.{:02} s", us / 1'000'000, us % 1'000'000 / 10'000);
  }
  int64_t begin_ns_;
  CpuTimes cpu_;
};

class Startup {
 public:
  explicit Startup(Task& task) : task_(task) {}
  void run();

 private:
  void say_how_it_was_left() const;
  void check_directory();
  void force_directory_to_disk();
  void find_checkpoint();
  void begin_recovery();
  void redo_all();
  void redo_from(DecodedRecord& record);
  void resume_wal();
  void open_transaction_logs();
  void write_overwritten_record();
  void end_recovery();

  Task& task_;
  ControlFileData control_{};
  CheckPoint checkpoint_{};
  bool checkpoint_was_shutdown_ = false;
  bool needs_recovery_ = false;
  RedoContext redo_;
  StartupProgress progress_;
  std::optional<WalFilePages> pages_;
  std::optional<WalReader> reader_;
  Lsn last_record_;  ///< the last valid one
  Lsn end_;          ///< of it: WAL goes on here
  Lsn aborted_record_, missing_part_;
};

void Startup::run() {
  load_cluster_state();
  control_ = control_file_copy();
  if (wal_page_offset(control_.checkpoint) < kWalShortHeaderBytes) {
    throw Error(sqlstate::kDataCorrupted, "control file contains invalid checkpoint location")
        .fatal();
  }
  say_how_it_was_left();
  check_directory();
  bool crashed = control_.state != ClusterState::kShutdowned &&
                 control_.state != ClusterState::kShutdownedInRecovery;
  if (crashed) {
    remove_temporary_wal();
    force_directory_to_disk();
  }
  find_checkpoint();
  begin_recovery();
  if (needs_recovery_) redo_all();
  resume_wal();
  open_transaction_logs();
  end_recovery();
}

void Startup::say_how_it_was_left() const {
  std::string time = log_timestamp(settings(), control_.time * 1'000'000, false);
  ErrorData line;
  line.severity = Severity::kLog;
  line.sqlstate = sqlstate::kSuccessfulCompletion;
  switch (control_.state) {
    case ClusterState::kShutdowned:
      line.message = "database system was shut down at " + time;
      break;
    case ClusterState::kShutdownedInRecovery:
      line.message = "database system was shut down in recovery at " + time;
      break;
    case ClusterState::kShutdowning:
      line.message = "database system shutdown was interrupted; last known up at " + time;
      break;
    case ClusterState::kInCrashRecovery:
      line.message = "database system was interrupted while in recovery at " + time;
      line.hint =
          "This probably means that some data is corrupted and you will have to use the last "
          "backup for recovery.";
      break;
    case ClusterState::kInArchiveRecovery:
      line.message = "database system was interrupted while in recovery at log time " +
                     log_timestamp(settings(), control_.checkpoint_copy.time * 1'000'000, false);
      line.hint =
          "If this has occurred more than once some data might be corrupted and you might need to "
          "choose an earlier recovery target.";
      break;
    case ClusterState::kInProduction:
      line.message = "database system was interrupted; last known up at " + time;
      break;
    default:
      throw Error(sqlstate::kDataCorrupted, "control file contains invalid database cluster state")
          .fatal();
  }
  report(line);
}

/// What must be there, and what must not: a backup or a standby needs what this server has not.
void Startup::check_directory() {
  struct stat st;
  if (task_files().stat(kWalDirectory, st) < 0 || !S_ISDIR(st.st_mode)) {
    throw Error(sqlstate::kInternalError, "required WAL directory \"{}\" does not exist",
                kWalDirectory)
        .fatal();
  }
  std::string status = std::string(kWalDirectory) + "/archive_status";
  if (task_files().stat(status, st) < 0) {
    log(Severity::kLog, "creating missing WAL directory \"{}\"", status);
    if (int error = task_files().mkdir(status, directory_create_mode()); error < 0) {
      throw Error(sqlstate_for_file_errno(-error), "could not create missing directory \"{}\": {}",
                  status, errno_text(-error))
          .fatal();
    }
  }
  for (const char* name : {"recovery.signal", "standby.signal", "backup_label"}) {
    if (task_files().stat(name, st) < 0) continue;
    throw Error(sqlstate::kFeatureNotSupported,
                "recovery from an archive, a backup or another server is not supported")
        .detail("There is a file \"{}\" in the data directory.", name)
        .fatal();
  }
}

void Startup::force_directory_to_disk() {
  bool whole_file_systems =
      settings().get(setting::kRecoveryInitSyncMethod) == setting::SyncMethod::kSyncfs;
  SyncTreeEvents events;
  events.visiting = [&](const std::string& path) {
    std::string elapsed;
    if (!progress_.due(elapsed)) return;
    log(Severity::kLog, "syncing data directory ({}), elapsed time: {}, current path: {}",
        whole_file_systems ? "syncfs" : "fsync", elapsed, path);
  };
  events.failed = [](const std::string& message) { log(Severity::kLog, "{}", message); };
  progress_.begin_phase();
  if (whole_file_systems) {
    sync_tree_file_systems(".", events);
  } else {
    sync_tree(".", events);
  }
}

void Startup::find_checkpoint() {
  redo_.timeline = control_.checkpoint_copy.timeline;
  pages_.emplace(wal_shared().geometry(), redo_.timeline, [](const std::string& segment) {
    set_auxiliary_title(kStartupTitle, "recovering " + segment);
  });
  reader_.emplace(*pages_, wal_shared().geometry(), control_.system_identifier);
  Lsn at{control_.checkpoint};
  auto found = read_checkpoint_record(*reader_, at, checkpoint_was_shutdown_);
  if (!found) {
    throw panic(sqlstate::kInternalError, "could not locate a valid checkpoint record");
  }
  checkpoint_ = *found;
  log(Severity::kDebug1, "checkpoint record is at {}", at);
  log(Severity::kDebug1, "redo record is at {}; shutdown {}", Lsn{checkpoint_.redo},
      checkpoint_was_shutdown_ ? "true" : "false");
  last_record_ = at;
  end_ = reader_->end();

  if (static_cast<TransactionId>(checkpoint_.next_xid) < kFirstNormalXid) {
    throw panic(sqlstate::kInternalError, "invalid next transaction ID");
  }
  if (control_.checkpoint < checkpoint_.redo) {
    throw panic(sqlstate::kInternalError, "invalid redo in checkpoint record");
  }
  if (checkpoint_.redo < control_.checkpoint && checkpoint_was_shutdown_) {
    throw panic(sqlstate::kInternalError, "invalid redo record in shutdown checkpoint");
  }
  needs_recovery_ =
      checkpoint_.redo < control_.checkpoint || control_.state != ClusterState::kShutdowned;
}

void Startup::begin_recovery() {
  set_cluster_counters(counters_of_checkpoint(checkpoint_));
  variable_cache().oldest_clog_xid = checkpoint_.oldest_xid;
  clog_startup(next_full_xid().xid());
  multixact_startup();
  redo_.full_page_writes = checkpoint_.full_page_writes;
  wal_shared().redo = checkpoint_.redo;
  if (!needs_recovery_) return;
  log(Severity::kLog, "database system was not properly shut down; automatic recovery in progress");
  update_control_file([&](ControlFileData& control) {
    control.state = ClusterState::kInCrashRecovery;
    control.checkpoint_copy = checkpoint_;
  });
  remove_unlogged_contents();
}

void Startup::redo_all() {
  send_postmaster_signal(PmSignal::kRecoveryStarted);
  // Redo begins at the redo pointer; when that is the checkpoint record itself, after it.
  DecodedRecord record;
  bool found;
  if (checkpoint_.redo < control_.checkpoint) {
    reader_->seek({checkpoint_.redo});
    found = reader_->next(record);
    if (!found) {
      if (!reader_->complaint().empty()) log(Severity::kLog, "{}", reader_->complaint());
      throw Error(sqlstate::kInternalError,
                  "could not find redo location referenced by checkpoint record")
          .fatal();
    }
  } else {
    found = reader_->next(record);
  }
  if (found) {
    redo_from(record);
  } else {
    if (!reader_->complaint().empty()) log(Severity::kLog, "{}", reader_->complaint());
    log(Severity::kLog, "redo is not required");
  }
  aborted_record_ = reader_->aborted_record();
  missing_part_ = reader_->missing_part();
  redo_check_missing();
  recreate_unlogged_relations();
}

void Startup::redo_from(DecodedRecord& record) {
  UsageSince usage;
  log(Severity::kLog, "redo starts at {}", record.start);
  progress_.begin_phase();
  do {
    std::string elapsed;
    if (progress_.due(elapsed)) {
      log(Severity::kLog, "redo in progress, elapsed time: {}, current LSN: {}", elapsed,
          record.start);
    }
    task_.check_interrupts();
    if (reader_->overwritten_record().is_valid()) {
      redo_.overwritten_record = reader_->overwritten_record();
    }
    redo_record(record, redo_);
    last_record_ = record.start;
    end_ = record.end;
    shared_memory().area<RecoveryShared>().replayed_to = end_.value;
  } while (reader_->next(record));
  if (!reader_->complaint().empty()) log(Severity::kLog, "{}", reader_->complaint());
  log(Severity::kLog, "redo done at {} system usage: {}", last_record_, usage.text());
}

/// WAL goes on right after the last valid record, or, when a record was cut off by the crash, on
/// the page where its missing part would have begun: what is there already may have been sent on.
void Startup::resume_wal() {
  if (missing_part_.is_valid()) {
    end_ = missing_part_;
    wal_shared().overwritten_page = missing_part_.value;
  }
  std::string complaint;
  const char* page = nullptr;
  if (wal_page_offset(end_.value) != 0) {
    page = pages_->page({wal_page_start(end_.value)}, complaint);
    if (page == nullptr) {
      throw Error(sqlstate::kInternalError, "{}", complaint).severity(Severity::kPanic);
    }
  }
  wal_resume(end_, last_record_, page);
  preallocate_wal(end_, redo_.timeline);
  set_auxiliary_title(kStartupTitle, "");
}

void Startup::write_overwritten_record() {
  XlogOverwriteContinued body{aborted_record_.value, now_timestamp()};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerXlog, kXlogOverwriteContinued);
  record.add_main(&body, sizeof body);
  CriticalSection critical;
  wal_flush(wal_insert(record));
  critical.end();
}

/// All who ran when the server went down have ended: what has no commit in WAL has aborted.
void Startup::open_transaction_logs() {
  FullTransactionId next = next_full_xid();
  shared_memory().area<ProcArray>().latest_completed_xid.store(next.previous().value);
  subtrans_startup(next.xid(), next.xid());
  clog_trim(next.xid());
  multixact_trim();
}

void Startup::end_recovery() {
  wal_shared().full_page_writes = redo_.full_page_writes;
  wal_allow_insert(true);
  if (missing_part_.is_valid()) write_overwritten_record();
  update_full_page_writes();
  if (needs_recovery_) {
    request_checkpoint(kCheckpointEndOfRecovery | kCheckpointImmediate | kCheckpointWait);
  }
  report_wal_parameters();
  update_control_file(
      [](ControlFileData& control) { control.state = ClusterState::kInProduction; });
  wal_shared().recovery_state.store(RecoveryState::kDone, std::memory_order_release);
}

}  // namespace

void start_up_system(Task& task) {
  Startup(task).run();
}

void startup_main(Task& task) {
  static constexpr AuxiliaryRole kRole = {
      .kind = AuxiliaryKind::kStartup,
      .title = kStartupTitle,
      .on_interrupt = Task::ignore_signal,
      .on_terminate = Task::handle_die,
      .on_user2 = Task::ignore_signal,
      .serve_interrupts = serve_interrupts,
      .body = start_up_system,
  };
  run_auxiliary(task, kRole);
}

}  // namespace cofork
