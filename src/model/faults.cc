// See faults.h.
#include "model/faults.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "model/model.h"
#include "model/scheduler.h"
#include "os/execute_again.h"

// The linker's names for the bounds of the program's own code.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace cofork {

namespace {

constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t kSignalStackBytes = size_t{64} << 10;

// Per process and per thread, as the kernel's own signal state is.
bool dies_on_fault = false;
thread_local char* crash_stack =
    nullptr;  ///< where a crashed task leaves from: its own may be full

bool in_own_code(uintptr_t address) {
  return address >= reinterpret_cast<uintptr_t>(&__executable_start) &&
         address < reinterpret_cast<uintptr_t>(&etext);
}

void say(const char* text) {
  [[maybe_unused]] ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
}

/// Runs on the crash stack, after the handler has returned into it: the task is left for good.
[[noreturn]] void leave_task(int signo) {
  Scheduler* scheduler = Scheduler::current();
  scheduler->drop(*scheduler->running(), ExitStatus::signaled(signo));
  std::abort();
}

/// Set when our own code has called abort() or failed an assertion (see the wrappers below): that
/// is a task's own end. glibc's abort on a broken heap is not, for the allocator's lock may be
/// held.
thread_local bool task_aborts = false;

void handle_fault(int signo, siginfo_t* info, void* raw_context) {
  auto* context = static_cast<ucontext_t*>(raw_context);
  auto at = static_cast<uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
  Scheduler* scheduler = Scheduler::current();
  bool in_task = scheduler != nullptr && scheduler->running() != nullptr;
  bool raised_by_kill = info->si_code <= 0 && signo != SIGABRT;
  // The first task is the one that would have to run the crash cycle.
  bool in_postmaster = in_task && scheduler->running()->task.pid() == getpid();
  bool contained = in_task && !in_postmaster && !raised_by_kill &&
                   (signo == SIGABRT ? task_aborts : in_own_code(at));
  if (dies_on_fault) {
    signal(signo, SIG_DFL);
    return;  // the instruction faults again, and the kernel ends the process
  }
  if (!contained) {
    say("cofork: fault outside a task's own code; the process executes itself again\n");
    execute_again();
  }
  task_aborts = false;
  // Rewrite the interrupted context: returning from this handler continues in leave_task(signo) on
  // the crash stack, with the signal mask of the task restored by the kernel.
  uintptr_t top = reinterpret_cast<uintptr_t>(crash_stack) + kSignalStackBytes;
  top = (top & ~uintptr_t{15}) - 8;  // as after a call instruction
  context->uc_mcontext.gregs[REG_RIP] =
      static_cast<greg_t>(reinterpret_cast<uintptr_t>(&leave_task));
  context->uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(top);
  context->uc_mcontext.gregs[REG_RDI] = signo;
}

[[noreturn]] void terminate_task() {
  std::abort();  // ours, not libstdc++'s: the wrapper below hears of it
}

char* map_stack() {
  void* memory =
      mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return static_cast<char*>(memory);
}

}  // namespace

void faults_contain(bool abort_on_fault) {
  dies_on_fault = abort_on_fault;
  std::set_terminate(terminate_task);
  for (int signo : kFaults) {
    struct sigaction action {};
    action.sa_sigaction = handle_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(signo, &action, nullptr);
  }
}

void faults_prepare_thread() {
  stack_t alternate{};
  alternate.ss_sp = map_stack();
  alternate.ss_size = kSignalStackBytes;
  sigaltstack(&alternate, nullptr);
  crash_stack = map_stack();
}

}  // namespace cofork

// The linker sends our own calls of abort() and of failed assertions here (--wrap, see
// meson.build), but not those of the libraries.
extern "C" {
[[noreturn]] void __real_abort();
[[noreturn]] void __real___assert_fail(const char*, const char*, unsigned int,
                                       const char*) noexcept;

[[noreturn]] void __wrap_abort() {
  cofork::task_aborts = true;
  __real_abort();
}

[[noreturn]] void __wrap___assert_fail(const char* assertion, const char* file, unsigned int line,
                                       const char* function) noexcept {
  cofork::task_aborts = true;
  __real___assert_fail(assertion, file, line, function);
}
}
