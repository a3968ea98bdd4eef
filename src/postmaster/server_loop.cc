// The server loop: waits for connections and signals, and does what is due now and then
// (ServerLoop in postmaster.c, 15).
#include <signal.h>

#include <algorithm>
#include <array>

#include "postmaster/control.h"
#include "postmaster/postmaster.h"
#include "shmem/backend_status.h"

namespace cofork {

namespace {

constexpr int64_t kSleepMaxMs = 60'000;
constexpr int64_t kLockCheckSeconds = 60;
/// tmpwatch and its kin remove files in /tmp that nobody has touched for a while.
constexpr int64_t kTouchSeconds = 58 * 60;

}  // namespace

void Postmaster::serve() {
  std::array<WaitOccurred, ListenSockets::kListenersMax + 1> occurred;
  for (;;) {
    bool listening = machine_.state() != PmState::kWaitDeadEnd;
    WaitSet& set = listening ? *accepting_ : *deaf_;
    int count = set.wait(sleep_ms(), occurred, WaitEventId::kPostmasterMain);
    for (int i = 0; i < count; ++i) {
      if ((occurred[i].flags & kWaitLatch) != 0) {
        reset_latch(self_.latch());
        serve_interrupts();
      }
    }
    for (int i = 0; i < count; ++i) {
      if ((occurred[i].flags & kWaitReadable) != 0) {
        // Position 0 is the latch; the sockets follow in their order.
        accept_connections(sockets_->all()[static_cast<size_t>(occurred[i].position) - 1]);
      }
    }
    launch_what_is_missing();
    kill_recalcitrant_children();
    check_lock_files();
  }
}

/// How long nothing can become due (DetermineSleepTime).
int64_t Postmaster::sleep_ms() const {
  if (machine_.abort_started_s() != 0) {
    int64_t left_s =
        StateMachine::kKillChildrenAfterSeconds - (now_s() - machine_.abort_started_s());
    return std::clamp<int64_t>(left_s * 1000, 0, kSleepMaxMs);
  }
  if (machine_.shutdown() == ShutdownMode::kNone) {
    if (start_worker_needed_) return 0;
    if (int64_t restart_at = workers_.next_restart_at()) {
      int64_t left_ms = (restart_at - now_timestamp()) / 1000 + 1;
      return std::clamp<int64_t>(left_ms, 0, kSleepMaxMs);
    }
  }
  return kSleepMaxMs;
}

void Postmaster::serve_interrupts() {
  uint32_t bits = self_.interrupts();
  self_.clear_interrupt(bits);
  // Several shutdown requests at once: the strongest one counts.
  if ((bits & kInterruptShutdown) != 0) {
    request_shutdown(ShutdownMode::kImmediate);
  } else if ((bits & kInterruptCancel) != 0) {
    request_shutdown(ShutdownMode::kFast);
  } else if ((bits & kInterruptDie) != 0) {
    request_shutdown(ShutdownMode::kSmart);
  }
  if ((bits & kInterruptReload) != 0) reload();
  if ((bits & kInterruptUser1) != 0) reap_children();
  if ((bits & kInterruptProcSignal) != 0) serve_child_messages();
}

/// SIGUSR1: what children, and commands through files, have to say (process_pm_pmsignal).
void Postmaster::serve_child_messages() {
  if (take_postmaster_signal(PmSignal::kRecoveryStarted) && machine_.recovery_started()) {
    if (!view_.get(setting::kHotStandby)) locks_->set_line(LockFileLine::kStatus, kStatusStandby);
  }
  if (take_postmaster_signal(PmSignal::kBeginHotStandby) && machine_.hot_standby_begins()) {
    log(Severity::kLog, "database system is ready to accept read-only connections");
    locks_->set_line(LockFileLine::kStatus, kStatusReady);
    start_worker_needed_ = true;
  }
  if (take_postmaster_signal(PmSignal::kBackgroundWorkerChange)) {
    workers_.scan(self_, machine_.state() < PmState::kStopBackends);
    start_worker_needed_ = true;
  }
  bool rotate = os_.files.unlink("logrotate") == 0;
  if (take_postmaster_signal(PmSignal::kRotateLogfile)) rotate = true;
  if (Pid logger = children_.only(Role::kLogger); rotate && logger != 0) {
    signal_child(logger, SIGUSR1);
  }
  serve_kill_request();
  if (take_postmaster_signal(PmSignal::kAdvanceStateMachine)) advance();
}

void Postmaster::serve_kill_request() {
  std::optional<KillRequest> request = find_kill_request(os_.files);
  if (!request) return;
  // Only our own children: the request must not become a way to signal anything else.
  bool ours = children_.find(request->pid) != nullptr;
  int result = ours ? self_.model().kill(request->pid, request->signo) : -ESRCH;
  answer_kill_request(os_.files, result);
}

void Postmaster::launch_what_is_missing() {
  if (view_.get(setting::kLoggingCollector) && children_.count(Role::kLogger) == 0) {
    launch(Role::kLogger);
  }
  if (machine_.wants_checkpointer()) {
    // The background writer lives when the checkpointer does.
    for (Role role : {Role::kCheckpointer, Role::kBackgroundWriter}) {
      if (children_.count(role) == 0) launch(role);
    }
  }
  // Nobody else writes WAL before normal running.
  if (machine_.state() == PmState::kRun && children_.count(Role::kWalWriter) == 0) {
    launch(Role::kWalWriter);
  }
  bool restart_due = workers_.next_restart_at() != 0;
  if (start_worker_needed_ || restart_due) launch_workers();
}

void Postmaster::kill_recalcitrant_children() {
  if (!machine_.time_to_kill(now_s())) return;
  log(Severity::kLog, "issuing SIGKILL to recalcitrant children");
  signal_children(&RoleSpec::gets_quit, SIGKILL);
  machine_.stop_abort_clock();
}

void Postmaster::check_lock_files() {
  int64_t now = now_s();
  if (now - locks_checked_s_ >= kLockCheckSeconds) {
    locks_checked_s_ = now;
    if (!locks_->data_directory_lock_is_valid()) {
      log(Severity::kLog,
          "performing immediate shutdown because data directory lock file is invalid");
      request_shutdown(ShutdownMode::kImmediate);
    }
  }
  if (now - sockets_touched_s_ >= kTouchSeconds) {
    sockets_touched_s_ = now;
    sockets_->touch();
    locks_->touch_socket_locks();
  }
}

}  // namespace cofork
