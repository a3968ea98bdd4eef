// The buffer pool: pages of relation files in shared memory, and the only way to them.
//
//   Buffer buffer = read_buffer(file, ForkNumber::kMain, 7);   // pinned: it stays where it is
//   buffer.lock_exclusive();
//   CriticalSection critical;
//   … change buffer.page() …
//   buffer.mark_dirty();                                       // before the WAL record
//   Lsn end = wal_insert(record);  set_page_lsn(buffer.page(), end);
//   critical.end();
//   // leaving the scope unlocks and unpins
//
// Rules
//  1. Who looks at a page holds a pin, and a content lock while it reads what may change. A row
//     version that was found under the lock may be read on under the pin alone: only who holds a
//     cleanup lock (exclusive, and no other pin) moves items.
//  2. Who changes a page holds its lock exclusively. Hint bits may be set under a shared one.
//  3. Mark dirty first, then insert WAL: so a checkpoint that finds the page clean knows that its
//     record comes after the redo pointer.
//  4. WAL before data: a page is written only when the WAL up to its LSN is on disk.
//  5. Several pages at once are locked in an agreed order (heap: ascending block; B-tree: left to
//     right, child to parent). Content locks have no deadlock detection.
//
// A hit costs a hash, a look at one or two cache lines and one compare-and-swap; a second pin by
// the same task costs nothing that is shared. As bufmgr.c, buf_table.c and freelist.c, 15.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "shmem/stats.h"
#include "storage/page.h"
#include "wal/format.h"

namespace cofork {

struct BufferDescriptor;

struct BufferTag {
  RelationFile file;
  ForkNumber fork = ForkNumber::kMain;
  BlockNumber block = kInvalidBlock;
  friend bool operator==(const BufferTag&, const BufferTag&) = default;
};

enum class ReadMode : uint8_t {
  kNormal,
  kZeroAndLock,         ///< do not read: a page of zeros, exclusively locked; the caller fills it
  kZeroAndCleanupLock,  ///< the same with a cleanup lock
  kZeroOnError,         ///< zeros instead of the error about a damaged page
  kNormalNoLog,         ///< redo: as kNormal
};

/// A pin on a buffer, and its content lock while that is held. Movable; empty by default. Unlocks
/// before it unpins; an ERROR releases it by unwinding. Belongs to the task that made it.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { release(); }
  Buffer(Buffer&& other) noexcept { take(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }

  bool is_valid() const { return descriptor_ != nullptr; }
  char* page() const { return page_; }
  BlockNumber block() const { return tag().block; }
  const BufferTag& tag() const;
  /// 1 … shared_buffers: pg_buffercache's bufferid.
  int32_t id() const;

  void lock_shared();
  void lock_exclusive();
  bool try_lock_exclusive();
  void unlock();
  bool is_locked() const { return locked_; }
  /// Exclusive, and nobody else has a pin: waits for that (wait event BufferPin). The task may hold
  /// one pin only. (LockBufferForCleanup)
  void lock_for_cleanup();
  bool try_lock_for_cleanup();
  /// Holding it exclusively: is it a cleanup lock as well? (IsBufferCleanupOK)
  bool has_cleanup_lock() const;

  /// Holding it exclusively. (MarkBufferDirty)
  void mark_dirty();
  /// After setting hint bits, under any lock. With checksums or wal_log_hints the first such change
  /// after a checkpoint writes a page image (XLOG_FPI_FOR_HINT), so not while a record is being
  /// built. `standard`: pd_lower and pd_upper bound a hole. (MarkBufferDirtyHint)
  void mark_dirty_hint(bool standard = true);
  /// LSN of the page, safe against hint setters (BufferGetLSNAtomic).
  Lsn lsn() const;

  /// Another pin of this task on the same buffer, not locked. Costs nothing shared.
  Buffer pin_again() const;
  /// Unlocks and unpins now.
  void release() {
    if (descriptor_ != nullptr) release_pinned();
  }

 private:
  friend class BufferAccess;
  Buffer(BufferDescriptor* descriptor, char* page) : descriptor_(descriptor), page_(page) {}
  void take(Buffer& other) {
    descriptor_ = other.descriptor_;
    page_ = other.page_;
    locked_ = other.locked_;
    other.descriptor_ = nullptr;
    other.page_ = nullptr;
    other.locked_ = false;
  }
  void release_pinned();

  BufferDescriptor* descriptor_ = nullptr;
  char* page_ = nullptr;
  bool locked_ = false;
};

/// A ring of few buffers for work that would otherwise sweep everybody's pages out of the pool.
/// An object of one scan or command; it must outlive the calls it is passed to, nothing else.
class AccessStrategy {
 public:
  enum class Kind : uint8_t { kBulkRead, kBulkWrite, kVacuum };  ///< 256 kB, 16 MB, 256 kB
  explicit AccessStrategy(Kind kind);

