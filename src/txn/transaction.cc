// See transaction.h. Its WAL records are in transaction_wal.cc.
#include "txn/transaction.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <memory>
#include <utility>

#include "log/log.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "storage/buffer_pool.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/lock_manager.h"
#include "txn/multixact.h"
#include "txn/subtrans.h"
#include "txn/task_state.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

namespace {

/// After so many subtransactions a standby is told to which transaction they belong.
constexpr size_t kAssignmentsAtOnce = ProcSubxids::kMax;

/// While the bits of a commit are not yet where its WAL record says they are.
class DelayCheckpoint {
 public:
  DelayCheckpoint() { my_proc().delays_checkpoint.store(true, std::memory_order_seq_cst); }
  ~DelayCheckpoint() { my_proc().delays_checkpoint.store(false, std::memory_order_release); }
  DelayCheckpoint(const DelayCheckpoint&) = delete;
};

template <typename T>
void move_to_end(std::vector<T>& from, std::vector<T>& to) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
  from.clear();
}

/// The WAL writer will flush up to `lsn` within three of its rounds; wakes it if it hibernates.
void wake_wal_writer_for(Lsn lsn) {
  if (!wal_note_async_commit(lsn)) return;
  int32_t writer = shared_memory().area<ProcHeader>().wal_writer.load(std::memory_order_acquire);
  if (writer != kNoProc) set_latch(all_procs()[writer].latch);
}

void remove_files(const std::vector<RelationFile>& files) {
  if (files.empty()) return;
  drop_relations_buffers(files);
  for (const RelationFile& file : files) unlink_relation(file, false);
}

/// The task ends with a transaction open: whatever was thrown to get here left it behind.
void end_with_task(Task& task) {
  release_all_lwlocks();
  task.slot<Transaction>()->abort();
}

}  // namespace

Transaction& my_transaction() {
  Task& task = this_task();
  if (auto* mine = task.slot<Transaction>()) [[likely]]
    return *mine;
  auto* mine = std::make_unique<Transaction>(task).release();
  task.set_slot(mine);
  task.before_shmem_exit([](Task& ending, int) { end_with_task(ending); });
  task.on_proc_exit([mine](Task& ending, int) {
    ending.set_slot<Transaction>(nullptr);
    delete mine;
  });
  return *mine;
}

// --- begin

void Transaction::begin(int64_t start_us) {
  assert(levels_.empty());
  start_us_ = start_us;
  force_sync_ = false;
  command_used_ = false;
  command_ = kFirstCommandId;
  last_subtransaction_ = kTopSubtransactionId;
  wal_at_begin_ = wal_last_end();
  unreported_.clear();
  transaction_begins(start_us);
  if (auto* log = task_.slot<LogIdentity>()) {
    log->virtual_transaction =
        static_cast<uint64_t>(my_proc_number() + 1) << 32 | my_proc().last_local_xid;
  }
  lock_virtual_xid_insert();
  levels_.emplace_back().id = kTopSubtransactionId;
}

// --- ids

void Transaction::assign_xid(size_t index) {
  // A child's id is newer than its parent's.
  size_t first = index;
  while (first > 0 && !levels_[first - 1].xid.is_valid()) --first;
  for (size_t i = first; i <= index; ++i) {
    bool sub = i > 0;
    FullTransactionId full = new_xid(sub);
    levels_[i].xid = full;
    if (auto* log = task_.slot<LogIdentity>(); log != nullptr && !sub) {
      log->transaction_id = full.xid();
    }
    // Before the xid appears anywhere but in the own Proc.
    if (sub) subtrans_set_parent(full.xid(), levels_[i - 1].xid.xid());
    // Whoever meets it can wait for it.
    lock_xid_insert(full.xid(), static_cast<int>(i) + 1);
    if (sub && standbys_may_follow()) log_assignment(full.xid());
  }
}

void Transaction::log_assignment(TransactionId newest) {
  unreported_.push_back(newest);
  if (unreported_.size() < kAssignmentsAtOnce) return;
  struct {
    TransactionId top;
    int32_t count;
  } head{levels_[0].xid.xid(), static_cast<int32_t>(unreported_.size())};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerTransaction, kXactAssignment, newest);
  record.add_main(&head, sizeof head);
  record.add_main(unreported_.data(), unreported_.size() * sizeof(TransactionId));
  wal_insert(record);
  unreported_.clear();
}

TransactionId Transaction::current_xid() {
  assert(in_progress());
  if (!levels_.back().xid.is_valid()) assign_xid(levels_.size() - 1);
  return levels_.back().xid.xid();
}

