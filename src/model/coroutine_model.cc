// The coroutine model: every task is a fiber in one process, over the same shared memory layout.
//
//   born      a fiber on one of N scheduler threads; sessions go to the least loaded
//   waits     the fiber is suspended; its thread's event loop, a set latch or a timer makes it
//   ready signalled by its own thread, while the task does not run dies      returns, or is
//   dropped; the status goes on the reaper's queue again     the process executes itself: same pid,
//   same sockets, and no memory of the crash
//
// The first task (the postmaster) is a fiber too, on thread 0, and its pid is the process's own:
// signals sent to the process are its signals. Read it beside fork_model.cc.
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "model/blocking_workers.h"
#include "model/coroutine_wait_set.h"
#include "model/faults.h"
#include "model/model.h"
#include "model/scheduler.h"
#include "os/execute_again.h"

namespace cofork {

namespace {

constexpr int64_t kSliceUs = 2000;
/// Address space for stacks per thread: PostgreSQL's own limit of backends, twice.
constexpr size_t kStackSlots = 262144;

int usable_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace

/// Signals sent to the process itself: blocked in every thread, read where the postmaster lives.
class ProcessSignals final : public EventLoop::Watch {
 public:
  ProcessSignals(EventLoop& loop, std::function<void(int)> on_signal)
      : on_signal_(std::move(on_signal)) {
    sigset_t set;
    sigemptyset(&set);
    for (int signo : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&set, signo);
    // Before any other thread exists, so that all of them inherit it.
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    loop.add(fd_, EPOLLIN, *this);
  }
  ~ProcessSignals() { ::close(fd_); }

  void happened(uint32_t) override {
    signalfd_siginfo info;
    while (::read(fd_, &info, sizeof info) == sizeof info) {
      on_signal_(static_cast<int>(info.ssi_signo));
    }
  }

 private:
  std::function<void(int)> on_signal_;
  int fd_ = -1;
};

class CoroutineModel final : public Model {
 public:
  CoroutineModel(OperatingSystem& os, const CoroutineOptions& options);
  int run_first(const std::function<void(Task&)>& first);

  const char* name() const override { return "coroutine"; }
  Pid spawn(Task& parent, Birth birth) override;

  std::unique_ptr<WaitSet> make_wait_set(Task& task) override {
    return std::make_unique<CoroutineWaitSet>(fiber_of(task));
  }
  void semaphore_wait(Task& task, Semaphore& semaphore) override;
  void semaphore_post(Semaphore& semaphore) override;
  void pause_us(Task& task, int64_t duration_us) override;
  void run_blocking(Task& task, const std::function<void()>& work) override;
  void yield(Task& task) override { fiber_of(task).scheduler.yield(); }
  void wake(Pid owner) override;
  void arm_alarm(Task& task, int64_t monotonic_ns) override;

  int kill(Pid pid, int signo) override;
  void signal_action_changed(Task&, int) override {}
  void signal_mask_changed(Task& task, bool blocked) override;

  std::optional<Death> reap() override;
  void die_now(Task& task, ExitStatus status) override;
  bool postmaster_is_alive() override { return true; }

  void carry_over(const Carry& carry) override;
  void reinitialize() override { execute_again(); }
  std::optional<std::string> inherited() override { return inherited_; }

  void set_title(Task& task, std::string_view title) override { fiber_of(task).title = title; }
  void release_standard_error() override {}
  TaskUsage usage(Pid pid) override;

 private:
  static FiberTask& fiber_of(const Task& task) { return *static_cast<FiberTask*>(task.fiber_); }
  Scheduler& home_of(Pid pid);
  Scheduler& least_loaded();
  Pid next_pid(Scheduler& scheduler);
  bool exists(Pid pid);
  void on_scheduler_of(Pid pid, std::function<void(FiberTask&)> action);
  void deliver(FiberTask& fiber, int signo);
  void deliver_pending(FiberTask& fiber);
  void task_died(FiberTask& fiber, ExitStatus status);
  void signal_came(int signo);
  void finish_the_rest();

  OperatingSystem& os_;
  Pid first_pid_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<ProcessSignals> process_signals_;
  BlockingWorkers workers_;
  std::atomic<bool> first_has_ended_{false};
  std::atomic<bool> stop_threads_{false};
  int exit_code_ = 0;
  std::optional<std::string> inherited_;

