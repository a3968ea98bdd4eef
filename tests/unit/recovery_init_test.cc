// A data directory made by us: what is in it, and what PostgreSQL 15's own tools say about it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "recovery/init_cluster.h"
#include "support/error.h"
#include "test_data.h"
#include "wal_test_source.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;
using testing_support::output_of;
using testing_support::read_file;

constexpr const char* kTools = "/usr/lib/postgresql/15/bin/";

class InitCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cofork_init_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    options_.directory = top_ + "/data";
    options_.superuser = "alice";
    options_.locale = choose_locale("", "", "C.UTF-8");
    options_.sync = false;
    options_.wal_segment_bytes = 1u << 20;
    options_.postgresql_conf = "# nothing\n";
  }
  void TearDown() override { fs::remove_all(top_); }

  InitProgress progress() {
    return {[this](std::string_view text) { steps_ += std::string(text) + " ... "; },
            [this](std::string_view text) { steps_ += std::string(text) + "\n"; }};
  }
  void run() { ClusterInit(options_, progress()).run(); }
  static bool have_tools() { return fs::exists(std::string(kTools) + "pg_controldata"); }
  static mode_t mode_of(const std::string& path) {
    struct stat st;
    return ::stat(path.c_str(), &st) == 0 ? st.st_mode & 0777 : 0;
  }

  std::string top_;
  InitOptions options_;
  std::string steps_;
};

TEST_F(InitCluster, StepsInOrder) {
  options_.sync = true;
  run();
  EXPECT_EQ(steps_, fmt::format("creating directory {} ... ok\n"
                                "creating subdirectories ... ok\n"
                                "creating configuration files ... ok\n"
                                "running bootstrap script ... ok\n"
                                "performing post-bootstrap initialization ... ok\n"
                                "syncing data to disk ... ok\n",
                                options_.directory));
}

TEST_F(InitCluster, FilesAndModes) {
  run();
  EXPECT_EQ(read_file(options_.directory + "/PG_VERSION"), "15\n");
  EXPECT_EQ(mode_of(options_.directory), 0700u);
  EXPECT_EQ(mode_of(options_.directory + "/pg_wal"), 0700u);
  EXPECT_EQ(mode_of(options_.directory + "/global/pg_control"), 0600u);
  EXPECT_EQ(fs::file_size(options_.directory + "/pg_xact/0000"), 8192u);
  EXPECT_EQ(fs::file_size(options_.directory + "/pg_wal/000000010000000000000001"), 1u << 20);
}

TEST_F(InitCluster, GroupAccess) {
  options_.group_access = true;
  mode_t mask = umask(0077);
  run();
  umask(mask);
  EXPECT_EQ(mode_of(options_.directory), 0750u);
  EXPECT_EQ(mode_of(options_.directory + "/base/5"), 0750u);
  EXPECT_EQ(mode_of(options_.directory + "/global/pg_control"), 0640u);
}

TEST_F(InitCluster, ControlFilePointsAtItsRecord) {
  options_.data_checksums = false;
  run();
  ControlFileData control = read_control_file(options_.directory + "/global/pg_control");
  EXPECT_EQ(control.data_checksum_version, 0u);
  EXPECT_EQ(control.checkpoint, (1u << 20) + 40);
  testing_support::MemoryPages pages(
      read_file(options_.directory + "/pg_wal/000000010000000000000001"), {1u << 20});
  WalReader reader(pages, WalGeometry(1u << 20), control.system_identifier);
  reader.seek({control.checkpoint});
  DecodedRecord record;
  ASSERT_TRUE(reader.next(record)) << reader.complaint();
  EXPECT_EQ(record.main_data,
            std::string_view(reinterpret_cast<const char*>(&control.checkpoint_copy),
                             sizeof control.checkpoint_copy));
  EXPECT_FALSE(reader.next(record));
  EXPECT_EQ(reader.complaint(), "invalid record length at 0/1000A0: wanted 24, got 0");
}

TEST_F(InitCluster, WalElsewhere) {
  options_.wal_directory = top_ + "/wal";
  run();
  EXPECT_TRUE(fs::is_symlink(options_.directory + "/pg_wal"));
  EXPECT_TRUE(fs::exists(top_ + "/wal/000000010000000000000001"));
}

