// The checkpointer: the one task that makes checkpoints (as checkpointer.c, 15).
//
// It sleeps, and wakes for four reasons:
//   * time is up         checkpoint_timeout since the last checkpoint began
//   * somebody asks      request_checkpoint() sets flags in shared memory and sends SIGINT:
//                        CHECKPOINT, the end of recovery, a WAL writer who fills a segment
//   * archive_timeout    the current segment has waited long enough to be handed to the archive
//   * SIGUSR2            the postmaster, when everybody else has gone: write the shutdown
//   checkpoint
//                        and exit
//
//       ┌────────────────────────────────────────────────────────────────┐
//       ▼                                                                │
//   reset latch ─► interrupts ─► checkpoint due? ─► segment due? ─► sleep┘
//                  SIGHUP: reload      │  flags | time
//                  SIGUSR2: shut down  ▼
//                                create_checkpoint()  (recovery/checkpoint.h says what that is)
//
// It is also the one who syncs: others tell it which files they have written, and it takes that
// over
// ("absorbs" it) in every cycle and while it works.
//
// A checkpoint that nobody is in a hurry for is spread over checkpoint_completion_target of the
// time until the next: after each page pace() compares how much of the work is done with how much
// of the time, or of the WAL that may be written until then, is used up, and rests while it is
// ahead.
//
// Nobody but the postmaster may end it, and only its exit status 0 after the shutdown checkpoint is
// a good end: the postmaster takes any other for a crash. SIGTERM, which ends everybody at
// shutdown, is ignored, because the checkpoint has to come after everybody's last words.
//
// An ERROR does not end it: it tells the requesters who wait, sleeps a second and goes on.
#include "roles/checkpointer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "log/log.h"
#include "model/model.h"
#include "recovery/checkpoint.h"
#include "recovery/cluster_state.h"
#include "recovery/wal_parameters.h"
#include "roles/auxiliary.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/stats.h"
#include "storage/sync_request.h"
#include "wal/checkpoint_request.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

namespace {

constexpr const char* kCheckpointerTitle = "checkpointer";
/// A restartpoint that was not possible is tried again after this.
constexpr int64_t kRestartpointRetrySeconds = 15;
/// How long it rests at a time while a checkpoint is ahead of its schedule.
constexpr int64_t kPaceMs = 100;
/// How many pages it writes without looking at the queue of sync requests (WRITES_PER_ABSORB).
constexpr int kWritesPerAbsorb = 1000;

/// SIGINT: only a reason to look at the request flags; without any it does nothing.
void look_for_requests(Task& task, int) {
  set_latch(task.latch());
}

class Checkpointer {
 public:
  explicit Checkpointer(Task& task) : task_(task) {}
  void run();

 private:
  void cycle();
  void serve_interrupts();
  [[noreturn]] void shut_down();
  bool requests_pending() const;
  void perform_if_due();
  void perform(uint32_t flags, int64_t now_s);
  CheckpointHooks hooks(uint32_t flags);
  void pace(uint32_t flags, double progress);
  bool is_on_schedule(double progress);
  bool somebody_is_in_a_hurry() const;
  void warn_if_too_frequent(uint32_t flags, int64_t elapsed_s) const;
  void switch_segment_if_due();
  std::optional<int64_t> seconds_to_sleep() const;
  void recover_from(ErrorData data);
  int64_t now_s() const { return task_.os().clock.realtime_us() / 1'000'000; }

  Task& task_;
  PendingSyncs syncs_;
  CheckpointHistory history_;
  int64_t last_checkpoint_s_ = 0;  ///< when the last one began
  int64_t last_switch_s_ = 0;      ///< when archive_timeout last looked at a finished segment
  // The schedule of the checkpoint that is being made.
  Lsn paced_from_lsn_;
  int64_t paced_from_us_ = 0;
  double elapsed_at_least_ = 0;  ///< part of the interval known to be over
  int writes_until_absorb_ = kWritesPerAbsorb;
  bool checkpoint_active_ = false;
  bool shutting_down_ = false;
};

void Checkpointer::run() {
  publish_proc_number(shared_memory().area<ProcHeader>().checkpointer);
  last_checkpoint_s_ = last_switch_s_ = now_s();
  for (;;) {
    std::optional<ErrorData> failure;
    try {
      cycle();
    } catch (Error& error) {
      failure = std::move(error.data());
    }
    if (failure) recover_from(std::move(*failure));
  }
}

void Checkpointer::cycle() {
  reset_latch(task_.latch());
  syncs_.absorb();
  serve_interrupts();
  perform_if_due();
  switch_segment_if_due();
  report_stats(true);
  std::optional<int64_t> seconds = seconds_to_sleep();
  if (!seconds) return;
  wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, *seconds * 1000,
             WaitEventId::kCheckpointerMain);
}

