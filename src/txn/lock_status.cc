// Looking at locks: pg_locks, pg_blocking_pids(), and who is in the way of a strong lock
// (GetLockStatusData, GetBlockerStatusData and GetLockConflicts in lock.c, 15).
#include <algorithm>

#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "txn/lock_local.h"

namespace cofork {

namespace {

/// A Proc as a lock's holder. Free Procs have pid 0.
struct HolderFacts {
  VirtualXid vxid;
  Pid pid;
};
HolderFacts facts_of(int32_t number) {
  const Proc& proc = all_procs()[number];
  return {{number + 1, proc.local_xid.load(std::memory_order_relaxed)},
          proc.pid.load(std::memory_order_relaxed)};
}

void read_fast_path(LockTables& tables, int32_t number, std::vector<LockRow>& rows) {
  LockProc& proc = tables.proc(number);
  if (!proc.is_ready.load(std::memory_order_acquire)) return;
  LwLockGuard guard(proc.fast_path_lock, LwMode::kShared);
  HolderFacts facts = facts_of(number);
  uint32_t database = all_procs()[number].database_id.load(std::memory_order_relaxed);
  auto add = [&](const LockTag& tag, VirtualXid holder, LockMode mode) {
    rows.push_back({tag, holder, facts.pid, mode, true, true, 0});
  };
  for (int slot = 0; slot < kFastPathSlots; ++slot) {
    uint16_t modes = fast_path_modes(proc, slot);
    LockTag tag = LockTag::relation(database, proc.fast_relations[static_cast<size_t>(slot)]);
    for (int m = 1; m <= kLockModes; ++m) {
      if ((modes >> m & 1) != 0) add(tag, facts.vxid, static_cast<LockMode>(m));
    }
  }
  if (proc.fast_vxid) {
    VirtualXid own{number + 1, proc.fast_local_xid};
    add(LockTag::virtual_transaction(own.backend, own.local), own, LockMode::kExclusive);
  }
}

void read_table(LockTables& tables, int32_t number, std::vector<LockRow>& rows) {
  LockProc& proc = tables.proc(number);
  HolderFacts facts = facts_of(number);
  for (EntryRef first : proc.holders) {
    for (EntryRef ref = first; ref != 0; ref = tables.holder(ref).next_of_proc) {
      const Holder& holder = tables.holder(ref);
      const LockTag& tag = tables.lock(holder.lock).tag;
      for (int m = 1; m <= kLockModes; ++m) {
        if ((holder.mask >> m & 1) == 0) continue;
        rows.push_back({tag, facts.vxid, facts.pid, static_cast<LockMode>(m), true, false, 0});
      }
      if (proc.wait_holder != ref) continue;
      rows.push_back({tag, facts.vxid, facts.pid, proc.wait_mode, false, false,
                      proc.wait_start.load(std::memory_order_relaxed)});
    }
  }
}

}  // namespace

std::vector<LockRow> read_locks() {
  std::vector<LockRow> rows;
  LockTables tables;
  std::vector<int32_t> numbers = proc_array_numbers();
  for (int32_t number : numbers) read_fast_path(tables, number, rows);
  // All at once, so that the picture fits together.
  tables.lock_all_partitions(LwMode::kShared);
  for (int32_t number : numbers) read_table(tables, number, rows);
  tables.unlock_all_partitions();
  return rows;
}

std::vector<Pid> blocking_pids(Pid pid) {
  std::vector<Pid> pids;
  int32_t number = proc_of_backend(pid);
  if (number == kNoProc) return pids;
  LockTables tables;
  tables.lock_all_partitions(LwMode::kShared);
  const LockProc& waiter = tables.proc(number);
  if (waiter.wait_lock != 0) {
    Lock& lock = tables.lock(waiter.wait_lock);
    uint16_t conflicting = lock_conflict_mask(waiter.wait_mode);
    // Holders, then those ahead in the queue.
    for (EntryRef ref = lock.first_holder; ref != 0; ref = tables.holder(ref).next_of_lock) {
      const Holder& holder = tables.holder(ref);
      if (holder.proc != number && (holder.mask & conflicting) != 0) {
        pids.push_back(facts_of(holder.proc).pid);
      }
    }
    LockTables::WaitQueue queue = tables.queue(lock);
    for (int32_t n = queue.head(); n != number && n != kNoProc; n = queue.next(n)) {
      if ((lock_bit(tables.proc(n).wait_mode) & conflicting) != 0) {
        pids.push_back(facts_of(n).pid);
      }
    }
  }
  tables.unlock_all_partitions();
  return pids;
}

std::vector<VirtualXid> lock_conflicts(const LockTag& tag, LockMode mode) {
  std::vector<VirtualXid> found;
  LockTables tables;
  uint32_t hash = lock_hash(tag);
  uint16_t conflicting = lock_conflict_mask(mode);
  auto add = [&](int32_t number) {
    VirtualXid vxid = facts_of(number).vxid;
    if (number == my_proc_number() || vxid.local == 0) return;
    if (std::find(found.begin(), found.end(), vxid) == found.end()) found.push_back(vxid);
  };
  if (conflicts_with_fast_path(tag, mode)) {
    for (int32_t number : proc_array_numbers()) {
      LockProc& proc = tables.proc(number);
      if (!proc.is_ready.load(std::memory_order_acquire)) continue;
      LwLockGuard guard(proc.fast_path_lock, LwMode::kShared);
      if (all_procs()[number].database_id.load(std::memory_order_relaxed) != tag.field1) continue;
      for (int slot = 0; slot < kFastPathSlots; ++slot) {
        if (proc.fast_relations[static_cast<size_t>(slot)] != tag.field2) continue;
        if ((fast_path_modes(proc, slot) & conflicting) != 0) add(number);
      }
    }
  }
  LwLockGuard partition(tables.partition_lock(hash), LwMode::kShared);
  EntryRef lock = tables.find(tag, hash);
  EntryRef ref = lock == 0 ? 0 : tables.lock(lock).first_holder;
  for (; ref != 0; ref = tables.holder(ref).next_of_lock) {
    if ((tables.holder(ref).mask & conflicting) != 0) add(tables.holder(ref).proc);
  }
  return found;
}

}  // namespace cofork
