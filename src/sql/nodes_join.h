// Plan nodes that combine or drop rows: filter, materialize, nested loop, hash join.
#pragma once

#include <vector>

#include "sql/exec.h"
#include "sql/query.h"

namespace cofork {

class FilterNode final : public PlanNode {
 public:
  FilterNode(PlanNode* child, Program* condition) : child_(child), condition_(condition) {}
  void open(Execution& execution) override { child_->open(execution); }
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  PlanNode* child_;
  Program* condition_;
  Arena arena_;
};

/// Keeps its child's rows, so that they can be read again (nodeMaterial.c).
class MaterializeNode final : public PlanNode {
 public:
  MaterializeNode(PlanNode* child, const RowShape& shape) : child_(child), shape_(shape) {}
  void open(Execution& execution) override;
  void rewind(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  PlanNode* child_;
  const RowShape shape_;
  std::vector<StoredRow> rows_;
  size_t at_ = 0;
  bool complete_ = false;
  Arena arena_{8192};
};

/// For each left row all right rows: inner and left joins (nodeNestloop.c).
class NestedLoopNode final : public PlanNode {
 public:
  NestedLoopNode(JoinKind kind, PlanNode* left, PlanNode* right, const RowShape& right_shape,
                 Program* condition, bool right_depends_on_left)
      : kind_(kind),
        left_(left),
        right_(right),
        right_shape_(right_shape),
        condition_(condition),
        lateral_(right_depends_on_left) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

 private:
  JoinKind kind_;
  PlanNode* left_;
  PlanNode* right_;
  const RowShape right_shape_;
  Program* condition_;  ///< null: always true
  bool lateral_;
  bool has_left_ = false;
  bool right_open_ = false;
  bool matched_ = false;
  Arena arena_;
};

/// Hashes the right side by its keys: inner, left and full joins on equality (nodeHashjoin.c).
class HashJoinNode final : public PlanNode {
 public:
  HashJoinNode(JoinKind kind, PlanNode* left, PlanNode* right, RowShape left_shape,
               RowShape right_shape, Program* condition)
      : kind_(kind),
        left_(left),
        right_(right),
        left_shape_(std::move(left_shape)),
        right_shape_(std::move(right_shape)),
        condition_(condition) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void explain(ExplainSink& sink) const override;

  Program* left_keys = nullptr;  ///< compute the key expressions into the key shapes' slots
  Program* right_keys = nullptr;
  RowShape left_key, right_key;

 private:
  bool next_match(Execution& execution);
  bool next_unmatched_right(Execution& execution);
  void build(Execution& execution);

  JoinKind kind_;
  PlanNode* left_;
  PlanNode* right_;
  const RowShape left_shape_, right_shape_;
  Program* condition_;
  std::unique_ptr<RowTable> table_;
  std::vector<RowTable::Entry*> null_rows_;  ///< full join: right rows with a NULL key
  RowTable::Entry* entry_ = nullptr;
  bool built_ = false, has_left_ = false, matched_ = false, left_done_ = false;
  size_t unmatched_at_ = 0, null_at_ = 0;
  RowShape stored_;  ///< key, then the row
  Arena arena_, key_arena_;
};

}  // namespace cofork
