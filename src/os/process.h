// This process and its neighbours, as far as start-up needs them: ids, the environment, whether
// another process is alive, the file creation mask. Single calls of libc, without state; errors as
// negated errno.
//
// Tasks signal each other through Model::kill, never through signal_process(): a virtual pid means
// nothing to the kernel.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace cofork {

pid_t own_process_id();
pid_t parent_process_id();
/// kill(2). `signo` 0 only asks whether the process exists (-ESRCH) and is ours (-EPERM).
int signal_process(pid_t pid, int signo);
/// The value of an environment variable, if it is set.
std::optional<std::string> environment_variable(const char* name);
/// umask(2); the previous mask.
mode_t set_file_creation_mask(mode_t mask);
/// Absolute path of the running program's file ("/usr/bin/cofork").
std::string executable_path();
/// The limit on open files as the kernel enforces it now (RLIMIT_NOFILE); -1 when unlimited.
int64_t open_files_limit();
/// The kernel's default size of a huge page in bytes (/proc/meminfo); 0: it has none.
size_t preferred_huge_page_bytes();

}  // namespace cofork
