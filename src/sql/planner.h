// Planner: turns a Query into an Execution — gives out slots, compiles expressions, chooses nodes.
//
// A query becomes this pipeline, each part only when it is needed:
//   FROM (scans, joins, with WHERE pushed down) → WHERE → groups → HAVING → windows →
//   select list → DISTINCT → ORDER BY → LIMIT
//
//   planner.cc        queries      plan_from.cc     FROM and outer joins
//   plan_table.cc     tables       plan_joins.cc    the order of inner joins
//   cost.h            what a node costs             selectivity.h   how many rows it gives
//   plan_sets.cc      UNION …, WITH                plan_windows.cc  windows
//   compile_expr.cc   expressions, as ExecInitExprRec in execExpr.c
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "access/btree_scan.h"
#include "catalog/relation_cache.h"
#include "sql/cost.h"
#include "sql/exec.h"
#include "sql/explain_measure.h"
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
    const PlanEstimate& estimate() const { return node->estimate; }
  };

  // Queries.
  PlannedQuery plan_select(Query& query);
  /// `shape` becomes what stands for a group: its keys and its aggregates.
  PlanNode* plan_aggregates(Query& query, PlanNode* child, RowShape& shape);
  void estimate_aggregates(class AggregateNode& node, const PlanEstimate& input,
                           std::span<Expr* const> aggregates);
  AggregateCall build_aggregate(const Expr& expr, int result_slot);
  PlanNode* plan_windows(Query& query, PlanNode* child, const RowShape& input, bool is_sorted);
  PlanNode* plan_window(Window& window, std::span<Expr* const> calls, PlanNode* child,
                        const RowShape& input, bool is_sorted);
  PlanNode* plan_targets(Query& query, PlanNode* child, PlannedQuery& planned);
  PlanNode* plan_order(Query& query, PlanNode* child, PlannedQuery& planned);
  PlanNode* plan_set_operation(Query& query, PlannedQuery& planned);
  std::span<const Expr* const> first_columns(const Query& query);
  void plan_common_tables(Query& query);
  CommonTableState* plan_recursive(CommonTable& table);
  void set_output(Query& query, PlannedQuery& planned);

  // FROM.
  struct JoinChoice;
  struct JoinSearch;
  Input plan_from(const FromTree& tree, std::vector<Expr*>& conjuncts);
  Input plan_entry(RangeEntry& entry, std::vector<Expr*>& conjuncts);
  PlanNode* plan_function(RangeEntry& entry);
  Input plan_join(const FromTree& tree, std::vector<Expr*>& conjuncts);
  Input plan_outer_join(const FromTree& tree, std::vector<Expr*>& conjuncts);
  /// Inner joins in any order: whichever is cheapest.
  Input plan_inner_joins(const FromTree& tree, std::vector<Expr*>& conjuncts);
  void search_joins(JoinSearch& search);
  Input build_joins(JoinSearch& search, uint32_t set);
  /// How to join the two, and what that costs. `right`: its node, estimate and entries.
  JoinChoice choose_join(JoinKind kind, const PlanEstimate& left_estimate,
                         std::span<const RangeEntry* const> left_entries,
                         const PlanEstimate& right_estimate,
                         std::span<const RangeEntry* const> right_entries,
                         std::span<Expr* const> conditions, RangeEntry* right_table,
                         std::span<Expr* const> right_conditions, double rows);
  Input make_join(const JoinChoice& choice, Input left, Input right, std::vector<Expr*> conditions);
  void set_hash_keys(class HashJoinNode& join, std::span<Expr* const> left,
                     std::span<Expr* const> right, std::span<const BuiltinType* const> types);
  // Sub-selects as joins (plan_semi.cc).
  struct SemiJoin;
  bool split_exists(Query& query, SemiJoin& join);
  bool is_cheaper_by_row(Query& query, const PlanEstimate& outer, const PlanEstimate& hashed);
  bool join_sub_link(Expr& condition, Input& from);
  /// Joins those that can be joined, and takes them out of `conjuncts`.
  void join_sub_links(Input& from, std::vector<Expr*>& conjuncts);
  /// Plans FROM, with WHERE's conditions; those left in `conjuncts` are still to be tested.
  Input plan_from_where(const FromTree& tree, std::vector<Expr*>& conjuncts);
  PlanNode* filter(PlanNode* child, std::span<Expr* const> conjuncts);
  PlanNode* make_filter(PlanNode* child, std::span<Expr* const> conjuncts, const RangeEntry* scan,
                        const PlanEstimate& estimate);
  Program* compile_all(std::span<Expr* const> conjuncts);
  /// A copy that lives as long as the execution.
  std::span<Expr* const> keep(std::span<Expr* const> exprs);
  std::span<const Expr* const> keep_const(std::span<const Expr* const> exprs);

  // Tables (plan_table.cc).
  struct TableSize {
    double tuples = 0;
    double pages = 0;
    double all_visible = 0;  ///< part of the pages
  };
  /// A conjunct of the form an index can answer.
  struct TableCondition {
    Expr* conjunct = nullptr;
    int column = 0;  ///< of the table, from 0
    BtreeStrategy strategy = BtreeStrategy::kEqual;
    BtreeCondition::Kind kind = BtreeCondition::Kind::kValue;
    Expr* value = nullptr;
    int (*compare)(Datum, Datum) = nullptr;
    double elements = 1;  ///< of = ANY
  };
  /// A way to read a table.
  struct TablePath {
    enum class Kind : uint8_t { kSequential, kIndex, kIndexOnly, kBitmap };
    Kind kind = Kind::kSequential;
    IndexDesc* index = nullptr;
    std::vector<std::pair<int, size_t>> keys;  ///< column of the index, number of the condition
    std::vector<TableCondition> conditions;    ///< those of `keys`
    int order = 0;                             ///< 1 or -1: gives the wanted order, going that way
    PlanEstimate estimate;                     ///< with all conditions tested
    PlanEstimate bitmap;                       ///< of the index part of kBitmap
  };
  void estimate_size(RangeEntry& entry, TableSize& size);
  /// The cheapest way, for a scan that is repeated `loops` times.
  TablePath choose_path(RangeEntry& entry, std::span<Expr* const> conjuncts, double loops);
  /// Takes what an index answers out of `conjuncts`, and tests the others.
  PlanNode* build_path(RangeEntry& entry, const TablePath& path, std::vector<Expr*>& conjuncts);
  bool table_condition(const RangeEntry& entry, Expr& conjunct, TableCondition& condition);
  bool rate_index(const RangeEntry& entry, IndexDesc& index, std::span<TableCondition> conditions,
                  const TableSize& size, double loops, TablePath& path, IndexAccess& access);
  bool covers(const RangeEntry& entry, const IndexDesc& index) const;
  double seen_cost(const TablePath& path, double loops) const;
  int order_of_index(const RangeEntry& entry, const IndexDesc& index,
                     std::span<const TableCondition> conditions) const;
  void want_order(const Query& query);
  void want_window_order(const Query& query);
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
    std::unique_ptr<Node> node;
    if (ex_.is_measured) {
      node = std::make_unique<Measured<Node>>(std::forward<Args>(args)...);
      ex_.measurements.push_back(std::make_unique<Measurement>());
      node->measurement = ex_.measurements.back().get();
    } else {
      node = std::make_unique<Node>(std::forward<Args>(args)...);
    }
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
  const CostModel cost_;
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
