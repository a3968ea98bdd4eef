// Clients that misbehave, and statements that are legal but hostile. Afterwards everything is
// counted: descriptors, shared slots, memory. Nobody else may notice.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <list>
#include <thread>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class HostileTest : public ServerTest {
 protected:
  void SetUp() override {
    server.configure("authentication_timeout = 2s\n");
    server.start();
    neighbour_.emplace(server);
    ASSERT_TRUE(neighbour_->connected());
    settle();
    descriptors_before_ = open_descriptors(server.pid());
    rows_before_ = client_rows();
  }

  /// The neighbour is undisturbed, and all that came has gone again.
  void TearDown() override {
    if (!neighbour_) return;
    EXPECT_EQ(neighbour_->query("select 1").first(), "1");
    settle();
    EXPECT_LE(open_descriptors(server.pid()), descriptors_before_) << "descriptors leak";
    EXPECT_EQ(client_rows(), rows_before_) << "slots leak";
    EXPECT_EQ(server.log().find("terminating any other active server processes"),
              std::string::npos);
  }

  int client_rows() {
    return std::stoi(neighbour_
                         ->query("select count(*) from pg_stat_activity where backend_type = "
                                 "'client backend'")
                         .first());
  }
  /// Waits until no half-dead connection is left.
  void settle() {
    EXPECT_TRUE(wait_until([&] { return client_rows() == 1; }));
    if (server.has_processes()) {
      EXPECT_TRUE(wait_until([&] {
        const auto rows = neighbour_->query("select count(*) from pg_stat_activity").first();
        return std::to_string(children_of(server.pid()).size()) == rows;
      }));
    } else {
      wait_until([&] { return open_descriptors(server.pid()) <= descriptors_before_; },
                 std::chrono::seconds(5 * kSlowness));
    }
  }

  std::optional<Session> neighbour_;
  int descriptors_before_ = 1 << 20;
  int rows_before_ = 0;
};

TEST_P(HostileTest, GarbageInsteadOfAStartupPacket) {
  for (const char* garbage : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                              "\xff\xff\xff\xff\xff\xff\xff\xff", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    const size_t before = server.log_size();
    RawClient client(server);
    ASSERT_TRUE(client.send(garbage));
    EXPECT_EQ(client.receive_bytes(), "");
    EXPECT_TRUE(server.wait_for_log("LOG:  invalid length of startup packet\n", before));
  }
}

TEST_P(HostileTest, HalfAStartupPacket) {
  const size_t before = server.log_size();
  RawClient half(server);
  half.send(startup_packet({"user", "postgres"}).substr(0, 10));
  half.shut_down_writing();
  EXPECT_EQ(half.receive_bytes(), "");
  EXPECT_TRUE(server.wait_for_log("LOG:  incomplete startup packet\n", before));

  const size_t silent_from = server.log_size();
  RawClient nothing(server);
  nothing.shut_down_writing();
  EXPECT_EQ(nothing.receive_bytes(), "");
  EXPECT_EQ(server.log_size(), silent_from) << "a connection without a byte is not worth a line";
}

TEST_P(HostileTest, UnsupportedProtocolVersion) {
  RawClient client(server);
  client.send(int32_bytes(8) + int32_bytes(7 << 16));
  const auto message = client.receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->fields()['C'], "0A000");
  EXPECT_EQ(message->fields()['M'],
            "unsupported frontend protocol 7.0: server supports 3.0 to 3.0");
}

TEST_P(HostileTest, EncryptionRequestsAreDeclined) {
  for (const int code : {80877103, 80877104}) {
    RawClient client(server);
    client.send(int32_bytes(8) + int32_bytes(code));
    client.shut_down_writing();
    EXPECT_EQ(client.receive_bytes(), "N");
  }
}

TEST_P(HostileTest, ClaimedLengthsCostNothing) {
  if (server.is_reference()) GTEST_SKIP() << "PostgreSQL allocates what a client claims";
  std::list<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(server).log_in();
  const long before = proportional_kb(server.pid());
  for (RawClient& client : clients) {
    // A query said to be almost a gigabyte, of which a few bytes come.
    client.send("Q" + int32_bytes(0x3ffffff0) + "select 1");
  }
  EXPECT_EQ(neighbour_->query("select 1").first(), "1");
  const long grown = proportional_kb(server.pid()) - before;
  EXPECT_LT(grown, 20 * 1024) << "kB for 20 clients that only claim";
}

/// Where nobody has shown yet who he is, such a length is not even believed.
TEST_P(HostileTest, GigabyteOfStartupPacketIsRefused) {
  const size_t from = server.log_size();
  RawClient stranger(server);
  stranger.send(int32_bytes(0x40000000) + int32_bytes(196608) + "user");
  EXPECT_EQ(stranger.receive_bytes(), "");
  EXPECT_TRUE(server.wait_for_log("LOG:  invalid length of startup packet\n", from));
}

TEST_P(HostileTest, HalfAMessageAfterLogin) {
  const std::string query = protocol_message('Q', std::string("select 1") + '\0');
  RawClient silent(server), gone(server);
  for (RawClient* client : {&silent, &gone}) {
    client->log_in();
    client->send(query.substr(0, query.size() / 2));
  }
  const size_t from = server.log_size();
  gone.shut_down_writing();
  EXPECT_TRUE(gone.receive_all().empty());
  EXPECT_TRUE(server.wait_for_log("LOG:  incomplete message from client\n", from));
  // One that only takes its time is waited for.
  silent.send(query.substr(query.size() / 2));
  EXPECT_EQ(silent.receive()->type, 'T');
}

