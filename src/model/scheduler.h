// Scheduler: one thread of the coroutine model with its fibers, its event loop and its ready queue.
//
//   loop:  run every ready fiber until it waits or its slice ends
//          nothing ready → sleep in the event loop until something makes a fiber ready
//
// A fiber stays on the thread it was born on: thread-locals, errno and plain (unlocked) scheduler
// state stay safe. The only things other threads do here are posts to the event loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/event_loop.h"
#include "model/exit_status.h"
#include "model/fiber.h"
#include "model/stack_arena.h"
#include "model/task.h"

namespace cofork {

class Scheduler;

/// A task of the coroutine model: the fiber beside the Task, and where it stands.
struct FiberTask {
  enum class State : uint8_t { kReady, kRunning, kSuspended };

  FiberTask(Model& model, OperatingSystem& os, Pid pid, std::string name, Scheduler& home,
            char* stack);

  Task task;
  Scheduler& scheduler;
  char* stack_bottom;
  Fiber fiber;
  std::function<void(Task&)> body;
  State state = State::kSuspended;
  bool stopped = false;           ///< SIGSTOP; kept from running until SIGCONT
  bool signals_blocked = true;    ///< until Task::unblock_signals()
  uint64_t pending_signals = 0;   ///< bit signo-1, while blocked
  std::optional<ExitStatus> end;  ///< how it died; set once
  bool dropped = false;           ///< died without unwinding: its stack and objects are left alone
  int64_t alarm_due_ns = 0;       ///< monotonic; 0: no alarm is set
  bool stack_touched = true;      ///< has run since its unused stack pages were given back
  uint64_t last_ran_tsc = 0;
  uint64_t cpu_tsc = 0;
  uint64_t switches = 0;
  std::string title;
};

class Scheduler {
 public:
  /// What the scheduler tells the model about a task that is gone.
  using DeathHook = std::function<void(FiberTask&, ExitStatus)>;
  /// SIGALRM is due for a task.
  using AlarmHook = std::function<void(FiberTask&)>;

  Scheduler(int index, size_t stack_slots, int64_t slice_us, DeathHook on_death,
            AlarmHook on_alarm);

  int index() const { return index_; }
  EventLoop& events() { return events_; }
  bool is_current_thread() const { return current_ == this; }
  static Scheduler* current() { return current_; }
  FiberTask* running() const { return running_; }
  /// How many tasks live here; readable from any thread.
  size_t task_count() const { return task_count_.load(std::memory_order_relaxed); }
  /// Counted from the decision on, so that a burst of births spreads over the threads.
  void expect_task() { task_count_.fetch_add(1, std::memory_order_relaxed); }
  void expect_task_no_more() { task_count_.fetch_sub(1, std::memory_order_relaxed); }
  FiberTask* find(Pid pid) {
    auto found = tasks_.find(pid);
    return found == tasks_.end() ? nullptr : found->second;
  }

  /// Runs until `finished` says so (asked between slices); tasks still there are abandoned.
  void run(const std::function<bool()>& finished);
  /// Makes run() ask `finished` again. Any thread.
  void nudge();

  // On this scheduler's thread only:
  /// A new task, ready to run; null when all stack slots are taken.
  FiberTask* add(Model& model, OperatingSystem& os, Pid pid, std::string name,
                 std::function<void(Task&)> body);
  /// Called by the running fiber: sleeps until wake().
  void suspend();
  /// The same, but no longer than until a monotonic time (0: no limit).
  void suspend_until(int64_t due_ns);
  /// Rings the task's alarm at a monotonic time, instead of the time set before; 0: never.
  void set_alarm(FiberTask& fiber, int64_t due_ns);
  /// Called by the running fiber: back of the queue, if anybody else could run.
  void yield();
  void wake(FiberTask& fiber);
  /// Ends a task without unwinding it. Returns only when `fiber` is not the running one. The
  /// running one may have crashed and called this from another stack.
  void drop(FiberTask& fiber, ExitStatus status);
  /// SIGSTOP and SIGCONT.
  void stop(FiberTask& fiber);
  void resume(FiberTask& fiber);

 private:
  friend struct FiberTask;
  /// The whole life of a fiber: body, exit callbacks, gone.
  [[noreturn]] void live(FiberTask& fiber) noexcept;
  void switch_to(FiberTask& fiber);
  void back_to_loop(FiberTask& fiber);
  void bury(FiberTask& fiber);
  void timer_rang(const EventLoop::Timer& timer);
  void trim_later(FiberTask& fiber);
  void trim_idle_stacks();
  void publish_memory(FiberTask& fiber);

  static constinit thread_local Scheduler* current_;

  int index_;
  EventLoop events_;
  std::unique_ptr<Fiber> loop_fiber_;
  StackArena stacks_;
  ThreadCells thread_cells_;
  std::deque<FiberTask*> ready_;
  std::unordered_map<Pid, FiberTask*> tasks_;
  std::atomic<size_t> task_count_{0};
  FiberTask* running_ = nullptr;
  /// Tasks whose stacks may hold pages they do not need, and when to look at them. A session that
  /// has run one query has touched several pages and needs one while it is idle.
  std::vector<Pid> touched_;
  uint64_t slice_tsc_;
  uint64_t slice_started_tsc_ = 0;
  DeathHook on_death_;
  AlarmHook on_alarm_;
};

/// TSC ticks in a microsecond, measured once at start.
uint64_t tsc_per_us();

}  // namespace cofork
