// What one task keeps about snapshots and xids in its own memory: inside txn/ only.
#pragma once

#include <vector>

#include "support/lsn.h"
#include "txn/commit_log.h"
#include "txn/snapshot.h"

namespace cofork {

/// A registered snapshot: a copy with the memory its lists lie in.
struct RegisteredSnapshot::Entry {
  Snapshot snapshot;
  std::vector<TransactionId> xip, subxip;
  int references = 0;
  bool is_live = false;   ///< false: its transaction has ended, it holds nothing back any more
  Entry* next = nullptr;  ///< in SnapshotTask::live or ::free
  Entry* previous = nullptr;
};

struct SnapshotTask {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kSnapshots;

  /// A place snapshots are taken into, again and again.
  struct Place {
    Snapshot snapshot;
    std::vector<TransactionId> xip, subxip;
  };
  Place current, latest, catalog;
  RegisteredSnapshot transaction_snapshot;  ///< REPEATABLE READ: the first one
  ActiveSnapshot* active = nullptr;
  RegisteredSnapshot::Entry* live = nullptr;
  RegisteredSnapshot::Entry* free = nullptr;

  /// Copy of Proc.xmin: no snapshot here can ask about older xids (TransactionXmin).
  TransactionId xmin = 0;
  /// xmin of the snapshot taken last (RecentXmin).
  TransactionId recent_xmin = kFirstNormalXid;

  /// The last transaction whose end was looked up, and one that is known not to run.
  TransactionId status_xid = 0;
  XidStatus status = XidStatus::kInProgress;
  Lsn status_lsn;
  TransactionId not_running_xid = 0;

  /// Bounds of the horizons (GlobalVisState): what precedes `removable_before` can go, what does
  /// not precede `needed_from` cannot; between them only the exact horizon tells.
  struct Bounds {
    FullTransactionId removable_before;
    FullTransactionId needed_from;
  };
  Bounds bounds[4];
  /// recent_xmin when the horizons were computed last; 0: never.
  TransactionId horizons_xmin = 0;
};

/// Made at first use, freed when the task ends.
SnapshotTask& snapshot_task();

/// The end of the task's transaction: its snapshots hold nothing back any more.
void snapshots_end_transaction();

}  // namespace cofork
