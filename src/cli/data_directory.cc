// Reading a data directory from outside; see data_directory.h.
#include "cli/data_directory.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "os/os.h"
#include "os/process.h"

namespace cofork {

std::string canonical_path(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::optional<std::string> read_small_file(const std::string& path) {
  FileSystem& files = real_operating_system().files;
  const int fd = files.open(path, O_RDONLY);
  if (fd < 0) return std::nullopt;
  std::string text;
  char chunk[4096];
  ssize_t got;
  while ((got = files.pread(fd, chunk, sizeof chunk, static_cast<off_t>(text.size()))) > 0) {
    text.append(chunk, static_cast<size_t>(got));
  }
  files.close(fd);
  if (got < 0) return std::nullopt;
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::optional<PidFile> read_pid_file(const std::string& data_directory) {
  const auto text = read_small_file(data_directory + "/postmaster.pid");
  if (!text) return std::nullopt;
  auto lines = lines_of(*text);
  lines.resize(8);
  PidFile result;
  result.pid = std::strtol(lines[0].c_str(), nullptr, 10);
  if (result.pid == 0) return std::nullopt;
  result.data_directory = lines[1];
  result.start_time_s = std::strtoll(lines[2].c_str(), nullptr, 10);
  result.port = static_cast<int>(std::strtol(lines[3].c_str(), nullptr, 10));
  result.socket_directory = lines[4];
  result.listen_address = lines[5];
  result.status = lines[7];
  return result;
}

bool process_exists(pid_t pid) {
  const int result = signal_process(pid, 0);
  return result == 0 || result == -EPERM;
}

std::optional<PidFile> find_running_server(const std::string& program, std::string directory) {
  if (directory.empty()) directory = environment_variable("PGDATA").value_or("");
  if (directory.empty()) {
    fmt::print(stderr, "{}: no data directory: give one with -D, or set PGDATA\n", program);
    return std::nullopt;
  }
  directory = canonical_path(directory);
  if (!read_small_file(directory + "/PG_VERSION")) {
    fmt::print(stderr, "{}: directory \"{}\" is not a database cluster directory\n", program,
               directory);
    return std::nullopt;
  }
  auto pid_file = read_pid_file(directory);
  if (!pid_file || !process_exists(static_cast<pid_t>(std::abs(pid_file->pid)))) {
    fmt::print(stderr, "{}: no server is running in \"{}\"\n", program, directory);
    return std::nullopt;
  }
  pid_file->data_directory = directory;
  return pid_file;
}

}  // namespace cofork
