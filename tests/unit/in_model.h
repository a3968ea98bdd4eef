// Running a test body as the first task of a model, in a process of its own.
//
// A model takes the whole process over (signals, reaping, threads), so each run forks one. The body
// reports with EXPECT_IN_MODEL, whose failure is printed and makes the run's exit status 1.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "../slowness.h"
#include "model/model.h"

namespace cofork {

enum class TestedModel { kFork, kCoroutine, kCoroutineTwoThreads };

inline std::string model_name(const testing::TestParamInfo<TestedModel>& info) {
  switch (info.param) {
    case TestedModel::kFork:
      return "fork";
    case TestedModel::kCoroutine:
      return "coroutine";
    case TestedModel::kCoroutineTwoThreads:
      return "coroutine_two_threads";
  }
  return "";
}

/// The body's exit code (its TaskExit, or 0), 100 + n when the process died by signal n.
inline int run_in_model(TestedModel tested, const std::function<void(Task&)>& body) {
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    int code;
    if (tested == TestedModel::kFork) {
      code = run_under_fork_model(real_operating_system(), body);
    } else {
      CoroutineOptions options;
      options.scheduler_threads = tested == TestedModel::kCoroutine ? 1 : 2;
      code = run_under_coroutine_model(real_operating_system(), options, body);
    }
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

#define EXPECT_IN_MODEL(condition)                                                   \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::fflush(stderr);                                                           \
      throw ::cofork::TaskExit{1};                                                   \
    }                                                                                \
  } while (false)

}  // namespace cofork
