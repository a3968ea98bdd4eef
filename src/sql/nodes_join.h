// Plan nodes that combine or drop rows: filter, materialize, nested loop, hash join.
#pragma once

#include <vector>

#include "sql/exec.h"
#include "sql/query.h"

namespace cofork {

class FilterNode : public PlanNode {
 public:
  /// `conditions`: what the program tests, for EXPLAIN; `scan`: the entry the rows are of, if one.
  FilterNode(PlanNode* child, Program* condition, std::span<Expr* const> conditions,
             const RangeEntry* scan)
      : child_(child), condition_(condition), conditions_(conditions), scan_(scan) {}
  void open(Execution& execution) override { child_->open(execution); }
  void rewind(Execution& execution) override { child_->rewind(execution); }
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  Program* condition_;
  std::span<Expr* const> conditions_;
  const RangeEntry* scan_;
  Arena arena_;
};

/// A condition that no row has a part in: it is tested once, and lets all rows through or none
/// (a Result with resconstantqual).
class GateNode : public PlanNode {
 public:
  /// `child` null: the condition is known to be false.
  GateNode(PlanNode* child, Program* condition, std::span<Expr* const> conditions)
      : child_(child), condition_(condition), conditions_(conditions) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override { return is_open_ && child_->next(execution); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  Program* condition_;
  std::span<Expr* const> conditions_;
  bool is_open_ = false;
  Arena arena_;
};

/// Keeps its child's rows, so that they can be read again (nodeMaterial.c).
class MaterializeNode : public PlanNode {
 public:
  MaterializeNode(PlanNode* child, const RowShape& shape) : child_(child), shape_(shape) {}
  void open(Execution& execution) override;
  void rewind(Execution&) override { at_ = 0; }
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  const RowShape shape_;
  std::vector<StoredRow> rows_;
  size_t at_ = 0;
  bool complete_ = false;
  Arena arena_{8192};
};

/// For each left row all right rows: inner and left joins (nodeNestloop.c).
class NestedLoopNode : public PlanNode {
 public:
  NestedLoopNode(JoinKind kind, PlanNode* left, PlanNode* right, const RowShape& right_shape,
                 Program* condition, std::span<Expr* const> conditions, bool right_depends_on_left)
      : kind_(kind),
        left_(left),
        right_(right),
        right_shape_(right_shape),
        condition_(condition),
        conditions_(conditions),
        lateral_(right_depends_on_left) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  JoinKind kind_;
  PlanNode* left_;
  PlanNode* right_;
  const RowShape right_shape_;
  Program* condition_;  ///< null: always true
  std::span<Expr* const> conditions_;
  bool lateral_;
  int64_t removed_ = 0;  ///< pairs of rows the condition refused
  bool has_left_ = false;
  bool right_open_ = false;
  bool matched_ = false;
  Arena arena_;
};

/// Hashes the right side by its keys: joins of every kind on equality (nodeHashjoin.c).
class HashJoinNode : public PlanNode {
 public:
  HashJoinNode(JoinKind kind, PlanNode* left, PlanNode* right, RowShape left_shape,
               RowShape right_shape, Program* condition, std::span<Expr* const> conditions)
      : kind_(kind),
        left_(left),
        right_(right),
        left_shape_(std::move(left_shape)),
        right_shape_(std::move(right_shape)),
        condition_(condition),
        conditions_(conditions) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  Program* left_keys = nullptr;  ///< compute the key expressions into the key shapes' slots
  Program* right_keys = nullptr;
  RowShape left_key, right_key;
  std::span<Expr* const> key_conditions;  ///< left = right, for EXPLAIN
  /// kSemi: left rows that have a match, each once; kAnti: those that have none.
  enum class Existence : uint8_t { kNotAsked, kSemi, kAnti };
  Existence existence = Existence::kNotAsked;

 private:
  bool next_match(Execution& execution);
  bool next_unmatched_right(Execution& execution);
  void build(Execution& execution);
  /// Rows of that side come out even if nothing on the other fits.
  bool keeps_left() const { return kind_ == JoinKind::kLeft || kind_ == JoinKind::kFull; }
  bool keeps_right() const { return kind_ == JoinKind::kRight || kind_ == JoinKind::kFull; }

  JoinKind kind_;
  PlanNode* left_;
  PlanNode* right_;
  const RowShape left_shape_, right_shape_;
  Program* condition_;
  std::span<Expr* const> conditions_;
  int64_t removed_ = 0;
  double hashed_bytes_ = 0;  ///< of the last build, for EXPLAIN ANALYZE
  std::unique_ptr<RowTable> table_;
  std::vector<RowTable::Entry*> null_rows_;  ///< right and full joins: right rows with a NULL key
  RowTable::Entry* entry_ = nullptr;
  bool built_ = false, has_left_ = false, matched_ = false, left_done_ = false;
  size_t unmatched_at_ = 0, null_at_ = 0;
  RowShape stored_;  ///< key, then the row
  Arena arena_, key_arena_;
};

}  // namespace cofork
