// The server log, and the way a message reaches both the log and the client (as elog.c).
//
//   log(Severity::kLog, "database system is ready to accept connections");
//   report(std::move(data));            // ErrorData with detail, hint, SQLSTATE
//
// A message goes to the server log when log_min_messages lets it through, with log_line_prefix in
// front, and to the client of the running task when client_min_messages does and the task has one.
// ERROR and above are thrown as cofork::Error, not passed here; whoever catches one reports its
// data. One message is one write: lines of tasks that log at the same time do not mix. A write to
// the logger's pipe may wait. Source positions go to the client only: verbosity "verbose" adds
// the SQLSTATE and no LOCATION.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "model/task.h"
#include "settings/settings.h"
#include "support/error.h"

namespace cofork {

enum class LogDestination : uint8_t { kStderr, kCsv, kJson };

/// Where NOTICE and friends go besides the log: the session's connection, if it has one.
class ClientSink {
 public:
  virtual ~ClientSink() = default;
  virtual void send_report(const ErrorData& data) = 0;
};

/// The way of log lines to the logger, one per server. The postmaster makes the pipe, puts its
/// write end in the place of standard error, and says so here; everybody then writes in chunks
/// (log/chunk.h). It lives in the postmaster's memory; a forked child has a copy.
struct LogChannel {
  std::atomic<bool> redirected{false};
  int read_fd = -1;  ///< the logger's end; the postmaster keeps it open, so that nothing gets lost
};

/// Where the logger itself writes: its own lines would never come back through its own pipe.
class LogFileSink {
 public:
  virtual ~LogFileSink() = default;
  virtual void write_log_file(LogDestination destination, std::string_view text) = 0;
};

/// Who is writing, for log_line_prefix and the STATEMENT line. One per task; the session fills it.
/// A new one takes over the channel of the running task's (its parent's) and starts its clock.
struct LogIdentity {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kLog;
  LogIdentity();

  std::string backend_type = "not initialized";  ///< %b
  std::string user_name;                         ///< %u; "" of a session is shown as [unknown]
  std::string database_name;                     ///< %d; the same
  std::string application_name;                  ///< %a; the same
  std::string remote_host;                       ///< %h
  std::string remote_port;           ///< %r is host(port), or the host alone when this is ""
  bool is_session = false;           ///< %q stops here for others
  std::string_view command_tag;      ///< %i; valid while the statement runs
  std::string_view statement;        ///< shown as STATEMENT when an error is logged; likewise
  int64_t session_start_us = 0;      ///< %s and %c, Unix epoch microseconds
  uint64_t line_number = 0;          ///< %l
  uint64_t csv_line_number = 0;    ///< each form counts its own lines
  uint64_t json_line_number = 0;
  uint64_t virtual_transaction = 0;  ///< %v: backend id << 32 | local id; 0: none
  uint32_t transaction_id = 0;       ///< %x
  int64_t query_id = 0;              ///< %Q
  ClientSink* client = nullptr;
  LogChannel* channel = nullptr;
  LogFileSink* own_files = nullptr;  ///< only the logger has these
};

/// A child's own view of the settings and its own place in the log: what it makes before anything
/// else, for it is born looking at its parent's. Puts the parent's back when it ends.
class ChildContext {
 public:
  ChildContext(Task& task, std::string backend_type);
  ~ChildContext();
  ChildContext(const ChildContext&) = delete;
  ChildContext& operator=(const ChildContext&) = delete;

  SettingsView settings;
  LogIdentity log;

 private:
  Task& task_;
  SettingsView* inherited_settings_;
  LogIdentity* inherited_log_;
};

/// Would a message of this level go anywhere? Ask before formatting something costly.
bool log_is_interested(Severity severity);

/// Reports a message of any level to the log and, where due, to the client. Does not throw.
void report(const ErrorData& data);

/// The same with a message still to be formatted: nothing is, when nobody wants it.
void vlog(Severity severity, fmt::string_view format, fmt::format_args args);

template <typename... Args>
void log(Severity severity, fmt::format_string<Args...> format, Args&&... args) {
  vlog(severity, format, fmt::make_format_args(args...));
}

/// Plain text to standard error, from places that may neither wait nor allocate (signal handlers,
/// the scheduler): one write(2).
void write_raw_stderr(std::string_view text);

}  // namespace cofork
