// See wait_profile.h.
#include "shmem/wait_profile.h"

#include <new>

#include "shmem/backend_status.h"
#include "shmem/proc.h"
#include "shmem/task_table.h"

namespace cofork {

namespace {

/// Never 0: the kind counts from 1 in the upper half.
uint64_t row_key(BackendType type, uint32_t wait_event_info) {
  return (static_cast<uint64_t>(type) + 1) << 32 | wait_event_info;
}

void count(WaitProfile& profile, uint64_t key) {
  size_t start = (key * 0x9e3779b97f4a7c15u >> 32) % WaitProfile::kRows;
  for (size_t i = 0; i < WaitProfile::kRows; ++i) {
    WaitProfile::Row& row = profile.rows[(start + i) % WaitProfile::kRows];
    uint64_t found = row.key.load(std::memory_order_relaxed);
    if (found == 0) row.key.store(key, std::memory_order_release);
    if (found != 0 && found != key) continue;
    row.seen.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  profile.dropped.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void WaitProfile::init(void* memory, const Limits&) {
  new (memory) WaitProfile{};
}

void sample_waits(WaitProfile& profile, int32_t skip_proc) {
  TaskTable& table = shared_memory().area<TaskTable>();
  Proc* procs = all_procs();
  int32_t used = table.rows_used.load(std::memory_order_acquire);
  if (profile.samples.fetch_add(1, std::memory_order_relaxed) == 0) {
    profile.started_at.store(now_timestamp(), std::memory_order_relaxed);
  }
  for (int32_t i = 0; i < used; ++i) {
    TaskRow& row = table.rows()[i];
    if (row.pid.load(std::memory_order_acquire) == 0) continue;
    int32_t number = row.proc_number.load(std::memory_order_relaxed);
    if (number == kNoProc || number == skip_proc) continue;
    uint32_t event = procs[number].wait_event_info.load(std::memory_order_relaxed);
    count(profile, row_key(row.type.load(std::memory_order_relaxed), event));
    this_task().check_interrupts();
  }
}

std::vector<WaitProfileRow> read_wait_profile() {
  std::vector<WaitProfileRow> rows;
  for (WaitProfile::Row& row : shared_memory().area<WaitProfile>().rows) {
    uint64_t key = row.key.load(std::memory_order_acquire);
    if (key == 0) continue;
    rows.push_back({static_cast<BackendType>((key >> 32) - 1), static_cast<uint32_t>(key),
                    row.seen.load(std::memory_order_relaxed)});
  }
  return rows;
}

}  // namespace cofork
