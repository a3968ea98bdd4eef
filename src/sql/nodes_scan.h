// Plan nodes that make rows: nothing, VALUES, functions, views, WITH queries.
#pragma once

#include <vector>

#include "catalog/views/view.h"
#include "sql/exec.h"

namespace cofork {

/// One row without columns: SELECT without FROM (nodeResult.c).
class ResultNode : public PlanNode {
 public:
  void open(Execution&) override { done_ = false; }
  bool next(Execution&) override { return !std::exchange(done_, true); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  bool done_ = false;
};

class ValuesNode : public PlanNode {
 public:
  /// Each program computes one row into the entry's slots.
  ValuesNode(const RangeEntry& entry, std::vector<Program*> rows)
      : entry_(entry), rows_(std::move(rows)) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  const RangeEntry& entry_;
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
class FunctionScanNode : public PlanNode {
 public:
  FunctionScanNode(const RangeEntry& entry, std::string_view function)
      : entry_(entry), function_(function) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  std::vector<std::unique_ptr<SetFunction>> functions;
  int ordinality_slot = -1;

 private:
  const RangeEntry& entry_;
  std::string function_;
  int64_t row_ = 0;
  Arena arena_;
};

/// A built-in view: all its rows are taken when the scan begins.
class ViewScanNode : public PlanNode, private ViewSink {
 public:
  ViewScanNode(const BuiltinView& view, const RangeEntry& entry);
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  void row(const Datum* values, const bool* nulls) override;
  const BuiltinView& view_;
  const RangeEntry& entry_;
  int first_slot_;
  std::vector<const BuiltinType*> types_;
  std::vector<StoredRow> rows_;
  size_t at_ = 0;
  Arena arena_{8192};
};

/// A reference to a WITH query (nodeCtescan.c).
class CommonTableScanNode : public PlanNode {
 public:
  CommonTableScanNode(CommonTableState& table, const RangeEntry& entry)
      : table_(table), entry_(entry), first_slot_(entry.first_slot) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  CommonTableState& table_;
  const RangeEntry& entry_;
  int first_slot_;
  size_t at_ = 0;
};

/// Inside a recursive term: the rows of the round before (nodeWorktablescan.c).
class WorkTableScanNode : public PlanNode {
 public:
  WorkTableScanNode(CommonTableState& table, const RangeEntry& entry)
      : table_(table), entry_(entry), first_slot_(entry.first_slot) {}
  void open(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  CommonTableState& table_;
  const RangeEntry& entry_;
  int first_slot_;
  size_t at_ = 0;
};

/// A sub-select in FROM whose rows are filtered: only EXPLAIN sees it (nodeSubqueryscan.c).
class SubqueryScanNode : public PlanNode {
 public:
  SubqueryScanNode(PlanNode* child, const RangeEntry& entry) : child_(child), entry_(entry) {}
  void open(Execution& execution) override { child_->open(execution); }
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override { return child_->next(execution); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  const RangeEntry& entry_;
};

/// Forgets the rows of a query's WITH tables when the query starts over.
class WithNode : public PlanNode {
 public:
  struct Table {
    std::string_view name;
    CommonTableState* state;
  };
  WithNode(PlanNode* child, std::vector<Table> tables)
      : child_(child), tables_(std::move(tables)) {}
  void open(Execution& execution) override;
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override { return child_->next(execution); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  std::vector<Table> tables_;
};

}  // namespace cofork
