// See snapshot.h.
#include "txn/snapshot.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "support/error.h"
#include "txn/subtrans.h"
#include "txn/task_state.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

using Entry = RegisteredSnapshot::Entry;

/// Transactions a snapshot need not list: vacuums, whose writes nobody reads by snapshot, and
/// decoding.
constexpr uint8_t kNotListed = kProcInVacuum | kProcInLogicalDecoding;

/// Makes the snapshot hold back others' cleaning, unless an older one of this task does already.
/// ProcArrayLock is held at least shared: no transaction can end in between.
void publish_xmin(SnapshotTask& mine, TransactionId xmin) {
  Proc& proc = my_proc();
  if (proc.xmin.load(std::memory_order_relaxed) == 0) {
    proc.xmin.store(xmin, std::memory_order_relaxed);
    mine.xmin = xmin;
  }
  mine.recent_xmin = xmin;
}

/// The children of running transaction number `index`. False when they cannot all be listed.
bool list_subxids(ProcArray& array, ProcSubxids& all, int32_t index,
                  std::vector<TransactionId>& list) {
  SubxidStatus& status = array.running_subxids()[index];
  int count = status.count.load(std::memory_order_acquire);
  if (status.overflowed.load(std::memory_order_relaxed)) return false;
  if (count == 0) return true;
  ProcSubxids::List& subxids = all.of(array.running_procs()[index]);
  for (int i = 0; i < count; ++i) {
    list.push_back(subxids.xids[i].load(std::memory_order_relaxed));
  }
  return true;
}

/// Takes a snapshot of what runs now (GetSnapshotData).
const Snapshot& take_into(SnapshotTask::Place& place) {
  SnapshotTask& mine = snapshot_task();
  ProcArray& array = shared_memory().area<ProcArray>();
  ProcSubxids& all_subxids = shared_memory().area<ProcSubxids>();
  Snapshot& snapshot = place.snapshot;
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  // 0 means "never taken".
  uint64_t completions = array.completion_count.load(std::memory_order_relaxed) + 1;
  if (snapshot.completion_count == completions) {
    // Nobody has ended since: who has begun is not below xmax, and so not in it either.
    publish_xmin(mine, snapshot.xmin);
    return snapshot;
  }
  auto completed =
      static_cast<TransactionId>(array.latest_completed_xid.load(std::memory_order_relaxed));
  TransactionId xmax = xid_after(completed);
  TransactionId xmin = xmax;
  int32_t count = array.running_count.load(std::memory_order_acquire);
  place.xip.clear();
  place.subxip.clear();
  place.xip.reserve(static_cast<size_t>(count));
  snapshot.overflowed = false;
  for (int32_t i = 0; i < count; ++i) {
    TransactionId xid = array.running_xids()[i].load(std::memory_order_relaxed);
    if (!xid_precedes(xid, xmax)) continue;
    if (array.running_procs()[i] == my_proc_number()) {
      // Own xids are told by Transaction::is_current_xid().
      if (xid_precedes(xid, xmin)) xmin = xid;
      continue;
    }
    if (array.running_flags()[i].load(std::memory_order_relaxed) & kNotListed) continue;
    if (xid_precedes(xid, xmin)) xmin = xid;
    place.xip.push_back(xid);
    if (!snapshot.overflowed) {
      snapshot.overflowed = !list_subxids(array, all_subxids, i, place.subxip);
    }
  }
  publish_xmin(mine, xmin);
  lock.release();

  snapshot.kind = SnapshotKind::kMvcc;
  snapshot.xmin = xmin;
  snapshot.xmax = xmax;
  snapshot.xip = place.xip;
  snapshot.subxip = place.subxip;
  snapshot.completion_count = completions;
  return snapshot;
}

const Snapshot& take_for_command(SnapshotTask::Place& place) {
  take_into(place);
  place.snapshot.curcid = my_transaction().current_command(false);
  return place.snapshot;
}

bool contains(std::span<const TransactionId> xids, TransactionId xid) {
  return std::find(xids.begin(), xids.end(), xid) != xids.end();
}

void unlink(SnapshotTask& mine, Entry& entry) {
  (entry.previous != nullptr ? entry.previous->next : mine.live) = entry.next;
  if (entry.next != nullptr) entry.next->previous = entry.previous;
  entry.next = entry.previous = nullptr;
  entry.is_live = false;
}

/// A registered snapshot has gone: perhaps less needs to be held back (SnapshotResetXmin).
void raise_xmin(SnapshotTask& mine) {
  TransactionId oldest = 0;
  for (Entry* entry = mine.live; entry != nullptr; entry = entry->next) {
    if (entry->snapshot.kind != SnapshotKind::kMvcc) continue;
    if (oldest == 0 || xid_precedes(entry->snapshot.xmin, oldest)) oldest = entry->snapshot.xmin;
  }
  if (oldest != 0 && !xid_precedes(mine.xmin, oldest)) return;
  my_proc().xmin.store(oldest, std::memory_order_relaxed);
  mine.xmin = oldest;
}

}  // namespace

