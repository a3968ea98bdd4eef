// Transaction blocks: what BEGIN, COMMIT, ROLLBACK and SAVEPOINT mean to a session.
//
//            statement                 BEGIN                     COMMIT / ROLLBACK
//   kIdle ─────────────► kStarted ──────────────► kInBlock ────────────────────────► kIdle
//     │                     │ end of statement       │ error
//     │                     └──► kIdle               ▼
//     │ several statements in one simple query    kFailed ── ROLLBACK or COMMIT ──► kIdle
//     └────────────────────► kImplicit ── Sync or end of the query ──► kIdle
//
// The rules live here, apart from what a transaction does to tables (txn/transaction.h, which this
// class drives), so that both can be read alone. As StartTransactionCommand, BeginTransactionBlock
// … in xact.c, PostgreSQL 15.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/task.h"

namespace cofork {

enum class BlockState : uint8_t { kIdle, kStarted, kImplicit, kInBlock, kFailed };

class TransactionBlock {
 public:
  explicit TransactionBlock(Task& task) : task_(task) {}

  BlockState state() const { return state_; }
  /// ReadyForQuery's byte: 'I' idle, 'T' in a block, 'E' in a failed block.
  char status() const;
  bool is_idle() const { return state_ == BlockState::kIdle; }
  bool has_failed() const { return state_ == BlockState::kFailed; }
  /// BEGIN … COMMIT is open (explicitly).
  bool in_block() const { return state_ == BlockState::kInBlock || has_failed(); }

  /// A statement begins that arrived at `now_us`: starts a transaction unless one is open.
  void start_statement(int64_t now_us);
  /// A statement of a simple query with several has begun: what follows shares its transaction.
  void begin_implicit();
  /// A statement has ended well: outside a block its transaction is over. True if one ended.
  bool end_statement();
  /// The end of a simple query, or Sync: an implicit block is over. True if one ended.
  bool end_implicit();
  /// An error: outside a block the transaction is gone, inside the block has failed.
  void fail();

  // Commands. Each throws or warns as PostgreSQL's does (25001, 25P01, 25P02, 3B001).
  void begin();
  /// False: the block had failed, so it was rolled back and the tag is ROLLBACK.
  bool commit(bool and_chain);
  void rollback(bool and_chain);
  void savepoint(std::string_view name);
  void release(std::string_view name);
  void rollback_to(std::string_view name);

  /// Throws 25001 "NAME cannot run inside a transaction block" (PreventInTransactionBlock).
  void prevent_in_block(std::string_view statement) const;
  /// Throws 25P01 "NAME can only be used in transaction blocks" (RequireTransactionBlock).
  void require_block(std::string_view statement) const;
  /// Warns 25P01 likewise (WarnNoTransactionBlock).
  void warn_outside_block(std::string_view statement) const;

  /// A query runs: the isolation level can no longer change.
  void note_query() { has_run_query_ = true; }
  bool has_run_query() const { return has_run_query_; }

  /// Transaction start: microseconds since 2000-01-01 UTC, what now() says. 0 outside.
  int64_t start_us() const { return start_us_; }
  /// Nested blocks open, the outermost being 1: savepoints count.
  int nesting_level() const { return 1 + static_cast<int>(savepoints_.size()); }

  /// Called before a transaction ends: at commit what it does may still fail, and undo it all.
  using BeforeEnd = std::function<void(bool commit)>;
  void set_before_end(BeforeEnd before_end) { before_end_ = std::move(before_end); }

 private:
  struct Savepoint {
    std::string name;
  };
  size_t find_savepoint(std::string_view name) const;
  void start(int64_t now_us);
  void end(bool commit);
  /// With `and_chain` a transaction with the same characteristics follows at once.
  void end_and_chain(bool commit, bool and_chain);

  Task& task_;
  BlockState state_ = BlockState::kIdle;
  std::vector<Savepoint> savepoints_;
  bool has_run_query_ = false;
  int64_t start_us_ = 0;
  int64_t now_us_ = 0;  ///< arrival of the running statement
  BeforeEnd before_end_;
};

}  // namespace cofork
