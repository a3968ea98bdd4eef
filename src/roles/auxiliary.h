// The frame all auxiliary roles share: how they join the server, what signals mean to them, and how
// they end (AuxiliaryProcessMain in auxprocess.c, 15).
//
// Exit status: 0 when the body returns or by proc_exit(0); 1 after FATAL or an ERROR nobody caught;
// 2 after SIGQUIT, at once and without cleaning up; "signal 6" after PANIC.
#pragma once

#include <string>
#include <string_view>

#include "model/task.h"
#include "shmem/backend_type.h"
#include "support/error.h"

namespace cofork {

/// Between an error and the next round: an error that stays must not fill the log.
inline constexpr int64_t kPauseAfterErrorUs = 1'000'000;

struct AuxiliaryRole {
  AuxiliaryKind kind;
  const char* title;  ///< "checkpointer"
  // What it does about signals; SIGHUP raises kInterruptReload, SIGUSR1 kInterruptProcSignal, and
  // SIGQUIT ends the task, in every role.
  SignalHandler on_interrupt;  ///< SIGINT
  SignalHandler on_terminate;  ///< SIGTERM
  SignalHandler on_user2;      ///< SIGUSR2
  Task::InterruptHandler serve_interrupts;
  void (*body)(Task& task);
};

/// The whole life of an auxiliary task.
void run_auxiliary(Task& task, const AuxiliaryRole& role);

/// "postgres: checkpointer " and what it is doing; does nothing with update_process_title = off.
void set_auxiliary_title(std::string_view role_title, std::string_view activity);

/// Reports an error that ends the task and ends it: PANIC aborts, the rest exits with 1. Called
/// outside any handler.
[[noreturn]] void end_with_error(Task& task, ErrorData data);

/// SIGQUIT: nothing in memory is to be trusted any more, so nothing is cleaned up
/// (SignalHandlerForCrashExit).
void die_of_quit(Task& task, int signo);

/// Is this error a PANIC: of itself, or because it left a critical section?
bool is_panic(const Task& task, const ErrorData& data);

/// SIGHUP: adopts the new settings and reports what is to be reported.
void reload_configuration(Task& task);
/// SIGUSR1: absorbs barriers, which ask it to let go of open relation files.
void serve_proc_signals(Task& task);

}  // namespace cofork
