// WHERE EXISTS (…), NOT EXISTS (…) and x IN (SELECT …) as joins that ask only whether there is a
// match: the sub-select's rows are hashed once, instead of searched for every row
// (convert_ANY_sublink_to_join, convert_EXISTS_sublink_to_join in subselect.c, 15).
//
// Nothing is copied: all levels of a statement have their columns in one frame, so a condition of
// the sub-select on the outer query's columns is a join condition as it stands.
#include "model/stack.h"
#include "settings/settings.h"
#include "sql/nodes_join.h"
#include "sql/plan_joins.h"
#include "sql/selectivity.h"

namespace cofork {
namespace {

bool is_simple(const Query& query) {
  return query.command == CommandKind::kSelect && query.operation == SetOperation::kNone &&
         query.from != nullptr && !query.has_aggregates && query.group.empty() &&
         query.having == nullptr && query.grouping_sets.empty() && !query.has_windows &&
         !query.has_set_calls && query.limit == nullptr && query.offset == nullptr &&
         query.tables.empty() && !query.locks_rows;
}

/// How many of the columns read in it are of queries further out.
size_t outer_columns(const Query& query) {
  size_t count = 0;
  walk_query(query, 0, [&](const Expr& part, int depth) {
    count += part.kind == ExprKind::kVar && part.levels_up > depth;
    return true;
  });
  return count;
}

size_t outer_columns(const Expr& expr) {
  size_t count = 0;
  walk(&expr, 0, [&](const Expr& part, int depth) {
    count += part.kind == ExprKind::kVar && part.levels_up > depth;
    return true;
  });
  return count;
}

/// Which side of the join an expression belongs to; kBoth also for what is of neither.
enum class JoinSide : uint8_t { kInner, kOuter, kBoth };

JoinSide side_of(const Expr& expr, std::span<const RangeEntry* const> inner) {
  bool has_inner = false, has_outer = false, is_plain = true;
  walk(&expr, 0, [&](const Expr& part, int) {
    is_plain &= part.kind != ExprKind::kSubLink;
    if (part.kind == ExprKind::kVar) (contains(inner, part.entry) ? has_inner : has_outer) = true;
    return true;
  });
  if (!is_plain || has_inner == has_outer) return JoinSide::kBoth;
  return has_inner ? JoinSide::kInner : JoinSide::kOuter;
}

/// The part of the outer rows that have a match (eqjoinsel_semi).
double matched_part(const Expr& outer, const Expr& inner) {
  bool is_guess = false;
  EstimatedColumn a = examine_column(outer), b = examine_column(inner);
  double distinct_a = a.distinct(is_guess), distinct_b = b.distinct(is_guess);
  return (1 - a.null_fraction()) * std::min(1.0, distinct_b / std::max(distinct_a, 1.0));
}

}  // namespace

/// Equalities between the two sides, and what else decides about a match.
struct Planner::SemiJoin {
  std::vector<Expr*> outer_keys, inner_keys, shown;
  std::vector<const BuiltinType*> types;
  std::vector<Expr*> rest;
  std::vector<Expr*> inner;  ///< conditions on the inner side alone
  double matched = 1;

