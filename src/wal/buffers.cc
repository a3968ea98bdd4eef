// The WAL buffers: making pages in order, and knowing how far copying has come (shared.h).
#include <algorithm>
#include <cstring>
#include <new>

#include "log/log.h"
#include "shmem/proc.h"
#include "wal/insert.h"
#include "wal/task_state.h"

namespace cofork {

namespace {

void make_page(WalShared& wal, char* page, Lsn begin) {
  WalGeometry geometry = wal.geometry();
  std::memset(page, 0, kWalPageBytes);
  auto& header = *reinterpret_cast<WalLongPageHeader*>(page);
  header.standard.magic = kWalPageMagic;
  header.standard.timeline = wal.timeline;
  header.standard.page_address = begin.value;
  // No base backup runs, so an archiver may leave full-page images out.
  header.standard.flags = kWalPageBackupRemovable;
  if (begin.value == wal.overwritten_page) {
    header.standard.flags |= kWalPageFirstIsOverwrittenContinued;
    wal.overwritten_page = 0;
  }
  if (geometry.offset_in_segment(begin) == 0) {
    header.system_identifier = wal.system_identifier;
    header.segment_bytes = geometry.segment_bytes();
    header.page_bytes = kWalPageBytes;
    header.standard.flags |= kWalPageLongHeader;
  }
}

/// Writes the page that stands in the way; the caller holds no lock.
void write_out(WalShared& wal, Lsn end) {
  Lsn finished = wait_for_insertions(wal, end);
  LwLockGuard guard(LwTranche::kWalWrite, LwMode::kExclusive);
  if (wal.written.load(std::memory_order_acquire) >= end.value) return;
  write_wal(wal, {std::min(finished, end), Lsn{}}, false);
  ++my().stats.wal_buffers_full;
}

}  // namespace

size_t WalShared::size(const Limits& limits) {
  auto buffers = static_cast<size_t>(limits.wal_buffers);
  return sizeof(WalShared) + buffers * sizeof(std::atomic<uint64_t>) + kWalPageBytes +
         buffers * kWalPageBytes;
}

void WalShared::init(void* memory, const Limits& limits) {
  auto* wal = new (memory) WalShared;
  wal->buffers = static_cast<uint32_t>(limits.wal_buffers);
  wal->segment_bytes = kDefaultWalSegmentBytes;
  for (WalInsertLock& insert_lock : wal->insert_locks) {
    insert_lock.lock.init(LwTranche::kWalInsert);
  }
}

int advance_wal_buffers(WalShared& wal, Lsn upto, bool only_free) {
  LwLock& mapping = main_lwlock(LwTranche::kWalBufMapping);
  mapping.acquire(LwMode::kExclusive);
  int made = 0;
  while (upto.value >= wal.initialized_to || only_free) {
    uint32_t buffer = wal.buffer_of(wal.initialized_to);
    uint64_t old_end = wal.block_end()[buffer].load(std::memory_order_relaxed);
    if (wal.written.load(std::memory_order_acquire) < old_end) {
      if (only_free) break;
      raise_position(wal.write_request, old_end);
      // Whoever copies into the old page may need this lock to get on.
      mapping.release();
      write_out(wal, {old_end});
      mapping.acquire(LwMode::kExclusive);
      continue;  // somebody else may have made the page meanwhile
    }
    make_page(wal, wal.page_in(buffer), {wal.initialized_to});
    wal.initialized_to += kWalPageBytes;
    // Readers of block_end must find the header behind it.
    wal.block_end()[buffer].store(wal.initialized_to, std::memory_order_release);
    ++made;
  }
  mapping.release();
  return made;
}

Lsn wait_for_insertions(WalShared& wal, Lsn upto) {
  WalBytePosition current;
  {
    SpinGuard guard(wal.reserve_lock);
    current = wal.current;
  }
  Lsn reserved = wal.geometry().end_lsn(current);
  if (upto > reserved) {
    log(Severity::kLog,
        "request to flush past end of generated WAL; request {}, current position {}", upto,
        reserved);
    upto = reserved;
  }
  Lsn finished = reserved;
  for (WalInsertLock& insert_lock : wal.insert_locks) {
    uint64_t inserting_at = 0;
    for (;;) {
      uint64_t seen = 0;
      if (insert_lock.lock.wait_for_variable(insert_lock.inserting_at, inserting_at, seen)) {
        inserting_at = 0;  // free
        break;
      }
      inserting_at = seen;
      if (inserting_at >= upto.value) break;
    }
    if (inserting_at != 0) finished = std::min(finished, Lsn{inserting_at});
  }
  return finished;
}

void wal_resume(Lsn end, Lsn last_record, const char* page) {
  WalShared& wal = wal_shared();
  WalGeometry geometry = wal.geometry();
  wal.current = geometry.byte_position(end);
  wal.previous = geometry.byte_position(last_record);
  Lsn page_begin{wal_page_start(end.value)};
  if (page_begin == end) {
    wal.initialized_to = end.value;
  } else {
    uint32_t buffer = wal.buffer_of(end.value);
    uint32_t used = wal_page_offset(end.value);
    std::memcpy(wal.page_in(buffer), page, used);
    std::memset(wal.page_in(buffer) + used, 0, kWalPageBytes - used);
    wal.initialized_to = page_begin.value + kWalPageBytes;
    wal.block_end()[buffer].store(wal.initialized_to, std::memory_order_release);
  }
  wal.written.store(end.value, std::memory_order_release);
  wal.flushed.store(end.value, std::memory_order_release);
  wal.write_request.store(end.value, std::memory_order_release);
  refresh_wal_positions(wal, wal_task());
}

}  // namespace cofork
