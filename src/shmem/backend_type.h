// The kinds of tasks, by the names pg_stat_activity and %b show (BackendType in miscadmin.h, 15).
#pragma once

#include <cstdint>

namespace cofork {

enum class BackendType : uint8_t {
  kNone,
  kArchiver,
  kAutovacuumLauncher,
  kAutovacuumWorker,
  kClientBackend,
  kBackgroundWorker,
  kBackgroundWriter,
  kCheckpointer,
  kLogger,
  kStandaloneBackend,
  kStartup,
  kWalReceiver,
  kWalSender,
  kWalWriter,
  kPostmaster,
};

/// "client backend", "checkpointer" …; "not initialized" for kNone. A background worker shows its
/// own bgw_type in pg_stat_activity and in %b instead of "background worker".
const char* backend_type_name(BackendType type);

/// Kinds of auxiliary process; their status slots stand in this order (AuxProcType).
enum class AuxiliaryKind : uint8_t {
  kStartup,
  kBackgroundWriter,
  kArchiver,
  kCheckpointer,
  kWalWriter,
  kWalReceiver,
};

BackendType backend_type_of(AuxiliaryKind kind);

}  // namespace cofork
