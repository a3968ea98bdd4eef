// Set operations and WITH.
#include "model/stack.h"
#include "sql/nodes_group.h"
#include "sql/nodes_result.h"
#include "sql/nodes_scan.h"
#include "sql/planner.h"
#include "support/error.h"

namespace cofork {

namespace {

/// A program that copies one side's columns into the result's slots.
Program* copy_columns(Program* program, const RowShape& from, int to) {
  for (size_t i = 0; i < from.size(); ++i) {
    program->steps.push_back({Op::kCopy, to + static_cast<int>(i), from.slot(i), 0, {}});
  }
  return program;
}

/// Whether `query` is a union that gives `above`, the union it is part of, its rows just as they
/// are.
bool is_part_of(const Query& query, const Query& above) {
  if (above.operation != SetOperation::kUnion || query.operation != SetOperation::kUnion ||
      (above.all && !query.all) || query.limit != nullptr || query.offset != nullptr ||
      !query.order.empty() || !query.tables.empty() ||
      query.targets.size() != query.set_result->columns.size()) {
    return false;
  }
  for (size_t i = 0; i < query.targets.size(); ++i) {
    const Expr& column = *query.targets[i].expr;  // not when it was brought to a common type
    if (column.kind != ExprKind::kVar || column.entry != query.set_result ||
        column.column != static_cast<int>(i)) {
      return false;
    }
  }
  return true;
}

/// What a set operation is made of: its two sides, or all of a UNION b UNION c at once
/// (plan_union_children in prepunion.c), so that a thousand of them are no deeper than two.
std::vector<Query*> operands_of(const Query& query) {
  std::vector<Query*> operands;
  std::vector<Query*> pending = {query.right, query.left};
  while (!pending.empty()) {
    Query* next = pending.back();
    pending.pop_back();
    if (is_part_of(*next, query)) {
      pending.insert(pending.end(), {next->right, next->left});
    } else {
      operands.push_back(next);
    }
  }
  return operands;
}

RowShape result_shape(RangeEntry& result) {
  RowShape shape;
  int slot = result.first_slot;
  for (const Column& column : result.columns) shape.add(slot++, find_type(column.type));
  return shape;
}

}  // namespace

PlanNode* Planner::plan_set_operation(Query& query, PlannedQuery&) {
  RangeEntry& result = *query.set_result;
  std::vector<AppendNode::Side> sides;
  PlanEstimate all, first;
  for (Query* operand : operands_of(query)) {
    PlannedQuery planned = plan_query(*operand);
    const PlanEstimate& e = planned.root->estimate;
    if (sides.empty()) {
      result.first_slot = new_slots(result.columns.size());
      all = first = {e.startup, 0, 0, 0};
      first.rows = e.rows;
    }
    sides.push_back({planned.root, copy_columns(new_program(), planned.output, result.first_slot)});
    all.total += e.total;
    all.rows += e.rows;
    all.width = std::max(all.width, e.width);
  }
  all.total += all.rows * cost_.per_tuple() * 0.5;
  auto* append = make_node<AppendNode>(std::move(sides));
  append->estimate = all;
  if (query.operation == SetOperation::kUnion && query.all) return append;
  auto* node = make_node<SetOperationNode>(append, result_shape(result), query.operation, query.all,
                                           first_columns(query));
  // Nobody knows how many are equal: all rows of a union may differ, and an intersection or a
  // difference has at most those of the left side.
  double groups = query.operation == SetOperation::kUnion ? all.rows : first.rows;
  node->estimate = cost_.aggregate(all, true, result.columns.size(), groups, 0, 0);
  node->estimate.width = all.width;
  return node;
}

/// The columns of the leftmost query: what EXPLAIN calls the columns of a UNION.
std::span<const Expr* const> Planner::first_columns(const Query& query) {
  const Query* first = &query;
  while (first->left != nullptr) first = first->left;
  std::vector<const Expr*> exprs;
  for (const Target& target : first->targets) {
    if (!target.junk) exprs.push_back(target.expr);
  }
  return keep_const(exprs);
}

CommonTableState* Planner::plan_recursive(CommonTable& table) {
  Query& query = *table.query;
  // The recursive term's scans look the table up while they are planned.
  CommonTableState& state = *ex_.common_tables[static_cast<size_t>(table.index)];
  plan_common_tables(query);
  PlannedQuery first = plan_query(*query.left);
  RangeEntry& result = *query.set_result;
  result.first_slot = new_slots(result.columns.size());
  state.output = result_shape(result);
  state.first_rows = first.root->estimate.rows;
  PlannedQuery recursive = plan_query(*query.right);
  state.plan = make_node<RecursiveUnionNode>(
      first.root, recursive.root, copy_columns(new_program(), first.output, result.first_slot),
      copy_columns(new_program(), recursive.output, result.first_slot), state.output, !query.all,
      state);
  // Ten rounds (cost_recursive_union).
  const PlanEstimate& f = first.root->estimate;
  const PlanEstimate& more = recursive.root->estimate;
  double rows = f.rows + 10 * more.rows;
  state.plan->estimate = {f.startup, f.total + 10 * more.total + cost_.per_tuple() * rows, rows,
                          std::max(f.width, more.width)};
  return &state;
}

void Planner::plan_common_tables(Query& query) {
  for (CommonTable* table : query.tables) {
    // A table nobody reads is not even planned, as in PostgreSQL.
    table->index = -1;
    if (table->references == 0) continue;
    table->index = static_cast<int>(ex_.common_tables.size());
    ex_.owned_tables.push_back(std::make_unique<CommonTableState>());
    CommonTableState* state = ex_.owned_tables.back().get();
    ex_.common_tables.push_back(state);
    if (table->recursive) {
      with_stack([&] { plan_recursive(*table); });
      continue;
    }
    // Its sub-selects are computed below whoever reads it.
    uint32_t beside = std::exchange(sub_plan_depth_, 0);
    PlannedQuery planned = plan_query(*table->query);
    planned.root->depth += sub_plan_depth_;
    sub_plan_depth_ = std::max(beside, sub_plan_depth_);
    state->plan = planned.root;
    state->output = planned.output;
  }
}

}  // namespace cofork
