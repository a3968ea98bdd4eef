// The logger: the one task that writes log files (syslogger.c of PostgreSQL 15).
//
// With logging_collector on, everybody's standard error is one end of a pipe; the logger reads the
// other end, puts the chunks of each message together (log/chunk.h) and appends them to the current
// file of their destination. It starts new files by age, by size, when told (SIGUSR1) and when a
// reload changes directory or name; `current_logfiles` names the files in use.
//
// The postmaster calls redirect_log_to_pipe() (log/redirect.h) before it spawns the first logger.
// A logger that dies is spawned again and finds in the pipe what was written meanwhile. It ignores
// SIGINT, SIGTERM and SIGQUIT, and ends when the last writer has gone: after the postmaster.
#pragma once

#include "model/task.h"

namespace cofork {

/// The whole life of the logger; the pipe is that of the parent's LogIdentity::channel.
void logger_main(Task& task);

}  // namespace cofork
