// Signals and timeouts of a client backend. Handlers only set flags and the latch; the flags are
// served at interrupt checks and while waiting for the client (as ProcessInterrupts, quickdie,
// ProcessClientReadInterrupt in postgres.c, 15).
#include <cerrno>
#include <csignal>

#include "model/model.h"
#include "roles/client_backend.h"
#include "shmem/pm_signal.h"
#include "shmem/proc_signal.h"
#include "shmem/stats.h"
#include "storage/relation_files.h"
#include "wire/error_response.h"

namespace cofork {

namespace {

/// kInterruptUser1: sending to the client has failed.
constexpr uint32_t kInterruptClientLost = kInterruptUser1;
/// A SIGQUIT that the postmaster has not sent: the backend says so and quits.
constexpr uint32_t kInterruptUnexpectedQuit = kInterruptUser2;

/// As errcode_for_socket_access().
SqlState sqlstate_for_socket_errno(int error_number) {
  switch (error_number) {
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
      return sqlstate::kConnectionFailure;
    default:
      return sqlstate::kInternalError;
  }
}

/// For the server log only: the client could not receive it (COMMERROR).
void report_socket_error(const char* what, int error_number) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate_for_socket_errno(error_number);
  data.message = what + errno_text(error_number);
  data.log_only = true;
  report(data);
}

}  // namespace

// --- handlers

void ClientBackend::install_session_handlers() {
  last_words();  // made now: quick_die() may not allocate
  task_.on_signal(SIGTERM, Task::handle_die);
  task_.on_signal(SIGINT, Task::handle_cancel);
  task_.on_signal(SIGUSR1, Task::handle_proc_signal);
  task_.on_signal(SIGQUIT, quick_die);
  task_.set_interrupt_handler(on_interrupts);
  Timeouts& timeouts = task_.timeouts();
  timeouts.set_handler(TimeoutId::kStatement, on_statement_timeout);
  timeouts.set_handler(TimeoutId::kIdleSession, on_other_timeout);
  timeouts.set_handler(TimeoutId::kIdleInTransaction, on_other_timeout);
  timeouts.set_handler(TimeoutId::kClientConnectionCheck, on_other_timeout);
}

void ClientBackend::on_statement_timeout(Task& task) {
  Task::handle_cancel(task, SIGINT);
}

void ClientBackend::on_other_timeout(Task& task) {
  task.raise_interrupt(kInterruptTimeout);
  set_latch(task.latch());
}

// --- serving

void ClientBackend::on_interrupts(Task& task, uint32_t bits) {
  if (auto* backend = task.slot<ClientBackend>()) backend->serve_interrupts(bits);
}

void ClientBackend::serve_interrupts(uint32_t bits) {
  if (bits & kInterruptUnexpectedQuit) quit_unexpectedly();
  if (bits & kInterruptDie) die_as_told();
  if (bits & kInterruptTimeout) {
    task_.clear_interrupt(kInterruptTimeout);
    check_client();
  }
  if (task_.interrupts() & kInterruptClientLost) {
    connection_.stop_sending();
    throw Error(sqlstate::kConnectionFailure, "connection to client lost").fatal();
  }
  // While a message is being read, a cancel would lose the place in the conversation: it waits.
  if ((bits & kInterruptCancel) && !reading_message_) serve_cancel_interrupt();
  if (bits & kInterruptTimeout) serve_idle_timeouts();
  if (bits & kInterruptProcSignal) serve_proc_signals();
}

void ClientBackend::die_as_told() {
  task_.clear_interrupt(kInterruptDie | kInterruptCancel);
  if (phase_ != Phase::kSession) {
    connection_.stop_sending();  // who is not let in gets no message he could learn from
    throw Error(sqlstate::kQueryCanceled, "canceling authentication due to timeout").fatal();
  }
  stats_session_ends(SessionEnd::kKilled);
  throw Error(sqlstate::kAdminShutdown, "terminating connection due to administrator command")
      .fatal();
}

void ClientBackend::serve_cancel_interrupt() {
  task_.clear_interrupt(kInterruptCancel);
  if (task_.timeouts().fired(TimeoutId::kStatement, true)) {
    throw Error(sqlstate::kQueryCanceled, "canceling statement due to statement timeout");
  }
  // Between two commands there is nothing to cancel.
  if (reading_command_) return;
  throw Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
}

void ClientBackend::check_client() {
  if (!task_.timeouts().fired(TimeoutId::kClientConnectionCheck, true)) return;
  int interval_ms = settings_.get(setting::kClientConnectionCheckInterval);
  if (reading_command_ || interval_ms == 0) return;
  if (connection_.peer_has_gone()) {
    task_.raise_interrupt(kInterruptClientLost);
  } else {
    task_.timeouts().enable_after_ms(TimeoutId::kClientConnectionCheck, interval_ms);
  }
}

