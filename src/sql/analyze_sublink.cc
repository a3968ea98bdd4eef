// Sub-selects in expressions, row comparisons, and the SQL-standard functions without parentheses.
#include "sql/analyze.h"

namespace cofork {

Expr* Analyzer::sublink(const Node& node, Scope& scope) {
  int location = node.location();
  std::string_view kind = node.string("subLinkType");
  Expr* link = make(ExprKind::kSubLink, type_oid::kBool, location);
  Expr* left = nullptr;
  bool quantifier = kind == "ANY_SUBLINK" || kind == "ALL_SUBLINK";
  if (quantifier) left = transform(*node.node("testexpr"), scope);
  link->subquery = select_statement(*node.node("subselect"), &scope, Place::kNone);
  size_t columns = 0;
  const Expr* first = nullptr;
  for (const Target& target : link->subquery->targets) {
    if (target.junk) continue;
    if (columns++ == 0) first = target.expr;
  }
  if (kind == "EXISTS_SUBLINK") {
    link->sublink = SubLinkKind::kExists;
    return link;
  }
  if (quantifier) {
    NodeList names = node.list("operName");
    link->name = names.empty() ? "=" : names.back()->text();
    link->sublink = kind == "ANY_SUBLINK" ? SubLinkKind::kAny : SubLinkKind::kAll;
    quantified(node, scope, *link, left, kind == "ANY_SUBLINK");
    return link;
  }
  if (columns != 1) {
    fail_at(sqlstate::kSyntaxError, "subquery must return only one column", location);
  }
  link->sublink = SubLinkKind::kScalar;
  link->type = first->type;
  link->typmod = first->typmod;
  if (kind == "ARRAY_SUBLINK") {
    link->sublink = SubLinkKind::kArray;
    const BuiltinType* type = find_type(first->type);
    link->type = type->is_array() ? type->oid : type->array_oid;
    if (link->type == kInvalidOid) {
      fail_at(sqlstate::kUndefinedObject,
              fmt::format("could not find array type for data type {}", type_name(first->type)),
              location);
    }
  }
  return link;
}

void Analyzer::quantified(const Node& node, Scope&, Expr& link, Expr* left, bool) {
  int location = node.location();
  std::vector<Expr*> left_side;
  if (is_row(*left)) {
    left_side.assign(left->args.begin(), left->args.end());
  } else {
    left_side.push_back(left);
  }
  // Stand-ins for the columns of the sub-select's current row.
  std::vector<Expr*> columns;
  for (const Target& target : link.subquery->targets) {
    if (target.junk) continue;
    Expr* column = make(ExprKind::kCaseValue, target.expr->type, target.expr->location);
    column->typmod = target.expr->typmod;
    columns.push_back(column);
  }
  if (columns.size() != left_side.size()) {
    throw Error(sqlstate::kSyntaxError, "subquery has too {} columns",
                columns.size() > left_side.size() ? "many" : "few")
        .position(position(location));
  }
  link.subquery_columns = span_of(columns);
  Expr* test = nullptr;
  if (columns.size() == 1) {
    test = make_operator(link.name, left_side[0], columns[0], location);
    if (test->type != type_oid::kBool) {
      throw Error(sqlstate::kDatatypeMismatch,
                  "row comparison operator must yield type boolean, not type {}",
                  type_name(test->type))
          .position(position(location));
    }
  } else {
    test = row_comparison(link.name, span_of(left_side), span_of(columns), location);
  }
  link.args = span_of({test});
}

Expr* Analyzer::row_comparison(std::string_view op, std::span<Expr*> left, std::span<Expr*> right,
                               int location) {
  if (left.size() != right.size()) {
    throw Error(sqlstate::kSyntaxError, "unequal number of entries in row expressions")
        .position(position(location));
  }
  if (left.empty()) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot compare rows of zero length")
        .position(position(location));
  }
  std::vector<Expr*> tests;
  for (size_t i = 0; i < left.size(); ++i) {
    tests.push_back(to_boolean(make_operator(op, left[i], right[i], location), "row comparison"));
  }
  if (tests.size() == 1) return tests[0];
  if (op == "=" || op == "<>") {
    Expr* e = make(op == "=" ? ExprKind::kAnd : ExprKind::kOr, type_oid::kBool, location);
    e->args = span_of(tests);
    return e;
  }
  if (op != "<" && op != "<=" && op != ">" && op != ">=") {
    throw Error(sqlstate::kFeatureNotSupported,
                "could not determine interpretation of row comparison operator {}", op)
        .hint("Row comparison operators must be associated with btree operator families.")
        .position(position(location));
  }
  // The first pair that differs decides.
  Expr* e = make(ExprKind::kRowCompare, type_oid::kBool, location);
  e->name = op;
  std::vector<Expr*> pairs;
  for (Expr* test : tests) {
    Oid type = common_type(test->args, "row comparison");
    for (Expr* side : test->args) pairs.push_back(to_common_type(side, type, "row comparison"));
  }
  e->args = span_of(pairs);
  return e;
}

