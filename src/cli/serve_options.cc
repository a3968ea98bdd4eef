// See serve_options.h.
#include "cli/serve_options.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "support/version.h"

namespace cofork {

namespace {

constexpr const char* kOptionLetters = "B:bC:c:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:W:-:";

class ServeParser {
 public:
  ServeParser(const std::string& program, ServeOptions& options)
      : program_(program), options_(options) {}

  void parse(int argc, char** argv);

 private:
  void take(int letter, const char* argument);
  void set(std::string name, std::string value) {
    options_.settings.emplace_back(std::move(name), std::move(value));
  }
  /// "name=value" after -c or --.
  void take_named(const char* argument, std::string_view shown_as);
  void take_debug_level(const char* argument);
  void take_plan_switch(const char* argument);
  void take_statistics_switch(const char* argument);
  [[noreturn]] void usage_error(const std::string& text) const {
    throw OptionError{OptionError::Kind::kUsage, text};
  }
  std::string try_help() const {
    return fmt::format("Try \"{} --help\" for more information.\n", program_);
  }

  const std::string& program_;
  ServeOptions& options_;
};

void ServeParser::parse(int argc, char** argv) {
  if (argc > 1) {
    std::string_view first = argv[1];
    if (first == "--help" || first == "-?") {
      options_.action = ServeOptions::Action::kHelp;
      return;
    }
    if (first == "--version" || first == "-V") {
      options_.action = ServeOptions::Action::kVersion;
      return;
    }
    for (std::string_view refused : {"--single", "--boot", "--check", "--describe-config"}) {
      if (first == refused) {
        throw OptionError{OptionError::Kind::kRefused, fmt::format("{} is not supported", refused)};
      }
    }
  }
  opterr = 0;
  optind = 1;
  int letter;
  while ((letter = getopt(argc, argv, kOptionLetters)) != -1) take(letter, optarg);
  if (optind < argc) {
    usage_error(fmt::format("{}: invalid argument: \"{}\"\n", program_, argv[optind]) + try_help());
  }
}

void ServeParser::take(int letter, const char* argument) {
  switch (letter) {
    case 'B':
      return set("shared_buffers", argument);
    case 'b':
      throw OptionError{OptionError::Kind::kRefused, "binary upgrade mode (-b) is not supported"};
    case 'C':
      options_.action = ServeOptions::Action::kShowSetting;
      options_.shown_setting = argument;
      return;
    case 'c':
      return take_named(argument, fmt::format("-c {}", argument));
    case '-':
      return take_named(argument, fmt::format("--{}", argument));
    case 'D':
      options_.data_directory = argument;
      return;
    case 'd':
      return take_debug_level(argument);
    case 'E':
      return set("log_statement", "all");
    case 'e':
      return set("datestyle", "euro");
    case 'F':
      return set("fsync", "false");
    case 'f':
      return take_plan_switch(argument);
    case 'h':
      return set("listen_addresses", argument);
    case 'i':
      return set("listen_addresses", "*");
    case 'j':  // only standalone backends look at it
    case 'n':  // was once: keep shared memory after a crash
    case 'r':  // only standalone backends
      return;
    case 'k':
      return set("unix_socket_directories", argument);
    case 'l':
      return set("ssl", "true");
    case 'N':
      return set("max_connections", argument);
    case 'O':
      return set("allow_system_table_mods", "true");
    case 'P':
      return set("ignore_system_indexes", "true");
    case 'p':
      return set("port", argument);
    case 'S':
      return set("work_mem", argument);
    case 's':
      return set("log_statement_stats", "true");
    case 'T':
      options_.stop_on_crash = true;
      return;
    case 't':
      return take_statistics_switch(argument);
    case 'W':
      return set("post_auth_delay", argument);
    default:
      usage_error(try_help());
  }
}

void ServeParser::take_named(const char* argument, std::string_view shown_as) {
  const char* equals = std::strchr(argument, '=');
  if (equals == nullptr) {
    throw OptionError{OptionError::Kind::kSyntax, fmt::format("{} requires a value", shown_as)};
  }
  std::string name(argument, static_cast<size_t>(equals - argument));
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  if (name == "mode") name = "cofork.execution_mode";
  set(name, equals + 1);
}

void ServeParser::take_debug_level(const char* argument) {
  int level = std::atoi(argument);
  set("log_min_messages", level > 0 ? fmt::format("debug{}", level) : "notice");
  if (level >= 1) {
    set("log_connections", "true");
    set("log_disconnections", "true");
  }
  if (level >= 2) set("log_statement", "all");
  if (level >= 3) set("debug_print_parse", "true");
  if (level >= 4) set("debug_print_plan", "true");
  if (level >= 5) set("debug_print_rewritten", "true");
}

void ServeParser::take_plan_switch(const char* argument) {
  constexpr std::pair<char, const char*> kSwitches[] = {
      {'s', "enable_seqscan"},    {'i', "enable_indexscan"}, {'o', "enable_indexonlyscan"},
      {'b', "enable_bitmapscan"}, {'t', "enable_tidscan"},   {'n', "enable_nestloop"},
      {'m', "enable_mergejoin"},  {'h', "enable_hashjoin"},
  };
  for (const auto& [letter, name] : kSwitches) {
    if (argument[0] == letter && argument[1] == '\0') return set(name, "false");
  }
  usage_error(fmt::format("{}: invalid argument for option -f: \"{}\"\n", program_, argument));
}

void ServeParser::take_statistics_switch(const char* argument) {
  switch (argument[0]) {
    case 'p':
      if (argument[1] == 'a') return set("log_parser_stats", "true");
      if (argument[1] == 'l') return set("log_planner_stats", "true");
      break;
    case 'e':
      return set("log_executor_stats", "true");
    default:
      break;
  }
  usage_error(fmt::format("{}: invalid argument for option -t: \"{}\"\n", program_, argument));
}

}  // namespace

ServeOptions parse_serve_options(const std::string& program, int argc, char** argv) {
  ServeOptions options;
  ServeParser(program, options).parse(argc, argv);
  return options;
}

std::string serve_help(const std::string& program) {
  return fmt::format(
      R"({0} runs a cofork server: a PostgreSQL-shaped server whose children are
processes or coroutines, as you choose.

Usage:
  {0} [OPTION]...

Where and how:
  -D DATADIR         data directory (or the environment variable PGDATA)
  --mode=MODE        fork (a process per child; default) or coroutine (all in one process)
  -p PORT            port to listen on
  -h HOSTNAME        host name or address to listen on; "" for none
  -i                 listen on all addresses
  -k DIRECTORY       directory of the unix socket
  -N MAX-CONNECT     how many connections at most
  -B NBUFFERS        shared buffers
  -S WORK-MEM        memory for sorts, in kB
  -F                 do not wait for the disk (fsync off)
  -l                 enable encrypted connections
  -W SECONDS         wait after a client has authenticated, to attach a debugger

Any setting:
  -c NAME=VALUE      as a line of postgresql.conf
  --NAME=VALUE       the same
  -C NAME            print a setting's value and exit

Watching:
  -d 1-5             debugging messages
  -E                 log every statement
  -s, -t pa|pl|ex    log statistics of statements, or of one stage
  -T                 stop (SIGSTOP) the other children when one has crashed
  -f s|i|o|n|m|h     forbid a kind of plan
  -e, -n, -O, -P     as in PostgreSQL

  -V, --version      print the version and exit
  -?, --help         print this and exit

Examples:
  {0} -D /tmp/data -k /tmp -h '' --mode=coroutine
  {0} -D /tmp/data -p 5433 -c log_connections=on
)",
      program);
}

}  // namespace cofork
