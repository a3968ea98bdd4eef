// The fast path: weak locks on relations of the own database, which conflict only with strong ones
// that are rare, stand beside the own Proc instead of in the shared table (FastPath… in lock.c,
// 15).
//
// Whoever wants a strong lock first raises a counter, which sends all newcomers to the table, and
// then moves what others have taken so far into the table, task by task, under their fast-path
// locks. A weak locker reads the counter under its own fast-path lock: so either it sees the
// counter, or its lock is moved.
#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "txn/lock_local.h"

namespace cofork {

namespace {

constexpr int kBitsPerSlot = 3;
constexpr uint64_t kSlotMask = 7;

constexpr uint64_t slot_bit(int slot, LockMode mode) {
  return uint64_t{1} << (slot * kBitsPerSlot + static_cast<int>(mode) - 1);
}
uint64_t slot_bits(const LockProc& proc, int slot) {
  return proc.fast_modes >> (slot * kBitsPerSlot) & kSlotMask;
}

/// Moves one task's locks on the relation. Its fast-path lock is held.
bool move_from(LockTables& tables, int32_t number, const LockTag& tag, uint32_t hash) {
  LockProc& proc = tables.proc(number);
  for (int slot = 0; slot < kFastPathSlots; ++slot) {
    if (proc.fast_relations[static_cast<size_t>(slot)] != tag.field2) continue;
    uint16_t modes = fast_path_modes(proc, slot);
    if (modes == 0) continue;
    LwLockGuard partition(tables.partition_lock(hash), LwMode::kExclusive);
    for (int i = 1; i <= kBitsPerSlot; ++i) {
      auto mode = static_cast<LockMode>(i);
      if ((modes & lock_bit(mode)) == 0) continue;
      EntryRef holder = tables.request(tag, hash, number, mode);
      if (holder == 0) return false;
      tables.grant(tables.lock(tables.holder(holder).lock), tables.holder(holder), mode);
      proc.fast_modes &= ~slot_bit(slot, mode);
    }
    return true;  // a relation has one slot
  }
  return true;
}

}  // namespace

bool is_fast_path_lock(const LockTag& tag, LockMode mode) {
  return tag.type == LockTagType::kRelation && tag.method == 1 && tag.field1 != 0 &&
         mode < LockMode::kShareUpdateExclusive &&
         tag.field1 == my_proc().database_id.load(std::memory_order_relaxed);
}

bool conflicts_with_fast_path(const LockTag& tag, LockMode mode) {
  return tag.type == LockTagType::kRelation && tag.method == 1 && tag.field1 != 0 &&
         mode > LockMode::kShareUpdateExclusive;
}

uint16_t fast_path_modes(const LockProc& proc, int slot) {
  return static_cast<uint16_t>(slot_bits(proc, slot) << 1);
}

bool fast_path_take(LockTask& mine, const LockTag& tag, uint32_t hash, LockMode mode) {
  LockProc& proc = LockTables().proc(my_proc_number());
  LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
  if (shared_memory().area<StrongLocks>().of(hash).load(std::memory_order_seq_cst) != 0) {
    return false;
  }
  int free = -1;
  mine.fast_slots_used = 0;
  for (int slot = 0; slot < kFastPathSlots; ++slot) {
    if (slot_bits(proc, slot) == 0) {
      if (free < 0) free = slot;
      continue;
    }
    ++mine.fast_slots_used;
    if (proc.fast_relations[static_cast<size_t>(slot)] == tag.field2) {
      proc.fast_modes |= slot_bit(slot, mode);
      return true;
    }
  }
  if (free < 0) return false;
  proc.fast_relations[static_cast<size_t>(free)] = tag.field2;
  proc.fast_modes |= slot_bit(free, mode);
  ++mine.fast_slots_used;
  return true;
}

bool fast_path_release(LockTask& mine, const LockTag& tag, LockMode mode) {
  LockProc& proc = LockTables().proc(my_proc_number());
  LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
  for (int slot = 0; slot < kFastPathSlots; ++slot) {
    if (proc.fast_relations[static_cast<size_t>(slot)] != tag.field2) continue;
    if ((proc.fast_modes & slot_bit(slot, mode)) == 0) continue;
    proc.fast_modes &= ~slot_bit(slot, mode);
    if (slot_bits(proc, slot) == 0) --mine.fast_slots_used;
    return true;
  }
  return false;
}

bool move_fast_path_locks(const LockTag& tag, uint32_t hash) {
  LockTables tables;
  for (int32_t number : proc_array_numbers()) {
    LockProc& proc = tables.proc(number);
    if (!proc.is_ready.load(std::memory_order_acquire)) continue;
    LwLockGuard guard(proc.fast_path_lock, LwMode::kExclusive);
    // Only its own database's relations stand there.
    if (all_procs()[number].database_id.load(std::memory_order_relaxed) != tag.field1) continue;
    if (!move_from(tables, number, tag, hash)) return false;
  }
  return true;
}

}  // namespace cofork
