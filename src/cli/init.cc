// cofork init, initdb: makes a data directory. Options, texts and exit codes are those of
// PostgreSQL 15's initdb (src/bin/initdb/initdb.c); the work itself is recovery/init_cluster.h.
//
// What is not there yet is refused: passwords (there is only trust and reject), ICU.
#include <fmt/core.h>
#include <getopt.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/ctl_options.h"
#include "cli/data_directory.h"
#include "cli/postgresql_conf.h"
#include "os/os.h"
#include "os/process.h"
#include "os/user.h"
#include "postmaster/bootstrap.h"
#include "recovery/init_cluster.h"
#include "support/error.h"
#include "support/version.h"

namespace cofork {
namespace {

constexpr const char* kInitHelp = R"({0} makes a data directory for a cofork server.

Usage:
  {0} [OPTION]... [DATADIR]

Options:
  -D, --pgdata=DATADIR        where (default: PGDATA)
  -A, --auth=METHOD           how clients prove who they are: trust or reject
      --auth-host=METHOD      the same for TCP connections only
      --auth-local=METHOD     the same for Unix-socket connections only
  -E, --encoding=ENCODING     UTF8 or SQL_ASCII
      --locale=LOCALE         C, POSIX or C.UTF-8 (default: from the environment)
      --no-locale             the same as --locale=C
  -U, --username=NAME         name of the superuser (default: yours)
  -k, --data-checksums        checksums on data pages (cofork init: the default)
      --no-data-checksums     none
  -g, --allow-group-access    let the directory's group read it
  -X, --waldir=WALDIR         keep the write-ahead log there
      --wal-segsize=SIZE      size of its files in megabytes
  -N, --no-sync               do not wait for the disk
  -S, --sync-only             only bring an existing directory to the disk
  -n, --no-clean              leave what is there after an error
      --no-instructions       do not say how to go on
  -V, --version               show the version and exit
  -?, --help                  show this and exit

--lc-collate, --lc-ctype, --lc-messages, --lc-monetary, --lc-numeric, --lc-time, -T and -d are taken
as initdb takes them.

Examples:
  {0} -D ~/data -U postgres
  {0} -D ~/data -A trust -E UTF8 --locale=C -k
)";

/// Long options without a letter of their own.
enum LongOption {
  kAuthLocal = 256,
  kAuthHost,
  kLocale,
  kNoLocale,
  kLcCollate,
  kLcCtype,
  kLcOther,
  kIcuLocale,
  kLocaleProvider,
  kPasswordFile,
  kNoDataChecksums,
  kWalSegmentSize,
  kNoInstructions,
  kDiscardCaches
};

class Init {
 public:
  explicit Init(std::string program) : program_(std::move(program)) {}
  int run(int argc, char** argv);

 private:
  void parse(int argc, char** argv);
  void take_option(int option);
  void choose();
  void announce() const;
  void make();
  void tell_how_to_go_on() const;
  void explain(const ErrorData& error) const;

