// Where a message goes, and getting it there.
#include "log/log.h"

#include <cerrno>

#include "log/chunk.h"
#include "log/format.h"
#include "model/model.h"
#include "settings/hooks.h"

namespace cofork {
namespace {

constexpr int kStandardError = 2;

/// Is `severity` at or above `minimum` in the server log's order, where LOG stands between ERROR
/// and FATAL (is_log_level_output)?
bool passes_server_order(Severity severity, Severity minimum) {
  if (severity == Severity::kLog) {
    return minimum == Severity::kLog || minimum <= Severity::kError;
  }
  if (minimum == Severity::kLog) return severity >= Severity::kFatal;
  return severity >= minimum;
}

bool client_wants(const SettingsView& settings, const LogIdentity& identity, Severity severity) {
  return identity.client != nullptr &&
         (severity >= settings.get(setting::kClientMinMessages) || severity == Severity::kInfo);
}

/// Chunks go out one by one without blocking. When the pipe is full the task pauses and tries
/// again: a blocked write would hold a thread that the logger needs to run.
void write_to_logger(Task& task, LogDestination destination, std::string_view message) {
  constexpr int64_t kFullPipePauseUs = 1000;
  FileSystem& files = task.os().files;
  for_each_chunk(task.pid(), destination, message, [&](std::string_view chunk) {
    while (files.write_without_waiting(kStandardError, chunk.data(), chunk.size()) == -EAGAIN) {
      task.model().pause_us(task, kFullPipePauseUs);
    }
  });
}

void write_message(Task& task, const LogIdentity& identity, LogDestination destination,
                   std::string_view message) {
  if (identity.own_files != nullptr) {
    identity.own_files->write_log_file(destination, message);
  } else if (identity.channel != nullptr && identity.channel->redirected.load()) {
    write_to_logger(task, destination, message);
  } else {
    task.os().files.write(kStandardError, message.data(), message.size());
  }
}

void write_server_log(Task& task, const SettingsView& settings, LogIdentity& identity,
                      const ErrorData& data) {
  bool with_statement =
      !data.hide_statement && !identity.statement.empty() &&
      passes_server_order(data.severity, settings.get(setting::kLogMinErrorStatement));
  LogMoment moment{settings, identity, task.pid(), task.os().clock.realtime_us(), with_statement};
  LogDestinations to = *settings.derived<LogDestinations>(setting::kLogDestination);
  // Only the logger has files for the structured forms; without it they would mix with plain text.
  bool has_files = identity.own_files != nullptr ||
                   (identity.channel != nullptr && identity.channel->redirected.load());
  if (to.to_csv && has_files) {
    write_message(task, identity, LogDestination::kCsv, csv_form(moment, data));
  }
  if (to.to_json && has_files) {
    write_message(task, identity, LogDestination::kJson, json_form(moment, data));
  }
  if (to.to_stderr || !has_files) {
    write_message(task, identity, LogDestination::kStderr, text_form(moment, data));
  }
}

}  // namespace

LogIdentity::LogIdentity() {
  Task* task = this_task_or_null();
  if (task == nullptr) return;
  session_start_us = task->os().clock.realtime_us();
  if (const LogIdentity* parent = task->slot<LogIdentity>()) channel = parent->channel;
}

ChildContext::ChildContext(Task& task, std::string backend_type)
    : settings(task.slot<SettingsView>()->server()),
      task_(task),
      inherited_settings_(task.slot<SettingsView>()),
      inherited_log_(task.slot<LogIdentity>()) {
  log.backend_type = std::move(backend_type);
  task.set_slot(&settings);
  task.set_slot(&log);
}

ChildContext::~ChildContext() {
  task_.set_slot(inherited_settings_);
  task_.set_slot(inherited_log_);
}

bool log_is_interested(Severity severity) {
  Task* task = this_task_or_null();
  if (task == nullptr) return false;
  const auto* settings = task->slot<SettingsView>();
  const auto* identity = task->slot<LogIdentity>();
  if (settings == nullptr || identity == nullptr) return false;
  return passes_server_order(severity, settings->get(setting::kLogMinMessages)) ||
         client_wants(*settings, *identity, severity);
}

void vlog(Severity severity, fmt::string_view format, fmt::format_args args) {
  if (!log_is_interested(severity)) return;
  ErrorData data;
  data.severity = severity;
  data.sqlstate =
      severity == Severity::kWarning ? sqlstate::kWarning : sqlstate::kSuccessfulCompletion;
  data.message = fmt::vformat(format, args);
  report(data);
}

void report(const ErrorData& data) {
  Task* task = this_task_or_null();
  auto* settings = task == nullptr ? nullptr : task->slot<SettingsView>();
  auto* identity = task == nullptr ? nullptr : task->slot<LogIdentity>();
  if (settings == nullptr || identity == nullptr) {
    // Not a task of a server, or not yet: nobody has said how the log is to look.
    write_raw_stderr(fmt::format("{}:  {}\n", severity_name(data.severity), data.message));
    return;
  }
  if (passes_server_order(data.severity, settings->get(setting::kLogMinMessages))) {
    write_server_log(*task, *settings, *identity, data);
  }
  if (!data.log_only && client_wants(*settings, *identity, data.severity)) {
    identity->client->send_report(data);
  }
}

void write_raw_stderr(std::string_view text) {
  real_operating_system().files.write(kStandardError, text.data(), text.size());
}

}  // namespace cofork
