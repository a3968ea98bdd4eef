// Condition variables in shared memory, sleeping on the latch (as condition_variable.c, 15).
//
//   cv.prepare_to_sleep();              // optional: saves one useless test of the condition
//   while (!condition) cv.sleep(WaitEventId::kCheckpointDone);
//   cancel_condition_sleep();
//
// Spurious returns are normal: the loop tests again. Because the sleep is on the latch, interrupts
// are served in it.
#pragma once

#include "model/task.h"
#include "model/wait_event.h"
#include "shmem/proc_list.h"
#include "shmem/spinlock.h"

namespace cofork {

/// Memory that reads as zero is one nobody waits on.
struct ConditionVariable {
  /// Queues the task, so that a signal from now on will not be missed.
  void prepare_to_sleep();
  /// Sleeps until signalled. The first call only prepares and returns at once.
  void sleep(WaitEventId event) { timed_sleep(-1, event); }
  /// True when the time was up first. -1: no limit.
  bool timed_sleep(int64_t timeout_ms, WaitEventId event);
  /// Wakes the first sleeper, if any.
  void signal();
  /// Wakes all that sleep now.
  void broadcast();

  SpinLock mutex;
  ProcList waiters;  ///< guarded by mutex
};
static_assert(sizeof(ConditionVariable) == 12);

/// Leaves the queue; called after the loop, and by error cleanup. True when the task had already
/// been taken off by a signal (which it has then used up).
bool cancel_condition_sleep();

}  // namespace cofork
