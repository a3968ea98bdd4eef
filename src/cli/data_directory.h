// What the tools learn about a server from outside, by reading its data directory.
//
// Reading only; nothing here needs the server's help, so it also works on a stopped or dead one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace cofork {

/// The path as PostgreSQL's tools show it: no doubled or trailing slash, no "." in the middle.
std::string canonical_path(const std::string& path);

/// A small file whole; nothing when it cannot be opened or read.
std::optional<std::string> read_small_file(const std::string& path);
std::vector<std::string> lines_of(const std::string& text);

/// postmaster.pid. A server writes it line by line as it starts, so any of the later lines may be
/// missing still (miscadmin.h, LOCK_FILE_LINE_…).
struct PidFile {
  long pid = 0;  ///< negative: a single-user server
  std::string data_directory;
  int64_t start_time_s = 0;  ///< Unix epoch
  int port = 0;
  std::string socket_directory;
  std::string listen_address;
  std::string status;  ///< "starting", "ready   ", "standby ", "stopping"; "" before the first
};
/// Nothing when the file is missing or its first line is no number.
std::optional<PidFile> read_pid_file(const std::string& data_directory);

/// True when a process of that id exists, whoever owns it.
bool process_exists(pid_t pid);

/// The running server's pid for a command that needs one: looks at `directory` (or PGDATA when it
/// is empty). On failure says why on standard error, after "PROGRAM: ", and gives nothing.
std::optional<PidFile> find_running_server(const std::string& program, std::string directory);

}  // namespace cofork
