// See auxiliary.h.
#include "roles/auxiliary.h"

#include <csignal>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "log/log.h"
#include "model/model.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/proc_signal.h"
#include "shmem/task_table.h"
#include "storage/relation_files.h"

namespace cofork {

namespace {

void install_handlers(Task& task, const AuxiliaryRole& role) {
  task.on_signal(SIGHUP, Task::handle_reload);
  task.on_signal(SIGINT, role.on_interrupt);
  task.on_signal(SIGTERM, role.on_terminate);
  task.on_signal(SIGQUIT, die_of_quit);
  task.on_signal(SIGUSR1, Task::handle_proc_signal);
  task.on_signal(SIGUSR2, role.on_user2);
  task.set_interrupt_handler(role.serve_interrupts);
}

/// Settings and log identity of its own, until its very end: exit callbacks still use both.
void take_own_context(Task& task, BackendType type) {
  auto context = std::make_shared<std::optional<ChildContext>>();
  context->emplace(task, backend_type_name(type));
  task.on_proc_exit([context](Task&, int) { context->reset(); });
}

}  // namespace

void die_of_quit(Task& task, int) {
  task.model().die_now(task, ExitStatus::exited(2));
}

void run_auxiliary(Task& task, const AuxiliaryRole& role) {
  BackendType type = backend_type_of(role.kind);
  std::optional<ErrorData> failure;
  try {
    take_own_context(task, type);
    enter_task_table(task_row_of(role.kind), type);
    set_auxiliary_title(role.title, "");
    install_handlers(task, role);
    init_auxiliary_process(role.kind);
    proc_signal_init();
    status_begin({.type = type});
    task.unblock_signals();
    role.body(task);
  } catch (Error& error) {
    failure = std::move(error.data());
  } catch (const std::bad_alloc&) {
    failure = Error(sqlstate::kOutOfMemory, "out of memory").data();
  }
  if (failure) end_with_error(task, std::move(*failure));
}

void set_auxiliary_title(std::string_view role_title, std::string_view activity) {
  if (!activity.empty() && !settings().get(setting::kUpdateProcessTitle)) return;
  std::string title = "postgres: ";
  std::string_view cluster = settings().get(setting::kClusterName);
  if (!cluster.empty()) title += fmt::format("{}: ", cluster);
  this_task().set_title(fmt::format("{}{} {}", title, role_title, activity));
}

bool is_panic(const Task& task, const ErrorData& data) {
  return data.severity == Severity::kPanic || task.critical_section > 0;
}

void end_with_error(Task& task, ErrorData data) {
  bool panic = is_panic(task, data);
  data.severity = panic ? Severity::kPanic : Severity::kFatal;
  // Whatever was held must be free before the log, which may wait.
  task.critical_section = 0;
  release_all_lwlocks();
  report(data);
  if (panic) task.model().die_now(task, ExitStatus::signaled(SIGABRT));
  proc_exit(1);
}

void reload_configuration(Task& task) {
  task.clear_interrupt(kInterruptReload);
  for (const ErrorData& line : reload_settings(settings())) report(line);
}

void serve_proc_signals(Task& task) {
  task.clear_interrupt(kInterruptProcSignal);
  if (take_proc_signal(ProcSignal::kBarrier))
    process_barrier([](Barrier) { close_relation_files(); });
}

}  // namespace cofork
