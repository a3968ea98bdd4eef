// What the death of a child means. Pure: the reaper (reaper.cc) does what the verdict says.
//
// As the chain of tests in reaper(), CleanupBackend and CleanupBackgroundWorker of
// postmaster.c, 15.
#pragma once

#include "model/exit_status.h"
#include "postmaster/roles_table.h"
#include "postmaster/state_machine.h"

namespace cofork {

enum class DeathVerdict : uint8_t {
  kNothing,                ///< forget it
  kRelaunch,               ///< the server loop starts it again when it misses it
  kCrash,                  ///< begin the crash cycle, or go on with it
  kRecoveryFinished,       ///< the startup process has done its work
  kStartupStopped,         ///< the startup process obeyed a shutdown
  kRecoveryTargetReached,  ///< "shutdown at recovery target"
  kStartupFailed,          ///< the startup process died of itself; a crash as well
  kShutdownCheckpointDone,
};

/// `left_in_order`: the child gave its slot back before it ended (true for those without a slot).
DeathVerdict judge_death(Role role, ExitStatus status, bool left_in_order,
                         const StateMachine& machine);

}  // namespace cofork
