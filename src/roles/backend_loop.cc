// The loop of a client backend: become idle, wait for a command, execute it, and after an error put
// everything right again (as PostgresMain and SocketBackend in postgres.c, 15).
#include <csignal>
#include <new>

#include "model/model.h"
#include "roles/client_backend.h"
#include "shmem/lwlock.h"
#include "shmem/stats.h"
#include "support/bytes.h"

namespace cofork {

namespace {

/// For the server log only, severity LOG (COMMERROR).
void log_lost_client(Severity severity, SqlState state, const char* message) {
  ErrorData data;
  data.severity = severity;
  data.sqlstate = state;
  data.message = message;
  data.log_only = true;
  report(data);
}

}  // namespace

void ClientBackend::serve_client() {
  bool goes_on = true;
  while (goes_on) {
    std::optional<ErrorData> failure;
    try {
      become_idle();
      Message message;
      goes_on = read_message(message);
      if (goes_on) {
        after_message_read();
        if (!skip_until_sync_) goes_on = execute_message(message);
      }
    } catch (Error& error) {
      failure = std::move(error.data());
    } catch (const std::bad_alloc&) {
      failure = Error(sqlstate::kOutOfMemory, "out of memory").data();
    }
    if (failure) recover_from(std::move(*failure));
  }
  connection_.stop_sending();
}

// --- idle

void ClientBackend::become_idle() {
  if (!ready_for_query_due_) return;
  log_identity_.statement = {};
  log_identity_.command_tag = {};
  char status = engine_->transaction_status();
  if (status == 'I') {
    report_stats(false);
    set_title("idle");
    set_state(BackendState::kIdle, {});
    arm_idle_timeout(TimeoutId::kIdleSession, settings_.get(setting::kIdleSessionTimeout));
  } else {
    set_title(status == 'T' ? "idle in transaction" : "idle in transaction (aborted)");
    set_state(
        status == 'T' ? BackendState::kIdleInTransaction : BackendState::kIdleInTransactionAborted,
        {});
    arm_idle_timeout(TimeoutId::kIdleInTransaction,
                     settings_.get(setting::kIdleInTransactionSessionTimeout));
  }
  publish_settings();
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kReadyForQuery);
  out.add_byte(status);
  out.end();
  connection_.flush();
  connection_.shrink();
  ready_for_query_due_ = false;
}

void ClientBackend::arm_idle_timeout(TimeoutId id, int milliseconds) {
  if (milliseconds > 0) task_.timeouts().enable_after_ms(id, milliseconds);
}

// --- reading

bool ClientBackend::read_message(Message& message) {
  reading_command_ = true;
  if (!connection_.need(1)) {
    if (engine_->transaction_status() != 'I') {
      log_lost_client(Severity::kLog, sqlstate::kConnectionFailure,
                      "unexpected EOF on client connection with an open transaction");
    } else {
      log_lost_client(Severity::kDebug1, sqlstate::kConnectionDoesNotExist,
                      "unexpected EOF on client connection");
    }
    stats_session_ends(SessionEnd::kAbandoned);
    return false;
  }
  message.type = connection_.data()[0];
  uint32_t limit = client_message_limit(message.type);
  if (limit == 0) {
    throw Error(sqlstate::kProtocolViolation, "invalid frontend message type {}",
                static_cast<int>(static_cast<uint8_t>(message.type)))
        .fatal();
  }
  note_message_type(message.type);
  reading_message_ = true;
  if (!connection_.need(5))
    return lose_synchronization("unexpected EOF within message length word");
  auto length = load_be<uint32_t>(connection_.data() + 1);
  if (length < 4 || length > limit) return lose_synchronization("invalid message length");
  if (!connection_.need(size_t{1} + length)) {
    return lose_synchronization("incomplete message from client");
  }
  reading_message_ = false;
  message.body = {connection_.data() + 5, length - 4};
  connection_.consume(size_t{1} + length);
  return true;
}

/// Where the next message begins cannot be known any more: the conversation is over.
bool ClientBackend::lose_synchronization(const char* what) {
  log_lost_client(Severity::kLog, sqlstate::kProtocolViolation, what);
  stats_session_ends(SessionEnd::kAbandoned);
  return false;
}

// An error in one of the extended protocol's messages makes all others be skipped until Sync, so
// that a client may send many without waiting; an error in a Query does not.
void ClientBackend::note_message_type(char type) {
  switch (static_cast<ClientMessage>(type)) {
    case ClientMessage::kParse:
    case ClientMessage::kBind:
    case ClientMessage::kDescribe:
    case ClientMessage::kExecute:
    case ClientMessage::kClose:
    case ClientMessage::kFlush:
      in_extended_query_ = true;
      break;
    case ClientMessage::kSync:
    case ClientMessage::kTerminate:
      in_extended_query_ = false;
      skip_until_sync_ = false;
      break;
    default:
      in_extended_query_ = false;
  }
}

void ClientBackend::after_message_read() {
  Timeouts& timeouts = task_.timeouts();
  timeouts.disable(TimeoutId::kIdleSession);
  timeouts.disable(TimeoutId::kIdleInTransaction);
  task_.check_interrupts();
  reading_command_ = false;
  log_identity_.statement = {};  // it lay where the next message is now
  if (task_.interrupts() & kInterruptReload) reload_configuration();
}

void ClientBackend::reload_configuration() {
  task_.clear_interrupt(kInterruptReload);
  for (const ErrorData& line : reload_settings(settings_)) report(line);
}

// --- errors

void ClientBackend::recover_from(ErrorData data) {
  ++task_.interrupt_holdoff;
  Timeouts& timeouts = task_.timeouts();
  for (TimeoutId id : {TimeoutId::kStatement, TimeoutId::kIdleSession,
                       TimeoutId::kIdleInTransaction, TimeoutId::kClientConnectionCheck}) {
    timeouts.disable(id);
    timeouts.fired(id, true);
  }
  task_.clear_interrupt(kInterruptCancel);
  reading_command_ = false;
  if (task_.critical_section > 0 || data.severity == Severity::kPanic) {
    // Shared memory may be half changed: nobody may go on with it.
    data.severity = Severity::kPanic;
    report(data);
    task_.model().die_now(task_, ExitStatus::signaled(SIGABRT));
  }
  if (data.severity >= Severity::kFatal || reading_message_) {
    if (data.severity >= Severity::kFatal) stats_session_ends(SessionEnd::kFatal);
    --task_.interrupt_holdoff;
    if (data.severity < Severity::kFatal) {
      report(data);
      data = Error(sqlstate::kProtocolViolation,
                   "terminating connection because protocol synchronization was lost")
                 .data();
    }
    die_of(std::move(data));
  }
  report(data);
  release_all_lwlocks();
  engine_->failed();
  log_identity_.statement = {};
  --task_.interrupt_holdoff;
  if (in_extended_query_) {
    skip_until_sync_ = true;
    connection_.flush();
  } else {
    ready_for_query_due_ = true;
  }
}

}  // namespace cofork