  std::mutex mutex_;  ///< guards what several threads touch:
  std::deque<Death> deaths_;
  std::unordered_map<Pid, Scheduler*> homes_;
  Pid last_pid_ = kFirstVirtualPid - 1;
};

// --- the process

int run_under_coroutine_model(OperatingSystem& os, const CoroutineOptions& options,
                              const std::function<void(Task&)>& first) {
  CoroutineModel model(os, options);
  return model.run_first(first);
}

std::optional<std::string> state_of_previous_image() {
  std::optional<std::string> text = execute_again_peek();
  if (text) text->erase(0, text->find(';') + 1);
  return text;
}

CoroutineModel::CoroutineModel(OperatingSystem& os, const CoroutineOptions& options)
    : os_(os),
      first_pid_(getpid()),
      schedulers_([&] {
        int count = options.scheduler_threads > 0 ? options.scheduler_threads : usable_cpus();
        std::vector<std::unique_ptr<Scheduler>> schedulers;
        for (int i = 0; i < count; ++i) {
          schedulers.push_back(std::make_unique<Scheduler>(
              i, kStackSlots, kSliceUs,
              [this](FiberTask& fiber, ExitStatus status) { task_died(fiber, status); },
              [this](FiberTask& fiber) { deliver(fiber, SIGALRM); }));
        }
        return schedulers;
      }()),
      process_signals_(std::make_unique<ProcessSignals>(schedulers_[0]->events(),
                                                        [this](int signo) { signal_came(signo); })),
      workers_(options.blocking_workers),
      inherited_(execute_again_inherited()) {
  if (inherited_) {
    // "<last virtual pid>;<the postmaster's state>": pids go on where the last image stopped.
    size_t end = inherited_->find(';');
    last_pid_ = static_cast<Pid>(std::stol(inherited_->substr(0, end)));
    inherited_->erase(0, end + 1);
  }
  faults_contain(options.abort_on_fault);
}

int CoroutineModel::run_first(const std::function<void(Task&)>& first) {
  // What a postmaster shrugs off; alarms of tasks never come from the kernel here.
  for (int signo : {SIGPIPE, SIGALRM, SIGTTIN, SIGTTOU, SIGXFSZ}) signal(signo, SIG_IGN);
  {
    std::lock_guard lock(mutex_);
    homes_[first_pid_] = schedulers_[0].get();
  }
  schedulers_[0]->expect_task();
  schedulers_[0]->add(*this, os_, first_pid_, "postmaster", first);
  for (size_t i = 1; i < schedulers_.size(); ++i) {
    threads_.emplace_back([this, i] {
      faults_prepare_thread();
      schedulers_[i]->run([this] { return stop_threads_.load(std::memory_order_acquire); });
    });
  }
  faults_prepare_thread();
  schedulers_[0]->run([this] { return first_has_ended_.load(std::memory_order_acquire); });
  finish_the_rest();
  return exit_code_;
}

void CoroutineModel::signal_came(int signo) {
  if (FiberTask* first = schedulers_[0]->find(first_pid_)) deliver(*first, signo);
}

/// The postmaster has ended. In the fork model the logger would go on until the last writer of its
/// pipe is gone; here the process holds the only write end, standard error: it is let go, and
/// whoever still runs gets a moment to notice.
void CoroutineModel::finish_the_rest() {
  if (schedulers_[0]->task_count() > 0) {
    int null = os_.files.open("/dev/null", O_WRONLY);
    if (null >= 0) dup2(null, STDERR_FILENO);
    int64_t deadline_ns = os_.clock.monotonic_ns() + 1'000'000'000;
    schedulers_[0]->events().set_timer({deadline_ns, 0, EventLoop::TimerKind::kWait});
    schedulers_[0]->run([this, deadline_ns] {
      return schedulers_[0]->task_count() == 0 || os_.clock.monotonic_ns() >= deadline_ns;
    });
  }
  stop_threads_.store(true, std::memory_order_release);
  for (auto& scheduler : schedulers_) scheduler->nudge();
  for (std::thread& thread : threads_) thread.join();
  workers_.stop();
}

// --- born

Scheduler& CoroutineModel::least_loaded() {
  auto lighter = [](const auto& a, const auto& b) { return a->task_count() < b->task_count(); };
  return **std::min_element(schedulers_.begin(), schedulers_.end(), lighter);
}

Pid CoroutineModel::next_pid(Scheduler& scheduler) {
  std::lock_guard lock(mutex_);
  do {
    last_pid_ = last_pid_ < INT32_MAX - 1 ? last_pid_ + 1 : kFirstVirtualPid;
  } while (homes_.contains(last_pid_));
  homes_[last_pid_] = &scheduler;
  return last_pid_;
}

Pid CoroutineModel::spawn(Task& parent, Birth birth) {
  Scheduler& home = birth.is_session ? least_loaded() : *schedulers_[0];
  home.expect_task();
  Pid pid = next_pid(home);
  for (int fd : birth.fds) parent.forget_fd(fd);
  auto begin = [this, &home, pid, &parent](Birth b) {
    FiberTask* fiber = home.add(*this, os_, pid, std::move(b.name), std::move(b.body));
    if (fiber == nullptr) return false;
    fiber->task.inherit_slots(parent);
    for (int fd : b.fds) fiber->task.adopt_fd(fd);
    return true;
  };
  if (home.is_current_thread()) {
    if (begin(std::move(birth))) return pid;
    home.expect_task_no_more();
    std::lock_guard lock(mutex_);
    homes_.erase(pid);
    return -EAGAIN;
  }
  home.events().post([this, &home, begin, pid, birth = std::move(birth)] {
    if (!begin(birth)) {
      for (int fd : birth.fds) os_.files.close(fd);
      home.expect_task_no_more();
      std::lock_guard lock(mutex_);
      homes_.erase(pid);
      deaths_.push_back({pid, ExitStatus::exited(1)});
    }
  });
  return pid;
}

// --- waits

void CoroutineModel::semaphore_wait(Task& task, Semaphore& semaphore) {
  Scheduler& scheduler = fiber_of(task).scheduler;
  for (;;) {
    uint32_t count = semaphore.count.load(std::memory_order_acquire);
    while (count > 0) {
      if (semaphore.count.compare_exchange_weak(count, count - 1, std::memory_order_acquire))
        return;
    }
    // No wake-up is lost: a post from this thread cannot happen before we are suspended, and one
    // from another thread arrives through the event loop, which runs after we are.
    scheduler.suspend();
  }
}

void CoroutineModel::semaphore_post(Semaphore& semaphore) {
  semaphore.count.fetch_add(1, std::memory_order_release);
  wake(semaphore.owner.load(std::memory_order_relaxed));
}

void CoroutineModel::pause_us(Task& task, int64_t duration_us) {
  int64_t due_ns = os_.clock.monotonic_ns() + duration_us * 1000;
  Scheduler& scheduler = fiber_of(task).scheduler;
  while (os_.clock.monotonic_ns() < due_ns) scheduler.suspend_until(due_ns);
}

namespace {

/// A blocking call and the fiber that waits for it, whose stack this lies on. A dropped task's
/// stack is left alone, so the worker finds it even then.
struct WaitedCall : BlockingWorkers::Job {
  WaitedCall(const std::function<void()>& what, Scheduler& where, Pid who)
      : Job{what, has_ended}, home(where), pid(who) {}

