// Windows: each one sorts its input by its own keys and adds its functions' results to the rows
// (create_window_paths in planner.c).
//
//   input → keys and arguments computed → Sort → WindowNode ─► the next window's input
#include <algorithm>

#include "sql/analyze.h"
#include "sql/nodes_result.h"
#include "sql/nodes_window.h"
#include "sql/planner.h"
#include "sql/selectivity.h"

namespace cofork {
namespace {

/// The calls over `window` in the select list, each once.
std::vector<Expr*> calls_over(const Query& query, const Window& window) {
  std::vector<Expr*> calls;
  for (const Target& target : query.targets) {
    walk(target.expr, 0, [&](const Expr& part, int depth) {
      if (depth == 0 && part.kind == ExprKind::kWindow && part.window == &window) {
        calls.push_back(const_cast<Expr*>(&part));
      }
      return depth == 0;
    });
  }
  return calls;
}

/// Number of a sort expression, in the order in which they are met (tleSortGroupRef).
int key_number(const Expr* expr, std::vector<const Expr*>& known) {
  auto at = std::ranges::find_if(known, [&](const Expr* e) { return same_expr(e, expr); });
  if (at == known.end()) {
    known.push_back(expr);
    return static_cast<int>(known.size());
  }
  return static_cast<int>(at - known.begin()) + 1;
}

/// In PostgreSQL's order, which shows in the order of the rows: a window whose keys begin with
/// another's goes first, so that the other finds its input sorted (select_active_windows).
std::vector<Window*> ordered_windows(const Query& query) {
  struct Item {
    Window* window;
    std::vector<int> keys;
  };
  std::vector<Item> items;
  std::vector<const Expr*> known;
  for (Window* window : query.windows) {
    for (const SortKey& key : window->order) key_number(key.expr, known);
    Item item{window, {}};
    for (const SortKey& key : window->partition) {
      item.keys.push_back(key_number(key.expr, known));
    }
    for (const SortKey& key : window->order) item.keys.push_back(key_number(key.expr, known));
    items.push_back(std::move(item));
  }
  std::ranges::stable_sort(items, [](const Item& a, const Item& b) {
    size_t common = std::min(a.keys.size(), b.keys.size());
    for (size_t i = 0; i < common; ++i) {
      if (a.keys[i] != b.keys[i]) return a.keys[i] > b.keys[i];
    }
    return a.keys.size() > b.keys.size();
  });
  std::vector<Window*> windows;
  for (const Item& item : items) windows.push_back(item.window);
  return windows;
}

}  // namespace

PlanNode* Planner::plan_windows(Query& query, PlanNode* child, const RowShape& input,
                                bool is_sorted) {
  RowShape row = input;
  for (Window* window : ordered_windows(query)) {
    std::vector<Expr*> calls = calls_over(query, *window);
    if (calls.empty()) continue;
    child = plan_window(*window, calls, child, row, is_sorted);
    for (const Expr* call : calls) row.add(call->slot, find_type(call->type));
  }
  return child;
}

PlanNode* Planner::plan_window(Window& window, std::span<Expr* const> calls, PlanNode* child,
                               const RowShape& input, bool is_sorted) {
  RowShape row = input;
  Program* computed = new_program();
  auto add_column = [&](const Expr& expr) {
    int slot = new_slots(1);
    emit(expr, slot, *computed);
    row.add(slot, find_type(expr.type));
    return row.size() - 1;
  };
  std::vector<SortNode::Key> sort_keys;
  std::vector<size_t> partition, order;
  for (const SortKey& key : window.partition) {
    partition.push_back(add_column(*key.expr));
    sort_keys.push_back({partition.back(), false, false, key.expr});
  }
  for (const SortKey& key : window.order) {
    order.push_back(add_column(*key.expr));
    sort_keys.push_back({order.back(), key.descending, key.nulls_first, key.expr});
  }
  std::vector<size_t> first_arguments;
  for (const Expr* call : calls) {
    first_arguments.push_back(row.size());
    if (call->aggregate == nullptr) {
      for (const Expr* arg : call->args) add_column(*arg);
    }
  }
  size_t range_key = 0, range_start = 0, range_end = 0;
  if (window.range_key != nullptr) {
    range_key = add_column(*window.range_key);
    if (window.range_start != nullptr) range_start = add_column(*window.range_start);
    if (window.range_end != nullptr) range_end = add_column(*window.range_end);
  }
  PlanEstimate estimate = child->estimate;
  child = make_node<ProjectNode>(child, computed, std::span<const Expr* const>());
  child->estimate = estimate;
  if (!sort_keys.empty() && !is_sorted) {
    estimate = cost_.sort(estimate, sort_keys.size(), -1);
    child = make_node<SortNode>(child, row, std::move(sort_keys));
    child->estimate = estimate;
  }

  auto* node = make_node<WindowNode>(child, window, row);
  // cost_windowagg: each function once a row, and the columns compared with the row before.
  size_t compared = window.partition.size() + window.order.size();
  estimate.total +=
      estimate.rows * (cost_.per_tuple() + cost_.per_operator() * static_cast<double>(compared));
  for (const Expr* call : calls) {
    estimate.total +=
        estimate.rows * (cost_.per_operator() + cost_.of(std::span<Expr* const>(call->args)));
    estimate.width += type_width(call->type, call->typmod);
  }
  node->estimate = estimate;
  node->partition_columns = std::move(partition);
  node->order_columns = std::move(order);
  if (window.start_offset != nullptr) node->start_offset = compile(*window.start_offset);
  if (window.end_offset != nullptr) node->end_offset = compile(*window.end_offset);
  if (window.range_key != nullptr) {
    const Expr* offset = window.start_offset != nullptr ? window.start_offset : window.end_offset;
    node->range_type = find_type(window.range_key->type);
    node->offset_type = find_type(offset->type);
    node->range_key = range_key;
    node->range_start = range_start;
    node->range_end = range_end;
    node->range_descending = window.order[0].descending;
    node->range_nulls_first = window.order[0].nulls_first;
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    Expr* expr = calls[i];
    WindowCall call;
    call.expr = expr;
    call.result_slot = expr->slot = new_slots(1);
    call.first_argument = first_arguments[i];
    if (expr->aggregate != nullptr) call.aggregate = build_aggregate(*expr, call.result_slot);
    node->calls.push_back(std::move(call));
  }
  return node;
}

}  // namespace cofork
