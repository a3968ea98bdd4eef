// Task: one running child of the postmaster, or the postmaster itself.
//
// It holds what PostgreSQL keeps in process globals: the pid, the process latch, signal handlers,
// pending interrupts, timeouts, exit callbacks, and a slot for each upper floor's own state
// (settings view, log identity, Proc, session …). In the fork model a process has one task; in the
// coroutine model a fiber has one. this_task() reaches it.
#pragma once

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/cells.h"
#include "model/exit_status.h"
#include "model/timeouts.h"
#include "model/wait_event.h"
#include "model/wait_set.h"
#include "os/os.h"

namespace cofork {

class Model;
class Task;

/// Runs when a signal arrives: in the fork model inside the real handler, in the coroutine model
/// between two slices of the task, never while it runs. So in both: set flags and latches, nothing
/// that could wait or allocate.
using SignalHandler = void (*)(Task&, int signo);

/// The places where upper floors hang their per-task state; one owner each, named here so that no
/// two floors take the same one.
enum class TaskSlot : uint8_t {
  kSettings,
  kLog,
  kCluster,
  kProc,
  kIo,
  kWal,
  kStorage,
  kTransaction,
  kComboCommands,
  kRedo,
  kSnapshots,
  kLocks,
  kMultiXact,
  kCatalog,
  kSession,
  kBackend,
  kCount,
};

/// The places for what the tasks of one thread share, neither a task's own nor everybody's: used
/// without locks, because a fiber never leaves its thread. In the fork model a process is a thread.
enum class ThreadSlot : uint8_t { kOpenFiles, kCount };
using ThreadCells = std::array<std::shared_ptr<void>, static_cast<size_t>(ThreadSlot::kCount)>;

/// Reasons to stop and look, bits of Task::interrupts(). Set from handlers and timeouts.
enum Interrupt : uint32_t {
  kInterruptDie = 1u << 0,         ///< SIGTERM: end the session
  kInterruptCancel = 1u << 1,      ///< SIGINT: cancel the statement
  kInterruptReload = 1u << 2,      ///< SIGHUP: read the configuration again
  kInterruptShutdown = 1u << 3,    ///< auxiliary role: finish
  kInterruptProcSignal = 1u << 4,  ///< SIGUSR1: look at the ProcSignal slot
  kInterruptTimeout = 1u << 5,     ///< a timeout has fired; Timeouts knows which
  kInterruptUser1 = 1u << 6,       ///< role's own meaning (SIGUSR2, SIGINT of the checkpointer …)
  kInterruptUser2 = 1u << 7,
};

class Task {
 public:
  Task(Model& model, OperatingSystem& os, Pid pid, std::string name);
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  Pid pid() const { return pid_; }
  Model& model() const { return model_; }
  OperatingSystem& os() const { return os_; }
  const std::string& name() const { return name_; }  ///< for the log's %b before anything better

  /// The process latch: the task's own at birth, the Proc's once it has one (SwitchToSharedLatch).
  Latch& latch() { return *latch_; }
  void switch_latch(Latch& latch);
  void switch_to_private_latch();
  /// The set behind wait_latch(): this latch and the postmaster's death; built on first use.
  WaitSet& latch_wait_set(uint32_t flags);

  // --- interrupts
  /// Stands in every loop whose length depends on data (CHECK_FOR_INTERRUPTS). Yields when the time
  /// slice is over; calls the role's interrupt handler when a bit is set and nothing holds it off.
  /// May wait; throws what the handler throws.
  void check_interrupts() {
    if (interrupts_.load(std::memory_order_relaxed) != 0 || slice_is_over()) [[unlikely]] {
      check_interrupts_slow();
    }
  }
  uint32_t interrupts() const { return interrupts_.load(std::memory_order_acquire); }
  void raise_interrupt(uint32_t bits) { interrupts_.fetch_or(bits, std::memory_order_acq_rel); }
  void clear_interrupt(uint32_t bits) { interrupts_.fetch_and(~bits, std::memory_order_acq_rel); }
  /// Called by check_interrupts() with the pending bits; clears those it has served.
  using InterruptHandler = void (*)(Task&, uint32_t bits);
  void set_interrupt_handler(InterruptHandler handler) { interrupt_handler_ = handler; }

