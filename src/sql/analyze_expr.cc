// Expressions: every kind of raw expression node becomes an Expr (transformExpr in parse_expr.c).
#include <charconv>
#include <functional>

#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/parser.h"

namespace cofork {

// --- small things

int Analyzer::position(int location) const {
  return character_position(in_.text, location);
}

Expr* Analyzer::make(ExprKind kind, Oid type, int location) {
  Expr* e = arena_.make<Expr>();
  e->kind = kind;
  e->type = type;
  e->location = location;
  return e;
}

Expr* Analyzer::make_const(Oid type, Datum value, int location) {
  Expr* e = make(ExprKind::kConst, type, location);
  e->value = value;
  return e;
}

Expr* Analyzer::make_null(Oid type, int location) {
  Expr* e = make(ExprKind::kConst, type, location);
  e->is_null = true;
  return e;
}

std::span<Expr*> Analyzer::span_of(std::initializer_list<Expr*> exprs) {
  Expr** items = arena_.make_array<Expr*>(exprs.size());
  std::copy(exprs.begin(), exprs.end(), items);
  return {items, exprs.size()};
}

std::span<Expr*> Analyzer::span_of(const std::vector<Expr*>& exprs) {
  Expr** items = arena_.make_array<Expr*>(exprs.size());
  std::copy(exprs.begin(), exprs.end(), items);
  return {items, exprs.size()};
}

// --- dispatch

Expr* Analyzer::expression(const Node& node, Scope& scope, Place place) {
  Place outer = scope.place;
  scope.place = place;
  Expr* e = transform(node, scope);
  scope.place = outer;
  return e;
}

Expr* Analyzer::transform(const Node& node, Scope& scope) {
  return with_stack([&] { return transform_here(node, scope); });
}

Expr* Analyzer::transform_here(const Node& node, Scope& scope) {
  switch (node.kind) {
    case NodeKind::kAConst:
      return constant(node);
    case NodeKind::kColumnRef:
      return column_reference(node, scope);
    case NodeKind::kParamRef:
      return parameter(node);
    case NodeKind::kAExpr:
      return operator_expression(node, scope);
    case NodeKind::kBoolExpr:
      return boolean_expression(node, scope);
    case NodeKind::kFuncCall:
      return function_call(node, scope);
    case NodeKind::kTypeCast:
      return type_cast(node, scope);
    case NodeKind::kCollateClause:
      return collate(node, scope);
    case NodeKind::kAIndirection:
      return indirection(node, scope);
    case NodeKind::kAArrayExpr:
      return array_expression(node, scope, kInvalidOid, -1);
    case NodeKind::kCaseExpr:
      return case_expression(node, scope);
    case NodeKind::kRowExpr:
      return row_expression(node, scope);
    case NodeKind::kCoalesceExpr:
      return coalesce(node, scope);
    case NodeKind::kMinMaxExpr:
      return min_max(node, scope);
    case NodeKind::kNullTest:
      return null_test(node, scope);
    case NodeKind::kBooleanTest:
      return boolean_test(node, scope);
    case NodeKind::kSubLink:
      return sublink(node, scope);
    case NodeKind::kSqlValueFunction:
      return value_function(node);
    case NodeKind::kGroupingFunc:
      return grouping_function(node, scope);
    case NodeKind::kSetToDefault:
      throw Error(sqlstate::kSyntaxError, "DEFAULT is not allowed in this context")
          .position(position(node.location()));
    default:
      throw Error(sqlstate::kFeatureNotSupported, "{} is not supported", node.kind_name)
          .position(position(node.location()));
  }
}

// --- leaves

Expr* Analyzer::constant(const Node& node) {
  int location = node.location();
  if (node.flag("isnull")) return make_null(type_oid::kUnknown, location);
  if (const Node* ival = node.node("ival")) {
    return make_const(type_oid::kInt4, datum_from_int32(static_cast<int32_t>(ival->number("ival"))),
                      location);
  }
  if (const Node* boolval = node.node("boolval")) {
    return make_const(type_oid::kBool, datum_from_bool(boolval->flag("boolval")), location);
  }
  if (const Node* fval = node.node("fval")) {
    // An integer too large for int4 is an int8 if it fits, else a numeric.
    std::string_view digits = fval->string("fval");
    int64_t integer = 0;
    auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
    if (failure == std::errc{} && stop == digits.data() + digits.size()) {
      // Only the smallest int4 gets here as one: its digits alone are too large.
      bool is_int4 = integer == static_cast<int32_t>(integer);
      return make_const(is_int4 ? type_oid::kInt4 : type_oid::kInt8, datum_from_int64(integer),
                        location);
    }
    return make_const(type_oid::kNumeric,
                      find_type(type_oid::kNumeric)->from_text(*in_.context, digits), location);
  }
  if (const Node* bits = node.node("bsval")) {
    const BuiltinType* bit = find_type(type_oid::kBit);
    if (bit == nullptr || bit->input == nullptr) {
      throw Error(sqlstate::kFeatureNotSupported, "bit strings are not supported")
          .position(position(location));
    }
    return make_const(type_oid::kBit, bit->from_text(*in_.context, bits->string("bsval")),
                      location);
  }
  const Node* text = node.node("sval");
  std::string_view value = text == nullptr ? std::string_view{} : text->text();
  return make_const(type_oid::kUnknown, datum_from_pointer(arena_.copy(value).data()), location);
}

Expr* Analyzer::parameter(const Node& node) {
  int location = node.location();
  int64_t number = node.number("number");
  auto& types = *in_.parameter_types;
  bool known = number > 0 && static_cast<size_t>(number) <= types.size();
  if (!known && (!in_.variable_parameters || number <= 0 || number > 65535)) {
    throw Error(sqlstate::kUndefinedParameter, "there is no parameter ${}", number)
        .position(position(location));
  }
  if (!known) types.resize(static_cast<size_t>(number), kInvalidOid);
  Oid& type = types[static_cast<size_t>(number - 1)];
  if (type == kInvalidOid) type = type_oid::kUnknown;
  Expr* e = make(ExprKind::kParam, type, location);
  e->column = static_cast<int>(number);
  return e;
}

void Analyzer::check_parameters() const {
  const auto& types = *in_.parameter_types;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != kInvalidOid && types[i] != type_oid::kUnknown) continue;
    throw Error(sqlstate::kIndeterminateDatatype, "could not determine data type of parameter ${}",
                i + 1);
  }
}

