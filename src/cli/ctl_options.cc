// The options of pg_ctl; see ctl_options.h. getopt_long() words the complaints about unknown
// options, as it does for PostgreSQL's own.
#include "cli/ctl_options.h"

#include <fmt/core.h>
#include <getopt.h>

#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli/data_directory.h"
#include "os/launch.h"
#include "os/process.h"

namespace cofork {
namespace {

using Operation = CtlOptions::Operation;
using Shutdown = CtlOptions::Shutdown;

constexpr const char* kCtlHelp = R"({0} starts, stops and signals a cofork server.

Usage:
  {0} init[db]   [-D DATADIR] [-s] [-o OPTIONS]
  {0} start      [-D DATADIR] [-l FILENAME] [-W] [-t SECS] [-s] [-o OPTIONS] [-p PATH] [-c]
  {0} stop       [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s]
  {0} restart    [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s] [-o OPTIONS] [-c]
  {0} reload     [-D DATADIR] [-s]
  {0} status     [-D DATADIR]
  {0} promote    [-D DATADIR] [-W] [-t SECS] [-s]
  {0} logrotate  [-D DATADIR] [-s]
  {0} kill       SIGNALNAME PID

Options:
  -D, --pgdata=DATADIR   the server's data directory (default: PGDATA)
  -s, --silent           print errors only
  -t, --timeout=SECS     how long to wait (default: PGCTLTIMEOUT, or 60)
  -w, --wait             wait until it is done (default)
  -W, --no-wait          do not wait
  -V, --version          show the version and exit
  -?, --help             show this and exit
  -l, --log=FILENAME     append the server's output to this file
  -o, --options=OPTIONS  options for the server (or for init), e.g. -o '--mode=coroutine -p 5433'
  -p PATH                the server program
  -c, --core-files       let the server leave core files
  -m, --mode=MODE        how to shut down: smart, fast (default) or immediate

  smart      waits until all clients have gone
  fast       disconnects the clients
  immediate  stops without a checkpoint; the next start recovers

Signals for kill: ABRT CONT HUP INT KILL QUIT SEGV STOP TERM USR1 USR2.
In coroutine mode PID may be a task's pid as pg_stat_activity shows it; -D then says which server.

Examples:
  {0} start -D ~/data -l ~/data/log -o '--mode=coroutine'
  {0} stop -D ~/data -m immediate
)";

int signal_by_name(std::string_view name) {
  constexpr std::pair<std::string_view, int> kSignals[] = {
      {"HUP", SIGHUP},
      {"INT", SIGINT},
      {"QUIT", SIGQUIT},
      {"ABRT", SIGABRT},
      {"KILL", SIGKILL},
      {"TERM", SIGTERM},
      {"USR1", SIGUSR1},
      {"USR2", SIGUSR2},
      // Not pg_ctl's, but a shell's `kill` has them, and a coroutine can be reached only from here.
      {"SEGV", SIGSEGV},
      {"STOP", SIGSTOP},
      {"CONT", SIGCONT}};
  for (const auto& [known, signo] : kSignals) {
    if (name == known) return signo;
  }
  return 0;
}

class CtlParser {
 public:
  explicit CtlParser(const std::string& program) : program_(program) {}
  CtlOptions parse(int argc, char** argv);

 private:
  void take_option(int option);
  void take_operation(int argc, char** argv);
  [[noreturn]] void usage_error(const std::string& message) const;

