// Background workers: the registry in shared memory and what tasks do with it (as bgworker.c, 15).
//
// A worker is registered statically, before shared memory exists, or dynamically by any task; the
// postmaster starts it when its time has come and starts it again after a failure. The registry has
// max_worker_processes slots. The postmaster may not take locks, so a slot is handed over by
// `in_use`: while it is down the slot belongs to whoever holds BackgroundWorkerLock, while it is up
// the contents belong to the postmaster, except for `terminate`, which only ever goes up.
//
// A worker's function is named by a number (roles/bgworker.h has the table): shared memory holds no
// pointers to code.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "model/cells.h"
#include "shmem/segment.h"

namespace cofork {

inline constexpr size_t kWorkerNameBytes = 96;  ///< BGW_MAXLEN
inline constexpr int32_t kNeverRestart = -1;
inline constexpr int32_t kWorkerRestartMax_s = 86400;

enum WorkerFlag : int32_t {
  kWorkerShmemAccess = 0x0001,
  kWorkerDatabaseConnection = 0x0002,
  kWorkerClassParallel = 0x0010,
};

/// From when on it may run; in ascending order.
enum class WorkerStart : int32_t { kPostmasterStart, kConsistentState, kRecoveryFinished };

/// What is registered. Plain data: it is copied into and out of shared memory.
struct BackgroundWorker {
  char name[kWorkerNameBytes];  ///< ps title, log lines
  char type[kWorkerNameBytes];  ///< backend_type; the name when empty
  int32_t flags;
  WorkerStart start;
  int32_t restart_time_s;  ///< after a failure; kNeverRestart
  uint32_t function;       ///< a WorkerFunction's number
  uint64_t argument;
  char extra[128];
  Pid notify_pid;  ///< gets SIGUSR1 when it starts and stops; 0: nobody
};
static_assert(std::is_trivially_copyable_v<BackgroundWorker>);

struct WorkerSlot {
  std::atomic<bool> in_use;
  std::atomic<bool> terminate;
  std::atomic<Pid> pid;              ///< kWorkerNotStarted, 0: stopped, else it runs
  std::atomic<uint64_t> generation;  ///< one up for each registration
  BackgroundWorker worker;
};
inline constexpr Pid kWorkerNotStarted = -1;

struct WorkerArray {
  static constexpr Area kArea = Area::kBackgroundWorkers;
  static constexpr const char* kName = "Background Worker Data";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits&);
  int32_t count;
  WorkerSlot* slots() { return reinterpret_cast<WorkerSlot*>(this + 1); }

 private:
  int32_t padding_;
};

/// Names one registration; another one in the same slot has another generation.
struct WorkerHandle {
  int32_t slot;
  uint64_t generation;
};

enum class WorkerStatus : uint8_t { kNotYetStarted, kStarted, kStopped, kPostmasterDied };

/// Registers from a running task. False when all slots are taken. Errors 22023 for impossible
/// combinations, with PostgreSQL's texts.
bool register_dynamic_worker(const BackgroundWorker& worker, WorkerHandle& handle);
/// `pid` is set when it is kStarted.
WorkerStatus worker_status(const WorkerHandle& handle, Pid& pid);
/// Waits until it has started, or has stopped already. The worker must name us as notify_pid.
WorkerStatus wait_for_worker_startup(const WorkerHandle& handle, Pid& pid);
WorkerStatus wait_for_worker_shutdown(const WorkerHandle& handle);
/// Asks the postmaster to stop it and not to start it again.
void terminate_worker(const WorkerHandle& handle);

/// Checks a registration: null, or the reason why it is refused ("%s" of PostgreSQL's message
/// `background worker "…": %s`). Also fills in `type`.
const char* check_worker(BackgroundWorker& worker);

}  // namespace cofork