  // --- signals
  // A child is born with all signals blocked and their default actions: its body installs what its
  // role handles and then calls unblock_signals(). Signals that came before are delivered then.
  /// nullptr: the default action (the task dies by that signal). SIGKILL cannot be handled.
  void on_signal(int signo, SignalHandler handler);
  void block_signals();
  void unblock_signals();
  SignalHandler signal_handler(int signo) const { return handlers_[signo]; }
  static void ignore_signal(Task&, int);
  /// Common handlers, as procsignal.c and interrupt.c have them.
  static void handle_reload(Task& task, int);
  static void handle_die(Task& task, int);
  static void handle_cancel(Task& task, int);
  static void handle_shutdown(Task& task, int);
  static void handle_proc_signal(Task& task, int);

  // --- timeouts
  Timeouts& timeouts() { return timeouts_; }

  // --- end
  using ExitCallback = std::function<void(Task&, int code)>;
  /// Run in reverse order when the task ends by return or TaskExit (never after a crash), after the
  /// stack has been unwound: first all of before_shmem_exit, then on_shmem_exit, then on_proc_exit.
  /// Callbacks may wait.
  void before_shmem_exit(ExitCallback callback) { before_shmem_.push_back(std::move(callback)); }
  void on_shmem_exit(ExitCallback callback) { on_shmem_.push_back(std::move(callback)); }
  void on_proc_exit(ExitCallback callback) { on_proc_.push_back(std::move(callback)); }
  void run_exit_callbacks(int code);

  /// Descriptors that belong to this task alone. What the kernel does for a process, the coroutine
  /// model does for them: it closes them when it drops the task after a crash. A forked child
  /// closes those of its parent (listening sockets) unless its Birth hands them over.
  void adopt_fd(int fd) { fds_.push_back(fd); }
  void forget_fd(int fd);
  void close_fds_except(const std::vector<int>& kept);
  const std::vector<int>& adopted_fds() const { return fds_; }

  // --- what others see
  /// The whole title as `ps` shows it: "postgres: checkpointer ".
  void set_title(std::string_view title);
  /// Publishes the wait event to the Proc once there is one (MyProc->wait_event_info); null: to
  /// nobody again.
  void publish_wait_event_to(std::atomic<uint32_t>* word) {
    wait_word_ = word != nullptr ? word : &private_wait_word_;
  }
  /// Where title and cost are shown from now on (its row of the task table); null: nowhere.
  void publish_card_to(TaskCard* card) { card_ = card; }
  TaskCard* card() const { return card_; }
  void wait_begins(uint32_t event) { wait_word_->store(event, std::memory_order_relaxed); }
  void wait_ends() { wait_word_->store(0, std::memory_order_relaxed); }

  // --- floors' own state
  template <typename T>
  T* slot() const {
    return static_cast<T*>(slots_[static_cast<size_t>(T::kTaskSlot)]);
  }
  /// The pointer must outlive the task, or be cleared in an exit callback.
  template <typename T>
  void set_slot(T* state) {
    slots_[static_cast<size_t>(T::kTaskSlot)] = state;
  }
  /// What T::kThreadSlot holds for the tasks of this thread; made by the first that asks.
  template <typename T>
  T& thread_state() {
    std::shared_ptr<void>& cell = (*thread_cells_)[static_cast<size_t>(T::kThreadSlot)];
    if (!cell) cell = std::make_shared<T>();
    return *static_cast<T*>(cell.get());
  }
  /// A child starts with the slots of its parent (the postmaster): settings, cluster, log.
  void inherit_slots(const Task& parent);

  // --- holding off
  // Counts, not flags: a task yields and serves interrupts only when all of them are zero.
  int interrupt_holdoff = 0;
  int critical_section = 0;
  int lwlocks_held = 0;
  int spinlocks_held = 0;

