// See commit_log.h.
#include "txn/commit_log.h"

#include <cassert>
#include <cstring>

#include "shmem/lwlock.h"
#include "storage/slru.h"
#include "support/error.h"
#include "txn/log_areas.h"
#include "txn/subtrans.h"
#include "txn/task_state.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

namespace {

constexpr int32_t kXidsPerByte = 4;
constexpr int32_t kXidsPerPage = static_cast<int32_t>(kPageBytes) * kXidsPerByte;
/// So many share one remembered LSN.
constexpr int32_t kXidsPerGroup = 32;
constexpr uint8_t kStatusMask = 3;

constexpr int32_t page_of(TransactionId xid) {
  return static_cast<int32_t>(xid / kXidsPerPage);
}
constexpr uint32_t byte_of(TransactionId xid) {
  return xid % kXidsPerPage / kXidsPerByte;
}
constexpr int shift_of(TransactionId xid) {
  return static_cast<int>(xid % kXidsPerByte) * 2;
}
constexpr int group_of(TransactionId xid) {
  return static_cast<int>(xid % kXidsPerPage) / kXidsPerGroup;
}

bool clog_page_precedes(int32_t a, int32_t b) {
  // The first ids of a page may lie outside the circle; one inside stands for it.
  TransactionId first = static_cast<TransactionId>(a) * kXidsPerPage + kFirstNormalXid + 1;
  TransactionId second = static_cast<TransactionId>(b) * kXidsPerPage + kFirstNormalXid + 1;
  return xid_precedes(first, second) && xid_precedes(first, second + kXidsPerPage - 1);
}

constexpr SlruKind kClogKind = {
    .area = Area::kXact,
    .directory = "pg_xact",
    .control_lock = LwTranche::kXactSlru,
    .buffer_tranche = LwTranche::kXactBuffer,
    .slots = 32,
    .lsns_per_page = kXidsPerPage / kXidsPerGroup,
    .sync = SyncHandler::kClog,
    .precedes = clog_page_precedes,
};

/// Changes one transaction's bits on a page that is in a slot. The control lock is held.
void set_bits(Slru& clog, int slot, TransactionId xid, XidStatus status, Lsn lsn) {
  char& byte = clog.page(slot)[byte_of(xid)];
  auto bits = static_cast<uint8_t>(byte);
  auto current = static_cast<XidStatus>(bits >> shift_of(xid) & kStatusMask);
  // Redo may meet a page that is ahead of it.
  if (status == XidStatus::kSubCommitted && current == XidStatus::kCommitted) return;
  assert(current == XidStatus::kInProgress || current == status ||
         (current == XidStatus::kSubCommitted && status != XidStatus::kInProgress));
  bits = static_cast<uint8_t>(bits & ~(kStatusMask << shift_of(xid)));
  bits = static_cast<uint8_t>(bits | static_cast<int>(status) << shift_of(xid));
  byte = static_cast<char>(bits);
  if (lsn.is_valid()) clog.raise_group_lsn(slot, group_of(xid), lsn);
}

/// Sets `children` and, unless it is 0, `xid`, all on one page (TransactionIdSetPageStatus).
void set_on_page(int32_t page, TransactionId xid, std::span<const TransactionId> children,
                 XidStatus status, Lsn lsn) {
  Slru clog(kClogKind);
  LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
  // A page on its way to the disk may still be changed, unless the change needs WAL that the write
  // has not waited for.
  int slot = clog.read_page(page, !lsn.is_valid(), xid != 0 ? xid : children[0]);
  if (xid != 0) {
    // Who looks at a child without the lock must not see it committed before its parent is.
    if (status == XidStatus::kCommitted) {
      for (TransactionId child : children) {
        set_bits(clog, slot, child, XidStatus::kSubCommitted, lsn);
      }
    }
    set_bits(clog, slot, xid, status, lsn);
  }
  for (TransactionId child : children) set_bits(clog, slot, child, status, lsn);
  clog.mark_dirty(slot);
}

/// Children page by page; they ascend.
void set_by_pages(std::span<const TransactionId> children, XidStatus status, Lsn lsn) {
  while (!children.empty()) {
    int32_t page = page_of(children[0]);
    size_t n = 1;
    while (n < children.size() && page_of(children[n]) == page) ++n;
    set_on_page(page, kInvalidXid, children.first(n), status, lsn);
    children = children.subspan(n);
  }
}

struct TruncateRecord {
  int32_t page;
  TransactionId oldest_xid;
  uint32_t oldest_database;
};
static_assert(sizeof(TruncateRecord) == 12);

void advance_oldest_clog_xid(TransactionId oldest) {
  VariableCache& cache = variable_cache();
  LwLockGuard guard(LwTranche::kXactTruncation, LwMode::kExclusive);
  if (xid_precedes(cache.oldest_clog_xid, oldest)) cache.oldest_clog_xid = oldest;
}

}  // namespace

size_t CommitLogArea::size(const Limits&) {
  return slru_bytes(kClogKind);
}
void CommitLogArea::init(void* memory, const Limits&) {
  slru_init(memory, kClogKind);
}

// --- asking

XidStatus xid_status(TransactionId xid, Lsn* lsn) {
  if (lsn != nullptr) *lsn = {};
  if (!xid_is_normal(xid)) {
    return xid == kInvalidXid ? XidStatus::kAborted : XidStatus::kCommitted;
  }
  Slru clog(kClogKind);
  int slot = clog.read_page_shared(page_of(xid), xid);
  auto byte = static_cast<uint8_t>(clog.page(slot)[byte_of(xid)]);
  if (lsn != nullptr) *lsn = clog.group_lsn(slot, group_of(xid));
  clog.control_lock().release();
  return static_cast<XidStatus>(byte >> shift_of(xid) & kStatusMask);
}

