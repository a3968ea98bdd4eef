// The cells a task sleeps on: plain data, placed in shared memory by shmem/, woken by the model.
//
// Which process or fiber waits on a cell is private to the model; the words are the same in both.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "os/shared_bytes.h"

namespace cofork {

/// A process id. In the fork model the kernel's; in the coroutine model a virtual one, always above
/// 4194304 (the kernel's own limit), so that a learner's `kill -9` can never hit a stranger.
using Pid = int32_t;
inline constexpr Pid kFirstVirtualPid = 4194305;

/// Latch: a flag its owner can sleep on, and anybody may set (as latch.c, 15).
///
/// set_latch() is safe in a signal handler and in a critical section. The owner's pattern is always
/// "wait, reset, look at the conditions"; looking before resetting would lose a wake-up.
struct Latch {
  std::atomic<uint32_t> is_set{0};
  std::atomic<uint32_t> maybe_sleeping{0};
  std::atomic<Pid> owner{0};
};

/// Counting semaphore with one possible sleeper, its owner (as the PGPROC's PGSemaphore).
/// In the fork model the kernel sleeps on `count` (a futex without the private flag).
struct Semaphore {
  std::atomic<uint32_t> count{0};
  std::atomic<Pid> owner{0};
};

/// What the outside sees of a task: its title and what it has cost so far (cofork ps). Written by
/// the task alone; readers take the title only if `change_count` was even and stayed the same.
/// The coroutine model writes the costs (memory: the task's stack, looked at now and then); in the
/// fork model they stay 0 and the kernel's own figures for the process are better.
struct TaskCard {
  std::atomic<uint32_t> change_count{0};
  alignas(8) char title[180] = {};  ///< ends with a zero; longer ones are cut
  std::atomic<int64_t> cpu_ns{0};
  std::atomic<int64_t> memory_bytes{0};
  std::atomic<uint64_t> switches{0};

  void set_title(std::string_view text) {
    SharedChange change(change_count);
    size_t length = std::min(text.size(), sizeof title - 1);
    copy_to_shared(title, text.data(), length);
    shared_store(title[length], '\0');
  }
};

static_assert(std::atomic<uint32_t>::is_always_lock_free, "cells are shared between processes");
static_assert(sizeof(Latch) == 12 && sizeof(Semaphore) == 8, "cells are part of the shared layout");

}  // namespace cofork
