// Heap tables: changing rows, and finding them by their place (heapam.c, 15).
//
// A row version never changes its bytes; UPDATE makes a new version and DELETE marks the old one
// (xmax). Readers judge by visibility.h which version is theirs. What follows is what a caller has
// to know; scans are in heap_scan.h, cleaning up in heap_prune.h and heap_vacuum.h.
//
// The order of effects in every change (as transam/README has it):
//   find the page and lock it · [critical section: change the page, mark it dirty, insert WAL,
//   stamp the page with the record's end] · unlock
// Everything that may fail or wait happens before the critical section.
//
// Rules
//  1. The caller holds the table's lock (RowExclusiveLock or more) and is in a transaction.
//  2. A visibility map page is pinned before the heap page is locked: reading it may wait.
//  3. Two heap pages are locked in ascending block order.
//  4. Waiting for another transaction happens without any page lock; afterwards everything is
//     looked at again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "access/relation.h"
#include "access/tuple.h"
#include "storage/buffer_pool.h"
#include "txn/snapshot.h"

namespace cofork {

/// What became of an attempt to change or lock a row version (TM_Result).
enum class TmResult : uint8_t {
  kOk,
  kInvisible,      ///< it is not visible to the caller at all
  kSelfModified,   ///< a command of the own transaction has changed it already
  kUpdated,        ///< another transaction has: ctid leads to its version
  kDeleted,        ///< another transaction has deleted it
  kBeingModified,  ///< another transaction is doing so, and `wait` was false
  kWouldBlock,     ///< and the caller did not want to wait (SKIP LOCKED)
};

/// Why it was not kOk (TM_FailureData).
struct TmFailure {
  ItemPointer ctid{};      ///< the next version; the tuple itself when there is none
  TransactionId xmax = 0;  ///< who updated or deleted
  CommandId cmax = 0;      ///< with kSelfModified: by which command; else kInvalidCommandId
};

/// Row locks, weakest first (LockTupleMode).
enum class LockTupleMode : uint8_t { kKeyShare, kShare, kNoKeyExclusive, kExclusive };
/// What to do when another transaction is in the way (LockWaitPolicy).
enum class LockWaitPolicy : uint8_t { kBlock, kSkip, kError };

enum InsertOption : uint32_t {
  kInsertSkipFsm = 0x0002,  ///< always extend: bulk loading
  kInsertFrozen = 0x0004,   ///< visible to everybody at once: COPY FREEZE, catalogs at init
};

/// What a caller that inserts many rows keeps between calls (BulkInsertState).
struct BulkInsert {
  AccessStrategy* strategy = nullptr;
  Buffer current;  ///< the page filled last, still pinned
};

/// Inserts a tuple and sets its header and `self`. Takes an xid for the transaction if it has none.
/// Throws "row is too big: size %zu, maximum size %zu": 54000, of a system catalog 0A000.
void heap_insert(Relation& relation, HeapTuple& tuple, CommandId command, uint32_t options = 0,
                 BulkInsert* bulk = nullptr);
/// Several at once, with one WAL record for each page (heap_multi_insert).
void heap_multi_insert(Relation& relation, std::span<HeapTuple> tuples, CommandId command,
                       uint32_t options = 0, BulkInsert* bulk = nullptr);

/// Deletes the version at `tid`. `crosscheck`: for REPEATABLE READ's referential checks, else null.
/// With `wait` it waits for whoever is in the way; without, kBeingModified.
TmResult heap_delete(Relation& relation, const ItemPointer& tid, CommandId command,
                     const Snapshot* crosscheck, bool wait, TmFailure& failure);

struct UpdateOutcome {
  LockTupleMode lock_mode;   ///< what the update took: kNoKeyExclusive when no key has changed
  bool needs_index_entries;  ///< false: it was HOT
};
/// Replaces the version at `old_tid` by `tuple`, whose header and `self` it sets.
TmResult heap_update(Relation& relation, const ItemPointer& old_tid, HeapTuple& tuple,
                     CommandId command, const Snapshot* crosscheck, bool wait, TmFailure& failure,
                     UpdateOutcome& outcome);

/// Locks the version at tuple.self (SELECT FOR …, foreign keys). On return `buffer` is pinned and
/// `tuple` points into it, whatever the result. `follow_updates`: newer versions are locked too.
/// Throws 55P03 "could not obtain lock on row in relation \"%s\"" under kError.
TmResult heap_lock(Relation& relation, HeapTuple& tuple, CommandId command, LockTupleMode mode,
                   LockWaitPolicy policy, bool follow_updates, Buffer& buffer, TmFailure& failure);

/// Overwrites a tuple's values in place, outside of any transaction's visibility: same length, no
/// new version (pg_class's statistics; heap_inplace_update).
void heap_inplace_update(Relation& relation, const HeapTuple& tuple);

/// The tuple at `tuple.self`, if there is one visible to `snapshot`: pinned in `buffer`. When there
/// is one that is not visible, returns false with tuple.header set and the pin kept if `keep`.
bool heap_fetch(Relation& relation, const Snapshot& snapshot, HeapTuple& tuple, Buffer& buffer,
                bool keep = false);

/// Looks along the HOT chain that begins at `tid` on the page in `buffer` (locked at least shared)
/// for the version visible to `snapshot`; `tid` becomes its place. `all_dead` (may be null): nobody
/// can see any of it any more, and an index entry may be killed. `first`: false to go on after the
/// version found before (only for snapshots that see several).
bool heap_hot_search(Relation& relation, ItemPointer& tid, Buffer& buffer, const Snapshot& snapshot,
                     HeapTuple& tuple, bool* all_dead, bool first);

/// Fetches what index entries point at, keeping the page between calls (IndexFetchTableData).
class HeapIndexFetch {
 public:
  explicit HeapIndexFetch(Relation& relation) : relation_(relation) {}

  /// The version of `tid`'s chain visible to `snapshot`, if there is one; it stays until the next
  /// call or release(). `all_dead` as above.
  bool fetch(ItemPointer tid, const Snapshot& snapshot, bool* all_dead = nullptr);
  const HeapTuple& tuple() const { return tuple_; }
  Buffer& buffer() { return buffer_; }
  void release() { buffer_ = Buffer(); }

 private:
  Relation& relation_;
  Buffer buffer_;
  HeapTuple tuple_;
};

/// Follows the update chain from `tid` to the last version visible to `snapshot`
/// (heap_get_latest_tid: currtid, WHERE CURRENT OF).
void heap_latest_tid(Relation& relation, const Snapshot& snapshot, ItemPointer& tid);

}  // namespace cofork