namespace {

/// The task's own memory of one answer helps whole pages of rows of one transaction
/// (TransactionLogFetch). Only an end that is final is remembered.
XidStatus fetch_status(TransactionId xid) {
  SnapshotTask& mine = snapshot_task();
  if (xid == mine.status_xid) return mine.status;
  Lsn lsn;
  XidStatus status = xid_status(xid, &lsn);
  if (xid_is_normal(xid) && (status == XidStatus::kCommitted || status == XidStatus::kAborted)) {
    mine.status_xid = xid;
    mine.status = status;
    mine.status_lsn = lsn;
  }
  return status;
}

/// Follows parents until one is not kSubCommitted. A child so old that nobody records its parent
/// any more belongs to a transaction that crashed.
XidStatus final_status(TransactionId xid) {
  for (;;) {
    XidStatus status = fetch_status(xid);
    if (status != XidStatus::kSubCommitted) return status;
    TransactionId parent =
        xid_precedes(xid, snapshot_task().xmin) ? kInvalidXid : subtrans_parent(xid);
    if (!xid_is_valid(parent)) return XidStatus::kAborted;
    xid = parent;
  }
}

}  // namespace

bool xid_did_commit(TransactionId xid) {
  return final_status(xid) == XidStatus::kCommitted;
}

bool xid_did_abort(TransactionId xid) {
  return final_status(xid) == XidStatus::kAborted;
}

Lsn xid_commit_lsn(TransactionId xid) {
  SnapshotTask& mine = snapshot_task();
  if (xid == mine.status_xid) return mine.status_lsn;
  if (!xid_is_normal(xid)) return {};
  Lsn lsn;
  xid_status(xid, &lsn);
  return lsn;
}

// --- telling

void clog_set_tree(TransactionId xid, std::span<const TransactionId> children, XidStatus status,
                   Lsn lsn) {
  int32_t page = page_of(xid);
  size_t same = 0;
  while (same < children.size() && page_of(children[same]) == page) ++same;
  std::span<const TransactionId> elsewhere = children.subspan(same);
  if (!elsewhere.empty() && status == XidStatus::kCommitted) {
    set_by_pages(elsewhere, XidStatus::kSubCommitted, lsn);
  }
  set_on_page(page, xid, children.first(same), status, lsn);
  set_by_pages(elsewhere, status, lsn);
}

void clog_extend(TransactionId xid) {
  if (xid % kXidsPerPage != 0 && xid != kFirstNormalXid) return;
  int32_t page = page_of(xid);
  Slru clog(kClogKind);
  LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
  clog.zero_page(page);
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerClog, kClogZeroPage);
  record.add_main(&page, sizeof page);
  wal_insert(record);
}

// --- start-up, checkpoints, truncation

void clog_startup(TransactionId next_xid) {
  Slru clog(kClogKind);
  LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
  clog.set_latest_page(page_of(next_xid));
}

void clog_trim(TransactionId next_xid) {
  if (next_xid % kXidsPerPage == 0) return;  // its page will be made when it is given out
  Slru clog(kClogKind);
  LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
  int slot = clog.read_page(page_of(next_xid), false, next_xid);
  char* page = clog.page(slot);
  uint32_t byte = byte_of(next_xid);
  // What a crashed server wrote for ids that this one will give out again.
  page[byte] = static_cast<char>(page[byte] & ((1 << shift_of(next_xid)) - 1));
  std::memset(page + byte + 1, 0, kPageBytes - byte - 1);
  clog.mark_dirty(slot);
}

void clog_checkpoint() {
  Slru(kClogKind).write_all();
}

void clog_truncate(TransactionId oldest, uint32_t oldest_database) {
  int32_t cutoff = page_of(oldest);
  Slru clog(kClogKind);
  bool any_older = clog.scan_segments([&](int32_t first) {
    return clog_page_precedes(first, cutoff) &&
           clog_page_precedes(first + kSlruPagesPerSegment - 1, cutoff);
  });
  if (!any_older) return;
  // First nobody may ask any more, then WAL says so, then the files go.
  advance_oldest_clog_xid(oldest);
  TruncateRecord body{cutoff, oldest, oldest_database};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerClog, kClogTruncate);
  record.add_main(&body, sizeof body);
  wal_flush(wal_insert(record));
  clog.truncate(cutoff);
}

void redo_clog(const DecodedRecord& record) {
  Slru clog(kClogKind);
  auto body = [&](auto& value) {
    if (record.main_data.size() < sizeof value) {
      throw Error(sqlstate::kDataCorrupted, "record with invalid length at {}", record.start)
          .severity(Severity::kPanic);
    }
    std::memcpy(&value, record.main_data.data(), sizeof value);
  };
  switch (record.own_info()) {
    case kClogZeroPage: {
      int32_t page;
      body(page);
      LwLockGuard guard(clog.control_lock(), LwMode::kExclusive);
      clog.write_page(clog.zero_page(page));
      return;
    }
    case kClogTruncate: {
      TruncateRecord truncated;
      body(truncated);
      advance_oldest_clog_xid(truncated.oldest_xid);
      clog.truncate(truncated.page);
      return;
    }
    default:
      throw Error(sqlstate::kInternalError, "clog_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
