// Aggregates: where they may stand, and what a grouped query may still refer to (parse_agg.c).
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {
namespace {

std::string_view place_name(Place place) {
  switch (place) {
    case Place::kWhere:
      return "WHERE";
    case Place::kJoinOn:
      return "JOIN conditions";
    case Place::kFromFunction:
      return "functions in FROM";
    case Place::kValues:
      return "VALUES";
    case Place::kGroupBy:
      return "GROUP BY";
    case Place::kLimit:
      return "LIMIT";
    case Place::kOffset:
      return "OFFSET";
    case Place::kFilter:
      return "FILTER";
    case Place::kExecute:
      return "EXECUTE parameters";
    default:
      return {};
  }
}

}  // namespace

void Analyzer::check_aggregate_place(Expr& aggregate, std::string_view, Scope& scope) {
  // It belongs to the innermost query whose columns its arguments name; with none, to this one.
  int level = -1;
  bool nested = false;
  int nested_location = -1;
  auto look = [&](const Expr& part, int depth) {
    if (part.kind == ExprKind::kVar && part.levels_up >= depth) {
      int own = part.levels_up - depth;
      if (level < 0 || own < level) level = own;
    }
    if (part.kind == ExprKind::kAggregate && part.levels_up == depth) {
      nested = true;
      nested_location = part.location;
    }
    return true;
  };
  for (const Expr* arg : aggregate.args) walk(arg, 0, look);
  walk(aggregate.filter, 0, look);
  for (const SortKey& key : aggregate.order) walk(key.expr, 0, look);
  aggregate.levels_up = std::max(level, 0);
  if (nested) {
    throw Error(sqlstate::kGroupingError, "aggregate function calls cannot be nested")
        .position(position(nested_location));
  }
  for (const Expr* arg : aggregate.args) {
    walk(arg, 0, [&](const Expr& part, int depth) {
      if (depth == 0 && part.kind == ExprKind::kWindow) {
        throw Error(sqlstate::kGroupingError,
                    "aggregate function calls cannot contain window function calls")
            .position(position(part.location));
      }
      if (depth == 0 && part.kind == ExprKind::kSetCall) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "aggregate function calls cannot contain set-returning function calls")
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .position(position(part.location));
      }
      return true;
    });
  }
  Scope* owner = &scope;
  for (int i = 0; i < aggregate.levels_up; ++i) {
    owner->query->is_correlated = true;
    owner = owner->parent;
  }
  std::string_view place = place_name(owner->place);
  if (!place.empty()) {
    throw Error(sqlstate::kGroupingError, "aggregate functions are not allowed in {}", place)
        .position(position(aggregate.location));
  }
  owner->query->has_aggregates = true;
}

void Analyzer::check_groups(Query& query) {
  bool grouped = query.has_aggregates || !query.group.empty() || query.having != nullptr ||
                 !query.grouping_sets.empty();
  if (!grouped) return;
  for (int index : query.group) {
    const Expr* expr = query.targets[static_cast<size_t>(index)].expr;
    walk(expr, 0, [&](const Expr& part, int depth) {
      if (part.kind == ExprKind::kAggregate && part.levels_up == depth) {
        throw Error(sqlstate::kGroupingError, "aggregate functions are not allowed in GROUP BY")
            .position(position(part.location));
      }
      return true;
    });
  }
  for (const Target& target : query.targets) check_group_expression(target.expr, query);
  check_group_expression(query.having, query);
  for (const Window* window : query.windows) {
    for (const SortKey& key : window->partition) check_group_expression(key.expr, query);
    for (const SortKey& key : window->order) check_group_expression(key.expr, query);
  }
}

void Analyzer::check_group_expression(const Expr* expr, const Query& query) {
  walk(expr, 0, [&](const Expr& part, int at) {
    if (part.kind == ExprKind::kAggregate && part.levels_up == at) return false;
    if (part.kind == ExprKind::kGrouping) {
      for (const Expr* arg : part.args) {
        if (std::ranges::any_of(query.group, [&](int index) {
              return same_expr(query.targets[static_cast<size_t>(index)].expr, arg);
            })) {
          continue;
        }
        throw Error(sqlstate::kGroupingError,
                    "arguments to GROUPING must be grouping expressions of the associated query "
                    "level")
            .position(position(arg->location));
      }
      return false;
    }
    for (int index : query.group) {
      if (same_expr(query.targets[static_cast<size_t>(index)].expr, &part)) return false;
    }
    if (part.kind != ExprKind::kVar || part.levels_up != at) return true;
    std::string_view column = part.entry->columns[static_cast<size_t>(part.column)].name;
    if (at == 0) {
      throw Error(sqlstate::kGroupingError,
                  "column \"{}.{}\" must appear in the GROUP BY clause or be used in an aggregate "
                  "function",
                  part.entry->name, column)
          .position(position(part.location));
    }
    throw Error(sqlstate::kGroupingError,
                "subquery uses ungrouped column \"{}.{}\" from outer query", part.entry->name,
                column)
        .position(position(part.location));
  });
}

}  // namespace cofork
