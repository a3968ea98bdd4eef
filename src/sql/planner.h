// Planner: turns a Query into an Execution — gives out slots, compiles expressions, chooses nodes.
//
// A query becomes this pipeline, each part only when it is needed:
//   FROM (scans, joins, with WHERE pushed down) → WHERE → groups → HAVING → windows →
//   select list → DISTINCT → ORDER BY → LIMIT
//
//   planner.cc        queries      plan_from.cc     FROM and joins
//   plan_sets.cc      UNION …, WITH                plan_windows.cc  windows
//   compile_expr.cc   expressions, as ExecInitExprRec in execExpr.c
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "catalog/relation_cache.h"
#include "sql/exec.h"
#include "sql/query.h"

namespace cofork {

struct AggregateCall;

/// A planned query: its rows stand in consecutive slots.
struct PlannedQuery {
  PlanNode* root = nullptr;
  int first_output = 0;
  RowShape output;                ///< the columns others see
  RowShape all_targets;           ///< junk too
  Program* projection = nullptr;  ///< computes the targets
  bool is_sorted = false;         ///< the scan gives ORDER BY
  RowShape locked_after_sort;     ///< FOR UPDATE with a sort: what it must keep of the tables
};

class Planner {
 public:
  Planner(Execution& execution, size_t parameters)
      : ex_(execution), slot_count_(static_cast<int>(parameters)) {}

  PlannedQuery plan_query(Query& query);
  /// The row of `modification` gets its slots, and a program for each target: COPY's part of
  /// INSERT. Slot of the first column.
  int place_row(const Modification& modification);
  /// Each target into the slot of its column, from the first column's slot on.
  Program* compile_targets(const List<Target>& targets, int first_slot);
  /// All is planned: makes the frame and tells the call sites where their arguments are.
  void finish();
  /// Of the whole plan: see Execution::stack_bytes.
  size_t stack_bytes(const PlanNode& root) const;

  /// A program of one expression, its value in program->result.
  Program* compile(const Expr& expr);
  /// A program that computes each expression into slots first, first + 1, …
  Program* compile_into(std::span<Expr* const> exprs, int first_slot);
  int new_slots(size_t count) {
    int first = slot_count_;
    slot_count_ += static_cast<int>(count);
    return first;
  }

 private:
  friend class AggregateBuilder;
  /// Expressions computed by a node below, and the slots they stand in.
  struct Replacement {
    const Expr* expr;
    int slot;
  };
  struct Input {
    PlanNode* node = nullptr;
    RowShape shape;  ///< every column of the entries below
    std::vector<const RangeEntry*> entries;
    double rows = 1000;  ///< a guess
  };

  // Queries.
  PlannedQuery plan_select(Query& query);
  /// `shape` becomes what stands for a group: its keys and its aggregates.
  PlanNode* plan_aggregates(Query& query, PlanNode* child, RowShape& shape);
  AggregateCall build_aggregate(const Expr& expr, int result_slot);
  PlanNode* plan_windows(Query& query, PlanNode* child, const RowShape& input);
  PlanNode* plan_window(Window& window, std::span<Expr* const> calls, PlanNode* child,
                        const RowShape& input);
  PlanNode* plan_targets(Query& query, PlanNode* child, PlannedQuery& planned);
  PlanNode* plan_order(Query& query, PlanNode* child, PlannedQuery& planned);
  PlanNode* plan_set_operation(Query& query, PlannedQuery& planned);
  void plan_common_tables(Query& query);
  CommonTableState* plan_recursive(CommonTable& table);
  void set_output(Query& query, PlannedQuery& planned);

  // FROM.
  Input plan_from(const FromTree& tree, std::vector<Expr*>& conjuncts);
  Input plan_entry(RangeEntry& entry, std::vector<Expr*>& conjuncts);
  Input plan_join(const FromTree& tree, std::vector<Expr*>& conjuncts);
  Input join_looked_up(JoinKind kind, Input left, Input right, std::span<Expr* const> conditions);
  Input make_join(JoinKind kind, Input left, Input right, std::vector<Expr*> conditions);
  PlanNode* filter(PlanNode* child, std::span<Expr* const> conjuncts);
  Program* compile_all(std::span<Expr* const> conjuncts);

