// logging_collector: a task of its own writes the log into files, and can be told to begin a new
// one.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

namespace fs = std::filesystem;

class LoggerTest : public ServerTest {
 protected:
  void configure_collector(const std::string& more = "") {
    server.configure("logging_collector = on\nlog_filename = 'log-%H%M%S.txt'\n" + more);
  }
  std::string log_directory() const { return server.data() + "/log"; }
  size_t file_count() const {
    std::error_code ignored;
    size_t count = 0;
    for (fs::directory_iterator it(log_directory(), ignored), end; it != end; ++it) ++count;
    return count;
  }
  std::string collected() const {
    std::string all;
    std::error_code ignored;
    for (fs::directory_iterator it(log_directory(), ignored), end; it != end; ++it) {
      all += read_file(it->path());
    }
    return all;
  }
  bool wait_collected(const std::string& text) const {
    return wait_until([&] { return collected().find(text) != std::string::npos; });
  }
};

TEST_P(LoggerTest, CollectsIntoFilesAndSaysSo) {
  configure_collector();
  server.start();
  EXPECT_TRUE(
      server.log_has_in_order({"LOG:  redirecting log output to logging collector process\n",
                               "HINT:  Future log output will appear in directory \"log\".\n"}));
  EXPECT_TRUE(wait_collected("LOG:  database system is ready to accept connections\n"));
  Session session(server);
  session.query("select 'a mistake'::int");
  EXPECT_TRUE(wait_collected("ERROR:  invalid input syntax for type integer: \"a mistake\""));
  EXPECT_TRUE(wait_collected("STATEMENT:  select 'a mistake'::int\n"));
  EXPECT_EQ(server.log().find("a mistake"), std::string::npos) << "nothing on stderr any more";
  if (server.has_processes()) {
    bool found = false;
    for (const ProcessInfo& process : children_of(server.pid())) {
      found = found || process.title == "postgres: logger ";
    }
    EXPECT_TRUE(found);
  }
  EXPECT_EQ(
      session.query("select count(*) from pg_stat_activity where backend_type = 'logger'").first(),
      "0");
  EXPECT_EQ(server.stop(SIGINT), 0);
  EXPECT_TRUE(wait_collected("LOG:  database system is shut down\n"));
}

TEST_P(LoggerTest, RotatesWhenAsked) {
  configure_collector();
  server.start();
  ASSERT_TRUE(wait_until([&] { return file_count() == 1; }));
  // A new file needs a new name, which has seconds in it.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(server.value("select pg_rotate_logfile()"), "t");
  EXPECT_TRUE(wait_until([&] { return file_count() == 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(run({server.program("pg_ctl"), "logrotate", "-D", server.data()}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return file_count() == 3; }));
}

TEST_P(LoggerTest, RotatesBySize) {
  configure_collector("log_rotation_size = 64kB\nlog_statement = all\n");
  server.start();
  Session session(server);
  const std::string filler(2000, 'f');
  EXPECT_TRUE(wait_until([&] {
    for (int i = 0; i < 20; ++i) session.query("select '" + filler + "'");
    return file_count() >= 2;
  }));
}

TEST_P(LoggerTest, LongLinesFromManySessionsStayWhole) {
  configure_collector("log_line_prefix = ''\n");
  server.start();
  constexpr int kSessions = 6;
  std::vector<Session> sessions;
  for (int i = 0; i < kSessions; ++i) sessions.emplace_back(server);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < kSessions; ++i) {
      sessions[size_t(i)].send("select '" + std::string(9000, char('a' + i)) + "'::int");
    }
    for (Session& session : sessions) session.collect();
  }
  const std::string last = "select '" + std::string(9000, 'a' + kSessions - 1);
  ASSERT_TRUE(wait_until([&] {
    const std::string all = collected();
    size_t statements = 0;
    for (size_t at = 0; (at = all.find("STATEMENT:  ", at)) != std::string::npos; ++at)
      ++statements;
    return statements == kSessions * 20;
  }));
  const std::string all = collected();
  for (int i = 0; i < kSessions; ++i) {
    const std::string whole = "ERROR:  invalid input syntax for type integer: \"" +
                              std::string(9000, char('a' + i)) + "\"";
    size_t count = 0;
    for (size_t at = 0; (at = all.find(whole, at)) != std::string::npos; ++at) ++count;
    EXPECT_EQ(count, 20u) << char('a' + i);
  }
}

TEST_P(LoggerTest, KilledLoggerComesBackWithoutACrashCycle) {
  configure_collector();
  server.start();
  Session session(server);
  pid_t logger = 0;
  ASSERT_TRUE(wait_until([&] { return (logger = server.logger_pid()) != 0; }));
  server.kill_task(logger, "KILL");
  EXPECT_TRUE(wait_collected("LOG:  system logger process (PID " + std::to_string(logger) +
                             ") was terminated by signal 9: Killed\n"));
  EXPECT_TRUE(wait_until([&] {
    const pid_t now = server.logger_pid();
    return now != 0 && now != logger;
  }));
  EXPECT_EQ(session.query("select 1").first(), "1");
}

INSTANTIATE_FOR_ALL_FLAVORS(LoggerTest);

}  // namespace
}  // namespace cofork::test
