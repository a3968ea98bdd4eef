// A transaction of the running task: its ids, commands and nested levels, and how it ends (as
// xact.c, 15). What BEGIN and SAVEPOINT mean to a session is sql/transaction.h's business; that
// class drives this one. Background tasks drive it directly.
//
//   begin ──► current_xid() when something is first written ──► commit | abort
//              │ begin_subtransaction ─► release (into its parent) | rollback
//
// The order in which a commit becomes true:
//   1 pre-commit hooks: they may still fail, then it aborts
//   2 WAL: the commit record
//   3 flush it (synchronous_commit off: only tell the WAL writer)
//   4 commit log: committed
//   5 ProcArray: no longer running; new snapshots see it
//   6 on-commit hooks, locks released, files of dropped relations removed
// Between 2 and 4 a checkpoint waits (Proc's delays_checkpoint): a redo pointer after the record
// must find the bits on disk. A transaction that never got an xid skips 2 to 4 and takes no lock.
//
// Hooks belong to the level that adds them. When a level is released they go to its parent; when it
// is rolled back, its on_abort hooks run, newest first, and the others are forgotten.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "model/task.h"
#include "settings/setting.h"
#include "support/lsn.h"
#include "txn/xid.h"
#include "wal/record.h"

namespace cofork {

class Transaction {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kTransaction;
  explicit Transaction(Task& task) : task_(task) {}
  Transaction(const Transaction&) = delete;

  // --- life
  /// Takes a virtual id. The task has a Proc and is in the ProcArray. `start_us`: microseconds
  /// since 2000-01-01 UTC, for pg_stat_activity.
  void begin(int64_t start_us);
  /// Ends it, subtransactions included. Throws when a pre-commit hook does; then abort() is due.
  void commit();
  /// Undoes it: never throws, except for PANIC. Does nothing outside a transaction.
  void abort();
  bool in_progress() const { return !levels_.empty(); }
  int64_t start_us() const { return start_us_; }

  // --- ids
  /// The innermost level's xid; given out at the first call, parents first. Throws 54000 near the
  /// end of the circle, 55000 in recovery.
  TransactionId current_xid();
  TransactionId current_xid_if_any() const;
  /// The whole transaction's.
  TransactionId top_xid();
  TransactionId top_xid_if_any() const;
  FullTransactionId top_full_xid();
  FullTransactionId top_full_xid_if_any() const;
  /// Own: this transaction's, a living subtransaction's, or one of a released one.
  bool is_current_xid(TransactionId xid) const;

  /// Number of the running command. `used`: something will be written with it.
  CommandId current_command(bool used);
  /// What comes sees what has been written. Costs nothing when nothing was. Throws 54000 after
  /// 2^32 - 2 commands.
  void command_counter_increment();

  // --- levels
  /// 0 outside, 1 in the transaction itself, one more for every subtransaction.
  int nesting_level() const { return static_cast<int>(levels_.size()); }
  SubtransactionId subtransaction_id() const;
  void begin_subtransaction();
  /// Ends all levels above `level`, into it (release) or undone (rollback). Never below 1.
  void release_to(int level);
  void rollback_to(int level);

  // --- properties
  /// As the setting transaction_isolation says; it cannot change after the first query.
  static setting::IsolationLevel isolation();
  /// One snapshot for the whole transaction?
  static bool uses_one_snapshot() {
    return isolation() == setting::IsolationLevel::kRepeatableRead ||
           isolation() == setting::IsolationLevel::kSerializable;
  }
  /// Throws 25006 "cannot execute NAME in a read-only transaction" (PreventCommandIfReadOnly).
  static void prevent_if_read_only(std::string_view command);
  /// This commit is flushed whatever synchronous_commit says (ForceSyncCommit).
  void force_synchronous_commit() { force_sync_ = true; }

  // --- what happens at its end
  using Hook = std::function<void()>;
  void before_commit(Hook hook);
  void on_commit(Hook hook);
  void on_abort(Hook hook);
  /// Removes a relation's files at commit (DROP), or at abort of this level (CREATE).
  void add_pending_delete(const RelationFile& file, bool at_commit);
  /// The file shall stay after all (RelationPreserveStorage).
  void forget_pending_delete(const RelationFile& file, bool at_commit);

 private:
  struct PendingDelete {
    RelationFile file;
    bool at_commit;
  };
  struct Level {
    FullTransactionId xid;
    SubtransactionId id = 0;
    std::vector<TransactionId> children;  ///< released ones, ascending
    std::vector<Hook> before_commit, on_commit, on_abort;
    std::vector<PendingDelete> deletes;
  };
  void assign_xid(size_t index);
  void log_assignment(TransactionId newest);
  void run_before_commit_hooks();
  TransactionId record_commit();
  TransactionId record_abort();
  void release_level();
  void rollback_level();
  void finish(bool committed, TransactionId latest_xid);

  Task& task_;
  int64_t start_us_ = 0;
  std::vector<Level> levels_;
  bool force_sync_ = false;
  bool command_used_ = false;
  CommandId command_ = kFirstCommandId;
  SubtransactionId last_subtransaction_ = kInvalidSubtransactionId;
  Lsn wal_at_begin_;                       ///< last record this task had inserted before
  std::vector<TransactionId> unreported_;  ///< subxids no XACT_ASSIGNMENT has told of
};

/// The running task's; made at the first call, freed when the task ends, aborted if it still runs
/// then. Needs a Proc.
Transaction& my_transaction();

// --- WAL

inline constexpr uint8_t kManagerTransaction = 1;
enum TransactionInfo : uint8_t {
  kXactCommit = 0x00,
  kXactPrepare = 0x10,
  kXactAbort = 0x20,
  kXactCommitPrepared = 0x30,
  kXactAbortPrepared = 0x40,
  kXactAssignment = 0x50,
  kXactInvalidations = 0x60,
  kXactOperationBits = 0x70,
  kXactHasFlags = 0x80,
};

/// Bits of the word that follows the time when kXactHasFlags is set.
enum TransactionFlag : uint32_t {
  kXactHasDatabase = 0x01,
  kXactHasChildren = 0x02,
  kXactHasDeletedFiles = 0x04,
  kXactHasInvalidations = 0x08,
  kXactHasTwoPhase = 0x10,
  kXactHasOrigin = 0x20,
  kXactHasAccessExclusiveLocks = 0x40,
  kXactHasGid = 0x80,
  kXactHasDroppedStats = 0x100,
  kXactApplyFeedback = 0x20000000,
  kXactUpdateRelcacheFile = 0x40000000,
  kXactForceSyncCommit = 0x80000000,
};

/// What a COMMIT or ABORT record says.
struct TransactionEndRecord {
  uint8_t operation;  ///< kXactCommit or kXactAbort
  TransactionId xid;
  int64_t time;  ///< microseconds since 2000-01-01 UTC
  uint32_t flags = 0;
  std::span<const TransactionId> children;
  std::span<const RelationFile> deleted;
};
/// Writes one; its end (XactLogCommitRecord, XactLogAbortRecord).
Lsn log_transaction_end(const TransactionEndRecord& end);

/// A COMMIT or ABORT record taken apart (ParseCommitRecord).
struct ParsedTransactionEnd {
  int64_t time = 0;  ///< microseconds since 2000-01-01 UTC
  uint32_t flags = 0;
  std::vector<TransactionId> children;
  std::vector<RelationFile> deleted;
};
/// Throws XX001 for a record that is too short for what it announces.
ParsedTransactionEnd parse_transaction_end(const DecodedRecord& record);

void redo_transaction(const DecodedRecord& record);

}  // namespace cofork
