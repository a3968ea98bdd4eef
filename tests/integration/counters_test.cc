// The workers' levers and counters: set one, see pg_stat_bgwriter or pg_stat_wal move as the manual
// says. How a checkpoint is spread, what the background writer cleans, when the WAL writer flushes
// what nobody waits for.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class CountersTest : public ServerTest {
 protected:
  /// Segments of 1 MB, so that little WAL asks for a checkpoint.
  void make_cluster(const std::string& more) {
    std::filesystem::remove_all(server.data());
    const CommandResult made =
        run({server.program("initdb"), "-D", server.data(), "-U", "postgres", "-A", "trust", "-E",
             "UTF8", "--locale=C", "-N", "--wal-segsize=1"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    server.configure("listen_addresses = ''\nunix_socket_directories = '" + server.directory() +
                     "'\nautovacuum = off\ncheckpoint_warning = 0\nlog_checkpoints = on\n" + more);
    server.start();
  }

  int64_t counter(const std::string& expression, const std::string& view) {
    return std::stoll(server.value("select (" + expression + ")::int8 from " + view));
  }
  int64_t bgwriter(const std::string& expression) {
    return counter(expression, "pg_stat_bgwriter");
  }

  void must(const std::string& sql) {
    Session session(server);
    const Result result = session.query(sql);
    ASSERT_TRUE(result.ok) << sql << ": " << result.message;
  }

  void set_lever(const std::string& name, const std::string& value) {
    must("alter system set " + name + " = '" + value + "'");
    must("select pg_reload_conf()");
    ASSERT_TRUE(wait_until([&] { return server.value("show " + name) == value; })) << name;
  }
};

class CheckpointSpreadTest : public CountersTest {
 protected:
  /// Dirties some 500 pages and has WAL ask for a checkpoint; how long that spends writing, in ms.
  int64_t write_time_of_next_checkpoint() {
    must("checkpoint");
    const int64_t requested = bgwriter("checkpoints_req");
    const int64_t before = bgwriter("checkpoint_write_time");
    const size_t log_before = server.log_size();
    must("update spread set b = b + 1");
    for (int i = 0; i < 8 && !server.find_in_log("checkpoint starting: wal", log_before); ++i) {
      must("select pg_switch_wal()");
      must("insert into spread values (0, 0, '')");
    }
    EXPECT_TRUE(server.wait_for_log("checkpoint starting: wal", log_before));
    EXPECT_TRUE(server.wait_for_log(
        "checkpoint complete: wrote ",
        log_before + server.log().substr(log_before).find("checkpoint starting: wal")));
    EXPECT_TRUE(wait_until([&] { return bgwriter("checkpoints_req") > requested; }));
    return bgwriter("checkpoint_write_time") - before;
  }
};

TEST_P(CheckpointSpreadTest, CompletionTargetSpreadsTheWrites) {
  // 30 s is the least checkpoint_timeout there is.
  make_cluster("fsync = off\ncheckpoint_timeout = 30s\nmax_wal_size = 64MB\nmin_wal_size = 2MB\n");
  must("create table spread (a int, b int, c text) with (fillfactor = 50)");
  must("insert into spread select g, 0, repeat('s', 300) from generate_series(1, 5000) g");
  const int64_t requested = bgwriter("checkpoints_req"), written = bgwriter("buffers_checkpoint");
  const int64_t time_before = bgwriter("checkpoint_write_time");
  must("checkpoint");
  ASSERT_TRUE(wait_until([&] { return bgwriter("checkpoints_req") == requested + 1; }));
  EXPECT_GT(bgwriter("buffers_checkpoint"), written + 300);
  EXPECT_LT(bgwriter("checkpoint_write_time") - time_before, 1000) << "asked for: at once";

  set_lever("max_wal_size", "4MB");
  set_lever("checkpoint_completion_target", "0.05");
  const int64_t quick = write_time_of_next_checkpoint();
  set_lever("checkpoint_completion_target", "0.2");
  const int64_t slow = write_time_of_next_checkpoint();
  // A twentieth and a fifth of 30 s, unless WAL goes on and hurries it.
  EXPECT_GT(quick, 200);
  EXPECT_LT(quick, 2500 * kSlowness);
  EXPECT_GT(slow, quick);
  EXPECT_GT(slow, 2000);
  EXPECT_LT(slow, 8000 * kSlowness);
}

/// Reads a table larger than the pool and changes it, so that buffers are wanted.
class BackgroundWriterTest : public CountersTest {
 protected:
  void make_work() {
    must("update dirt set b = b + 1 where a % 4 = " + std::to_string(++turn_ % 4));
  }
  int turn_ = 0;
};

TEST_P(BackgroundWriterTest, PageLimitGovernsWhatItCleans) {
  make_cluster(
      "fsync = off\nshared_buffers = 1MB\nmax_wal_size = 1GB\nbgwriter_delay = 10ms\n"
      "bgwriter_lru_maxpages = 0\nbgwriter_lru_multiplier = 4\n");
  must("create table dirt (a int primary key, b int, c text)");
  must("insert into dirt select g, 0, repeat('d', 500) from generate_series(1, 4000) g");
  const int64_t clean = bgwriter("buffers_clean"), allocated = bgwriter("buffers_alloc");
  for (int i = 0; i < 8; ++i) make_work();
  EXPECT_TRUE(wait_until([&] { return bgwriter("buffers_alloc") > allocated; }));
  EXPECT_EQ(bgwriter("buffers_clean"), clean) << "0 switches it off";
  EXPECT_EQ(bgwriter("maxwritten_clean"), 0);

  set_lever("bgwriter_lru_maxpages", "1");
  EXPECT_TRUE(wait_until([&] {
    make_work();
    return bgwriter("maxwritten_clean") > 0;
  })) << "one page a round is not enough, and it says so";
  EXPECT_GT(bgwriter("buffers_clean"), clean);

  set_lever("bgwriter_lru_maxpages", "1000");
  const int64_t limited = bgwriter("buffers_clean");
  EXPECT_TRUE(wait_until([&] {
    make_work();
    return bgwriter("buffers_clean") > limited + 20;
  }));
}

class WalWriterTest : public CountersTest {
 protected:
  std::string flush_lag() {
    return server.value("select pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()");
  }
};

TEST_P(WalWriterTest, AsynchronousCommitsAreFlushedAfterItsDelay) {
  make_cluster("fsync = on\nwal_writer_delay = 10s\nbgwriter_delay = 10s\n");
  must("create table lazy (a int)");
  // Asleep for ten seconds from now on: what is committed asynchronously stays where it is.
  Session session(server);
  ASSERT_TRUE(session.query("set synchronous_commit = off").ok);
  const int64_t syncs = counter("wal_sync", "pg_stat_wal");
  ASSERT_TRUE(session.query("insert into lazy values (1)").ok);
  EXPECT_NE(flush_lag(), "0");
  EXPECT_EQ(counter("wal_sync", "pg_stat_wal"), syncs);
  // A commit that is waited for takes the other along.
  must("insert into lazy values (2)");
  EXPECT_EQ(flush_lag(), "0");
  EXPECT_TRUE(wait_until([&] { return counter("wal_sync", "pg_stat_wal") > syncs; }));

  set_lever("wal_writer_delay", "20ms");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(session.query("insert into lazy values (3)").ok);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(wait_until([&] { return flush_lag() == "0"; }));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5 * kSlowness));
  }
  const int64_t records = counter("wal_records", "pg_stat_wal");
  const int64_t bytes = counter("wal_bytes", "pg_stat_wal");
  ASSERT_TRUE(session.query("insert into lazy select g from generate_series(1, 1000) g").ok);
  // A session tells what it has counted when a statement ends, once a second at most.
  EXPECT_TRUE(wait_until([&] {
    return session.query("select 1").ok && counter("wal_records", "pg_stat_wal") >= records + 1000;
  }));
  EXPECT_GE(counter("wal_bytes", "pg_stat_wal"), bytes + 1000 * 50);
}

INSTANTIATE_FOR_ALL_FLAVORS(CheckpointSpreadTest);
INSTANTIATE_FOR_ALL_FLAVORS(BackgroundWriterTest);
INSTANTIATE_FOR_ALL_FLAVORS(WalWriterTest);

}  // namespace
}  // namespace cofork::test
