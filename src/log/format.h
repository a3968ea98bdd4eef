// The forms of a log message: text with log_line_prefix, CSV and JSON (elog.c, csvlog.c,
// jsonlog.c).
#pragma once

#include <cstdint>
#include <string>

#include "log/log.h"
#include "settings/settings.h"
#include "support/error.h"

namespace cofork {

/// What a message's form depends on, besides the message.
struct LogMoment {
  const SettingsView& settings;
  LogIdentity& identity;  ///< its line number counts on
  Pid pid;
  int64_t now_us;       ///< Unix epoch
  bool with_statement;  ///< the error's level asks for the statement, and there is one
};

/// Appends log_line_prefix as it expands now (log_line_prefix()).
void append_line_prefix(const LogMoment& moment, SqlState sqlstate, std::string& out);

/// The whole message: first line, DETAIL, HINT, QUERY, CONTEXT, STATEMENT, each line of each with a
/// tab after the first.
std::string text_form(const LogMoment& moment, const ErrorData& data);

/// One record with 26 columns, ending in a newline.
std::string csv_form(const LogMoment& moment, const ErrorData& data);

/// One object on one line, ending in a newline.
std::string json_form(const LogMoment& moment, const ErrorData& data);

/// %c: start time and pid, both in hexadecimal.
std::string session_id(const LogMoment& moment);
/// %v: "3/42", or "" without a virtual transaction.
std::string virtual_transaction_text(const LogIdentity& identity);

/// "2026-11-23 16:13:29.869 GMT", or without milliseconds, in log_timezone.
std::string log_timestamp(const SettingsView& settings, int64_t unix_us, bool with_milliseconds);

}  // namespace cofork
