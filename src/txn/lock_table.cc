// See lock_table.h (SetupLockInTable, LockCheckConflicts, GrantLock, CleanUpLock … in lock.c and
// ProcLockWakeup in proc.c, 15).
#include "txn/lock_table.h"

#include <bit>
#include <cassert>
#include <cstring>
#include <new>

namespace cofork {

namespace {

int32_t lock_capacity(const Limits& limits) {
  return limits.max_locks_per_transaction *
         (limits.max_backends() + limits.max_prepared_transactions);
}
uint32_t bucket_count(const Limits& limits) {
  return std::bit_ceil(static_cast<uint32_t>(lock_capacity(limits)));
}

int partition_of(uint32_t hash) {
  return static_cast<int>(hash % kLockPartitions);
}

}  // namespace

size_t LockProcs::size(const Limits& limits) {
  return sizeof(LockProc) * static_cast<size_t>(limits.procs());
}

size_t LockTable::size(const Limits& limits) {
  return sizeof(LockTable) + bucket_count(limits) * sizeof(EntryRef) +
         static_cast<size_t>(lock_capacity(limits)) * sizeof(Lock);
}

void LockTable::init(void* memory, const Limits& limits) {
  auto* table = static_cast<LockTable*>(memory);
  for (PaddedLwLock& partition : table->partitions) partition.lock.init(LwTranche::kLockManager);
  table->pool.capacity = lock_capacity(limits);
  table->bucket_mask = bucket_count(limits) - 1;
}

size_t LockHolders::size(const Limits& limits) {
  return sizeof(LockHolders) + 2 * static_cast<size_t>(lock_capacity(limits)) * sizeof(Holder);
}

void LockHolders::init(void* memory, const Limits& limits) {
  static_cast<LockHolders*>(memory)->pool.capacity = 2 * lock_capacity(limits);
}

uint32_t lock_hash(const LockTag& tag) {
  uint64_t words[2];
  std::memcpy(words, &tag, sizeof words);
  uint64_t mixed = (words[0] ^ (words[1] * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
  mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93ull;
  return static_cast<uint32_t>(mixed ^ (mixed >> 32));
}

LockTables::LockTables()
    : table_(shared_memory().area<LockTable>()),
      holder_table_(shared_memory().area<LockHolders>()),
      locks_(table_.entries()),
      holders_(holder_table_.entries()),
      procs_(shared_memory().area<LockProcs>().all()) {}

// --- finding and making

EntryRef LockTables::find(const LockTag& tag, uint32_t hash) {
  EntryRef ref = table_.buckets()[hash & table_.bucket_mask];
  while (ref != 0 && !(lock(ref).hash == hash && lock(ref).tag == tag)) ref = lock(ref).next;
  return ref;
}

EntryRef LockTables::find_holder(const Lock& of, int32_t proc) {
  EntryRef ref = of.first_holder;
  while (ref != 0 && holder(ref).proc != proc) ref = holder(ref).next_of_lock;
  return ref;
}

void LockTables::link_holder(EntryRef ref, Lock& of, int partition) {
  Holder& entry = holder(ref);
  entry.previous_of_lock = 0;
  entry.next_of_lock = of.first_holder;
  if (of.first_holder != 0) holder(of.first_holder).previous_of_lock = ref;
  of.first_holder = ref;
  EntryRef& first = procs_[entry.proc].holders[static_cast<size_t>(partition)];
  entry.previous_of_proc = 0;
  entry.next_of_proc = first;
  if (first != 0) holder(first).previous_of_proc = ref;
  first = ref;
}

void LockTables::unlink_holder(EntryRef ref, int partition) {
  Holder& entry = holder(ref);
  Lock& of = lock(entry.lock);
  (entry.previous_of_lock != 0 ? holder(entry.previous_of_lock).next_of_lock : of.first_holder) =
      entry.next_of_lock;
  if (entry.next_of_lock != 0) holder(entry.next_of_lock).previous_of_lock = entry.previous_of_lock;
  (entry.previous_of_proc != 0 ? holder(entry.previous_of_proc).next_of_proc
                               : procs_[entry.proc].holders[static_cast<size_t>(partition)]) =
      entry.next_of_proc;
  if (entry.next_of_proc != 0) holder(entry.next_of_proc).previous_of_proc = entry.previous_of_proc;
}

EntryRef LockTables::request(const LockTag& tag, uint32_t hash, int32_t proc, LockMode mode) {
  int partition = partition_of(hash);
  EntryRef lock_ref = find(tag, hash);
  bool is_new = lock_ref == 0;
  if (is_new) {
    lock_ref = table_.pool.take(locks_, partition);
    if (lock_ref == 0) return 0;
    EntryRef& bucket = table_.buckets()[hash & table_.bucket_mask];
    Lock& made = lock(lock_ref);
    made = Lock{};
    made.tag = tag;
    made.hash = hash;
    made.next = bucket;
    bucket = lock_ref;
  }
  Lock& wanted = lock(lock_ref);
  EntryRef ref = is_new ? 0 : find_holder(wanted, proc);
  if (ref == 0) {
    ref = holder_table_.pool.take(holders_, partition);
    if (ref != 0) {
      holder(ref) = Holder{.lock = lock_ref, .proc = proc};
      link_holder(ref, wanted, partition);
    }
  }
  if (ref == 0) {
    if (is_new) {
      table_.buckets()[hash & table_.bucket_mask] = wanted.next;
      table_.pool.give_back(locks_, partition, lock_ref);
    }
    return 0;
  }
  ++wanted.requested_total;
  ++wanted.requested[static_cast<size_t>(mode)];
  return ref;
}

/// Frees what nobody needs: a Holder without modes, a Lock without requests; else wakes waiters.
void LockTables::clean_up(EntryRef ref, bool wake) {
  EntryRef lock_ref = holder(ref).lock;
  Lock& of = lock(lock_ref);
  int partition = partition_of(of.hash);
  if (holder(ref).mask == 0) {
    unlink_holder(ref, partition);
    holder_table_.pool.give_back(holders_, partition, ref);
  }
  if (of.requested_total == 0) {
    EntryRef* link = &table_.buckets()[of.hash & table_.bucket_mask];
    while (*link != lock_ref) link = &lock(*link).next;
    *link = of.next;
    table_.pool.give_back(locks_, partition, lock_ref);
  } else if (wake) {
    wake_waiters(of);
  }
}

// --- granting and releasing

bool LockTables::conflicts(LockMode mode, const Lock& of, const Holder& by) const {
  auto against = static_cast<uint16_t>(lock_conflict_mask(mode) & of.granted_mask);
  if (against == 0) return false;
  for (size_t i = 1; i <= kLockModes; ++i) {
    if ((against >> i & 1) == 0) continue;
    if (of.granted[i] > (by.mask >> i & 1)) return true;
  }
  return false;
}

void LockTables::grant(Lock& of, Holder& to, LockMode mode) {
  ++of.granted_total;
  ++of.granted[static_cast<size_t>(mode)];
  of.granted_mask |= lock_bit(mode);
  if (of.granted[static_cast<size_t>(mode)] == of.requested[static_cast<size_t>(mode)]) {
    of.waiting_mask = static_cast<uint16_t>(of.waiting_mask & ~lock_bit(mode));
  }
  to.mask |= lock_bit(mode);
}

void LockTables::release(EntryRef ref, LockMode mode) {
  Holder& by = holder(ref);
  Lock& of = lock(by.lock);
  assert((by.mask & lock_bit(mode)) != 0);
  auto index = static_cast<size_t>(mode);
  --of.requested_total;
  --of.requested[index];
  --of.granted_total;
  if (--of.granted[index] == 0) {
    of.granted_mask = static_cast<uint16_t>(of.granted_mask & ~lock_bit(mode));
  }
  by.mask = static_cast<uint16_t>(by.mask & ~lock_bit(mode));
  clean_up(ref, (lock_conflict_mask(mode) & of.waiting_mask) != 0);
}

void LockTables::withdraw(EntryRef ref, LockMode mode) {
  Lock& of = lock(holder(ref).lock);
  --of.requested_total;
  --of.requested[static_cast<size_t>(mode)];
  clean_up(ref, false);
}

void LockTables::remove_waiter(int32_t number) {
  LockProc& waiter = procs_[number];
  Lock& of = lock(waiter.wait_lock);
  EntryRef ref = waiter.wait_holder;
  LockMode mode = waiter.wait_mode;
  queue(of).remove(number);
  auto index = static_cast<size_t>(mode);
  --of.requested_total;
  if (--of.requested[index] == of.granted[index]) {
    of.waiting_mask = static_cast<uint16_t>(of.waiting_mask & ~lock_bit(mode));
  }
  waiter.wait_lock = waiter.wait_holder = 0;
  waiter.wait_start.store(0, std::memory_order_relaxed);
  waiter.wait_status.store(LockWaitStatus::kError, std::memory_order_release);
  // Others may have waited behind it.
  clean_up(ref, true);
}

void LockTables::wake_waiters(Lock& of) {
  WaitQueue waiting = queue(of);
  uint16_t wanted_ahead = 0;
  for (int32_t n = waiting.head(); n != kNoProc;) {
    int32_t next = waiting.next(n);
    LockProc& waiter = procs_[n];
    LockMode mode = waiter.wait_mode;
    Holder& by = holder(waiter.wait_holder);
    if ((lock_conflict_mask(mode) & wanted_ahead) == 0 && !conflicts(mode, of, by)) {
      grant(of, by, mode);
      waiting.remove(n);
      waiter.wait_lock = waiter.wait_holder = 0;
      waiter.wait_start.store(0, std::memory_order_relaxed);
      waiter.wait_status.store(LockWaitStatus::kGranted, std::memory_order_release);
      set_latch(all_procs()[n].latch);
    } else {
      wanted_ahead |= lock_bit(mode);
    }
    n = next;
  }
}

void LockTables::lock_all_partitions(LwMode mode) {
  for (PaddedLwLock& partition : table_.partitions) partition.lock.acquire(mode);
}

void LockTables::unlock_all_partitions() {
  for (int i = kLockPartitions; i-- > 0;) table_.partitions[i].lock.release();
}

}  // namespace cofork
