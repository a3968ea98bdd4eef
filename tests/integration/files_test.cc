// The files on disk are PostgreSQL 15's: its own tools read them, before, after and across a crash.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class FilesTest : public ServerTest {
 protected:
  void SetUp() override {
    if (run({kBin + "pg_waldump", "--version"}).exit_code != 0) {
      GTEST_SKIP() << "PostgreSQL 15's own tools are not installed";
    }
  }
  /// pg_controldata's lines by their label.
  std::map<std::string, std::string> control() {
    const CommandResult result = run({kBin + "pg_controldata", server.data()}, {"LC_ALL=C"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out.find("WARNING"), std::string::npos) << result.out;
    std::map<std::string, std::string> values;
    for (size_t begin = 0; begin < result.out.size();) {
      const size_t end = result.out.find('\n', begin);
      const std::string line = result.out.substr(begin, end - begin);
      const size_t colon = line.find(':');
      values[line.substr(0, colon)] = line.substr(line.find_first_not_of(' ', colon + 1));
      begin = end + 1;
    }
    return values;
  }
  /// What pg_waldump shows from a position to the end of the log.
  std::string wal_from(const std::string& start) {
    const CommandResult result =
        run({kBin + "pg_waldump", "-p", server.data() + "/pg_wal", "-s", start}, {"LC_ALL=C"});
    // Running into the end is how it ends; anything else is an error of ours.
    EXPECT_TRUE(result.exit_code == 0 ||
                result.err.find("invalid record length at") != std::string::npos)
        << result.err;
    return result.out;
  }
  const std::string kBin = "/usr/lib/postgresql/15/bin/";
};

TEST_P(FilesTest, FreshDirectory) {
  auto values = control();
  EXPECT_EQ(values["pg_control version number"], "1300");
  EXPECT_EQ(values["Database cluster state"], "shut down");
  EXPECT_EQ(values["Bytes per WAL segment"], "16777216");
  EXPECT_EQ(values["Database block size"], "8192");
  EXPECT_EQ(values["wal_level setting"], "replica");
  EXPECT_EQ(read_file(server.data() + "/PG_VERSION"), "15\n");
  EXPECT_EQ(values["Latest checkpoint location"], values["Latest checkpoint's REDO location"]);
  const std::string wal = wal_from(values["Latest checkpoint location"]);
  EXPECT_NE(
      wal.find("desc: CHECKPOINT_SHUTDOWN redo " + values["Latest checkpoint's REDO location"]),
      std::string::npos)
      << wal;
}

TEST_P(FilesTest, ShutdownWritesItsCheckpoint) {
  const std::string before = control()["Latest checkpoint location"];
  server.start();
  EXPECT_EQ(control()["Database cluster state"], "in production");
  EXPECT_EQ(server.stop(SIGINT), 0);
  auto values = control();
  EXPECT_EQ(values["Database cluster state"], "shut down");
  EXPECT_NE(values["Latest checkpoint location"], before);
  EXPECT_NE(wal_from(values["Latest checkpoint location"]).find("CHECKPOINT_SHUTDOWN"),
            std::string::npos);
}

TEST_P(FilesTest, CheckpointCommandWritesAnOnlineCheckpoint) {
  server.configure("log_checkpoints = on\n");
  server.start();
  const std::string before = control()["Latest checkpoint location"];
  Session session(server);
  const Result result = session.query("checkpoint");
  ASSERT_TRUE(result.ok) << result.message;
  EXPECT_EQ(result.tag, "CHECKPOINT");
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  checkpoint starting: immediate force wait\n", "LOG:  checkpoint complete: wrote "}));
  auto values = control();
  EXPECT_NE(values["Latest checkpoint location"], before);
  const std::string wal = wal_from(values["Latest checkpoint's REDO location"]);
  EXPECT_NE(wal.find("desc: CHECKPOINT_ONLINE redo "), std::string::npos) << wal;
}

