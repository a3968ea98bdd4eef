// The power goes: what was synced is there afterwards, what was only written may be there, or not,
// or in part. Clients pay money around meanwhile, and an auditor looks afterwards whether every
// promise was kept (ledger.h, forgetful_disk.cc). Also: WAL whose end is torn or cut off, a damaged
// data page, a full disk.
//
// PostgreSQL itself is put through the same, which shows that the disk demands nothing impossible.
// COFORK_ROUNDS (10) and COFORK_SEED as in durability_test.cc.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "client.h"
#include "ledger.h"
#include "server.h"

namespace cofork::test {
namespace fs = std::filesystem;
namespace {

constexpr int kPayers = 6;
constexpr size_t kBlock = 8192, kSector = 512;

uint32_t number_from_environment(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::stoul(text));
}

/// A server on the forgetful disk.
class DiskTest : public ServerTest {
 protected:
  const uint32_t seed_ = number_from_environment("COFORK_SEED", std::random_device()());
  std::mt19937 random_{seed_};
  Ledger ledger_{server, seed_};

  uint32_t any(uint32_t most) { return random_() % most + 1; }
  std::string image() const { return server.data() + ".durable"; }

  void SetUp() override {
    if (kSlowness > 1) GTEST_SKIP() << "sanitizers do not let a library come before theirs";
    std::cout << "COFORK_SEED=" << seed_ << std::endl;
  }

  void TearDown() override { ::unlink((server.data() + ".full").c_str()); }

  void make_cluster(const std::string& more = "") {
    fs::remove_all(server.data());
    const CommandResult made =
        run({server.program("initdb"), "-D", server.data(), "-U", "postgres", "-A", "trust", "-E",
             "UTF8", "--locale=C", "-N", "-k", "--wal-segsize=1"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    server.configure("listen_addresses = ''\nunix_socket_directories = '" + server.directory() +
                     "'\nlog_timezone = 'UTC'\nfsync = on\nshared_buffers = 2MB\n"
                     "min_wal_size = 2MB\nmax_wal_size = 4MB\ncheckpoint_warning = 0\n"
                     "bgwriter_delay = 10ms\nwal_writer_delay = 10ms\nautovacuum = off\n" +
                     more);
    server.set_environment(
        {"LD_PRELOAD=" + test_root() + "/bin/forgetful_disk.so", "COFORK_DISK=" + server.data()});
    take_image();
  }

  void take_image() {
    fs::remove_all(image());
    fs::copy(server.data(), image(), fs::copy_options::recursive);
  }

  /// The whole server ends at this moment, and what the disk has then is what it starts from.
  void cut_power() {
    server.kill_all();
    fs::remove(server.data() + "/postmaster.pid");
    mix(server.data(), image());
    take_image();
  }

  bool is_younger_than_the_last_sync(const fs::path& file) const;
  /// Makes each file of the data directory one that the disk may have.
  void mix(const fs::path& real, const fs::path& durable);
  void mix_file(const fs::path& real, const fs::path& durable);
  std::string mixed_block(const std::string& fresh, const std::string& kept);
};

/// An 8 kB write that was not synced: not there, there, or in sectors of 512 bytes or 4 kB.
std::string DiskTest::mixed_block(const std::string& fresh, const std::string& kept) {
  const uint32_t fate = any(4);
  if (fate == 1) return kept;
  if (fate == 2) return fresh;
  const size_t unit = fate == 3 ? kSector : 4096;
  std::string block = kept;
  for (size_t at = 0; at < fresh.size(); at += unit) {
    if (any(2) == 1) block.replace(at, unit, fresh, at, unit);
  }
  return block;
}

void DiskTest::mix_file(const fs::path& real, const fs::path& durable) {
  const std::string fresh = read_file(real);
  std::string result = read_file(durable);
  if (fresh == result) return;
  if (fresh.size() < result.size() && any(2) == 1) result.resize(fresh.size());
  const size_t kept_size = result.size();
  if (fresh.size() > kept_size) {
    // It was growing, by whole writes: zeros where the data has not come.
    const size_t grown = (fresh.size() - kept_size) / kBlock;
    result.resize(any(3) == 1 ? fresh.size() : kept_size + random_() % (grown + 1) * kBlock);
  }
  for (size_t at = 0; at < std::min(fresh.size(), result.size()); at += kBlock) {
    const size_t length = std::min({kBlock, fresh.size() - at, result.size() - at});
    const std::string kept = result.substr(at, length);
    const std::string written = fresh.substr(at, length);
    if (kept != written) result.replace(at, length, mixed_block(written, kept));
  }
  write_file(real, result);
}

/// A name that was given before the last sync of anything is there: file systems keep a journal,
/// and in order. False as well where the file system does not know the birth of a file.
bool DiskTest::is_younger_than_the_last_sync(const fs::path& file) const {
  struct stat synced;
  struct statx born;
  if (::stat((server.data() + ".synced").c_str(), &synced) != 0) return true;
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &born) != 0) return false;
  if ((born.stx_mask & STATX_BTIME) == 0) return false;
  return std::pair(int64_t{born.stx_btime.tv_sec}, int64_t{born.stx_btime.tv_nsec}) >
         std::pair(int64_t{synced.st_mtim.tv_sec}, int64_t{synced.st_mtim.tv_nsec});
}

void DiskTest::mix(const fs::path& real, const fs::path& durable) {
  std::set<std::string> names;
  for (const fs::path& directory : {real, durable}) {
    for (const auto& entry : fs::directory_iterator(directory)) {
      names.insert(entry.path().filename());
    }
  }
  for (const std::string& name : names) {
    const fs::path here = real / name, there = durable / name;
    if (fs::is_directory(here) || fs::is_directory(there)) {
      fs::create_directory(here);
      fs::create_directory(there);
      mix(here, there);
    } else if (!fs::exists(here)) {
      // Removed, and the directory never synced: it is back.
      fs::copy_file(there, here);
    } else if (!fs::exists(there) && is_younger_than_the_last_sync(here) && any(2) == 1) {
      // Made, and never synced: it has not come to be.
      fs::remove(here);
    } else {
      mix_file(here, there);
    }
  }
}

class PowerCutTest : public DiskTest {
 protected:
  const uint32_t rounds_ = number_from_environment("COFORK_ROUNDS", 10);

