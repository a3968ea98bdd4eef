// Queries into plans: see planner.h.
#include "sql/planner.h"

#include <algorithm>
#include <cmath>

#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/fold.h"
#include "sql/nodes_group.h"
#include "sql/nodes_join.h"
#include "sql/nodes_result.h"
#include "sql/nodes_scan.h"
#include "sql/selectivity.h"
#include "support/error.h"

namespace cofork {

std::unique_ptr<Execution> plan_statement(Query& query, Arena& arena,
                                          std::span<const Oid> parameters, Task& task,
                                          const EvalContext& context, bool is_measured) {
  fold_constants(query, arena, task, context);
  mark_used_columns(query, arena);
  auto execution = std::make_unique<Execution>(task, context);
  execution->context.arena = &execution->arena;
  execution->is_measured = is_measured;
  Planner planner(*execution, parameters.size());
  PlannedQuery planned = planner.plan_query(query);
  execution->root = planned.root;
  execution->first_output = planned.first_output;
  execution->output_count = planned.output.size();
  execution->stack_bytes = planner.stack_bytes(*planned.root);
  planner.finish();
  return execution;
}

size_t Planner::stack_bytes(const PlanNode& root) const {
  // Measured: a sub-select in an expression takes 350 bytes a level, which are two nodes and a
  // program; a join 150. Plans of everyday depth live on what every stack has in reserve.
  constexpr size_t kBytesPerNode = 192;
  constexpr size_t kEverydayBytes = size_t{8} << 10;
  size_t bytes = (root.depth + sub_plan_depth_) * kBytesPerNode;
  return bytes > kEverydayBytes ? bytes : 0;
}

PlannedQuery Planner::plan_query(Query& query) {
  return with_stack([&] {
    // Sub-queries have groups and replacements of their own.
    std::vector<Replacement> outer = std::exchange(replacements_, {});
    std::vector<const Expr*> outer_groups = std::exchange(group_exprs_, {});
    int outer_slot = std::exchange(grouping_slot_, -1);
    plan_common_tables(query);
    PlannedQuery planned = plan_select(query);
    if (!query.tables.empty()) {
      std::vector<WithNode::Table> tables;
      for (CommonTable* table : query.tables) {
        if (table->index < 0) continue;
        tables.push_back({table->name, ex_.common_tables[static_cast<size_t>(table->index)]});
      }
      PlanEstimate estimate = planned.root->estimate;
      planned.root = make_node<WithNode>(planned.root, std::move(tables));
      planned.root->estimate = estimate;
    }
    replacements_ = std::move(outer);
    group_exprs_ = std::move(outer_groups);
    grouping_slot_ = outer_slot;
    return planned;
  });
}

void Planner::set_output(Query& query, PlannedQuery& planned) {
  // Columns others see come first, so that they are consecutive.
  planned.first_output = new_slots(query.targets.size());
  int slot = planned.first_output;
  for (const Target& target : query.targets) {
    if (!target.junk) planned.output.add(slot++, find_type(target.expr->type));
  }
  planned.all_targets = planned.output;
  for (const Target& target : query.targets) {
    if (target.junk) planned.all_targets.add(slot++, find_type(target.expr->type));
  }
}

std::span<const Expr* const> Planner::keep_const(std::span<const Expr* const> exprs) {
  const Expr** copy = ex_.arena.make_array<const Expr*>(exprs.size());
  std::ranges::copy(exprs, copy);
  return {copy, exprs.size()};
}

namespace {

int target_width(const Expr& e) {
  bool is_column = e.kind == ExprKind::kVar && e.column < static_cast<int>(e.entry->columns.size());
  return is_column ? column_width(*e.entry, e.column) : type_width(e.type, e.typmod);
}

/// How many rows LIMIT and OFFSET let a sort give; -1: all.
double limited_rows(const Query& query) {
  if (query.limit == nullptr || query.limit->kind != ExprKind::kConst || query.limit->is_null) {
    return -1;
  }
  auto rows = static_cast<double>(datum_to_int64(query.limit->value));
  if (query.offset == nullptr) return rows;
  if (query.offset->kind != ExprKind::kConst || query.offset->is_null) return -1;
  return rows + static_cast<double>(datum_to_int64(query.offset->value));
}

/// Position of target `index` in PlannedQuery::all_targets.
size_t target_position(const Query& query, int index) {
  size_t before = 0, visible = 0;
  bool junk = query.targets[static_cast<size_t>(index)].junk;
  for (size_t i = 0; i < query.targets.size(); ++i) {
    if (!query.targets[i].junk) ++visible;
    if (static_cast<int>(i) < index && query.targets[i].junk == junk) ++before;
  }
  return junk ? visible + before : before;
}

bool is_grouped(const Query& query) {
  return query.has_aggregates || !query.group.empty() || query.having != nullptr ||
         !query.grouping_sets.empty();
}

}  // namespace

PlannedQuery Planner::plan_select(Query& query) {
  if (query.command != CommandKind::kSelect) return plan_modification(query);
  PlannedQuery planned;
  PlanNode* node = nullptr;
  if (query.operation != SetOperation::kNone) {
    node = plan_set_operation(query, planned);
  } else {
    std::vector<Expr*> conjuncts;
    if (query.where != nullptr) {
      if (query.where->kind == ExprKind::kAnd) {
        conjuncts.assign(query.where->args.begin(), query.where->args.end());
      } else {
        conjuncts.push_back(query.where);
      }
    }
    RowShape input;
    bool has_order = false;
    if (query.from != nullptr) {
      if (!is_grouped(query)) want_order(query);
      Input from = plan_from_where(*query.from, conjuncts);
      has_order = std::exchange(has_order_, false);
      wanted_order_.clear();
      wanted_rows_ = -1;
      node = from.node;
      input = from.shape;
    } else {
      node = make_node<ResultNode>();
      node->estimate = {0, cost_.per_tuple(), 1, 0};
    }
    node = filter(node, conjuncts);
    if (is_grouped(query)) node = plan_aggregates(query, node, input);
    if (query.having != nullptr) {
      std::vector<Expr*> having;
      if (query.having->kind == ExprKind::kAnd) {
        having.assign(query.having->args.begin(), query.having->args.end());
      } else {
        having.push_back(query.having);
      }
      node = filter(node, having);
    }
    if (query.has_windows) node = plan_windows(query, node, input, std::exchange(has_order, false));
    planned.is_sorted = has_order;
    // Rows are locked as they come out, so after a sort: that must then keep where they are.
    if (query.locks_rows && (query.order.empty() || has_order)) {
      node = lock_rows(query, node, nullptr);
    } else if (query.locks_rows) {
      planned.locked_after_sort = input;
    }
  }
  node = plan_targets(query, node, planned);
  planned.root = plan_order(query, node, planned);
  return planned;
}

std::span<Expr* const> Planner::keep(std::span<Expr* const> exprs) {
  Expr** copy = ex_.arena.make_array<Expr*>(exprs.size());
  std::ranges::copy(exprs, copy);
  return {copy, exprs.size()};
}

PlanNode* Planner::make_filter(PlanNode* child, std::span<Expr* const> conjuncts,
                               const RangeEntry* scan, const PlanEstimate& estimate) {
  auto* node = make_node<FilterNode>(child, compile_all(conjuncts), keep(conjuncts), scan);
  node->estimate = estimate;
  return node;
}

namespace {

/// The same for every row, and known before the first (pseudoconstant).
bool is_the_same_for_all(const Expr& condition) {
  bool same = true;
  walk(&condition, 0, [&](const Expr& part, int) {
    switch (part.kind) {
      case ExprKind::kVar:
      case ExprKind::kSubLink:
      case ExprKind::kAggregate:
      case ExprKind::kGrouping:
      case ExprKind::kWindow:
      case ExprKind::kSetCall:
      case ExprKind::kCaseValue:
        same = false;
        break;
      default:
        same &= part.function == nullptr || part.function->volatility != Volatility::kVolatile;
    }
    return same;
  });
  return same;
}

}  // namespace

PlanNode* Planner::filter(PlanNode* child, std::span<Expr* const> conjuncts) {
  if (conjuncts.empty()) return child;
  std::vector<Expr*> of_rows, of_all;
  for (Expr* e : conjuncts) (is_the_same_for_all(*e) ? of_all : of_rows).push_back(e);
  PlanEstimate estimate = child->estimate;
  if (!of_rows.empty()) {
    estimate.total += cost_.of(std::span<Expr* const>(of_rows)) * estimate.rows;
    estimate.rows =
        clamp_rows(estimate.rows * selectivity(std::span<Expr* const>(of_rows), nullptr));
    child = make_filter(child, of_rows, nullptr, estimate);
  }
  if (of_all.empty()) return child;
  bool never = std::ranges::any_of(of_all, [](const Expr* e) {
    return e->kind == ExprKind::kConst && (e->is_null || !datum_to_bool(e->value));
  });
  auto* gate = make_node<GateNode>(never ? nullptr : child, never ? nullptr : compile_all(of_all),
                                   keep(of_all));
  gate->estimate = never ? PlanEstimate{0, 0, 0, estimate.width} : estimate;
  return gate;
}

Program* Planner::compile_all(std::span<Expr* const> conjuncts) {
  if (conjuncts.size() == 1) return compile(*conjuncts[0]);
  Expr* all = ex_.arena.make<Expr>();
  all->kind = ExprKind::kAnd;
  all->type = type_oid::kBool;
  Expr** args = ex_.arena.make_array<Expr*>(conjuncts.size());
  std::copy(conjuncts.begin(), conjuncts.end(), args);
  all->args = {args, conjuncts.size()};
  return compile(*all);
}

// --- select list, order, limit

PlanNode* Planner::plan_targets(Query& query, PlanNode* child, PlannedQuery& planned) {
  set_output(query, planned);
  if (query.has_set_calls) {
    auto* set = make_node<ProjectSetNode>(child);
    for (const Target& target : query.targets) {
      walk(target.expr, 0, [&](const Expr& part, int depth) {
        if (depth > 0) return false;
        if (part.kind != ExprKind::kSetCall) return true;
        auto function = std::make_unique<SetFunction>();
        function->arguments = new_program();
        function->site = make_site(part.args, *function->arguments);
        function->site->call.function = part.function;
        function->site->call.arg_types = part.arg_types.data();
        function->site->call.result_type = part.type;
        function->columns = std::max<int>(1, static_cast<int>(part.function->columns.size()));
        function->first_slot = new_slots(static_cast<size_t>(function->columns));
        const_cast<Expr&>(part).slot = function->first_slot;
        if (function->columns > 1) {
          throw Error(sqlstate::kFeatureNotSupported,
                      "set-returning functions with several columns are only supported in FROM");
        }
        for (const Expr* arg : part.args) {
          walk(arg, 0, [](const Expr& inner, int) {
            if (inner.kind == ExprKind::kSetCall) {
              throw Error(sqlstate::kFeatureNotSupported,
                          "nested set-returning functions are not supported");
            }
            return true;
          });
        }
        set->functions.push_back(std::move(function));
        return false;
      });
    }
    set->estimate = child->estimate;
    set->estimate.total += child->estimate.rows * cost_.per_tuple();
    set->estimate.rows *= 1000;  // of each function, as nothing else is known
    child = set;
  }
  Program* program = new_program();
  int visible = planned.first_output;
  int junk = planned.first_output + static_cast<int>(planned.output.size());
  for (const Target& target : query.targets) {
    emit(*target.expr, target.junk ? junk++ : visible++, *program);
  }
  planned.projection = program;
  std::vector<const Expr*> exprs;
  PlanEstimate estimate = child->estimate;
  estimate.width = 0;
  for (const Target& target : query.targets) {
    exprs.push_back(target.expr);
    estimate.total += cost_.of(target.expr) * estimate.rows;
    estimate.width += target_width(*target.expr);
  }
  auto* node = make_node<ProjectNode>(child, program, keep_const(exprs));
  node->estimate = estimate;
  return node;
}

PlanNode* Planner::plan_order(Query& query, PlanNode* node, PlannedQuery& planned) {
  if (query.distinct) {
    std::vector<const Expr*> exprs;
    for (const Target& target : query.targets) {
      if (!target.junk) exprs.push_back(target.expr);
    }
    PlanEstimate input = node->estimate;
    node = make_node<DistinctNode>(node, planned.output, keep_const(exprs));
    node->estimate =
        cost_.aggregate(input, true, exprs.size(), estimate_groups(exprs, input.rows), 0, 0);
    node->estimate.width = input.width;
  }
  std::vector<SortNode::Key> keys;
  auto add_key = [&](int target, bool descending, bool nulls_first) {
    keys.push_back({target_position(query, target), descending, nulls_first,
                    query.targets[static_cast<size_t>(target)].expr});
  };
  for (int target : query.distinct_on) {
    bool listed =
        std::ranges::any_of(query.order, [&](const SortKey& k) { return k.target == target; });
    if (!listed && query.order.empty()) add_key(target, false, false);
  }
  for (const SortKey& key : query.order) add_key(key.target, key.descending, key.nulls_first);
  for (int target : query.distinct_on) {
    bool listed = query.order.empty() || std::ranges::any_of(query.order, [&](const SortKey& k) {
                    return k.target == target;
                  });
    if (!listed) add_key(target, false, false);
  }
  if (!keys.empty() && !planned.is_sorted) {
    RowShape kept = planned.all_targets;
    kept.add(planned.locked_after_sort);
    double wanted = limited_rows(query);
    PlanEstimate estimate = cost_.sort(node->estimate, keys.size(), wanted);
    node = make_node<SortNode>(node, std::move(kept), std::move(keys));
    node->estimate = estimate;
  }
  if (planned.locked_after_sort.size() > 0) node = lock_rows(query, node, planned.projection);
  if (!query.distinct_on.empty()) {
    RowShape key;
    for (int target : query.distinct_on) {
      size_t at = target_position(query, target);
      key.add(planned.all_targets.slot(at), planned.all_targets.type(at));
    }
    PlanEstimate estimate = node->estimate;
    node = make_node<UniqueNode>(node, key);
    std::vector<const Expr*> exprs;
    for (int target : query.distinct_on) {
      exprs.push_back(query.targets[static_cast<size_t>(target)].expr);
    }
    estimate.total += cost_.per_operator() * estimate.rows * static_cast<double>(exprs.size());
    estimate.rows = estimate_groups(exprs, estimate.rows);
    node->estimate = estimate;
  }
  if (query.limit != nullptr || query.offset != nullptr) {
    RowShape ties;
    if (query.with_ties) {
      for (const SortKey& key : query.order) {
        size_t at = target_position(query, key.target);
        ties.add(planned.all_targets.slot(at), planned.all_targets.type(at));
      }
    }
    Program* limit = query.limit == nullptr ? nullptr : compile(*query.limit);
    Program* offset = query.offset == nullptr ? nullptr : compile(*query.offset);
    PlanEstimate input = node->estimate;
    node = make_node<LimitNode>(node, limit, offset, ties);
    // What is not known yet is taken to be a tenth (preprocess_limit).
    auto count = [&](const Expr* e, double none) {
      if (e == nullptr || (e->kind == ExprKind::kConst && e->is_null)) return none;
      if (e->kind != ExprKind::kConst) return std::max(1.0, std::rint(input.rows * 0.1));
      return std::max(0.0, static_cast<double>(datum_to_int64(e->value)));
    };
    node->estimate = cost_.limit(input, count(query.offset, 0), count(query.limit, -1));
  }
  return node;
}

// --- groups

namespace {

/// The aggregates of this query in its expressions, sub-selects included, each once.
std::vector<Expr*> find_aggregates(const Query& query) {
  std::vector<Expr*> all;
  auto look = [&](const Expr& part, int depth) {
    if (part.kind != ExprKind::kAggregate || part.levels_up != depth) return true;
    all.push_back(const_cast<Expr*>(&part));
    return false;
  };
  for (const Target& target : query.targets) walk(target.expr, 0, look);
  walk(query.having, 0, look);
  for (const Window* window : query.windows) {
    for (const SortKey& key : window->partition) walk(key.expr, 0, look);
    for (const SortKey& key : window->order) walk(key.expr, 0, look);
  }
  return all;
}

}  // namespace

/// Compiles one aggregate call.
class AggregateBuilder {
 public:
  AggregateBuilder(Planner& planner, Execution& ex) : planner_(planner), ex_(ex) {}