Expr* Analyzer::value_function(const Node& node) {
  std::string_view op = node.string("op");
  int location = node.location();
  auto typmod = static_cast<int32_t>(node.find("typmod") == nullptr ? 0 : node.number("typmod"));
  struct Row {
    std::string_view op;
    std::string_view function;
    Oid type;
  };
  static constexpr Row kRows[] = {
      {"SVFOP_CURRENT_DATE", "now", type_oid::kDate},
      {"SVFOP_CURRENT_TIME", "now", type_oid::kTimeTz},
      {"SVFOP_CURRENT_TIME_N", "now", type_oid::kTimeTz},
      {"SVFOP_CURRENT_TIMESTAMP", "now", type_oid::kTimestampTz},
      {"SVFOP_CURRENT_TIMESTAMP_N", "now", type_oid::kTimestampTz},
      {"SVFOP_LOCALTIME", "now", type_oid::kTime},
      {"SVFOP_LOCALTIME_N", "now", type_oid::kTime},
      {"SVFOP_LOCALTIMESTAMP", "now", type_oid::kTimestamp},
      {"SVFOP_LOCALTIMESTAMP_N", "now", type_oid::kTimestamp},
      {"SVFOP_CURRENT_ROLE", "current_user", type_oid::kName},
      {"SVFOP_CURRENT_USER", "current_user", type_oid::kName},
      {"SVFOP_USER", "current_user", type_oid::kName},
      {"SVFOP_SESSION_USER", "session_user", type_oid::kName},
      {"SVFOP_CURRENT_CATALOG", "current_database", type_oid::kName},
      {"SVFOP_CURRENT_SCHEMA", "current_schema", type_oid::kName},
  };
  for (const Row& row : kRows) {
    if (row.op != op) continue;
    for (const BuiltinFunction* function : functions_named(row.function)) {
      if (!function->args.empty()) continue;
      Expr* call = make_call(*function, {}, function->result, location);
      if (op == "SVFOP_CURRENT_TIMESTAMP")
        call->name = "current_timestamp";  // as deparse() shows it
      Expr* e = coerce(call, row.type, -1, CastContext::kExplicit);
      return apply_typmod(e, typmod, CastContext::kExplicit);
    }
  }
  throw Error(sqlstate::kFeatureNotSupported, "{} is not supported", op)
      .position(position(location));
}

Expr* Analyzer::grouping_function(const Node& node, Scope& scope) {
  Expr* e = make(ExprKind::kGrouping, type_oid::kInt4, node.location());
  std::vector<Expr*> args;
  for (const Node* arg : node.list("args")) args.push_back(transform(*arg, scope));
  if (args.size() > 31) {
    throw Error(sqlstate::kTooManyArguments, "GROUPING must have fewer than 32 arguments")
        .position(position(node.location()));
  }
  e->args = span_of(args);
  return e;
}

}  // namespace cofork
