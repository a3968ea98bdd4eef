// A server under test: its own temporary directory, its own data directory, started and stopped
// here.
//
// The same test body runs against three flavours: cofork in fork mode, cofork in coroutine mode,
// and the real PostgreSQL 15 where it is installed. The reference keeps the tests honest: what they
// demand of cofork is what PostgreSQL does.
//
// Nothing here sleeps and hopes: every wait is for a condition and has a deadline (kDeadline). TCP
// ports are chosen by the kernel; most tests use a Unix socket in the temporary directory. Started
// by root, the whole test program becomes `nobody` first (integration_main.cc).
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../slowness.h"

namespace cofork::test {

enum class Flavor { kFork, kCoroutine, kReference };
std::string flavor_name(const testing::TestParamInfo<Flavor>& info);
/// What can run here: cofork's two modes if the binary was given, the reference if it is installed.
std::vector<Flavor> available_flavors();
std::vector<Flavor> cofork_flavors();

constexpr std::chrono::seconds kDeadline{20 * kSlowness};
/// Polls until the condition holds; false when the deadline passed first.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = kDeadline);

/// The temporary directory of this test program; removed when it ends.
const std::string& test_root();
/// Copies the binary under test into test_root()/bin with the names it is known by. Once, in
/// main().
void prepare_binaries();

struct CommandResult {
  int exit_code = -1;  ///< or 128 + the signal that ended it
  std::string out, err;
};
/// Runs a program to its end, stdin from /dev/null. `environment` entries are NAME=VALUE.
CommandResult run(const std::vector<std::string>& command,
                  const std::vector<std::string>& environment = {});
std::string read_file(const std::string& path);  ///< "" when it is not there
void write_file(const std::string& path, std::string_view text);
void append_file(const std::string& path, std::string_view text);
/// A TCP port nobody listens on now, chosen by the kernel.
int free_tcp_port();

struct LogLine {
  pid_t pid = 0;
  std::string text;  ///< after the default log_line_prefix: "LOG:  …"
};

/// One process of the server, as ps shows it.
struct ProcessInfo {
  pid_t pid = 0;
  std::string title;  ///< the argument area, arguments joined by blanks, trailing blank kept
};
std::vector<ProcessInfo> children_of(pid_t parent);
/// Open descriptors, and resident memory in kB.
int open_descriptors(pid_t pid);
long resident_kb(pid_t pid);
/// Of a process and those children of it that have ended.
double cpu_seconds(pid_t pid);
/// Proportional memory of a process and its children in kB: what the whole server costs.
long proportional_kb(pid_t postmaster);

class Server {
 public:
  explicit Server(Flavor flavor);
  ~Server();  ///< stops it at once if it runs; a child left behind fails the test
  Server(const Server&) = delete;

  /// Appends to postgresql.conf.
  void configure(const std::string& lines) { append_file(data() + "/postgresql.conf", lines); }
  /// Turns the logging collector on, with one file; log() and its kin then read that file.
  void use_collector();
  /// Starts the server program itself and waits until it is ready. Extra arguments come last.
  void start(const std::vector<std::string>& arguments = {});
  /// Starts it without waiting for anything.
  void spawn(const std::vector<std::string>& arguments = {});
  bool wait_ready();
  /// NAME=VALUE, for the server program, from the next start on.
  void set_environment(std::vector<std::string> environment) {
    environment_ = std::move(environment);
  }
  /// From the next start on, cofork runs this directory in its other mode.
  void change_mode();
  /// Sends the signal of a shutdown mode and waits for the end; the exit code.
  int stop(int signo);
  /// Kills the server with all its processes at once, as `kill -9` of a process group.
  void kill_all();
  /// Waits for the end of the server program; its exit code (128 + signal when killed).
  int wait_exit();
  bool has_exited();
  /// Forgets a postmaster that the test itself has ended.
  void signal(int signo);

  Flavor flavor() const { return flavor_; }
  bool is_reference() const { return flavor_ == Flavor::kReference; }
  bool is_cofork() const { return !is_reference(); }
  bool has_processes() const { return flavor_ != Flavor::kCoroutine; }
  const std::string& directory() const { return directory_; }  ///< sockets and log are here
  std::string data() const { return directory_ + "/data"; }
  std::string log_path() const { return directory_ + "/log"; }
  int port() const { return 5432; }  ///< of the Unix socket in directory(); no TCP by default
  std::string socket_path() const { return directory_ + "/.s.PGSQL.5432"; }
  pid_t pid() const { return pid_; }
  std::string program(const std::string& name) const;  ///< postgres, pg_ctl, initdb of this flavour
  /// Arguments that start() gives, mode included.
  std::vector<std::string> server_arguments() const;

  /// The logger has no row in pg_stat_activity; 0 when there is none.
  pid_t logger_pid() const;
  /// Sends a signal to a backend or role by the pid the server shows: kill(2), or through the
  /// server where pids are virtual.
  CommandResult kill_task(pid_t pid, const std::string& signal_name);

  std::string conninfo(const std::string& more = "") const;
  std::string log() const { return read_file(collector_file_.value_or(log_path())); }
  std::vector<LogLine> log_lines(size_t from = 0) const;  ///< from that byte on
  size_t log_size() const { return log().size(); }
  /// The first line containing `text` at or after byte `from` of the log.
  std::optional<LogLine> find_in_log(const std::string& text, size_t from = 0) const;
  testing::AssertionResult wait_for_log(const std::string& text, size_t from = 0) const;
  /// All of these, in this order (others may stand between).
  testing::AssertionResult log_has_in_order(const std::vector<std::string>& texts,
                                            size_t from = 0) const;
  CommandResult psql(const std::string& sql, const std::vector<std::string>& options = {}) const;
  /// One value of one row through a connection of its own; fails the test on an error.
  std::string value(const std::string& sql) const;

 private:
  Flavor flavor_;
  std::string directory_;
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
  std::optional<std::string> collector_file_;
  std::vector<std::string> environment_;
};

/// Fixture: a server that is initialised but not started.
class ServerTest : public testing::TestWithParam<Flavor> {
 protected:
  Server server{GetParam()};
};

#define INSTANTIATE_FOR_ALL_FLAVORS(suite)                                              \
  INSTANTIATE_TEST_SUITE_P(Server, suite, testing::ValuesIn(test::available_flavors()), \
                           test::flavor_name)
#define INSTANTIATE_FOR_COFORK(suite)                                                \
  GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(suite);                              \
  INSTANTIATE_TEST_SUITE_P(Server, suite, testing::ValuesIn(test::cofork_flavors()), \
                           test::flavor_name)

}  // namespace cofork::test