TransactionId Transaction::current_xid_if_any() const {
  return levels_.empty() ? kInvalidXid : levels_.back().xid.xid();
}

TransactionId Transaction::top_xid() {
  return top_full_xid().xid();
}

TransactionId Transaction::top_xid_if_any() const {
  return top_full_xid_if_any().xid();
}

FullTransactionId Transaction::top_full_xid() {
  assert(in_progress());
  if (!levels_[0].xid.is_valid()) assign_xid(0);
  return levels_[0].xid;
}

FullTransactionId Transaction::top_full_xid_if_any() const {
  return levels_.empty() ? FullTransactionId{} : levels_[0].xid;
}

bool Transaction::is_current_xid(TransactionId xid) const {
  if (!xid_is_normal(xid)) return false;
  for (size_t i = levels_.size(); i-- > 0;) {
    const Level& level = levels_[i];
    if (!level.xid.is_valid()) continue;
    if (level.xid.xid() == xid) return true;
    if (std::binary_search(level.children.begin(), level.children.end(), xid, xid_precedes)) {
      return true;
    }
  }
  return false;
}

CommandId Transaction::current_command(bool used) {
  command_used_ |= used;
  return command_;
}

void Transaction::command_counter_increment() {
  if (!command_used_) return;
  if (command_ + 1 == kInvalidCommandId) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "cannot have more than 2^32-2 commands in a transaction");
  }
  ++command_;
  command_used_ = false;
}

// --- properties

setting::IsolationLevel Transaction::isolation() {
  return settings().get(setting::kTransactionIsolation);
}

void Transaction::prevent_if_read_only(std::string_view command) {
  if (!settings().get(setting::kTransactionReadOnly)) return;
  throw Error(sqlstate::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
              command);
}

// --- levels

SubtransactionId Transaction::subtransaction_id() const {
  return levels_.empty() ? kInvalidSubtransactionId : levels_.back().id;
}

void Transaction::begin_subtransaction() {
  assert(in_progress());
  if (last_subtransaction_ + 1 == kInvalidSubtransactionId) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "cannot have more than 2^32-1 subtransactions in a transaction");
  }
  levels_.emplace_back().id = ++last_subtransaction_;
}

void Transaction::release_to(int level) {
  assert(level >= 1);
  while (nesting_level() > level) release_level();
}

void Transaction::rollback_to(int level) {
  assert(level >= 1);
  while (nesting_level() > level) rollback_level();
}

void Transaction::release_level() {
  command_counter_increment();
  int number = nesting_level();
  Level& child = levels_.back();
  Level& parent = levels_[levels_.size() - 2];
  if (child.xid.is_valid()) {
    // Who waits for the child waits for the parent from now on.
    lock_xid_delete(child.xid.xid());
    // Its id and its children's are newer than all the parent has.
    parent.children.push_back(child.xid.xid());
    move_to_end(child.children, parent.children);
  }
  move_to_end(child.before_commit, parent.before_commit);
  move_to_end(child.on_commit, parent.on_commit);
  move_to_end(child.on_abort, parent.on_abort);
  move_to_end(child.deletes, parent.deletes);
  locks_release_level(number);
  levels_.pop_back();
}

void Transaction::rollback_level() {
  HoldInterrupts hold(task_);
  lock_error_cleanup();
  record_abort();
  Level& level = levels_.back();
  for (size_t i = level.on_abort.size(); i-- > 0;) level.on_abort[i]();
  locks_rollback_level(nesting_level());
  std::vector<RelationFile> gone;
  for (const PendingDelete& one : level.deletes) {
    if (!one.at_commit) gone.push_back(one.file);
  }
  remove_files(gone);
  levels_.pop_back();
}

// --- the end

void Transaction::before_commit(Hook hook) {
  levels_.back().before_commit.push_back(std::move(hook));
}

void Transaction::on_commit(Hook hook) {
  levels_.back().on_commit.push_back(std::move(hook));
}

void Transaction::on_abort(Hook hook) {
  levels_.back().on_abort.push_back(std::move(hook));
}

void Transaction::add_pending_delete(const RelationFile& file, bool at_commit) {
  levels_.back().deletes.push_back({file, at_commit});
}

void Transaction::forget_pending_delete(const RelationFile& file, bool at_commit) {
  for (Level& level : levels_) {
    std::erase_if(level.deletes, [&](const PendingDelete& one) {
      return one.file == file && one.at_commit == at_commit;
    });
  }
}

void Transaction::run_before_commit_hooks() {
  // A hook may add another one.
  for (size_t i = 0; i < levels_[0].before_commit.size(); ++i) {
    Hook hook = std::move(levels_[0].before_commit[i]);
    hook();
  }
}

