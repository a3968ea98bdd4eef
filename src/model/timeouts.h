// Timeouts: named alarms of one task, as timeout.c.
//
// A timeout that fires runs its handler in signal context (see SignalHandler): set flags, set the
// latch, nothing more. The kernel or scheduler alarm behind them is re-armed lazily: switching a
// timeout off, or setting one later than the alarm already armed, costs no system call.
#pragma once

#include <cstdint>

namespace cofork {

class Task;

enum class TimeoutId : uint8_t {
  kStartupPacket,  ///< authentication_timeout, before the session exists
  kDeadlock,
  kLock,
  kStatement,
  kIdleInTransaction,
  kIdleSession,
  kClientConnectionCheck,
  kStartupProgress,
  kCount,
};

class Timeouts {
 public:
  using Handler = void (*)(Task&);
  explicit Timeouts(Task& task) : task_(task) {}

  void set_handler(TimeoutId id, Handler handler) { alarms_[index(id)].handler = handler; }
  void enable_after_ms(TimeoutId id, int64_t delay_ms);
  void disable(TimeoutId id);
  bool active(TimeoutId id) const { return alarms_[index(id)].due_ns != 0; }
  /// Whether it has fired since it was last enabled or asked with clear.
  bool fired(TimeoutId id, bool clear = false);

  /// The model's alarm rang: runs the handlers of all timeouts that are due, arms the next one.
  void alarm_rang();

 private:
  struct Alarm {
    int64_t due_ns = 0;  ///< monotonic; 0 = off
    bool fired = false;
    Handler handler = nullptr;
  };
  static int index(TimeoutId id) { return static_cast<int>(id); }
  void arm_for_earliest();

  Task& task_;
  Alarm alarms_[static_cast<int>(TimeoutId::kCount)];
  int64_t armed_ns_ = 0;  ///< when the model's alarm will ring; 0 = never
};

}  // namespace cofork