// --- operators

namespace {

std::string_view operator_name(const Node& node) {
  return node.list("name").back()->text();
}

bool is_scalar_sublink(const Node* node) {
  return node != nullptr && node->is(NodeKind::kSubLink) &&
         node->string("subLinkType") == "EXPR_SUBLINK";
}

}  // namespace

namespace {

/// a + b, both sides given and neither a row: what operator_chain() takes apart.
bool is_plain_operator(const Node& node) {
  return node.is(NodeKind::kAExpr) && node.string("kind") == "AEXPR_OP" &&
         node.node("lexpr") != nullptr && node.node("rexpr") != nullptr &&
         !node.node("lexpr")->is(NodeKind::kRowExpr);
}

}  // namespace

/// a + b + c + …: the chain leans to the left, as deep as it is long. It is gone down in a loop and
/// put together on the way back, so that only what is made of it is limited by the stack.
Expr* Analyzer::operator_chain(const Node& node, Scope& scope) {
  std::vector<const Node*> chain = {&node};
  while (is_plain_operator(*chain.back()->node("lexpr"))) {
    chain.push_back(chain.back()->node("lexpr"));
  }
  Expr* left = transform(*chain.back()->node("lexpr"), scope);
  while (!chain.empty()) {
    const Node& at = *chain.back();
    chain.pop_back();
    this_task().check_interrupts();
    Expr* right = transform(*at.node("rexpr"), scope);
    left = is_row(*left) && is_row(*right)
               ? row_comparison(operator_name(at), left->args, right->args, at.location())
               : make_operator(operator_name(at), left, right, at.location());
  }
  return left;
}

