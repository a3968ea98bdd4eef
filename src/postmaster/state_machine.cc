// See state_machine.h.
#include "postmaster/state_machine.h"

#include <algorithm>
#include <cassert>

namespace cofork {

void StateMachine::server_starts() {
  assert(state_ == PmState::kInit || state_ == PmState::kNoChildren);
  state_ = PmState::kStartup;
  startup_ = StartupStatus::kRunning;
  abort_started_s_ = 0;
}

void StateMachine::resume_after_crash() {
  assert(state_ == PmState::kInit);
  state_ = PmState::kNoChildren;
  fatal_error_ = true;
}

bool StateMachine::recovery_started() {
  if (state_ != PmState::kStartup || shutdown_ != ShutdownMode::kNone) return false;
  // From here on the old shared memory is history: a failure now is a new one.
  fatal_error_ = false;
  abort_started_s_ = 0;
  state_ = PmState::kRecovery;
  return true;
}

bool StateMachine::hot_standby_begins() {
  if (state_ != PmState::kRecovery || shutdown_ != ShutdownMode::kNone) return false;
  state_ = PmState::kHotStandby;
  connections_allowed_ = true;
  return true;
}

void StateMachine::recovery_finished() {
  startup_ = StartupStatus::kNotRunning;
  fatal_error_ = false;
  abort_started_s_ = 0;
  reached_normal_running_ = true;
  connections_allowed_ = true;
  state_ = PmState::kRun;
}

void StateMachine::startup_stopped_for_shutdown() {
  assert(shutdown_ != ShutdownMode::kNone);
  startup_ = StartupStatus::kNotRunning;
  state_ = PmState::kWaitBackends;
}

void StateMachine::recovery_target_shutdown() {
  startup_ = StartupStatus::kNotRunning;
  shutdown_ = std::max(shutdown_, ShutdownMode::kSmart);
  state_ = PmState::kWaitBackends;
}

void StateMachine::startup_failed() {
  startup_ =
      startup_ == StartupStatus::kSignaled ? StartupStatus::kNotRunning : StartupStatus::kCrashed;
  // child_crashed() leaves kStartup alone because the startup process has to be waited for there;
  // now it has gone.
  if (state_ == PmState::kStartup) state_ = PmState::kWaitBackends;
}

bool StateMachine::child_crashed(int64_t now_s) {
  bool first = !fatal_error_ && shutdown_ != ShutdownMode::kImmediate;
  // An immediate shutdown kills everybody anyway, and still counts as one that went as planned.
  if (shutdown_ != ShutdownMode::kImmediate) fatal_error_ = true;
  switch (state_) {
    case PmState::kRecovery:
    case PmState::kHotStandby:
    case PmState::kRun:
    case PmState::kStopBackends:
    case PmState::kShutdown:
      state_ = PmState::kWaitBackends;
      break;
    default:
      break;
  }
  if (abort_started_s_ == 0) abort_started_s_ = now_s;
  return first;
}

void StateMachine::startup_was_signaled() {
  if (startup_ == StartupStatus::kRunning) startup_ = StartupStatus::kSignaled;
}

bool StateMachine::request_shutdown(ShutdownMode mode, int64_t now_s) {
  if (shutdown_ >= mode) return false;
  shutdown_ = mode;
  bool recovering = state_ == PmState::kStartup || state_ == PmState::kRecovery;
  bool running = state_ == PmState::kRun || state_ == PmState::kHotStandby;
  switch (mode) {
    case ShutdownMode::kNone:
      break;
    case ShutdownMode::kSmart:
      if (running) connections_allowed_ = false;
      if (recovering) state_ = PmState::kStopBackends;
      break;
    case ShutdownMode::kFast:
      if (running || recovering) state_ = PmState::kStopBackends;
      break;
    case ShutdownMode::kImmediate:
      state_ = PmState::kWaitBackends;
      abort_started_s_ = now_s;
      break;
  }
  return true;
}

void StateMachine::shutdown_checkpoint_impossible() {
  fatal_error_ = true;
  state_ = PmState::kWaitDeadEnd;
}

PmStep StateMachine::next_step(const ChildCounts& children, bool restart_after_crash) {
  bool running = state_ == PmState::kRun || state_ == PmState::kHotStandby;
  if (running && !connections_allowed_ && children.clients == 0) {
    state_ = PmState::kStopBackends;  // smart shutdown: the last client has left
  }
  switch (state_) {
    case PmState::kStopBackends:
      state_ = PmState::kWaitBackends;
      return PmStep::kTellBackendsToStop;

    case PmState::kWaitBackends: {
      bool in_order = !fatal_error_ && shutdown_ < ShutdownMode::kImmediate;
      if (children.awaited > 0) return PmStep::kNone;
      if (in_order) {
        state_ = PmState::kShutdown;
        return PmStep::kBeginShutdownCheckpoint;
      }
      if (children.checkpointer > 0) return PmStep::kNone;
      state_ = PmState::kWaitDeadEnd;
      return PmStep::kAwaitDeadEnds;
    }

    case PmState::kShutdown2:
      if (children.outliving > 0) return PmStep::kNone;
      state_ = PmState::kWaitDeadEnd;
      return PmStep::kAwaitDeadEnds;

    case PmState::kWaitDeadEnd:
      if (children.dead_ends + children.outliving + children.clients > 0) return PmStep::kNone;
      state_ = PmState::kNoChildren;
      return PmStep::kNoChildrenLeft;

    case PmState::kNoChildren:
      if (shutdown_ != ShutdownMode::kNone) {
        return fatal_error_ ? PmStep::kExitAbnormal : PmStep::kExitClean;
      }
      if (startup_ == StartupStatus::kCrashed) return PmStep::kExitStartupFailed;
      if (!restart_after_crash) return PmStep::kExitNoRestart;
      reached_normal_running_ = false;
      return PmStep::kReinitialize;

    default:
      return PmStep::kNone;
  }
}

ConnectionVerdict StateMachine::verdict(int live_children, int children_max) const {
  if (state_ != PmState::kRun && state_ != PmState::kHotStandby) {
    if (shutdown_ != ShutdownMode::kNone) return ConnectionVerdict::kShutdown;
    if (!fatal_error_ && state_ == PmState::kStartup) return ConnectionVerdict::kStartup;
    if (!fatal_error_ && state_ == PmState::kRecovery) return ConnectionVerdict::kNotConsistent;
    return ConnectionVerdict::kRecovery;
  }
  if (!connections_allowed_) return ConnectionVerdict::kShutdown;
  if (live_children >= children_max) return ConnectionVerdict::kTooMany;
  return ConnectionVerdict::kOk;
}

bool StateMachine::wants_checkpointer() const {
  return state_ == PmState::kStartup || state_ == PmState::kRecovery ||
         state_ == PmState::kHotStandby || state_ == PmState::kRun;
}

bool StateMachine::time_to_kill(int64_t now_s) const {
  bool dying = shutdown_ == ShutdownMode::kImmediate || fatal_error_;
  return dying && abort_started_s_ != 0 && now_s - abort_started_s_ >= kKillChildrenAfterSeconds;
}

const char* pm_state_name(PmState state) {
  switch (state) {
    case PmState::kInit:
      return "PM_INIT";
    case PmState::kStartup:
      return "PM_STARTUP";
    case PmState::kRecovery:
      return "PM_RECOVERY";
    case PmState::kHotStandby:
      return "PM_HOT_STANDBY";
    case PmState::kRun:
      return "PM_RUN";
    case PmState::kStopBackends:
      return "PM_STOP_BACKENDS";
    case PmState::kWaitBackends:
      return "PM_WAIT_BACKENDS";
    case PmState::kShutdown:
      return "PM_SHUTDOWN";
    case PmState::kShutdown2:
      return "PM_SHUTDOWN_2";
    case PmState::kWaitDeadEnd:
      return "PM_WAIT_DEAD_END";
    case PmState::kNoChildren:
      return "PM_NO_CHILDREN";
  }
  return "???";
}

}  // namespace cofork
