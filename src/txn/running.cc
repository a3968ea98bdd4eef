// Which transactions run, and how far back anybody can still look: the second half of snapshot.h
// (TransactionIdIsInProgress, ComputeXidHorizons and GlobalVisTest… in procarray.c, 15).
#include <algorithm>
#include <vector>

#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "txn/commit_log.h"
#include "txn/snapshot.h"
#include "txn/subtrans.h"
#include "txn/task_state.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"

namespace cofork {

namespace {

ProcArray& proc_array() {
  return shared_memory().area<ProcArray>();
}

/// Is it listed as a child of running transaction number `index`?
bool is_listed_child(ProcArray& array, ProcSubxids& all, int32_t index, TransactionId xid) {
  int count = array.running_subxids()[index].count.load(std::memory_order_acquire);
  ProcSubxids::List& list = all.of(array.running_procs()[index]);
  for (int i = count - 1; i >= 0; --i) {
    if (list.xids[i].load(std::memory_order_relaxed) == xid) return true;
  }
  return false;
}

enum class Found : uint8_t { kYes, kNo, kPerhapsChild };

/// Looks for an xid in the list. `candidates`: transactions it may be an unlisted child of.
Found find_running(TransactionId xid, std::vector<TransactionId>& candidates) {
  ProcArray& array = proc_array();
  ProcSubxids& all = shared_memory().area<ProcSubxids>();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  auto completed =
      static_cast<TransactionId>(array.latest_completed_xid.load(std::memory_order_relaxed));
  if (xid_precedes(completed, xid)) return Found::kYes;
  int32_t count = array.running_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < count; ++i) {
    TransactionId running = array.running_xids()[i].load(std::memory_order_relaxed);
    if (running == xid) return Found::kYes;
    if (!xid_precedes(running, xid)) continue;  // a child is younger than its parent
    if (is_listed_child(array, all, i, xid)) return Found::kYes;
    if (array.running_subxids()[i].overflowed.load(std::memory_order_relaxed)) {
      candidates.push_back(running);
    }
  }
  return candidates.empty() ? Found::kNo : Found::kPerhapsChild;
}

}  // namespace

bool xid_in_progress(TransactionId xid) {
  SnapshotTask& mine = snapshot_task();
  // All that precede the last snapshot's xmin had ended before it.
  if (xid_precedes(xid, mine.recent_xmin)) return false;
  if (xid == mine.not_running_xid) return false;
  if (my_transaction().is_current_xid(xid)) return true;
  std::vector<TransactionId> candidates;
  Found found = find_running(xid, candidates);
  if (found == Found::kYes) return true;
  if (found == Found::kPerhapsChild && !xid_did_abort(xid)) {
    TransactionId top = subtrans_topmost(xid, mine.xmin);
    if (top != xid && std::find(candidates.begin(), candidates.end(), top) != candidates.end()) {
      return true;
    }
  }
  mine.not_running_xid = xid;
  return false;
}

bool xid_is_active(TransactionId xid) {
  if (xid_precedes(xid, snapshot_task().recent_xmin)) return false;
  ProcArray& array = proc_array();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  int32_t count = array.running_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < count; ++i) {
    if (array.running_xids()[i].load(std::memory_order_relaxed) == xid) return true;
  }
  return false;
}

// --- horizons

