// Errors as PostgreSQL reports them: a severity, a SQLSTATE, a message and its companions.
//
// ErrorData is a plain value. Error is the exception that carries one up to whoever ends the
// statement (ERROR) or the task (FATAL). The rule for everybody who catches: copy the data out of
// the handler, leave the handler, and only then write, wait or log (a fiber that waits inside a
// handler would let its neighbours see its exception state; as EmitErrorReport before
// FlushErrorState in postgres.c).
//
//   throw Error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", name)
//       .hint("Perhaps you meant ...").position(cursor);
#pragma once

#include <fmt/core.h>

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "support/sqlstate.h"

namespace cofork {

/// Message levels in ascending order, as elog.h of PostgreSQL 15. The numbers are only an order:
/// kLog sorts between kNotice and kError here; the server-log order is log/'s business.
enum class Severity : uint8_t {
  kDebug5,
  kDebug4,
  kDebug3,
  kDebug2,
  kDebug1,
  kLog,
  kInfo,
  kNotice,
  kWarning,
  kError,
  kFatal,
  kPanic,
};

/// The word shown in the log and in the S and V fields: "DEBUG", "LOG", …, "PANIC".
const char* severity_name(Severity severity);

struct ErrorData {
  Severity severity = Severity::kError;
  SqlState sqlstate = sqlstate::kInternalError;
  std::string message;
  std::string detail;
  std::string detail_log;  ///< shown in the server log instead of detail, when not empty
  std::string hint;
  std::string context;
  int position = 0;           ///< 1-based, in characters, of the statement text; 0 = none
  int internal_position = 0;  ///< same, within internal_query
  std::string internal_query;
  std::string schema_name;
  std::string table_name;
  std::string column_name;
  std::string datatype_name;
  std::string constraint_name;
  const char* file = nullptr;  ///< where it was raised, in our own sources; null: not known
  int line = 0;
  const char* function = nullptr;
  bool hide_statement = false;  ///< the log line comes without STATEMENT
  bool log_only = false;        ///< LOG_SERVER_ONLY / COMMERROR: never sent to the client
};

/// A SQLSTATE that remembers where it was named: Error's first argument becomes one by itself, and
/// so the client and `log_error_verbosity = verbose` learn the source line.
struct RaisedHere {
  RaisedHere(SqlState state, const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE(),
             const char* in_function = __builtin_FUNCTION())
      : sqlstate(state), file(at_file), line(at_line), function(in_function) {}
  SqlState sqlstate;
  const char* file;
  int line;
  const char* function;
};

/// Raised in hundreds of places, so what a place costs the compiler matters: the templates only
/// pack the arguments, all else is in error.cc.
class Error : public std::exception {
 public:
  template <typename... Args>
  Error(RaisedHere here, fmt::format_string<Args...> format, Args&&... args)
      : Error(fmt::format_args(fmt::make_format_args(args...)), format, here) {}
  explicit Error(ErrorData data);
  Error(const Error&);
  Error(Error&&) noexcept;
  ~Error() override;

  template <typename... Args>
  Error&& detail(fmt::format_string<Args...> format, Args&&... args) && {
    set(&ErrorData::detail, format, fmt::make_format_args(args...));
    return std::move(*this);
  }
  template <typename... Args>
  Error&& hint(fmt::format_string<Args...> format, Args&&... args) && {
    set(&ErrorData::hint, format, fmt::make_format_args(args...));
    return std::move(*this);
  }
  template <typename... Args>
  Error&& context(fmt::format_string<Args...> format, Args&&... args) && {
    set(&ErrorData::context, format, fmt::make_format_args(args...));
    return std::move(*this);
  }
  Error&& position(int position) && {
    data_.position = position;
    return std::move(*this);
  }
  Error&& severity(Severity severity) && {
    data_.severity = severity;
    return std::move(*this);
  }
  /// Ends the session after this error: it is reported, then the task exits with status 1.
  Error&& fatal() && { return std::move(*this).severity(Severity::kFatal); }

  const ErrorData& data() const { return data_; }
  ErrorData& data() { return data_; }
  const char* what() const noexcept override { return data_.message.c_str(); }

 private:
  Error(fmt::format_args args, fmt::string_view format, const RaisedHere& here);
  void set(std::string ErrorData::*field, fmt::string_view format, fmt::format_args args);

  ErrorData data_;
};

/// strerror() text of an errno value, without its races: the %m of PostgreSQL's messages.
std::string errno_text(int error_number);

/// The SQLSTATE that belongs to an errno of a file operation (as errcode_for_file_access).
SqlState sqlstate_for_file_errno(int error_number);

}  // namespace cofork
