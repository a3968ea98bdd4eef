// Wait events: what a task is waiting for, by the names PostgreSQL 15 shows in pg_stat_activity.
//
// One 32-bit word per task, class in the top byte (as pgstat_report_wait_start). A wait without a
// name does not exist: every primitive that waits asks for one.
#pragma once

#include <cstdint>

namespace cofork {

enum class WaitClass : uint8_t {
  kNone = 0,
  kLWLock = 0x01,
  kLock = 0x03,
  kBufferPin = 0x04,
  kActivity = 0x05,
  kClient = 0x06,
  kExtension = 0x07,
  kIpc = 0x08,
  kTimeout = 0x09,
  kIo = 0x0a,
};

enum class WaitEventId : uint32_t {
  kNone = 0,
#define COFORK_WAIT_EVENT(symbol, klass, number, name) \
  symbol = (static_cast<uint32_t>(WaitClass::klass) << 24) | (number),
#include "model/wait_event_list.h"
#undef COFORK_WAIT_EVENT
};

/// The word for waiting on an LWLock of a tranche (names: shmem/lwlock.h).
constexpr uint32_t lwlock_wait_event(uint16_t tranche) {
  return (static_cast<uint32_t>(WaitClass::kLWLock) << 24) | tranche;
}

/// "Activity", "Client", … or nullptr for no wait.
const char* wait_class_name(uint32_t word);
/// "CheckpointerMain", "ClientRead", …; nullptr for none and for the LWLock class.
const char* wait_event_name(uint32_t word);

}  // namespace cofork
