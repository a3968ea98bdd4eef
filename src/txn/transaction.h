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
#include <vector>

#include "model/task.h"
#include "support/lsn.h"
#include "txn/xid.h"
#include "wal/record.h"

namespace cofork {

enum class IsolationLevel : uint8_t {
  kReadUncommitted,  ///< behaves as READ COMMITTED
  kReadCommitted,
  kRepeatableRead,
  kSerializable,
};

struct TransactionOptions {
  /// Microseconds since 2000-01-01 UTC: now(), pg_stat_activity.xact_start.
  int64_t start_us = 0;
  IsolationLevel isolation = IsolationLevel::kReadCommitted;
  bool read_only = false;
  bool deferrable = false;
};

class Transaction {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kTransaction;
  explicit Transaction(Task& task);
  ~Transaction();
  Transaction(const Transaction&) = delete;

  // --- life -----------------------------------------------------------------------------------
  /// Takes a virtual id. The task has a Proc and is in the ProcArray.
  void begin(const TransactionOptions& options);
  /// Ends it, subtransactions included. Throws when a pre-commit hook does; then abort() is due.
  void commit();
  /// Undoes it: never throws, except for PANIC. Does nothing outside a transaction.
  void abort();
  bool in_progress() const { return in_progress_; }
  /// Has failed inside and waits for abort(): nothing may be read or written.
  int64_t start_us() const { return options_.start_us; }

  // --- ids ------------------------------------------------------------------------------------
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

  // --- levels ---------------------------------------------------------------------------------
  /// 0 outside, 1 in the transaction itself, one more for every subtransaction.
  int nesting_level() const { return static_cast<int>(levels_.size()); }
  SubtransactionId subtransaction_id() const;
  void begin_subtransaction();
  /// Ends all levels above `level`, into it (release) or undone (rollback). Never below 1.
  void release_to(int level);
  void rollback_to(int level);

  // --- properties -----------------------------------------------------------------------------
  IsolationLevel isolation() const { return options_.isolation; }
  void set_isolation(IsolationLevel level) { options_.isolation = level; }
  /// One snapshot for the whole transaction?
  bool uses_one_snapshot() const { return options_.isolation >= IsolationLevel::kRepeatableRead; }
  bool is_read_only() const { return options_.read_only; }
  void set_read_only(bool read_only) { options_.read_only = read_only; }
  /// Throws 25006 "cannot execute NAME in a read-only transaction" (PreventCommandIfReadOnly).
  void prevent_if_read_only(std::string_view command) const;
  /// This commit is flushed whatever synchronous_commit says (ForceSyncCommit).
  void force_synchronous_commit() { force_sync_ = true; }

  // --- what happens at its end ----------------------------------------------------------------
  using Hook = std::function<void()>;
  void before_commit(Hook hook);
  void on_commit(Hook hook);
  void on_abort(Hook hook);
  /// Removes a relation's files at commit (DROP), or at abort of this level (CREATE).
  void add_pending_delete(const RelationFile& file, bool at_commit);
  /// Puts back what the level would do: the file shall stay (RelationPreserveStorage).
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
  void log_subtransactions(TransactionId newest);
  void run_before_commit_hooks();
  TransactionId record_commit();
  TransactionId record_abort(Level& level, bool whole);
  void release_level();
  void rollback_level();
  void delete_files(const std::vector<PendingDelete>& deletes, bool committed);
  void finish(bool committed, TransactionId latest_xid);
  void forget_everything();

  Task& task_;
  TransactionOptions options_;
  std::vector<Level> levels_;
  bool in_progress_ = false;
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

// --- WAL ----------------------------------------------------------------------------------------

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
