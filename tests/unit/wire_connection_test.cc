// The connection, held against both models: two tasks talk over a pair of sockets.
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <new>
#include <string>

#include "in_model.h"
#include "wire/connection.h"

namespace cofork {
namespace {

/// Counts what the connection tells, and serves interrupts as between two commands.
struct Owner final : ConnectionOwner {
  void serve_read_interrupts(bool blocked) override {
    if (!blocked) return;
    ++woken;
    if (tell == nullptr) return;
    tell->out().add_raw("woken");
    tell->flush_without_waiting();
  }
  void serve_write_interrupts(bool blocked) override { woken += blocked ? 1 : 0; }
  void sending_failed(int) override { ++failures; }
  void receiving_failed(int) override { ++failures; }
  Connection* tell = nullptr;  ///< where to say that the latch has woken a reader
  int woken = 0;
  int failures = 0;
};

struct Pair {
  int ends[2];
  Pair() {
    EXPECT_IN_MODEL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  }
};

class ConnectionTest : public testing::TestWithParam<TestedModel> {
 protected:
  int run(const std::function<void(Task&)>& body) { return run_in_model(GetParam(), body); }

  /// Runs `server` as a child with one end, `client` here with the other.
  int talk(const std::function<void(Task&, Connection&, Owner&)>& server,
           const std::function<void(Task&, Connection&, Owner&, Pid)>& client) {
    return run([&](Task& task) {
      task.on_signal(SIGCHLD, [](Task& t, int) { set_latch(t.latch()); });
      task.unblock_signals();
      Pair pair;
      task.adopt_fd(pair.ends[0]);
      task.adopt_fd(pair.ends[1]);
      int end = pair.ends[1];
      Pid child = task.model().spawn(task, {"server",
                                            [&server, end](Task& t) {
                                              Owner owner;
                                              Connection connection(t, end, owner);
                                              server(t, connection, owner);
                                            },
                                            {end},
                                            true});
      EXPECT_IN_MODEL(child > 0);
      {
        Owner owner;
        Connection connection(task, pair.ends[0], owner);
        client(task, connection, owner, child);
      }
      std::optional<Death> death;
      while (!(death = task.model().reap())) {
        wait_latch(kWaitLatch | kWaitPostmasterDeath, -1, WaitEventId::kPostmasterMain);
        reset_latch(task.latch());
      }
      EXPECT_IN_MODEL(death->status.is_exit(0));
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Models, ConnectionTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

/// Sends back all that comes, in pieces of `size`, until the peer closes.
void echo(Connection& connection, size_t size) {
  while (connection.need(size)) {
    connection.out().add_raw({connection.data(), size});
    connection.consume(size);
    connection.flush();
  }
}

TEST_P(ConnectionTest, SmallMessagesGoBackAndForth) {
  EXPECT_EQ(0, talk([](Task&, Connection& connection, Owner&) { echo(connection, 5); },
                    [](Task&, Connection& connection, Owner&, Pid) {
                      for (int i = 0; i < 1000; ++i) {
                        connection.out().add_raw("hello");
                        connection.flush();
                        EXPECT_IN_MODEL(connection.need(5));
                        EXPECT_IN_MODEL(std::string(connection.data(), 5) == "hello");
                        connection.consume(5);
                      }
                      connection.shrink();
                      EXPECT_IN_MODEL(connection.footprint_bytes() <= 2048);
                    }));
}

TEST_P(ConnectionTest, AMessageLargerThanAllBuffersArrivesWhole) {
  constexpr size_t kSize = 3'000'000;
  EXPECT_EQ(0, talk([](Task&, Connection& connection, Owner&) { echo(connection, kSize); },
                    [](Task&, Connection& connection, Owner&, Pid) {
                      std::string sent(kSize, '\0');
                      for (size_t i = 0; i < kSize; ++i) sent[i] = static_cast<char>(i * 7);
                      connection.out().add_raw(sent);
                      connection.flush();
                      EXPECT_IN_MODEL(connection.need(kSize));
                      EXPECT_IN_MODEL(sent == std::string_view(connection.data(), kSize));
                      connection.consume(kSize);
                      connection.shrink();
                      EXPECT_IN_MODEL(connection.footprint_bytes() <= 2048);
                    }));
}

// A message may end exactly where the buffer does, with the next one still in the kernel.
TEST_P(ConnectionTest, MessagesThatFillTheBufferExactly) {
  for (size_t size : {size_t{1}, size_t{512}, size_t{1024}, size_t{1025}, size_t{8192}}) {
    EXPECT_EQ(0, talk([size](Task&, Connection& connection, Owner&) { echo(connection, size); },
                      [size](Task&, Connection& connection, Owner&, Pid) {
                        connection.out().add_raw(std::string(4 * size, 'x'));
                        connection.flush();
                        for (int i = 0; i < 4; ++i) {
                          EXPECT_IN_MODEL(connection.need(size));
                          connection.consume(size);
                        }
                      }))
        << "size " << size;
  }
}

TEST_P(ConnectionTest, MemoryFollowsWhatArrivesNotWhatIsClaimed) {
  EXPECT_EQ(0, talk(
                   [](Task&, Connection& connection, Owner&) {
                     EXPECT_IN_MODEL(!connection.need(size_t{1} << 30));
                     EXPECT_IN_MODEL(connection.available() == 3000);
                     EXPECT_IN_MODEL(connection.footprint_bytes() < 20'000);
                   },
                   [](Task&, Connection& connection, Owner&, Pid) {
                     connection.out().add_raw(std::string(3000, 'x'));
                     connection.flush();
                   }));
}

TEST_P(ConnectionTest, TheLatchWakesAReader) {
  EXPECT_EQ(0, talk(
                   [](Task& task, Connection& connection, Owner& owner) {
                     task.on_signal(SIGUSR1, [](Task& t, int) { set_latch(t.latch()); });
                     task.unblock_signals();
                     connection.out().add_raw("up");
                     connection.flush();
                     owner.tell = &connection;
                     EXPECT_IN_MODEL(connection.need(1));
                     EXPECT_IN_MODEL(owner.woken >= 1);
                   },
                   [](Task& task, Connection& connection, Owner&, Pid server) {
                     EXPECT_IN_MODEL(connection.need(2));
                     EXPECT_IN_MODEL(task.model().kill(server, SIGUSR1) == 0);
                     EXPECT_IN_MODEL(connection.need(2 + 5));
                     connection.out().add_raw("x");
                     connection.flush();
                   }));
}

TEST_P(ConnectionTest, AClientThatHasGoneIsToldOnce) {
  EXPECT_EQ(0, talk(
                   [](Task&, Connection& connection, Owner& owner) {
                     EXPECT_IN_MODEL(!connection.need(1));
                     EXPECT_IN_MODEL(connection.peer_has_gone());
                     for (int i = 0; i < 3; ++i) {
                       connection.out().add_raw("anybody there?");
                       connection.flush();
                     }
                     EXPECT_IN_MODEL(owner.failures == 1);
                     EXPECT_IN_MODEL(!connection.sending());
                   },
                   [](Task&, Connection& connection, Owner&, Pid) { connection.close(); }));
}

TEST_P(ConnectionTest, LastWordsFollowWhatIsComplete) {
  EXPECT_EQ(0, talk(
                   [](Task&, Connection& connection, Owner&) {
                     connection.out().add_raw("whole,");
                     connection.send_last_words("bye");
                   },
                   [](Task&, Connection& connection, Owner&, Pid) {
                     EXPECT_IN_MODEL(connection.need(9));
                     EXPECT_IN_MODEL(std::string(connection.data(), 9) == "whole,bye");
                   }));
}

}  // namespace
}  // namespace cofork
