// The server log, and the way a message reaches both the log and the client (as elog.c).
//
//   log(Severity::kLog, "database system is ready to accept connections");
//   report(std::move(data));            // ErrorData with detail, hint, SQLSTATE
//
// A message goes to the server log when log_min_messages lets it through, with log_line_prefix in
// front, and to the client of the running task when client_min_messages does and the task has one.
// ERROR and above are thrown as cofork::Error, not passed here; whoever catches one reports its data.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "model/task.h"
#include "support/error.h"

namespace cofork {

/// Where NOTICE and friends go besides the log: the session's connection, if it has one.
class ClientSink {
 public:
  virtual ~ClientSink() = default;
  virtual void send_report(const ErrorData& data) = 0;
};

/// Who is writing, for log_line_prefix and the STATEMENT line. One per task; the session fills it.
struct LogIdentity {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kLog;
  std::string backend_type = "not initialized";  ///< %b
  std::string user_name;         ///< %u ("" shows as [unknown] only where PostgreSQL does)
  std::string database_name;     ///< %d
  std::string application_name;  ///< %a
  std::string remote_host;       ///< %h
  std::string remote_port;       ///< %p is the pid; %r is host(port)
  bool is_session = false;       ///< %q stops here for others
  std::string_view command_tag;  ///< %i; valid while the statement runs
  std::string_view statement;    ///< shown as STATEMENT when an error is logged; likewise
  int64_t session_start_us = 0;  ///< %s and %c, Unix epoch microseconds
  uint64_t line_number = 0;      ///< %l
  uint64_t virtual_transaction = 0;
  ClientSink* client = nullptr;
};

/// Would a message of this level go anywhere? Ask before formatting something costly.
bool log_is_interested(Severity severity);

/// Reports a message of any level to the log and, where due, to the client. Does not throw.
void report(const ErrorData& data);

template <typename... Args>
void log(Severity severity, fmt::format_string<Args...> format, Args&&... args) {
  if (!log_is_interested(severity)) return;
  ErrorData data;
  data.severity = severity;
  data.sqlstate = severity == Severity::kWarning ? sqlstate::kWarning : sqlstate::kSuccessfulCompletion;
  data.message = fmt::format(format, std::forward<Args>(args)...);
  report(data);
}

/// Plain text to standard error, from places that may neither wait nor allocate (signal handlers,
/// the scheduler): one write(2).
void write_raw_stderr(std::string_view text);

}  // namespace cofork
