// See transaction.h.
#include "sql/transaction.h"

#include <array>

#include "log/log.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

void warn(SqlState sqlstate, std::string message) {
  ErrorData data;
  data.severity = Severity::kWarning;
  data.sqlstate = sqlstate;
  data.message = std::move(message);
  report(data);
}

/// Nesting level (of the transaction and the settings) that belongs to savepoint `index`: the
/// transaction itself is 1.
int level_of(size_t index) {
  return static_cast<int>(index) + 2;
}

/// The task's transaction; null in a task without a Proc, which can have none.
Transaction* transaction() {
  return my_or_null() == nullptr ? nullptr : &my_transaction();
}

/// A transaction begins with the default_transaction_… of the moment.
void take_defaults() {
  SettingsView& view = settings();
  auto copy = [&view](auto from, auto to) {
    if (view.get(from) != view.get(to)) view.set_internal(to.index, view.show(from.index));
  };
  copy(setting::kDefaultTransactionIsolation, setting::kTransactionIsolation);
  copy(setting::kDefaultTransactionReadOnly, setting::kTransactionReadOnly);
  copy(setting::kDefaultTransactionDeferrable, setting::kTransactionDeferrable);
}

/// What AND CHAIN hands on to the next transaction (SaveTransactionCharacteristics).
class Characteristics {
 public:
  Characteristics() {
    for (size_t i = 0; i < kSettings.size(); ++i) values_[i] = settings().show(kSettings[i]);
  }
  void restore() const {
    for (size_t i = 0; i < kSettings.size(); ++i) {
      if (settings().show(kSettings[i]) != values_[i]) {
        settings().set_internal(kSettings[i], values_[i]);
      }
    }
  }

 private:
  static constexpr std::array kSettings = {setting::kTransactionIsolation.index,
                                           setting::kTransactionReadOnly.index,
                                           setting::kTransactionDeferrable.index};
  std::array<std::string, kSettings.size()> values_;
};

}  // namespace

char TransactionBlock::status() const {
  switch (state_) {
    case BlockState::kInBlock:
    case BlockState::kImplicit:
      return 'T';
    case BlockState::kFailed:
      return 'E';
    default:
      return 'I';
  }
}

// --- starting and ending

void TransactionBlock::start(int64_t now_us) {
  start_us_ = now_us;
  has_run_query_ = false;
  take_defaults();
  settings().begin_transaction();
  if (Transaction* mine = transaction()) mine->begin(start_us_);
}

void TransactionBlock::end_and_chain(bool commit, bool and_chain) {
  if (!and_chain) return end(commit);
  Characteristics kept;
  end(commit);
  start(now_us_);
  kept.restore();
  state_ = BlockState::kInBlock;
}

void TransactionBlock::end(bool commit) {
  // A commit may still fail; then fail() finds a transaction that is over as soon as it is aborted.
  state_ = BlockState::kStarted;
  if (before_end_) before_end_(commit);
  if (Transaction* mine = transaction()) commit ? mine->commit() : mine->abort();
  settings().end_transaction(commit);
  savepoints_.clear();
  state_ = BlockState::kIdle;
  start_us_ = 0;
}

void TransactionBlock::start_statement(int64_t now_us) {
  now_us_ = now_us;
  if (state_ != BlockState::kIdle) return;
  state_ = BlockState::kStarted;
  start(now_us);
}

void TransactionBlock::begin_implicit() {
  if (state_ == BlockState::kStarted) state_ = BlockState::kImplicit;
}

bool TransactionBlock::end_statement() {
  if (state_ != BlockState::kStarted) {
    // What comes sees what this one has written.
    Transaction* mine = transaction();
    if (mine != nullptr && mine->in_progress()) mine->command_counter_increment();
    return false;
  }
  end(true);
  return true;
}

bool TransactionBlock::end_implicit() {
  if (state_ != BlockState::kImplicit && state_ != BlockState::kStarted) return false;
  end(true);
  return true;
}

void TransactionBlock::fail() {
  switch (state_) {
    case BlockState::kStarted:
    case BlockState::kImplicit:
      end(false);
      break;
    case BlockState::kInBlock:
      // The innermost level is undone at once; the levels around it wait for ROLLBACK.
      if (Transaction* mine = transaction()) {
        savepoints_.empty() ? mine->abort() : mine->rollback_to(nesting_level() - 1);
      }
      settings().end_nested(false, nesting_level());
      state_ = BlockState::kFailed;
      break;
    default:
      break;
  }
}

// --- commands

void TransactionBlock::begin() {
  if (state_ == BlockState::kInBlock) {
    warn(sqlstate::kActiveSqlTransaction, "there is already a transaction in progress");
    return;
  }
  state_ = BlockState::kInBlock;
}

bool TransactionBlock::commit(bool and_chain) {
  bool had_failed = state_ == BlockState::kFailed;
  if (!in_block()) {
    if (and_chain) {
      throw Error(sqlstate::kNoActiveSqlTransaction,
                  "COMMIT AND CHAIN can only be used in transaction blocks");
    }
    warn(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress");
  }
  end_and_chain(!had_failed, and_chain);
  return !had_failed;
}

void TransactionBlock::rollback(bool and_chain) {
  if (!in_block()) {
    if (and_chain) {
      throw Error(sqlstate::kNoActiveSqlTransaction,
                  "ROLLBACK AND CHAIN can only be used in transaction blocks");
    }
    warn(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress");
  }
  end_and_chain(false, and_chain);
}

size_t TransactionBlock::find_savepoint(std::string_view name) const {
  for (size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name == name) return i;
  }
  throw Error(sqlstate::kSEInvalidSpecification, "savepoint \"{}\" does not exist", name);
}

void TransactionBlock::savepoint(std::string_view name) {
  require_block("SAVEPOINT");
  savepoints_.push_back({std::string(name)});
  if (Transaction* mine = transaction()) mine->begin_subtransaction();
  settings().begin_nested();
}

void TransactionBlock::release(std::string_view name) {
  require_block("RELEASE SAVEPOINT");
  size_t index = find_savepoint(name);
  if (Transaction* mine = transaction()) mine->release_to(level_of(index) - 1);
  settings().end_nested(true, level_of(index));
  savepoints_.resize(index);
}

void TransactionBlock::rollback_to(std::string_view name) {
  require_block("ROLLBACK TO SAVEPOINT");
  size_t index = find_savepoint(name);
  if (Transaction* mine = transaction()) {
    mine->rollback_to(level_of(index) - 1);
    mine->begin_subtransaction();
  }
  settings().end_nested(false, level_of(index));
  // The savepoint itself stays, to be rolled back to again.
  savepoints_.resize(index + 1);
  settings().begin_nested();
  state_ = BlockState::kInBlock;
}

// --- what may run where

void TransactionBlock::prevent_in_block(std::string_view statement) const {
  if (in_block() || state_ == BlockState::kImplicit) {
    throw Error(sqlstate::kActiveSqlTransaction, "{} cannot run inside a transaction block",
                statement);
  }
}

void TransactionBlock::require_block(std::string_view statement) const {
  if (in_block()) return;
  throw Error(sqlstate::kNoActiveSqlTransaction, "{} can only be used in transaction blocks",
              statement);
}

void TransactionBlock::warn_outside_block(std::string_view statement) const {
  if (in_block()) return;
  warn(sqlstate::kNoActiveSqlTransaction,
       fmt::format("{} can only be used in transaction blocks", statement));
}

}  // namespace cofork
