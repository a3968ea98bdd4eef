// See transaction.h.
#include "sql/transaction.h"

#include "log/log.h"
#include "settings/settings.h"
#include "support/error.h"

namespace cofork {
namespace {

void warn(SqlState sqlstate, std::string message) {
  ErrorData data;
  data.severity = Severity::kWarning;
  data.sqlstate = sqlstate;
  data.message = std::move(message);
  report(data);
}

/// Nesting level of the settings that belongs to savepoint `index`: the transaction itself is 1.
int level_of(size_t index) {
  return static_cast<int>(index) + 2;
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

// --- starting and ending ----------------------------------------------------------------------

void TransactionBlock::start(int64_t now_us) {
  start_us_ = now_us;
  has_run_query_ = false;
  take_defaults();
  settings().begin_transaction();
  if (listener_ != nullptr) listener_(start_us_, false);
}

void TransactionBlock::end(bool commit) {
  settings().end_transaction(commit);
  savepoints_.clear();
  state_ = BlockState::kIdle;
  start_us_ = 0;
  if (listener_ != nullptr) listener_(0, commit);
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
  if (state_ != BlockState::kStarted) return false;
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
      // What the innermost level has set is gone at once; the levels around it wait for ROLLBACK.
      settings().end_nested(false, nesting_level());
      state_ = BlockState::kFailed;
      break;
    default:
      break;
  }
}

// --- commands ---------------------------------------------------------------------------------

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
  end(!had_failed);
  if (and_chain) {
    start(now_us_);
    state_ = BlockState::kInBlock;
  }
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
  end(false);
  if (and_chain) {
    start(now_us_);
    state_ = BlockState::kInBlock;
  }
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
  settings().begin_nested();
}

void TransactionBlock::release(std::string_view name) {
  require_block("RELEASE SAVEPOINT");
  size_t index = find_savepoint(name);
  settings().end_nested(true, level_of(index));
  savepoints_.resize(index);
}

void TransactionBlock::rollback_to(std::string_view name) {
  require_block("ROLLBACK TO SAVEPOINT");
  size_t index = find_savepoint(name);
  settings().end_nested(false, level_of(index));
  // The savepoint itself stays, to be rolled back to again.
  savepoints_.resize(index + 1);
  settings().begin_nested();
  state_ = BlockState::kInBlock;
}

// --- what may run where -----------------------------------------------------------------------

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
