// Starting other programs, as the command line tools do.
//
// Only src/cli and src/tutorial use this. A server's own children are born through Model::spawn().
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace cofork {

void set_environment_variable(const char* name, const std::string& value);

/// Starts `/bin/sh -c command` in a session of its own; its pid, or -errno. When the command says
/// `exec`, that pid is the started program's.
pid_t start_detached_shell(const std::string& command);
/// Runs `/bin/sh -c command` without input, its output and complaints going to the file `output`.
/// The exit status (128 + signal when killed), or -errno; -ETIMEDOUT when it took longer than
/// `deadline_ms`: it is killed then, with all it started and did not put into the background of a
/// session of its own.
int run_shell(const std::string& command, const std::string& output, int deadline_ms);
/// Replaces this process by a program; returns -errno only when that failed.
int replace_process(const std::string& program, const std::vector<std::string>& arguments);
/// True once our child has ended; it is reaped then.
bool child_has_ended(pid_t child);

/// Raises the soft limit on core files to the hard one; false when that is 0.
bool allow_core_files();
void pause_ms(int duration_ms);
/// True when a person looks at (or types into) this descriptor.
bool is_terminal(int fd);

}  // namespace cofork
