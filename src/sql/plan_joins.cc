// Joins: the order of inner joins, the way each is made (joinrels.c, joinpath.c, 15).
//
// Up to eight tables are tried in every order, by dynamic programming over sets of them: the best
// way to join a set is the best of joining two parts of it. What costs, cost.h says.
#include "sql/plan_joins.h"

#include <bit>

#include "model/stack.h"
#include "settings/settings.h"
#include "sql/nodes_join.h"
#include "sql/selectivity.h"
#include "support/error.h"

namespace cofork {

// --- conditions

void add_conjuncts(Expr* condition, std::vector<Expr*>& to) {
  if (condition == nullptr) return;
  if (condition->kind == ExprKind::kAnd) {
    to.insert(to.end(), condition->args.begin(), condition->args.end());
  } else {
    to.push_back(condition);
  }
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

namespace {

bool is_equality(const Expr& e) {
  return e.kind == ExprKind::kCall && e.is_operator && e.name == "=" && e.args.size() == 2;
}

bool is_fixed(const Expr& e) {
  return e.kind == ExprKind::kConst || e.kind == ExprKind::kParam;
}

}  // namespace

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

void imply_constants(std::span<Expr* const> known, std::span<Expr* const> joins, Arena& arena,
                     const std::function<void(Expr*, size_t)>& found) {
  for (const Expr* fact : known) {
    if (!is_equality(*fact)) continue;
    Expr* column = fact->args[0];
    Expr* value = fact->args[1];
    if (is_fixed(*column)) std::swap(column, value);
    if (!is_fixed(*value) || column->kind != ExprKind::kVar) continue;
    for (size_t i = 0; i < joins.size(); ++i) {
      const Expr& join = *joins[i];
      if (!is_equality(join) || join.function != fact->function) continue;
      Expr* other = same_expr(join.args[0], column)   ? join.args[1]
                    : same_expr(join.args[1], column) ? join.args[0]
                                                      : nullptr;
      if (other == nullptr || other->kind != ExprKind::kVar) continue;
      Expr* implied = arena.make<Expr>(join);
      Expr** args = arena.make_array<Expr*>(2);
      args[0] = other;
      args[1] = value;
      implied->args = {args, 2};
      found(implied, i);
    }
  }
}

// --- one join

namespace {

bool hash_key(Expr& e, const auto& only_left, const auto& only_right, HashKey& key) {
  if (!is_equality(e)) return false;
  key = {e.args[0], e.args[1], hash_type(e.args[0]->type, e.args[1]->type)};
  if (key.type == nullptr) return false;
  if (only_left(*key.right)) std::swap(key.left, key.right);
  return only_left(*key.left) && only_right(*key.right);
}

/// The part of the hashed rows that has one value of the key (estimate_hash_bucket_stats).
double bucket_part(std::span<const HashKey> keys, double rows, bool of_left) {
  double least = 1;
  for (const HashKey& key : keys) {
    const Expr* expr = of_left ? key.left : key.right;
    double values = estimate_groups({&expr, 1}, rows);
    least = std::min(least, 1 / std::max(values, 1.0));
  }
  return least;
}

}  // namespace

Planner::JoinChoice Planner::choose_join(JoinKind kind, const PlanEstimate& left,
                                         std::span<const RangeEntry* const> left_entries,
                                         const PlanEstimate& right,
                                         std::span<const RangeEntry* const> right_entries,
                                         std::span<Expr* const> conditions, RangeEntry* right_table,
                                         std::span<Expr* const> right_conditions, double rows) {
  SettingsView& view = settings();
  auto penalty = [&](bool is_enabled) { return is_enabled ? 0.0 : kDisabledCost; };
  bool lateral = std::ranges::any_of(
      right_entries, [&](const RangeEntry* entry) { return refers_to(*entry, left_entries); });
  auto only_left = [&](const Expr& e) { return refers_only_to(e, left_entries); };
  auto only_right = [&](const Expr& e) { return refers_only_to(e, right_entries); };
  std::vector<HashKey> keys;
  std::vector<Expr*> rest;
  for (Expr* e : conditions) {
    HashKey key;
    if (!lateral && hash_key(*e, only_left, only_right, key)) {
      keys.push_back(key);
    } else {
      rest.push_back(e);
    }
  }
  JoinChoice best;
  best.estimate.total = -1;
  auto consider = [&](JoinChoice&& choice, double extra) {
    choice.estimate.startup += extra;
    choice.estimate.total += extra;
    if (best.estimate.total >= 0 && choice.estimate.total >= best.estimate.total) return;
    choice.estimate.rows = rows;
    choice.estimate.width = left.width + right.width;
    best = std::move(choice);
  };
  double condition_cost = cost_.of(conditions);
  double rest_cost = cost_.of(std::span<Expr* const>(rest));
  using Method = JoinChoice::Method;
  if (kind != JoinKind::kFull) {
    JoinChoice loop;
    loop.kind = kind;
    loop.method = Method::kNestedLoop;
    loop.estimate = cost_.nested_loop(left, right, right, rows, condition_cost);
    consider(JoinChoice(loop), penalty(view.get(setting::kEnableNestloop)));
    if (!lateral && view.get(setting::kEnableMaterial)) {
      loop.method = Method::kMaterialized;
      loop.kept = cost_.materialize(right);
      loop.estimate =
          cost_.nested_loop(left, loop.kept, cost_.materialize_again(right), rows, condition_cost);
      consider(std::move(loop), penalty(view.get(setting::kEnableNestloop)));
    }
  }
  if (!keys.empty()) {
    double matches = kind == JoinKind::kInner
                         ? rows
                         : clamp_rows(left.rows * right.rows * selectivity(conditions, nullptr));
    JoinChoice hash;
    hash.kind = kind;
    hash.method = Method::kHash;
    hash.estimate = cost_.hash_join(left, right, keys.size(), bucket_part(keys, right.rows, false),
                                    matches, rows, rest_cost);
    consider(JoinChoice(hash), penalty(view.get(setting::kEnableHashjoin)));
    if (kind == JoinKind::kLeft) {
      hash.kind = JoinKind::kRight;
      hash.is_exchanged = true;
      hash.estimate = cost_.hash_join(right, left, keys.size(), bucket_part(keys, left.rows, true),
                                      matches, rows, rest_cost);
      consider(std::move(hash), penalty(view.get(setting::kEnableHashjoin)));
    }
  }
  if (right_table != nullptr && kind != JoinKind::kFull && !conditions.empty() && !lateral) {
    JoinChoice lookup;
    lookup.kind = kind;
    lookup.method = Method::kLookup;
    lookup.table = right_table;
    lookup.table_conditions.assign(right_conditions.begin(), right_conditions.end());
    std::vector<Expr*> all = lookup.table_conditions;
    all.insert(all.end(), conditions.begin(), conditions.end());
    lookup.path = choose_path(*right_table, all, std::max(left.rows, 1.0));
    // Worth it only if the other side's columns lead to the rows.
    bool bound = std::ranges::any_of(lookup.path.conditions, [&](const TableCondition& c) {
      return std::ranges::find(conditions, c.conjunct) != conditions.end();
    });
    if (bound) {
      const PlanEstimate& inner = lookup.path.estimate;
      lookup.estimate = cost_.nested_loop(left, inner, inner, rows, 0);
      consider(std::move(lookup), penalty(view.get(setting::kEnableNestloop)));
    }
  }
  if (best.estimate.total < 0) {
    throw Error(sqlstate::kFeatureNotSupported,
                "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions");
  }
  return best;
}

void Planner::set_hash_keys(HashJoinNode& join, std::span<Expr* const> left,
                            std::span<Expr* const> right,
                            std::span<const BuiltinType* const> types) {
  int left_first = new_slots(left.size());
  int right_first = new_slots(right.size());
  join.left_keys = compile_into(left, left_first);
  join.right_keys = compile_into(right, right_first);
  for (size_t i = 0; i < left.size(); ++i) {
    join.left_key.add(left_first + static_cast<int>(i), types[i]);
    join.right_key.add(right_first + static_cast<int>(i), types[i]);
  }
}

Planner::Input Planner::make_join(const JoinChoice& choice, Input left, Input right,
                                  std::vector<Expr*> conditions) {
  if (choice.is_exchanged) std::swap(left, right);
  Input joined;
  joined.entries = left.entries;
  joined.entries.insert(joined.entries.end(), right.entries.begin(), right.entries.end());
  joined.shape = left.shape;
  joined.shape.add(right.shape);
  using Method = JoinChoice::Method;
  if (choice.method != Method::kHash) {
    PlanNode* inner = right.node;
    bool depends = true;
    if (choice.method == Method::kLookup) {
      std::vector<Expr*> all = choice.table_conditions;
      all.insert(all.end(), conditions.begin(), conditions.end());
      conditions.clear();
      bool had_order = has_order_;
      // The conditions of an outer join decide what is joined; those the lookup does not answer are
      // tested with it, on the rows of the table alone, and that is the same.
      inner = build_path(*choice.table, choice.path, all);
      has_order_ = had_order;
    } else {
      bool lateral = std::ranges::any_of(
          right.entries, [&](const RangeEntry* entry) { return refers_to(*entry, left.entries); });
      depends = lateral;
      if (choice.method == Method::kMaterialized) {
        inner = make_node<MaterializeNode>(right.node, right.shape);
        inner->estimate = choice.kept;
      }
    }
    Program* condition = conditions.empty() ? nullptr : compile_all(conditions);
    joined.node = make_node<NestedLoopNode>(choice.kind, left.node, inner, right.shape, condition,
                                            keep(conditions), depends);
    joined.node->estimate = choice.estimate;
    return joined;
  }
  std::vector<Expr*> left_keys, right_keys, key_conditions;
  std::vector<const BuiltinType*> types;
  auto only_left = [&](const Expr& e) { return refers_only_to(e, left.entries); };
  auto only_right = [&](const Expr& e) { return refers_only_to(e, right.entries); };
  std::erase_if(conditions, [&](Expr* e) {
    HashKey key;
    if (!hash_key(*e, only_left, only_right, key)) return false;
    left_keys.push_back(key.left);
    right_keys.push_back(key.right);
    types.push_back(key.type);
    // Shown with the outer side first.
    Expr* shown = ex_.arena.make<Expr>(*e);
    Expr** args = ex_.arena.make_array<Expr*>(2);
    args[0] = key.left;
    args[1] = key.right;
    shown->args = {args, 2};
    key_conditions.push_back(shown);
    return true;
  });
  Program* condition = conditions.empty() ? nullptr : compile_all(conditions);
  auto* join = make_node<HashJoinNode>(choice.kind, left.node, right.node, left.shape, right.shape,
                                       condition, keep(conditions));
  set_hash_keys(*join, left_keys, right_keys, types);
  join->key_conditions = keep(key_conditions);
  join->estimate = choice.estimate;
  joined.node = join;
  return joined;
}

// --- the order of inner joins

/// Everything a search for the best order knows.
struct Planner::JoinSearch {
  struct Leaf {
    const FromTree* tree;
    std::vector<const RangeEntry*> entries;
    std::vector<Expr*> own;  ///< conditions on it alone
    Input input;
    RangeEntry* table = nullptr;
  };
  struct Condition {
    Expr* expr;
    uint32_t leaves;  ///< it mentions
  };
  /// The best way to join a set of leaves.
  struct Best {
    bool is_found = false;
    double rows = 1;
    PlanEstimate estimate;
    uint32_t left = 0, right = 0;
    JoinChoice choice;
    std::vector<const RangeEntry*> entries;
  };
  std::vector<Leaf> leaves;
  std::vector<Condition> conditions;
  std::vector<Best> best;  ///< by set

  /// What is to be tested when the two sets are joined.
  std::vector<Expr*> between(uint32_t left, uint32_t right) const {
    std::vector<Expr*> found;
    for (const Condition& c : conditions) {
      bool within = (c.leaves & ~(left | right)) == 0;
      if (within && (c.leaves & ~left) != 0 && (c.leaves & ~right) != 0) found.push_back(c.expr);
    }
    return found;
  }
};

namespace {

/// The leaves of a tree of inner joins, and all their conditions.
void flatten(const FromTree& tree, std::vector<const FromTree*>& leaves, std::vector<Expr*>& on) {
  if (tree.entry != nullptr || tree.join != JoinKind::kInner) {
    leaves.push_back(&tree);
    return;
  }
  with_stack([&] {
    flatten(*tree.left, leaves, on);
    flatten(*tree.right, leaves, on);
    add_conjuncts(tree.condition, on);
  });
}

constexpr size_t kMostReordered = 8;  ///< join_collapse_limit's default

}  // namespace

Planner::Input Planner::plan_inner_joins(const FromTree& tree, std::vector<Expr*>& conjuncts) {
  std::vector<const FromTree*> trees;
  std::vector<Expr*> all;
  flatten(tree, trees, all);
  // Too many to try every order: they are joined as they are written.
  if (trees.size() > kMostReordered) {
    trees = {tree.left, tree.right};
    all.clear();
    add_conjuncts(tree.condition, all);
  }
  JoinSearch search;
  std::vector<const RangeEntry*> entries;
  for (const FromTree* leaf : trees) {
    search.leaves.push_back({leaf, {}, {}, {}, nullptr});
    collect_entries(*leaf, search.leaves.back().entries);
    entries.insert(entries.end(), search.leaves.back().entries.begin(),
                   search.leaves.back().entries.end());
  }
  for (Expr* e : take(conjuncts, [&](const Expr& c) { return refers_only_to(c, entries); })) {
    all.push_back(e);
  }
  for (size_t round = 0; round < trees.size(); ++round) {
    std::vector<Expr*> before = all;
    imply_constants(before, before, ex_.arena,
                    [&](Expr* implied, size_t at) { all[at] = implied; });
  }
  for (Expr* e : all) {
    uint32_t leaves = 0;
    for (size_t i = 0; i < search.leaves.size(); ++i) {
      bool mentioned = false;
      for_each_entry(*e, [&](const RangeEntry* entry) {
        mentioned |= contains(search.leaves[i].entries, entry);
      });
      if (mentioned) leaves |= 1u << i;
    }
    if (std::has_single_bit(leaves)) {
      search.leaves[static_cast<size_t>(std::countr_zero(leaves))].own.push_back(e);
    } else if (leaves == 0) {
      conjuncts.push_back(e);
    } else {
      search.conditions.push_back({e, leaves});
    }
  }
  search_joins(search);
  uint32_t everything = (1u << search.leaves.size()) - 1;
  return build_joins(search, everything);
}

void Planner::search_joins(JoinSearch& search) {
  size_t count = search.leaves.size();
  search.best.resize(size_t{1} << count);
  for (size_t i = 0; i < count; ++i) {
    JoinSearch::Leaf& leaf = search.leaves[i];
    std::vector<Expr*> own = leaf.own;
    leaf.input = plan_from(*leaf.tree, own);
    leaf.input.node = filter(leaf.input.node, own);
    if (leaf.tree->entry != nullptr && leaf.tree->entry->kind == RangeKind::kTable) {
      leaf.table = leaf.tree->entry;
    }
    JoinSearch::Best& best = search.best[size_t{1} << i];
    best.is_found = true;
    best.estimate = leaf.input.estimate();
    best.rows = best.estimate.rows;
    best.entries = leaf.entries;
  }
  // Sets in the order of their numbers: parts come before the whole.
  for (uint32_t set = 1; set < search.best.size(); ++set) {
    if (std::has_single_bit(set)) continue;
    JoinSearch::Best& best = search.best[set];
    // With conditions between the parts first; a product of all with all only if there are none.
    for (bool needs_condition : {true, false}) {
      for (uint32_t left = (set - 1) & set; left != 0; left = (left - 1) & set) {
        uint32_t right = set & ~left;
        const JoinSearch::Best& l = search.best[left];
        const JoinSearch::Best& r = search.best[right];
        if (!l.is_found || !r.is_found) continue;
        std::vector<Expr*> conditions = search.between(left, right);
        if (conditions.empty() == needs_condition) continue;
        // LATERAL: what is referred to comes first.
        bool backward = std::ranges::any_of(
            l.entries, [&](const RangeEntry* entry) { return refers_to(*entry, r.entries); });
        if (backward) continue;
        double rows =
            clamp_rows(l.rows * r.rows * selectivity(std::span<Expr* const>(conditions), nullptr));
        const JoinSearch::Leaf* leaf =
            std::has_single_bit(right)
                ? &search.leaves[static_cast<size_t>(std::countr_zero(right))]
                : nullptr;
        JoinChoice choice = choose_join(
            JoinKind::kInner, l.estimate, l.entries, r.estimate, r.entries, conditions,
            leaf == nullptr ? nullptr : leaf->table,
            leaf == nullptr ? std::span<Expr* const>() : std::span<Expr* const>(leaf->own), rows);
        if (best.is_found && choice.estimate.total >= best.estimate.total) continue;
        best.is_found = true;
        best.rows = rows;
        best.left = left;
        best.right = right;
        best.estimate = choice.estimate;
        best.choice = std::move(choice);
      }
      if (best.is_found) break;
    }
    if (!best.is_found) continue;
    best.entries = search.best[best.left].entries;
    const auto& more = search.best[best.right].entries;
    best.entries.insert(best.entries.end(), more.begin(), more.end());
  }
}

Planner::Input Planner::build_joins(JoinSearch& search, uint32_t set) {
  if (std::has_single_bit(set)) {
    return search.leaves[static_cast<size_t>(std::countr_zero(set))].input;
  }
  const JoinSearch::Best& best = search.best[set];
  Input left = with_stack([&] { return build_joins(search, best.left); });
  Input right = with_stack([&] { return build_joins(search, best.right); });
  return make_join(best.choice, std::move(left), std::move(right),
                   search.between(best.left, best.right));
}

}  // namespace cofork
