// How a task ended: the same words waitpid() gives, in both models.
#pragma once

#include <string>

namespace cofork {

class ExitStatus {
 public:
  static ExitStatus exited(int code) { return ExitStatus((code & 0xff) << 8); }
  static ExitStatus signaled(int signo) { return ExitStatus(signo & 0x7f); }
  explicit ExitStatus(int wait_status) : wait_status_(wait_status) {}

  bool is_exit() const { return (wait_status_ & 0x7f) == 0; }
  int code() const { return (wait_status_ >> 8) & 0xff; }
  int signal() const { return wait_status_ & 0x7f; }
  bool is_exit(int code_wanted) const { return is_exit() && code() == code_wanted; }

  /// "exited with exit code 1", "was terminated by signal 9: Killed" (as LogChildExit).
  std::string describe() const;

 private:
  int wait_status_;
};

/// Thrown to end the task: unwinds to its first frame, then the exit callbacks run (proc_exit).
/// Not a std::exception on purpose: nobody who catches errors may swallow it.
struct TaskExit {
  int code;
};

}  // namespace cofork
