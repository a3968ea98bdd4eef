// See death.h.
#include "postmaster/death.h"

namespace cofork {

namespace {

/// recovery_target_action = shutdown
constexpr int kExitRecoveryTarget = 3;

DeathVerdict judge_startup(ExitStatus status, const StateMachine& machine) {
  bool stopping = machine.shutdown() != ShutdownMode::kNone;
  if (stopping && (status.is_exit(0) || status.is_exit(1))) return DeathVerdict::kStartupStopped;
  if (status.is_exit(kExitRecoveryTarget)) return DeathVerdict::kRecoveryTargetReached;
  if (!status.is_exit(0)) return DeathVerdict::kStartupFailed;
  return DeathVerdict::kRecoveryFinished;
}

}  // namespace

DeathVerdict judge_death(Role role, ExitStatus status, bool left_in_order,
                         const StateMachine& machine) {
  if (role == Role::kStartup) return judge_startup(status, machine);
  if (role == Role::kCheckpointer && status.is_exit(0) && machine.state() == PmState::kShutdown) {
    return DeathVerdict::kShutdownCheckpointDone;
  }
  // An exit status of 0 or 1 promises that the child detached from shared memory. One that still
  // holds its slot has left by some other door.
  if (!left_in_order) return DeathVerdict::kCrash;
  const RoleSpec& spec = role_spec(role);
  OnExit meaning = status.is_exit(0)   ? spec.on_exit_0
                   : status.is_exit(1) ? spec.on_exit_1
                                       : spec.on_other;
  switch (meaning) {
    case OnExit::kNothing:
      return DeathVerdict::kNothing;
    case OnExit::kRelaunch:
      return DeathVerdict::kRelaunch;
    case OnExit::kCrash:
      return DeathVerdict::kCrash;
  }
  return DeathVerdict::kCrash;
}

}  // namespace cofork
