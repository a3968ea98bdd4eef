// See vacuum_pacing.h.
#include "access/vacuum_pacing.h"

#include <algorithm>
#include <cmath>

#include "model/task.h"
#include "settings/settings.h"

namespace cofork {

namespace {

int64_t cost_so_far() {
  const BufferUsage& usage = buffer_usage();
  return usage.hit * settings().get(setting::kVacuumCostPageHit) +
         usage.read * settings().get(setting::kVacuumCostPageMiss) +
         usage.dirtied * settings().get(setting::kVacuumCostPageDirty);
}

/// Sleeps without being cut short by a latch that was set for something else.
void sleep_ms(int64_t ms) {
  Task& task = this_task();
  int64_t end_ns = task.os().clock.monotonic_ns() + ms * 1'000'000;
  for (;;) {
    int64_t left_ns = end_ns - task.os().clock.monotonic_ns();
    if (left_ns <= 0) return;
    wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath,
               (left_ns + 999'999) / 1'000'000, WaitEventId::kVacuumDelay);
    reset_latch(task.latch());
    task.check_interrupts();
  }
}

}  // namespace

VacuumPacing::VacuumPacing(double delay_ms, int32_t limit)
    : delay_ms_(delay_ms), limit_(limit), balance_at_sleep_(cost_so_far()) {}

void VacuumPacing::point() {
  this_task().check_interrupts();
  if (delay_ms_ <= 0) return;
  int64_t balance = cost_so_far() - balance_at_sleep_;
  if (balance < limit_) return;
  double ms = std::min(delay_ms_ * static_cast<double>(balance) / limit_, delay_ms_ * 4);
  sleep_ms(std::max<int64_t>(1, std::llround(ms)));
  balance_at_sleep_ = cost_so_far();
}

}  // namespace cofork