  bool add_key(Expr& e, Expr* outer, Expr* inner_side, const Expr* shown_inner, Arena& arena) {
    const BuiltinType* type = hash_type(outer->type, inner_side->type);
    if (type == nullptr) return false;
    outer_keys.push_back(outer);
    inner_keys.push_back(inner_side);
    types.push_back(type);
    matched *= matched_part(*outer, *shown_inner);
    Expr* condition = arena.make<Expr>(e);
    Expr** args = arena.make_array<Expr*>(2);
    args[0] = outer;
    args[1] = const_cast<Expr*>(shown_inner);
    condition->args = {args, 2};
    shown.push_back(condition);
    return true;
  }
};

/// EXISTS: its WHERE taken apart. False when it cannot be a join.
bool Planner::split_exists(Query& query, SemiJoin& join) {
  if (!is_simple(query)) return false;
  std::vector<const RangeEntry*> inner;
  collect_entries(*query.from, inner);
  std::vector<Expr*> all;
  add_conjuncts(query.where, all);
  size_t outside = 0;
  for (Expr* e : all) {
    size_t here = outer_columns(*e);
    outside += here;
    if (here == 0) {
      join.inner.push_back(e);
      continue;
    }
    bool is_equality =
        e->kind == ExprKind::kCall && e->is_operator && e->name == "=" && e->args.size() == 2;
    if (is_equality) {
      Expr* a = e->args[0];
      Expr* b = e->args[1];
      if (side_of(*a, inner) == JoinSide::kInner) std::swap(a, b);
      if (side_of(*a, inner) == JoinSide::kOuter && side_of(*b, inner) == JoinSide::kInner &&
          join.add_key(*e, a, b, b, ex_.arena)) {
        continue;
      }
    }
    bool is_plain = true;
    walk(e, 0, [&](const Expr& part, int) { return is_plain &= part.kind != ExprKind::kSubLink; });
    if (!is_plain) return false;
    join.rest.push_back(e);
  }
  return !join.outer_keys.empty() && outside == outer_columns(query);
}

/// Would looking the matches up by an index, row by row, be cheaper than hashing all of them?
bool Planner::is_cheaper_by_row(Query& query, const PlanEstimate& outer,
                                const PlanEstimate& hashed) {
  RangeEntry* table = query.from->entry;
  if (table == nullptr || table->kind != RangeKind::kTable) return false;
  std::vector<Expr*> all;
  add_conjuncts(query.where, all);
  // Trying costs the entry its place in the frame nothing: only figures are computed.
  TablePath path = choose_path(*table, all, std::max(outer.rows, 1.0));
  return path.kind != TablePath::Kind::kSequential &&
         outer.total + outer.rows * path.estimate.total < hashed.total;
}

bool Planner::join_sub_link(Expr& condition, Input& from) {
  bool is_anti = condition.kind == ExprKind::kNot;
  Expr& link = is_anti ? *condition.args[0] : condition;
  if (link.kind != ExprKind::kSubLink || !settings().get(setting::kEnableHashjoin)) return false;
  Query& query = *link.subquery;
  SemiJoin join;
  Input right;
  if (link.sublink == SubLinkKind::kExists) {
    if (!split_exists(query, join)) return false;
    for (const Expr* e : join.outer_keys) {
      if (side_of(*e, from.entries) != JoinSide::kInner) return false;
    }
    right = plan_from(*query.from, join.inner);
    right.node = filter(right.node, join.inner);
  } else if (link.sublink == SubLinkKind::kAny && !is_anti && !query.is_correlated &&
             !link.args.empty()) {
    Expr& test = *link.args[0];
    if (test.kind != ExprKind::kCall || test.name != "=" || test.args.size() != 2 ||
        test.args[1] != link.subquery_columns[0] ||
        side_of(*test.args[0], from.entries) != JoinSide::kInner ||
        hash_type(test.args[0]->type, test.args[1]->type) == nullptr) {
      return false;
    }
    const Query* first = &query;
    while (first->left != nullptr) first = first->left;
    PlannedQuery planned = plan_query(query);
    right.node = planned.root;
    right.shape = planned.output;
    link.subquery_columns[0]->slot = planned.output.slot(0);
    const Expr* shown = first->targets.empty() ? test.args[1] : first->targets[0].expr;
    join.add_key(test, test.args[0], test.args[1], shown, ex_.arena);
  } else {
    return false;
  }
  const PlanEstimate& outer = from.estimate();
  double matched = std::clamp(join.matched, 0.0, 1.0);
  double rows = clamp_rows(outer.rows * (is_anti ? 1 - matched : matched));
  double condition_cost = cost_.of(std::span<Expr* const>(join.rest));
  PlanEstimate estimate =
      cost_.hash_join(outer, right.estimate(), join.types.size(), 0, rows, rows, condition_cost);
  estimate.width = outer.width;
  if (link.sublink == SubLinkKind::kExists && is_cheaper_by_row(query, outer, estimate)) {
    return false;
  }
  Program* condition_program = join.rest.empty() ? nullptr : compile_all(join.rest);
  auto* node = make_node<HashJoinNode>(JoinKind::kInner, from.node, right.node, from.shape,
                                       right.shape, condition_program, keep(join.rest));
  node->existence = is_anti ? HashJoinNode::Existence::kAnti : HashJoinNode::Existence::kSemi;
  set_hash_keys(*node, join.outer_keys, join.inner_keys, join.types);
  node->key_conditions = keep(join.shown);
  node->estimate = estimate;
  from.node = node;
  return true;
}

Planner::Input Planner::plan_from_where(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  // They are joined with all of FROM, not with a table of it.
  std::vector<Expr*> links = take(conjuncts, [](const Expr& e) {
    const Expr& link = e.kind == ExprKind::kNot ? *e.args[0] : e;
    if (link.kind != ExprKind::kSubLink) return false;
    if (link.sublink == SubLinkKind::kExists) return link.subquery->is_correlated;
    return &link == &e && link.sublink == SubLinkKind::kAny && !link.subquery->is_correlated;
  });
  Input from = plan_from(tree, conjuncts);
  join_sub_links(from, links);
  conjuncts.insert(conjuncts.end(), links.begin(), links.end());
  return from;
}

void Planner::join_sub_links(Input& from, std::vector<Expr*>& conjuncts) {
  std::erase_if(conjuncts,
                [&](Expr* e) { return with_stack([&] { return join_sub_link(*e, from); }); });
}

}  // namespace cofork
