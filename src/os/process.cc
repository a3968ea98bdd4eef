// See process.h.
#include "os/process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fstream>

namespace cofork {

pid_t own_process_id() {
  return ::getpid();
}

pid_t parent_process_id() {
  return ::getppid();
}

int signal_process(pid_t pid, int signo) {
  return ::kill(pid, signo) == 0 ? 0 : -errno;
}

std::optional<std::string> environment_variable(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

mode_t set_file_creation_mask(mode_t mask) {
  return ::umask(mask);
}

std::string executable_path() {
  char path[PATH_MAX];
  ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

int64_t open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return -1;
  return static_cast<int64_t>(limit.rlim_cur);
}

size_t preferred_huge_page_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    constexpr std::string_view kLabel = "Hugepagesize:";
    if (line.starts_with(kLabel))
      return std::strtoull(line.c_str() + kLabel.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace cofork
