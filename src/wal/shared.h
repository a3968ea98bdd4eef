// What all tasks share about WAL: positions, insertion locks, buffers ("XLOG Ctl"; XLogCtlData in
// xlog.c, 15).
//
// Three positions chase each other through the stream:
//
//   flushed  <=  written  <=  inserted (reserved and copied)  <=  reserved
//     on disk     in the kernel     in the buffers                 promised to an inserter
//
//   * Reserving is one addition under a spinlock. Copying then goes on in parallel, each inserter
//     under one of eight insertion locks.
//   * Who wants to write up to a position must know that all before it has been copied:
//     it waits until no insertion lock is held by somebody still at work below it.
//   * WAL pages have fixed places: page number modulo number of buffers. A page is made in order,
//     under WALBufMappingLock, after the page that had the place is written.
//   * Writing and syncing is one task's work at a time: the holder of WALWriteLock.
#pragma once

#include <atomic>
#include <cstdint>

#include "shmem/lwlock.h"
#include "shmem/segment.h"
#include "shmem/spinlock.h"
#include "wal/format.h"

namespace cofork {

inline constexpr int kWalInsertLocks = 8;

/// Where the server is between its start and normal running (RecoveryState).
enum class RecoveryState : uint32_t {
  kCrash = 0,  ///< before or in recovery: nobody may insert WAL but the start-up itself
  kDone,
};

struct alignas(kAreaAlignment) WalInsertLock {
  LwLock lock;
  /// How far its holder has got; 0: not known. Published only when the holder may have to wait.
  std::atomic<uint64_t> inserting_at;
  /// Start of the last record inserted under it that is worth a checkpoint.
  uint64_t last_important;
};

struct WalShared {
  static constexpr Area kArea = Area::kXlogCtl;
  static constexpr const char* kName = "XLOG Ctl";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);

  // Facts of the cluster, written once by start-up before anybody else looks.
  std::atomic<uint32_t> segment_bytes;
  TimelineId timeline;
  uint64_t system_identifier;
  bool page_checksums;  ///< pages carry checksums (data_checksum_version of the control file)
  std::atomic<RecoveryState> recovery_state;

  // Reserving.
  alignas(kAreaAlignment) SpinLock reserve_lock;
  WalBytePosition current;   ///< where the next record will begin
  WalBytePosition previous;  ///< where the last one began

  /// Changed only under all insertion locks, so one of them is enough to read it.
  alignas(kAreaAlignment) std::atomic<uint64_t> redo;
  std::atomic<bool> full_page_writes;

  // Writing. `written` and `flushed` are moved by the holder of WALWriteLock, flushed last.
  alignas(kAreaAlignment) std::atomic<uint64_t> written;
  std::atomic<uint64_t> flushed;
  std::atomic<uint64_t> write_request;    ///< at least up to here should be written soon
  std::atomic<uint64_t> async_commit;     ///< newest asynchronous commit
  std::atomic<bool> writer_sleeping;      ///< the WAL writer hibernates: whoever has work wakes it
  std::atomic<int64_t> segment_switch_s;  ///< Unix time of the last finished segment
  std::atomic<uint64_t> segment_switch_lsn;
  std::atomic<uint64_t> last_removed_segment;

  // Buffers. Guarded by WALBufMappingLock; block_end is read without it.
  alignas(kAreaAlignment) uint64_t initialized_to;  ///< end of the last page made
  uint64_t overwritten_page;  ///< a page that begins with a record nobody completed; 0: none
  uint32_t buffers;
  WalInsertLock insert_locks[kWalInsertLocks];

  /// End of the page that is in each buffer; 0: none.
  std::atomic<uint64_t>* block_end() { return reinterpret_cast<std::atomic<uint64_t>*>(this + 1); }
  char* pages() {
    auto after = reinterpret_cast<uintptr_t>(block_end() + buffers);
    return reinterpret_cast<char*>((after + kWalPageBytes - 1) & ~uintptr_t{kWalPageBytes - 1});
  }
  uint32_t buffer_of(uint64_t address) const {
    return static_cast<uint32_t>((address / kWalPageBytes) % buffers);
  }
  char* page_in(uint32_t buffer) { return pages() + size_t{buffer} * kWalPageBytes; }
  WalGeometry geometry() const {
    return WalGeometry(segment_bytes.load(std::memory_order_relaxed));
  }
};

inline WalShared& wal_shared() {
  return shared_memory().area<WalShared>();
}

}  // namespace cofork
