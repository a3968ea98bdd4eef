// Model: how a task is born, waits, is signalled, dies, and starts over. Two implementations:
// fork_model.cc and coroutine_model.cc. What differs between the two columns a learner sees is in
// those two files and nowhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/cells.h"
#include "model/exit_status.h"
#include "model/task.h"
#include "model/wait_set.h"

namespace cofork {

/// A child to be started. `body` is the role's whole life; it runs with this_task() set and ends by
/// returning (exit status 0) or by TaskExit. It must not hold references into the parent's stack.
struct Birth {
  std::string name;  ///< "checkpointer": the task's name
  std::function<void(Task&)> body;
  std::vector<int> fds;     ///< handed over: the child owns them, the parent's copies close
  bool is_session = false;  ///< coroutine model: placed on the least loaded thread
};

struct Death {
  Pid pid;
  ExitStatus status;
};

/// What `cofork ps` and the task table show about a task's cost.
struct TaskUsage {
  int64_t cpu_ns = 0;
  int64_t memory_bytes = 0;
  uint64_t switches = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const char* name() const = 0;  ///< "fork" or "coroutine": cofork.execution_mode

  // born
  /// The child's pid, or -errno (fork failed, no stack left).
  virtual Pid spawn(Task& parent, Birth birth) = 0;

  // waits
  virtual std::unique_ptr<WaitSet> make_wait_set(Task& task) = 0;
  virtual void semaphore_wait(Task& task, Semaphore& semaphore) = 0;
  virtual void semaphore_post(Semaphore& semaphore) = 0;
  /// Sleeps without listening to anything: spin delays and retry pauses (pg_usleep).
  virtual void pause_us(Task& task, int64_t duration_us) = 0;
  /// Runs something that may block in the kernel. Inside it this_task() is null, nothing may throw.
  /// Fork model: here and now. Coroutine model: on a worker thread while the fiber is suspended.
  virtual void run_blocking(Task& task, const std::function<void()>& work) = 0;
  /// Gives the thread away if others are ready (coroutine model).
  virtual void yield(Task& task) = 0;
  /// Whoever sleeps on a latch or semaphore that this task owns looks again (called by set_latch).
  virtual void wake(Pid owner) = 0;
  /// Rings Timeouts::alarm_rang() at a monotonic time; 0 switches the alarm off.
  virtual void arm_alarm(Task& task, int64_t monotonic_ns) = 0;

  // is signalled
  /// As kill(2): 0, or -errno (-ESRCH).
  virtual int kill(Pid pid, int signo) = 0;
  /// Task::on_signal, block_signals and unblock_signals tell the model.
  virtual void signal_action_changed(Task& task, int signo) = 0;
  virtual void signal_mask_changed(Task& task, bool blocked) = 0;

  // dies
  /// One dead child, if any (waitpid with WNOHANG). The parent gets SIGCHLD for each.
  virtual std::optional<Death> reap() = 0;
  /// Ends the running task at once with `status`: no unwinding, no callbacks (abort, _exit(2)).
  virtual void die_now(Task& task, ExitStatus status) = 0;
  virtual bool postmaster_is_alive() = 0;

  // starts over
  /// What the next image must find when the coroutine model has to execute itself again: open
  /// descriptors and a text only the postmaster reads. Told in advance, because a fault in the
  /// scheduler leaves no time to ask. The fork model ignores it.
  struct Carry {
    std::vector<int> fds;
    std::string state;  ///< no NUL bytes
  };
  virtual void carry_over(const Carry& carry) = 0;
  /// After a crash, when all children are gone. Fork model: returns, and the postmaster re-creates
  /// shared memory in place. Coroutine model: does not return, the process executes itself again
  /// (same pid, carried descriptors open), and the next image finds inherited().
  virtual void reinitialize() = 0;
  /// Carry::state of the previous image, when this process was born again.
  virtual std::optional<std::string> inherited() = 0;

  // what others see
  virtual void set_title(Task& task, std::string_view title) = 0;
  virtual TaskUsage usage(Pid pid) = 0;
  /// The running task will not write to standard error any more and must not keep its other end
  /// waiting: the logger, who reads that end. Fork model: /dev/null takes its place in this process.
  /// Coroutine model: it is everybody's, and let go of when the process ends.
  virtual void release_standard_error() = 0;
};

/// Runs the postmaster (or any first task) under a model; returns its exit code. Called once, from
/// the command line, in a process with one thread.
int run_under_fork_model(OperatingSystem& os, const std::function<void(Task&)>& first);
struct CoroutineOptions {
  int scheduler_threads = 0;  ///< 0: the CPUs of the affinity mask
  int blocking_workers = 4;
  bool abort_on_fault = false;  ///< cofork.coroutine_fault = abort
};
int run_under_coroutine_model(OperatingSystem& os, const CoroutineOptions& options,
                              const std::function<void(Task&)>& first);
/// What inherited() will say, for who must know it before there is a model (the settings of the
/// previous image decide how this one runs). An answer also says that it was the coroutine model.
std::optional<std::string> state_of_previous_image();

}  // namespace cofork
