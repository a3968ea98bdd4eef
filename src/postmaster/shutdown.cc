// The three shutdowns, and the performance of what the state machine asks for (pmdie and
// PostmasterStateMachine in postmaster.c, 15).
#include <signal.h>

#include "postmaster/postmaster.h"

namespace cofork {

void Postmaster::request_shutdown(ShutdownMode mode) {
  bool running = machine_.state() == PmState::kRun || machine_.state() == PmState::kHotStandby;
  if (!machine_.request_shutdown(mode, now_s())) return;
  switch (mode) {
    case ShutdownMode::kNone:
      return;
    case ShutdownMode::kSmart:
      log(Severity::kLog, "received smart shutdown request");
      break;
    case ShutdownMode::kFast:
      log(Severity::kLog, "received fast shutdown request");
      break;
    case ShutdownMode::kImmediate:
      log(Severity::kLog, "received immediate shutdown request");
      break;
  }
  locks_->set_line(LockFileLine::kStatus, kStatusStopping);
  if (mode == ShutdownMode::kFast && running) {
    log(Severity::kLog, "aborting any active transactions");
  }
  if (mode == ShutdownMode::kImmediate) {
    set_quit_reason(QuitReason::kForStop);
    signal_children(&RoleSpec::gets_quit, SIGQUIT);
  }
  advance();
}

void Postmaster::advance() {
  for (;;) {
    PmStep step = machine_.next_step(children_.counts(), view_.get(setting::kRestartAfterCrash));
    switch (step) {
      case PmStep::kNone:
        return;
      case PmStep::kTellBackendsToStop:
        workers_.forget_unstarted(self_);
        signal_children(&RoleSpec::gets_stop, SIGTERM);
        break;
      case PmStep::kBeginShutdownCheckpoint:
        if (children_.count(Role::kCheckpointer) == 0 && !launch(Role::kCheckpointer)) {
          machine_.shutdown_checkpoint_impossible();
          signal_children(&RoleSpec::gets_quit, SIGQUIT);
          break;
        }
        signal_child(children_.only(Role::kCheckpointer), SIGUSR2);
        break;
      case PmStep::kAwaitDeadEnds:
      case PmStep::kNoChildrenLeft:
        break;
      case PmStep::kExitClean:
        end(0, nullptr);
      case PmStep::kExitAbnormal:
        end(1, "abnormal database system shutdown");
      case PmStep::kExitStartupFailed:
        end(1, "shutting down due to startup process failure");
      case PmStep::kExitNoRestart:
        end(1, "shutting down because restart_after_crash is off");
      case PmStep::kReinitialize:
        start_over();
        break;
    }
  }
}

void Postmaster::end(int code, const char* why) {
  if (why != nullptr) log(Severity::kLog, "{}", why);
  throw TaskExit{code};
}

void Postmaster::signal_children(bool RoleSpec::*wanted, int signo) {
  children_.for_each([&](const Child& child) {
    if (role_spec(child.role).*wanted) signal_child(child.pid, signo);
  });
}

void Postmaster::signal_child(Pid pid, int signo) {
  int error = -self_.model().kill(pid, signo);
  if (error != 0) log(Severity::kDebug3, "kill({},{}) failed: {}", pid, signo, errno_text(error));
  bool ends_it = signo == SIGINT || signo == SIGTERM || signo == SIGQUIT || signo == SIGSTOP ||
                 signo == SIGKILL;
  if (ends_it) {
    // A child leads a group of its own: what it has started itself (a shell) goes with it.
    self_.model().kill(-pid, signo);
    bool violently = signo != SIGINT && signo != SIGTERM;
    if (violently && pid == children_.only(Role::kStartup)) machine_.startup_was_signaled();
  }
}

}  // namespace cofork
