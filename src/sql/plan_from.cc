// FROM into scans and outer joins. Conditions go as far down as they can.
#include <algorithm>
#include <cmath>

#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/nodes_join.h"
#include "sql/nodes_scan.h"
#include "sql/plan_joins.h"
#include "sql/planner.h"
#include "sql/selectivity.h"

namespace cofork {
namespace {

void add_shape(const RangeEntry& entry, RowShape& shape) {
  static constexpr Oid kSystemTypes[kSystemColumns] = {type_oid::kTid, type_oid::kXid,
                                                       type_oid::kCid, type_oid::kXid,
                                                       type_oid::kCid, type_oid::kOid};
  int slot = entry.first_slot;
  size_t columns = entry.columns.size();
  bool is_table = entry.kind == RangeKind::kTable;
  for (size_t i = 0; i < columns; ++i, ++slot) {
    if (!is_table || entry.used[i]) shape.add(slot, find_type(entry.columns[i].type));
  }
  for (size_t i = 0; is_table && i < kSystemColumns; ++i, ++slot) {
    if (entry.used[columns + i]) shape.add(slot, find_type(kSystemTypes[i]));
  }
}

}  // namespace

namespace {

/// What a built-in view is taken to have: nobody counts its rows.
constexpr double kViewRows = 100;

/// Rows of a set-returning function: counted where its arguments tell
/// (generate_series_int4_support), or PostgreSQL's guess.
double rows_of_function(const Expr& call) {
  constexpr double kGuess = 1000;
  if (call.name != "generate_series" || call.args.size() < 2) return kGuess;
  double bounds[3] = {0, 0, 1};
  for (size_t i = 0; i < call.args.size() && i < 3; ++i) {
    const Expr& arg = *call.args[i];
    bool is_integer = arg.type == type_oid::kInt4 || arg.type == type_oid::kInt8;
    if (arg.kind != ExprKind::kConst || arg.is_null || !is_integer) return kGuess;
    bounds[i] = static_cast<double>(datum_to_int64(arg.value));
  }
  if (bounds[2] == 0) return kGuess;
  return std::max(1.0, std::floor((bounds[1] - bounds[0] + bounds[2]) / bounds[2]));
}

}  // namespace

bool Planner::refers_only_to(const Expr& expr, std::span<const RangeEntry* const> entries) {
  bool any = false, only = true;
  for_each_entry(expr, [&](const RangeEntry* entry) {
    any = true;
    only &= contains(entries, entry);
  });
  return any && only;
}

bool Planner::refers_to(const RangeEntry& entry, std::span<const RangeEntry* const> entries) {
  bool found = false;
  auto look = [&](const Expr& part, int) {
    found |= part.kind == ExprKind::kVar && contains(entries, part.entry);
    return !found;
  };
  for (const Expr* call : entry.functions) walk(call, 0, look);
  for (const auto& row : entry.rows) {
    for (const Expr* e : row) walk(e, 0, look);
  }
  if (entry.subquery != nullptr) walk_query(*entry.subquery, 1, look);
  return found;
}

Planner::Input Planner::plan_from(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  return with_stack([&] {
    if (tree.entry != nullptr) return plan_entry(*tree.entry, conjuncts);
    return plan_join(tree, conjuncts);
  });
}

PlanNode* Planner::plan_function(RangeEntry& entry) {
  auto* scan = make_node<FunctionScanNode>(entry, entry.functions[0]->name);
  int slot = entry.first_slot;
  double startup = 0, rows = 1;
  for (const Expr* call : entry.functions) {
    auto function = std::make_unique<SetFunction>();
    function->first_slot = slot;
    startup += cost_.of(call) + (call->kind == ExprKind::kSetCall ? cost_.per_operator() : 0);
    if (call->kind == ExprKind::kSetCall) {
      function->arguments = new_program();
      function->site = make_site(call->args, *function->arguments);
      function->site->call.function = call->function;
      function->site->call.arg_types = call->arg_types.data();
      function->site->call.result_type = call->type;
      function->columns = std::max<int>(1, static_cast<int>(call->function->columns.size()));
      rows = std::max(rows, rows_of_function(*call));
    } else {
      function->value = compile(*call);
    }
    slot += function->columns;
    scan->functions.push_back(std::move(function));
  }
  if (entry.ordinality) scan->ordinality_slot = slot;
  scan->estimate = {startup, startup + cost_.per_tuple() * rows, rows, 0};
  return scan;
}

Planner::Input Planner::plan_entry(RangeEntry& entry, std::vector<Expr*>& conjuncts) {
  Input input;
  input.entries.push_back(&entry);
  if (entry.kind == RangeKind::kSubquery) {
    PlannedQuery planned = plan_query(*entry.subquery);
    entry.first_slot = planned.first_output;
    input.node = planned.root;
  } else {
    size_t system = entry.kind == RangeKind::kTable ? kSystemColumns : 0;
    entry.first_slot = new_slots(entry.columns.size() + system);
  }
  std::vector<Expr*> own =
      take(conjuncts, [&](const Expr& e) { return refers_only_to(e, input.entries); });
  int width = 0;
  for (size_t i = 0; entry.kind != RangeKind::kTable && i < entry.columns.size(); ++i) {
    width += column_width(entry, static_cast<int>(i));
  }
  auto as_scan = [&](double rows, double per_row) {
    input.node->estimate = {0, rows * per_row, std::max(rows, 1.0), width};
  };
  switch (entry.kind) {
    case RangeKind::kView:
      input.node = make_node<ViewScanNode>(*entry.view, entry);
      as_scan(kViewRows, cost_.per_tuple());
      break;
    case RangeKind::kFunction:
      input.node = plan_function(entry);
      input.node->estimate.width = width;
      break;
    case RangeKind::kValues: {
      std::vector<Program*> rows;
      for (const auto& row : entry.rows) {
        rows.push_back(compile_into({row.begin(), row.size()}, entry.first_slot));
      }
      auto count = static_cast<double>(rows.size());
      input.node = make_node<ValuesNode>(entry, std::move(rows));
      as_scan(count, cost_.per_operator() + cost_.per_tuple());
      break;
    }
    case RangeKind::kCommonTable: {
      CommonTableState& table = *ex_.common_tables[static_cast<size_t>(entry.table->index)];
      if (entry.self_reference) {
        input.node = make_node<WorkTableScanNode>(table, entry);
        as_scan(table.first_rows * 10, 2 * cost_.per_tuple());
      } else {
        input.node = make_node<CommonTableScanNode>(table, entry);
        double rows = table.plan == nullptr ? table.first_rows * 10 : table.plan->estimate.rows;
        as_scan(rows, 2 * cost_.per_tuple());
      }
      break;
    }
    case RangeKind::kTable:
      input.node = build_path(entry, choose_path(entry, own, 1), own);
      own.clear();
      break;
    case RangeKind::kSubquery:
    case RangeKind::kSetResult:
      break;
  }
  add_shape(entry, input.shape);
  if (!own.empty()) {
    PlanEstimate e = input.node->estimate;
    e.total += cost_.of(own) * e.rows;
    e.rows = clamp_rows(e.rows * selectivity(std::span<Expr* const>(own), &entry));
    if (entry.kind == RangeKind::kSubquery) {
      input.node = make_node<SubqueryScanNode>(input.node, entry);
      input.node->estimate = e;
    }
    bool is_subquery = entry.kind == RangeKind::kSubquery;
    input.node = make_filter(input.node, own, is_subquery ? nullptr : &entry, e);
  }
  return input;
}

Planner::Input Planner::plan_join(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  if (tree.join == JoinKind::kInner) return plan_inner_joins(tree, conjuncts);
  return plan_outer_join(tree, conjuncts);
}

Planner::Input Planner::plan_outer_join(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  // A right join is a left join with its sides exchanged: the frame does not care.
  bool is_right = tree.join == JoinKind::kRight;
  const FromTree& left_tree = is_right ? *tree.right : *tree.left;
  const FromTree& right_tree = is_right ? *tree.left : *tree.right;
  JoinKind kind = is_right ? JoinKind::kLeft : tree.join;
  std::vector<const RangeEntry*> left_entries, right_entries;
  collect_entries(left_tree, left_entries);
  collect_entries(right_tree, right_entries);
  // The join makes its rows before WHERE looks at them, except that rows of the preserved side may
  // go before; a condition of ON that only the other side has a part in decides which of its rows
  // take part.
  std::vector<Expr*> on, for_left, for_right;
  add_conjuncts(tree.condition, on);
  if (kind == JoinKind::kLeft) {
    for_left = take(conjuncts, [&](const Expr& e) { return refers_only_to(e, left_entries); });
    for_right = take(on, [&](const Expr& e) { return refers_only_to(e, right_entries); });
    imply_constants(for_left, on, ex_.arena, [&](Expr* implied, size_t) {
      if (refers_only_to(*implied, right_entries)) for_right.push_back(implied);
    });
  }
  Input left = plan_from(left_tree, for_left);
  left.node = filter(left.node, for_left);
  std::vector<Expr*> right_conditions = for_right;
  Input right = plan_from(right_tree, for_right);
  right.node = filter(right.node, for_right);
  RangeEntry* table = right_tree.entry;
  if (table != nullptr && table->kind != RangeKind::kTable) table = nullptr;
  const PlanEstimate& l = left.estimate();
  const PlanEstimate& r = right.estimate();
  double rows = l.rows * r.rows * selectivity(std::span<Expr* const>(on), nullptr);
  rows = std::max(rows, l.rows);
  if (kind == JoinKind::kFull) rows = std::max(rows, r.rows);
  JoinChoice choice = choose_join(kind, l, left.entries, r, right.entries, on, table,
                                  right_conditions, clamp_rows(rows));
  return make_join(choice, std::move(left), std::move(right), std::move(on));
}

}  // namespace cofork
