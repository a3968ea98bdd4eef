// See timeouts.h.
#include "model/timeouts.h"

#include "model/model.h"
#include "model/task.h"

namespace cofork {

void Timeouts::enable_after_ms(TimeoutId id, int64_t delay_ms) {
  Alarm& alarm = alarms_[index(id)];
  alarm.fired = false;
  alarm.due_ns = task_.os().clock.monotonic_ns() + delay_ms * 1'000'000;
  // An alarm that rings earlier than needed re-arms itself: statement_timeout set anew for each
  // statement then costs one system call per period, not one per statement.
  if (armed_ns_ == 0 || alarm.due_ns < armed_ns_) arm_for_earliest();
}

void Timeouts::disable(TimeoutId id) {
  alarms_[index(id)].due_ns = 0;
}

bool Timeouts::fired(TimeoutId id, bool clear) {
  Alarm& alarm = alarms_[index(id)];
  bool result = alarm.fired;
  if (clear) alarm.fired = false;
  return result;
}

void Timeouts::alarm_rang() {
  armed_ns_ = 0;
  int64_t now_ns = task_.os().clock.monotonic_ns();
  for (Alarm& alarm : alarms_) {
    if (alarm.due_ns == 0 || alarm.due_ns > now_ns) continue;
    alarm.due_ns = 0;
    alarm.fired = true;
    if (alarm.handler != nullptr) alarm.handler(task_);
  }
  arm_for_earliest();
}

void Timeouts::arm_for_earliest() {
  int64_t earliest_ns = 0;
  for (const Alarm& alarm : alarms_) {
    if (alarm.due_ns != 0 && (earliest_ns == 0 || alarm.due_ns < earliest_ns)) {
      earliest_ns = alarm.due_ns;
    }
  }
  if (earliest_ns == armed_ns_ || earliest_ns == 0) return;
  armed_ns_ = earliest_ns;
  task_.model().arm_alarm(task_, earliest_ns);
}

}  // namespace cofork
