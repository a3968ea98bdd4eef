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
#include "wal/checkpoint_request.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr const char* kTitle = "checkpointer";
constexpr int64_t kPauseAfterErrorUs = 1'000'000;
/// A restartpoint that was not possible is tried again after this.
constexpr int64_t kRestartpointRetrySeconds = 15;

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
  void warn_if_too_frequent(uint32_t flags, int64_t elapsed_s) const;
  void switch_segment_if_due();
  std::optional<int64_t> seconds_to_sleep() const;
  void recover_from(ErrorData data);
  int64_t now_s() const { return task_.os().clock.realtime_us() / 1'000'000; }

  Task& task_;
  CheckpointHistory history_;
  int64_t last_checkpoint_s_ = 0;  ///< when the last one began
  int64_t last_switch_s_ = 0;      ///< when archive_timeout last looked at a finished segment
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
  // Requests to sync relation files are taken over here, once there are relations.
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
    create_checkpoint(kCheckpointIsShutdown | kCheckpointImmediate, history_,
                      [](std::string_view activity) { set_auxiliary_title(kTitle, activity); });
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
    create_checkpoint(flags, history_,
                      [](std::string_view activity) { set_auxiliary_title(kTitle, activity); });
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
      .title = kTitle,
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
