// cofork ctl, pg_ctl: starts, stops and signals a server. It holds no connection; all it knows
// comes from postmaster.pid and pg_control, all it does is start a shell and send signals.
//
// Options, texts and exit codes are those of PostgreSQL 15's pg_ctl (src/bin/pg_ctl/pg_ctl.c). One
// thing is added: `kill` also takes the virtual pid of a task of a coroutine-mode server.
#include <fcntl.h>
#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/ctl_options.h"
#include "cli/data_directory.h"
#include "os/launch.h"
#include "os/os.h"
#include "os/process.h"
#include "os/user.h"
#include "postmaster/control.h"
#include "support/error.h"
#include "support/version.h"

namespace cofork {
namespace {

constexpr int kWaitsPerSecond = 10;
constexpr int kPauseMs = 1000 / kWaitsPerSecond;
constexpr int kKillTimeoutMs = 10000;
constexpr uint32_t kStateInArchiveRecovery = 5;  // DBState, pg_control.h
constexpr uint32_t kStateInProduction = 6;

using Operation = CtlOptions::Operation;
using Shutdown = CtlOptions::Shutdown;

class Ctl {
 public:
  explicit Ctl(std::string program) : program_(std::move(program)) {}
  int run(int argc, char** argv);

 private:
  void say(std::string_view text) const;
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) const {
    std::fflush(stdout);
    fmt::print(stderr, "{}: {}", program_, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    complain(format, std::forward<Args>(args)...);
    throw CommandExit{1};
  }

  void init();
  void start();
  void stop();
  void restart();
  void reload();
  void status();
  void promote();
  void log_rotate();
  void kill();

  long pid_of_server(bool is_status) const;
  long pid_or_fail(std::string_view single_user_complaint) const;
  bool is_alive(long pid) const;
  uint32_t control_state() const;
  void signal_with_file(const char* name, const char* purpose, long pid);
  void send_stop_signal(long pid);
  void read_old_options();
  void await_stop();
  bool wait_for_stop() const;
  enum class Start { kReady, kStillStarting, kFailed };
  Start wait_for_start(pid_t child, int64_t begin_s) const;
  bool wait_for_promotion() const;
  void dot(int turn) const {
    if (turn % kWaitsPerSecond == 0) say(".");
  }
  std::string server_command() const;

  std::string program_;
  FileSystem& files_ = real_operating_system().files;
  CtlOptions options_;
};

void Ctl::say(std::string_view text) const {
  if (options_.silent) return;
  fmt::print("{}", text);
  std::fflush(stdout);
}

// --- what the files say

/// The pid in postmaster.pid: 0 when there is none, negative for a single-user server (get_pgpid).
long Ctl::pid_of_server(bool is_status) const {
  const int failure = is_status ? 4 : 1;
  struct stat st {};
  int error = files_.stat(options_.data_directory, st);
  if (error != 0) {
    if (error == -ENOENT) {
      complain("directory \"{}\" does not exist\n", options_.data_directory);
    } else {
      complain("could not access directory \"{}\": {}\n", options_.data_directory,
               errno_text(-error));
    }
    throw CommandExit{failure};
  }
  if (files_.stat(options_.data_directory + "/PG_VERSION", st) == -ENOENT) {
    complain("directory \"{}\" is not a database cluster directory\n", options_.data_directory);
    throw CommandExit{failure};
  }
  const std::string path = options_.data_directory + "/postmaster.pid";
  error = files_.stat(path, st);
  if (error == -ENOENT) return 0;
  const auto text = error == 0 ? read_small_file(path) : std::nullopt;
  if (!text)
    fail("could not open PID file \"{}\": {}\n", path, errno_text(error ? -error : EACCES));
  const long pid = std::strtol(text->c_str(), nullptr, 10);
  if (text->empty()) fail("the PID file \"{}\" is empty\n", path);
  if (pid == 0) fail("invalid data in PID file \"{}\"\n", path);
  return pid;
}

/// For operations that need a running postmaster and refuse a single-user server.
long Ctl::pid_or_fail(std::string_view single_user_complaint) const {
  const long pid = pid_of_server(false);
  if (pid == 0) {
    fail("PID file \"{}/postmaster.pid\" does not exist\nIs server running?\n",
         options_.data_directory);
  }
  if (pid < 0) {
    fail("{}; single-user server is running (PID: {})\n", single_user_complaint, -pid);
  }
  return pid;
}

bool Ctl::is_alive(long pid) const {
  // Our own and our parent's pid are left-overs that happen to match (postmaster_is_alive).
  return pid != own_process_id() && pid != parent_process_id() &&
         signal_process(static_cast<pid_t>(pid), 0) == 0;
}

/// ControlFileData.state: the word after system identifier, control version and catalog version.
uint32_t Ctl::control_state() const {
  const auto control = read_small_file(options_.data_directory + "/global/pg_control");
  uint32_t state = 0;
  if (!control || control->size() < 20) fail("control file appears to be corrupt\n");
  std::memcpy(&state, control->data() + 16, sizeof state);
  return state;
}

// --- start and stop

/// The server program for the shell: `postgres` beside us where that link exists, or ourselves.
std::string Ctl::server_command() const {
  if (!options_.server_program.empty()) return options_.server_program;
  const std::string self = executable_path();
  const std::string beside = self.substr(0, self.rfind('/')) + "/postgres";
  struct stat st {};
  if (files_.stat(beside, st) == 0) return fmt::format("\"{}\"", beside);
  return fmt::format("\"{}\" \"serve\"", self);
}

void Ctl::start() {
  if (options_.operation != Operation::kRestart && pid_of_server(false) != 0) {
    complain("another server might be running; trying to start server anyway\n");
  }
  read_old_options();
  if (options_.operation == Operation::kRestart) options_.data_option.clear();
  if (options_.core_files && !allow_core_files()) {
    complain("cannot set core file size limit; disallowed by hard limit\n");
  }
  // The lock file of a server may name this shell by accident after a reboot; the server must know.
  set_environment_variable("PG_GRANDPARENT_PID", std::to_string(parent_process_id()));
  struct stat st {};
  files_.stat(options_.data_directory, st);
  set_file_creation_mask((st.st_mode & 050) == 050 ? 027 : 077);

  std::string command = fmt::format("exec {} {}{} < \"/dev/null\"", server_command(),
                                    options_.data_option, options_.server_options.value_or(""));
  if (!options_.log_file.empty()) command += fmt::format(" >> \"{}\"", options_.log_file);
  command += " 2>&1";
  const int64_t begin_s = real_operating_system().clock.realtime_us() / 1000000;
  const pid_t child = start_detached_shell(command);
  if (child < 0) fail("could not start server: {}\n", errno_text(-child));
  if (!options_.wait) return say("server starting\n");

  say("waiting for server to start...");
  switch (wait_for_start(child, begin_s)) {
    case Start::kReady:
      say(" done\n");
      return say("server started\n");
    case Start::kStillStarting:
      say(" stopped waiting\n");
      fail("server did not start in time\n");
    case Start::kFailed:
      say(" stopped waiting\n");
      fail("could not start server\nExamine the log output.\n");
  }
}

/// Ready is what the child itself says in a pid file written since we began; the pid may be that of
/// an older server which is still there.
Ctl::Start Ctl::wait_for_start(pid_t child, int64_t begin_s) const {
  for (int turn = 0; turn < options_.wait_seconds * kWaitsPerSecond; ++turn) {
    const auto file = read_pid_file(options_.data_directory);
    if (file && file->pid == child && file->start_time_s >= begin_s - 2 &&
        (file->status == "ready   " || file->status == "standby ")) {
      return Start::kReady;
    }
    if (child_has_ended(child)) return Start::kFailed;
    dot(turn);
    pause_ms(kPauseMs);
  }
  return Start::kStillStarting;
}

/// A restart without -o starts with the options of the last start, which the server has written
/// down: its program, then each argument in double quotes.
void Ctl::read_old_options() {
  if (options_.server_options || options_.operation != Operation::kRestart) return;
  const std::string path = options_.data_directory + "/postmaster.opts";
  const auto text = read_small_file(path);
  if (!text) fail("could not read file \"{}\"\n", path);
  const auto lines = lines_of(*text);
  if (lines.size() != 1) fail("option file \"{}\" must have exactly one line\n", path);
  const size_t first = lines[0].find(" \"");
  if (options_.server_program.empty())
    options_.server_program = fmt::format("\"{}\"", lines[0].substr(0, first));
  options_.server_options = first == std::string::npos ? "" : lines[0].substr(first + 1);
}

void Ctl::send_stop_signal(long pid) {
  const int signo = options_.shutdown == Shutdown::kSmart  ? SIGTERM
                    : options_.shutdown == Shutdown::kFast ? SIGINT
                                                           : SIGQUIT;
  const int error = signal_process(static_cast<pid_t>(pid), signo);
  if (error != 0) fail("could not send stop signal (PID: {}): {}\n", pid, errno_text(-error));
}

bool Ctl::wait_for_stop() const {
  for (int turn = 0; turn < options_.wait_seconds * kWaitsPerSecond; ++turn) {
    const long pid = pid_of_server(false);
    if (pid == 0) return true;
    // It may have removed the file and ended between the two looks.
    if (signal_process(static_cast<pid_t>(pid), 0) != 0) return pid_of_server(false) == 0;
    dot(turn);
    pause_ms(kPauseMs);
  }
  return false;
}

void Ctl::await_stop() {
  say("waiting for server to shut down...");
  if (!wait_for_stop()) {
    say(" failed\n");
    complain("server does not shut down\n");
    if (options_.shutdown == Shutdown::kSmart) {
      fmt::print(stderr,
                 "HINT: The \"-m fast\" option immediately disconnects sessions rather than\n"
                 "waiting for session-initiated disconnection.\n");
    }
    throw CommandExit{1};
  }
  say(" done\n");
  say("server stopped\n");
}

void Ctl::stop() {
  send_stop_signal(pid_or_fail("cannot stop server"));
  if (!options_.wait) return say("server shutting down\n");
  await_stop();
}

void Ctl::restart() {
  const long pid = pid_of_server(false);
  if (pid == 0) {
    complain("PID file \"{}/postmaster.pid\" does not exist\nIs server running?\n",
             options_.data_directory);
    fmt::print(stderr, "trying to start server anyway\n");
    return start();
  }
  if (pid < 0 && is_alive(-pid)) {
    fail(
        "cannot restart server; single-user server is running (PID: {})\n"
        "Please terminate the single-user server and try again.\n",
        -pid);
  }
  if (is_alive(std::abs(pid))) {
    send_stop_signal(pid);
    await_stop();
  } else {
    complain("old server process (PID: {}) seems to be gone\n", std::abs(pid));
    fmt::print(stderr, "starting server anyway\n");
  }
  start();
}

// --- the rest

void Ctl::init() {
  const std::string self = executable_path();
  const std::string beside = self.substr(0, self.rfind('/')) + "/initdb";
  struct stat st {};
  std::string command = files_.stat(beside, st) == 0 ? fmt::format("exec \"{}\" ", beside)
                                                     : fmt::format("exec \"{}\" init ", self);
  command += options_.data_option + options_.server_options.value_or("");
  if (options_.silent) command += " > \"/dev/null\"";
  std::fflush(stdout);
  if (replace_process("/bin/sh", {"/bin/sh", "-c", command}) != 0) {
    fail("database system initialization failed\n");
  }
}

void Ctl::reload() {
  const long pid = pid_or_fail("cannot reload server");
  const int error = signal_process(static_cast<pid_t>(pid), SIGHUP);
  if (error != 0) fail("could not send reload signal (PID: {}): {}\n", pid, errno_text(-error));
  say("server signaled\n");
}

void Ctl::status() {
  const long pid = pid_of_server(true);
  if (pid < 0 && is_alive(-pid)) {
    fmt::print("{}: single-user server is running (PID: {})\n", program_, -pid);
    return;
  }
  if (pid > 0 && is_alive(pid)) {
    fmt::print("{}: server is running (PID: {})\n", program_, pid);
    const auto options = read_small_file(options_.data_directory + "/postmaster.opts");
    if (options) fmt::print("{}", *options);
    return;
  }
  fmt::print("{}: no server running\n", program_);
  throw CommandExit{3};
}

/// The postmaster looks for a file of that name when it gets SIGUSR1 (process_pm_pmsignal).
void Ctl::signal_with_file(const char* name, const char* purpose, long pid) {
  const std::string path = options_.data_directory + "/" + name;
  const int fd = files_.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) {
    fail("could not create {} signal file \"{}\": {}\n", purpose, path, errno_text(-fd));
  }
  files_.close(fd);
  const int error = signal_process(static_cast<pid_t>(pid), SIGUSR1);
  if (error == 0) return;
  complain("could not send {} signal (PID: {}): {}\n", purpose, pid, errno_text(-error));
  const int unlinked = files_.unlink(path);
  if (unlinked != 0) {
    complain("could not remove {} signal file \"{}\": {}\n", purpose, path, errno_text(-unlinked));
  }
  throw CommandExit{1};
}

bool Ctl::wait_for_promotion() const {
  for (int turn = 0; turn < options_.wait_seconds * kWaitsPerSecond; ++turn) {
    const long pid = pid_of_server(false);
    if (pid == 0 || signal_process(static_cast<pid_t>(pid), 0) != 0) return false;
    if (control_state() == kStateInProduction) return true;
    dot(turn);
    pause_ms(kPauseMs);
  }
  return false;
}

void Ctl::promote() {
  const long pid = pid_or_fail("cannot promote server");
  if (control_state() != kStateInArchiveRecovery) {
    fail("cannot promote server; server is not in standby mode\n");
  }
  signal_with_file("promote", "promote", pid);
  if (!options_.wait) return say("server promoting\n");
  say("waiting for server to promote...");
  if (!wait_for_promotion()) {
    say(" stopped waiting\n");
    fail("server did not promote in time\n");
  }
  say(" done\n");
  say("server promoted\n");
}

void Ctl::log_rotate() {
  signal_with_file("logrotate", "log rotation", pid_or_fail("cannot rotate log file"));
  say("server signaled to rotate log file\n");
}

/// A pid of a coroutine means something only to its server, which must be asked.
void Ctl::kill() {
  int error = -ESRCH;
  if (options_.kill_pid < kFirstVirtualPid) {
    error = signal_process(static_cast<pid_t>(options_.kill_pid), options_.signal);
  } else if (!options_.data_directory.empty()) {
    const long postmaster = pid_or_fail("cannot signal a task");
    error = request_kill(real_operating_system(), options_.data_directory,
                         static_cast<pid_t>(postmaster),
                         {options_.signal, static_cast<Pid>(options_.kill_pid)}, kKillTimeoutMs);
  }
  if (error == 0) return;
  complain("could not send signal {} (PID: {}): {}\n", options_.signal, options_.kill_pid,
           errno_text(-error));
  if (options_.kill_pid >= kFirstVirtualPid && options_.data_directory.empty()) {
    fmt::print(stderr, "HINT: A task of a coroutine-mode server is found with -D or PGDATA.\n");
  }
  throw CommandExit{1};
}

int Ctl::run(int argc, char** argv) try {
  options_ = parse_ctl_options(program_, argc, argv);
  if (options_.operation == Operation::kHelp) {
    fmt::print("{}", ctl_help(program_));
    return 0;
  }
  if (options_.operation == Operation::kVersion) {
    fmt::print("pg_ctl (PostgreSQL) {}\n", kVersionText);
    return 0;
  }
  if (effective_user_id() == 0) {
    fail(
        "cannot be run as root\n"
        "Please log in (using, e.g., \"su\") as the (unprivileged) user that will\n"
        "own the server process.\n");
  }
  switch (*options_.operation) {
    case Operation::kInit:
      init();
      break;
    case Operation::kStart:
      start();
      break;
    case Operation::kStop:
      stop();
      break;
    case Operation::kRestart:
      restart();
      break;
    case Operation::kReload:
      reload();
      break;
    case Operation::kStatus:
      status();
      break;
    case Operation::kPromote:
      promote();
      break;
    case Operation::kLogRotate:
      log_rotate();
      break;
    case Operation::kKill:
      kill();
      break;
    case Operation::kHelp:
    case Operation::kVersion:
      break;
  }
  return 0;
} catch (const CommandExit& exit) {
  return exit.code;
}

}  // namespace

int ctl_command(int argc, char** argv) {
  const std::string_view called = argv[0];
  return Ctl(std::string(called.substr(called.rfind('/') + 1))).run(argc, argv);
}

}  // namespace cofork
