// Sessions beside each other: one that is busy, and two that fail at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

using FairnessTest = ServerTest;

double milliseconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// How much longer than its CPU time a piece of work takes just now: 1 on a quiet machine.
double contention() {
  const auto cpu_ms = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
  };
  const double begin = cpu_ms();
  const double wall = milliseconds_of([&] {
    while (cpu_ms() < begin + 2) {
    }
  });
  return std::max(1.0, wall / 2);
}

/// With one scheduler thread both sessions must share it.
TEST_P(FairnessTest, BusySessionDoesNotStarveAnother) {
  if (server.is_cofork()) server.configure("cofork.scheduler_threads = 1\n");
  server.start();
  Session busy(server), other(server);
  ASSERT_TRUE(other.query("select 1").ok);
  ASSERT_TRUE(busy.send("select count(*) from generate_series(1, 50000000)"));
  std::vector<double> times;
  double worst_contention = 1;
  for (int i = 0; i < 50 && !busy.answer_is_ready(std::chrono::milliseconds(0)); ++i) {
    times.push_back(milliseconds_of([&] { EXPECT_EQ(other.query("select 1").first(), "1"); }));
    worst_contention = std::max(worst_contention, contention());
  }
  ASSERT_GE(times.size(), 10u) << "the busy statement was over too soon to tell";
  std::sort(times.begin(), times.end());
  // A few slices of 2 ms each, stretched when the machine has other things to do.
  EXPECT_LT(times[times.size() / 2], 20 * worst_contention)
      << "median, ms; contention " << worst_contention;
  busy.cancel();
  busy.collect();
}

TEST_P(FairnessTest, BusyStatementCanBeCancelled) {
  server.start();
  Session busy(server);
  ASSERT_TRUE(busy.send("select count(*) from generate_series(1, 500000000)"));
  ASSERT_TRUE(wait_until([&] {
    return server.value("select count(*) from pg_stat_activity where state = 'active'") == "2";
  }));
  EXPECT_TRUE(busy.cancel());
  ASSERT_TRUE(busy.answer_is_ready(kDeadline));
  EXPECT_EQ(busy.collect().sqlstate, "57014");
}

/// Errors of two sessions interleaved in every way a scheduler can: each must get its own.
TEST_P(FairnessTest, SessionsNeverSeeEachOthersErrors) {
  if (server.is_cofork()) server.configure("cofork.scheduler_threads = 1\n");
  server.start();
  constexpr int kSessions = 8;
  constexpr int kRounds = 60;
  std::vector<Session> sessions;
  for (int i = 0; i < kSessions; ++i) sessions.emplace_back(server);
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kSessions; ++i) {
      // Every other one sleeps a moment first, so that failures happen while others fail.
      const std::string wait = (i + round) % 2 == 0 ? "select pg_sleep(0.002); " : "";
      ASSERT_TRUE(sessions[size_t(i)].send(wait + "select 'no number " + std::to_string(i) + "/" +
                                           std::to_string(round) + "'::int"));
    }
    for (int i = 0; i < kSessions; ++i) {
      const Result result = sessions[size_t(i)].collect();
      EXPECT_EQ(result.sqlstate, "22P02");
      EXPECT_EQ(result.message, "invalid input syntax for type integer: \"no number " +
                                    std::to_string(i) + "/" + std::to_string(round) + "\"");
    }
  }
}

/// Thousands of connections, one after the other: memory, descriptors and slots end where they
/// were.
TEST_P(FairnessTest, ConnectionsLeaveNothingBehind) {
  server.configure("max_connections = 20\n");
  server.start();
  // (PostgreSQL itself is not under test.)
  constexpr int kWarmUp = 500;
  const int connections = server.is_reference() ? 1000 : 20000 / kSlowness;
  const auto connect_many = [&](int count, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    int made = 0;
    while (made < count && std::chrono::steady_clock::now() < deadline) {
      RawClient client(server);
      client.log_in();
      if (client.backend_pid() == 0) {
        ADD_FAILURE() << "connection " << made << " was refused";
        return made;
      }
      client.send(protocol_message('X', ""));
      client.receive_all();  // its slot is free before the next one comes
      ++made;
    }
    return made;
  };
  const auto alone = [&] {
    return server.value(
               "select count(*) from pg_stat_activity where backend_type = 'client backend'") ==
           "1";
  };
  connect_many(kWarmUp, std::chrono::seconds(20));
  ASSERT_TRUE(wait_until(alone));
  const long before = resident_kb(server.pid());
  const int descriptors = open_descriptors(server.pid());
  const int made = connect_many(connections, std::chrono::seconds(200));
  ASSERT_TRUE(wait_until(alone));
  const long after = resident_kb(server.pid());
  std::printf("%d connections, resident before %ld kB, after %ld kB\n", made, before, after);
  EXPECT_EQ(made, connections);
  EXPECT_LE(after, before + 2048);
  EXPECT_TRUE(wait_until([&] { return open_descriptors(server.pid()) <= descriptors; }));
  // All slots of shared memory can be taken still.
  EXPECT_TRUE(wait_until([&] {
    std::vector<Session> sessions;
    for (int i = 0; i < 20; ++i) sessions.emplace_back(server);
    return std::all_of(sessions.begin(), sessions.end(),
                       [](const Session& session) { return session.connected(); });
  }));
}

INSTANTIATE_FOR_ALL_FLAVORS(FairnessTest);

}  // namespace
}  // namespace cofork::test
