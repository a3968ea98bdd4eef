// cofork: one program for everything. Which command it is to be says its first argument, or the
// name of the link it was called by: postgres, postmaster, initdb, pg_ctl.
#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "os/execute_again.h"
#include "os/process_title.h"
#include "support/version.h"

namespace {

struct Command {
  std::string_view name;
  int (*run)(int argc, char** argv);
  std::string_view summary;
};

constexpr Command kCommands[] = {
    {"init", cofork::init_command, "make a data directory (as initdb)"},
    {"serve", cofork::serve_command, "run a server on it (as postgres)"},
    {"ctl", cofork::ctl_command, "start, stop, reload and signal servers (as pg_ctl)"},
    {"ps", cofork::ps_command, "who runs a server: role, pid, state, cost"},
    {"shmem", cofork::shmem_command, "the map of a server's shared memory"},
    {"settings", cofork::settings_command, "what can be set, and what has an effect here"},
    {"page", cofork::page_command, "one page of a table's or an index's file"},
    {"tutorial", cofork::tutorial_command, "lessons on a server of your own"},
};

/// Links that take a PostgreSQL program's place.
constexpr Command kPrograms[] = {
    {"postgres", cofork::serve_command, ""},
    {"postmaster", cofork::serve_command, ""},
    {"initdb", cofork::init_command, ""},
    {"pg_ctl", cofork::ctl_command, ""},
};

void print_usage(std::FILE* out) {
  fmt::print(out,
             "cofork is a PostgreSQL-shaped server in two execution models: a process per child,\n"
             "or a coroutine per child in one process.\n\n"
             "Usage:\n  cofork COMMAND [OPTION]...\n\nCommands:\n");
  for (const Command& command : kCommands) {
    fmt::print(out, "  {:<10} {}\n", command.name, command.summary);
  }
  fmt::print(
      out,
      "\n  cofork COMMAND --help tells a command's options.\n\n"
      "Called as postgres, postmaster, initdb or pg_ctl it takes those programs' options.\n");
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

int main(int argc, char** argv) {
  cofork::execute_again_init(argc, argv);
  cofork::process_title_init(argc, argv);
  std::string_view called_as = argc > 0 ? base_name(argv[0]) : "cofork";
  std::string program(called_as);
  for (const Command& command : kPrograms) {
    if (called_as == command.name) {
      argv[0] = program.data();
      return command.run(argc, argv);
    }
  }
  if (argc < 2) {
    print_usage(stderr);
    return 2;
  }
  std::string_view wanted = argv[1];
  if (wanted == "--version" || wanted == "-V") {
    fmt::print("cofork {}\n", cofork::kToolVersion);
    return 0;
  }
  if (wanted == "--help" || wanted == "-?" || wanted == "help") {
    print_usage(stdout);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (wanted == command.name) {
      program = fmt::format("cofork {}", command.name);
      argv[1] = program.data();
      return command.run(argc - 1, argv + 1);
    }
  }
  fmt::print(stderr,
             "cofork: unknown command \"{}\"\nTry \"cofork --help\" for more information.\n",
             wanted);
  return 2;
}
