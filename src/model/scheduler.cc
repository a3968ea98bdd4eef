// See scheduler.h.
#include "model/scheduler.h"

#include <time.h>

#include <chrono>
#include <cstdlib>

namespace cofork {

constinit thread_local Scheduler* Scheduler::current_ = nullptr;

uint64_t tsc_per_us() {
  static const uint64_t ticks = [] {
    auto now_ns = [] {
      timespec t;
      clock_gettime(CLOCK_MONOTONIC, &t);
      return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
    };
    // Two milliseconds of looking are exact to a fraction of a percent, which is all a slice needs.
    int64_t start_ns = now_ns();
    uint64_t start_tsc = __builtin_ia32_rdtsc();
    while (now_ns() - start_ns < 2'000'000) {
    }
    uint64_t elapsed_tsc = __builtin_ia32_rdtsc() - start_tsc;
    return elapsed_tsc * 1000 / static_cast<uint64_t>(now_ns() - start_ns);
  }();
  return ticks;
}

FiberTask::FiberTask(Model& model, OperatingSystem& os, Pid pid, std::string name, Scheduler& home,
                     char* stack)
    : task(model, os, pid, std::move(name)),
      scheduler(home),
      stack_bottom(stack),
      fiber(
          stack, StackArena::usable_bytes(),
          [](void* self) { Scheduler::current()->live(*static_cast<FiberTask*>(self)); }, this) {}

Scheduler::Scheduler(int index, size_t stack_slots, int64_t slice_us, DeathHook on_death,
                     AlarmHook on_alarm)
    : index_(index),
      events_([this](const EventLoop::Timer& timer) { timer_rang(timer); }),
      stacks_(stack_slots),
      slice_tsc_(static_cast<uint64_t>(slice_us) * tsc_per_us()),
      on_death_(std::move(on_death)),
      on_alarm_(std::move(on_alarm)) {}

// --- the loop

void Scheduler::run(const std::function<bool()>& finished) {
  current_ = this;
  loop_fiber_ = std::make_unique<Fiber>();
  while (!finished()) {
    if (ready_.empty()) {
      events_.run_once(true);
      continue;
    }
    // One pass over those that are ready now; who becomes ready meanwhile comes after the events,
    // so that two tasks waking each other cannot keep the sockets unheard. One of them may kill or
    // stop others, who then leave the queue: the count alone would run past its end.
    for (size_t left = ready_.size(); left > 0 && !ready_.empty(); --left) {
      FiberTask* next = ready_.front();
      ready_.pop_front();
      switch_to(*next);
    }
    if (!ready_.empty()) events_.run_once(false);
  }
  current_ = nullptr;
}

void Scheduler::nudge() {
  events_.post([] {});
}

void Scheduler::switch_to(FiberTask& fiber) {
  running_ = &fiber;
  fiber.state = FiberTask::State::kRunning;
  ++fiber.switches;
  detail::current_task = &fiber.task;
  slice_started_tsc_ = __builtin_ia32_rdtsc();
  fiber.task.slice_end_tsc_ = slice_started_tsc_ + slice_tsc_;
  switch_fiber(*loop_fiber_, fiber.fiber);
  // Back in the loop: the fiber waits, has yielded, or is dead.
  detail::current_task = nullptr;
  running_ = nullptr;
  fiber.last_ran_tsc = __builtin_ia32_rdtsc();
  fiber.cpu_tsc += fiber.last_ran_tsc - slice_started_tsc_;
  if (TaskCard* card = fiber.task.card()) {
    card->cpu_ns.store(static_cast<int64_t>(fiber.cpu_tsc * 1000 / tsc_per_us()),
                       std::memory_order_relaxed);
    card->switches.store(fiber.switches, std::memory_order_relaxed);
  }
  if (fiber.end) {
    bury(fiber);
  } else if (!fiber.stack_touched) {
    trim_later(fiber);
  }
}

void Scheduler::back_to_loop(FiberTask& fiber) {
  switch_fiber(fiber.fiber, *loop_fiber_);
}

// --- born, waits

FiberTask* Scheduler::add(Model& model, OperatingSystem& os, Pid pid, std::string name,
                          std::function<void(Task&)> body) {
  char* stack = stacks_.take();
  if (stack == nullptr) return nullptr;
  auto* fiber = new FiberTask(model, os, pid, std::move(name), *this, stack);
  fiber->body = std::move(body);
  fiber->task.fiber_ = fiber;
  fiber->task.thread_cells_ = &thread_cells_;
  fiber->task.stack = {stack + StackArena::usable_bytes(), stack, 0};
  tasks_.emplace(pid, fiber);
  trim_later(*fiber);
  wake(*fiber);
  return fiber;
}

void Scheduler::live(FiberTask& fiber) noexcept {
  int code = 0;
  try {
    fiber.body(fiber.task);
  } catch (const TaskExit& exit) {
    code = exit.code;
  }
  fiber.task.run_exit_callbacks(code);
  fiber.end = ExitStatus::exited(code);
  leave_fiber(fiber.fiber, *loop_fiber_);
}

void Scheduler::suspend() {
  FiberTask& self = *running_;
  self.state = FiberTask::State::kSuspended;
  back_to_loop(self);
}

void Scheduler::suspend_until(int64_t due_ns) {
  if (due_ns == 0) {
    suspend();
    return;
  }
  EventLoop::Timer timer{due_ns, running_->task.pid(), EventLoop::TimerKind::kWait};
  events_.set_timer(timer);
  suspend();
  events_.cancel_timer(timer);
}

void Scheduler::set_alarm(FiberTask& fiber, int64_t due_ns) {
  Pid pid = fiber.task.pid();
  if (fiber.alarm_due_ns != 0) {
    events_.cancel_timer({fiber.alarm_due_ns, pid, EventLoop::TimerKind::kAlarm});
  }
  fiber.alarm_due_ns = due_ns;
  if (due_ns != 0) events_.set_timer({due_ns, pid, EventLoop::TimerKind::kAlarm});
}

void Scheduler::timer_rang(const EventLoop::Timer& timer) {
  if (timer.kind == EventLoop::TimerKind::kTrim) {
    trim_idle_stacks();
    return;
  }
  FiberTask* fiber = find(timer.pid);
  if (fiber == nullptr) return;
  if (timer.kind == EventLoop::TimerKind::kWait) {
    wake(*fiber);
  } else {
    fiber->alarm_due_ns = 0;
    on_alarm_(*fiber);
  }
}

void Scheduler::yield() {
  FiberTask& self = *running_;
  self.state = FiberTask::State::kReady;
  ready_.push_back(&self);
  back_to_loop(self);
}

void Scheduler::wake(FiberTask& fiber) {
  if (fiber.state != FiberTask::State::kSuspended || fiber.stopped || fiber.end) return;
  fiber.state = FiberTask::State::kReady;
  ready_.push_back(&fiber);
}

// --- dies

void Scheduler::drop(FiberTask& fiber, ExitStatus status) {
  fiber.end = status;
  fiber.dropped = true;
  if (&fiber == running_) leave_fiber(fiber.fiber, *loop_fiber_);
  std::erase(ready_, &fiber);
  bury(fiber);
}

void Scheduler::stop(FiberTask& fiber) {
  fiber.stopped = true;
  if (&fiber == running_) {
    suspend();
  } else if (fiber.state == FiberTask::State::kReady) {
    std::erase(ready_, &fiber);
    fiber.state = FiberTask::State::kSuspended;
  }
}

void Scheduler::resume(FiberTask& fiber) {
  fiber.stopped = false;
  wake(fiber);  // what it waited for may have happened meanwhile: it looks again
}

void Scheduler::bury(FiberTask& fiber) {
  set_alarm(fiber, 0);
  tasks_.erase(fiber.task.pid());
  expect_task_no_more();
  if (fiber.dropped) {
    // What the kernel does for a dead process. The stack and the objects on it are left alone:
    // nothing of a crashed task is trusted, and the process will soon be born again.
    for (int fd : fiber.task.adopted_fds()) fiber.task.os().files.close(fd);
  }
  on_death_(fiber, *fiber.end);
  if (fiber.dropped) return;
  stacks_.give_back(fiber.stack_bottom);
  delete &fiber;
}

// --- idle stacks

namespace {
constexpr int64_t kTrimIntervalNs = 2'000'000'000;
}

void Scheduler::trim_later(FiberTask& fiber) {
  fiber.stack_touched = true;
  touched_.push_back(fiber.task.pid());
  if (touched_.size() > 1) return;  // the timer runs already
  int64_t now_ns = fiber.task.os().clock.monotonic_ns();
  events_.set_timer({now_ns + kTrimIntervalNs, 0, EventLoop::TimerKind::kTrim});
}

/// Two looks: a stack is trimmed when its task has not run for a whole interval, so that a busy
/// session never pays for it.
void Scheduler::trim_idle_stacks() {
  std::vector<Pid> touched = std::move(touched_);
  touched_.clear();
  uint64_t quiet_tsc = 1'000'000 * tsc_per_us();
  uint64_t now_tsc = __builtin_ia32_rdtsc();
  for (Pid pid : touched) {
    FiberTask* fiber = find(pid);
    if (fiber == nullptr) continue;
    publish_memory(*fiber);
    if (now_tsc - fiber->last_ran_tsc < quiet_tsc || fiber->state != FiberTask::State::kSuspended) {
      trim_later(*fiber);
      continue;
    }
    fiber->stack_touched = false;
    // A task that waits on a deep stack has its slot's frames all in use below it.
    const char* sp = fiber->fiber.saved_stack_pointer();
    if (stacks_.contains(sp)) StackArena::forget_below(fiber->stack_bottom, sp);
    publish_memory(*fiber);
  }
}

/// For the task table. Asked here because it costs a system call: seldom, and never while the task
/// is in a hurry.
void Scheduler::publish_memory(FiberTask& fiber) {
  TaskCard* card = fiber.task.card();
  if (card == nullptr) return;
  size_t resident = StackArena::resident_bytes(fiber.stack_bottom);
  card->memory_bytes.store(static_cast<int64_t>(resident), std::memory_order_relaxed);
}

}  // namespace cofork
