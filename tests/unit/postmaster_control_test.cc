// The kill request file: both sides of it, against a child process that plays the server.
#include "postmaster/control.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/process.h"

namespace cofork {
namespace {

TEST(KillRequest, OnlyACompleteLineOfTwoNumbersCounts) {
  auto request = parse_kill_request("9 4194310\n");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->signo, 9);
  EXPECT_EQ(request->pid, 4194310);
  for (const char* wrong : {"", "9", "9 4194310", "9\n", "x 1\n", "9 1x\n", "9  \n"}) {
    EXPECT_FALSE(parse_kill_request(wrong).has_value()) << '"' << wrong << '"';
  }
}

class KillRequestFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/cofork-kill-XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  void TearDown() override {
    unlink((directory_ + "/cofork.kill").c_str());
    rmdir(directory_.c_str());
  }

  /// A server that answers one request with `result`, if it is signal 15 to task 4194310.
  pid_t start_server(int result) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    pid_t server = fork();
    if (server != 0) return server;
    if (chdir(directory_.c_str()) != 0) _exit(2);
    int signo;
    sigwait(&set, &signo);
    FileSystem& files = real_operating_system().files;
    auto request = find_kill_request(files);
    if (!request || request->signo != 15 || request->pid != 4194310) _exit(1);
    answer_kill_request(files, result);
    _exit(0);
  }
  int exit_code(pid_t server) {
    int status = 0;
    waitpid(server, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string directory_;
};

TEST_F(KillRequestFile, TheAnswerComesBack) {
  for (int result : {0, -ESRCH}) {
    pid_t server = start_server(result);
    EXPECT_EQ(request_kill(real_operating_system(), directory_, server, {15, 4194310}, 5000),
              result);
    EXPECT_EQ(exit_code(server), 0);
    EXPECT_NE(access((directory_ + "/cofork.kill").c_str(), F_OK), 0);
  }
}

TEST_F(KillRequestFile, WithoutAServerNothingIsLeftBehind) {
  pid_t server = fork();
  if (server == 0) _exit(0);
  exit_code(server);
  EXPECT_EQ(request_kill(real_operating_system(), directory_, server, {15, 4194310}, 5000), -ESRCH);
  EXPECT_NE(access((directory_ + "/cofork.kill").c_str(), F_OK), 0);
}

TEST_F(KillRequestFile, AServerThatDoesNotAnswerIsGivenUp) {
  pid_t server = fork();
  if (server == 0) {
    signal(SIGUSR1, SIG_IGN);
    for (;;) pause();
  }
  EXPECT_EQ(request_kill(real_operating_system(), directory_, server, {15, 4194310}, 50),
            -ETIMEDOUT);
  kill(server, SIGKILL);
  exit_code(server);
  EXPECT_NE(access((directory_ + "/cofork.kill").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace cofork
