// The fork model: every task is an operating-system process, as in PostgreSQL.
//
//   born      fork(), with all signals blocked until the role has installed its handlers
//   waits     epoll_wait on {signalfd for SIGURG, sockets, the postmaster-death pipe}
//   signalled kill(2); a real handler runs the task's SignalHandler
//   dies      _exit(status); the postmaster reaps it with waitpid()
//   again     nothing to do: the postmaster's own memory is untouched by its children's crash
//
// The process has one thread, and no event loop lives across a fork: each process builds its own.
// Read it beside coroutine_model.cc: what differs between the two is the whole difference.
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio_ext.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "model/fork_wait_set.h"
#include "model/model.h"
#include "os/process_title.h"

namespace cofork {

class ForkModel final : public Model {
 public:
  explicit ForkModel(OperatingSystem& os) : os_(os) {}
  int run_first(const std::function<void(Task&)>& first);

  const char* name() const override { return "fork"; }
  Pid spawn(Task& parent, Birth birth) override;

  std::unique_ptr<WaitSet> make_wait_set(Task& task) override {
    return std::make_unique<ForkWaitSet>(task, death_pipe_[0]);
  }
  void semaphore_wait(Task& task, Semaphore& semaphore) override;
  void semaphore_post(Semaphore& semaphore) override;
  void pause_us(Task& task, int64_t duration_us) override;
  void run_blocking(Task& task, const std::function<void()>& work) override;
  void yield(Task&) override {}  // the kernel shares out the CPU
  void wake(Pid owner) override;
  void arm_alarm(Task& task, int64_t monotonic_ns) override;

  int kill(Pid pid, int signo) override { return ::kill(pid, signo) == 0 ? 0 : -errno; }
  void signal_action_changed(Task& task, int signo) override;
  void signal_mask_changed(Task& task, bool blocked) override;

  std::optional<Death> reap() override;
  void die_now(Task& task, ExitStatus status) override;
  bool postmaster_is_alive() override;

  void carry_over(const Carry&) override {}
  void reinitialize() override {}
  std::optional<std::string> inherited() override { return std::nullopt; }

  void set_title(Task&, std::string_view title) override { process_title_set(title); }
  void release_standard_error() override;
  TaskUsage usage(Pid pid) override;

 private:
  int live(Task& task, const std::function<void(Task&)>& body);
  /// noexcept: an error nobody catches must end this process, not go on in the postmaster's frames.
  [[noreturn]] void child(Task& parent, Birth& birth) noexcept;

  OperatingSystem& os_;
  ThreadCells thread_cells_;
  int death_pipe_[2] = {-1, -1};  ///< only the postmaster keeps the write end
  /// Of the postmaster's stack, and so of its children's: asking again costs each of them a walk
  /// through /proc/self/maps.
  const char* stack_bottom_ = nullptr;
};

namespace {

/// The one task of this process, for signal handlers: they may interrupt blocking work, where
/// this_task() is null.
Task* process_task = nullptr;

void become(Task& task) {
  process_task = &task;
  detail::current_task = &task;
}

/// The real handler of every signal a task handles, and of the alarm.
void run_signal_handler(int signo) {
  int saved_errno = errno;
  Task* interrupted = detail::current_task;
  detail::current_task = process_task;
  if (signo == SIGALRM) {
    process_task->timeouts().alarm_rang();
  } else if (SignalHandler handler = process_task->signal_handler(signo)) {
    handler(*process_task, signo);
  }
  detail::current_task = interrupted;
  errno = saved_errno;
}

void set_action(int signo, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  // One handler at a time: they share flags and the latch, and SIGQUIT's must not be interrupted.
  sigfillset(&action.sa_mask);
  sigaction(signo, &action, nullptr);
}

sigset_t latch_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGURG);
  return set;
}

int futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  // Without FUTEX_PRIVATE_FLAG: the word lies in memory that several processes share.
  return static_cast<int>(syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value,
                                  nullptr, nullptr, 0));
}

/// Where the process's own stack may grow to; null when that cannot be found out.
const char* process_stack_bottom() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
  void* bottom;
  size_t size;
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
  return static_cast<const char*>(bottom);
}

}  // namespace

// --- born

int run_under_fork_model(OperatingSystem& os, const std::function<void(Task&)>& first) {
  ForkModel model(os);
  return model.run_first(first);
}

int ForkModel::run_first(const std::function<void(Task&)>& first) {
  stack_bottom_ = process_stack_bottom();
  if (pipe2(death_pipe_, O_CLOEXEC | O_NONBLOCK) != 0) {
    std::perror("cofork: could not create pipe to monitor postmaster death");
    return 1;
  }
  Task postmaster(*this, os_, getpid(), "postmaster");
  postmaster.thread_cells_ = &thread_cells_;
  sigset_t urgent = latch_signal();
  sigprocmask(SIG_BLOCK, &urgent, nullptr);
  become(postmaster);
  int code = live(postmaster, first);
  // A command goes on after the server it ran (init): there is no task any more.
  detail::current_task = nullptr;
  process_task = nullptr;
  return code;
}

int ForkModel::live(Task& task, const std::function<void(Task&)>& body) {
  if (stack_bottom_ != nullptr) {
    task.stack = {static_cast<const char*>(__builtin_frame_address(0)), stack_bottom_, 0};
  }
  int code = 0;
  try {
    body(task);
  } catch (const TaskExit& exit) {
    code = exit.code;
  }
  task.run_exit_callbacks(code);
  return code;
}