SnapshotTask& snapshot_task() {
  Task& task = this_task();
  if (auto* mine = task.slot<SnapshotTask>()) return *mine;
  auto* mine = std::make_unique<SnapshotTask>().release();
  task.set_slot(mine);
  task.on_proc_exit([mine](Task& ending, int) {
    mine->transaction_snapshot.reset();
    for (Entry* entry = mine->free; entry != nullptr;) {
      delete std::exchange(entry, entry->next);
    }
    ending.set_slot<SnapshotTask>(nullptr);
    delete mine;
  });
  return *mine;
}

// --- taking

const Snapshot& take_snapshot() {
  SnapshotTask& mine = snapshot_task();
  Transaction& transaction = my_transaction();
  assert(transaction.in_progress());
  if (!transaction.uses_one_snapshot()) return take_for_command(mine.current);
  if (!mine.transaction_snapshot) {
    if (transaction.isolation() == setting::IsolationLevel::kSerializable) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "transaction isolation level SERIALIZABLE is not supported")
          .hint("Use REPEATABLE READ.");
    }
    mine.transaction_snapshot = register_snapshot(take_for_command(mine.current));
  }
  mine.transaction_snapshot.set_command(transaction.current_command(false));
  return *mine.transaction_snapshot;
}

const Snapshot& take_latest_snapshot() {
  return take_for_command(snapshot_task().latest);
}

const Snapshot& take_catalog_snapshot() {
  return take_for_command(snapshot_task().catalog);
}

bool xid_in_snapshot(TransactionId xid, const Snapshot& snapshot) {
  if (xid_precedes(xid, snapshot.xmin)) return false;
  if (!xid_precedes(xid, snapshot.xmax)) return true;
  if (!snapshot.overflowed) {
    return contains(snapshot.subxip, xid) || contains(snapshot.xip, xid);
  }
  // Children may be missing from the list, but their parents are not.
  xid = subtrans_topmost(xid, snapshot_task().xmin);
  if (xid_precedes(xid, snapshot.xmin)) return false;
  return contains(snapshot.xip, xid);
}

// --- keeping

RegisteredSnapshot register_snapshot(const Snapshot& snapshot) {
  SnapshotTask& mine = snapshot_task();
  Entry* entry = mine.free;
  if (entry != nullptr) {
    mine.free = entry->next;
  } else {
    entry = std::make_unique<Entry>().release();
  }
  RegisteredSnapshot handle(entry);
  entry->references = 1;
  entry->xip.assign(snapshot.xip.begin(), snapshot.xip.end());
  entry->subxip.assign(snapshot.subxip.begin(), snapshot.subxip.end());
  entry->snapshot = snapshot;
  entry->snapshot.xip = entry->xip;
  entry->snapshot.subxip = entry->subxip;
  entry->is_live = true;
  entry->previous = nullptr;
  entry->next = mine.live;
  if (mine.live != nullptr) mine.live->previous = entry;
  mine.live = entry;
  return handle;
}

RegisteredSnapshot::RegisteredSnapshot(const RegisteredSnapshot& other) : entry_(other.entry_) {
  if (entry_ != nullptr) ++entry_->references;
}

RegisteredSnapshot& RegisteredSnapshot::operator=(const RegisteredSnapshot& other) {
  RegisteredSnapshot copy(other);
  std::swap(entry_, copy.entry_);
  return *this;
}

const Snapshot& RegisteredSnapshot::operator*() const {
  return entry_->snapshot;
}

void RegisteredSnapshot::set_command(CommandId command) {
  entry_->snapshot.curcid = command;
}

void RegisteredSnapshot::reset() {
  Entry* entry = std::exchange(entry_, nullptr);
  if (entry == nullptr || --entry->references > 0) return;
  SnapshotTask* mine = this_task().slot<SnapshotTask>();
  if (mine == nullptr) {  // the task is ending, its state has gone before the handle
    delete entry;
    return;
  }
  if (entry->is_live) {
    unlink(*mine, *entry);
    if (entry->snapshot.kind == SnapshotKind::kMvcc) raise_xmin(*mine);
  }
  entry->next = mine->free;
  mine->free = entry;
}

void snapshots_end_transaction() {
  SnapshotTask* mine = this_task().slot<SnapshotTask>();
  if (mine == nullptr) return;
  // Proc.xmin goes with the transaction itself.
  while (mine->live != nullptr) unlink(*mine, *mine->live);
  mine->transaction_snapshot.reset();
  mine->active = nullptr;
  mine->xmin = 0;
}

ActiveSnapshot::ActiveSnapshot(RegisteredSnapshot snapshot)
    : snapshot_(std::move(snapshot)), outer_(snapshot_task().active) {
  snapshot_task().active = this;
}

ActiveSnapshot::~ActiveSnapshot() {
  SnapshotTask* mine = this_task().slot<SnapshotTask>();
  if (mine != nullptr && mine->active == this) mine->active = outer_;
}

const Snapshot* active_snapshot() {
  const ActiveSnapshot* active = snapshot_task().active;
  return active == nullptr ? nullptr : &*active->snapshot_;
}

}  // namespace cofork
