// INSERT, UPDATE and DELETE into plans (create_modifytable_plan in createplan.c, 15).
#include <algorithm>

#include "sql/analyze.h"
#include "sql/nodes_modify.h"
#include "sql/nodes_result.h"
#include "sql/planner.h"

namespace cofork {
namespace {

std::vector<Expr*> conjuncts_of(Expr* where) {
  std::vector<Expr*> conjuncts;
  if (where == nullptr) return conjuncts;
  if (where->kind == ExprKind::kAnd) {
    conjuncts.assign(where->args.begin(), where->args.end());
  } else {
    conjuncts.push_back(where);
  }
  return conjuncts;
}

}  // namespace

int Planner::place_row(const Modification& modification) {
  RangeEntry& row = *modification.row;
  row.first_slot = new_slots(row.columns.size() + kSystemColumns);
  return row.first_slot;
}

Program* Planner::compile_targets(const List<Target>& targets, int first_slot) {
  Program* program = new_program();
  for (const Target& target : targets) {
    emit(*target.expr, first_slot + target.table_column - 1, *program);
  }
  return program;
}

PlannedQuery Planner::plan_modification(Query& query) {
  PlannedQuery planned;
  const Modification& modification = *query.modification;
  ModifyNode* node = query.command == CommandKind::kInsert   ? plan_insert(query)
                     : query.command == CommandKind::kUpdate ? plan_update(query)
                                                             : plan_delete(query);
  put_on(*node, node->child);
  planned.first_output = new_slots(modification.returning.size());
  if (!modification.returning.empty()) {
    node->returning = new_program();
    int slot = planned.first_output;
    for (const Target& target : modification.returning) {
      planned.output.add(slot, find_type(target.expr->type));
      emit(*target.expr, slot++, *node->returning);
    }
  }
  planned.all_targets = planned.output;
  // Rows come out with RETURNING only.
  node->estimate = node->child->estimate;
  if (modification.returning.empty()) node->estimate.rows = node->estimate.width = 0;
  planned.root = node;
  return planned;
}

ModifyNode* Planner::plan_insert(Query& query) {
  const Modification& modification = *query.modification;
  std::vector<Expr*> none;
  PlanNode* child = nullptr;
  if (query.from == nullptr) {
    child = make_node<ResultNode>();
    child->estimate = {0, cost_.per_tuple(), 1, 0};
  } else {
    child = plan_from(*query.from, none).node;
  }
  int slot = place_row(modification);
  auto* node = make_node<InsertNode>(*this, modification);
  node->child = child;
  node->row = new_program();
  bool overwritten = modification.conflict != nullptr;
  for (const Target& target : query.targets) {
    if (overwritten) {
      emit(*target.expr, slot++, *node->row);
    } else {
      place_argument(*target.expr, slot++, *node->row);
    }
  }
  if (modification.conflict != nullptr) plan_conflict(query, *node);
  return node;
}

void Planner::plan_conflict(Query& query, InsertNode& node) {
  const ConflictAction& conflict = *query.modification->conflict;
  if (!conflict.updates) return;
  RangeEntry& existing = *conflict.existing;
  existing.first_slot = new_slots(existing.columns.size() + kSystemColumns);
  node.existing.emplace(*query.modification->relation, existing);
  if (conflict.where != nullptr) node.conflict_where = compile(*conflict.where);
  node.conflict_row = new_program();
  for (const Target& target : conflict.assignments) {
    int slot = new_slots(1);
    emit(*target.expr, slot, *node.conflict_row);
    node.assigned.emplace_back(target.table_column - 1, slot);
  }
}

ModifyNode* Planner::plan_update(Query& query) {
  const Modification& modification = *query.modification;
  std::vector<Expr*> conjuncts = conjuncts_of(query.where);
  PlanNode* child = plan_from_where(*query.from, conjuncts).node;
  child = filter(child, conjuncts);
  int slot = place_row(modification);
  auto* node = make_node<UpdateNode>(*this, modification);
  node->child = child;
  node->recheck = compile_recheck(query);
  node->assignments = new_program();
  std::vector<bool> is_assigned(modification.row->columns.size());
  for (const Target& target : query.targets) {
    int column = target.table_column - 1;
    emit(*target.expr, slot + column, *node->assignments);
    is_assigned[static_cast<size_t>(column)] = true;
  }
  for (size_t i = 0; i < is_assigned.size(); ++i) {
    if (!is_assigned[i]) node->copied.push_back(static_cast<int>(i));
  }
  return node;
}

ModifyNode* Planner::plan_delete(Query& query) {
  std::vector<Expr*> conjuncts = conjuncts_of(query.where);
  PlanNode* child = plan_from_where(*query.from, conjuncts).node;
  child = filter(child, conjuncts);
  auto* node = make_node<DeleteNode>(*query.modification);
  node->child = child;
  node->recheck = compile_recheck(query);
  return node;
}

}  // namespace cofork
