// See nodes_scan.h.
#include "sql/nodes_scan.h"

#include <fmt/core.h>

#include "sql/explain.h"
#include "sql/session.h"
#include "support/error.h"

namespace cofork {

std::unique_ptr<ExplainNode> ResultNode::explain(ExplainContext& context) const {
  return context.node(*this, "Result");
}

bool ValuesNode::next(Execution& execution) {
  if (at_ == rows_.size()) return false;
  execution.task.check_interrupts();
  arena_.reset();
  rows_[at_++]->run(execution, arena_);
  return true;
}

std::unique_ptr<ExplainNode> ValuesNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Values Scan");
  node->headline += fmt::format(" on {}", quote_identifier(context.name_of(entry_)));
  node->add_head("Alias", context.name_of(entry_));
  return node;
}

// --- functions

void SetFunction::open(Execution& execution) {
  state_arena_.reset();
  state_ = nullptr;
  done_ = false;
  if (site == nullptr) return;
  arguments->run(execution, state_arena_);
  if (!site->call.function->strict) return;
  for (int i = 0; i < site->call.count; ++i) done_ |= execution.nulls[site->first + i];
}

bool SetFunction::next(Execution& execution, Arena& arena) {
  for (int i = 0; i < columns; ++i) execution.nulls[first_slot + i] = false;
  if (!done_ && site == nullptr) {
    done_ = true;
    value->run(execution, arena);
    execution.values[first_slot] = execution.values[value->result];
    execution.nulls[first_slot] = execution.nulls[value->result];
    return true;
  }
  if (!done_) {
    execution.context.arena = &arena;
    SetCall set{site->call, state_, state_arena_, execution.values + first_slot,
                execution.nulls + first_slot};
    if (site->call.function->next(set)) return true;
    done_ = true;
  }
  for (int i = 0; i < columns; ++i) execution.nulls[first_slot + i] = true;
  return false;
}

void FunctionScanNode::open(Execution& execution) {
  for (auto& function : functions) function->open(execution);
  row_ = 0;
}

bool FunctionScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  arena_.reset();
  bool any = false;
  for (auto& function : functions) any |= function->next(execution, arena_);
  if (!any) return false;
  if (ordinality_slot >= 0) {
    execution.values[ordinality_slot] = datum_from_int64(++row_);
    execution.nulls[ordinality_slot] = false;
  }
  return true;
}

std::unique_ptr<ExplainNode> FunctionScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Function Scan");
  std::string_view alias = context.name_of(entry_);
  if (functions.size() == 1) {
    std::string shown = quote_identifier(function_);
    if (context.options().verbose) shown = "pg_catalog." + shown;
    node->headline += fmt::format(" on {}", shown);
    if (alias != function_) node->headline += fmt::format(" {}", quote_identifier(alias));
    node->add_head("Function Name", function_);
  } else {
    node->headline += fmt::format(" on {}", quote_identifier(alias));
  }
  node->add_head("Alias", alias);
  return node;
}

// --- views

ViewScanNode::ViewScanNode(const BuiltinView& view, const RangeEntry& entry)
    : view_(view), entry_(entry), first_slot_(entry.first_slot) {
  for (const ViewColumn& column : view.columns) types_.push_back(find_type(column.type));
}

void ViewScanNode::open(Execution& execution) {
  arena_.reset();
  rows_.clear();
  at_ = 0;
  // The rows' own bytes go to the arena that keeps them, so row() copies the words only.
  execution.context.arena = &arena_;
  Viewer viewer;
  if (const Session* session = execution.context.session) {
    viewer = {session->current_user_oid, session->is_superuser};
  }
  if (!view_.is_public && !viewer.is_superuser) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied for table {}", view_.name);
  }
  view_.emit(execution.context, viewer, *this);
}

void ViewScanNode::row(const Datum* values, const bool* nulls) {
  size_t n = types_.size();
  StoredRow row{arena_.make_array<Datum>(n), arena_.make_array<bool>(n)};
  std::copy_n(values, n, row.values);
  std::copy_n(nulls, n, row.nulls);
  rows_.push_back(row);
}

bool ViewScanNode::next(Execution& execution) {
  if (at_ == rows_.size()) return false;
  execution.task.check_interrupts();
  const StoredRow& row = rows_[at_++];
  std::copy_n(row.values, types_.size(), execution.values + first_slot_);
  std::copy_n(row.nulls, types_.size(), execution.nulls + first_slot_);
  return true;
}

std::unique_ptr<ExplainNode> ViewScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Seq Scan");
  context.set_table(*node, entry_, view_.name, "pg_catalog");
  return node;
}

// --- WITH

bool CommonTableScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  if (!table_.fetch(execution, at_)) return false;
  table_.output.restore_to(execution, table_.rows[at_++], first_slot_);
  return true;
}

namespace {

std::unique_ptr<ExplainNode> explain_common_table(ExplainContext& context, const PlanNode& plan,
                                                  std::string_view type, const RangeEntry& entry) {
  auto node = context.node(plan, type);
  std::string_view name = entry.table->name, alias = context.name_of(entry);
  node->headline += fmt::format(" on {}", quote_identifier(name));
  if (alias != name) node->headline += fmt::format(" {}", quote_identifier(alias));
  node->add_head("CTE Name", name);
  node->add_head("Alias", alias);
  return node;
}

}  // namespace

std::unique_ptr<ExplainNode> CommonTableScanNode::explain(ExplainContext& context) const {
  return explain_common_table(context, *this, "CTE Scan", entry_);
}

bool WorkTableScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  if (at_ == table_.working->size()) return false;
  table_.output.restore_to(execution, (*table_.working)[at_++], first_slot_);
  return true;
}

std::unique_ptr<ExplainNode> WorkTableScanNode::explain(ExplainContext& context) const {
  return explain_common_table(context, *this, "WorkTable Scan", entry_);
}

std::unique_ptr<ExplainNode> SubqueryScanNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Subquery Scan");
  node->headline += fmt::format(" on {}", quote_identifier(context.name_of(entry_)));
  node->add_head("Alias", context.name_of(entry_));
  node->add_child("Subquery", context.below(*child_));
  return node;
}

void WithNode::open(Execution& execution) {
  for (const Table& table : tables_) table.state->reset();
  child_->open(execution);
}

std::unique_ptr<ExplainNode> WithNode::explain(ExplainContext& context) const {
  // Theirs are the first sub-plans of the query.
  ExplainNode tables;
  for (const Table& table : tables_) {
    context.add_common_table(tables, table.name, *table.state->plan);
  }
  auto node = context.below(*child_);
  std::move(node->init_plans.begin(), node->init_plans.end(),
            std::back_inserter(tables.init_plans));
  node->init_plans = std::move(tables.init_plans);
  return node;
}

}  // namespace cofork
