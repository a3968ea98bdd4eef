// See btree_vacuum_state.h.
#include "access/btree_vacuum_state.h"

#include "access/btree_change.h"
#include "os/os.h"
#include "shmem/lwlock.h"
#include "support/error.h"

namespace cofork {

size_t BtreeVacuumArea::size(const Limits& limits) {
  return offsetof(BtreeVacuumArea, running) +
         static_cast<size_t>(limits.max_backends()) * sizeof(Running);
}

void BtreeVacuumArea::init(void* memory, const Limits& limits) {
  auto& area = *static_cast<BtreeVacuumArea*>(memory);
  // Not the numbers of the last time: pages may still carry them.
  area.last_cycle = static_cast<uint16_t>(this_task().os().clock.realtime_us() / 1000000);
  area.count = 0;
  area.max = limits.max_backends();
}

namespace {

BtreeVacuumArea::Running* find_running(BtreeVacuumArea& area, const BtreeIndex& index) {
  for (int i = 0; i < area.count; ++i) {
    BtreeVacuumArea::Running& running = area.running[i];
    if (running.index == index.relation.oid && running.database == index.relation.file.database) {
      return &running;
    }
  }
  return nullptr;
}

}  // namespace

uint16_t btree_start_vacuum(const BtreeIndex& index) {
  auto& area = shared_memory().area<BtreeVacuumArea>();
  LwLockGuard lock(LwTranche::kBtreeVacuum, LwMode::kExclusive);
  if (++area.last_cycle == 0 || area.last_cycle > kBtreeMaxCycle) area.last_cycle = 1;
  if (find_running(area, index) != nullptr) {
    throw Error(sqlstate::kInternalError, "multiple active vacuums for index \"{}\"",
                index.relation.name);
  }
  if (area.count == area.max) throw Error(sqlstate::kInternalError, "out of btvacinfo slots");
  area.running[area.count++] = {index.relation.file.database, index.relation.oid, area.last_cycle};
  return area.last_cycle;
}

void btree_end_vacuum(const BtreeIndex& index) {
  auto& area = shared_memory().area<BtreeVacuumArea>();
  LwLockGuard lock(LwTranche::kBtreeVacuum, LwMode::kExclusive);
  BtreeVacuumArea::Running* running = find_running(area, index);
  if (running != nullptr) *running = area.running[--area.count];
}

uint16_t btree_vacuum_cycle(const BtreeIndex& index) {
  auto& area = shared_memory().area<BtreeVacuumArea>();
  LwLockGuard lock(LwTranche::kBtreeVacuum, LwMode::kShared);
  BtreeVacuumArea::Running* running = find_running(area, index);
  return running != nullptr ? running->cycle : uint16_t{0};
}

}  // namespace cofork