  void one_round(uint32_t round) {
    ledger_.start(kPayers);
    ASSERT_TRUE(wait_until([&] { return ledger_.paid() >= 5; })) << ledger_.complaints();
    std::this_thread::sleep_for(std::chrono::milliseconds(any(700)));
    std::cout << "round " << round << " of " << rounds_ << ": " << ledger_.paid()
              << " payments, cutting the power" << std::endl;
    cut_power();
    ledger_.stop();
    // In every third round also in the middle of recovery.
    for (uint32_t again = any(6); again <= 2; ++again) {
      server.spawn();
      std::this_thread::sleep_for(std::chrono::milliseconds(any(300)));
      if (server.has_exited()) break;
      cut_power();
    }
    server.start();
    ledger_.audit();
    EXPECT_FALSE(server.find_in_log("PANIC:  "));
    EXPECT_FALSE(server.find_in_log("ERROR:  invalid page in block"));
  }
};

/// pg_checksums' complaints but those about free space maps: these are in no log, a torn page of
/// one counts as empty when it is read, and stays torn until it changes.
std::string damage_beside_free_space_maps(const std::string& complaints) {
  std::istringstream lines(complaints);
  std::string damage;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("_fsm\"") == std::string::npos) damage += line + "\n";
  }
  return damage;
}

TEST_P(PowerCutTest, NoPromiseIsBrokenByPowerCuts) {
  make_cluster();
  server.start();
  ledger_.create_tables();
  for (uint32_t round = 1; round <= rounds_ && !HasFailure(); ++round) one_round(round);
  ASSERT_FALSE(HasFailure()) << "COFORK_SEED=" << seed_;
  ASSERT_EQ(server.stop(SIGINT), 0);
  // Everything is synced when a server has stopped: the image has the same.
  const CommandResult checked =
      run({"/usr/lib/postgresql/15/bin/pg_checksums", "--check", "-D", image()});
  EXPECT_EQ(damage_beside_free_space_maps(checked.err), "") << checked.out;
}