TEST_P(FilesTest, RecoveryAfterACrashReadsWhatIsThere) {
  server.start();
  ASSERT_TRUE(Session(server).query("checkpoint").ok);
  EXPECT_EQ(server.stop(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(control()["Database cluster state"], "in production");
  const size_t before = server.log_size();
  server.start();
  EXPECT_TRUE(server.log_has_in_order(
      {"database system was interrupted; last known up at ",
       "database system was not properly shut down; automatic recovery in progress\n",
       "invalid record length at ", "checkpoint starting: end-of-recovery immediate wait\n",
       "checkpoint complete: ", "database system is ready to accept connections\n"},
      before));
  EXPECT_EQ(control()["Database cluster state"], "in production");
  EXPECT_EQ(server.stop(SIGINT), 0);
  EXPECT_EQ(control()["Database cluster state"], "shut down");
}

TEST_P(FilesTest, LostWalIsAPanic) {
  const std::string wal = server.data() + "/pg_wal/";
  write_file(wal + "000000010000000000000001", std::string(16 << 20, '\0'));
  server.spawn();
  EXPECT_EQ(server.wait_exit(), 1);
  EXPECT_TRUE(server.log_has_in_order(
      {"LOG:  database system was shut down at ", "LOG:  invalid primary checkpoint record\n",
       "PANIC:  could not locate a valid checkpoint record\n", "LOG:  startup process (PID ",
       ") was terminated by signal 6: Aborted\n",
       "LOG:  terminating any other active server processes\n",
       "LOG:  shutting down due to startup process failure\n",
       "LOG:  database system is shut down\n"}));
}

/// A directory with data checksums in which pgbench has been at work.
class BenchedFilesTest : public FilesTest {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    if (IsSkipped()) return;
    std::filesystem::remove_all(server.data());
    const CommandResult made = run({server.program("initdb"), "-D", server.data(), "-U", "postgres",
                                    "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-k"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    server.configure("listen_addresses = ''\nunix_socket_directories = '" + server.directory() +
                     "'\nfsync = off\nwal_keep_size = 256MB\n");
    server.start();
    start_of_wal_ = server.value("select pg_current_wal_insert_lsn()");
    pgbench({"-i", "-q", "-s", "1"});
    pgbench({"-n", "-c", "8", "-t", "100", "-M", "prepared"});
  }

  void pgbench(std::vector<std::string> arguments) {
    std::vector<std::string> command = {kBin + "pgbench", "-h", server.directory(), "-U",
                                        "postgres"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back("postgres");
    const CommandResult done = run(command, {"LC_ALL=C"});
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  }

  void expect_whole_checksums() {
    const CommandResult checked = run({kBin + "pg_checksums", "--check", "-D", server.data()});
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
    EXPECT_NE(checked.out.find("Bad checksums:  0\n"), std::string::npos) << checked.out;
  }

  /// The sums of pgbench's four tables and the length of its history, by table and by index.
  std::string sums() {
    std::string text;
    for (const char* sql :
         {"select sum(bbalance) from pgbench_branches", "select sum(tbalance) from pgbench_tellers",
          "select sum(abalance) from pgbench_accounts", "select sum(delta) from pgbench_history"}) {
      text += server.value(sql) + " ";
    }
    return text + server.value("select count(*) from pgbench_history");
  }

  std::string start_of_wal_;
};

TEST_P(BenchedFilesTest, ThePostgresToolsReadIt) {
  const std::string end = server.value("select pg_current_wal_insert_lsn()");
  ASSERT_EQ(server.stop(SIGINT), 0);
  auto values = control();
  EXPECT_EQ(values["Database cluster state"], "shut down");
  EXPECT_EQ(values["Data page checksum version"], "1");
  expect_whole_checksums();

  const std::vector<std::string> dump = {
      kBin + "pg_waldump", "-p", server.data() + "/pg_wal", "-s", start_of_wal_, "-e", end};
  const CommandResult records = run(dump, {"LC_ALL=C"});
  EXPECT_EQ(records.exit_code, 0) << records.err;
  EXPECT_EQ(records.err, "");
  for (const char* expected : {"rmgr: Heap ", "desc: HOT_UPDATE", "desc: INSERT", "rmgr: Btree ",
                               "rmgr: Transaction ", "desc: COMMIT", "rmgr: Heap2 ", "FPW"}) {
    EXPECT_NE(records.out.find(expected), std::string::npos) << expected;
  }
  EXPECT_EQ(records.out.find("UNKNOWN"), std::string::npos);

  std::vector<std::string> with_statistics = dump;
  with_statistics.push_back("--stats=record");
  const CommandResult statistics = run(with_statistics, {"LC_ALL=C"});
  EXPECT_EQ(statistics.exit_code, 0) << statistics.err;
  for (const char* expected : {"Heap/HOT_UPDATE", "Heap/INSERT", "Transaction/COMMIT", "Total"}) {
    EXPECT_NE(statistics.out.find(expected), std::string::npos) << expected;
  }
  EXPECT_EQ(statistics.out.find("UNKNOWN"), std::string::npos) << statistics.out;
}

TEST_P(BenchedFilesTest, OwnToolShowsItsPages) {
  if (server.is_reference()) GTEST_SKIP() << "PostgreSQL has an extension for that";
  const std::string table = server.value("select pg_relation_filepath('pgbench_history')");
  const std::string index = server.value("select pg_relation_filepath('pgbench_accounts_pkey')");
  ASSERT_EQ(server.stop(SIGINT), 0);
  const auto page = [&](const std::string& file, const std::string& block) {
    return run({server.program("cofork"), "page", "--csv", server.data() + "/" + file, block});
  };
  const CommandResult heap = page(table, "0");
  EXPECT_EQ(heap.exit_code, 0) << heap.err;
  EXPECT_EQ(heap.out.rfind("page_header\nlsn,checksum,flags,lower,", 0), 0u) << heap.out;
  EXPECT_NE(heap.out.find("\nheap_page_items\nlp,lp_off,lp_flags,"), std::string::npos);
  EXPECT_NE(heap.out.find("\n7,"), std::string::npos) << heap.out;
  EXPECT_NE(heap.out.find(",\"(0,7)\","), std::string::npos) << heap.out;
  EXPECT_NE(page(index, "0").out.find("\nbt_metap\n"), std::string::npos);
  EXPECT_NE(page(index, "1").out.find("\nbt_page_items\n"), std::string::npos);
  const CommandResult beyond = page(table, "100000");
  EXPECT_EQ(beyond.exit_code, 1);
  EXPECT_NE(beyond.err.find("block number 100000 is out of range"), std::string::npos);
  EXPECT_EQ(page(table, "x").exit_code, 2);
}

TEST_P(BenchedFilesTest, ToolsReadItAfterACrashToo) {
  const std::string before = sums();
  server.kill_all();
  server.start();
  EXPECT_EQ(sums(), before);
  ASSERT_EQ(server.stop(SIGINT), 0);
  expect_whole_checksums();
}

TEST_P(BenchedFilesTest, TheOtherModeGoesOn) {
  std::string before = sums();
  for (int stop : {SIGINT, SIGQUIT, SIGINT}) {
    SCOPED_TRACE(stop);
    EXPECT_EQ(server.stop(stop), 0);
    server.change_mode();
    server.start();
    EXPECT_EQ(sums(), before);
    pgbench({"-n", "-c", "8", "-t", "50"});
    before = sums();
  }
  ASSERT_EQ(server.stop(SIGINT), 0);
  expect_whole_checksums();
}

INSTANTIATE_FOR_ALL_FLAVORS(FilesTest);
INSTANTIATE_FOR_ALL_FLAVORS(BenchedFilesTest);

}  // namespace
}  // namespace cofork::test
