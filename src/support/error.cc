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
