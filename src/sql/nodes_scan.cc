// See nodes_scan.h.
#include "sql/nodes_scan.h"

#include <fmt/core.h>

#include "sql/session.h"
#include "support/error.h"

namespace cofork {

void ResultNode::explain(ExplainSink& sink) const {
  sink.node("Result");
}

bool ValuesNode::next(Execution& execution) {
  if (at_ == rows_.size()) return false;
  execution.task.check_interrupts();
  arena_.reset();
  rows_[at_++]->run(execution, arena_);
  return true;
}

void ValuesNode::explain(ExplainSink& sink) const {
  sink.node(fmt::format("Values Scan on \"{}\"", name_));
}

// --- functions --------------------------------------------------------------------------------

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

void FunctionScanNode::explain(ExplainSink& sink) const {
  if (name_ == function_) {
    sink.node(fmt::format("Function Scan on {}", function_));
  } else {
    sink.node(fmt::format("Function Scan on {} {}", function_, name_));
  }
}

// --- views ------------------------------------------------------------------------------------

ViewScanNode::ViewScanNode(const BuiltinView& view, std::string_view name, int first_slot)
    : view_(view), name_(name), first_slot_(first_slot) {
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

void ViewScanNode::explain(ExplainSink& sink) const {
  if (name_ == view_.name) {
    sink.node(fmt::format("Seq Scan on {}", view_.name));
  } else {
    sink.node(fmt::format("Seq Scan on {} {}", view_.name, name_));
  }
}

// --- WITH -------------------------------------------------------------------------------------

bool CommonTableScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  if (!table_.fetch(execution, at_)) return false;
  table_.output.restore_to(execution, table_.rows[at_++], first_slot_);
  return true;
}

void CommonTableScanNode::explain(ExplainSink& sink) const {
  sink.node(name_ == alias_ ? fmt::format("CTE Scan on {}", name_)
                            : fmt::format("CTE Scan on {} {}", name_, alias_));
}

bool WorkTableScanNode::next(Execution& execution) {
  execution.task.check_interrupts();
  if (at_ == table_.working->size()) return false;
  table_.output.restore_to(execution, (*table_.working)[at_++], first_slot_);
  return true;
}

void WorkTableScanNode::explain(ExplainSink& sink) const {
  sink.node(fmt::format("WorkTable Scan on {}", name_));
}

void WithNode::open(Execution& execution) {
  for (CommonTableState* table : tables_) table->reset();
  child_->open(execution);
}

}  // namespace cofork