Expr* Analyzer::operator_expression(const Node& node, Scope& scope) {
  if (is_plain_operator(node)) return operator_chain(node, scope);
  std::string_view kind = node.string("kind");
  if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL") {
    return array_comparison(node, scope, kind == "AEXPR_OP_ANY");
  }
  if (kind == "AEXPR_DISTINCT" || kind == "AEXPR_NOT_DISTINCT") {
    return distinct_expression(node, scope, kind == "AEXPR_NOT_DISTINCT");
  }
  if (kind == "AEXPR_NULLIF") return nullif(node, scope);
  if (kind == "AEXPR_IN") return in_list(node, scope);
  if (kind.find("BETWEEN") != kind.npos) return between(node, scope);

  const Node* raw_left = node.node("lexpr");
  const Node* raw_right = node.node("rexpr");
  if (raw_left != nullptr && raw_left->is(NodeKind::kRowExpr) && is_scalar_sublink(raw_right)) {
    Expr* link = make(ExprKind::kSubLink, type_oid::kBool, node.location());
    Expr* left = transform(*raw_left, scope);
    link->subquery = select_statement(*raw_right->node("subselect"), &scope, Place::kNone);
    // (a, b) = (SELECT …): one row, compared as a whole; ANY over at most one row, NULL for none.
    link->name = operator_name(node);
    link->sublink = SubLinkKind::kScalar;
    quantified(node, scope, *link, left, true);
    return link;
  }
  Expr* left = raw_left == nullptr ? nullptr : transform(*raw_left, scope);
  Expr* right = raw_right == nullptr ? nullptr : transform(*raw_right, scope);
  if (left != nullptr && right != nullptr && is_row(*left) && is_row(*right)) {
    return row_comparison(operator_name(node), left->args, right->args, node.location());
  }
  return make_operator(operator_name(node), left, right, node.location());
}

Expr* Analyzer::in_list(const Node& node, Scope& scope) {
  // x IN (a, b): an array comparison over the items that name no column, equalities for the rest.
  bool any = operator_name(node) == "=";
  int location = node.location();
  Expr* left = transform(*node.node("lexpr"), scope);
  std::vector<Expr*> constants, others;
  for (const Node* item : node.node("rexpr")->list("items")) {
    Expr* e = transform(*item, scope);
    bool has_column = false;
    walk(e, 0, [&](const Expr& part, int) {
      has_column |= part.kind == ExprKind::kVar;
      return true;
    });
    (has_column || is_row(*left) || is_row(*e) ? others : constants).push_back(e);
  }
  Expr* result = nullptr;
  if (constants.size() > 1) {
    std::vector<Expr*> all = constants;
    all.push_back(left);
    Oid scalar = common_type(span_of(all), "");
    const BuiltinType* type = scalar == kInvalidOid ? nullptr : find_type(scalar);
    if (type != nullptr && type->array_oid != kInvalidOid && scalar != type_oid::kRecord) {
      Expr* array = make(ExprKind::kArray, type->array_oid, constants[0]->location);
      for (Expr*& e : constants) e = to_common_type(e, scalar, "IN");
      array->args = span_of(constants);
      result = make_array_comparison(any ? "=" : "<>", left, array, any, location);
      constants.clear();
    }
  }
  std::vector<Expr*> terms;
  if (result != nullptr) terms.push_back(result);
  constants.insert(constants.end(), others.begin(), others.end());
  for (Expr* e : constants) {
    std::string_view op = any ? "=" : "<>";
    Expr* term = nullptr;
    if (is_row(*left) && is_row(*e)) {
      term = row_comparison(op, left->args, e->args, location);
    } else {
      term = make_operator(op, left, e, location);
    }
    terms.push_back(to_boolean(term, "IN"));
  }
  if (terms.size() == 1) return terms[0];
  Expr* all = make(any ? ExprKind::kOr : ExprKind::kAnd, type_oid::kBool, location);
  all->args = span_of(terms);
  return all;
}

