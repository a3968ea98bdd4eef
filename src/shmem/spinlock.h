// Spinlocks: for a few dozen instructions of straight-line code (as s_lock.c, 15).
//
// A holder must not wait, throw, call out, or take a second spinlock: then it can never be a
// suspended fiber, and whoever spins waits for a running CPU. Nothing frees a spinlock after an
// error; a task that dies holding one takes the server through the crash cycle.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>

#include "model/task.h"

namespace cofork {

/// A place in the source, for the message about a stuck lock: a default argument here() is the
/// caller's. (clang 14 lacks std::source_location.)
struct CodePlace {
  const char* function;
  const char* file;
  int line;
  static constexpr CodePlace here(const char* function = __builtin_FUNCTION(),
                                  const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
    return {function, file, line};
  }
};

/// The pause between two tries of a lock somebody else holds for a moment; also for the bit that
/// guards an LWLock's wait list. Spins first, then sleeps 1 ms to 1 s at a time; after 1000 sleeps
/// the lock is taken for stuck: PANIC. (perform_spin_delay)
class SpinDelay {
 public:
  explicit SpinDelay(CodePlace where) : where_(where) {}
  void pause();
  /// The lock was got: adapts how long the next one spins before it sleeps. On several CPUs
  /// spinning pays, on one it never does. (finish_spin_delay)
  void finish();

 private:
  CodePlace where_;
  int spins_ = 0;
  int sleeps_ = 0;
  int64_t sleep_us_ = 0;
};

class SpinLock {
 public:
  void acquire(CodePlace where = CodePlace::here()) {
    Task& task = this_task();
    assert(task.spinlocks_held == 0);
    if (word_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]]
      acquire_slow(where);
    ++task.spinlocks_held;
  }
  void release() {
    Task& task = this_task();
    assert(task.spinlocks_held == 1);
    word_.store(0, std::memory_order_release);
    --task.spinlocks_held;
  }
  bool is_free() const { return word_.load(std::memory_order_relaxed) == 0; }

 private:
  void acquire_slow(CodePlace where);
  std::atomic<uint32_t> word_{0};
};
static_assert(sizeof(SpinLock) == 4);

class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock, CodePlace where = CodePlace::here()) : lock_(lock) {
    lock_.acquire(where);
  }
  ~SpinGuard() { lock_.release(); }
  SpinGuard(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace cofork
