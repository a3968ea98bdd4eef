// Copying bytes that another task may be changing: the readers' and the writer's half of the
// change-count protocol (pgstat_begin_read_activity and friends).
//
// The words are read and written one by one with relaxed atomics: a torn copy is thrown away by the
// protocol, and no compiler may assume that nobody else is there.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace cofork {

/// One field of a shared structure, changed by its owner.
template <typename T>
void shared_store(T& field, T value) {
  std::atomic_ref<T>(field).store(value, std::memory_order_relaxed);
}
template <typename T>
T shared_load(T& field) {
  return std::atomic_ref<T>(field).load(std::memory_order_relaxed);
}

/// `shared` is aligned to 8 bytes. `bytes` may be anything.
inline void copy_to_shared(char* shared, const char* from, size_t bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, from + i, 8);
    shared_store(*reinterpret_cast<uint64_t*>(shared + i), word);
  }
  for (; i < bytes; ++i) shared_store(shared[i], from[i]);
}
inline void copy_from_shared(char* to, char* shared, size_t bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t word = shared_load(*reinterpret_cast<uint64_t*>(shared + i));
    std::memcpy(to + i, &word, 8);
  }
  for (; i < bytes; ++i) to[i] = shared_load(shared[i]);
}

/// The owner's changes between construction and destruction are one change for readers.
class SharedChange {
 public:
  explicit SharedChange(std::atomic<uint32_t>& change_count) : count_(change_count) {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~SharedChange() {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  SharedChange(const SharedChange&) = delete;

 private:
  std::atomic<uint32_t>& count_;
};

/// Runs `copy` until it ran while nothing changed. A writer is inside a change for a few
/// instructions, unless the kernel has taken its CPU away: then we let it have ours. False when it
/// never came out: it died there, and the crash cycle is under way.
template <typename F>
bool read_consistently(const std::atomic<uint32_t>& change_count, F&& copy) {
  constexpr int kSpinsMax = 100, kYieldsMax = 100'000;
  for (int tries = 1; tries <= kSpinsMax + kYieldsMax; ++tries) {
    uint32_t before = change_count.load(std::memory_order_acquire);
    if ((before & 1) == 0) {
      copy();
      std::atomic_thread_fence(std::memory_order_acquire);
      if (change_count.load(std::memory_order_relaxed) == before) return true;
    }
    if (tries <= kSpinsMax) {
      __builtin_ia32_pause();
    } else {
      sched_yield();
    }
  }
  return false;
}

}  // namespace cofork