void Checkpointer::serve_interrupts() {
  uint32_t bits = task_.interrupts();
  if (bits & kInterruptProcSignal) serve_proc_signals(task_);
  if (bits & kInterruptReload) {
    reload_configuration(task_);
    // Everybody else reads this setting from shared memory, and it is for us to put it there.
    if (!recovery_in_progress()) update_full_page_writes();
  }
  if (bits & kInterruptShutdown) shut_down();
}

void Checkpointer::shut_down() {
  task_.clear_interrupt(kInterruptShutdown);
  shutting_down_ = true;
  log(Severity::kLog, "shutting down");
  if (!recovery_in_progress()) {
    if (settings().get(setting::kArchiveMode) != setting::ArchiveMode::kOff) wal_switch_segment();
    uint32_t flags = kCheckpointIsShutdown | kCheckpointImmediate;
    create_checkpoint(flags, history_, hooks(flags));
  } else if (wal_shared().system_identifier != 0) {
    // Recovery was interrupted; the next start goes on from the same checkpoint.
    update_control_file(
        [](ControlFileData& control) { control.state = ClusterState::kShutdownedInRecovery; });
  }
  report_stats(true);
  proc_exit(0);
}

bool Checkpointer::requests_pending() const {
  CheckpointerShared& shared = checkpointer_shared();
  SpinGuard guard(shared.mutex);
  return shared.flags != 0;
}

void Checkpointer::perform_if_due() {
  CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
  int64_t now = now_s();
  bool requested = requests_pending();
  bool timed = now - last_checkpoint_s_ >= settings().get(setting::kCheckpointTimeout);
  if (!requested && !timed) return;
  if (requested) {
    ++stats.requested_checkpoints;
  } else {
    ++stats.timed_checkpoints;
  }
  perform(timed ? kCheckpointCauseTime : 0u, now);
}

void Checkpointer::perform(uint32_t flags, int64_t now) {
  CheckpointerShared& shared = checkpointer_shared();
  int32_t number;
  {
    SpinGuard guard(shared.mutex);
    flags |= std::exchange(shared.flags, 0u);
    number = ++shared.started;
  }
  shared.start_cv.broadcast();

  // During recovery only its end is a checkpoint. (A standby would make restartpoints.)
  bool possible = !recovery_in_progress() || (flags & kCheckpointEndOfRecovery) != 0;
  if (possible) {
    warn_if_too_frequent(flags, now - last_checkpoint_s_);
    checkpoint_active_ = true;
    create_checkpoint(flags, history_, hooks(flags));
    checkpoint_active_ = false;
  }
  {
    SpinGuard guard(shared.mutex);
    shared.done = number;
  }
  shared.done_cv.broadcast();
  last_checkpoint_s_ =
      possible ? now
               : now - settings().get(setting::kCheckpointTimeout) + kRestartpointRetrySeconds;
}

// --- pacing

CheckpointHooks Checkpointer::hooks(uint32_t flags) {
  paced_from_lsn_ = recovery_in_progress() ? Lsn{} : wal_insert_position();
  paced_from_us_ = task_.os().clock.realtime_us();
  elapsed_at_least_ = 0;
  return {
      .title = [](std::string_view activity) { set_auxiliary_title(kCheckpointerTitle, activity); },
      .pause = [this, flags](double progress) { pace(flags, progress); },
      .syncs = syncs_,
  };
}

bool Checkpointer::somebody_is_in_a_hurry() const {
  if ((task_.interrupts() & kInterruptShutdown) != 0) return true;
  CheckpointerShared& shared = checkpointer_shared();
  SpinGuard guard(shared.mutex);
  return (shared.flags & kCheckpointImmediate) != 0;
}

/// After each page (CheckpointWriteDelay).
void Checkpointer::pace(uint32_t flags, double progress) {
  bool may_rest =
      (flags & kCheckpointImmediate) == 0 && !somebody_is_in_a_hurry() && is_on_schedule(progress);
  if (may_rest || --writes_until_absorb_ <= 0) {
    syncs_.absorb();
    writes_until_absorb_ = kWritesPerAbsorb;
  }
  if (may_rest) {
    if ((task_.interrupts() & kInterruptReload) != 0) {
      reload_configuration(task_);
      if (!recovery_in_progress()) update_full_page_writes();
    }
    switch_segment_if_due();
    report_stats(true);
    wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, kPaceMs,
               WaitEventId::kCheckpointWriteDelay);
    reset_latch(task_.latch());
  }
  if ((task_.interrupts() & kInterruptProcSignal) != 0) serve_proc_signals(task_);
}

