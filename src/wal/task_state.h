// What one task keeps about WAL in its own memory: inside wal/ only.
#pragma once

#include "io/file.h"
#include "wal/record.h"
#include "wal/shared.h"

namespace cofork {

struct WalTask {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kWal;

  WalRecordBuilder record;
  Lsn last_inserted;
  Lsn last_end;
  Lsn redo;  ///< copy of WalShared::redo: old is safe, checked under the lock
  bool full_page_writes = true;
  int insert_lock = -1;     ///< the one it prefers; -1: none yet
  int insert_allowed = -1;  ///< 1 yes, 0 no, -1 as recovery_state says
  bool recovery_is_over = false;
  uint64_t cached_page = UINT64_MAX;  ///< page number of cached_bytes
  char* cached_bytes = nullptr;
  Lsn written;  ///< copies of the shared ones
  Lsn flushed;
  File segment_file;  ///< open for writing
  WalSegmentNo segment = 0;
  uint64_t last_background_flush_ns = 0;
};

/// Made at first use, freed when the task ends.
WalTask& wal_task();

/// Waits until everything before `upto` has been copied; returns how far copying has come
/// (WaitXLogInsertionsToFinish). Not with WALWriteLock held.
Lsn wait_for_insertions(WalShared& wal, Lsn upto);

/// Makes pages until the one with `upto` is there; `only_free` stops where a page would have to be
/// written first. Returns how many (AdvanceXLInsertBuffer).
int advance_wal_buffers(WalShared& wal, Lsn upto, bool only_free);

struct WalWriteRequest {
  Lsn write;
  Lsn flush;
};
/// Writes and syncs; the caller holds WALWriteLock and has waited for insertions. `flexible` may
/// stop at a convenient place (XLogWrite).
void write_wal(WalShared& wal, WalWriteRequest request, bool flexible);

/// Takes the shared positions into the task's copies.
inline void refresh_wal_positions(WalShared& wal, WalTask& task) {
  // flushed first: it never passes written.
  task.flushed = {wal.flushed.load(std::memory_order_acquire)};
  task.written = {wal.written.load(std::memory_order_acquire)};
}

/// Raises a shared position to at least `value`.
inline void raise_position(std::atomic<uint64_t>& position, uint64_t value) {
  uint64_t seen = position.load(std::memory_order_relaxed);
  while (seen < value && !position.compare_exchange_weak(seen, value, std::memory_order_acq_rel)) {
  }
}

}  // namespace cofork
