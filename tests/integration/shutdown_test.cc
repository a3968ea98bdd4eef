// The three ways to stop: what is logged, what clients receive, what is left behind.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

using ShutdownTest = ServerTest;

std::string control_state(const Server& server) {
  const CommandResult result =
      run({"/usr/lib/postgresql/15/bin/pg_controldata", server.data()}, {"LC_ALL=C"});
  const size_t at = result.out.find("Database cluster state:");
  if (at == std::string::npos) return result.out + result.err;
  const size_t begin = result.out.find_first_not_of(' ', at + 23);
  return result.out.substr(begin, result.out.find('\n', begin) - begin);
}

std::string pid_file_status(const Server& server) {
  const std::string text = read_file(server.data() + "/postmaster.pid");
  const size_t last = text.rfind('\n', text.size() - 2);
  return text.empty() ? "" : text.substr(last + 1, text.size() - last - 2);
}

TEST_P(ShutdownTest, FastDisconnectsClients) {
  server.start();
  RawClient idle(server), in_transaction(server), busy(server);
  for (RawClient* client : {&idle, &in_transaction, &busy}) client->log_in();
  in_transaction.send_query("begin");
  ASSERT_TRUE(in_transaction.receive());
  ASSERT_EQ(in_transaction.receive()->type, 'Z');
  busy.send_query("select pg_sleep(60)");
  ASSERT_TRUE(wait_until([&] {
    return server.value("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") ==
           "1";
  }));
  const size_t before = server.log_size();
  EXPECT_EQ(server.stop(SIGINT), 0);

  for (RawClient* client : {&idle, &in_transaction, &busy}) {
    const auto messages = client->receive_all();
    ASSERT_FALSE(messages.empty());
    EXPECT_EQ(messages.back().type, 'E');
    auto fields = messages.back().fields();
    EXPECT_EQ(fields['S'], "FATAL");
    EXPECT_EQ(fields['C'], "57P01");
    EXPECT_EQ(fields['M'], "terminating connection due to administrator command");
  }
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  received fast shutdown request\n", "LOG:  aborting any active transactions\n",
       "FATAL:  terminating connection due to administrator command", "LOG:  shutting down\n",
       "LOG:  checkpoint starting: shutdown immediate\n", "LOG:  checkpoint complete: wrote ",
       "LOG:  database system is shut down\n"},
      before));
  EXPECT_EQ(control_state(server), "shut down");
  EXPECT_FALSE(std::filesystem::exists(server.data() + "/postmaster.pid"));
}

TEST_P(ShutdownTest, SmartWaitsForClientsAndRefusesNewOnes) {
  server.start();
  Session session(server);
  const size_t before = server.log_size();
  server.signal(SIGTERM);
  ASSERT_TRUE(server.wait_for_log("LOG:  received smart shutdown request\n", before));
  EXPECT_TRUE(wait_until([&] { return pid_file_status(server) == "stopping"; }));

  RawClient late(server);
  const auto messages = late.log_in();
  ASSERT_FALSE(messages.empty());
  auto fields = messages.back().fields();
  EXPECT_EQ(fields['S'], "FATAL");
  EXPECT_EQ(fields['C'], "57P03");
  EXPECT_EQ(fields['M'], "the database system is shutting down");

  EXPECT_EQ(session.query("select 1 + 1").first(), "2") << "a session that is there goes on";
  server.signal(SIGTERM);  // a second request changes nothing
  EXPECT_EQ(session.query("select 2 + 2").first(), "4");
  EXPECT_FALSE(server.has_exited());
  session = Session(server, "connect_timeout=1");  // the old one closes
  EXPECT_EQ(server.wait_exit(), 0);
  EXPECT_EQ(control_state(server), "shut down");
  EXPECT_TRUE(server.log_has_in_order({"received smart shutdown request\n", "LOG:  shutting down\n",
                                       "LOG:  database system is shut down\n"},
                                      before));
  const std::string log = server.log().substr(before);
  EXPECT_EQ(log.find("received smart"), log.rfind("received smart"));
  EXPECT_EQ(log.find("aborting any active"), std::string::npos);
}

TEST_P(ShutdownTest, ImmediateLeavesTheNextStartToRecover) {
  server.start();
  RawClient idle(server);
  idle.log_in();
  ASSERT_TRUE(wait_for_idle(server, {idle.backend_pid()}));
  const size_t before = server.log_size();
  EXPECT_EQ(server.stop(SIGQUIT), 0);
  const auto messages = idle.receive_all();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].type, 'N') << "a notice, not an error, then the end";
  auto fields = messages[0].fields();
  EXPECT_EQ(fields['S'], "WARNING");
  EXPECT_EQ(fields['C'], "57P01");
  EXPECT_EQ(fields['M'], "terminating connection due to immediate shutdown command");
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  received immediate shutdown request\n", "LOG:  database system is shut down\n"},
      before));
  EXPECT_EQ(control_state(server), "in production");

  const size_t restart = server.log_size();
  server.start();
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  database system was interrupted; last known up at ",
       "LOG:  database system was not properly shut down; automatic recovery in progress\n",
       "LOG:  invalid record length at ", "LOG:  redo is not required\n",
       "LOG:  checkpoint starting: end-of-recovery immediate wait\n",
       "LOG:  checkpoint complete: ", "LOG:  database system is ready to accept connections\n"},
      restart));
}

TEST_P(ShutdownTest, AStrongerRequestWins) {
  server.start();
  Session session(server);
  const size_t before = server.log_size();
  server.signal(SIGTERM);
  ASSERT_TRUE(server.wait_for_log("received smart shutdown request", before));
  server.signal(SIGINT);
  EXPECT_EQ(server.wait_exit(), 0);
  EXPECT_TRUE(
      server.log_has_in_order({"received smart shutdown request", "received fast shutdown request",
                               "database system is shut down"},
                              before));
}

TEST_P(ShutdownTest, DisconnectionIsLogged) {
  server.configure("log_connections = on\nlog_disconnections = on\n");
  server.start();
  { Session session(server, "application_name=leaver"); }
  EXPECT_TRUE(server.wait_for_log(" user=postgres database=postgres host=[local]\n"));
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  connection received: host=[local]\n",
       "LOG:  connection authorized: user=postgres database=postgres application_name=leaver\n",
       "LOG:  disconnection: session time: 0:00:00.",
       " user=postgres database=postgres host=[local]\n"}));
}

INSTANTIATE_FOR_ALL_FLAVORS(ShutdownTest);

}  // namespace
}  // namespace cofork::test
