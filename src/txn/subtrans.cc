// See subtrans.h.
#include "txn/subtrans.h"

#include <cassert>

#include "shmem/lwlock.h"
#include "storage/slru.h"
#include "support/bytes.h"
#include "support/error.h"
#include "txn/log_areas.h"

namespace cofork {

namespace {

constexpr int32_t kParentsPerPage = static_cast<int32_t>(kPageBytes / sizeof(TransactionId));

constexpr int32_t parent_page_of(TransactionId xid) {
  return static_cast<int32_t>(xid / kParentsPerPage);
}
constexpr uint32_t offset_of(TransactionId xid) {
  return xid % kParentsPerPage * sizeof(TransactionId);
}

bool subtrans_page_precedes(int32_t a, int32_t b) {
  TransactionId first = static_cast<TransactionId>(a) * kParentsPerPage + kFirstNormalXid + 1;
  TransactionId second = static_cast<TransactionId>(b) * kParentsPerPage + kFirstNormalXid + 1;
  return xid_precedes(first, second) && xid_precedes(first, second + kParentsPerPage - 1);
}

constexpr SlruKind kSubtransKind = {
    .area = Area::kSubtrans,
    .directory = "pg_subtrans",
    .control_lock = LwTranche::kSubtransSlru,
    .buffer_tranche = LwTranche::kSubtransBuffer,
    .slots = 32,
    .precedes = subtrans_page_precedes,
};

}  // namespace

size_t SubtransArea::size(const Limits&) {
  return slru_bytes(kSubtransKind);
}
void SubtransArea::init(void* memory, const Limits&) {
  slru_init(memory, kSubtransKind);
}

void subtrans_set_parent(TransactionId xid, TransactionId parent) {
  assert(xid_follows(xid, parent));
  Slru subtrans(kSubtransKind);
  LwLockGuard guard(subtrans.control_lock(), LwMode::kExclusive);
  int slot = subtrans.read_page(parent_page_of(xid), true, xid);
  char* place = subtrans.page(slot) + offset_of(xid);
  if (load_le<TransactionId>(place) == parent) return;
  store_le(place, parent);
  subtrans.mark_dirty(slot);
}

TransactionId subtrans_parent(TransactionId xid) {
  if (!xid_is_normal(xid)) return kInvalidXid;
  Slru subtrans(kSubtransKind);
  int slot = subtrans.read_page_shared(parent_page_of(xid), xid);
  auto parent = load_le<TransactionId>(subtrans.page(slot) + offset_of(xid));
  subtrans.control_lock().release();
  return parent;
}

TransactionId subtrans_topmost(TransactionId xid, TransactionId xmin) {
  TransactionId topmost = xid;
  while (xid_is_valid(xid)) {
    topmost = xid;
    if (xid_precedes(xid, xmin)) break;
    TransactionId parent = subtrans_parent(xid);
    // Parents get their ids first: anything else would be a loop.
    if (xid_is_valid(parent) && !xid_precedes(parent, xid)) {
      throw Error(sqlstate::kInternalError,
                  "pg_subtrans contains invalid entry: xid {} points to parent xid {}", xid,
                  parent);
    }
    xid = parent;
  }
  return topmost;
}

void subtrans_extend(TransactionId xid) {
  if (xid % kParentsPerPage != 0 && xid != kFirstNormalXid) return;
  Slru subtrans(kSubtransKind);
  LwLockGuard guard(subtrans.control_lock(), LwMode::kExclusive);
  subtrans.zero_page(parent_page_of(xid));
}

void subtrans_startup(TransactionId oldest_active, TransactionId next_xid) {
  constexpr int32_t kLastPage = parent_page_of(kMaxXid);
  Slru subtrans(kSubtransKind);
  LwLockGuard guard(subtrans.control_lock(), LwMode::kExclusive);
  int32_t end = parent_page_of(next_xid);
  for (int32_t page = parent_page_of(oldest_active);; page = page == kLastPage ? 0 : page + 1) {
    subtrans.zero_page(page);
    if (page == end) break;
  }
}

void subtrans_checkpoint() {
  // Only so that reading tasks find clean slots: nothing here needs to survive.
  Slru(kSubtransKind).write_all();
}

void subtrans_truncate(TransactionId oldest_running) {
  // The page of the one before, if that is the last of its page, is of no use either; and a cutoff
  // equal to the next xid may name a page that is not made yet.
  Slru(kSubtransKind).truncate(parent_page_of(xid_before(oldest_running)));
}

}  // namespace cofork