void ClientBackend::serve_idle_timeouts() {
  if (task_.timeouts().fired(TimeoutId::kIdleInTransaction, true) &&
      settings_.get(setting::kIdleInTransactionSessionTimeout) > 0) {
    throw Error(sqlstate::kIdleInTransactionSessionTimeout,
                "terminating connection due to idle-in-transaction timeout")
        .fatal();
  }
  if (task_.timeouts().fired(TimeoutId::kIdleSession, true) &&
      settings_.get(setting::kIdleSessionTimeout) > 0) {
    throw Error(sqlstate::kIdleSessionTimeout, "terminating connection due to idle-session timeout")
        .fatal();
  }
}

void ClientBackend::serve_proc_signals() {
  task_.clear_interrupt(kInterruptProcSignal);
  // The only barrier asks to close files of dropped databases, of which a backend keeps none open.
  if (take_proc_signal(ProcSignal::kBarrier))
    process_barrier([](Barrier) { close_relation_files(); });
}

void ClientBackend::sending_failed(int error_number) {
  report_socket_error("could not send data to client: ", error_number);
  task_.raise_interrupt(kInterruptClientLost);
}

void ClientBackend::receiving_failed(int error_number) {
  report_socket_error("could not receive data from client: ", error_number);
}

// --- while waiting for the client

void ClientBackend::serve_read_interrupts(bool blocked) {
  if (reading_command_) {
    task_.check_interrupts();
    return;
  }
  if (task_.interrupts() & kInterruptUnexpectedQuit) quit_unexpectedly();
  if ((task_.interrupts() & kInterruptDie) == 0) return;
  if (phase_ == Phase::kStartupPacket) {
    // Too slow, or the server stops: nobody has been told anything yet, and nobody will be.
    connection_.stop_sending();
    proc_exit(1);
  }
  if (blocked) task_.check_interrupts();
}

void ClientBackend::serve_write_interrupts(bool blocked) {
  if (task_.interrupts() & kInterruptUnexpectedQuit) quit_unexpectedly();
  if (!blocked || (task_.interrupts() & kInterruptDie) == 0) return;
  if (phase_ == Phase::kStartupPacket) {
    connection_.stop_sending();
    proc_exit(1);
  }
  if (task_.interrupt_holdoff > 0 || task_.critical_section > 0) return;
  // Half a message may be out: anything that followed would be taken for its rest.
  connection_.stop_sending();
  task_.check_interrupts();
}

// --- last words

namespace {

std::string warning_message(const ErrorData& data) {
  ErrorData warning = data;
  warning.severity = Severity::kWarning;
  OutputBuffer out;
  append_report(out, warning);
  return std::string(out.unsent());
}

}  // namespace

const ClientBackend::LastWords& ClientBackend::last_words() {
  static const LastWords words = {
      .crash = warning_message(
          Error(sqlstate::kCrashShutdown,
                "terminating connection because of crash of another server process")
              .detail("The postmaster has commanded this server process to roll back the current "
                      "transaction and exit, because another server process exited abnormally and "
                      "possibly corrupted shared memory.")
              .hint("In a moment you should be able to reconnect to the database and repeat your "
                    "command.")
              .data()),
      .stop = warning_message(Error(sqlstate::kAdminShutdown,
                                    "terminating connection due to immediate shutdown command")
                                  .data()),
  };
  return words;
}

// SIGQUIT from the postmaster: what is in memory can no longer be trusted, so nothing is unwound or
// given back; bytes that were prepared are sent, and the task is gone. From anybody else it is no
// reason to hurry, and there is a line to be logged, which no handler may do.
void ClientBackend::quick_die(Task& task, int signo) {
  auto* backend = task.slot<ClientBackend>();
  bool in_session = backend != nullptr && backend->phase_ == Phase::kSession;
  QuitReason reason = quit_reason();
  if (in_session && reason == QuitReason::kNotSent) {
    task.raise_interrupt(kInterruptUnexpectedQuit);
    set_latch(task.latch());
    return;
  }
  if (backend != nullptr && backend->connection_.postpone_signal(signo)) return;
  if (in_session) {
    const LastWords& words = last_words();
    backend->connection_.send_last_words(reason == QuitReason::kForCrash ? words.crash
                                                                         : words.stop);
  }
  task.model().die_now(task, ExitStatus::exited(2));
}

void ClientBackend::quit_unexpectedly() {
  ErrorData warning =
      Error(sqlstate::kAdminShutdown, "terminating connection because of unexpected SIGQUIT signal")
          .data();
  std::string message = warning_message(warning);
  warning.severity = Severity::kWarning;
  warning.log_only = true;  // the client gets it without waiting for him
  report(warning);
  connection_.send_last_words(message);
  task_.model().die_now(task_, ExitStatus::exited(2));
}

}  // namespace cofork