  // Tables (plan_table.cc).
  struct TableCondition;
  struct IndexChoice;
  /// Takes what an index answers out of `conjuncts`.
  PlanNode* plan_table(RangeEntry& entry, std::vector<Expr*>& conjuncts, double& rows);
  bool table_condition(const RangeEntry& entry, Expr& conjunct, TableCondition& condition);
  IndexChoice rate_index(const RangeEntry& entry, IndexDesc& index,
                         std::span<TableCondition> conditions, double tuples, double pages);
  int order_of_index(const RangeEntry& entry, const IndexDesc& index,
                     std::span<const TableCondition> conditions) const;
  bool join_by_index(const FromTree& right, const Input& left, std::vector<Expr*>& conditions,
                     Input& joined);
  void want_order(const Query& query);
  PlanNode* lock_rows(Query& query, PlanNode* child, Program* projection);
  Program* compile_recheck(const Query& query);

  // INSERT, UPDATE, DELETE (plan_modify.cc).
  PlannedQuery plan_modification(Query& query);
  class ModifyNode* plan_insert(Query& query);
  class ModifyNode* plan_update(Query& query);
  class ModifyNode* plan_delete(Query& query);
  void plan_conflict(Query& query, class InsertNode& node);
  static bool refers_only_to(const Expr& expr, std::span<const RangeEntry* const> entries);
  static bool refers_to(const RangeEntry& entry, std::span<const RangeEntry* const> entries);

  // Expressions.
  void emit(const Expr& expr, int out, Program& program);
  int emit_anywhere(const Expr& expr, Program& program);
  void emit_call(const Expr& expr, int out, Program& program);
  void emit_logic(const Expr& expr, int out, Program& program);
  void emit_case(const Expr& expr, int out, Program& program);
  void emit_coalesce(const Expr& expr, int out, Program& program);
  void emit_multiple(const Expr& expr, int out, Program& program);
  void emit_cast(const Expr& expr, int out, Program& program);
  void emit_sub_link(const Expr& expr, int out, Program& program);
  void emit_array_compare(const Expr& expr, int out, Program& program);
  void emit_grouping(const Expr& expr, int out, Program& program);
  CallSite* make_site(std::span<Expr* const> args, Program& program);
  void place_argument(const Expr& expr, int slot, Program& program);
  Step& add_step(Program& program, Op op, int out, int a = 0, int b = 0);
  void set_initial(int slot, Datum value, bool is_null) {
    initial_.push_back({slot, value, is_null});
  }
  CallSite* new_site(int first, size_t count);
  Program* new_program();

  template <typename Node, typename... Args>
  Node* make_node(Args&&... args) {
    auto node = std::make_unique<Node>(std::forward<Args>(args)...);
    Node* raw = node.get();
    (put_on(*raw, args), ...);
    ex_.nodes.push_back(std::move(node));
    return raw;
  }

  /// `node` calls what it was made from, if that is a node or a WITH query's rows.
  template <typename From>
  static void put_on(PlanNode& node, const From& from) {
    if constexpr (std::is_convertible_v<From, const PlanNode*>) {
      if (from != nullptr) node.depth = std::max(node.depth, from->depth + 1);
    } else if constexpr (std::is_convertible_v<From&, const CommonTableState&>) {
      if (from.plan != nullptr) node.depth = std::max(node.depth, from.plan->depth + 1);
    }
  }

  struct Initial {
    int slot;
    Datum value;
    bool is_null;
  };
  Execution& ex_;
  int slot_count_;
  std::vector<Initial> initial_;
  std::vector<CallSite*> sites_;
  std::vector<Replacement> replacements_;
  std::vector<const Expr*> group_exprs_;  ///< of the query being planned, for GROUPING()
  int grouping_slot_ = -1;
  uint32_t sub_plan_depth_ = 0;  ///< of the deepest sub-select so far in the query being planned
  /// ORDER BY of a query over one table, which an index may give it; empty: none wanted.
  struct WantedOrder {
    const RangeEntry* entry;
    int column;
    bool descending;
    bool nulls_first;
  };
  std::vector<WantedOrder> wanted_order_;
  double wanted_rows_ = -1;  ///< of LIMIT; -1: all
  bool has_order_ = false;   ///< the scan gives it
};

/// Notes in each table's entry which of its columns the query reads (RangeEntry::used).
void mark_used_columns(Query& query, Arena& arena);

}  // namespace cofork
