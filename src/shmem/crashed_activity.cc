// See crashed_activity.h.
#include "shmem/crashed_activity.h"

#include <cstring>

#include "shmem/backend_status.h"

namespace cofork {

namespace {

bool is_plain(char c) {
  return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string crashed_backend_activity(SharedMemory& memory, Pid pid) {
  const Limits& limits = memory.limits();
  BackendStatus* slots = memory.area<BackendStatusArray>().slots();
  for (int32_t slot = 0; slot < limits.status_slots(); ++slot) {
    if (slots[slot].fields.pid != pid) continue;
    const char* row = memory.area<StatusActivity>().row(slot, limits);
    std::string activity(row, strnlen(row, StatusActivity::row_bytes(limits) - 1));
    for (char& c : activity) {
      if (!is_plain(c)) c = '?';
    }
    return activity;
  }
  return "";
}

}  // namespace cofork