  /// CPU time charged to this task so far, in nanoseconds (own slices in the coroutine model).
  int64_t cpu_time_ns() const;

  /// Where this task's frames lie, for stack.h. A task that continues on a deep stack changes it.
  struct StackSegment {
    const char* base = nullptr;   ///< highest address in use when the segment was entered
    const char* limit = nullptr;  ///< lowest address that may be used
    size_t used_before = 0;       ///< bytes of the task's frames on earlier segments
  };
  StackSegment stack;
  size_t max_stack_depth_bytes = size_t{2} << 20;

 private:
  friend class ForkModel;
  friend class CoroutineModel;
  friend class Scheduler;
  bool slice_is_over() const { return __builtin_ia32_rdtsc() >= slice_end_tsc_; }
  void check_interrupts_slow();

  Model& model_;
  OperatingSystem& os_;
  Pid pid_;
  std::string name_;
  Latch private_latch_;
  Latch* latch_ = &private_latch_;
  std::unique_ptr<WaitSet> latch_set_exiting_, latch_set_reporting_;
  std::atomic<uint32_t> interrupts_{0};
  uint64_t slice_end_tsc_ = UINT64_MAX;  ///< the fork model never yields
  InterruptHandler interrupt_handler_ = nullptr;
  SignalHandler handlers_[65] = {};
  Timeouts timeouts_{*this};
  std::vector<ExitCallback> before_shmem_, on_shmem_, on_proc_;
  std::vector<int> fds_;
  std::atomic<uint32_t> private_wait_word_{0};
  std::atomic<uint32_t>* wait_word_ = &private_wait_word_;
  TaskCard* card_ = nullptr;
  void* slots_[static_cast<size_t>(TaskSlot::kCount)] = {};
  ThreadCells* thread_cells_ = nullptr;  ///< the thread's, set by the model
  void* fiber_ = nullptr;                ///< the coroutine model's half of the task
};

namespace detail {
// constinit: reading it is one instruction, without the wrapper a dynamic initialiser would need.
// A fiber never changes threads, so a compiler that keeps its address across a wait is right.
extern constinit thread_local Task* current_task;
}  // namespace detail

/// The running task. Never null while role code runs; null inside blocking work (run_blocking).
inline Task& this_task() {
  return *detail::current_task;
}
inline Task* this_task_or_null() {
  return detail::current_task;
}

/// RAII for the counts above. Leaving the outermost one does not check interrupts by itself.
class HoldInterrupts {
 public:
  explicit HoldInterrupts(Task& task = this_task()) : task_(task) { ++task_.interrupt_holdoff; }
  ~HoldInterrupts() { --task_.interrupt_holdoff; }
  HoldInterrupts(const HoldInterrupts&) = delete;

 private:
  Task& task_;
};

/// An Error thrown inside becomes a PANIC at whoever catches it: it must find the count raised, so
/// the count is lowered only when the section ends normally (as START/END_CRIT_SECTION).
class CriticalSection {
 public:
  explicit CriticalSection(Task& task = this_task()) : task_(task) { ++task_.critical_section; }
  void end() {
    --task_.critical_section;
    ended_ = true;
  }
  ~CriticalSection();
  CriticalSection(const CriticalSection&) = delete;

 private:
  Task& task_;
  bool ended_ = false;
};

/// Ends the task: unwinds, runs the exit callbacks, exits with `code` (proc_exit).
[[noreturn]] inline void proc_exit(int code) {
  throw TaskExit{code};
}

/// Waits on the process latch: `flags` of kWaitLatch, kWaitTimeout and one of the death flags.
/// Returns what occurred. The latch is not reset. (WaitLatch)
uint32_t wait_latch(uint32_t flags, int64_t timeout_ms, WaitEventId event);
void set_latch(Latch& latch);
inline void reset_latch(Latch& latch) {
  latch.is_set.store(0, std::memory_order_seq_cst);
}

}  // namespace cofork