TEST_P(HostileTest, NonsenseAfterLogin) {
  struct Case {
    std::string bytes, sqlstate, message;
  };
  const Case kCases[] = {
      {"Q" + int32_bytes(3), "08P01", "invalid message length"},
      {"~" + int32_bytes(4), "08P01", "invalid frontend message type 126"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.message);
    const size_t before = server.log_size();
    RawClient client(server);
    client.log_in();
    client.send(test.bytes);
    const auto messages = client.receive_all();
    if (messages.empty()) {  // no reply where the stream can no longer be trusted
      EXPECT_TRUE(server.wait_for_log(test.message, before));
      continue;
    }
    EXPECT_EQ(messages.back().fields()['C'], test.sqlstate);
    EXPECT_EQ(messages.back().fields()['S'], "FATAL");
    EXPECT_EQ(messages.back().fields()['M'], test.message);
  }
}

TEST_P(HostileTest, ClientsThatVanish) {
  for (int i = 0; i < 50; ++i) {
    RawClient client(server);
    client.log_in();
    client.send_query(i % 2 == 0 ? "select pg_sleep(0.01)" : "begin");
    client.close();
  }
}

TEST_P(HostileTest, CancelRequestsThatMatchNobody) {
  const size_t before = server.log_size();
  RawClient stranger(server);
  stranger.send(int32_bytes(16) + int32_bytes(80877102) + int32_bytes(4194303) + int32_bytes(1));
  EXPECT_EQ(stranger.receive_bytes(), "");
  EXPECT_TRUE(server.wait_for_log("LOG:  PID 4194303 in cancel request did not match any process\n",
                                  before));

  RawClient target(server);
  target.log_in();
  RawClient wrong_key(server);
  wrong_key.send(int32_bytes(16) + int32_bytes(80877102) + int32_bytes(target.backend_pid()) +
                 int32_bytes(target.cancel_key() ^ 1));
  EXPECT_EQ(wrong_key.receive_bytes(), "");
  EXPECT_TRUE(server.wait_for_log(
      "LOG:  wrong key in cancel request for process " + std::to_string(target.backend_pid()),
      before));
}

/// A thousand a second for ten seconds: what each costs the server must leave room for that many on
/// one CPU, however many of them a machine that has other things to do gets sent. (PostgreSQL
/// itself gets a shorter one: it is not under test.)
TEST_P(HostileTest, CancelStorm) {
  const std::chrono::seconds storm(server.is_reference() ? 2 : 10);
  Session victim(server);
  const double cpu_before = cpu_seconds(server.pid());
  const auto begin = std::chrono::steady_clock::now();
  int sent = 0;
  int cancelled = 0;
  while (std::chrono::steady_clock::now() - begin < storm) {
    ASSERT_TRUE(victim.send("select pg_sleep(10)"));
    do {
      ASSERT_TRUE(victim.cancel());
      ++sent;
      std::this_thread::sleep_until(begin + std::chrono::milliseconds(sent));
    } while (!victim.answer_is_ready(std::chrono::milliseconds(0)));
    const Result result = victim.collect();
    EXPECT_EQ(result.sqlstate, "57014");
    ++cancelled;
    ASSERT_EQ(neighbour_->query("select 1").first(), "1");
  }
  const double cpu_each = (cpu_seconds(server.pid()) - cpu_before) / sent;
  std::printf("%d cancels sent in %d s, %.0f us of CPU each, %d statements cancelled\n", sent,
              static_cast<int>(storm.count()), cpu_each * 1e6, cancelled);
  if (server.is_cofork()) {
    EXPECT_LT(cpu_each, 1e-3 * kSlowness);
  }
  EXPECT_GT(sent, 10 * storm.count());
  EXPECT_GT(cancelled, storm.count());
  // One that is still on its way may hit the next statement; after that there is peace.
  EXPECT_TRUE(wait_until([&] { return victim.query("select 2").ok; }));
}

TEST_P(HostileTest, StatementsThatAreTooDeep) {
  std::string sum = "select 1";
  for (int i = 1; i < 100000; ++i) sum += "+1";
  const Result deep = neighbour_->query(sum);
  EXPECT_EQ(deep.sqlstate, "54001") << deep.message;
  EXPECT_EQ(deep.message, "stack depth limit exceeded");
  EXPECT_EQ(deep.hint,
            "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after "
            "ensuring the platform's stack depth limit is adequate.");

  const std::string brackets =
      "select " + std::string(100000, '(') + "1" + std::string(100000, ')');
  const Result nested = neighbour_->query(brackets);
  EXPECT_EQ(nested.sqlstate, "42601") << nested.message;
  EXPECT_EQ(nested.message, "memory exhausted at or near \"(\"");
}

TEST_P(HostileTest, TenMegabyteLiteralComesBackWhole) {
  const std::string text(10 << 20, 'x');
  const Result result = neighbour_->query("select '" + text + "'");
  ASSERT_TRUE(result.ok) << result.message;
  EXPECT_EQ(result.first().size(), text.size());
  EXPECT_TRUE(result.first() == text);
}

INSTANTIATE_FOR_ALL_FLAVORS(HostileTest);

}  // namespace
}  // namespace cofork::test
