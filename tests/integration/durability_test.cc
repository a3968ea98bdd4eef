// The server is killed with signal 9 at random moments, as a whole or one task of it, while clients
// pay money around; after every recovery an auditor looks whether every promise was kept
// (ledger.h).
//
// The environment sets how long: COFORK_ROUNDS (20), and COFORK_SEED repeats a run's choices. Each
// round is announced on standard output, for who watches `tools/soak`.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "client.h"
#include "ledger.h"
#include "server.h"

namespace cofork::test {
namespace {

constexpr int kPayers = 6;
constexpr const char* kToolsBin = "/usr/lib/postgresql/15/bin";

uint32_t number_from_environment(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::stoul(text));
}

class DurabilityTest : public ServerTest {
 protected:
  const uint32_t rounds_ = number_from_environment("COFORK_ROUNDS", 20);
  const uint32_t seed_ = number_from_environment("COFORK_SEED", std::random_device()());
  std::mt19937 random_{seed_};
  Ledger ledger_{server, seed_};

  uint32_t any(uint32_t most) { return random_() % most + 1; }

  /// Small everything, so that segments, checkpoints and replaced buffers come often.
  void make_cluster() {
    std::filesystem::remove_all(server.data());
    const CommandResult made =
        run({server.program("initdb"), "-D", server.data(), "-U", "postgres", "-A", "trust", "-E",
             "UTF8", "--locale=C", "-N", "-k", "--wal-segsize=1"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    server.configure("listen_addresses = ''\nunix_socket_directories = '" + server.directory() +
                     "'\nlog_timezone = 'UTC'\nfsync = off\nshared_buffers = 2MB\n"
                     "min_wal_size = 2MB\nmax_wal_size = 4MB\ncheckpoint_warning = 0\n"
                     "bgwriter_delay = 10ms\nwal_writer_delay = 10ms\n");
  }

  /// In every third round also once or twice in the middle of recovery.
  void kill_whole_server_and_start_it() {
    server.kill_all();
    for (uint32_t again = any(6); again <= 2; ++again) {
      server.spawn();
      std::this_thread::sleep_for(std::chrono::milliseconds(any(300)));
      if (server.has_exited()) break;
      server.kill_all();
    }
    server.start();
  }

  pid_t pid_of_role(const std::string& role) {
    return std::stoi(
        server.value("select pid from pg_stat_activity where backend_type = '" + role + "'"));
  }

  void kill_one_task(const std::string& role) {
    pid_t victim = 0;
    if (role == "client backend") {
      const auto backends = ledger_.backends();
      ASSERT_FALSE(backends.empty());
      victim = backends[random_() % backends.size()];
    } else {
      victim = pid_of_role(role);
    }
    const size_t before = server.log_size();
    ASSERT_EQ(server.kill_task(victim, "KILL").exit_code, 0);
    ASSERT_TRUE(server.wait_for_log("all server processes terminated; reinitializing", before));
    ASSERT_TRUE(server.wait_for_log("database system is ready to accept connections", before));
  }

  void one_round(uint32_t round) {
    ledger_.start(kPayers);
    ASSERT_TRUE(wait_until([&] { return ledger_.paid() >= 5; })) << ledger_.complaints();
    std::this_thread::sleep_for(std::chrono::milliseconds(any(700)));
    const std::string kVictims[] = {"the server", "client backend", "checkpointer",
                                    "the server", "walwriter",      "background writer"};
    const std::string victim = kVictims[random_() % std::size(kVictims)];
    std::cout << "round " << round << " of " << rounds_ << ": " << ledger_.paid()
              << " payments, killing " << victim << std::endl;
    if (victim == "the server") {
      kill_whole_server_and_start_it();
    } else {
      kill_one_task(victim);
    }
    ledger_.stop();
    ledger_.audit();
    EXPECT_FALSE(server.find_in_log("PANIC:  "));
    EXPECT_FALSE(server.find_in_log("page verification failed"));
  }
};

TEST_P(DurabilityTest, NoPromiseIsBrokenByKilling) {
  std::cout << "COFORK_SEED=" << seed_ << std::endl;
  make_cluster();
  server.start();
  ledger_.create_tables();
  for (uint32_t round = 1; round <= rounds_ && !HasFailure(); ++round) one_round(round);
  ASSERT_FALSE(HasFailure()) << "COFORK_SEED=" << seed_;
  ASSERT_EQ(server.stop(SIGINT), 0);
  const CommandResult checked =
      run({std::string(kToolsBin) + "/pg_checksums", "--check", "-D", server.data()});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

INSTANTIATE_FOR_COFORK(DurabilityTest);

}  // namespace
}  // namespace cofork::test
