// pg_ctl: texts and exit codes of every operation, ours and the real one's from the same table.
#include <gtest/gtest.h>

#include <csignal>
#include <regex>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class CtlTest : public ServerTest {
 protected:
  CommandResult ctl(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {server.program("pg_ctl")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, {"LC_ALL=C"});
  }
  CommandResult ctl_here(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"-D", server.data()});
    return ctl(arguments);
  }
  CommandResult start(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"start", "-l", server.log_path(), "-o", mode()});
    return ctl_here(more);
  }
  std::string mode() const {
    const auto arguments = server.server_arguments();
    return arguments.empty() ? "" : arguments[0];
  }
  /// A dot more or less is a matter of time: there is one for every second of waiting, none when
  /// there was nothing to wait for.
  static std::string without_dots(const std::string& text) {
    return std::regex_replace(text, std::regex(R"(\.{3,})"), "...");
  }
  void expect(const CommandResult& result, int exit_code, const std::string& out,
              const std::string& err) {
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_EQ(without_dots(result.out), without_dots(out));
    EXPECT_EQ(result.err, err);
  }
  std::string no_pid_file() const {
    return "pg_ctl: PID file \"" + server.data() +
           "/postmaster.pid\" does not exist\n"
           "Is server running?\n";
  }
  void TearDown() override { ctl_here({"stop", "-s", "-m", "immediate"}); }
};

constexpr const char* kStarted = "waiting for server to start.... done\nserver started\n";
constexpr const char* kStopped = "waiting for server to shut down.... done\nserver stopped\n";
constexpr const char* kNotStarted = "waiting for server to start.... stopped waiting\n";
constexpr const char* kCouldNot = "pg_ctl: could not start server\nExamine the log output.\n";
constexpr const char* kAnother =
    "pg_ctl: another server might be running; trying to start server anyway\n";

TEST_P(CtlTest, WithoutAServer) {
  expect(ctl_here({"status"}), 3, "pg_ctl: no server running\n", "");
  for (const char* operation : {"stop", "reload", "promote", "logrotate"}) {
    SCOPED_TRACE(operation);
    expect(ctl_here({operation}), 1, "", no_pid_file());
  }
  expect(ctl({"status", "-D", "/nonexist"}), 4, "",
         "pg_ctl: directory \"/nonexist\" does not exist\n");
  expect(ctl({"status", "-D", "/tmp"}), 4, "",
         "pg_ctl: directory \"/tmp\" is not a database cluster directory\n");
}

TEST_P(CtlTest, WrongUsage) {
  const std::string advice = "Try \"pg_ctl --help\" for more information.\n";
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } kCases[] = {
      {{"start"}, "no database directory specified and environment variable PGDATA unset"},
      {{"bogus"}, "unrecognized operation mode \"bogus\""},
      {{}, "no operation specified"},
      {{"start", "stop"}, "too many command-line arguments (first is \"start\")"},
      {{"stop", "-D", "x", "-m", "zzz"}, "unrecognized shutdown mode \"zzz\""},
      {{"kill"}, "missing arguments for kill mode"},
      {{"kill", "FOO", "1"}, "unrecognized signal name \"FOO\""},
  };
  for (const auto& test : kCases) {
    expect(ctl(test.arguments), 1, "", "pg_ctl: " + test.message + "\n" + advice);
  }
  expect(ctl({"kill", "TERM", "4194303"}), 1, "",
         "pg_ctl: could not send signal 15 (PID: 4194303): No such process\n");
}

TEST_P(CtlTest, StartStatusReloadStop) {
  expect(start(), 0, kStarted, "");
  const CommandResult status = ctl_here({"status"});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_TRUE(std::regex_search(
      status.out, std::regex(R"(^pg_ctl: server is running \(PID: \d+\)\n\S+ .*"-D" )")))
      << status.out;
  expect(start(), 1, kNotStarted, std::string(kAnother) + kCouldNot);
  expect(ctl_here({"reload"}), 0, "server signaled\n", "");
  EXPECT_TRUE(server.wait_for_log("LOG:  received SIGHUP, reloading configuration files\n"));
  expect(ctl_here({"promote"}), 1, "",
         "pg_ctl: cannot promote server; server is not in standby mode\n");
  expect(ctl_here({"logrotate"}), 0, "server signaled to rotate log file\n", "");
  expect(ctl_here({"stop"}), 0, kStopped, "");
  expect(ctl_here({"status"}), 3, "pg_ctl: no server running\n", "");
}

TEST_P(CtlTest, SmartStopGivesUpWhileAClientIsThere) {
  expect(start(), 0, kStarted, "");
  Session session(server);
  ASSERT_TRUE(session.connected());
  expect(ctl_here({"stop", "-m", "smart", "-t", "1"}), 1,
         "waiting for server to shut down.... failed\n",
         "pg_ctl: server does not shut down\n"
         "HINT: The \"-m fast\" option immediately disconnects sessions rather than\n"
         "waiting for session-initiated disconnection.\n");
  expect(ctl_here({"stop", "-m", "fast"}), 0, kStopped, "");
}

TEST_P(CtlTest, RestartKeepsTheOptions) {
  expect(start({"-o", "-c work_mem=5MB"}), 0, kStarted, "");
  expect(ctl_here({"restart", "-m", "immediate", "-l", server.log_path()}), 0,
         std::string(kStopped) + kStarted, "");
  EXPECT_EQ(server.value("show work_mem"), "5MB");
  expect(ctl_here({"stop"}), 0, kStopped, "");
  expect(ctl_here({"restart", "-l", server.log_path()}), 0, kStarted,
         no_pid_file() + "trying to start server anyway\n");
}

TEST_P(CtlTest, RefusedStartAndStalePidFile) {
  expect(start({"-o", "-c shared_buffers=abc"}), 1, kNotStarted, kCouldNot);
  EXPECT_NE(server.log().find("FATAL:  invalid value for parameter \"shared_buffers\": \"abc\"\n"),
            std::string::npos);
  write_file(server.data() + "/postmaster.pid", "4194303\n");
  expect(ctl_here({"status"}), 3, "pg_ctl: no server running\n", "");
  expect(ctl_here({"stop"}), 1, "",
         "pg_ctl: could not send stop signal (PID: 4194303): No such process\n");
  expect(start(), 0, kStarted, kAnother);
}

TEST_P(CtlTest, WithoutWaiting) {
  expect(start({"-W"}), 0, "server starting\n", "");
  ASSERT_TRUE(server.wait_for_log("database system is ready to accept connections"));
  expect(ctl_here({"stop", "-W"}), 0, "server shutting down\n", "");
  ASSERT_TRUE(server.wait_for_log("LOG:  database system is shut down\n"));
}

TEST_P(CtlTest, SilentSaysNothing) {
  expect(start({"-s"}), 0, "", "");
  expect(ctl_here({"stop", "-s"}), 0, "", "");
}

INSTANTIATE_FOR_ALL_FLAVORS(CtlTest);

}  // namespace
}  // namespace cofork::test
