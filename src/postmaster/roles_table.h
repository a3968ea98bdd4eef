// The roles: every kind of child the postmaster has, and what it does with each, as a table. What
// is known about a kind of child is in its row and nowhere else; the code of the postmaster asks
// the row.
//
// As the child kinds of postmaster.c and launch_backend.c; the body of each role is in roles/.
#pragma once

#include <cstdint>
#include <span>

#include "model/task.h"
#include "shmem/backend_type.h"

namespace cofork {

enum class Role : uint8_t {
  kBackend,           ///< serves one client
  kDeadEnd,           ///< a backend that only tells its client why it cannot be served
  kBackgroundWorker,  ///< runs a registered function
  kStartup,           ///< recovers the data directory
  kCheckpointer,
  kBackgroundWriter,
  kWalWriter,
  kLogger,
  kCount,
};
inline constexpr int kRoleCount = static_cast<int>(Role::kCount);

/// What the end of a child means when the state machine has nothing to say about it.
enum class OnExit : uint8_t {
  kNothing,   ///< gone, and good
  kRelaunch,  ///< started again as soon as it is missed
  kCrash,     ///< shared memory can no longer be trusted: start over
};

/// Which count of ChildCounts (state_machine.h) a role belongs to.
enum class WaitedFor : uint8_t {
  kWithBackends,    ///< in PM_WAIT_BACKENDS
  kWithCheckpoint,  ///< in PM_SHUTDOWN; after a crash with the backends
  kWithDeadEnds,    ///< in PM_WAIT_DEAD_END
  kNever,           ///< outlives the postmaster: ends when nobody can write to it any more
};

struct RoleSpec {
  Role role;
  BackendType type;
  const char* task_name;  ///< until the child knows itself better
  const char* log_name;   ///< "server process (PID …) exited with …"
  bool owns_child_slot;   ///< has an entry in PMChildFlags (E.1 of the process model)
  bool is_session;        ///< may live on any scheduler thread
  WaitedFor waited_for;
  bool gets_reload;      ///< SIGHUP when the configuration is read again
  bool gets_stop;        ///< SIGTERM when backends have to go
  bool gets_quit;        ///< SIGQUIT at immediate shutdown (and SIGKILL 5 s later)
  bool gets_crash_quit;  ///< SIGQUIT when another child has crashed
  OnExit on_exit_0;
  OnExit on_exit_1;
  OnExit on_other;  ///< any other exit status, or a signal
  /// The role\'s whole life; null for those that are born with data of their own (launch.cc).
  void (*body)(Task& task);
};

/// All rows, in the order of Role.
std::span<const RoleSpec, kRoleCount> role_table();
inline const RoleSpec& role_spec(Role role) {
  return role_table()[static_cast<size_t>(role)];
}

}  // namespace cofork
