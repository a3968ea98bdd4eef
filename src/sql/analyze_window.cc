// Windows: WINDOW clauses, OVER, frames (transformWindowDefinitions and transformFrameOffset in
// parse_clause.c, transformWindowFuncCall in parse_agg.c, PostgreSQL 15).
#include <algorithm>

#include "catalog/window_functions.h"
#include "sql/analyze.h"
#include "sql/nodes_window.h"

namespace cofork {
namespace {

constexpr uint32_t kDefaultFrame =
    frame_option::kRange | frame_option::kStartUnboundedPreceding | frame_option::kEndCurrentRow;

bool same_keys(std::span<const SortKey> a, std::span<const SortKey> b) {
  return std::ranges::equal(a, b, [](const SortKey& x, const SortKey& y) {
    return same_expr(x.expr, y.expr) && x.descending == y.descending &&
           x.nulls_first == y.nulls_first;
  });
}

bool same_window(const Window& a, const Window& b) {
  return a.frame_options == b.frame_options && same_keys(a.partition, b.partition) &&
         same_keys(a.order, b.order) && same_expr(a.start_offset, b.start_offset) &&
         same_expr(a.end_offset, b.end_offset);
}

/// Why a window function may not stand here; empty: it may.
std::string_view forbidden_place(Place place) {
  switch (place) {
    case Place::kWhere:
      return "WHERE";
    case Place::kHaving:
      return "HAVING";
    case Place::kGroupBy:
      return "GROUP BY";
    case Place::kLimit:
      return "LIMIT";
    case Place::kOffset:
      return "OFFSET";
    case Place::kJoinOn:
      return "JOIN conditions";
    case Place::kFromFunction:
      return "functions in FROM";
    case Place::kValues:
      return "VALUES";
    case Place::kFilter:
      return "FILTER";
    case Place::kExecute:
      return "EXECUTE parameters";
    case Place::kWindowPartition:
    case Place::kWindowOrder:
    case Place::kWindowFrame:
      return "window definitions";
    default:
      return {};
  }
}

}  // namespace

Window* Analyzer::find_window(std::string_view name, Scope& scope, int location) {
  for (Window* window : scope.query->windows) {
    if (!window->name.empty() && window->name == name) return window;
  }
  throw Error(sqlstate::kUndefinedObject, "window \"{}\" does not exist", name)
      .position(position(location));
}

/// (w ORDER BY …): what the window takes over from w.
void Analyzer::copy_window(const Node& definition, Window& window, Scope& scope) {
  std::string_view name = definition.string("refname");
  int location = definition.location();
  const Window& base = *find_window(name, scope, location);
  auto refuse = [&](std::string_view message) {
    return Error(sqlstate::kWindowingError, "{} \"{}\"", message, name)
        .position(position(location));
  };
  if (!definition.list("partitionClause").empty()) {
    throw refuse("cannot override PARTITION BY clause of window");
  }
  bool has_order = !definition.list("orderClause").empty();
  if (has_order && !base.order.empty()) {
    throw refuse("cannot override ORDER BY clause of window");
  }
  if (base.frame_options != kDefaultFrame) {
    Error error(sqlstate::kWindowingError,
                "cannot copy window \"{}\" because it has a frame clause", name);
    error.data().position = position(location);
    bool is_bare =
        definition.string("name").empty() && !has_order && window.frame_options == kDefaultFrame;
    if (is_bare) error.data().hint = "Omit the parentheses in this OVER clause.";
    throw error;
  }
  window.partition = base.partition;
  if (!has_order) window.order = base.order;
}

Window* Analyzer::make_window(const Node& definition, Scope& scope) {
  Window* window = arena_.make<Window>();
  window->location = definition.location();
  window->frame_options = static_cast<uint32_t>(definition.number("frameOptions"));
  for (const Node* item : definition.list("orderClause")) {
    Expr* e = expression(*item->node("node"), scope, Place::kWindowOrder);
    if (e->type == type_oid::kUnknown) e = coerce_unknown(e, type_oid::kText, -1);
    window->order.push(arena_, sort_key(*item, e, -1));
  }
  for (const Node* item : definition.list("partitionClause")) {
    Expr* e = expression(*item, scope, Place::kWindowPartition);
    if (e->type == type_oid::kUnknown) e = coerce_unknown(e, type_oid::kText, -1);
    require_equality(e->type, e->location);
    SortKey key;
    key.expr = e;
    window->partition.push(arena_, key);
  }
  if (!definition.string("refname").empty()) copy_window(definition, *window, scope);
  window_frame(definition, *window, scope);
  return window;
}

void Analyzer::window_frame(const Node& definition, Window& window, Scope& scope) {
  bool is_range = (window.frame_options & frame_option::kRange) != 0;
  const Node* start = definition.node("startOffset");
  const Node* end = definition.node("endOffset");
  if (is_range && (start != nullptr || end != nullptr) && window.order.size() != 1) {
    throw Error(sqlstate::kWindowingError,
                "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
        .position(position(window.location));
  }
  if ((window.frame_options & frame_option::kGroups) != 0 && window.order.empty()) {
    throw Error(sqlstate::kWindowingError, "GROUPS mode requires an ORDER BY clause")
        .position(position(window.location));
  }
  std::string_view mode = is_range                                            ? "RANGE"
                          : (window.frame_options & frame_option::kRows) != 0 ? "ROWS"
                                                                              : "GROUPS";
  auto offset = [&](const Node* raw) -> Expr* {
    if (raw == nullptr) return nullptr;
    Expr* e = expression(*raw, scope, Place::kWindowFrame);
    walk(e, 0, [&](const Expr& part, int depth) {
      if (part.kind == ExprKind::kVar && part.levels_up == depth) {
        throw Error(sqlstate::kInvalidColumnReference, "argument of {} must not contain variables",
                    mode)
            .position(position(part.location));
      }
      return true;
    });
    if (is_range) return range_offset(e, window);
    Expr* value = coerce_or_null(e, type_oid::kInt8, -1, CastContext::kAssignment);
    if (value != nullptr) return value;
    throw Error(sqlstate::kDatatypeMismatch, "argument of {} must be type bigint, not type {}",
                mode, type_name(e->type))
        .position(position(e->location));
  };
  window.start_offset = offset(start);
  window.end_offset = offset(end);
  if (!is_range) return;
  using namespace frame_option;
  if (start != nullptr) {
    window.range_start = range_bound(window, window.start_offset,
                                     (window.frame_options & kStartOffsetPreceding) != 0);
  }
  if (end != nullptr) {
    window.range_end =
        range_bound(window, window.end_offset, (window.frame_options & kEndOffsetPreceding) != 0);
  }
}

/// RANGE with an offset compares the order key with itself plus or minus the offset; both in a type
/// that neither overflows nor loses anything (the in_range support functions).
Expr* Analyzer::range_offset(Expr* offset, Window& window) {
  using namespace type_oid;
  struct Row {
    Oid column, compared, offset;
  };
  static constexpr Row kRows[] = {
      {kInt2, kNumeric, kNumeric},
      {kInt4, kNumeric, kNumeric},
      {kInt8, kNumeric, kNumeric},
      {kFloat4, kFloat8, kFloat8},
      {kFloat8, kFloat8, kFloat8},
      {kNumeric, kNumeric, kNumeric},
      {kDate, kTimestamp, kInterval},
      {kTimestamp, kTimestamp, kInterval},
      {kTimestampTz, kTimestampTz, kInterval},
      {kInterval, kInterval, kInterval},
  };
  Expr* key = window.order[0].expr;
  auto row = std::ranges::find(kRows, key->type, &Row::column);
  if (row == std::end(kRows)) {
    throw Error(sqlstate::kFeatureNotSupported,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                type_name(key->type))
        .position(position(offset->location));
  }
  // An integer column takes integers only.
  bool is_integer = row->compared == kNumeric && row->column != kNumeric;
  Oid source = offset->type;
  Expr* value = offset;
  if (is_integer) value = coerce_or_null(value, kInt8, -1, CastContext::kImplicit);
  if (value != nullptr) value = coerce_or_null(value, row->offset, -1, CastContext::kImplicit);
  if (value == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and "
                "offset type {}",
                type_name(key->type), type_name(source))
        .hint("Cast the offset value to an appropriate type.")
        .position(position(offset->location));
  }
  if (window.range_key == nullptr) {
    window.range_key = coerce(key, row->compared, -1, CastContext::kImplicit);
  }
  return value;
}

Expr* Analyzer::range_bound(const Window& window, Expr* offset, bool preceding) {
  bool minus = preceding != window.order[0].descending;
  return make_operator(minus ? "-" : "+", window.range_key, offset, offset->location);
}

void Analyzer::window_clause(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  for (const Node* definition : node.list("windowClause")) {
    std::string_view name = definition->string("name");
    for (const Window* window : query.windows) {
      if (window->name != name) continue;
      throw Error(sqlstate::kWindowingError, "window \"{}\" is already defined", name)
          .position(position(definition->location()));
    }
    Window* window = make_window(*definition, scope);
    window->name = name;
    query.windows.push(arena_, window);
  }
}

Window* Analyzer::window_of_call(const Node& over, Scope& scope) {
  // OVER w: the window itself. OVER (…): one of its own, unless another call has the same.
  if (!over.string("name").empty()) return find_window(over.string("name"), scope, over.location());
  Window* window = make_window(over, scope);
  for (Window* other : scope.query->windows) {
    if (other->name.empty() && same_window(*window, *other)) return other;
  }
  scope.query->windows.push(arena_, window);
  return window;
}

void Analyzer::check_window_function_call(std::string_view name, const Node& node) {
  auto refuse = [&](SqlState state, std::string message) {
    return Error(state, "{}", message).position(position(node.location()));
  };
  if (node.node("over") == nullptr) {
    throw refuse(sqlstate::kWrongObjectType,
                 fmt::format("window function {} requires an OVER clause", name));
  }
  if (node.flag("agg_within_group")) {
    throw refuse(sqlstate::kWrongObjectType,
                 fmt::format("window function {} cannot have WITHIN GROUP", name));
  }
  if (node.flag("agg_distinct")) {
    throw refuse(sqlstate::kFeatureNotSupported,
                 "DISTINCT is not implemented for window functions");
  }
  if (!node.list("agg_order").empty()) {
    throw refuse(sqlstate::kFeatureNotSupported,
                 "aggregate ORDER BY is not implemented for window functions");
  }
}

Expr* Analyzer::finish_window_call(Expr* call, const Node& node, Scope& scope) {
  int location = node.location();
  bool is_window_call = call->function != nullptr && is_window_function(*call->function);
  if (call->kind == ExprKind::kCall && !is_window_call) {
    throw Error(sqlstate::kWrongObjectType,
                "OVER specified, but {} is not a window function nor an aggregate function",
                call->name)
        .position(position(location));
  }
  auto unsupported = [&](std::string_view message) {
    return Error(sqlstate::kFeatureNotSupported, "{}", message).position(position(location));
  };
  if (call->distinct) throw unsupported("DISTINCT is not implemented for window functions");
  if (!call->order.empty()) {
    throw unsupported("aggregate ORDER BY is not implemented for window functions");
  }
  if (is_window_call && node.node("agg_filter") != nullptr) {
    throw unsupported("FILTER is not implemented for non-aggregate window functions");
  }
  for (const Expr* arg : call->args) {
    walk(arg, 0, [&](const Expr& part, int depth) {
      if (depth == 0 && part.kind == ExprKind::kSetCall) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "window function calls cannot contain set-returning function calls")
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .position(position(part.location));
      }
      if (depth == 0 && part.kind == ExprKind::kWindow) {
        throw Error(sqlstate::kWindowingError, "window function calls cannot be nested")
            .position(position(part.location));
      }
      return true;
    });
  }
  std::string_view place = forbidden_place(scope.place);
  if (!place.empty()) {
    throw Error(sqlstate::kWindowingError, "window functions are not allowed in {}", place)
        .position(position(location));
  }
  call->window = window_of_call(*node.node("over"), scope);
  call->kind = ExprKind::kWindow;
  scope.query->has_windows = true;
  return call;
}

}  // namespace cofork
