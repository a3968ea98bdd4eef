// See bgworker.h.
#include "roles/bgworker.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "log/log.h"
#include "model/model.h"
#include "roles/wait_sampler.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "shmem/proc_signal.h"
#include "shmem/task_table.h"

namespace cofork {

namespace {

using WorkerBody = void (*)(Task&, const BackgroundWorker&);

/// In the order of WorkerFunction.
constexpr WorkerBody kBodies[] = {
    wait_sampler_main,
};
static_assert(std::size(kBodies) == static_cast<size_t>(WorkerFunction::kCount));

/// What the worker owns until its very end: exit callbacks still read settings and write the log.
struct WorkerState {
  explicit WorkerState(Task& task)
      : inherited_settings(task.slot<SettingsView>()),
        inherited_log(task.slot<LogIdentity>()),
        view(inherited_settings->server()) {}

  BackgroundWorker worker;
  SettingsView* inherited_settings;
  LogIdentity* inherited_log;
  SettingsView view;
  LogIdentity identity;
};

/// SIGQUIT: nothing in memory is to be trusted any more, so nothing is cleaned up.
void handle_quit(Task& task, int) {
  task.model().die_now(task, ExitStatus::exited(2));
}

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
  // Nobody sends a worker anything else yet; a flag left up would make every check slow.
  task.clear_interrupt(bits & ~(kInterruptDie | kInterruptReload));
}

void install_handlers(Task& task, const BackgroundWorker& worker) {
  bool has_database = (worker.flags & kWorkerDatabaseConnection) != 0;
  task.on_signal(SIGHUP, Task::handle_reload);
  task.on_signal(SIGINT, has_database ? Task::handle_cancel : Task::ignore_signal);
  task.on_signal(SIGTERM, Task::handle_die);
  task.on_signal(SIGQUIT, handle_quit);
  task.on_signal(SIGUSR1, Task::handle_proc_signal);
  task.on_signal(SIGUSR2, Task::ignore_signal);
  task.set_interrupt_handler(serve_interrupts);
  task.unblock_signals();
}

void join_server(Task& task, WorkerState& state, int32_t child_slot) {
  const BackgroundWorker& worker = state.worker;
  std::string prefix = "postgres: ";
  if (std::string_view cluster = state.view.get(setting::kClusterName); !cluster.empty()) {
    prefix += fmt::format("{}: ", cluster);
  }
  task.set_title(fmt::format("{}{} ", prefix, worker.name));
  init_process(BackendType::kBackgroundWorker, ProcPool::kBackgroundWorker, child_slot);
  proc_signal_init();
  StatusIntroduction who{BackendType::kBackgroundWorker};
  who.worker_type = worker.type;
  status_begin(who);
}

}  // namespace

void background_worker_main(Task& task, int32_t slot, int32_t child_slot) {
  auto state = std::make_shared<WorkerState>(task);
  // A copy: the slot may be given away while we still run, when nobody wants us any more.
  state->worker = shared_memory().area<WorkerArray>().slots()[slot].worker;
  state->identity.backend_type = state->worker.type;
  state->identity.session_start_us = task.os().clock.realtime_us();
  task.set_slot(&state->view);
  task.set_slot(&state->identity);
  task.on_proc_exit([state](Task& ending, int) {
    ending.set_slot(state->inherited_settings);
    ending.set_slot(state->inherited_log);
  });

  std::optional<ErrorData> failure;
  try {
    enter_task_table(task_row_of_child(child_slot), BackendType::kBackgroundWorker);
    install_handlers(task, state->worker);
    join_server(task, *state, child_slot);
    kBodies[state->worker.function](task, state->worker);
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
