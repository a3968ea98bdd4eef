// Turning standard error into the logger's pipe (SysLogger_Start in syslogger.c).
#pragma once

#include "log/log.h"

namespace cofork {

/// Makes the pipe, says on the old standard error where the log goes from now on, and puts the
/// pipe's write end in the place of standard error. Called once, by the postmaster with
/// logging_collector on, whose identity's channel must be `channel`. Throws FATAL
/// "could not create pipe for syslog: %m".
void redirect_log_to_pipe(Task& task, LogChannel& channel);

}  // namespace cofork
