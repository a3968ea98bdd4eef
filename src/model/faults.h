// Faults in the coroutine model: what SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT do to a process
// whose tasks are fibers.
//
// A fault in a task's own code ends that task with that status, as the kernel would end a process;
// the postmaster then runs the same crash cycle as in the fork model, and the process executes
// itself again at its end. A fault elsewhere (allocator, scheduler, a library, a worker thread)
// leaves nobody to run the cycle: the process executes itself again at once.
#pragma once

namespace cofork {

/// Installs the handlers. With `abort_on_fault` (cofork.coroutine_fault = abort) the process dies
/// as any other would.
void faults_contain(bool abort_on_fault);
/// Gives the calling thread its alternate signal stack; every scheduler thread needs one.
void faults_prepare_thread();

}  // namespace cofork