  static void has_ended(Job& job) {
    auto& call = static_cast<WaitedCall&>(job);
    Scheduler& home = call.home;
    Pid pid = call.pid;
    call.ended.store(true, std::memory_order_release);
    home.events().post([&home, pid] {
      if (FiberTask* fiber = home.find(pid)) home.wake(*fiber);
    });
  }

  Scheduler& home;
  Pid pid;
  std::atomic<bool> ended{false};
};

}  // namespace

void CoroutineModel::run_blocking(Task& task, const std::function<void()>& work) {
  Scheduler& scheduler = fiber_of(task).scheduler;
  WaitedCall call(work, scheduler, task.pid());
  workers_.submit(call);
  while (!call.ended.load(std::memory_order_acquire)) scheduler.suspend();
}

void CoroutineModel::wake(Pid owner) {
  if (Scheduler* here = Scheduler::current()) {
    if (FiberTask* fiber = here->find(owner)) {
      here->wake(*fiber);
      return;
    }
    if (schedulers_.size() == 1) return;
  }
  on_scheduler_of(owner, [](FiberTask& fiber) { fiber.scheduler.wake(fiber); });
}

void CoroutineModel::arm_alarm(Task& task, int64_t monotonic_ns) {
  FiberTask& fiber = fiber_of(task);
  fiber.scheduler.set_alarm(fiber, monotonic_ns);
}

// --- is signalled

bool CoroutineModel::exists(Pid pid) {
  std::lock_guard lock(mutex_);
  return homes_.contains(pid);
}

/// Runs `action` on the thread of a task, with the task not running (unless it does this itself);
/// nothing happens when the task is gone by then.
void CoroutineModel::on_scheduler_of(Pid pid, std::function<void(FiberTask&)> action) {
  Scheduler* home;
  {
    std::lock_guard lock(mutex_);
    auto found = homes_.find(pid);
    if (found == homes_.end()) return;
    home = found->second;
  }
  if (home->is_current_thread()) {
    if (FiberTask* fiber = home->find(pid)) action(*fiber);
    return;
  }
  home->events().post([home, pid, action = std::move(action)] {
    if (FiberTask* fiber = home->find(pid)) action(*fiber);
  });
}

int CoroutineModel::kill(Pid pid, int signo) {
  if (!exists(pid)) return -ESRCH;
  if (signo == 0) return 0;
  on_scheduler_of(pid, [this, signo](FiberTask& fiber) { deliver(fiber, signo); });
  return 0;
}

/// What the kernel does when a process gets a signal.
void CoroutineModel::deliver(FiberTask& fiber, int signo) {
  Scheduler& scheduler = fiber.scheduler;
  if (signo == SIGKILL) return scheduler.drop(fiber, ExitStatus::signaled(SIGKILL));
  if (signo == SIGSTOP) return scheduler.stop(fiber);
  if (signo == SIGCONT) {
    scheduler.resume(fiber);
    return deliver_pending(fiber);
  }
  if (fiber.signals_blocked || fiber.stopped) {
    fiber.pending_signals |= uint64_t{1} << (signo - 1);
    return;
  }
  Task* before = detail::current_task;
  detail::current_task = &fiber.task;
  if (signo == SIGALRM) {
    fiber.task.timeouts().alarm_rang();
  } else if (SignalHandler handler = fiber.task.signal_handler(signo)) {
    handler(fiber.task, signo);
  } else if (signo != SIGCHLD && signo != SIGURG && signo != SIGPIPE) {
    detail::current_task = before;
    return scheduler.drop(fiber, ExitStatus::signaled(signo));
  }
  detail::current_task = before;
}

void CoroutineModel::signal_mask_changed(Task& task, bool blocked) {
  FiberTask& fiber = fiber_of(task);
  fiber.signals_blocked = blocked;
  deliver_pending(fiber);
}

void CoroutineModel::deliver_pending(FiberTask& fiber) {
  while (!fiber.signals_blocked && !fiber.stopped && fiber.pending_signals != 0) {
    int signo = __builtin_ctzll(fiber.pending_signals) + 1;
    fiber.pending_signals &= fiber.pending_signals - 1;
    deliver(fiber, signo);
  }
}

// --- dies

void CoroutineModel::task_died(FiberTask& fiber, ExitStatus status) {
  Pid pid = fiber.task.pid();
  {
    std::lock_guard lock(mutex_);
    homes_.erase(pid);
    if (pid != first_pid_) deaths_.push_back({pid, status});
  }
  if (pid == first_pid_) {
    exit_code_ = status.is_exit() ? status.code() : 128 + status.signal();
    first_has_ended_.store(true, std::memory_order_release);
    schedulers_[0]->nudge();
    return;
  }
  on_scheduler_of(first_pid_, [this](FiberTask& first) { deliver(first, SIGCHLD); });
}

std::optional<Death> CoroutineModel::reap() {
  std::lock_guard lock(mutex_);
  if (deaths_.empty()) return std::nullopt;
  Death death = deaths_.front();
  deaths_.pop_front();
  return death;
}

void CoroutineModel::die_now(Task& task, ExitStatus status) {
  FiberTask& fiber = fiber_of(task);
  fiber.scheduler.drop(fiber, status);
}

// --- starts over

void CoroutineModel::carry_over(const Carry& carry) {
  // A margin instead of the exact number: the text is prepared now, pids are given out later, and
  // none may come back soon.
  Pid last;
  {
    std::lock_guard lock(mutex_);
    last = last_pid_;
  }
  execute_again_prepare(carry.fds, std::to_string(last + 1'000'000) + ";" + carry.state);
}

// --- what others see

TaskUsage CoroutineModel::usage(Pid pid) {
  TaskUsage usage;
  // Only the task's own thread knows; asked from elsewhere, the answer is unknown (zeros).
  Scheduler* here = Scheduler::current();
  FiberTask* fiber = here != nullptr ? here->find(pid) : nullptr;
  if (fiber == nullptr) return usage;
  usage.cpu_ns = static_cast<int64_t>(fiber->cpu_tsc * 1000 / tsc_per_us());
  usage.switches = fiber->switches;
  return usage;
}

}  // namespace cofork