/// The end of WAL, when the last write of it has come in part or not at all.
class WalEndTest : public DiskTest {
 protected:
  /// Payments, all of them on disk; where in which file WAL ends.
  void pay_and_kill() {
    make_cluster();
    server.start();
    ledger_.create_tables();
    ledger_.start(kPayers);
    ASSERT_TRUE(wait_until([&] { return ledger_.paid() >= 50; })) << ledger_.complaints();
    ledger_.stop();
    // Lest one of those that WAL asks for comes after what is taken for the end.
    ASSERT_EQ(server.value("checkpoint"), "");
    // One that waits for the disk takes the asynchronous ones along.
    ASSERT_EQ(server.value("create table last_word ()"), "");
    const std::string end = server.value("select pg_current_wal_flush_lsn()");
    file_ = server.data() + "/pg_wal/" + server.value("select pg_walfile_name('" + end + "')");
    end_ = std::stoul(end.substr(end.find('/') + 1), nullptr, 16) % (1 << 20);
    server.kill_all();
    ASSERT_TRUE(fs::exists(file_)) << file_;
  }
  void start_and_audit() {
    server.start();
    ledger_.audit();
    EXPECT_EQ(server.value("select count(*) from last_word"), "0");
  }
  std::string file_;
  size_t end_ = 0;
};

TEST_P(WalEndTest, TornFinalPagesAreTheEnd) {
  pay_and_kill();
  std::string segment = read_file(file_);
  ASSERT_EQ(segment.size(), 1u << 20);
  for (size_t at = end_; at < segment.size(); ++at) segment[at] = static_cast<char>(random_());
  write_file(file_, segment);
  start_and_audit();
}

TEST_P(WalEndTest, TruncatedTailIsTheEnd) {
  pay_and_kill();
  // WAL is written in pages, so that the last one is there as a whole.
  fs::resize_file(file_, (end_ + kBlock - 1) / kBlock * kBlock);
  start_and_audit();
}

TEST_P(DiskTest, DamagedPageIsReportedAndNotBelieved) {
  make_cluster();
  server.start();
  EXPECT_EQ(server.value("show data_checksums"), "on");
  EXPECT_EQ(server.value("show wal_segment_size"), "1MB");
  server.value(
      "create table damaged as select g as a, repeat('d', 500) as b "
      "from generate_series(1, 200) g");
  const std::string path = server.value("select pg_relation_filepath('damaged')");
  ASSERT_EQ(server.stop(SIGINT), 0);
  std::string file = read_file(server.data() + "/" + path);
  file[3 * kBlock + 5000] = static_cast<char>(file[3 * kBlock + 5000] ^ 1);
  write_file(server.data() + "/" + path, file);
  server.start();
  Session session(server);
  const Result all = session.query("select count(b) from damaged");
  EXPECT_FALSE(all.ok);
  EXPECT_EQ(all.sqlstate, "XX001");
  EXPECT_EQ(all.message, "invalid page in block 3 of relation " + path);
  EXPECT_TRUE(server.wait_for_log("WARNING:  page verification failed, calculated checksum "));
  EXPECT_EQ(session.query("select a from damaged limit 1").first(), "1") << "the others are fine";
}

TEST_P(DiskTest, FullDiskIsAnErrorAndLosesNothing) {
  make_cluster("checkpoint_timeout = 1h\nmax_wal_size = 1GB\nmin_wal_size = 32MB\n");
  server.start();
  ledger_.create_tables();
  {
    Session session(server);
    ASSERT_TRUE(session.query("create table filler (a int, b text)").ok);
    const std::string path = session.query("select pg_relation_filepath('filler')").first();
    write_file(server.data() + ".full", "");
    const Result full = session.query(
        "insert into filler select g, repeat('f', 1000) from generate_series(1, 500) g");
    EXPECT_FALSE(full.ok);
    EXPECT_EQ(full.sqlstate, "53100");
    EXPECT_EQ(full.message, "could not extend file \"" + path + "\": No space left on device");
    EXPECT_EQ(full.hint, "Check free disk space.");
    EXPECT_EQ(session.query("select count(*) from filler").first(), "0") << "the session lives";
  }
  // Payments go on while there is room in what is there, until WAL needs a new file: then the
  // server stops with a PANIC, and stops again at every start, until there is room.
  ledger_.start(kPayers);
  EXPECT_TRUE(wait_until([&] {
    return server.find_in_log("PANIC:  could not write to file \"pg_wal/xlogtemp.").has_value();
  }));
  ::unlink((server.data() + ".full").c_str());
  ledger_.stop();
  if (!server.has_exited()) server.kill_all();
  server.start();
  ledger_.forgive("53100");
  ledger_.forgive("XX000 checkpoint request failed");
  ledger_.audit();
  EXPECT_EQ(server.value("select count(*) from filler"), "0");
}

INSTANTIATE_FOR_ALL_FLAVORS(PowerCutTest);
INSTANTIATE_FOR_ALL_FLAVORS(WalEndTest);
INSTANTIATE_FOR_ALL_FLAVORS(DiskTest);

}  // namespace
}  // namespace cofork::test