Pid ForkModel::spawn(Task& parent, Birth birth) {
  // The child must not write our buffered output a second time. (Flushing when there is none would
  // write to the stream's lock, a page that is then copied at every birth.)
  if (__fpending(stdout) > 0) std::fflush(stdout);
  sigset_t all, before;
  sigfillset(&all);
  // Blocked across the fork: a signal meant for the child must not run the parent's handlers in it.
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) child(parent, birth);
  int error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return -error;
  for (int fd : birth.fds) {
    parent.forget_fd(fd);
    ::close(fd);
  }
  return pid;
}

void ForkModel::child(Task& parent, Birth& birth) noexcept {
  for (int signo = 1; signo < 65; ++signo) {
    if (parent.signal_handler(signo) != nullptr) set_action(signo, SIG_DFL);
  }
  set_action(SIGPIPE, SIG_IGN);
  ::close(death_pipe_[1]);  // ours would keep everybody believing the postmaster lives
  setsid();                 // so that the postmaster can signal our own children with us
  parent.close_fds_except(birth.fds);
  // Never destroyed: the process ends by _exit().
  Task* task = new Task(*this, os_, getpid(), std::move(birth.name));
  task->thread_cells_ = &thread_cells_;
  task->inherit_slots(parent);
  for (int fd : birth.fds) task->adopt_fd(fd);
  become(*task);
  std::function<void(Task&)> body = std::move(birth.body);
  _exit(live(*task, body));
}

// --- waits

void ForkModel::wake(Pid owner) {
  // Our own latch, set by a signal handler while we are about to sleep: the signal then stays
  // pending on the signalfd, and epoll_wait returns at once.
  ::kill(owner, SIGURG);
}

void ForkModel::semaphore_wait(Task&, Semaphore& semaphore) {
  for (;;) {
    uint32_t count = semaphore.count.load(std::memory_order_acquire);
    while (count > 0) {
      if (semaphore.count.compare_exchange_weak(count, count - 1, std::memory_order_acquire))
        return;
    }
    futex(semaphore.count, FUTEX_WAIT, 0);
  }
}

void ForkModel::semaphore_post(Semaphore& semaphore) {
  semaphore.count.fetch_add(1, std::memory_order_release);
  futex(semaphore.count, FUTEX_WAKE, 1);
}

void ForkModel::pause_us(Task&, int64_t duration_us) {
  timespec duration{duration_us / 1'000'000, (duration_us % 1'000'000) * 1000};
  nanosleep(&duration, nullptr);
}

void ForkModel::run_blocking(Task& task, const std::function<void()>& work) {
  detail::current_task = nullptr;  // the rule of blocking work holds here too
  work();
  detail::current_task = &task;
}

void ForkModel::arm_alarm(Task& task, int64_t monotonic_ns) {
  set_action(SIGALRM, run_signal_handler);
  itimerval alarm{};
  if (monotonic_ns != 0) {
    int64_t left_us = (monotonic_ns - task.os().clock.monotonic_ns()) / 1000 + 1;
    if (left_us < 1) left_us = 1;
    alarm.it_value = {left_us / 1'000'000, left_us % 1'000'000};
  }
  setitimer(ITIMER_REAL, &alarm, nullptr);
}

// --- is signalled

void ForkModel::signal_action_changed(Task& task, int signo) {
  SignalHandler handler = task.signal_handler(signo);
  if (handler == nullptr) {
    set_action(signo, SIG_DFL);
  } else if (handler == Task::ignore_signal) {
    set_action(signo, SIG_IGN);
  } else {
    set_action(signo, run_signal_handler);
  }
}

void ForkModel::signal_mask_changed(Task&, bool blocked) {
  sigset_t mask;
  if (blocked) {
    sigfillset(&mask);
  } else {
    mask = latch_signal();  // read through the signalfd only
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);
}

// --- dies

std::optional<Death> ForkModel::reap() {
  int status;
  pid_t pid = waitpid(-1, &status, WNOHANG);
  if (pid <= 0) return std::nullopt;
  return Death{pid, ExitStatus(status)};
}

void ForkModel::die_now(Task&, ExitStatus status) {
  if (status.is_exit()) _exit(status.code());
  int signo = status.signal();
  set_action(signo, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signo);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(getpid(), signo);
  std::abort();  // the signal was not one that ends a process
}

bool ForkModel::postmaster_is_alive() {
  char byte;
  // Nobody writes to the pipe: end of file means that the last write end, the postmaster's, is
  // gone.
  return ::read(death_pipe_[0], &byte, 1) != 0;
}

// --- what others see

void ForkModel::release_standard_error() {
  FileSystem& files = os_.files;
  int null = files.open("/dev/null", O_WRONLY);
  if (null < 0) return;
  files.replace_descriptor(null, STDERR_FILENO);
  files.close(null);
}

TaskUsage ForkModel::usage(Pid pid) {
  TaskUsage usage;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  if (FILE* file = std::fopen(path, "re")) {
    unsigned long long run_ns = 0, wait_ns = 0, slices = 0;
    if (std::fscanf(file, "%llu %llu %llu", &run_ns, &wait_ns, &slices) == 3) {
      usage.cpu_ns = static_cast<int64_t>(run_ns);
      usage.switches = slices;
    }
    std::fclose(file);
  }
  std::snprintf(path, sizeof path, "/proc/%d/statm", pid);
  if (FILE* file = std::fopen(path, "re")) {
    unsigned long long size, resident, shared;
    // Private memory: what is resident and not shared with anybody's file or segment.
    if (std::fscanf(file, "%llu %llu %llu", &size, &resident, &shared) == 3) {
      usage.memory_bytes = static_cast<int64_t>(resident - shared) * sysconf(_SC_PAGESIZE);
    }
    std::fclose(file);
  }
  return usage;
}

}  // namespace cofork
