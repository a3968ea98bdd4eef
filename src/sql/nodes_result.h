// Plan nodes near the top: select lists, LIMIT, set operations, recursive queries.
#pragma once

#include <algorithm>
#include <vector>

#include "sql/exec.h"
#include "sql/nodes_scan.h"
#include "sql/query.h"

namespace cofork {

/// Computes the select list into the query's result slots.
class ProjectNode : public PlanNode {
 public:
  /// `exprs`: what the program computes, for EXPLAIN.
  ProjectNode(PlanNode* child, Program* targets, std::span<const Expr* const> exprs)
      : child_(child), targets_(targets), exprs_(exprs) {}
  void open(Execution& execution) override { child_->open(execution); }
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override {
    if (!child_->next(execution)) return false;
    arena_.reset();
    targets_->run(execution, arena_);
    return true;
  }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  Program* targets_;
  std::span<const Expr* const> exprs_;
  Arena arena_;
};

/// Set-returning functions in a select list: all advance together, the shorter ones giving NULL
/// once they have ended (nodeProjectSet.c).
class ProjectSetNode : public PlanNode {
 public:
  explicit ProjectSetNode(PlanNode* child) : child_(child) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  std::vector<std::unique_ptr<SetFunction>> functions;

 private:
  PlanNode* child_;
  bool active_ = false;
  Arena arena_;
};

/// LIMIT and OFFSET (nodeLimit.c).
class LimitNode : public PlanNode {
 public:
  LimitNode(PlanNode* child, Program* limit, Program* offset, RowShape tie_key)
      : child_(child), limit_(limit), offset_(offset), tie_key_(std::move(tie_key)) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  int64_t evaluate(Execution& execution, Program* program, bool is_limit, bool& is_null);
  PlanNode* child_;
  Program* limit_;  ///< null: none
  Program* offset_;
  const RowShape tie_key_;  ///< WITH TIES: the order columns
  int64_t left_ = 0, skip_ = 0;
  bool unlimited_ = false, has_last_ = false;
  StoredRow last_{};
  Arena arena_;
};

/// UNION ALL: one side after the other, copied into the slots of the result (nodeAppend.c).
class AppendNode : public PlanNode {
 public:
  struct Side {
    PlanNode* node;
    Program* copy;  ///< its columns into the result's slots
  };
  explicit AppendNode(std::vector<Side> sides) : sides_(std::move(sides)) {
    for (const Side& side : sides_) depth = std::max(depth, side.node->depth + 1);
  }
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;
  /// Which side the last row came from.
  size_t side() const { return side_; }

 private:
  std::vector<Side> sides_;
  size_t side_ = 0;
  Arena arena_;
};

/// UNION, INTERSECT [ALL], EXCEPT [ALL] by counting equal rows (nodeSetOp.c).
class SetOperationNode : public PlanNode {
 public:
  SetOperationNode(AppendNode* input, RowShape shape, SetOperation operation, bool all,
                   std::span<const Expr* const> key_exprs)
      : input_(input),
        shape_(std::move(shape)),
        operation_(operation),
        all_(all),
        key_exprs_(key_exprs) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  void read_input(Execution& execution);
  int64_t copies_of(const RowTable::Entry& entry) const;

  AppendNode* input_;
  const RowShape shape_;
  SetOperation operation_;
  bool all_;
  std::span<const Expr* const> key_exprs_;  ///< of the first side, for EXPLAIN
  RowTable table_{shape_};
  bool has_read_ = false;
  size_t at_ = 0;
  int64_t repeats_ = 0;
};

/// WITH RECURSIVE: the first term's rows, then rounds of the recursive term over the rows of the
/// round before, until one adds none (nodeRecursiveunion.c).
class RecursiveUnionNode : public PlanNode {
 public:
  RecursiveUnionNode(PlanNode* first, PlanNode* recursive, Program* copy_first,
                     Program* copy_recursive, RowShape shape, bool distinct,
                     CommonTableState& table)
      : first_(first),
        recursive_(recursive),
        copy_first_(copy_first),
        copy_recursive_(copy_recursive),
        shape_(std::move(shape)),
        distinct_(distinct),
        table_(table) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  bool accept(Execution& execution);
  PlanNode* first_;
  PlanNode* recursive_;
  Program* copy_first_;
  Program* copy_recursive_;
  const RowShape shape_;
  bool distinct_;
  CommonTableState& table_;
  RowTable seen_{shape_};
  std::vector<StoredRow> rounds_[2];
  Arena round_arenas_[2];
  int filling_ = 0;
  bool in_rounds_ = false;
  Arena arena_;
};

}  // namespace cofork
