// pgbench, as it comes with PostgreSQL 15: every way to initialise, every script by every protocol,
// from one client to 256. No transaction may fail, and afterwards the tables must agree.
//
// The environment makes it long (tools/soak): COFORK_PGBENCH_SCALE (1), COFORK_PGBENCH_SECONDS for
// each run (0: a few transactions a client). Each run is announced with its speed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

const std::string kPgbench = "/usr/lib/postgresql/15/bin/pgbench";
constexpr int kClientCounts[] = {1, 16, 64, 256};
constexpr const char* kProtocols[] = {"simple", "extended", "prepared"};
/// Three scripts, each by three protocols and with a connection for each transaction.
constexpr size_t kRuns = 3 * (std::size(kProtocols) + 1) * std::size(kClientCounts);

int number_from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoi(text);
}

class PgbenchTest : public ServerTest {
 protected:
  const int scale_ = number_from_environment("COFORK_PGBENCH_SCALE", 1);
  const int seconds_ = number_from_environment("COFORK_PGBENCH_SECONDS", 0);

  size_t runs_ = 0;

  void SetUp() override {
    if (run({kPgbench, "--version"}).exit_code != 0) GTEST_SKIP() << "there is no pgbench";
    server.configure("max_connections = 300\nshared_buffers = 64MB\n");
    server.start();
  }

  CommandResult pgbench(std::vector<std::string> arguments) {
    std::vector<std::string> command = {kPgbench, "-h", server.directory(), "-U", "postgres"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back("postgres");
    return run(command, {"LC_ALL=C", "PGDATABASE=postgres"});
  }

  void initialise(const std::string& steps) {
    const CommandResult made = pgbench({"-i", "-q", "-s", std::to_string(scale_), "-I", steps});
    ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
    EXPECT_EQ(made.err.find("ERROR"), std::string::npos) << made.err;
  }

  /// `script` is tpcb-like, simple-update or select-only.
  void bench(const std::string& script, const std::string& protocol, int clients,
             bool connects_each_time) {
    std::vector<std::string> arguments = {"-n",
                                          "-b",
                                          script,
                                          "-M",
                                          protocol,
                                          "-c",
                                          std::to_string(clients),
                                          "-j",
                                          std::to_string(std::min(clients, 4))};
    const int each = std::max(2, 32 / clients);
    if (connects_each_time) arguments.push_back("-C");
    if (seconds_ > 0) {
      arguments.insert(arguments.end(), {"-T", std::to_string(seconds_)});
    } else {
      arguments.insert(arguments.end(), {"-t", std::to_string(each)});
    }
    const std::string what = script + " -M " + protocol + " -c " + std::to_string(clients) +
                             (connects_each_time ? " -C" : "");
    const CommandResult done = pgbench(arguments);
    EXPECT_EQ(done.exit_code, 0) << what << "\n" << done.out << done.err;
    EXPECT_NE(done.out.find("number of failed transactions: 0 (0.000%)"), std::string::npos)
        << what << "\n"
        << done.out << done.err;
    if (seconds_ == 0) {
      const std::string all = std::to_string(each * clients);
      EXPECT_NE(done.out.find("actually processed: " + all + "/" + all), std::string::npos)
          << what << "\n"
          << done.out;
    }
    const size_t tps = done.out.find("tps = ");
    std::cout << "run " << ++runs_ << " of " << kRuns << ": " << what << ", "
              << (tps == std::string::npos
                      ? "no speed"
                      : done.out.substr(tps, done.out.find(' ', tps + 6) - tps))
              << std::endl;
  }

  void every_protocol_and_crowd(const std::string& script) {
    for (const char* protocol : kProtocols) {
      for (int clients : kClientCounts) {
        bench(script, protocol, clients, false);
        if (HasFailure()) return;
      }
    }
    for (int clients : kClientCounts) bench(script, "simple", clients, true);
  }

  /// Branches and tellers have received the same; accounts have received what history tells.
  void expect_agreement() {
    EXPECT_EQ(server.value("select sum(bbalance) from pgbench_branches"),
              server.value("select sum(tbalance) from pgbench_tellers"));
    EXPECT_EQ(server.value("select sum(abalance) from pgbench_accounts"),
              server.value("select sum(delta) from pgbench_history"));
    EXPECT_EQ(server.value("select count(*) from pgbench_accounts"),
              std::to_string(scale_ * 100000));
  }
};

/// PostgreSQL's own pgbench needs no proof with PostgreSQL: this one is long.
class PgbenchMatrixTest : public PgbenchTest {};

TEST_P(PgbenchMatrixTest, EveryScriptByEveryProtocol) {
  initialise("dtgvp");
  every_protocol_and_crowd("tpcb-like");
  EXPECT_EQ(server.value("select sum(bbalance) from pgbench_branches"),
            server.value("select sum(delta) from pgbench_history"));
  expect_agreement();
  every_protocol_and_crowd("simple-update");
  expect_agreement();
  every_protocol_and_crowd("select-only");
  EXPECT_EQ(runs_, kRuns);
  EXPECT_FALSE(server.find_in_log("ERROR:  "));
  EXPECT_FALSE(server.find_in_log("PANIC:  "));
}

TEST_P(PgbenchTest, EveryWayToInitialise) {
  for (const char* steps : {"dtGvp", "dtgvpf", "dtGpvf"}) {
    SCOPED_TRACE(steps);
    initialise(steps);
    EXPECT_EQ(server.value("select count(*) from pgbench_accounts"),
              std::to_string(scale_ * 100000));
    EXPECT_EQ(server.value("select count(*) from pg_constraint where contype = 'f'"),
              std::string(steps).back() == 'f' ? "5" : "0");
    bench("tpcb-like", "prepared", 4, false);
    expect_agreement();
  }
}

INSTANTIATE_FOR_ALL_FLAVORS(PgbenchTest);
INSTANTIATE_FOR_COFORK(PgbenchMatrixTest);

}  // namespace
}  // namespace cofork::test
