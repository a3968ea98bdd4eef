// The command line of pg_ctl: what is asked for, as plain data. Parsing only, nothing is done here.
#pragma once

#include <optional>
#include <string>

namespace cofork {

struct CtlOptions {
  enum class Operation {
    kHelp,
    kVersion,
    kInit,
    kStart,
    kStop,
    kRestart,
    kReload,
    kStatus,
    kPromote,
    kLogRotate,
    kKill
  };
  enum class Shutdown { kSmart, kFast, kImmediate };

  std::optional<Operation> operation;
  Shutdown shutdown = Shutdown::kFast;
  std::string data_directory;                 ///< of -D or PGDATA, canonical
  std::string data_option;                    ///< `-D "dir" ` for the server, when -D was given
  std::optional<std::string> server_options;  ///< every -o, joined
  std::string server_program;                 ///< -p, quoted for the shell; "" = our own
  std::string log_file;
  bool silent = false;
  bool wait = true;
  bool core_files = false;
  int wait_seconds = 60;
  int signal = 0;  ///< kill only
  long kill_pid = 0;
};

/// Ends a command with this exit code; everything has been said.
struct CommandExit {
  int code;
};

/// Reads the command line, PGDATA and PGCTLTIMEOUT. With -D it also sets PGDATA, which the server
/// inherits. Throws CommandExit{1} after a complaint on standard error. `program` is the name used
/// in it.
CtlOptions parse_ctl_options(const std::string& program, int argc, char** argv);
std::string ctl_help(const std::string& program);

}  // namespace cofork