Expr* Analyzer::between(const Node& node, Scope& scope) {
  std::string_view kind = node.string("kind");
  int location = node.location();
  NodeList bounds = node.node("rexpr")->list("items");
  Expr* x = transform(*node.node("lexpr"), scope);
  Expr* low = transform(*bounds[0], scope);
  Expr* high = transform(*bounds[1], scope);
  bool negate = kind.starts_with("AEXPR_NOT");
  auto range = [&](Expr* from, Expr* to) {
    Expr* e = make(negate ? ExprKind::kOr : ExprKind::kAnd, type_oid::kBool, location);
    e->args = span_of({make_operator(negate ? "<" : ">=", x, from, location),
                       make_operator(negate ? ">" : "<=", x, to, location)});
    return e;
  };
  if (!kind.ends_with("SYM")) return range(low, high);
  Expr* e = make(negate ? ExprKind::kAnd : ExprKind::kOr, type_oid::kBool, location);
  e->args = span_of({range(low, high), range(high, low)});
  return e;
}

Expr* Analyzer::nullif(const Node& node, Scope& scope) {
  Expr* left = transform(*node.node("lexpr"), scope);
  Expr* right = transform(*node.node("rexpr"), scope);
  Expr* equal = make_operator(operator_name(node), left, right, node.location());
  if (equal->type != type_oid::kBool) {
    throw Error(sqlstate::kDatatypeMismatch, "NULLIF requires = operator to yield boolean")
        .position(position(node.location()));
  }
  equal->kind = ExprKind::kNullIf;
  equal->type = equal->args[0]->type;
  equal->typmod = equal->args[0]->typmod;
  return equal;
}

Expr* Analyzer::distinct_expression(const Node& node, Scope& scope, bool negate) {
  Expr* left = transform(*node.node("lexpr"), scope);
  Expr* right = transform(*node.node("rexpr"), scope);
  int location = node.location();
  auto is_null = [](const Expr& e) { return e.kind == ExprKind::kConst && e.is_null; };
  Expr* result = nullptr;
  if (is_null(*left) || is_null(*right)) {
    // x IS DISTINCT FROM NULL is x IS NOT NULL.
    result = make(ExprKind::kNullTest, type_oid::kBool, location);
    Expr* x = is_null(*right) ? left : right;
    result->args =
        span_of({coerce_unknown(x, x->type == type_oid::kUnknown ? type_oid::kText : x->type, -1)});
    result->flag = true;
  } else if (is_row(*left) && is_row(*right)) {
    if (left->args.size() != right->args.size()) {
      throw Error(sqlstate::kSyntaxError, "unequal number of entries in row expressions")
          .position(position(location));
    }
    result = make(ExprKind::kOr, type_oid::kBool, location);
    std::vector<Expr*> terms;
    for (size_t i = 0; i < left->args.size(); ++i) {
      Expr* term = make_operator("=", left->args[i], right->args[i], location);
      term->kind = ExprKind::kDistinct;
      terms.push_back(term);
    }
    result->args = span_of(terms);
  } else {
    result = make_operator(operator_name(node), left, right, location);
    if (result->type != type_oid::kBool) {
      throw Error(sqlstate::kDatatypeMismatch,
                  "IS DISTINCT FROM requires = operator to yield boolean")
          .position(position(location));
    }
    result->kind = ExprKind::kDistinct;
  }
  if (!negate) return result;
  Expr* inverse = make(ExprKind::kNot, type_oid::kBool, location);
  inverse->args = span_of({result});
  return inverse;
}