 private:
  friend class BufferAccess;
  Kind kind_;
  std::vector<int32_t> ring_;  ///< buffer numbers, -1: not filled yet
  size_t current_ = 0;
  bool current_was_in_ring_ = false;
};

/// The page of a block, read from disk if it is not there. A block past the end, an invalid page
/// and the disk's errors are ERRORs (relation_files.h; XX001 "invalid page in block %u of relation
/// %s"); 53200 "no unpinned buffers available". kInvalidBlock is not allowed here: extend_relation.
Buffer read_buffer(const RelationFile& file, ForkNumber fork, BlockNumber block,
                   ReadMode mode = ReadMode::kNormal, AccessStrategy* strategy = nullptr);
/// The same if the page is in the pool; else an empty Buffer.
Buffer buffer_if_cached(const RelationFile& file, ForkNumber fork, BlockNumber block);
/// Adds a page of zeros at the end: pinned and exclusively locked. The caller holds the relation's
/// extension lock if others may extend it too.
Buffer extend_relation(const RelationFile& file, ForkNumber fork,
                       AccessStrategy* strategy = nullptr);
/// Length in blocks.
BlockNumber relation_blocks(const RelationFile& file, ForkNumber fork);
/// Has the kernel read a block ahead, unless it is in the pool.
void prefetch_buffer(const RelationFile& file, ForkNumber fork, BlockNumber block);

/// Forgets, without writing them, a fork's pages from `first` on: before truncating or unlinking.
void drop_relation_buffers(const RelationFile& file, ForkNumber fork, BlockNumber first);
/// The same for all forks of several relations.
void drop_relations_buffers(std::span<const RelationFile> files);
void drop_database_buffers(uint32_t database);
/// Writes all dirty pages of a relation, of a database (kernel; no fsync).
void flush_relation_buffers(const RelationFile& file);
void flush_database_buffers(uint32_t database);
/// Writes one page if it is dirty (FlushOneBuffer); the caller holds its lock.
void flush_buffer(const Buffer& buffer);

/// Step 4 of a checkpoint: writes what was dirty at its beginning, sorted, `pause(progress 0 … 1)`
/// after each page. `flags` are CheckpointFlag. Returns how many pages it wrote. (BufferSync)
int buffers_sync(uint32_t flags, const std::function<void(double progress)>& pause);

/// What the background writer remembers from round to round (statics of BgBufferSync).
struct SweepHistory {
  bool valid = false;
  int32_t strategy_buffer = 0;
  uint32_t strategy_passes = 0;
  int32_t next_to_clean = 0;
  uint32_t next_passes = 0;
  float smoothed_alloc = 0;
  float smoothed_density = 10.0F;
};
struct SweepResult {
  int buffers_allocated = 0;
  int buffers_written = 0;
  bool stopped_at_maximum = false;
  bool may_hibernate = false;
};
/// One round: writes dirty pages the clock hand will come to soon. (BgBufferSync)
SweepResult bgwriter_sweep(SweepHistory& history);
/// The next allocation of a buffer sets the latch of this Proc, once; kNoProc: of nobody
/// (StrategyNotifyBgWriter).
void notify_at_next_allocation(int32_t proc_number);

/// Must hint bits be protected by WAL? (XLogHintBitIsNeeded: checksums or wal_log_hints)
bool hints_need_wal();

/// One line of pg_buffercache, taken without stopping anybody.
struct BufferRow {
  int32_t id;
  bool has_tag;
  BufferTag tag;
  bool dirty;
  int32_t usage_count;
  int32_t pins;
};
BufferRow buffer_row(int32_t id);

/// How the running task has used buffers so far (pgBufferUsage; EXPLAIN's BUFFERS).
const BufferUsage& buffer_usage();

}  // namespace cofork
