// Target lists, GROUP BY, ORDER BY, DISTINCT, LIMIT and WINDOW (parse_target.c, parse_clause.c).
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {
namespace {

std::string_view clause_name(Place place) {
  switch (place) {
    case Place::kGroupBy:
      return "GROUP BY";
    case Place::kDistinctOn:
      return "DISTINCT ON";
    case Place::kWindowPartition:
      return "PARTITION BY";
    default:
      return "ORDER BY";
  }
}

}  // namespace

// --- targets

void Analyzer::target_list(NodeList targets, Scope& scope) {
  Query& query = *scope.query;
  for (const Node* raw : targets) {
    const Node& value = *raw->node("val");
    if (value.is(NodeKind::kColumnRef) && value.list("fields").back()->is(NodeKind::kAStar)) {
      NodeList fields = value.list("fields");
      std::string_view relation =
          fields.size() > 1 ? fields[fields.size() - 2]->text() : std::string_view{};
      expand_star(scope, relation, value.location(), query.targets);
      continue;
    }
    Target target;
    target.expr = expression(value, scope, Place::kTarget);
    target.name = raw->string("name");
    if (target.name.empty()) target.name = figure_column_name(value);
    query.targets.push(arena_, target);
  }
}

void Analyzer::expand_star(Scope& scope, std::string_view relation, int location,
                           List<Target>& to) {
  auto add_all = [&](const NameSpaceItem& item, int levels_up) {
    for (const auto& column : item.columns) {
      Target target;
      target.name = column.name;
      target.expr = outer(column.expr, scope, levels_up, location);
      to.push(arena_, target);
    }
  };
  if (!relation.empty()) {
    int levels_up = 0;
    NameSpaceItem* item = find_relation(relation, scope, location, levels_up);
    if (item == nullptr) missing_entry(relation, scope, location);
    add_all(*item, levels_up);
    return;
  }
  bool found = false;
  for (const NameSpaceItem* item : scope.items) {
    if (!item->columns_visible) continue;
    found = true;
    add_all(*item, 0);
  }
  if (!found) {
    throw Error(sqlstate::kSyntaxError, "SELECT * with no tables specified is not valid")
        .position(position(location));
  }
}

int Analyzer::add_target(Expr* expr, Scope& scope) {
  Query& query = *scope.query;
  for (size_t i = 0; i < query.targets.size(); ++i) {
    if (same_expr(query.targets[i].expr, expr)) return static_cast<int>(i);
  }
  Target target;
  target.expr = expr;
  target.name = "?column?";
  target.junk = true;
  query.targets.push(arena_, target);
  return static_cast<int>(query.targets.size() - 1);
}

int Analyzer::find_target_sql99(const Node& node, Scope& scope, Place place) {
  Expr* expr = expression(node, scope, place);
  return add_target(expr, scope);
}

int Analyzer::find_target_sql92(const Node& node, Scope& scope, Place place) {
  Query& query = *scope.query;
  if (node.is(NodeKind::kColumnRef) && node.list("fields").size() == 1 &&
      node.list("fields")[0]->is(NodeKind::kString)) {
    std::string_view name = node.list("fields")[0]->text();
    // GROUP BY prefers a column of FROM to an output name; ORDER BY does not.
    bool is_column =
        place == Place::kGroupBy &&
        std::ranges::any_of(scope.items, [&](const NameSpaceItem* item) {
          return item->columns_visible &&
                 std::ranges::any_of(item->columns, [&](const auto& c) { return c.name == name; });
        });
    if (!is_column) {
      int found = -1;
      for (size_t i = 0; i < query.targets.size(); ++i) {
        const Target& target = query.targets[i];
        if (target.junk || target.name != name) continue;
        if (found >= 0 && !same_expr(query.targets[static_cast<size_t>(found)].expr, target.expr)) {
          throw Error(sqlstate::kAmbiguousColumn, "{} \"{}\" is ambiguous", clause_name(place),
                      name)
              .position(position(node.location()));
        }
        if (found < 0) found = static_cast<int>(i);
      }
      if (found >= 0) return found;
    }
  }
  if (node.is(NodeKind::kAConst)) {
    const Node* ival = node.node("ival");
    if (ival == nullptr) {
      throw Error(sqlstate::kSyntaxError, "non-integer constant in {}", clause_name(place))
          .position(position(node.location()));
    }
    int64_t wanted = ival->number("ival");
    int64_t seen = 0;
    for (size_t i = 0; i < query.targets.size(); ++i) {
      if (!query.targets[i].junk && ++seen == wanted) return static_cast<int>(i);
    }
    throw Error(sqlstate::kInvalidColumnReference, "{} position {} is not in select list",
                clause_name(place), wanted)
        .position(position(node.location()));
  }
  return find_target_sql99(node, scope, place);
}

// --- ORDER BY

SortKey Analyzer::sort_key(const Node& item, Expr* expr, int target) {
  SortKey key;
  key.expr = expr;
  key.target = target;
  std::string_view direction = item.string("sortby_dir");
  if (direction == "SORTBY_DESC") key.descending = true;
  if (direction == "SORTBY_USING") {
    std::string_view op = item.list("useOp").back()->text();
    if (op != "<" && op != ">") {
      throw Error(sqlstate::kWrongObjectType, "operator {} is not a valid ordering operator", op)
          .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
          .position(position(item.location()));
    }
    key.descending = op == ">";
  }
  std::string_view nulls = item.string("sortby_nulls");
  key.nulls_first =
      nulls == "SORTBY_NULLS_FIRST" || (nulls != "SORTBY_NULLS_LAST" && key.descending);
  const BuiltinType* type = find_type(expr->type);
  if (type == nullptr || type->compare == nullptr) {
    throw Error(sqlstate::kUndefinedFunction, "could not identify an ordering operator for type {}",
                type_name(expr->type))
        .hint("Use an explicit ordering operator or modify the query.")
        .position(position(expr->location));
  }
  return key;
}

void Analyzer::order_clause(NodeList order, Scope& scope) {
  Query& query = *scope.query;
  for (const Node* item : order) {
    int target = find_target_sql92(*item->node("node"), scope, Place::kOrderBy);
    Expr*& expr = query.targets[static_cast<size_t>(target)].expr;
    if (expr->type == type_oid::kUnknown) expr = coerce_unknown(expr, type_oid::kText, -1);
    bool repeated =
        std::ranges::any_of(query.order, [&](const SortKey& k) { return k.target == target; });
    SortKey key = sort_key(*item, expr, target);
    if (!repeated) query.order.push(arena_, key);
  }
}

// --- GROUP BY

namespace {

/// Every way to take one list of each factor and join them.
std::vector<std::vector<int>> product(const std::vector<std::vector<int>>& a,
                                      const std::vector<std::vector<int>>& b) {
  std::vector<std::vector<int>> all;
  for (const auto& x : a) {
    for (const auto& y : b) {
      std::vector<int> joined = x;
      for (int item : y) {
        if (std::ranges::find(joined, item) == joined.end()) joined.push_back(item);
      }
      all.push_back(joined);
    }
  }
  return all;
}

}  // namespace

List<List<int>> Analyzer::grouping_item(const Node& item, Scope& scope) {
  Query& query = *scope.query;
  List<List<int>> sets;
  auto push_set = [&](const std::vector<int>& set) {
    List<int> list;
    for (int position_in_group : set) list.push(arena_, position_in_group);
    sets.push(arena_, list);
  };
  auto add_group = [&](const Node& node) {
    int target = find_target_sql92(node, scope, Place::kGroupBy);
    Expr*& expr = query.targets[static_cast<size_t>(target)].expr;
    if (expr->type == type_oid::kUnknown) expr = coerce_unknown(expr, type_oid::kText, -1);
    require_equality(expr->type, node.location());
    for (size_t i = 0; i < query.group.size(); ++i) {
      if (query.group[i] == target) return static_cast<int>(i);
    }
    query.group.push(arena_, target);
    return static_cast<int>(query.group.size() - 1);
  };
  if (item.is(NodeKind::kRowExpr) && item.string("row_format") == "COERCE_IMPLICIT_CAST") {
    std::vector<int> set;
    for (const Node* part : item.list("args")) set.push_back(add_group(*part));
    push_set(set);
    return sets;
  }
  if (!item.is(NodeKind::kGroupingSet)) {
    push_set({add_group(item)});
    return sets;
  }
  std::string_view kind = item.string("kind");
  if (kind == "GROUPING_SET_EMPTY") {
    push_set({});
    return sets;
  }
  // The parts, each a list of columns (several for a parenthesised part).
  std::vector<std::vector<int>> parts;
  for (const Node* part : item.list("content")) {
    for (const List<int>& set : with_stack([&] { return grouping_item(*part, scope); })) {
      parts.emplace_back(set.begin(), set.end());
    }
  }
  if (kind == "GROUPING_SET_SETS" || kind == "GROUPING_SET_SIMPLE") {
    for (const auto& part : parts) push_set(part);
    return sets;
  }
  auto join_parts = [&](auto&& takes) {
    std::vector<int> set;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (takes(i)) set.insert(set.end(), parts[i].begin(), parts[i].end());
    }
    return set;
  };
  if (kind == "GROUPING_SET_ROLLUP") {
    for (size_t keep = parts.size() + 1; keep-- > 0;) {
      push_set(join_parts([&](size_t i) { return i < keep; }));
    }
    return sets;
  }
  if (parts.size() > 12) {
    throw Error(sqlstate::kTooManyColumns, "CUBE is limited to 12 elements")
        .position(position(item.location()));
  }
  for (size_t bits = size_t{1} << parts.size(); bits-- > 0;) {
    push_set(join_parts([&](size_t i) { return (bits >> (parts.size() - 1 - i) & 1) != 0; }));
  }
  return sets;
}

