// See task.h. What is common to both models: latches, interrupts, exit callbacks.
#include "model/task.h"

#include <algorithm>
#include <exception>

#include "model/model.h"

namespace cofork {

namespace detail {
constinit thread_local Task* current_task = nullptr;
}

Task::Task(Model& model, OperatingSystem& os, Pid pid, std::string name)
    : model_(model), os_(os), pid_(pid), name_(std::move(name)) {
  private_latch_.owner = pid;
}

// --- latches

void Task::switch_latch(Latch& latch) {
  latch.owner.store(pid_, std::memory_order_relaxed);
  latch_ = &latch;
  // Whoever set the old latch just now must not be missed: begin with a set one.
  cofork::set_latch(latch);
}

void Task::switch_to_private_latch() {
  latch_->owner.store(0, std::memory_order_relaxed);
  latch_ = &private_latch_;
  cofork::set_latch(private_latch_);
}

void set_latch(Latch& latch) {
  // The order is the protocol (SetLatch in latch.c, 15): the flag is visible before we look whether
  // the owner sleeps; the owner announces its sleep before it looks at the flag a last time.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (latch.is_set.load(std::memory_order_relaxed) != 0) return;
  latch.is_set.store(1, std::memory_order_seq_cst);
  if (latch.maybe_sleeping.load(std::memory_order_seq_cst) == 0) return;
  Pid owner = latch.owner.load(std::memory_order_relaxed);
  if (owner != 0) this_task().model().wake(owner);
}

uint32_t wait_latch(uint32_t flags, int64_t timeout_ms, WaitEventId event) {
  Task& task = this_task();
  WaitSet& set = task.latch_wait_set(flags);
  Latch nobodys;
  // Not to be woken by a latch that is set already and that the caller will not reset.
  if ((flags & kWaitLatch) == 0) set.modify_latch(0, nobodys);
  WaitOccurred occurred[2];
  int count = set.wait((flags & kWaitTimeout) != 0 ? timeout_ms : -1, occurred, event);
  uint32_t result = count == 0 ? static_cast<uint32_t>(kWaitTimeout) : 0;
  for (int i = 0; i < count; ++i) result |= occurred[i].flags;
  return result;
}

WaitSet& Task::latch_wait_set(uint32_t flags) {
  bool exits = (flags & kWaitExitOnPostmasterDeath) != 0;
  std::unique_ptr<WaitSet>& set = exits ? latch_set_exiting_ : latch_set_reporting_;
  if (set == nullptr) {
    set = model_.make_wait_set(*this);
    set->add_latch(*latch_);
    set->add_postmaster_death(exits ? kWaitExitOnPostmasterDeath : kWaitPostmasterDeath);
  }
  set->modify_latch(0, *latch_);
  return *set;
}

// --- interrupts

void Task::check_interrupts_slow() {
  if (critical_section != 0 || lwlocks_held != 0 || spinlocks_held != 0) return;
  if (slice_is_over() && interrupt_holdoff == 0) model_.yield(*this);
  uint32_t bits = interrupts();
  if (bits != 0 && interrupt_holdoff == 0 && interrupt_handler_ != nullptr) {
    interrupt_handler_(*this, bits);
  }
}

void Task::ignore_signal(Task&, int) {}

void Task::handle_reload(Task& task, int) {
  task.raise_interrupt(kInterruptReload);
  cofork::set_latch(task.latch());
}
void Task::handle_die(Task& task, int) {
  task.raise_interrupt(kInterruptDie);
  cofork::set_latch(task.latch());
}
void Task::handle_cancel(Task& task, int) {
  task.raise_interrupt(kInterruptCancel);
  cofork::set_latch(task.latch());
}
void Task::handle_shutdown(Task& task, int) {
  task.raise_interrupt(kInterruptShutdown);
  cofork::set_latch(task.latch());
}
void Task::handle_proc_signal(Task& task, int) {
  task.raise_interrupt(kInterruptProcSignal);
  cofork::set_latch(task.latch());
}

void Task::on_signal(int signo, SignalHandler handler) {
  handlers_[signo] = handler;
  model_.signal_action_changed(*this, signo);
}

void Task::block_signals() {
  model_.signal_mask_changed(*this, true);
}
void Task::unblock_signals() {
  model_.signal_mask_changed(*this, false);
}

// --- end

namespace {

/// Runs one list last-in first-out. A callback is taken off the list before it runs, so that an
/// error in it goes on with the next one instead of running it twice (as proc_exit_prepare).
void run_list(Task& task, std::vector<Task::ExitCallback>& list, int code) {
  while (!list.empty()) {
    Task::ExitCallback callback = std::move(list.back());
    list.pop_back();
    try {
      callback(task, code);
    } catch (const TaskExit&) {
      // Already exiting: the code of the first exit stands.
    }
  }
}

}  // namespace

void Task::run_exit_callbacks(int code) {
  // From here on no cancel or die request is served: the task is ending anyway.
  ++interrupt_holdoff;
  critical_section = 0;
  run_list(*this, before_shmem_, code);
  run_list(*this, on_shmem_, code);
  run_list(*this, on_proc_, code);
}

void Task::forget_fd(int fd) {
  std::erase(fds_, fd);
}

void Task::close_fds_except(const std::vector<int>& kept) {
  for (int fd : fds_) {
    if (std::find(kept.begin(), kept.end(), fd) == kept.end()) os_.files.close(fd);
  }
}

void Task::set_title(std::string_view title) {
  model_.set_title(*this, title);
  if (card_ != nullptr) card_->set_title(title);
}

int64_t Task::cpu_time_ns() const {
  return model_.usage(pid_).cpu_ns;
}

void Task::inherit_slots(const Task& parent) {
  std::copy(std::begin(parent.slots_), std::end(parent.slots_), std::begin(slots_));
}

CriticalSection::~CriticalSection() {
  // Left by an exception: the count stays up, and whoever catches it makes it a PANIC.
  if (!ended_ && std::uncaught_exceptions() == 0) --task_.critical_section;
}

}  // namespace cofork
