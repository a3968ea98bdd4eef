// See spinlock.h.
#include "shmem/spinlock.h"

#include <algorithm>

#include "model/model.h"
#include "shmem/proc.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr int kSpinsMin = 10;
constexpr int kSpinsMax = 1000;
constexpr int kSpinsDefault = 100;  // before there is a Proc to remember better
constexpr int64_t kSleepMin_us = 1000;
constexpr int64_t kSleepMax_us = 1'000'000;
constexpr int kSleepsMax = 1000;

}  // namespace

void SpinDelay::pause() {
  __builtin_ia32_pause();
  MyProc* me = my_or_null();
  if (++spins_ < (me != nullptr ? me->spins_per_delay : kSpinsDefault)) return;
  spins_ = 0;
  if (++sleeps_ > kSleepsMax) {
    throw Error(sqlstate::kInternalError, "stuck spinlock detected at {}, {}:{}", where_.function,
                where_.file, where_.line)
        .severity(Severity::kPanic);
  }
  if (sleep_us_ == 0) sleep_us_ = kSleepMin_us;
  Task& task = this_task();
  task.model().pause_us(task, sleep_us_);
  // Between once and twice as long the next time, so that those who collided part; from the top
  // back to the bottom, so that nobody sleeps on while the lock is long free.
  uint64_t noise = __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15u >> 54;
  sleep_us_ += sleep_us_ * static_cast<int64_t>(noise) / 1024;
  if (sleep_us_ > kSleepMax_us) sleep_us_ = kSleepMin_us;
}

void SpinDelay::finish() {
  MyProc* me = my_or_null();
  if (me == nullptr) return;
  if (sleeps_ == 0) {
    me->spins_per_delay = std::min(me->spins_per_delay + 100, kSpinsMax);
  } else {
    me->spins_per_delay = std::max(me->spins_per_delay - 1, kSpinsMin);
  }
}

void SpinLock::acquire_slow(CodePlace where) {
  SpinDelay delay(where);
  do {
    delay.pause();
    // Looking before trying keeps the cache line shared while somebody else holds the lock.
  } while (!is_free() || word_.exchange(1, std::memory_order_acquire) != 0);
  delay.finish();
}

}  // namespace cofork
