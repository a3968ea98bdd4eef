// WorkerRegistry: the postmaster's side of background workers (as bgworker.c and the parts of
// postmaster.c that start and reap them, 15).
//
// It keeps its own list, which survives a crash of the rest; the slots in shared memory are how
// others see it. Nothing here forks: the postmaster asks next_to_start(), forks, and reports back.
//
//   while (auto* worker = registry.next_to_start(phase, now)) {
//     int32_t slot = child_slots.assign();
//     Pid pid = model.spawn(…background_worker_main(task, worker->slot, slot)…);
//     pid > 0 ? registry.started(*worker, pid) : registry.could_not_start(*worker, now);
//   }
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "model/exit_status.h"
#include "model/task.h"
#include "shmem/background_worker.h"

namespace cofork {

class WorkerRegistry {
 public:
  struct Worker {
    BackgroundWorker definition;
    int32_t slot = -1;       ///< in shared memory
    int32_t child_slot = 0;  ///< PMChildFlags slot while it runs; kept by the postmaster
    Pid pid = 0;             ///< 0: not running
    int64_t crashed_at = 0;  ///< microseconds since 2000-01-01 UTC; 0: did not crash
    bool terminate = false;  ///< not to be started again
  };
  /// MAX_BGWORKERS_TO_LAUNCH: no more in one pass of the server loop.
  static constexpr int kLaunchMax = 100;

  /// Registers before shared memory exists (RegisterBackgroundWorker). What cannot be accepted is
  /// logged, at LOG, and left out. `slots` is max_worker_processes.
  void register_static(BackgroundWorker worker, int32_t slots);

  /// Fills the slots of a new segment (BackgroundWorkerShmemInit): at start and after a crash.
  void publish(SharedMemory& memory);

  /// A child raised PmSignal::kBackgroundWorkerChange: takes over new registrations and stops what
  /// is to be stopped. With `accept_new` false (shutting down) new ones end at once.
  void scan(Task& postmaster, bool accept_new);

  /// The next worker to be forked now, or null. `reached` is the latest start time the server has
  /// come to; nullopt in states where no worker may start.
  Worker* next_to_start(Task& postmaster, std::optional<WorkerStart> reached, int64_t now);
  void started(Task& postmaster, Worker& worker, Pid pid);
  void could_not_start(Worker& worker, int64_t now);
  /// When next_to_start() will have one again because a restart interval is over; 0: no such time.
  int64_t next_restart_at() const;

  /// The worker that ran as `pid`, or null: another child's death.
  Worker* find(Pid pid);
  /// Its process is gone (CleanupBackgroundWorker). Exit status 0 ends it for good; anything else
  /// starts the restart interval. `worker` is invalid afterwards when it was forgotten.
  void exited(Task& postmaster, Worker& worker, ExitStatus status, int64_t now);
  /// A child is gone that workers were to notify.
  void stop_notifications(Pid pid);
  /// Shutdown: those never started will not be; whoever waits for them is told.
  void forget_unstarted(Task& postmaster);
  /// After a crash: those that may be restarted start at once, the others are forgotten.
  void reset_after_crash();

  template <typename F>
  void for_each(F&& f) {
    for (Worker& worker : workers_) f(worker);
  }

 private:
  WorkerSlot& slot_of(const Worker& worker) const;
  std::list<Worker>::iterator forget(std::list<Worker>::iterator worker);
  std::list<Worker>::iterator iterator_to(Worker& worker);
  void notify(Task& postmaster, Pid pid);

  std::list<Worker> workers_;  ///< newest first, as PostgreSQL's list
  SharedMemory* memory_ = nullptr;
};

}  // namespace cofork
