// Plan nodes that make rows: nothing, VALUES, functions, views, WITH queries.
#pragma once

#include <vector>

#include "catalog/views/view.h"
#include "sql/exec.h"

namespace cofork {

/// One row without columns: SELECT without FROM (nodeResult.c).
class ResultNode final : public PlanNode {
 public:
  void open(Execution&) override { done_ = false; }
  bool next(Execution&) override { return !std::exchange(done_, true); }
  void explain(ExplainSink& sink) const override;

 private:
  bool done_ = false;
};

class ValuesNode final : public PlanNode {
 public:
  /// Each program computes one row into the entry's slots.
  ValuesNode(std::string_view name, std::vector<Program*> rows)
      : name_(name), rows_(std::move(rows)) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  std::string name_;
  std::vector<Program*> rows_;
  size_t at_ = 0;
  Arena arena_;
};

/// One call of a function that returns rows, whose columns are consecutive slots.
class SetFunction {
 public:
  Program* arguments = nullptr;  ///< computes them into the site's slots
  CallSite* site = nullptr;      ///< null: a plain expression, one row
  Program* value = nullptr;      ///< the plain expression
  int first_slot = 0;
  int columns = 1;

  void open(Execution& execution);
  /// Results go to `arena`, and to the slots; false (and NULLs) at the end.
  bool next(Execution& execution, Arena& arena);

 private:
  Arena state_arena_;
  void* state_ = nullptr;
  bool done_ = false;
};

/// Functions in FROM: rows as they are made, not kept (nodeFunctionscan.c keeps them).
class FunctionScanNode final : public PlanNode {
 public:
  FunctionScanNode(std::string_view name, std::string_view function)
      : name_(name), function_(function) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

  std::vector<std::unique_ptr<SetFunction>> functions;
  int ordinality_slot = -1;

 private:
  std::string name_;
  std::string function_;
  int64_t row_ = 0;
  Arena arena_;
};

/// A built-in view: all its rows are taken when the scan begins.
class ViewScanNode final : public PlanNode, private ViewSink {
 public:
  ViewScanNode(const BuiltinView& view, std::string_view name, int first_slot);
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  void row(const Datum* values, const bool* nulls) override;
  const BuiltinView& view_;
  std::string name_;
  int first_slot_;
  std::vector<const BuiltinType*> types_;
  std::vector<StoredRow> rows_;
  size_t at_ = 0;
  Arena arena_{8192};
};

/// A reference to a WITH query (nodeCtescan.c).
class CommonTableScanNode final : public PlanNode {
 public:
  CommonTableScanNode(CommonTableState& table, std::string_view name, std::string_view alias,
                      int first_slot)
      : table_(table), name_(name), alias_(alias), first_slot_(first_slot) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  CommonTableState& table_;
  std::string name_, alias_;
  int first_slot_;
  size_t at_ = 0;
};

/// Inside a recursive term: the rows of the round before (nodeWorktablescan.c).
class WorkTableScanNode final : public PlanNode {
 public:
  WorkTableScanNode(CommonTableState& table, std::string_view name, int first_slot)
      : table_(table), name_(name), first_slot_(first_slot) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  CommonTableState& table_;
  std::string name_;
  int first_slot_;
  size_t at_ = 0;
};

/// Forgets the rows of a query's WITH tables when the query starts over.
class WithNode final : public PlanNode {
 public:
  WithNode(PlanNode* child, std::vector<CommonTableState*> tables)
      : child_(child), tables_(std::move(tables)) {}
  void open(Execution& execution) override;
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override { return child_->next(execution); }
  void explain(ExplainSink& sink) const override { child_->explain(sink); }

 private:
  PlanNode* child_;
  std::vector<CommonTableState*> tables_;
};

}  // namespace cofork