TEST_F(InitCluster, DirectoryInUseIsLeftAlone) {
  fs::create_directory(options_.directory);
  { std::ofstream(options_.directory + "/precious") << "x"; }
  ClusterInit init(options_, progress());
  ErrorData data;
  try {
    init.run();
  } catch (const Error& error) {
    data = error.data();
  }
  EXPECT_EQ(data.message,
            fmt::format("directory \"{}\" exists but is not empty", options_.directory));
  EXPECT_TRUE(init.clean_up().empty());
  EXPECT_TRUE(fs::exists(options_.directory + "/precious"));
}

TEST_F(InitCluster, CleanUpAfterAFailure) {
  fs::create_directory(options_.directory);
  options_.wal_directory = "not/absolute";
  ClusterInit init(options_, progress());
  EXPECT_THROW(init.run(), Error);
  std::vector<std::string> said = init.clean_up();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], fmt::format("removing contents of data directory \"{}\"", options_.directory));
  EXPECT_TRUE(fs::is_empty(options_.directory));
}

TEST_F(InitCluster, PgControldataReadsIt) {
  if (!have_tools()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  run();
  std::string text =
      output_of("LC_ALL=C TZ=UTC " + (kTools + ("pg_controldata " + options_.directory)) + " 2>&1");
  EXPECT_EQ(text.find("WARNING"), std::string::npos) << text;
  for (const char* line : {"pg_control version number:            1300\n",
                           "Database cluster state:               shut down\n",
                           "Latest checkpoint location:           0/100028\n",
                           "Latest checkpoint's REDO WAL file:    000000010000000000000001\n",
                           "Latest checkpoint's NextXID:          0:3\n",
                           "Bytes per WAL segment:                1048576\n",
                           "Data page checksum version:           1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST_F(InitCluster, PgWaldumpReadsIt) {
  if (!have_tools()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  run();
  std::string text = output_of(std::string(kTools) + "pg_waldump " + options_.directory +
                               "/pg_wal/000000010000000000000001 2>&1");
  EXPECT_TRUE(text.starts_with(
      "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/00100028, prev "
      "0/00000000, desc: CHECKPOINT_SHUTDOWN redo 0/100028; tli 1; prev tli 1; fpw true; xid 0:3; "
      "oid 16384; multi 1; offset 0; oldest xid 3 in DB 1; oldest multi 1 in DB 1; oldest/newest "
      "commit timestamp xid: 0/0; oldest running xid 0; shutdown\n"))
      << text;
}

TEST_F(InitCluster, PgChecksumsAndPgResetwalAcceptIt) {
  if (!have_tools()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  run();
  int status = -1;
  std::string text = output_of(
      std::string(kTools) + "pg_checksums --check -D " + options_.directory + " 2>&1", &status);
  EXPECT_EQ(status, 0) << text;
  EXPECT_NE(text.find("Bad checksums:  0"), std::string::npos) << text;
  std::string as = geteuid() == 0 ? "setpriv --reuid=65534 --clear-groups " : "";
  if (geteuid() == 0) {
    output_of("chown -R 65534 " + top_ + " && chmod 755 " + top_);
  }
  text = output_of(as + kTools + "pg_resetwal -n " + options_.directory + " 2>&1", &status);
  EXPECT_EQ(status, 0) << text;
  EXPECT_NE(text.find("First log segment after reset:        000000010000000000000002"),
            std::string::npos)
      << text;
}

TEST(InitOptions, Locales) {
  EXPECT_EQ(choose_locale("", "", "C.UTF-8").encoding, 6);
  EXPECT_EQ(choose_locale("", "", "").encoding, 0) << "C without an encoding is SQL_ASCII";
  EXPECT_EQ(choose_locale("C", "UTF8", "de_DE.UTF-8").collate, "C");
  LocaleChoice german = choose_locale("", "", "de_DE.UTF-8");
  EXPECT_EQ(german.collate, "C.UTF-8");
  EXPECT_NE(german.notice, "");
  EXPECT_EQ(choose_locale("C.utf8", "utf-8", "").notice, "");
  EXPECT_THROW(choose_locale("de_DE.UTF-8", "", ""), Error);
  EXPECT_THROW(choose_locale("C", "LATIN1", ""), Error);
  EXPECT_THROW(choose_locale("C", "klingon", ""), Error);
}

TEST(InitOptions, Methods) {
  check_authentication_method("trust", "local");
  check_authentication_method("reject", "host");
  EXPECT_THROW(check_authentication_method("scram-sha-256", "host"), Error);
  EXPECT_THROW(check_authentication_method("magic", "host"), Error);
}

}  // namespace
}  // namespace cofork
