// See lock_local.h.
#include "txn/lock_local.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include "shmem/lwlock.h"
#include "support/error.h"

namespace cofork {

void LocalLock::add(LockMode mode, int level) {
  for (Owned& one : owned) {
    if (one.mode == mode && one.level == level) {
      ++one.count;
      return;
    }
  }
  owned.push_back({mode, level, 1});
}

bool LocalLock::remove(LockMode mode, int level) {
  for (Owned& one : owned) {
    if (one.mode != mode || one.level != level) continue;
    if (--one.count == 0) {
      one = owned.back();
      owned.pop_back();
    }
    return true;
  }
  return false;
}

bool LocalLock::is_owned(LockMode mode) const {
  return std::any_of(owned.begin(), owned.end(),
                     [mode](const Owned& one) { return one.mode == mode; });
}

LocalLock* LocalLocks::find(const LockTag& tag, uint32_t hash) {
  if (count_ == 0) return nullptr;
  for (size_t b = bucket_of(hash); buckets_[b] != 0; b = (b + 1) & (buckets_.size() - 1)) {
    LocalLock& entry = entries_[static_cast<size_t>(buckets_[b] - 1)];
    if (entry.hash == hash && entry.tag == tag) return &entry;
  }
  return nullptr;
}

LocalLock& LocalLocks::find_or_add(const LockTag& tag, uint32_t hash) {
  if (LocalLock* found = find(tag, hash)) return *found;
  if (buckets_.size() < 2 * (count_ + 1)) grow();
  if (count_ == entries_.size()) entries_.emplace_back();
  LocalLock& entry = entries_[count_];
  entry.tag = tag;
  entry.hash = hash;
  entry.held = entry.fast = 0;
  entry.owned.clear();
  insert_into_buckets(count_++);
  return entry;
}

void LocalLocks::remove(LocalLock& entry) {
  auto index = static_cast<size_t>(&entry - entries_.data());
  size_t hole = find_bucket(index);
  // Whoever was pushed past the hole moves back, so that searches need not look beyond it.
  for (size_t b = hole;;) {
    b = (b + 1) & (buckets_.size() - 1);
    if (buckets_[b] == 0) break;
    size_t home = bucket_of(entries_[static_cast<size_t>(buckets_[b] - 1)].hash);
    bool stays = hole <= b ? (hole < home && home <= b) : (hole < home || home <= b);
    if (stays) continue;
    buckets_[hole] = buckets_[b];
    hole = b;
  }
  buckets_[hole] = 0;
  size_t last = --count_;
  if (index == last) return;
  buckets_[find_bucket(last)] = static_cast<int32_t>(index + 1);
  std::swap(entries_[index], entries_[last]);
}

size_t LocalLocks::find_bucket(size_t index) const {
  size_t b = bucket_of(entries_[index].hash);
  while (buckets_[b] != static_cast<int32_t>(index + 1)) b = (b + 1) & (buckets_.size() - 1);
  return b;
}

void LocalLocks::insert_into_buckets(size_t index) {
  size_t b = bucket_of(entries_[index].hash);
  while (buckets_[b] != 0) b = (b + 1) & (buckets_.size() - 1);
  buckets_[b] = static_cast<int32_t>(index + 1);
}

void LocalLocks::grow() {
  buckets_.assign(std::max(kFirstBuckets, buckets_.size() * 2), 0);
  for (size_t i = 0; i < count_; ++i) insert_into_buckets(i);
}

LockTask& lock_task() {
  Task& task = this_task();
  if (auto* mine = task.slot<LockTask>()) [[likely]]
    return *mine;
  auto* mine = std::make_unique<LockTask>().release();
  task.set_slot(mine);
  // The owner before may have left the lock of these slots; nobody holds it now.
  LockProc& proc = LockTables().proc(my_proc_number());
  if (!proc.is_ready.load(std::memory_order_acquire)) {
    proc.fast_path_lock.init(LwTranche::kLockFastPath);
    proc.is_ready.store(true, std::memory_order_release);
  }
  Timeouts& timeouts = task.timeouts();
  auto wake = [](Task& alarmed) { set_latch(alarmed.latch()); };
  timeouts.set_handler(TimeoutId::kDeadlock, wake);
  timeouts.set_handler(TimeoutId::kLock, wake);
  task.before_shmem_exit([](Task&, int) {
    release_all_lwlocks();
    locks_end_session();
  });
  task.on_proc_exit([mine](Task& ending, int) {
    ending.set_slot<LockTask>(nullptr);
    delete mine;
  });
  return *mine;
}

void throw_lock_table_full() {
  throw Error(sqlstate::kOutOfMemory, "out of shared memory")
      .hint("You might need to increase max_locks_per_transaction.");
}

}  // namespace cofork
