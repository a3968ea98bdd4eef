// See internal_query.h.
#include "sql/internal_query.h"

#include "txn/transaction.h"

namespace cofork {

InternalQuery::InternalQuery(Engine::State& state, std::string_view text,
                             std::span<const Oid> parameters)
    : state_(state), statement_(std::make_shared<PreparedStatement>()) {
  statement_->parsed = parse_query(text);
  statement_->statement = &statement_->parsed->statements.at(0);
  statement_->text = statement_->parsed->text;
  statement_->parameters.assign(parameters.begin(), parameters.end());
  state.analyse(*statement_, *statement_->statement->node, false);
  state.fill_columns(*statement_);
}

int64_t InternalQuery::run(std::span<const Datum> values, std::span<const char> nulls,
                           const OnRow& on_row) {
  state_.revalidate(*statement_);
  std::unique_ptr<Execution> execution = std::move(statement_->idle);
  if (execution == nullptr) {
    execution = plan_statement(*statement_->query, statement_->arena, statement_->parameters,
                               state_.session.task, state_.context());
  }
  execution->context = state_.context();
  execution->context.arena = &execution->arena;
  for (size_t i = 0; i < values.size(); ++i) {
    execution->set_parameter(static_cast<int>(i + 1), values[i], nulls[i] != 0);
  }
  // What the running statement has done so far counts.
  my_transaction().command_counter_increment();
  execution->snapshot = register_snapshot(take_snapshot());
  execution->start();
  int64_t rows = 0;
  while (execution->next()) {
    ++rows;
    state_.session.task.check_interrupts();
    if (on_row && !on_row(execution->row_values(), execution->row_nulls())) break;
  }
  if (statement_->query->modification != nullptr) rows = execution->processed;
  execution->finish();
  statement_->idle = std::move(execution);
  my_transaction().command_counter_increment();
  return rows;
}

bool query_finds_row(Engine::State& state, std::string_view text) {
  bool found = false;
  InternalQuery(state, text).run({}, {}, [&](const Datum*, const bool*) {
    found = true;
    return false;
  });
  return found;
}

}  // namespace cofork
