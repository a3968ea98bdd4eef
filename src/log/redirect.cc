// See redirect.h.
#include "log/redirect.h"

namespace cofork {

void redirect_log_to_pipe(Task& task, LogChannel& channel) {
  FileSystem& files = task.os().files;
  int write_fd = -1;
  if (int error = files.make_pipe(channel.read_fd, write_fd); error < 0) {
    throw Error(sqlstate_for_file_errno(-error), "could not create pipe for syslog: {}",
                errno_text(-error))
        .fatal();
  }
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = "redirecting log output to logging collector process";
  data.hint = fmt::format("Future log output will appear in directory \"{}\".",
                          settings().get(setting::kLogDirectory));
  report(data);
  // Standard error becomes the only write end: whoever keeps it open keeps the logger alive.
  files.replace_descriptor(write_fd, 2);
  files.close(write_fd);
  channel.redirected.store(true);
}

}  // namespace cofork
