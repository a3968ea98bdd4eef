// One task dies: what the postmaster does, what it logs, what every other client receives.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

constexpr const char* kCrashMessage =
    "terminating connection because of crash of another server process";
constexpr const char* kCrashDetail =
    "The postmaster has commanded this server process to roll back the current transaction and "
    "exit, because another server process exited abnormally and possibly corrupted shared memory.";
constexpr const char* kCrashHint =
    "In a moment you should be able to reconnect to the database and repeat your command.";

class CrashTest : public ServerTest {
 protected:
  /// Waits for it: a server is ready before each of its roles has shown itself.
  pid_t pid_of_role(const std::string& backend_type) {
    std::string pid;
    EXPECT_TRUE(wait_until([&] {
      pid = server.value("select pid from pg_stat_activity where backend_type = '" + backend_type +
                         "'");
      return !pid.empty();
    })) << backend_type;
    return pid.empty() ? 0 : std::stoi(pid);
  }

  /// Nothing but the notice of a crash, then the end of the connection.
  static void expect_crash_notice(RawClient& client) {
    const auto messages = client.receive_all();
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].type, 'N');
    auto fields = messages[0].fields();
    EXPECT_EQ(fields['S'], "WARNING");
    EXPECT_EQ(fields['V'], "WARNING");
    EXPECT_EQ(fields['C'], "57P02");
    EXPECT_EQ(fields['M'], kCrashMessage);
    EXPECT_EQ(fields['D'], kCrashDetail);
    EXPECT_EQ(fields['H'], kCrashHint);
  }

  /// The lines that follow the one that says who died, up to the server being ready again.
  void expect_crash_cycle(const std::string& first_line, size_t from) {
    ASSERT_TRUE(server.wait_for_log(first_line, from));
    ASSERT_TRUE(server.wait_for_log("LOG:  database system is ready to accept connections", from));
    EXPECT_TRUE(server.log_has_in_order(
        {first_line, "LOG:  terminating any other active server processes\n",
         "LOG:  all server processes terminated; reinitializing\n",
         "LOG:  database system was interrupted; last known up at ",
         "LOG:  database system was not properly shut down; automatic recovery in progress\n",
         "LOG:  invalid record length at ", "LOG:  redo ",
         "LOG:  checkpoint starting: end-of-recovery immediate wait\n",
         "LOG:  checkpoint complete: ", "LOG:  database system is ready to accept connections\n"},
        from));
    EXPECT_FALSE(server.has_exited());
  }
};

struct KillCase {
  const char* signal;
  const char* how;
};
constexpr KillCase kAbnormal[] = {
    {"KILL", "was terminated by signal 9: Killed"},
    {"SEGV", "was terminated by signal 11: Segmentation fault"},
    {"ABRT", "was terminated by signal 6: Aborted"},
    {"QUIT", "exited with exit code 2"},
};

TEST_P(CrashTest, KillingABackendRestartsTheServer) {
  server.start();
  for (const KillCase& kill : kAbnormal) {
    SCOPED_TRACE(kill.signal);
    RawClient victim(server), idle(server), in_transaction(server);
    for (RawClient* client : {&victim, &idle, &in_transaction}) {
      ASSERT_FALSE(client->log_in().empty());
      ASSERT_NE(client->backend_pid(), 0);
    }
    for (RawClient* client : {&victim, &in_transaction}) {
      client->send_query("begin");
      ASSERT_EQ(client->receive()->type, 'C');
      ASSERT_EQ(client->receive()->type, 'Z');
    }
    ASSERT_TRUE(wait_for_idle(server, {idle.backend_pid(), in_transaction.backend_pid()}));
    const size_t before = server.log_size();
    const pid_t postmaster = server.pid();
    ASSERT_EQ(server.kill_task(victim.backend_pid(), kill.signal).exit_code, 0);

    const auto last_words = victim.receive_all();
    if (std::string(kill.signal) == "QUIT") {
      ASSERT_EQ(last_words.size(), 1u);
      EXPECT_EQ(last_words[0].fields()['M'],
                "terminating connection because of unexpected SIGQUIT signal");
      EXPECT_EQ(last_words[0].fields()['C'], "57P01");
    } else {
      EXPECT_TRUE(last_words.empty()) << "the victim says nothing";
    }
    expect_crash_notice(idle);
    expect_crash_notice(in_transaction);
    expect_crash_cycle("LOG:  server process (PID " + std::to_string(victim.backend_pid()) + ") " +
                           kill.how + "\n",
                       before);
    EXPECT_TRUE(server.log_has_in_order({kill.how, "DETAIL:  Failed process was running: begin\n"},
                                        before));
    EXPECT_EQ(server.value("select 1"), "1");
    EXPECT_EQ(read_file(server.data() + "/postmaster.pid").rfind(std::to_string(postmaster), 0), 0u)
        << "the postmaster keeps its pid";
  }
}

