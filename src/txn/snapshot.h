// Snapshots: which transactions count as finished for a reader (as snapmgr.c and GetSnapshotData in
// procarray.c, 15).
//
//        finished for the snapshot        │  listed: running  │  not for the snapshot
//   ──────────────────────────────────────┼───────────────────┼───────────────────────► xids
//                                        xmin                xmax
//
// Taking one copies the xids that run now, so its cost follows what is running and not how many
// connections there are. When no transaction with an xid has ended since the last time (the
// ProcArray counts them), nothing is copied at all.
//
// A snapshot in use must hold back the removal of row versions it may still need: the owner's
// Proc.xmin says how far. RegisteredSnapshot does that for as long as it lives. A plain take_…
// result is good until the next one is taken and protects nothing by itself once the last
// registered one has gone; so whoever waits, or keeps it over another command, registers it.
//
//   RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
//   … scan with *snapshot …
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "shmem/proc.h"
#include "txn/xid.h"

namespace cofork {

enum class SnapshotKind : uint8_t {
  kMvcc,           ///< what was committed when it was taken
  kSelf,           ///< what is committed now, own changes included
  kAny,            ///< every version
  kToast,          ///< every version that a TOAST pointer may lead to
  kDirty,          ///< as kSelf, and what others have not committed yet; says who they are
  kNonVacuumable,  ///< every version that vacuum may not remove yet
};

struct Snapshot {
  SnapshotKind kind = SnapshotKind::kMvcc;
  bool overflowed = false;             ///< subxip is incomplete: children are looked up in subtrans
  TransactionId xmin = 0;              ///< all older ones have ended
  TransactionId xmax = 0;              ///< this and all newer ones have not
  CommandId curcid = 0;                ///< own changes of earlier commands are seen
  std::span<const TransactionId> xip;  ///< running transactions in [xmin, xmax), no order
  std::span<const TransactionId> subxip;  ///< and their subtransactions
  /// ProcArray::completion_count when it was taken; 0: contents cannot be reused.
  uint64_t completion_count = 0;

  // kDirty only, results of a visibility test: the transactions that have not ended.
  mutable TransactionId dirty_xmin = 0;
  mutable TransactionId dirty_xmax = 0;
};

/// A kSelf, kAny, kToast or kDirty snapshot: no contents.
inline Snapshot snapshot_of(SnapshotKind kind) {
  Snapshot snapshot;
  snapshot.kind = kind;
  return snapshot;
}

/// Had this xid not ended when the snapshot was taken? (XidInMVCCSnapshot) Own xids are listed
/// too or not: ask Transaction::is_current_xid() first. May wait (subtrans) only when overflowed.
bool xid_in_snapshot(TransactionId xid, const Snapshot& snapshot);

/// The snapshot a statement begins with: a new one, or in REPEATABLE READ the transaction's
/// (GetTransactionSnapshot). curcid is the current command's. Within a transaction.
const Snapshot& take_snapshot();
/// A new one whatever the isolation level (GetLatestSnapshot).
const Snapshot& take_latest_snapshot();
/// For reading catalogs (GetCatalogSnapshot): new whenever anything has ended since, own earlier
/// commands included; in its own place, so that take_snapshot()'s result stays good.
const Snapshot& take_catalog_snapshot();

/// A kept snapshot: a copy, shared by its handles, that holds back Proc.xmin. Dropped handles cost
/// a decrement. Belongs to the task that made it and does not outlive its transaction, except for
/// those marked by the end of the transaction as dead (an error has unwound past them).
class RegisteredSnapshot {
 public:
  RegisteredSnapshot() = default;
  RegisteredSnapshot(RegisteredSnapshot&& other) noexcept
      : entry_(std::exchange(other.entry_, nullptr)) {}
  RegisteredSnapshot& operator=(RegisteredSnapshot&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  RegisteredSnapshot(const RegisteredSnapshot& other);
  RegisteredSnapshot& operator=(const RegisteredSnapshot& other);
  ~RegisteredSnapshot() { reset(); }

  explicit operator bool() const { return entry_ != nullptr; }
  const Snapshot& operator*() const;
  const Snapshot* operator->() const { return &**this; }
  /// The statement sees its own earlier commands from now on (UpdateActiveSnapshotCommandId).
  void set_command(CommandId command);
  void reset();

  struct Entry;

 private:
  friend RegisteredSnapshot register_snapshot(const Snapshot&);
  explicit RegisteredSnapshot(Entry* entry) : entry_(entry) {}
  Entry* entry_ = nullptr;
};
RegisteredSnapshot register_snapshot(const Snapshot& snapshot);

/// The snapshot of the statement that runs, for functions and for what statements call: the
/// innermost ActiveSnapshot's. Null: none.
const Snapshot* active_snapshot();
class ActiveSnapshot {
 public:
  explicit ActiveSnapshot(RegisteredSnapshot snapshot);
  ~ActiveSnapshot();
  ActiveSnapshot(const ActiveSnapshot&) = delete;
  const Snapshot& operator*() const { return *snapshot_; }

 private:
  RegisteredSnapshot snapshot_;
  ActiveSnapshot* outer_;
  friend const Snapshot* active_snapshot();
};

// --- running transactions

/// Is the transaction, or the one it is a child of, still running? (TransactionIdIsInProgress)
/// May wait.
bool xid_in_progress(TransactionId xid);
/// Is it running as a top-level transaction (TransactionIdIsActive)?
bool xid_is_active(TransactionId xid);

// --- horizons: what nobody can need any more

/// Whose readers count: those of one database see only its own and shared relations.
enum class HorizonKind : uint8_t {
  kShared,   ///< shared relations: everybody
  kCatalog,  ///< catalogs of this database
  kData,     ///< ordinary relations of this database
  kTemp,     ///< own temporary relations: nobody else
};

/// Row versions whose deleter committed and precedes this are dead to everybody
/// (GetOldestNonRemovableTransactionId). Exact; visits every connection. May wait.
TransactionId oldest_removable_xid(HorizonKind kind);
/// Was this deleter's end seen by everybody already? (GlobalVisTestIsRemovableXid) Keeps two
/// bounds and computes the exact horizon only when the answer lies between them and it could help.
bool xid_is_removable(TransactionId xid, HorizonKind kind);
/// The oldest xid that a backend still runs or may look up (GetOldestActiveTransactionId).
TransactionId oldest_active_xid();
/// Oldest xid any snapshot may ask subtrans about (GetOldestTransactionIdConsideredRunning).
TransactionId oldest_considered_running();

}  // namespace cofork
