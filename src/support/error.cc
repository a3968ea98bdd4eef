// See error.h.
#include "support/error.h"

#include <cerrno>
#include <cstring>

namespace cofork {

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::kDebug5:
    case Severity::kDebug4:
    case Severity::kDebug3:
    case Severity::kDebug2:
    case Severity::kDebug1:
      return "DEBUG";
    case Severity::kLog:
      return "LOG";
    case Severity::kInfo:
      return "INFO";
    case Severity::kNotice:
      return "NOTICE";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kError:
      return "ERROR";
    case Severity::kFatal:
      return "FATAL";
    case Severity::kPanic:
      return "PANIC";
  }
  return "???";
}

Error::Error(fmt::format_args args, fmt::string_view format, const RaisedHere& here) {
  data_.sqlstate = here.sqlstate;
  data_.file = here.file;
  data_.line = here.line;
  data_.function = here.function;
  data_.message = fmt::vformat(format, args);
}

Error::Error(ErrorData data) : data_(std::move(data)) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error::~Error() = default;

void Error::set(std::string ErrorData::*field, fmt::string_view format, fmt::format_args args) {
  data_.*field = fmt::vformat(format, args);
}

std::string errno_text(int error_number) {
  // strerrordesc_np returns constant strings in the C locale: no buffer, no thread state.
  if (const char* text = strerrordesc_np(error_number)) return text;
  return fmt::format("operating system error {}", error_number);
}

SqlState sqlstate_for_file_errno(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES:
    case EROFS:
      return sqlstate::kInsufficientPrivilege;
    case ENOENT:
      return sqlstate::kUndefinedFile;
    case EEXIST:
      return sqlstate::kDuplicateFile;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
      return sqlstate::kWrongObjectType;
    case ENOSPC:
      return sqlstate::kDiskFull;
    case ENOMEM:
      return sqlstate::kOutOfMemory;
    case ENFILE:
    case EMFILE:
      return sqlstate::kInsufficientResources;
    case EIO:
      return sqlstate::kIoError;
    default:
      return sqlstate::kInternalError;
  }
}

}  // namespace cofork
