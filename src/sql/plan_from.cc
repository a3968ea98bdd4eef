// FROM into scans and joins. Conditions go as far down as they can; equalities between the two
// sides of a join make it a hash join.
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/nodes_join.h"
#include "sql/nodes_scan.h"
#include "sql/planner.h"
#include "support/error.h"

namespace cofork {
namespace {

/// The entries of this query level (or of queries within) that `expr` reads.
template <typename F>
void for_each_entry(const Expr& expr, F&& use) {
  walk(&expr, 0, [&](const Expr& part, int depth) {
    if (part.kind == ExprKind::kVar && part.levels_up == depth) use(part.entry);
    return true;
  });
}

bool contains(std::span<const RangeEntry* const> entries, const RangeEntry* entry) {
  return std::ranges::find(entries, entry) != entries.end();
}

/// Takes the conditions that `wanted` accepts out of `from`.
std::vector<Expr*> take(std::vector<Expr*>& from, auto&& wanted) {
  std::vector<Expr*> taken;
  std::erase_if(from, [&](Expr* e) {
    if (!wanted(*e)) return false;
    taken.push_back(e);
    return true;
  });
  return taken;
}

void add_conjuncts(Expr* condition, std::vector<Expr*>& to) {
  if (condition == nullptr) return;
  if (condition->kind == ExprKind::kAnd) {
    to.insert(to.end(), condition->args.begin(), condition->args.end());
  } else {
    to.push_back(condition);
  }
}

/// The type to hash when a = b joins: null when it cannot be hashed.
const BuiltinType* hash_type(Oid a, Oid b) {
  auto is_integer = [](Oid t) {
    return t == type_oid::kInt2 || t == type_oid::kInt4 || t == type_oid::kInt8;
  };
  // Integers of any width are the same word in a Datum.
  if (is_integer(a) && is_integer(b)) return find_type(type_oid::kInt8);
  if (a != b) return nullptr;
  const BuiltinType* type = find_type(a);
  return type != nullptr && type->hash != nullptr && type->compare != nullptr ? type : nullptr;
}

void collect_entries(const FromTree& tree, std::vector<const RangeEntry*>& entries) {
  if (tree.entry != nullptr) {
    entries.push_back(tree.entry);
    return;
  }
  with_stack([&] {
    collect_entries(*tree.left, entries);
    collect_entries(*tree.right, entries);
  });
}

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
  switch (entry.kind) {
    case RangeKind::kView:
      input.node = make_node<ViewScanNode>(*entry.view, entry.name, entry.first_slot);
      break;
    case RangeKind::kFunction: {
      std::string_view name = entry.functions[0]->name;
      auto* scan = make_node<FunctionScanNode>(entry.name, name);
      int slot = entry.first_slot;
      for (const Expr* call : entry.functions) {
        auto function = std::make_unique<SetFunction>();
        function->first_slot = slot;
        if (call->kind == ExprKind::kSetCall) {
          function->arguments = new_program();
          function->site = make_site(call->args, *function->arguments);
          function->site->call.function = call->function;
          function->site->call.arg_types = call->arg_types.data();
          function->site->call.result_type = call->type;
          function->columns = std::max<int>(1, static_cast<int>(call->function->columns.size()));
        } else {
          function->value = compile(*call);
        }
        slot += function->columns;
        scan->functions.push_back(std::move(function));
      }
      if (entry.ordinality) scan->ordinality_slot = slot;
      input.node = scan;
      break;
    }
    case RangeKind::kValues: {
      std::vector<Program*> rows;
      for (const auto& row : entry.rows) {
        rows.push_back(compile_into({row.begin(), row.size()}, entry.first_slot));
      }
      input.node = make_node<ValuesNode>(entry.name, std::move(rows));
      break;
    }
    case RangeKind::kCommonTable: {
      CommonTableState& table = *ex_.common_tables[static_cast<size_t>(entry.table->index)];
      if (entry.self_reference) {
        input.node = make_node<WorkTableScanNode>(table, entry.name, entry.first_slot);
      } else {
        input.node =
            make_node<CommonTableScanNode>(table, entry.table->name, entry.name, entry.first_slot);
      }
      break;
    }
    case RangeKind::kTable: {
      std::vector<Expr*> own =
          take(conjuncts, [&](const Expr& e) { return refers_only_to(e, input.entries); });
      input.node = filter(plan_table(entry, own, input.rows), own);
      break;
    }
    case RangeKind::kSubquery:
    case RangeKind::kSetResult:
      break;
  }
  add_shape(entry, input.shape);
  std::vector<Expr*> own =
      take(conjuncts, [&](const Expr& e) { return refers_only_to(e, input.entries); });
  input.node = filter(input.node, own);
  return input;
}

Planner::Input Planner::plan_join(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  std::vector<const RangeEntry*> left_entries, right_entries;
  collect_entries(*tree.left, left_entries);
  collect_entries(*tree.right, right_entries);
  auto only_left = [&](const Expr& e) { return refers_only_to(e, left_entries); };
  auto only_right = [&](const Expr& e) { return refers_only_to(e, right_entries); };

  // What decides which rows join. WHERE conditions help an inner join; an outer join must make its
  // rows first, except that rows of its preserved side may go before.
  std::vector<Expr*> on;
  add_conjuncts(tree.condition, on);
  std::vector<Expr*> for_left, for_right;
  switch (tree.join) {
    case JoinKind::kInner: {
      std::vector<const RangeEntry*> both = left_entries;
      both.insert(both.end(), right_entries.begin(), right_entries.end());
      for (Expr* e : take(conjuncts, [&](const Expr& c) { return refers_only_to(c, both); })) {
        on.push_back(e);
      }
      for_left = take(on, only_left);
      for_right = take(on, only_right);
      break;
    }
    case JoinKind::kLeft:
      for_left = take(conjuncts, only_left);
      for_right = take(on, only_right);
      break;
    case JoinKind::kRight:
      for_right = take(conjuncts, only_right);
      for_left = take(on, only_left);
      break;
    case JoinKind::kFull:
      break;
  }
  Input left = plan_from(*tree.left, for_left);
  left.node = filter(left.node, for_left);
  if (tree.join == JoinKind::kInner || tree.join == JoinKind::kLeft) {
    // Conditions that bind the right side to the left may lead to its rows by an index.
    std::vector<Expr*> all = for_right;
    all.insert(all.end(), on.begin(), on.end());
    Input right;
    if (join_by_index(*tree.right, left, all, right)) {
      add_shape(*tree.right->entry, right.shape);
      return join_looked_up(tree.join, std::move(left), std::move(right), all);
    }
  }
  Input right = plan_from(*tree.right, for_right);
  right.node = filter(right.node, for_right);
  // A right join is a left join with its sides exchanged: the frame does not care.
  if (tree.join == JoinKind::kRight) {
    return make_join(JoinKind::kLeft, std::move(right), std::move(left), std::move(on));
  }
  return make_join(tree.join, std::move(left), std::move(right), std::move(on));
}

Planner::Input Planner::join_looked_up(JoinKind kind, Input left, Input right,
                                       std::span<Expr* const> conditions) {
  Input joined;
  joined.entries = left.entries;
  joined.entries.insert(joined.entries.end(), right.entries.begin(), right.entries.end());
  joined.shape = left.shape;
  joined.shape.add(right.shape);
  joined.rows = std::max(1.0, left.rows * right.rows);
  Program* condition = conditions.empty() ? nullptr : compile_all(conditions);
  joined.node =
      make_node<NestedLoopNode>(kind, left.node, right.node, right.shape, condition, true);
  return joined;
}

Planner::Input Planner::make_join(JoinKind kind, Input left, Input right,
                                  std::vector<Expr*> conditions) {
  bool lateral = std::ranges::any_of(
      right.entries, [&](const RangeEntry* entry) { return refers_to(*entry, left.entries); });
  std::vector<Expr*> left_keys, right_keys;
  RowShape left_key, right_key;
  std::erase_if(conditions, [&](const Expr* e) {
    if (lateral || e->kind != ExprKind::kCall || e->name != "=" || e->args.size() != 2) {
      return false;
    }
    Expr* a = e->args[0];
    Expr* b = e->args[1];
    const BuiltinType* type = hash_type(a->type, b->type);
    if (type == nullptr) return false;
    if (refers_only_to(*b, left.entries)) std::swap(a, b);
    if (!refers_only_to(*a, left.entries) || !refers_only_to(*b, right.entries)) return false;
    left_keys.push_back(a);
    right_keys.push_back(b);
    left_key.add(-1, type);
    return true;
  });
  Input joined;
  joined.entries = left.entries;
  joined.entries.insert(joined.entries.end(), right.entries.begin(), right.entries.end());
  joined.shape = left.shape;
  joined.shape.add(right.shape);
  joined.rows = std::max(left.rows, right.rows);
  Program* condition = conditions.empty() ? nullptr : compile_all(conditions);
  if (left_keys.empty()) {
    if (kind == JoinKind::kFull) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "FULL JOIN is only supported with merge-joinable or hash-joinable join "
                  "conditions");
    }
    PlanNode* inner = lateral ? right.node : make_node<MaterializeNode>(right.node, right.shape);
    joined.node =
        make_node<NestedLoopNode>(kind, left.node, inner, right.shape, condition, lateral);
    return joined;
  }
  auto* join =
      make_node<HashJoinNode>(kind, left.node, right.node, left.shape, right.shape, condition);
  int left_first = new_slots(left_keys.size());
  int right_first = new_slots(right_keys.size());
  join->left_keys = compile_into(left_keys, left_first);
  join->right_keys = compile_into(right_keys, right_first);
  for (size_t i = 0; i < left_keys.size(); ++i) {
    join->left_key.add(left_first + static_cast<int>(i), left_key.type(i));
    join->right_key.add(right_first + static_cast<int>(i), left_key.type(i));
  }
  joined.node = join;
  return joined;
}

}  // namespace cofork