  AggregateCall build(const Expr& expr, int result_slot) {
    AggregateCall call;
    call.expr = &expr;
    call.result_slot = result_slot;
    const BuiltinAggregate& aggregate = *expr.aggregate;
    int first = planner_.new_slots(expr.args.size() + 1);
    call.arguments = planner_.new_program();
    int slot = first + 1;
    call.sorted = expr.distinct || !expr.order.empty();
    for (const Expr* arg : expr.args) {
      if (call.sorted) {
        planner_.emit(*arg, slot++, *call.arguments);
      } else {
        planner_.place_argument(*arg, slot++, *call.arguments);
      }
    }
    call.transition = planner_.new_site(first, expr.args.size() + 1);
    Oid state_type = state_type_of(expr);
    call.transition->call.arg_types = types_with_state(expr, state_type);
    call.transition->call.result_type = expr.type;
    const BuiltinType* state = find_type(state_type);
    call.state_type = state == nullptr || state->is_pseudo() ? nullptr : state;
    if (aggregate.initial != nullptr) {
      call.initial_is_null = false;
      if (state == nullptr || state->input == nullptr) {
        throw Error(sqlstate::kInternalError, "aggregate {} has no usable initial state",
                    aggregate.name);
      }
      ex_.context.arena = &ex_.arena;
      call.initial = state->from_text(ex_.context, aggregate.initial);
    }
    if (aggregate.final != nullptr) {
      int final_slot = planner_.new_slots(1);
      call.final = planner_.new_site(final_slot, 1);
      call.final->call.arg_types = call.transition->call.arg_types;
      call.final->call.result_type = expr.type;
    }
    if (expr.filter != nullptr) call.filter = planner_.compile(*expr.filter);
    if (call.sorted) collect(expr, call, first + 1);
    return call;
  }