  std::string program_;
  InitOptions options_;
  std::string local_method_, host_method_, encoding_, locale_, segment_size_;
  std::string text_search_ = "english";
  bool trust_by_default_ = false;
  bool sync_only_ = false;
  bool clean_ = true;
  bool instructions_ = true;
};

/// As initdb prints: the message, then detail and hint on lines of their own.
void Init::explain(const ErrorData& error) const {
  std::fflush(stdout);
  fmt::print(stderr, "{}: error: {}\n", program_, error.message);
  if (!error.detail.empty()) fmt::print(stderr, "{}: detail: {}\n", program_, error.detail);
  if (!error.hint.empty()) fmt::print(stderr, "{}: hint: {}\n", program_, error.hint);
}

[[noreturn]] void refuse(std::string message, std::string hint = "") {
  ErrorData data;
  data.message = std::move(message);
  data.hint = std::move(hint);
  throw Error(std::move(data));
}

// --- options

void Init::take_option(int option) {
  switch (option) {
    case 'A':
      local_method_ = host_method_ = optarg;
      break;
    case kAuthLocal:
      local_method_ = optarg;
      break;
    case kAuthHost:
      host_method_ = optarg;
      break;
    case 'D':
      options_.directory = optarg;
      break;
    case 'E':
      encoding_ = optarg;
      break;
    case kLocale:
    case kLcCollate:
    case kLcCtype:
      locale_ = optarg;
      break;
    case kNoLocale:
      locale_ = "C";
      break;
    case kLcOther:
      choose_locale(optarg, "", "");
      break;  // only whether it is there
    case kIcuLocale:
      refuse("ICU is not supported in this build");
    case kLocaleProvider:
      if (std::string_view(optarg) != "libc") refuse("ICU is not supported in this build");
      break;
    case 'W':
    case kPasswordFile:
      refuse("passwords are not supported by this server yet", "Use \"trust\" or \"reject\".");
    case 'U':
      options_.superuser = optarg;
      break;
    case 'k':
      options_.data_checksums = true;
      break;
    case kNoDataChecksums:
      options_.data_checksums = false;
      break;
    case 'g':
      options_.group_access = true;
      break;
    case 'X':
      options_.wal_directory = optarg;
      break;
    case kWalSegmentSize:
      segment_size_ = optarg;
      break;
    case 'N':
      options_.sync = false;
      break;
    case 'S':
      sync_only_ = true;
      break;
    case 'n':
      clean_ = false;
      break;
    case kNoInstructions:
      instructions_ = false;
      break;
    case 'T':
      text_search_ = optarg;
      break;
    case 'd':
    case 'L':
    case kDiscardCaches:
      break;  // of initdb's inner life, which this program does not have
    default:  // getopt has said what it did not like
      fmt::print(stderr, "{0}: hint: Try \"{0} --help\" for more information.\n", program_);
      throw CommandExit{1};
  }
}

void Init::parse(int argc, char** argv) {
  constexpr ::option kLong[] = {{"pgdata", required_argument, nullptr, 'D'},
                                {"encoding", required_argument, nullptr, 'E'},
                                {"locale", required_argument, nullptr, kLocale},
                                {"lc-collate", required_argument, nullptr, kLcCollate},
                                {"lc-ctype", required_argument, nullptr, kLcCtype},
                                {"lc-monetary", required_argument, nullptr, kLcOther},
                                {"lc-numeric", required_argument, nullptr, kLcOther},
                                {"lc-time", required_argument, nullptr, kLcOther},
                                {"lc-messages", required_argument, nullptr, kLcOther},
                                {"no-locale", no_argument, nullptr, kNoLocale},
                                {"text-search-config", required_argument, nullptr, 'T'},
                                {"auth", required_argument, nullptr, 'A'},
                                {"auth-local", required_argument, nullptr, kAuthLocal},
                                {"auth-host", required_argument, nullptr, kAuthHost},
                                {"pwprompt", no_argument, nullptr, 'W'},
                                {"pwfile", required_argument, nullptr, kPasswordFile},
                                {"username", required_argument, nullptr, 'U'},
                                {"debug", no_argument, nullptr, 'd'},
                                {"no-clean", no_argument, nullptr, 'n'},
                                {"no-sync", no_argument, nullptr, 'N'},
                                {"no-instructions", no_argument, nullptr, kNoInstructions},
                                {"sync-only", no_argument, nullptr, 'S'},
                                {"waldir", required_argument, nullptr, 'X'},
                                {"wal-segsize", required_argument, nullptr, kWalSegmentSize},
                                {"data-checksums", no_argument, nullptr, 'k'},
                                {"no-data-checksums", no_argument, nullptr, kNoDataChecksums},
                                {"allow-group-access", no_argument, nullptr, 'g'},
                                {"discard-caches", no_argument, nullptr, kDiscardCaches},
                                {"locale-provider", required_argument, nullptr, kLocaleProvider},
                                {"icu-locale", required_argument, nullptr, kIcuLocale},
                                {nullptr, 0, nullptr, 0}};
  optind = 1;
  int option;
  while ((option = getopt_long(argc, argv, "A:dD:E:gkL:nNST:U:WX:", kLong, nullptr)) != -1) {
    take_option(option);
  }
  if (optind < argc && options_.directory.empty()) options_.directory = argv[optind++];
  if (optind < argc) {
    refuse(fmt::format("too many command-line arguments (first is \"{}\")", argv[optind]),
           fmt::format("Try \"{} --help\" for more information.", program_));
  }
}

/// Fills in what was not said, and refuses what cannot be.
void Init::choose() {
  trust_by_default_ = local_method_.empty() || host_method_.empty();
  if (!local_method_.empty()) options_.local_method = local_method_;
  if (!host_method_.empty()) options_.host_method = host_method_;
  check_authentication_method(options_.local_method, "local");
  check_authentication_method(options_.host_method, "host");
  if (!segment_size_.empty()) {
    char* end = nullptr;
    const long megabytes = std::strtol(segment_size_.c_str(), &end, 10);
    if (*end != '\0') refuse("argument of --wal-segsize must be a number");
    if (megabytes < 1 || megabytes > 1024 || (megabytes & (megabytes - 1)) != 0) {
      refuse("argument of --wal-segsize must be a power of 2 between 1 and 1024");
    }
    options_.wal_segment_bytes = static_cast<uint32_t>(megabytes) << 20;
  }
  if (options_.directory.empty()) {
    options_.directory = environment_variable("PGDATA").value_or("");
  }
  if (options_.directory.empty()) {
    refuse("no data directory specified",
           "You must identify the directory where the data for this database system will reside.  "
           "Do this with either the invocation option -D or the environment variable PGDATA.");
  }
  options_.directory = canonical_path(options_.directory);
  if (effective_user_id() == 0) {
    refuse("cannot be run as root",
           "Please log in (using, e.g., \"su\") as the (unprivileged) user that will own the "
           "server process.");
  }
  const std::string user = user_name_of(effective_user_id());
  if (options_.superuser.empty()) options_.superuser = user;
  if (options_.superuser.starts_with("pg_")) {
    refuse(fmt::format("superuser name \"{}\" is disallowed; role names cannot begin with \"pg_\"",
                       options_.superuser));
  }
  std::string environment;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (environment.empty()) environment = environment_variable(name).value_or("");
  }
  options_.locale = choose_locale(locale_, encoding_, environment);
}