Expr* Analyzer::array_comparison(const Node& node, Scope& scope, bool any) {
  Expr* left = transform(*node.node("lexpr"), scope);
  Expr* right = transform(*node.node("rexpr"), scope);
  return make_array_comparison(operator_name(node), left, right, any, node.location());
}

Expr* Analyzer::make_array_comparison(std::string_view op, Expr* left, Expr* array, bool any,
                                      int location) {
  Oid right_type = type_oid::kUnknown;
  if (array->type != type_oid::kUnknown) {
    const BuiltinType* type = find_type(array->type);
    if (type == nullptr || !type->is_array()) {
      throw Error(sqlstate::kWrongObjectType, "op ANY/ALL (array) requires array on right side")
          .position(position(location));
    }
    right_type = type->element_oid;
  }
  const BuiltinOperator* chosen = choose_operator(op, left->type, right_type, location);
  if (chosen->result != type_oid::kBool) {
    throw Error(sqlstate::kWrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
        .position(position(location));
  }
  Oid actual[2] = {left->type == type_oid::kUnknown ? right_type : left->type, right_type};
  Oid declared[2] = {chosen->left, chosen->right};
  std::vector<Oid> concrete;
  Oid result_type = chosen->result;
  if (!resolve_polymorphic(declared, actual, concrete, chosen->result, result_type)) {
    no_such_operator(op, left->type, right_type, location, false);
  }
  const BuiltinType* element = find_type(concrete[1]);
  if (element == nullptr || element->array_oid == kInvalidOid) {
    throw Error(sqlstate::kUndefinedObject, "could not find array type for data type {}",
                type_name(concrete[1]))
        .position(position(location));
  }
  Expr* e = make(ExprKind::kArrayCompare, type_oid::kBool, location);
  e->function = find_function(chosen->function);
  e->name = op;
  e->flag = any;
  Oid* types = arena_.make_array<Oid>(2);
  std::copy(concrete.begin(), concrete.end(), types);
  e->arg_types = {types, 2};
  e->args = span_of({coerce(left, concrete[0], -1, CastContext::kImplicit),
                     coerce(array, element->array_oid, -1, CastContext::kImplicit)});
  return e;
}

Expr* Analyzer::boolean_expression(const Node& node, Scope& scope) {
  std::string_view op = node.string("boolop");
  ExprKind kind = op == "AND_EXPR"  ? ExprKind::kAnd
                  : op == "OR_EXPR" ? ExprKind::kOr
                                    : ExprKind::kNot;
  std::string_view name = kind == ExprKind::kAnd ? "AND" : kind == ExprKind::kOr ? "OR" : "NOT";
  std::vector<Expr*> args;
  for (const Node* arg : node.list("args")) {
    args.push_back(to_boolean(transform(*arg, scope), name));
  }
  Expr* e = make(kind, type_oid::kBool, node.location());
  e->args = span_of(args);
  return e;
}

// --- conditional expressions

Expr* Analyzer::case_expression(const Node& node, Scope& scope) {
  Expr* e = make(ExprKind::kCase, kInvalidOid, node.location());
  Expr* value = nullptr;
  if (const Node* arg = node.node("arg")) {
    Expr* operand = transform(*arg, scope);
    if (operand->type == type_oid::kUnknown) operand = coerce_unknown(operand, type_oid::kText, -1);
    value = make(ExprKind::kCaseValue, operand->type, operand->location);
    value->typmod = operand->typmod;
    value->args = span_of({operand});
  }
  std::vector<Expr*> parts, results;
  for (const Node* when : node.list("args")) {
    Expr* condition = nullptr;
    const Node& raw = *when->node("expr");
    if (value != nullptr) {
      condition = make_operator("=", value, transform(raw, scope), raw.location());
    } else {
      condition = transform(raw, scope);
    }
    parts.push_back(to_boolean(condition, "CASE/WHEN"));
    results.push_back(transform(*when->node("result"), scope));
  }
  const Node* otherwise = node.node("defresult");
  Expr* otherwise_value =
      otherwise != nullptr ? transform(*otherwise, scope) : make_null(type_oid::kUnknown, -1);
  // PostgreSQL lets the ELSE result speak first when it looks for the common type.
  std::vector<Expr*> all = {otherwise_value};
  all.insert(all.end(), results.begin(), results.end());
  e->type = common_type(span_of(all), "CASE");
  std::vector<Expr*> args;
  for (size_t i = 0; i < results.size(); ++i) {
    args.push_back(parts[i]);
    args.push_back(to_common_type(results[i], e->type, "CASE/WHEN"));
  }
  args.push_back(to_common_type(otherwise_value, e->type, "CASE/ELSE"));
  e->args = span_of(args);
  // The operand is computed once, before the conditions that refer to it.
  if (value != nullptr) e->subquery_columns = span_of({value});
  return e;
}

Expr* Analyzer::coalesce(const Node& node, Scope& scope) {
  Expr* e = make(ExprKind::kCoalesce, kInvalidOid, node.location());
  std::vector<Expr*> args;
  for (const Node* arg : node.list("args")) args.push_back(transform(*arg, scope));
  e->args = span_of(args);
  e->type = common_type(e->args, "COALESCE");
  for (Expr*& arg : e->args) arg = to_common_type(arg, e->type, "COALESCE");
  e->typmod = common_typmod(e->args, e->type);
  return e;
}

Expr* Analyzer::min_max(const Node& node, Scope& scope) {
  Expr* e = make(ExprKind::kMinMax, kInvalidOid, node.location());
  e->flag = node.string("op") == "IS_GREATEST";
  std::string_view name = e->flag ? "GREATEST" : "LEAST";
  std::vector<Expr*> args;
  for (const Node* arg : node.list("args")) args.push_back(transform(*arg, scope));
  e->args = span_of(args);
  e->type = common_type(e->args, name);
  const BuiltinType* type = find_type(e->type);
  if (type == nullptr || type->compare == nullptr) {
    throw Error(sqlstate::kUndefinedFunction,
                "could not identify a comparison function for type {}", type_name(e->type));
  }
  for (Expr*& arg : e->args) arg = to_common_type(arg, e->type, name);
  e->typmod = common_typmod(e->args, e->type);
  return e;
}

Expr* Analyzer::null_test(const Node& node, Scope& scope) {
  Expr* arg = transform(*node.node("arg"), scope);
  Expr* e = make(ExprKind::kNullTest, type_oid::kBool, node.location());
  e->flag = node.string("nulltesttype") == "IS_NOT_NULL";
  // A parameter's type does not show in what it is tested for: 42P18 unless it is seen elsewhere.
  if (arg->type == type_oid::kUnknown && arg->kind != ExprKind::kParam) {
    arg = coerce_unknown(arg, type_oid::kText, -1);
  }
  e->args = span_of({arg});
  return e;
}

Expr* Analyzer::boolean_test(const Node& node, Scope& scope) {
  struct Row {
    std::string_view kind, name;
    BoolTest test;
  };
  static constexpr Row kTests[] = {
      {"IS_TRUE", "IS TRUE", BoolTest::kTrue},
      {"IS_NOT_TRUE", "IS NOT TRUE", BoolTest::kNotTrue},
      {"IS_FALSE", "IS FALSE", BoolTest::kFalse},
      {"IS_NOT_FALSE", "IS NOT FALSE", BoolTest::kNotFalse},
      {"IS_UNKNOWN", "IS UNKNOWN", BoolTest::kUnknown},
      {"IS_NOT_UNKNOWN", "IS NOT UNKNOWN", BoolTest::kNotUnknown},
  };
  Expr* e = make(ExprKind::kBoolTest, type_oid::kBool, node.location());
  for (const Row& row : kTests) {
    if (row.kind != node.string("booltesttype")) continue;
    e->test = row.test;
    e->args = span_of({to_boolean(transform(*node.node("arg"), scope), row.name)});
  }
  return e;
}

}  // namespace cofork
