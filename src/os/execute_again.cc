// See execute_again.h. One program a process: this is the process's own state, not a task's.
#include "os/execute_again.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace cofork {

namespace {

constexpr char kVariable[] = "COFORK_EXECUTED_AGAIN=";

struct Program {
  std::vector<std::string> arguments;
  std::vector<char*> argv;
  std::string variable;
  std::vector<char*> envp;
  std::vector<int> fds;
};

Program& program() {
  static Program instance;
  return instance;
}

}  // namespace

void execute_again_init(int argc, char** argv) {
  Program& p = program();
  p.arguments.assign(argv, argv + argc);
  for (std::string& argument : p.arguments) p.argv.push_back(argument.data());
  p.argv.push_back(nullptr);
  execute_again_prepare({}, "");
}

void execute_again_prepare(const std::vector<int>& fds, const std::string& state) {
  Program& p = program();
  p.fds = fds;
  p.variable = kVariable + state;
  p.envp.clear();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, kVariable, sizeof kVariable - 1) != 0) p.envp.push_back(*entry);
  }
  p.envp.push_back(p.variable.data());
  p.envp.push_back(nullptr);
}

void execute_again() {
  Program& p = program();
  for (int fd : p.fds) fcntl(fd, F_SETFD, 0);
  execve("/proc/self/exe", p.argv.data(), p.envp.data());
  _exit(1);
}

std::optional<std::string> execute_again_peek() {
  const char* value = std::getenv("COFORK_EXECUTED_AGAIN");
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::optional<std::string> execute_again_inherited() {
  std::optional<std::string> state = execute_again_peek();
  unsetenv("COFORK_EXECUTED_AGAIN");
  return state;
}

}  // namespace cofork