 private:
  static Oid state_type_of(const Expr& expr) {
    Oid declared = expr.aggregate->state_type;
    const BuiltinType* type = find_type(declared);
    // A polymorphic state (max(anyarray) …) has the type of the result.
    bool polymorphic = type != nullptr && type->is_pseudo() && declared != type_oid::kInternal;
    return polymorphic ? expr.type : declared;
  }

  const Oid* types_with_state(const Expr& expr, Oid state_type) {
    Oid* types = ex_.arena.make_array<Oid>(expr.args.size() + 1);
    types[0] = state_type;
    for (size_t i = 0; i < expr.args.size(); ++i) types[i + 1] = expr.args[i]->type;
    return types;
  }

  void collect(const Expr& expr, AggregateCall& call, int first_argument) {
    for (size_t i = 0; i < expr.args.size(); ++i) {
      call.collected.add(first_argument + static_cast<int>(i), find_type(expr.args[i]->type));
    }
    call.keys = planner_.new_program();
    for (const SortKey& key : expr.order) {
      SortKey order = key;
      order.target = -1;
      for (size_t i = 0; i < expr.args.size(); ++i) {
        if (same_expr(expr.args[i], key.expr)) order.target = static_cast<int>(i);
      }
      if (order.target < 0) {
        int slot = planner_.new_slots(1);
        planner_.emit(*key.expr, slot, *call.keys);
        order.target = static_cast<int>(call.collected.size());
        call.collected.add(slot, find_type(key.expr->type));
      }
      call.order.push_back(order);
    }
    if (!expr.distinct) return;
    // Equal arguments must come together.
    for (size_t i = 0; i < expr.args.size(); ++i) {
      bool listed = std::ranges::any_of(
          call.order, [&](const SortKey& k) { return k.target == static_cast<int>(i); });
      if (!listed) call.order.push_back({nullptr, static_cast<int>(i), false, false});
    }
  }

