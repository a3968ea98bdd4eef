// Lock files: their lines, who may take them, and what a wrong or missing one means.
#include "postmaster/lock_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "os/process.h"
#include "os/shared_mapping.h"
#include "support/error.h"

namespace cofork {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
}

class LockFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/cofork-lock-XXXXXX";
    directory_ = mkdtemp(pattern);
    ASSERT_EQ(chdir(directory_.c_str()), 0);
    owner_ = {own_process_id(), {parent_process_id()}, directory_, 1795450410, 5433, 0600};
  }
  void TearDown() override {
    ASSERT_EQ(chdir("/"), 0);
    std::string command = "rm -rf " + directory_;
    ASSERT_EQ(::system(command.c_str()), 0);
  }
  FileSystem& files() { return real_operating_system().files; }
  std::string first_lines(Pid pid) {
    return fmt::format("{}\n{}\n1795450410\n5433\n", pid, directory_);
  }
  /// A pid that no process has: one that has just been reaped.
  static Pid dead_pid() {
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid_quietly(child);
    return child;
  }
  static void waitpid_quietly(pid_t child);
  ErrorData error_of_locking() {
    LockFiles locks(files(), owner_);
    try {
      locks.lock_data_directory();
    } catch (const Error& error) {
      return error.data();
    }
    ADD_FAILURE() << "the lock was granted";
    return {};
  }

  std::string directory_;
  LockFileOwner owner_;
};

}  // namespace
}  // namespace cofork

#include <sys/wait.h>

namespace cofork {
namespace {

void LockFileTest::waitpid_quietly(pid_t child) {
  int status;
  waitpid(child, &status, 0);
}

TEST(WithLine, ReplacesOneLineAndFillsTheGapBefore) {
  EXPECT_EQ(with_line("1\n2\n3\n", 2, "two"), "1\ntwo\n3\n");
  EXPECT_EQ(with_line("1\n2\n3\n", 5, "five"), "1\n2\n3\n\nfive\n");
  EXPECT_EQ(with_line("1\n", 1, "one"), "one\n");
  EXPECT_EQ(with_line("", 3, "x"), "\n\nx\n");
  EXPECT_EQ(with_line("1\n2", 3, "three"), "1\n2\nthree\n");
}

TEST_F(LockFileTest, WritesTheFirstFiveLinesAtOnceAndTheOthersWhenTheyAreKnown) {
  LockFiles locks(files(), owner_);
  locks.lock_data_directory();
  EXPECT_EQ(read_file("postmaster.pid"), first_lines(owner_.pid) + "\n");
  locks.set_line(LockFileLine::kSharedMemoryKey, fmt::format("{:9} {:9}", 11059831, 32808));
  locks.set_line(LockFileLine::kSocketDirectory, "/data/s");
  locks.set_line(LockFileLine::kListenAddress, "127.0.0.1");
  locks.set_line(LockFileLine::kStatus, kStatusReady);
  EXPECT_EQ(read_file("postmaster.pid"),
            first_lines(owner_.pid) + "/data/s\n127.0.0.1\n 11059831     32808\nready   \n");
  struct stat st {};
  ASSERT_EQ(stat("postmaster.pid", &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  locks.remove_all();
  EXPECT_NE(access("postmaster.pid", F_OK), 0);
}

TEST_F(LockFileTest, AnEmptyFileIsRefused) {
  write_file("postmaster.pid", "");
  ErrorData error = error_of_locking();
  EXPECT_EQ(error.severity, Severity::kFatal);
  EXPECT_EQ(error.sqlstate, sqlstate::kLockFileExists);
  EXPECT_EQ(error.message, "lock file \"postmaster.pid\" is empty");
}

TEST_F(LockFileTest, ALivingOwnerIsRefused) {
  // Process 1 is nobody's parent here, and alive.
  write_file("postmaster.pid", first_lines(1));
  owner_.kin.clear();
  bool may_signal_init = signal_process(1, 0) == 0;
  if (!may_signal_init) GTEST_SKIP() << "process 1 belongs to another user: not a server of ours";
  ErrorData error = error_of_locking();
  EXPECT_EQ(error.message, "lock file \"postmaster.pid\" already exists");
  EXPECT_EQ(error.hint,
            "Is another postmaster (PID 1) running in data directory \"" + directory_ + "\"?");
}

TEST_F(LockFileTest, ALivingChildOfOursIsRefusedAndASingleUserServerIsNamed) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  write_file("postmaster.pid", fmt::format("-{}\n", child));
  ErrorData error = error_of_locking();
  EXPECT_EQ(error.hint,
            fmt::format("Is another postgres (PID {}) running in data directory \"{}\"?", child,
                        directory_));
  close(gate[0]);
  close(gate[1]);
  waitpid_quietly(child);
}

TEST_F(LockFileTest, LeftoversAndFalseMatchesAreReplaced) {
  for (Pid pid : {dead_pid(), owner_.pid, owner_.kin[0]}) {
    write_file("postmaster.pid", first_lines(pid));
    LockFiles locks(files(), owner_);
    locks.lock_data_directory();
    EXPECT_EQ(read_file("postmaster.pid"), first_lines(owner_.pid) + "\n") << pid;
    locks.remove_all();
  }
}

TEST_F(LockFileTest, AnOrphanAttachedToTheInterlockKeepsTheDirectoryLocked) {
  struct stat st {};
  ASSERT_EQ(stat(".", &st), 0);
  InterlockHeader header{679834894, 0, st.st_dev, st.st_ino, {}};
  Interlock interlock;
  const char* step = "";
  ASSERT_EQ(create_interlock(static_cast<uint32_t>(st.st_ino), header, interlock, step), 0) << step;
  uint32_t key = interlock.key;
  int id = interlock.id;
  write_file("postmaster.pid",
             first_lines(dead_pid()) + fmt::format("/tmp\n\n{:9} {:9}\nready   \n", key, id));
  ErrorData error = error_of_locking();
  EXPECT_EQ(
      error.message,
      fmt::format("pre-existing shared memory block (key {}, ID {}) is still in use", key, id));
  EXPECT_EQ(interlock_use(id, st.st_dev, st.st_ino), InterlockUse::kAttached);
  EXPECT_EQ(interlock_use(id, st.st_dev, st.st_ino + 1), InterlockUse::kForeign);
  remove_interlock(interlock);
  EXPECT_EQ(interlock_use(id, st.st_dev, st.st_ino), InterlockUse::kAbsent);
  LockFiles locks(files(), owner_);
  locks.lock_data_directory();
  locks.remove_all();
}

TEST_F(LockFileTest, ASocketLockNamesTheSocketInItsHint) {
  LockFiles first(files(), owner_);
  std::string socket = directory_ + "/.s.PGSQL.5433";
  first.lock_socket(socket, directory_);
  EXPECT_EQ(read_file(socket + ".lock"), first_lines(owner_.pid) + directory_ + "\n");
  LockFileOwner other = owner_;
  other.pid = dead_pid();
  other.kin.clear();
  LockFiles second(files(), other);
  try {
    second.lock_socket(socket, directory_);
    ADD_FAILURE() << "the lock was granted";
  } catch (const Error& error) {
    EXPECT_EQ(error.data().message, "lock file \"" + socket + ".lock\" already exists");
    EXPECT_EQ(error.data().hint,
              fmt::format("Is another postmaster (PID {}) using socket file \"{}\"?", owner_.pid,
                          socket));
  }
  first.remove_all();
}

}  // namespace
}  // namespace cofork
