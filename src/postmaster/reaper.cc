// Deaths: which children are gone, what that means, and the cycle that follows a crash (reaper,
// CleanupBackend, CleanupBackgroundWorker and HandleChildCrash in postmaster.c, 15).
#include <signal.h>

#include "postmaster/postmaster.h"
#include "recovery/control_file.h"
#include "shmem/backend_status.h"
#include "shmem/crashed_activity.h"
#include "shmem/task_table.h"

namespace cofork {

namespace {

int32_t task_row_of(const Child& child) {
  switch (child.role) {
    case Role::kLogger:
      return kLoggerRow;
    case Role::kStartup:
      return cofork::task_row_of(AuxiliaryKind::kStartup);
    case Role::kCheckpointer:
      return cofork::task_row_of(AuxiliaryKind::kCheckpointer);
    case Role::kBackgroundWriter:
      return cofork::task_row_of(AuxiliaryKind::kBackgroundWriter);
    case Role::kWalWriter:
      return cofork::task_row_of(AuxiliaryKind::kWalWriter);
    default:
      return child.child_slot != 0 ? task_row_of_child(child.child_slot) : -1;
  }
}

}  // namespace

void Postmaster::reap_children() {
  while (std::optional<Death> death = self_.model().reap()) {
    const Child* found = children_.find(death->pid);
    if (found == nullptr) continue;  // not a child of ours: nothing depends on it
    Child child = *found;
    children_.remove(death->pid);
    child_died(child, death->status);
  }
  advance();
}

void Postmaster::child_died(const Child& child, ExitStatus status) {
  const RoleSpec& spec = role_spec(child.role);
  // A dead client that may be asked for by name in the log of the crash must keep its status row
  // until then: clear only what is the task table's.
  bool left_in_order = child.child_slot == 0 || slots_->release(child.child_slot);
  if (int32_t row = task_row_of(child); row >= 0) clear_task_row(row, child.pid);
  DeathVerdict verdict = judge_death(child.role, status, left_in_order, machine_);

  if (child.role == Role::kBackgroundWorker) return worker_died(child, status, verdict);
  workers_.stop_notifications(child.pid);
  switch (verdict) {
    case DeathVerdict::kNothing:
      log_child_exit(Severity::kDebug2, spec.log_name, child.pid, status);
      break;
    case DeathVerdict::kRelaunch:
      if (!status.is_exit(0)) log_child_exit(Severity::kLog, spec.log_name, child.pid, status);
      break;
    case DeathVerdict::kCrash:
      crash(spec.log_name, child.pid, status);
      break;
    case DeathVerdict::kRecoveryFinished:
      recovery_finished();
      break;
    case DeathVerdict::kStartupStopped:
      machine_.startup_stopped_for_shutdown();
      break;
    case DeathVerdict::kRecoveryTargetReached:
      log(Severity::kLog, "shutdown at recovery target");
      machine_.recovery_target_shutdown();
      signal_children(&RoleSpec::gets_quit, SIGTERM);
      break;
    case DeathVerdict::kStartupFailed:
      machine_.startup_failed();
      crash(spec.log_name, child.pid, status);
      break;
    case DeathVerdict::kShutdownCheckpointDone:
      machine_.shutdown_checkpoint_done();
      break;
  }
}

void Postmaster::worker_died(const Child& child, ExitStatus status, DeathVerdict verdict) {
  WorkerRegistry::Worker* worker = workers_.find(child.pid);
  if (worker == nullptr) return;
  std::string name = fmt::format("background worker \"{}\"", worker->definition.type);
  workers_.stop_notifications(child.pid);
  workers_.exited(self_, *worker, status, now_timestamp());
  if (verdict == DeathVerdict::kCrash) return crash(name, child.pid, status);
  log_child_exit(status.is_exit(0) ? Severity::kDebug1 : Severity::kLog, name, child.pid, status);
}

void Postmaster::recovery_finished() {
  machine_.recovery_finished();
  start_worker_needed_ = true;
  launch_what_is_missing();
  log(Severity::kLog, "database system is ready to accept connections");
  locks_->set_line(LockFileLine::kStatus, kStatusReady);
}

void Postmaster::log_child_exit(Severity severity, const std::string& name, Pid pid,
                                ExitStatus status) {
  if (!log_is_interested(severity)) return;
  ErrorData data;
  data.severity = severity;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = fmt::format("{} (PID {}) {}", name, pid, status.describe());
  if (!status.is_exit(0)) {
    std::string activity = crashed_backend_activity(memory_.segment(), pid);
    if (!activity.empty()) data.detail = "Failed process was running: " + activity;
  }
  report(data);
}

void Postmaster::crash(const std::string& name, Pid pid, ExitStatus status) {
  if (!machine_.child_crashed(now_s())) return;  // later deaths of the same cycle are no news
  log_child_exit(Severity::kLog, name, pid, status);
  log(Severity::kLog, "terminating any other active server processes");
  set_quit_reason(QuitReason::kForCrash);
  signal_children(&RoleSpec::gets_crash_quit, start_.stop_on_crash ? SIGSTOP : SIGQUIT);
}

/// All children are gone after a crash: everything that lay in shared memory is made anew.
void Postmaster::start_over() {
  log(Severity::kLog, "all server processes terminated; reinitializing");
  workers_.reset_after_crash();
  // In the coroutine model this is the last thing this image does; start_up() goes on in the next.
  self_.model().reinitialize();
  read_control_file();
  memory_.create_again();
  slots_.emplace(memory_.segment());
  workers_.publish(memory_.segment());
  show_in_task_table();
  launch_first_children(true);
}

}  // namespace cofork