  Planner& planner_;
  Execution& ex_;
};

AggregateCall Planner::build_aggregate(const Expr& expr, int result_slot) {
  return AggregateBuilder(*this, ex_).build(expr, result_slot);
}

void Planner::estimate_aggregates(AggregateNode& node, const PlanEstimate& input,
                                  std::span<Expr* const> aggregates) {
  double transition = 0, final = 0;
  int width = 0;
  for (const Expr* e : aggregates) {
    transition += cost_.per_operator() + cost_.of(std::span<Expr* const>(e->args));
    if (e->filter != nullptr) transition += cost_.of(e->filter);
    if (e->aggregate->final != nullptr) final += cost_.per_operator();
    width += type_width(e->type, e->typmod);
  }
  for (const Expr* key : node.key_exprs) width += target_width(*key);
  size_t keys = node.key_exprs.size();
  double groups = 1;
  if (keys > 0) {
    groups = 0;
    for (const std::vector<size_t>& set : node.sets) {
      std::vector<const Expr*> of_set;
      for (size_t k : set) of_set.push_back(node.key_exprs[k]);
      groups += set.empty() ? 1 : estimate_groups(of_set, input.rows);
    }
  }
  node.estimate = cost_.aggregate(input, keys > 0, keys, groups, transition, final);
  node.estimate.width = width;
}

PlanNode* Planner::plan_aggregates(Query& query, PlanNode* child, RowShape& shape) {
  RowShape keys;
  Program* key_program = new_program();
  std::vector<Replacement> grouped;
  size_t first_group = group_exprs_.size();
  for (int index : query.group) {
    const Expr* expr = query.targets[static_cast<size_t>(index)].expr;
    // A column keeps its slot: expressions above read it where they always do.
    int slot = 0;
    if (expr->kind == ExprKind::kVar) {
      slot = expr->entry->first_slot + expr->column;
    } else {
      slot = new_slots(1);
      emit(*expr, slot, *key_program);
      grouped.push_back({expr, slot});
    }
    keys.add(slot, find_type(expr->type));
    group_exprs_.push_back(expr);
  }
  auto* node = make_node<AggregateNode>(child, keys, key_program);
  node->key_exprs = keep_const({group_exprs_.data() + first_group, query.group.size()});
  std::vector<size_t> all;
  for (size_t i = 0; i < keys.size(); ++i) all.push_back(i);
  for (const List<int>& set : query.grouping_sets) {
    std::vector<size_t> positions;
    for (int p : set) positions.push_back(static_cast<size_t>(p));
    node->sets.push_back(std::move(positions));
  }
  if (node->sets.empty()) node->sets.push_back(all);
  node->grouping_slot = grouping_slot_ = new_slots(1);
  shape = keys;
  shape.add(grouping_slot_, find_type(type_oid::kInt8));
  std::vector<Expr*> done;
  for (Expr* aggregate : find_aggregates(query)) {
    auto same = std::ranges::find_if(done, [&](Expr* e) { return same_expr(e, aggregate); });
    if (same != done.end()) {
      aggregate->slot = (*same)->slot;
      continue;
    }
    aggregate->slot = new_slots(1);
    node->calls.push_back(build_aggregate(*aggregate, aggregate->slot));
    shape.add(aggregate->slot, find_type(aggregate->type));
    done.push_back(aggregate);
  }
  replacements_.insert(replacements_.end(), grouped.begin(), grouped.end());
  estimate_aggregates(*node, child->estimate, done);
  return node;
}

}  // namespace cofork
