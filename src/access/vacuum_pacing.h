// Cost-based delay: a vacuum that reads and dirties pages earns a budget's worth of sleep
// (vacuum_delay_point in vacuum.c, 15). Inside access/.
#pragma once

#include "storage/buffer_pool.h"

namespace cofork {

class VacuumPacing {
 public:
  /// delay_ms 0: never sleeps.
  VacuumPacing(double delay_ms, int32_t limit);
  /// Stands wherever no page is locked: checks interrupts, and sleeps when what the task has used
  /// of the buffer pool since the last sleep has reached the limit.
  void point();
  /// From now on as fast as possible: the failsafe.
  void stop() { delay_ms_ = 0; }

 private:
  double delay_ms_;
  int32_t limit_;
  int64_t balance_at_sleep_;
};

}  // namespace cofork
