// Set operations and WITH.
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

RowShape result_shape(RangeEntry& result) {
  RowShape shape;
  int slot = result.first_slot;
  for (const Column& column : result.columns) shape.add(slot++, find_type(column.type));
  return shape;
}

}  // namespace

PlanNode* Planner::plan_set_operation(Query& query, PlannedQuery&) {
  PlannedQuery left = plan_query(*query.left);
  PlannedQuery right = plan_query(*query.right);
  RangeEntry& result = *query.set_result;
  result.first_slot = new_slots(result.columns.size());
  auto* append = make_node<AppendNode>(
      left.root, right.root, copy_columns(new_program(), left.output, result.first_slot),
      copy_columns(new_program(), right.output, result.first_slot));
  if (query.operation == SetOperation::kUnion && query.all) return append;
  return make_node<SetOperationNode>(append, result_shape(result), query.operation, query.all);
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
  PlannedQuery recursive = plan_query(*query.right);
  state.plan = make_node<RecursiveUnionNode>(
      first.root, recursive.root, copy_columns(new_program(), first.output, result.first_slot),
      copy_columns(new_program(), recursive.output, result.first_slot), state.output, !query.all,
      state);
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
      plan_recursive(*table);
      continue;
    }
    PlannedQuery planned = plan_query(*table->query);
    state->plan = planned.root;
    state->output = planned.output;
  }
}

}  // namespace cofork
