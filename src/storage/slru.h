// SLRU: a simple pool of pages for the small, dense logs of transactions: commit log, parents of
// subtransactions, multixacts (as slru.c, 15).
//
// A log is an endless array, page after page of 8192 bytes without header or checksum, in files of
// 32 pages named by four hexadecimal digits ("pg_xact/0000"). A few of its pages are in shared
// memory; replaced is the one not used for longest, never the newest.
//
//   inline constexpr SlruKind kClog = {.area = Area::kXact, .directory = "pg_xact", …};
//   Slru clog(kClog);
//   LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
//   int slot = clog.read_page(page, true, xid);
//   clog.page(slot)[byte] |= …;
//   clog.mark_dirty(slot);
//
// Rules
//  1. The control lock guards slots, states and, held exclusively, the bytes. Who only reads bytes
//     holds it shared: read_page_shared() returns with it held one way or the other.
//  2. During I/O of a slot the control lock is free and the slot's own lock is held; its state says
//     which way. Whoever needs the slot waits for that lock.
//  3. Before a page is written, WAL is flushed up to the newest LSN of its groups.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "shmem/lwlock.h"
#include "shmem/segment.h"
#include "storage/page.h"
#include "storage/sync_request.h"
#include "support/lsn.h"

namespace cofork {

inline constexpr int kSlruPagesPerSegment = 32;

/// What is particular to one log. A constant of its owner.
struct SlruKind {
  Area area;
  const char* directory;      ///< "pg_xact"
  LwTranche control_lock;     ///< LwTranche::kXactSlru
  LwTranche buffer_tranche;   ///< LwTranche::kXactBuffer: names the slots' locks
  int32_t slots;              ///< pages in memory
  int32_t lsns_per_page = 0;  ///< groups with an LSN of their own; 0: WAL needs no flushing first
  SyncHandler sync = SyncHandler::kNone;  ///< kNone: files need not survive a crash
  /// Is page `a` logically before `b`, numbers wrapping around? A segment is removed when both its
  /// first and its last page come before the cutoff.
  bool (*precedes)(int32_t a, int32_t b);
};

/// For the owner's area: bytes it takes, and making it.
size_t slru_bytes(const SlruKind& kind);
void slru_init(void* memory, const SlruKind& kind);

enum class SlruState : uint8_t { kEmpty = 0, kReading, kValid, kWriting };

/// A task's view of one log. Cheap to make; holds nothing but addresses.
class Slru {
 public:
  explicit Slru(const SlruKind& kind);

  LwLock& control_lock() const { return *control_lock_; }
  char* page(int slot) const { return pages_ + static_cast<size_t>(slot) * kPageBytes; }
  int32_t page_number(int slot) const { return slots_[slot].page; }
  void mark_dirty(int slot) { slots_[slot].dirty = true; }
  /// LSN of one of the groups of a page in a slot.
  Lsn group_lsn(int slot, int group) const {
    return {lsns_[slot * kind_->lsns_per_page + group].load(std::memory_order_relaxed)};
  }
  /// Raises it; under the control lock, exclusive.
  void raise_group_lsn(int slot, int group, Lsn lsn);

  // With the control lock held exclusively; all may release and take it again in between.
  /// A new page of zeros, dirty: it becomes the newest. Returns its slot.
  int zero_page(int32_t page);
  /// The slot with the page. `write_ok`: a slot whose page is being written will do. `xid` is for
  /// the error: "could not access status of transaction %u" with DETAIL.
  int read_page(int32_t page, bool write_ok, uint32_t xid);
  void write_page(int slot);

  /// With the control lock not held; returns with it held, shared or exclusive.
  int read_page_shared(int32_t page, uint32_t xid);

  // With the control lock not held:
  /// Writes all dirty pages to the kernel and leaves fsyncs to the checkpointer's requests
  /// (SimpleLruWriteAll; the checkpoint's step for this log).
  void write_all();
  /// Removes segments that lie wholly before `cutoff`'s page. (SimpleLruTruncate)
  void truncate(int32_t cutoff);
  bool page_exists_on_disk(int32_t page) const;
  void delete_segment(int32_t segment);
  /// Calls back with the first page of each segment on disk; stops at true and returns it.
  bool scan_segments(const std::function<bool(int32_t first_page)>& callback) const;

  /// The newest page; set when the log is opened after recovery.
  int32_t latest_page() const;
  void set_latest_page(int32_t page);

 private:
  struct alignas(64) Slot {
    SlruState state;
    bool dirty;
    int32_t page;
    std::atomic<uint32_t> last_use;  ///< Head::uses at that time
    LwLock lock;                     ///< held during I/O
  };
  struct Head;
  friend size_t slru_bytes(const SlruKind&);
  friend void slru_init(void*, const SlruKind&);

  int select_slot(int32_t page);
  void note_use(int slot);
  void wait_for_io(int slot);
  /// Where I/O failed, for the error; `error` 0 means fewer bytes than asked for.
  struct IoFailure {
    enum class Step : uint8_t { kNone, kOpen, kRead, kWrite, kSync };
    Step step = Step::kNone;
    int error = 0;
  };
  IoFailure read_from_disk(int slot, int32_t page);
  IoFailure write_to_disk(int32_t page, const char* bytes, Lsn newest);
  Lsn newest_lsn(int slot) const;
  [[noreturn]] void fail(int32_t page, uint32_t xid, const IoFailure& failure) const;
  std::string segment_path(int32_t segment) const;
  bool may_delete_segment(int32_t first_page, int32_t cutoff) const;
  void remove_file(int32_t segment);

  const SlruKind* kind_;
  Head* head_;
  Slot* slots_;
  std::atomic<uint64_t>* lsns_;
  char* pages_;
  LwLock* control_lock_;
};

}  // namespace cofork
