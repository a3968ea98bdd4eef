// Too many: connections, half-open connections, and authentication that never finishes.
#include <gtest/gtest.h>

#include <chrono>
#include <list>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

using LimitsTest = ServerTest;

TEST_P(LimitsTest, ConnectionsBeyondMaxConnectionsAreRefused) {
  server.configure("max_connections = 8\nsuperuser_reserved_connections = 2\n");
  server.start();
  std::list<Session> sessions;
  for (int i = 0; i < 8; ++i) {
    sessions.emplace_back(server);
    ASSERT_TRUE(sessions.back().connected()) << i << sessions.back().connect_error();
  }
  for (int i = 0; i < 3; ++i) {
    RawClient refused(server);
    const auto messages = refused.log_in();
    ASSERT_EQ(messages.size(), 1u) << "before authentication";
    EXPECT_EQ(messages[0].type, 'E');
    auto fields = messages[0].fields();
    EXPECT_EQ(fields['S'], "FATAL");
    EXPECT_EQ(fields['C'], "53300");
    EXPECT_EQ(fields['M'], "sorry, too many clients already");
    EXPECT_TRUE(refused.receive_all().empty());
  }
  for (Session& session : sessions) EXPECT_EQ(session.query("select 1").first(), "1");
  sessions.pop_front();
  EXPECT_TRUE(wait_until([&] { return Session(server).connected(); })) << "the slot is free again";
}

TEST_P(LimitsTest, LastConnectionsAreReservedForSuperusers) {
  server.configure("max_connections = 6\nsuperuser_reserved_connections = 3\n");
  server.start();
  {
    const Result made = Session(server).query("create role plain login");
    ASSERT_TRUE(made.ok) << made.message;
  }
  std::list<Session> sessions;
  for (int i = 0; i < 3; ++i) {
    sessions.emplace_back(server, "user=plain");
    ASSERT_TRUE(sessions.back().connected()) << i << sessions.back().connect_error();
  }
  RawClient refused(server);
  const auto messages = refused.log_in("plain");
  ASSERT_FALSE(messages.empty());
  auto fields = messages.back().fields();
  EXPECT_EQ(fields['S'], "FATAL");
  EXPECT_EQ(fields['C'], "53300");
  EXPECT_EQ(fields['M'],
            "remaining connection slots are reserved for non-replication superuser connections");
  for (int i = 0; i < 3; ++i) {
    sessions.emplace_back(server);
    ASSERT_TRUE(sessions.back().connected()) << i << sessions.back().connect_error();
  }
  EXPECT_FALSE(Session(server).connected());
}

TEST_P(LimitsTest, SilentConnectionsUseUpTheChildSlots) {
  server.configure(
      "max_connections = 5\nmax_wal_senders = 0\nmax_worker_processes = 1\n"
      "autovacuum_max_workers = 1\n");
  server.start();
  // 2 x (max_connections + autovacuum_max_workers + 1 + max_wal_senders + max_worker_processes)
  std::list<RawClient> silent;
  bool refused = false;
  for (int i = 0; i < 40 && !refused; ++i) {
    RawClient probe(server);
    const auto messages = probe.log_in();
    refused = !messages.empty() && messages.back().type == 'E' &&
              messages.back().fields()['M'] == "sorry, too many clients already";
    silent.emplace_back(server);
    ASSERT_TRUE(silent.back().connected());
  }
  EXPECT_TRUE(refused) << "40 connections that say nothing were let in";
  silent.clear();
  EXPECT_TRUE(wait_until([&] { return Session(server).connected(); }));
}

TEST_P(LimitsTest, AuthenticationTimeoutClosesWithoutAWord) {
  server.configure("authentication_timeout = 1s\n");
  server.start();
  const size_t before = server.log_size();
  RawClient silent(server);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(silent.receive_bytes(), "");
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, std::chrono::milliseconds(800));
  EXPECT_LT(took, std::chrono::seconds(10 * kSlowness));

  RawClient half(server);
  half.send(startup_packet({"user", "postgres"}).substr(0, 12));
  EXPECT_EQ(half.receive_bytes(), "");
  EXPECT_EQ(server.log().size(), before) << server.log().substr(before);
}

TEST_P(LimitsTest, UnknownRoleAndDatabase) {
  server.start();
  const struct {
    const char *user, *database, *sqlstate, *message;
  } kCases[] = {{"nobody_here", "postgres", "28000", "role \"nobody_here\" does not exist"},
                {"postgres", "nothing_here", "3D000", "database \"nothing_here\" does not exist"}};
  for (const auto& test : kCases) {
    RawClient client(server);
    const auto messages = client.log_in(test.user, test.database);
    ASSERT_GE(messages.size(), 2u);
    EXPECT_EQ(messages.front().type, 'R') << "authentication comes first";
    auto fields = messages.back().fields();
    EXPECT_EQ(fields['S'], "FATAL");
    EXPECT_EQ(fields['C'], test.sqlstate);
    EXPECT_EQ(fields['M'], test.message);
  }
}

INSTANTIATE_FOR_ALL_FLAVORS(LimitsTest);

}  // namespace
}  // namespace cofork::test