void Analyzer::group_clause(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  std::vector<std::vector<int>> all = {{}};
  bool has_sets = false;
  for (const Node* item : node.list("groupClause")) {
    has_sets |= item->is(NodeKind::kGroupingSet);
    std::vector<std::vector<int>> sets;
    for (const List<int>& set : grouping_item(*item, scope))
      sets.emplace_back(set.begin(), set.end());
    all = product(all, sets);
    if (all.size() > 4096) {
      throw Error(sqlstate::kStatementTooComplex, "too many grouping sets present (maximum 4096)")
          .position(position(item->location()));
    }
  }
  if (!has_sets) return;
  if (node.flag("groupDistinct")) {
    for (auto& set : all) std::ranges::sort(set);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }
  for (const auto& set : all) {
    List<int> list;
    for (int i : set) list.push(arena_, i);
    query.grouping_sets.push(arena_, list);
  }
}

// --- DISTINCT, LIMIT

void Analyzer::distinct_clause(const Node& node, Scope& scope) {
  const Field* clause = node.find("distinctClause");
  if (clause == nullptr) return;
  Query& query = *scope.query;
  if (clause->list.empty() || clause->list[0] == nullptr) {
    query.distinct = true;
    set_output_unknowns_to_text(query);
    for (const Target& target : query.targets) {
      if (target.junk) {
        throw Error(sqlstate::kInvalidColumnReference,
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
            .position(position(target.expr->location));
      }
      require_equality(target.expr->type, target.expr->location);
    }
    return;
  }
  for (const Node* item : clause->list) {
    int target = find_target_sql92(*item, scope, Place::kDistinctOn);
    Expr*& expr = query.targets[static_cast<size_t>(target)].expr;
    if (expr->type == type_oid::kUnknown) expr = coerce_unknown(expr, type_oid::kText, -1);
    require_equality(expr->type, item->location());
    if (std::ranges::find(query.distinct_on, target) == query.distinct_on.end()) {
      query.distinct_on.push(arena_, target);
    }
  }
  // ORDER BY must begin with the DISTINCT ON expressions, in any order.
  bool outside = false;
  for (const SortKey& key : query.order) {
    bool is_key = std::ranges::find(query.distinct_on, key.target) != query.distinct_on.end();
    if (is_key && outside) {
      throw Error(sqlstate::kInvalidColumnReference,
                  "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
          .position(position(key.expr->location));
    }
    outside |= !is_key;
  }
  size_t matched = 0;
  for (int target : query.distinct_on) {
    matched +=
        std::ranges::any_of(query.order, [&](const SortKey& k) { return k.target == target; });
  }
  if (outside && matched < query.distinct_on.size()) {
    throw Error(sqlstate::kInvalidColumnReference,
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
        .position(position(clause->list[0]->location()));
  }
}

Expr* Analyzer::limit_value(const Node& node, Scope& scope, Place place, std::string_view name) {
  Expr* e = expression(node, scope, place);
  Oid source = e->type;
  Expr* value = coerce_or_null(e, type_oid::kInt8, -1, CastContext::kAssignment);
  if (value == nullptr) {
    throw Error(sqlstate::kDatatypeMismatch, "argument of {} must be type bigint, not type {}",
                name, type_name(source))
        .position(position(e->location));
  }
  walk(value, 0, [&](const Expr& part, int depth) {
    if (part.kind == ExprKind::kVar && part.levels_up == depth) {
      throw Error(sqlstate::kInvalidColumnReference, "argument of {} must not contain variables",
                  name)
          .position(position(part.location));
    }
    return true;
  });
  return value;
}

void Analyzer::limit_clause(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  if (const Node* offset = node.node("limitOffset")) {
    query.offset = limit_value(*offset, scope, Place::kOffset, "OFFSET");
  }
  const Node* count = node.node("limitCount");
  query.with_ties = node.string("limitOption") == "LIMIT_OPTION_WITH_TIES";
  if (query.with_ties && query.order.empty()) {
    throw Error(sqlstate::kSyntaxError, "WITH TIES cannot be specified without ORDER BY clause");
  }
  if (count == nullptr) return;
  if (count->is(NodeKind::kAConst) && count->flag("isnull")) return;  // LIMIT ALL, LIMIT NULL
  query.limit = limit_value(*count, scope, Place::kLimit, "LIMIT");
}

}  // namespace cofork