TEST_P(CrashTest, TerminateAndInterruptTouchOneSessionOnly) {
  server.start();
  Session bystander(server);
  RawClient terminated(server);
  terminated.log_in();
  Session cancelled(server);
  const pid_t before = pid_of_role("checkpointer");

  ASSERT_EQ(server.kill_task(terminated.backend_pid(), "TERM").exit_code, 0);
  const auto messages = terminated.receive_all();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].type, 'E');
  EXPECT_EQ(messages[0].fields()['C'], "57P01");
  EXPECT_EQ(messages[0].fields()['M'], "terminating connection due to administrator command");

  ASSERT_EQ(server.kill_task(cancelled.backend_pid(), "INT").exit_code, 0);
  EXPECT_EQ(cancelled.query("select 1").first(), "1") << "an idle session ignores it";
  ASSERT_TRUE(cancelled.send("select pg_sleep(60)"));
  ASSERT_TRUE(wait_until([&] {
    return bystander
               .query("select wait_event from pg_stat_activity where pid = " +
                      std::to_string(cancelled.backend_pid()))
               .first() == "PgSleep";
  }));
  ASSERT_EQ(server.kill_task(cancelled.backend_pid(), "INT").exit_code, 0);
  const Result result = cancelled.collect();
  EXPECT_EQ(result.sqlstate, "57014");
  EXPECT_EQ(result.message, "canceling statement due to user request");
  EXPECT_EQ(cancelled.query("select 2").first(), "2");
  EXPECT_EQ(bystander.query("select 3").first(), "3");
  EXPECT_EQ(pid_of_role("checkpointer"), before) << "no crash cycle";
}

TEST_P(CrashTest, KillingTheCheckpointerRestartsTheServer) {
  server.start();
  for (const char* signal : {"KILL", "ABRT", "QUIT"}) {
    SCOPED_TRACE(signal);
    RawClient client(server);
    client.log_in();
    const pid_t victim = pid_of_role("checkpointer");
    ASSERT_TRUE(wait_for_idle(server, {client.backend_pid()}));
    const size_t before = server.log_size();
    ASSERT_EQ(server.kill_task(victim, signal).exit_code, 0);
    expect_crash_notice(client);
    expect_crash_cycle("LOG:  checkpointer process (PID " + std::to_string(victim) + ") ", before);
    EXPECT_NE(pid_of_role("checkpointer"), victim);
  }
}

TEST_P(CrashTest, CheckpointerIgnoresTerminateAndReload) {
  server.start();
  Session session(server);
  const pid_t checkpointer = pid_of_role("checkpointer");
  for (const char* signal : {"TERM", "INT", "HUP", "USR1"}) {
    ASSERT_EQ(server.kill_task(checkpointer, signal).exit_code, 0);
  }
  EXPECT_EQ(session.query("select 1").first(), "1");
  EXPECT_EQ(pid_of_role("checkpointer"), checkpointer);
}

