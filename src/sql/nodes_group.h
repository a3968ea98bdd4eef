// Plan nodes that read all their input first: groups, sort; and what makes rows unique.
#pragma once

#include <vector>

#include "sql/exec.h"
#include "sql/query.h"

namespace cofork {

/// One aggregate of a query, compiled.
struct AggregateCall {
  const Expr* expr = nullptr;
  Program* arguments = nullptr;  ///< into slots first + 1 …; slot `first` is the state
  Program* filter = nullptr;
  CallSite* transition = nullptr;
  CallSite* final = nullptr;  ///< null: the state is the result
  int result_slot = 0;
  const BuiltinType* state_type = nullptr;  ///< null for a state that is a C++ object
  Datum initial = 0;
  bool initial_is_null = true;
  // DISTINCT and ORDER BY: the arguments (and order keys) are collected and sorted first.
  bool sorted = false;
  RowShape collected;  ///< argument slots, then key slots
  Program* keys = nullptr;
  std::vector<SortKey> order;  ///< over the collected columns: target is the index
};

/// What an aggregate has taken in so far.
struct AggregateState {
  Datum value;
  bool is_null;
  List<StoredRow> rows;  ///< collected, for sorted calls
};

/// A state before the first row; it and what it grows into lie in `arena`.
void start_aggregate(const AggregateCall& call, AggregateState& state, Arena& arena);
/// Takes in the row in the frame. Arguments are computed into `row_arena`.
void advance_aggregate(Execution& execution, AggregateCall& call, AggregateState& state,
                       Arena& arena, Arena& row_arena);
/// Puts the result into the call's slot; the state may go on afterwards.
void finish_aggregate(Execution& execution, AggregateCall& call, AggregateState& state,
                      Arena& arena);

/// Groups by hash, in order of first appearance; without keys, one group (nodeAgg.c).
class AggregateNode : public PlanNode {
 public:
  AggregateNode(PlanNode* child, RowShape keys, Program* key_program)
      : child_(child), keys_(std::move(keys)), key_program_(key_program) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  std::vector<AggregateCall> calls;
  /// Grouping sets: which keys (indexes) each set groups by. One set of all keys otherwise.
  std::vector<std::vector<size_t>> sets;
  int grouping_slot = -1;                  ///< mask of the keys not in the current set
  std::span<const Expr* const> key_exprs;  ///< for EXPLAIN

 private:
  struct Set {
    RowShape key;
    std::unique_ptr<RowTable> table;
  };
  void read_input(Execution& execution);
  AggregateState* new_states();
  void advance(Execution& execution, AggregateState* states);
  void emit(Execution& execution, AggregateState* states);

  PlanNode* child_;
  const RowShape keys_;
  Program* key_program_;
  std::vector<Set> tables_;
  AggregateState* single_ = nullptr;  ///< no keys at all
  bool has_read_ = false, single_done_ = false;
  size_t set_ = 0, at_ = 0;
  Arena arena_{8192}, row_arena_;
};

/// Sorts its child's rows (nodeSort.c).
class SortNode : public PlanNode {
 public:
  struct Key {
    size_t column;  ///< index in the shape
    bool descending;
    bool nulls_first;
    const Expr* expr = nullptr;  ///< for EXPLAIN
  };
  SortNode(PlanNode* child, RowShape shape, std::vector<Key> keys)
      : child_(child), shape_(std::move(shape)), keys_(std::move(keys)) {}
  void open(Execution& execution) override;
  void rewind(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  const RowShape shape_;
  const std::vector<Key> keys_;
  std::vector<StoredRow> rows_;
  bool sorted_ = false;
  size_t at_ = 0;
  Arena arena_{8192};
};

/// DISTINCT: lets the first of equal rows through, as it comes.
class DistinctNode : public PlanNode {
 public:
  DistinctNode(PlanNode* child, RowShape shape, std::span<const Expr* const> key_exprs)
      : child_(child), shape_(std::move(shape)), key_exprs_(key_exprs) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  const RowShape shape_;
  std::span<const Expr* const> key_exprs_;
  RowTable table_{shape_};
};

/// DISTINCT ON: the first row of each run of equal keys in sorted input (nodeUnique.c).
class UniqueNode : public PlanNode {
 public:
  UniqueNode(PlanNode* child, RowShape key) : child_(child), key_(std::move(key)) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  PlanNode* child_;
  const RowShape key_;
  bool has_last_ = false;
  StoredRow last_{};
  Arena arena_;
};

}  // namespace cofork
