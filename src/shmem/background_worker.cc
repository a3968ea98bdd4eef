// See background_worker.h.
#include "shmem/background_worker.h"

#include <cstring>
#include <new>

#include "model/task.h"
#include "shmem/lwlock.h"
#include "shmem/pm_signal.h"
#include "support/error.h"

namespace cofork {

namespace {

WorkerArray& registry() {
  return shared_memory().area<WorkerArray>();
}

/// Waits on the latch until `done` says so or the postmaster is gone. The postmaster signals the
/// worker's notify_pid with SIGUSR1, whose handler sets the latch.
template <typename Done>
WorkerStatus wait_until(const WorkerHandle& handle, Pid& pid, WaitEventId event, Done&& done) {
  Task& task = this_task();
  for (;;) {
    task.check_interrupts();
    WorkerStatus status = worker_status(handle, pid);
    if (done(status)) return status;
    uint32_t woken = wait_latch(kWaitLatch | kWaitPostmasterDeath, -1, event);
    if ((woken & kWaitPostmasterDeath) != 0) return WorkerStatus::kPostmasterDied;
    reset_latch(task.latch());
  }
}

}  // namespace

size_t WorkerArray::size(const Limits& limits) {
  return sizeof(WorkerArray) +
         sizeof(WorkerSlot) * static_cast<size_t>(limits.max_worker_processes);
}

void WorkerArray::init(void* memory, const Limits& limits) {
  auto* made = new (memory) WorkerArray{};
  made->count = limits.max_worker_processes;
}

const char* check_worker(BackgroundWorker& worker) {
  if ((worker.flags & kWorkerShmemAccess) == 0) {
    return "background workers without shared memory access are not supported";
  }
  if ((worker.flags & kWorkerDatabaseConnection) != 0 &&
      worker.start == WorkerStart::kPostmasterStart) {
    return "cannot request database access if starting at postmaster start";
  }
  if (worker.restart_time_s != kNeverRestart &&
      (worker.restart_time_s < 0 || worker.restart_time_s > kWorkerRestartMax_s)) {
    return "invalid restart interval";
  }
  if ((worker.flags & kWorkerClassParallel) != 0 && worker.restart_time_s != kNeverRestart) {
    return "parallel workers may not be configured for restart";
  }
  if (worker.type[0] == '\0') std::memcpy(worker.type, worker.name, sizeof worker.type);
  return nullptr;
}

bool register_dynamic_worker(const BackgroundWorker& definition, WorkerHandle& handle) {
  BackgroundWorker worker = definition;
  if (const char* reason = check_worker(worker)) {
    throw Error(sqlstate::kInvalidParameterValue, "background worker \"{}\": {}", worker.name,
                reason);
  }
  WorkerArray& array = registry();
  {
    LwLockGuard lock(LwTranche::kBackgroundWorker, LwMode::kExclusive);
    WorkerSlot* found = nullptr;
    for (int32_t i = 0; found == nullptr && i < array.count; ++i) {
      WorkerSlot& slot = array.slots()[i];
      if (slot.in_use.load(std::memory_order_acquire)) continue;
      found = &slot;
      handle.slot = i;
    }
    if (found == nullptr) return false;
    found->worker = worker;
    found->pid.store(kWorkerNotStarted, std::memory_order_relaxed);
    found->terminate.store(false, std::memory_order_relaxed);
    handle.generation = found->generation.load(std::memory_order_relaxed) + 1;
    found->generation.store(handle.generation, std::memory_order_relaxed);
    // The postmaster looks without a lock: all of the above must be there when it sees this.
    found->in_use.store(true, std::memory_order_release);
  }
  send_postmaster_signal(PmSignal::kBackgroundWorkerChange);
  return true;
}

WorkerStatus worker_status(const WorkerHandle& handle, Pid& pid) {
  WorkerSlot& slot = registry().slots()[handle.slot];
  // Shared is enough to keep the slot from being given to another registration while we look.
  LwLockGuard lock(LwTranche::kBackgroundWorker, LwMode::kShared);
  pid = 0;
  if (slot.generation.load(std::memory_order_relaxed) != handle.generation ||
      !slot.in_use.load(std::memory_order_acquire)) {
    return WorkerStatus::kStopped;
  }
  Pid now = slot.pid.load(std::memory_order_acquire);
  if (now == kWorkerNotStarted) return WorkerStatus::kNotYetStarted;
  if (now == 0) return WorkerStatus::kStopped;
  pid = now;
  return WorkerStatus::kStarted;
}

WorkerStatus wait_for_worker_startup(const WorkerHandle& handle, Pid& pid) {
  return wait_until(handle, pid, WaitEventId::kBgWorkerStartup,
                    [](WorkerStatus status) { return status != WorkerStatus::kNotYetStarted; });
}

WorkerStatus wait_for_worker_shutdown(const WorkerHandle& handle) {
  Pid pid;
  return wait_until(handle, pid, WaitEventId::kBgWorkerShutdown,
                    [](WorkerStatus status) { return status == WorkerStatus::kStopped; });
}

void terminate_worker(const WorkerHandle& handle) {
  WorkerSlot& slot = registry().slots()[handle.slot];
  bool asked = false;
  {
    LwLockGuard lock(LwTranche::kBackgroundWorker, LwMode::kExclusive);
    if (slot.generation.load(std::memory_order_relaxed) == handle.generation) {
      slot.terminate.store(true, std::memory_order_release);
      asked = true;
    }
  }
  if (asked) send_postmaster_signal(PmSignal::kBackgroundWorkerChange);
}

}  // namespace cofork