  const std::string& program_;
  CtlOptions options_;
};

void CtlParser::usage_error(const std::string& message) const {
  fmt::print(stderr, "{0}: {1}\nTry \"{0} --help\" for more information.\n", program_, message);
  throw CommandExit{1};
}

void CtlParser::take_option(int option) {
  switch (option) {
    case 'D':
      options_.data_directory = canonical_path(optarg);
      set_environment_variable("PGDATA", options_.data_directory);
      options_.data_option = fmt::format("-D \"{}\" ", options_.data_directory);
      break;
    case 'l':
      options_.log_file = optarg;
      break;
    case 'm': {
      const std::string_view mode = optarg;
      if (mode == "s" || mode == "smart") {
        options_.shutdown = Shutdown::kSmart;
      } else if (mode == "f" || mode == "fast") {
        options_.shutdown = Shutdown::kFast;
      } else if (mode == "i" || mode == "immediate") {
        options_.shutdown = Shutdown::kImmediate;
      } else {
        usage_error(fmt::format("unrecognized shutdown mode \"{}\"", mode));
      }
      break;
    }
    case 'o':
      options_.server_options =
          options_.server_options ? *options_.server_options + " " + optarg : optarg;
      break;
    case 'p':
      options_.server_program = fmt::format("\"{}\"", optarg);
      break;
    case 's':
      options_.silent = true;
      break;
    case 't':
      options_.wait_seconds = std::atoi(optarg);
      break;
    case 'w':
      options_.wait = true;
      break;
    case 'W':
      options_.wait = false;
      break;
    case 'c':
      options_.core_files = true;
      break;
    default:  // getopt has said what it did not like
      fmt::print(stderr, "Try \"{} --help\" for more information.\n", program_);
      throw CommandExit{1};
  }
}

void CtlParser::take_operation(int argc, char** argv) {
  constexpr std::pair<std::string_view, Operation> kOperations[] = {
      {"init", Operation::kInit},          {"initdb", Operation::kInit},
      {"start", Operation::kStart},        {"stop", Operation::kStop},
      {"restart", Operation::kRestart},    {"reload", Operation::kReload},
      {"status", Operation::kStatus},      {"promote", Operation::kPromote},
      {"logrotate", Operation::kLogRotate}};
  const std::string_view word = argv[optind];
  if (options_.operation) {
    usage_error(fmt::format("too many command-line arguments (first is \"{}\")", word));
  }
  for (const auto& [known, operation] : kOperations) {
    if (word == known) options_.operation = operation;
  }
  if (word == "kill") {
    if (argc - optind < 3) usage_error("missing arguments for kill mode");
    options_.operation = Operation::kKill;
    options_.signal = signal_by_name(argv[++optind]);
    if (options_.signal == 0)
      usage_error(fmt::format("unrecognized signal name \"{}\"", argv[optind]));
    options_.kill_pid = std::atol(argv[++optind]);
  }
  if (!options_.operation) {
    usage_error(fmt::format("unrecognized operation mode \"{}\"", word));
  }
  ++optind;
}

CtlOptions CtlParser::parse(int argc, char** argv) {
  constexpr option kLong[] = {
      {"log", required_argument, nullptr, 'l'},    {"mode", required_argument, nullptr, 'm'},
      {"pgdata", required_argument, nullptr, 'D'}, {"options", required_argument, nullptr, 'o'},
      {"silent", no_argument, nullptr, 's'},       {"timeout", required_argument, nullptr, 't'},
      {"core-files", no_argument, nullptr, 'c'},   {"wait", no_argument, nullptr, 'w'},
      {"no-wait", no_argument, nullptr, 'W'},      {nullptr, 0, nullptr, 0}};
  if (const auto timeout = environment_variable("PGCTLTIMEOUT")) {
    const int seconds = std::atoi(timeout->c_str());
    if (seconds > 0) options_.wait_seconds = seconds;
  }
  optind = 1;
  while (optind < argc) {
    int option;
    while ((option = getopt_long(argc, argv, "cD:l:m:o:p:st:wW", kLong, nullptr)) != -1) {
      take_option(option);
    }
    if (optind < argc) take_operation(argc, argv);
  }
  if (!options_.operation) usage_error("no operation specified");
  if (options_.data_directory.empty()) {
    const auto directory = environment_variable("PGDATA");
    if (directory && !directory->empty()) options_.data_directory = canonical_path(*directory);
  }
  if (options_.data_directory.empty() && options_.operation != Operation::kKill &&
      options_.operation != Operation::kInit) {
    usage_error("no database directory specified and environment variable PGDATA unset");
  }
  return options_;
}

}  // namespace

CtlOptions parse_ctl_options(const std::string& program, int argc, char** argv) {
  CtlOptions special;
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-?" || first == "-h") {
    special.operation = Operation::kHelp;
    return special;
  }
  if (first == "-V" || first == "--version") {
    special.operation = Operation::kVersion;
    return special;
  }
  return CtlParser(program).parse(argc, argv);
}

std::string ctl_help(const std::string& program) {
  return fmt::format(fmt::runtime(kCtlHelp), program);
}

}  // namespace cofork