/// Is more of the work done than has passed of the interval? By the two clocks that start the next
/// checkpoint, whichever is faster: WAL and time. (IsCheckpointOnSchedule)
bool Checkpointer::is_on_schedule(double progress) {
  progress *= settings().get(setting::kCheckpointCompletionTarget);
  // Most calls end here: what has passed does not come back.
  if (progress < elapsed_at_least_) return false;
  if (!recovery_in_progress()) {
    double segments = static_cast<double>(wal_insert_position() - paced_from_lsn_) /
                      wal_shared().segment_bytes.load(std::memory_order_relaxed);
    double elapsed = segments / wal_checkpoint_segments();
    if (progress < elapsed) {
      elapsed_at_least_ = elapsed;
      return false;
    }
  }
  double seconds = static_cast<double>(task_.os().clock.realtime_us() - paced_from_us_) / 1e6;
  double elapsed = seconds / settings().get(setting::kCheckpointTimeout);
  if (progress < elapsed) {
    elapsed_at_least_ = elapsed;
    return false;
  }
  return true;
}

void Checkpointer::warn_if_too_frequent(uint32_t flags, int64_t elapsed) const {
  if ((flags & kCheckpointCauseXlog) == 0 ||
      elapsed >= settings().get(setting::kCheckpointWarning)) {
    return;
  }
  ErrorData warning;
  warning.severity = Severity::kLog;
  warning.sqlstate = sqlstate::kSuccessfulCompletion;
  warning.message = fmt::format("checkpoints are occurring too frequently ({} second{} apart)",
                                elapsed, elapsed == 1 ? "" : "s");
  warning.hint = "Consider increasing the configuration parameter \"max_wal_size\".";
  report(warning);
}

void Checkpointer::switch_segment_if_due() {
  int timeout = settings().get(setting::kArchiveTimeout);
  if (timeout <= 0 || recovery_in_progress()) return;
  int64_t now = now_s();
  if (now - last_switch_s_ < timeout) return;
  // Somebody may have finished a segment meanwhile.
  WalShared& wal = wal_shared();
  last_switch_s_ = std::max(last_switch_s_, wal.segment_switch_s.load());
  if (now - last_switch_s_ < timeout) return;
  if (wal_last_important() > Lsn{wal.segment_switch_lsn.load()}) {
    Lsn end = wal_switch_segment(false);
    if (wal.geometry().offset_in_segment(end) == 0) {
      log(Severity::kDebug1, "write-ahead log switch forced (archive_timeout={})", timeout);
    }
  }
  // Restarts whether or not there was anything to switch: not to look again in every cycle.
  last_switch_s_ = now;
}

std::optional<int64_t> Checkpointer::seconds_to_sleep() const {
  if (requests_pending()) return std::nullopt;
  int64_t now = now_s();
  int64_t left = settings().get(setting::kCheckpointTimeout) - (now - last_checkpoint_s_);
  int archive_timeout = settings().get(setting::kArchiveTimeout);
  if (archive_timeout > 0 && !recovery_in_progress()) {
    left = std::min(left, archive_timeout - (now - last_switch_s_));
  }
  if (left <= 0) return std::nullopt;
  return left;
}

void Checkpointer::recover_from(ErrorData data) {
  if (shutting_down_ || is_panic(task_, data)) end_with_error(task_, std::move(data));
  release_all_lwlocks();
  cancel_condition_sleep();
  report(data);
  if (std::exchange(checkpoint_active_, false)) {
    // Those who wait are told that theirs has failed.
    CheckpointerShared& shared = checkpointer_shared();
    {
      SpinGuard guard(shared.mutex);
      ++shared.failed;
      shared.done = shared.started;
    }
    shared.done_cv.broadcast();
  }
  // Whatever is wrong, a full disk perhaps: do not fill the log with it.
  task_.model().pause_us(task_, kPauseAfterErrorUs);
}

}  // namespace

void checkpointer_main(Task& task) {
  static constexpr AuxiliaryRole kRole = {
      .kind = AuxiliaryKind::kCheckpointer,
      .title = kCheckpointerTitle,
      .on_interrupt = look_for_requests,
      .on_terminate = Task::ignore_signal,
      .on_user2 = Task::handle_shutdown,
      // Served once a cycle, not in the middle of a checkpoint.
      .serve_interrupts = nullptr,
      .body = [](Task& running) { Checkpointer(running).run(); },
  };
  run_auxiliary(task, kRole);
}

}  // namespace cofork
