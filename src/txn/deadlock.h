// Finding deadlocks (as deadlock.c, 15). Inside txn/ only.
//
// Tasks are nodes. A waiting task has an edge to each task it waits for:
//   hard   it holds the lock in a conflicting mode
//   soft   it stands ahead in the queue and wants a conflicting mode
// A cycle through the start node is a deadlock. One with a soft edge may be resolved by turning it
// round, that is, by letting the later waiter go first. Each soft edge of a cycle is tried, and if
// that leaves or makes other cycles, those of their soft edges too, until an order of the queues
// without any cycle is found, or none is left to try.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shmem/proc.h"
#include "txn/lock_manager.h"

namespace cofork {

enum class DeadlockState : uint8_t { kNotChecked, kNone, kSoft, kHard };

struct Deadlock {
  struct Edge {
    LockTag tag;
    LockMode mode;
    Pid pid;  ///< who waits
  };
  DeadlockState state = DeadlockState::kNotChecked;
  std::vector<Edge>
      cycle;  ///< of the last hard one: each waits for the next, the last for the first

  /// 40P01 with everything PostgreSQL says about it.
  [[noreturn]] void raise() const;
};

/// Looks for a deadlock of the waiting task `proc`, and changes queues if that helps, waking who
/// can go on. All partitions are held exclusively.
Deadlock check_for_deadlock(int32_t proc);

}  // namespace cofork
