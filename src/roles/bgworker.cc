// See bgworker.h.
#include "roles/bgworker.h"

#include <fmt/core.h>

#include <csignal>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "log/log.h"
#include "model/model.h"
#include "roles/auxiliary.h"
#include "roles/wait_sampler.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "shmem/proc_signal.h"
#include "shmem/task_table.h"
#include "storage/relation_files.h"

namespace cofork {

namespace {

using WorkerBody = void (*)(Task&, const BackgroundWorker&);

/// In the order of WorkerFunction.
constexpr WorkerBody kBodies[] = {
    wait_sampler_main,
};
static_assert(std::size(kBodies) == static_cast<size_t>(WorkerFunction::kCount));

void serve_interrupts(Task& task, uint32_t bits) {
  if ((bits & kInterruptDie) != 0) {
    task.clear_interrupt(kInterruptDie);
    throw Error(sqlstate::kAdminShutdown,
                "terminating background worker \"{}\" due to administrator command",
                task.slot<LogIdentity>()->backend_type)
        .fatal();
  }
  if ((bits & kInterruptReload) != 0) {
    task.clear_interrupt(kInterruptReload);
    for (const ErrorData& line : reload_settings(settings())) report(line);
  }
  if ((bits & kInterruptProcSignal) != 0) {
    task.clear_interrupt(kInterruptProcSignal);
    // A worker has no relation files open: there is nothing to let go of.
    if (take_proc_signal(ProcSignal::kBarrier))
      process_barrier([](Barrier) { close_relation_files(); });
  }
}

void install_handlers(Task& task, const BackgroundWorker& worker) {
  bool has_database = (worker.flags & kWorkerDatabaseConnection) != 0;
  task.on_signal(SIGHUP, Task::handle_reload);
  task.on_signal(SIGINT, has_database ? Task::handle_cancel : Task::ignore_signal);
  task.on_signal(SIGTERM, Task::handle_die);
  task.on_signal(SIGQUIT, die_of_quit);
  task.on_signal(SIGUSR1, Task::handle_proc_signal);
  task.on_signal(SIGUSR2, Task::ignore_signal);
  task.set_interrupt_handler(serve_interrupts);
  task.unblock_signals();
}

void join_server(Task& task, const BackgroundWorker& worker, int32_t child_slot) {
  std::string prefix = "postgres: ";
  if (std::string_view cluster = settings().get(setting::kClusterName); !cluster.empty()) {
    prefix += fmt::format("{}: ", cluster);
  }
  task.set_title(fmt::format("{}{} ", prefix, worker.name));
  init_process(BackendType::kBackgroundWorker, ProcPool::kBackgroundWorker, child_slot);
  proc_array_join();  // so that pg_terminate_backend() finds whoever pg_stat_activity shows
  proc_signal_init();
  StatusIntroduction who{BackendType::kBackgroundWorker};
  who.worker_type = worker.type;
  status_begin(who);
}

}  // namespace

void background_worker_main(Task& task, int32_t slot, int32_t child_slot) {
  // A copy: the slot may be given away while we still run, when nobody wants us any more.
  const BackgroundWorker worker = shared_memory().area<WorkerArray>().slots()[slot].worker;
  auto context = std::make_shared<ChildContext>(task, worker.type);
  // Exit callbacks still read settings and write the log: it goes after the last of them.
  task.on_proc_exit([context](Task&, int) {});

  std::optional<ErrorData> failure;
  try {
    enter_task_table(task_row_of_child(child_slot), BackendType::kBackgroundWorker);
    install_handlers(task, worker);
    join_server(task, worker, child_slot);
    kBodies[worker.function](task, worker);
  } catch (Error& error) {
    failure = std::move(error.data());
  } catch (const std::bad_alloc&) {
    failure = Error(sqlstate::kOutOfMemory, "out of memory").data();
  }
  if (failure) {
    // Whatever was held must be free before the log, which may wait.
    release_all_lwlocks();
    report(*failure);
    proc_exit(1);
  }
}

}  // namespace cofork