// --- what it says and does

void Init::announce() const {
  fmt::print(
      "The files belonging to this database system will be owned by user \"{}\".\n"
      "This user must also own the server process.\n\n",
      user_name_of(effective_user_id()));
  if (!options_.locale.notice.empty()) fmt::print("{}\n", options_.locale.notice);
  fmt::print("The database cluster will be initialized with locale \"{}\".\n",
             options_.locale.collate);
  if (encoding_.empty()) {
    fmt::print("The default database encoding has accordingly been set to \"{}\".\n",
               options_.locale.encoding == 0 ? "SQL_ASCII" : "UTF8");
  }
  fmt::print("The default text search configuration will be set to \"{}\".\n\n", text_search_);
  fmt::print("Data page checksums are {}.\n\n", options_.data_checksums ? "enabled" : "disabled");
}

void Init::make() {
  const std::string zone = system_time_zone();
  options_.postgresql_conf = initial_postgresql_conf(
      {.locale = options_.locale.collate, .time_zone = zone, .text_search = text_search_});
  const auto step = [](std::string_view what, std::string_view result) {
    fmt::print("{} ... {}\n", what, result);
  };
  InitProgress progress;
  progress.begin = [&](std::string_view what) {
    if (what == "creating configuration files") {
      step("selecting dynamic shared memory implementation", "posix");
      step("selecting default max_connections", "100");
      step("selecting default shared_buffers", "128MB");
      step("selecting default time zone", zone);
    }
    fmt::print("{} ... ", what);
    std::fflush(stdout);
  };
  progress.end = [](std::string_view result) { fmt::print("{}\n", result); };

  options_.make_catalogs = [](const InitOptions& options, mode_t file_mode) {
    bootstrap_cluster(options.directory,
                      {.superuser = options.superuser,
                       .encoding = options.locale.encoding,
                       .collate = options.locale.collate,
                       .ctype = options.locale.ctype},
                      file_mode);
  };
  ClusterInit init(options_, progress);
  std::optional<ErrorData> failed;
  try {
    init.run();
  } catch (const Error& error) {
    failed = error.data();
  }
  if (!failed) return;
  explain(*failed);
  if (clean_) {
    for (const std::string& line : init.clean_up()) fmt::print(stderr, "{}: {}\n", program_, line);
  }
  throw CommandExit{1};
}

void Init::tell_how_to_go_on() const {
  if (!options_.sync) {
    fmt::print(
        "\nSync to disk skipped.\n"
        "The data directory might become corrupt if the operating system crashes.\n");
  }
  std::fflush(stdout);
  if (trust_by_default_) {
    fmt::print(stderr,
               "\n{0}: warning: enabling \"trust\" authentication for local connections\n"
               "{0}: hint: You can change this by editing pg_hba.conf or using the option -A, or "
               "--auth-local and --auth-host, the next time you run initdb.\n",
               program_);
  }
  if (!instructions_) return;
  const std::string self = executable_path();
  const std::string beside = self.substr(0, self.rfind('/')) + "/pg_ctl";
  struct stat st {};
  const bool has_link = real_operating_system().files.stat(beside, st) == 0;
  fmt::print(
      "\nSuccess. You can now start the database server using:\n\n"
      "    {} -D {} -l logfile start\n\n",
      has_link ? beside : self + " ctl", options_.directory);
}

int Init::run(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-?" || first == "-h") {
    fmt::print(fmt::runtime(kInitHelp), program_);
    return 0;
  }
  if (first == "--version" || first == "-V") {
    fmt::print("initdb (PostgreSQL) {}\n", kVersionText);
    return 0;
  }
  // initdb keeps to PostgreSQL 15's default; as of 18 it is the other one.
  options_.data_checksums = program_ != "initdb";
  std::optional<ErrorData> failed;
  try {
    parse(argc, argv);
    if (sync_only_) {
      if (options_.directory.empty()) {
        options_.directory = environment_variable("PGDATA").value_or("");
      }
      fmt::print("syncing data to disk ... ");
      std::fflush(stdout);
      sync_data_directory(canonical_path(options_.directory));
      fmt::print("ok\n");
      return 0;
    }
    choose();
    announce();
    make();
    tell_how_to_go_on();
    return 0;
  } catch (const Error& error) {
    failed = error.data();
  } catch (const CommandExit& exit) {
    return exit.code;
  }
  explain(*failed);
  return 1;
}

}  // namespace

int init_command(int argc, char** argv) {
  const std::string_view called = argv[0];
  return Init(std::string(called.substr(called.rfind('/') + 1))).run(argc, argv);
}

}  // namespace cofork