namespace {

struct Horizons {
  FullTransactionId latest_completed;
  TransactionId considered_running;
  TransactionId removable[4];  ///< by HorizonKind
};

void lower(TransactionId& horizon, TransactionId xid) {
  if (xid_precedes(xid, horizon)) horizon = xid;
}

TransactionId back_by(TransactionId xid, TransactionId distance) {
  TransactionId earlier = xid - distance;
  // Not past the ids outside the circle, nor past the oldest there is.
  if (!xid_is_normal(earlier) || earlier > xid) return kFirstNormalXid;
  return earlier;
}

/// Visits every connection once (ComputeXidHorizons).
Horizons compute_horizons() {
  Horizons h;
  ProcArray& array = proc_array();
  Proc* procs = all_procs();
  Proc& me = my_proc();
  uint32_t my_database = me.database_id.load(std::memory_order_relaxed);
  bool every_database = my_database == 0 || recovery_in_progress();
  {
    LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
    h.latest_completed = {array.latest_completed_xid.load(std::memory_order_relaxed)};
    TransactionId none = xid_after(h.latest_completed.xid());
    TransactionId shared = none, data = none;
    h.considered_running = none;
    TransactionId own = me.xid.load(std::memory_order_relaxed);
    h.removable[static_cast<int>(HorizonKind::kTemp)] = own != 0 ? own : none;
    int32_t count = array.count.load(std::memory_order_relaxed);
    for (int32_t i = 0; i < count; ++i) {
      Proc& proc = procs[array.numbers()[i]];
      TransactionId xid = proc.xid.load(std::memory_order_relaxed);
      TransactionId xmin = proc.xmin.load(std::memory_order_relaxed);
      if (xmin == 0 || (xid != 0 && xid_precedes(xid, xmin))) xmin = xid;
      if (xmin == 0) continue;
      // Vacuums, too: they look at subtrans like everybody.
      lower(h.considered_running, xmin);
      uint8_t flags = proc.status_flags.load(std::memory_order_relaxed);
      if (flags & (kProcInVacuum | kProcInLogicalDecoding)) continue;
      lower(shared, xmin);
      uint32_t database = proc.database_id.load(std::memory_order_relaxed);
      if (every_database || database == my_database || database == 0 ||
          (flags & kProcAffectsAllHorizons) != 0) {
        lower(data, xmin);
      }
    }
    auto defer = static_cast<TransactionId>(settings().get(setting::kVacuumDeferCleanupAge));
    if (defer > 0) {
      shared = back_by(shared, defer);
      data = back_by(data, defer);
    }
    h.removable[static_cast<int>(HorizonKind::kShared)] = shared;
    h.removable[static_cast<int>(HorizonKind::kData)] = data;
    h.removable[static_cast<int>(HorizonKind::kCatalog)] = data;
  }
  SnapshotTask& mine = snapshot_task();
  for (size_t kind = 0; kind < 4; ++kind) {
    SnapshotTask::Bounds& bounds = mine.bounds[kind];
    FullTransactionId exact = full_xid(h.removable[kind], h.latest_completed.next());
    bounds.removable_before = exact;
    bounds.needed_from = std::max(bounds.needed_from, exact);
  }
  mine.horizons_xmin = mine.recent_xmin;
  return h;
}

}  // namespace

TransactionId oldest_removable_xid(HorizonKind kind) {
  return compute_horizons().removable[static_cast<int>(kind)];
}

TransactionId oldest_considered_running() {
  return compute_horizons().considered_running;
}

bool xid_is_removable(TransactionId xid, HorizonKind kind) {
  SnapshotTask& mine = snapshot_task();
  FullTransactionId next = next_full_xid();
  FullTransactionId full = full_xid(xid, next);
  SnapshotTask::Bounds& bounds = mine.bounds[static_cast<int>(kind)];
  if (full < bounds.removable_before) return true;
  // Nothing that was not over for the own last snapshot can be removable.
  FullTransactionId needed = kind == HorizonKind::kTemp
                                 ? bounds.needed_from
                                 : std::max(bounds.needed_from, full_xid(mine.recent_xmin, next));
  bounds.needed_from = needed;
  if (needed.value != 0 && full >= needed) return false;
  // Computing again helps only when there was a new snapshot since.
  if (mine.horizons_xmin != 0 && mine.horizons_xmin == mine.recent_xmin) return false;
  compute_horizons();
  return full < bounds.removable_before;
}

TransactionId oldest_active_xid() {
  TransactionId oldest = next_full_xid().xid();
  ProcArray& array = proc_array();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  int32_t count = array.running_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < count; ++i) {
    lower(oldest, array.running_xids()[i].load(std::memory_order_relaxed));
  }
  return oldest;
}

}  // namespace cofork