TEST_P(CrashTest, UnsolicitedShutdownCheckpointIsACrash) {
  server.start();
  RawClient client(server);
  client.log_in();
  const pid_t checkpointer = pid_of_role("checkpointer");
  ASSERT_TRUE(wait_for_idle(server, {client.backend_pid()}));
  const size_t before = server.log_size();
  ASSERT_EQ(server.kill_task(checkpointer, "USR2").exit_code, 0);
  const std::string line = "LOG:  checkpointer process (PID " + std::to_string(checkpointer) +
                           ") exited with exit code 0\n";
  ASSERT_TRUE(server.wait_for_log(line, before));
  expect_crash_notice(client);
  ASSERT_TRUE(server.wait_for_log("LOG:  database system is ready to accept connections", before));
}

TEST_P(CrashTest, WithoutRestartAfterCrashTheServerStops) {
  server.configure("restart_after_crash = off\n");
  server.start();
  RawClient victim(server), client(server);
  victim.log_in();
  client.log_in();
  ASSERT_TRUE(wait_for_idle(server, {client.backend_pid()}));
  const size_t before = server.log_size();
  ASSERT_EQ(server.kill_task(victim.backend_pid(), "KILL").exit_code, 0);
  expect_crash_notice(client);
  EXPECT_EQ(server.wait_exit(), 1);
  EXPECT_TRUE(server.log_has_in_order({"was terminated by signal 9: Killed\n",
                                       "LOG:  terminating any other active server processes\n",
                                       "LOG:  shutting down because restart_after_crash is off\n",
                                       "LOG:  database system is shut down\n"},
                                      before));
  EXPECT_FALSE(std::filesystem::exists(server.data() + "/postmaster.pid"));
}

TEST_P(CrashTest, SettingsSurviveTheCrashCycle) {
  server.start({"-c", "work_mem=7MB"});
  ASSERT_EQ(server.value("alter system set maintenance_work_mem = '77MB'"), "");
  Session victim(server);
  const size_t before = server.log_size();
  ASSERT_EQ(server.kill_task(victim.backend_pid(), "KILL").exit_code, 0);
  ASSERT_TRUE(server.wait_for_log("LOG:  database system is ready to accept connections", before));
  EXPECT_EQ(server.value("show work_mem"), "7MB");
  EXPECT_EQ(server.value("show maintenance_work_mem"), "64MB") << "nobody has asked to reload";
}

INSTANTIATE_FOR_ALL_FLAVORS(CrashTest);

/// Faults that a session brings upon itself, through the function that exists for it.
class FaultTest : public CrashTest {};

TEST_P(FaultTest, RealFaultsInsideABackend) {
  server.start();
  const struct {
    const char* kind;
    const char* how;
  } kCases[] = {{"segv", "was terminated by signal 11: Segmentation fault"},
                {"stack", "was terminated by signal 11: Segmentation fault"},
                {"abort", "was terminated by signal 6: Aborted"},
                {"panic", "was terminated by signal 6: Aborted"}};
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.kind);
    RawClient bystander(server);
    bystander.log_in();
    RawClient victim(server);
    victim.log_in();
    ASSERT_TRUE(wait_for_idle(server, {bystander.backend_pid()}));
    const size_t before = server.log_size();
    const std::string sql = std::string("select cofork_crash('") + test.kind + "')";
    victim.send_query(sql);
    expect_crash_notice(bystander);
    expect_crash_cycle("LOG:  server process (PID " + std::to_string(victim.backend_pid()) + ") " +
                           test.how + "\n",
                       before);
    EXPECT_TRUE(server.log_has_in_order(
        {test.how, "DETAIL:  Failed process was running: " + sql + "\n"}, before));
    EXPECT_EQ(server.value("select 1"), "1");
  }
}

INSTANTIATE_FOR_COFORK(FaultTest);

}  // namespace
}  // namespace cofork::test
