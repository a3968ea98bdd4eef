// See backend_type.h.
#include "shmem/backend_type.h"

namespace cofork {

const char* backend_type_name(BackendType type) {
  switch (type) {
    case BackendType::kNone:
      return "not initialized";
    case BackendType::kArchiver:
      return "archiver";
    case BackendType::kAutovacuumLauncher:
      return "autovacuum launcher";
    case BackendType::kAutovacuumWorker:
      return "autovacuum worker";
    case BackendType::kClientBackend:
      return "client backend";
    case BackendType::kBackgroundWorker:
      return "background worker";
    case BackendType::kBackgroundWriter:
      return "background writer";
    case BackendType::kCheckpointer:
      return "checkpointer";
    case BackendType::kLogger:
      return "logger";
    case BackendType::kStandaloneBackend:
      return "standalone backend";
    case BackendType::kStartup:
      return "startup";
    case BackendType::kWalReceiver:
      return "walreceiver";
    case BackendType::kWalSender:
      return "walsender";
    case BackendType::kWalWriter:
      return "walwriter";
    case BackendType::kPostmaster:
      return "postmaster";
  }
  return "";
}

BackendType backend_type_of(AuxiliaryKind kind) {
  switch (kind) {
    case AuxiliaryKind::kStartup:
      return BackendType::kStartup;
    case AuxiliaryKind::kBackgroundWriter:
      return BackendType::kBackgroundWriter;
    case AuxiliaryKind::kArchiver:
      return BackendType::kArchiver;
    case AuxiliaryKind::kCheckpointer:
      return BackendType::kCheckpointer;
    case AuxiliaryKind::kWalWriter:
      return BackendType::kWalWriter;
    case AuxiliaryKind::kWalReceiver:
      return BackendType::kWalReceiver;
  }
  return BackendType::kNone;
}

}  // namespace cofork
