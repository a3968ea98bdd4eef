// The private side of the lock manager: what the running task holds, how often and on whose behalf.
// Inside txn/ only.
#pragma once

#include <cstdint>
#include <vector>

#include "txn/deadlock.h"
#include "txn/lock_table.h"

namespace cofork {

/// The level that session locks belong to; the transaction's begin at 1.
inline constexpr int kSessionLevel = 0;

/// One thing the task holds in one or more modes (LOCALLOCK).
struct LocalLock {
  struct Owned {
    LockMode mode;
    int level;
    int64_t count;
  };
  LockTag tag;
  uint32_t hash = 0;
  uint16_t held = 0;  ///< modes really held
  uint16_t fast =
      0;  ///< of them, those granted by the fast path (perhaps moved to the table since)
  std::vector<Owned> owned;

  bool holds(LockMode mode) const { return (held & lock_bit(mode)) != 0; }
  void add(LockMode mode, int level);
  /// False when that level has not taken it. The last one of a mode leaves `held` to the caller.
  bool remove(LockMode mode, int level);
  bool is_owned(LockMode mode) const;
};

/// Locks by tag: open addressing over entries that keep their memory.
class LocalLocks {
 public:
  LocalLock* find(const LockTag& tag, uint32_t hash);
  LocalLock& find_or_add(const LockTag& tag, uint32_t hash);
  /// Position of an entry; valid until the next remove.
  size_t size() const { return count_; }
  LocalLock& at(size_t i) { return entries_[i]; }
  void remove(LocalLock& entry);

 private:
  static constexpr size_t kFirstBuckets = 64;
  size_t bucket_of(uint32_t hash) const { return hash & (buckets_.size() - 1); }
  void insert_into_buckets(size_t index);
  size_t find_bucket(size_t index) const;
  void grow();

  std::vector<LocalLock> entries_;  ///< the first count_ are in use
  size_t count_ = 0;
  std::vector<int32_t> buckets_;  ///< index + 1, 0: free
};

struct LockTask {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kLocks;

  LocalLocks locks;
  int fast_slots_used = 0;
  /// A strong lock's counter has been raised and the lock not been got yet.
  std::atomic<uint32_t>* strong_in_progress = nullptr;
  /// What the task stands in a queue for.
  bool is_waiting = false;
  LockTag awaited_tag;
  LockMode awaited_mode = LockMode::kNone;
  int awaited_level = 0;
  uint32_t awaited_hash = 0;
  const XactWaitContext* context = nullptr;  ///< of errors and log lines meanwhile
  Deadlock deadlock;                         ///< what the last check has found
};

/// Made at first use; when the task ends, what it still holds is released and it is freed.
LockTask& lock_task();

/// Ends in `lock_mode_name` … the words of 53200 when the shared table is full.
[[noreturn]] void throw_lock_table_full();

// --- fast path (lock_fast_path.cc)

/// May this lock be taken without the table?
bool is_fast_path_lock(const LockTag& tag, LockMode mode);
/// May it conflict with locks taken so?
bool conflicts_with_fast_path(const LockTag& tag, LockMode mode);
/// Takes it. False: no slot is free, or somebody holds or wants a strong lock.
bool fast_path_take(LockTask& mine, const LockTag& tag, uint32_t hash, LockMode mode);
/// False when it is not there (any more: it has been moved to the table).
bool fast_path_release(LockTask& mine, const LockTag& tag, LockMode mode);
/// Moves everybody's fast-path locks on a relation into the table. False: it is full.
bool move_fast_path_locks(const LockTag& tag, uint32_t hash);
/// The modes in a fast-path slot of `proc`, as a mask of lock_bit()s.
uint16_t fast_path_modes(const LockProc& proc, int slot);

// --- waiting (lock_wait.cc)

/// The request of `holder` could not be granted. The partition's lock is held, and is not when this
/// returns or throws. Returns when the lock has been granted.
void wait_for_lock(LockTask& mine, LocalLock& local, LockMode mode, int level, EntryRef holder);

/// Takes with a level of the caller's choice.
LockOutcome lock_acquire_at(const LockTag& tag, LockMode mode, LockWait wait, int level);

}  // namespace cofork