void Transaction::commit() {
  assert(in_progress());
  release_to(1);
  run_before_commit_hooks();
  release_to(1);
  HoldInterrupts hold(task_);
  finish(true, record_commit());
}

void Transaction::abort() {
  if (!in_progress()) return;
  HoldInterrupts hold(task_);
  lock_error_cleanup();
  rollback_to(1);
  finish(false, record_abort());
}

/// Writes the end into WAL and the commit log; the newest of the own xids
/// (RecordTransactionCommit).
TransactionId Transaction::record_commit() {
  Level& top = levels_[0];
  bool wrote_wal = wal_last_end() != wal_at_begin_;
  std::vector<RelationFile> deleted;
  for (const PendingDelete& one : top.deletes) {
    if (one.at_commit) deleted.push_back(one.file);
  }
  TransactionId xid = top.xid.xid();
  bool asynchronous =
      settings().get(setting::kSynchronousCommit) == setting::SynchronousCommit::kOff;
  if (!xid_is_valid(xid)) {
    if (!deleted.empty()) {
      throw Error(sqlstate::kInternalError,
                  "cannot commit a transaction that deleted files but has no xid");
    }
    // Cleaning pages has written WAL, perhaps: nobody is promised anything about it.
    if (wrote_wal) wake_wal_writer_for(wal_last_end());
    return kInvalidXid;
  }

  CriticalSection critical(task_);
  {
    DelayCheckpoint delay;
    TransactionEndRecord end{.operation = kXactCommit,
                             .xid = xid,
                             .time = now_timestamp(),
                             .children = top.children,
                             .deleted = deleted};
    if (force_sync_) end.flags |= kXactForceSyncCommit;
    if (settings().get(setting::kSynchronousCommit) == setting::SynchronousCommit::kRemoteApply) {
      end.flags |= kXactApplyFeedback;
    }
    Lsn record_end = log_transaction_end(end);
    // A file is gone for good once it is unlinked: then the commit must be, too.
    if (asynchronous && !force_sync_ && deleted.empty()) {
      wake_wal_writer_for(record_end);
      clog_set_tree(xid, top.children, XidStatus::kCommitted, record_end);
    } else {
      wal_flush(record_end);
      clog_set_tree(xid, top.children, XidStatus::kCommitted);
    }
  }
  critical.end();
  return xid_latest(xid, top.children);
}

/// The innermost level's end (RecordTransactionAbort). Needs no flush: what is not known to have
/// committed has aborted.
TransactionId Transaction::record_abort() {
  Level& level = levels_.back();
  bool whole = levels_.size() == 1;
  TransactionId xid = level.xid.xid();
  if (!xid_is_valid(xid)) return kInvalidXid;
  if (whole && xid_did_commit(xid)) {
    throw Error(sqlstate::kInternalError, "cannot abort transaction {}, it was already committed",
                xid)
        .severity(Severity::kPanic);
  }
  std::vector<RelationFile> deleted;
  for (const PendingDelete& one : level.deletes) {
    if (!one.at_commit) deleted.push_back(one.file);
  }
  CriticalSection critical(task_);
  Lsn end = log_transaction_end({.operation = kXactAbort,
                                 .xid = xid,
                                 .time = now_timestamp(),
                                 .children = level.children,
                                 .deleted = deleted});
  if (whole) wake_wal_writer_for(end);
  clog_set_tree(xid, level.children, XidStatus::kAborted);
  critical.end();
  TransactionId latest = xid_latest(xid, level.children);
  if (!whole) proc_array_remove_subxids(xid, level.children, latest);
  return latest;
}

/// Steps 5 and 6.
void Transaction::finish(bool committed, TransactionId latest_xid) {
  transaction_ends(committed, latest_xid);
  if (auto* log = task_.slot<LogIdentity>()) log->virtual_transaction = log->transaction_id = 0;
  Level top = std::move(levels_[0]);
  levels_.clear();
  snapshots_end_transaction();
  multixact_end_transaction();
  // Before locks go: who gets one must find what these put in order.
  std::vector<Hook>& hooks = committed ? top.on_commit : top.on_abort;
  for (size_t i = hooks.size(); i-- > 0;) {
    hooks[committed ? hooks.size() - 1 - i : i]();
  }
  locks_end_transaction();
  std::vector<RelationFile> gone;
  for (const PendingDelete& one : top.deletes) {
    if (one.at_commit == committed) gone.push_back(one.file);
  }
  remove_files(gone);
}

}  // namespace cofork
