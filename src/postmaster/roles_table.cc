// See roles_table.h.
#include "postmaster/roles_table.h"

#include <array>

#include "roles/bgwriter.h"
#include "roles/checkpointer.h"
#include "roles/logger.h"
#include "roles/startup.h"
#include "roles/walwriter.h"

namespace cofork {

namespace {

using enum OnExit;
using enum WaitedFor;

// clang-format off
constexpr std::array<RoleSpec, kRoleCount> kRoles = {{
  // role                     type                             task name            name in the log            slot   session
  //   waited for       reload  stop   quit   crash  exit 0     exit 1     other      body
  {Role::kBackend,          BackendType::kClientBackend,     "backend",           "server process",          true,  true,
      kWithBackends,    true,   true,  true,  true,  kNothing,  kNothing,  kCrash, nullptr},
  {Role::kDeadEnd,          BackendType::kClientBackend,     "backend",           "server process",          false, true,
      kWithDeadEnds,    false,  false, false, true,  kNothing,  kNothing,  kCrash, nullptr},
  {Role::kBackgroundWorker, BackendType::kBackgroundWorker,  "background worker", "background worker",       true,  true,
      kWithBackends,    true,   true,  true,  true,  kNothing,  kRelaunch, kCrash, nullptr},
  {Role::kStartup,          BackendType::kStartup,           "startup",           "startup process",         false, false,
      kWithBackends,    true,   true,  true,  true,  kNothing,  kCrash,    kCrash, startup_main},
  {Role::kCheckpointer,     BackendType::kCheckpointer,      "checkpointer",      "checkpointer process",    false, false,
      kWithCheckpoint,  true,   false, true,  true,  kCrash,    kCrash,    kCrash, checkpointer_main},
  {Role::kBackgroundWriter, BackendType::kBackgroundWriter,  "background writer", "background writer process", false, false,
      kWithBackends,    true,   true,  true,  true,  kNothing,  kCrash,    kCrash, background_writer_main},
  {Role::kWalWriter,        BackendType::kWalWriter,         "walwriter",         "WAL writer process",      false, false,
      kWithBackends,    true,   true,  true,  true,  kNothing,  kCrash,    kCrash, wal_writer_main},
  {Role::kLogger,           BackendType::kLogger,            "logger",            "system logger process",   false, false,
      kNever,           true,   false, false, false, kRelaunch, kRelaunch, kRelaunch, logger_main},
}};
// clang-format on

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i].role != static_cast<Role>(i)) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::span<const RoleSpec, kRoleCount> role_table() {
  return kRoles;
}

}  // namespace cofork
