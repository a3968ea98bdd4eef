// Choosing functions and operators: exact matches first, then the fewest conversions, then
// preferred types, then what an unknown literal is most likely to be.
//
// As func_get_detail and func_select_candidate in parse_func.c and oper() in parse_oper.c.
#include <algorithm>

#include "catalog/window_functions.h"
#include "sql/analyze.h"

namespace cofork {
namespace {

std::vector<Oid> types_of(std::span<Expr*> args) {
  std::vector<Oid> types;
  for (const Expr* e : args) types.push_back(e->type);
  return types;
}

bool has_polymorphic(std::span<const Oid> types) {
  return std::ranges::any_of(types, [](Oid t) {
    const BuiltinType* type = find_type(t);
    return type != nullptr && type->is_pseudo();
  });
}

template <typename T>
void keep_if(std::vector<T>& items, auto&& wanted) {
  std::erase_if(items, [&](const T& item) { return !wanted(item); });
}

}  // namespace

// --- candidates

std::vector<Analyzer::Candidate> Analyzer::call_candidates(std::string_view schema,
                                                           std::string_view name, size_t count,
                                                           bool variadic) {
  std::vector<Candidate> found;
  if (!schema.empty() && schema != "pg_catalog") return found;
  for (const BuiltinFunction* function : functions_named(name)) {
    size_t declared = function->args.size();
    Candidate candidate;
    candidate.function = function;
    if (function->variadic != kInvalidOid && !variadic && count + 1 >= declared) {
      // The last argument stands for any number of them.
      bool is_any = function->variadic == type_oid::kAny;
      if (is_any && count < declared) continue;
      if (!is_any && count + 1 == declared) continue;
      Oid* args = arena_.make_array<Oid>(count);
      for (size_t i = 0; i < count; ++i) {
        args[i] = i + 1 < declared ? function->args[i] : function->variadic;
      }
      candidate.args = {args, count};
      candidate.variadic_expanded = !is_any;
    } else if (count <= declared && count + function->defaults.size() >= declared) {
      candidate.args = std::span<const Oid>(function->args).first(count);
    } else {
      continue;
    }
    found.push_back(candidate);
  }
  for (const BuiltinAggregate* aggregate : aggregates_named(name)) {
    if (aggregate->args.size() != count) continue;
    Candidate candidate;
    candidate.args = aggregate->args;
    candidate.aggregate = aggregate;
    found.push_back(candidate);
  }
  return found;
}

std::vector<Analyzer::Candidate> Analyzer::best_candidates(std::vector<Candidate> candidates,
                                                           std::span<const Oid> input) {
  auto exact = [&](const Candidate& c) { return std::ranges::equal(c.args, input); };
  for (const Candidate& c : candidates) {
    if (exact(c)) return {c};
  }
  keep_if(candidates, [&](const Candidate& c) {
    for (size_t i = 0; i < input.size(); ++i) {
      if (!can_coerce(input[i], c.args[i], CastContext::kImplicit)) return false;
    }
    if (!has_polymorphic(c.args)) return true;
    std::vector<Oid> concrete;
    Oid result = kInvalidOid;
    return resolve_polymorphic(c.args, input, concrete, kInvalidOid, result);
  });
  if (candidates.size() < 2) return candidates;

  auto keep_best = [&](auto&& score) {
    int best = 0;
    for (const Candidate& c : candidates) best = std::max(best, score(c));
    keep_if(candidates, [&](const Candidate& c) { return score(c) == best; });
  };
  auto known = [&](size_t i) { return input[i] != type_oid::kUnknown; };
  // 1. The most exact matches on known types.
  keep_best([&](const Candidate& c) {
    int score = 0;
    for (size_t i = 0; i < input.size(); ++i) score += known(i) && c.args[i] == input[i];
    return score;
  });
  if (candidates.size() == 1) return candidates;
  // 2. The most exact matches and preferred types.
  keep_best([&](const Candidate& c) {
    int score = 0;
    for (size_t i = 0; i < input.size(); ++i) {
      if (!known(i)) continue;
      score += c.args[i] == input[i] ||
               (category(c.args[i]) == category(input[i]) && is_preferred(c.args[i]));
    }
    return score;
  });
  if (candidates.size() == 1) return candidates;
  // 3. Unknown literals: a string if any candidate takes one, else the one category all take.
  bool has_unknown = false;
  bool resolved = true;
  std::vector<Candidate> narrowed = candidates;
  for (size_t i = 0; i < input.size() && resolved; ++i) {
    if (known(i)) continue;
    has_unknown = true;
    char chosen = 0;
    bool agree = true, preferred = false;
    for (const Candidate& c : candidates) {
      char cat = category(c.args[i]);
      if (cat == 'S') {
        chosen = 'S';
        agree = true;
      } else if (chosen == 0) {
        chosen = cat;
      } else if (chosen != cat && chosen != 'S') {
        agree = false;
      }
    }
    if (!agree && chosen != 'S') {
      resolved = false;
      break;
    }
    for (const Candidate& c : candidates) {
      preferred |= category(c.args[i]) == chosen && is_preferred(c.args[i]);
    }
    keep_if(narrowed, [&](const Candidate& c) {
      return category(c.args[i]) == chosen && (!preferred || is_preferred(c.args[i]));
    });
  }
  if (!has_unknown) return candidates;
  if (resolved && !narrowed.empty()) {
    candidates = std::move(narrowed);
    if (candidates.size() == 1) return candidates;
  }
  // 4. If all known arguments have one type, the unknown ones may have it too.
  Oid one_type = type_oid::kUnknown;
  for (Oid type : input) {
    if (type == type_oid::kUnknown || type == one_type) continue;
    if (one_type != type_oid::kUnknown) return candidates;
    one_type = type;
  }
  if (one_type == type_oid::kUnknown) return candidates;
  std::vector<Candidate> fitting = candidates;
  keep_if(fitting, [&](const Candidate& c) {
    return std::ranges::all_of(c.args, [&](Oid declared) {
      return can_coerce(one_type, declared, CastContext::kImplicit);
    });
  });
  if (fitting.size() == 1) return fitting;
  return candidates;
}

bool Analyzer::resolve_polymorphic(std::span<const Oid> declared, std::span<const Oid> actual,
                                   std::vector<Oid>& concrete, Oid declared_result, Oid& result) {
  concrete.assign(declared.begin(), declared.end());
  result = declared_result;
  Oid element = kInvalidOid, compatible = kInvalidOid;
  auto array_of = [](Oid type) {
    const BuiltinType* found = find_type(type);
    return found == nullptr ? kInvalidOid : found->array_oid;
  };
  auto element_of = [](Oid type) {
    const BuiltinType* found = find_type(type);
    return found != nullptr && found->is_array() ? found->element_oid : kInvalidOid;
  };
  std::vector<Expr*> compatibles;
  for (size_t i = 0; i < declared.size(); ++i) {
    Oid type = actual[i];
    bool is_array =
        declared[i] == type_oid::kAnyArray || declared[i] == type_oid::kAnyCompatibleArray;
    if (type == type_oid::kUnknown) continue;
    if (is_array) {
      type = element_of(type);
      if (type == kInvalidOid) return false;
    }
    switch (declared[i]) {
      case type_oid::kAnyNonArray:
      case type_oid::kAnyElement:
      case type_oid::kAnyArray:
        if (declared[i] == type_oid::kAnyNonArray && element_of(type) != kInvalidOid) return false;
        if (element != kInvalidOid && element != type) return false;
        element = type;
        break;
      case type_oid::kAnyCompatibleNonArray:
      case type_oid::kAnyCompatible:
      case type_oid::kAnyCompatibleArray:
        compatibles.push_back(make_null(type, -1));
        break;
      case type_oid::kAnyEnum:
      case type_oid::kAnyRange:
        return false;
      default:
        break;
    }
  }
  if (!compatibles.empty()) {
    compatible = common_type(span_of(compatibles), "");
    if (compatible == kInvalidOid) return false;
    for (Expr* e : compatibles) {
      if (!can_coerce(e->type, compatible, CastContext::kImplicit)) return false;
    }
  }
  // Literals of unknown type alone: text, as "unknown" resolves everywhere.
  if (element == kInvalidOid) element = type_oid::kText;
  if (compatible == kInvalidOid) compatible = type_oid::kText;
  auto concrete_type = [&](Oid type) {
    switch (type) {
      case type_oid::kAnyNonArray:
      case type_oid::kAnyElement:
        return element;
      case type_oid::kAnyArray:
        return array_of(element);
      case type_oid::kAnyCompatibleNonArray:
      case type_oid::kAnyCompatible:
        return compatible;
      case type_oid::kAnyCompatibleArray:
        return array_of(compatible);
      default:
        return type;
    }
  };
  for (Oid& type : concrete) type = concrete_type(type);
  result = concrete_type(declared_result);
  return std::ranges::find(concrete, kInvalidOid) == concrete.end();
}

void Analyzer::coerce_arguments(std::span<const Oid> concrete, std::span<Expr*> args,
                                bool is_variadic) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (concrete[i] == type_oid::kAny) {
      // "any" takes what comes; a bare literal is text where several arguments may come.
      if (args[i]->type == type_oid::kUnknown && args[i]->kind == ExprKind::kConst && is_variadic) {
        args[i] = coerce_unknown(args[i], type_oid::kText, -1);
      }
      continue;
    }
    args[i] = coerce(args[i], concrete[i], -1, CastContext::kImplicit);
  }
}

Expr* Analyzer::make_call(const BuiltinFunction& function, std::span<Expr*> args, Oid type,
                          int location) {
  Expr* e = make(function.returns_set() ? ExprKind::kSetCall : ExprKind::kCall, type, location);
  e->function = &function;
  e->name = function.name;
  e->args = args;
  Oid* types = arena_.make_array<Oid>(args.size());
  for (size_t i = 0; i < args.size(); ++i) types[i] = args[i]->type;
  e->arg_types = {types, args.size()};
  return e;
}

void Analyzer::fail_at(SqlState code, std::string_view message, int location) const {
  throw Error(code, "{}", message).position(position(location));
}

// --- functions

void Analyzer::no_such_function(std::string_view schema, std::string_view name,
                                std::span<Expr*> args, int location, bool ambiguous) {
  std::string signature = schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
  signature += '(';
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) signature += ", ";
    signature += type_name(args[i]->type);
  }
  signature += ')';
  if (ambiguous) {
    throw Error(sqlstate::kAmbiguousFunction, "function {} is not unique", signature)
        .hint(
            "Could not choose a best candidate function. You might need to add explicit type "
            "casts.")
        .position(position(location));
  }
  throw Error(sqlstate::kUndefinedFunction, "function {} does not exist", signature)
      .hint(
          "No function matches the given name and argument types. You might need to add explicit "
          "type casts.")
      .position(position(location));
}

Expr* Analyzer::call_function(std::string_view schema, std::string_view name, std::span<Expr*> args,
                              const Node& node, Scope& scope) {
  if (!schema.empty() && schema != "pg_catalog" && schema != "public" &&
      schema != "information_schema") {
    throw Error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", schema)
        .position(position(node.location()));
  }
  bool variadic = node.flag("func_variadic");
  std::vector<Oid> input = types_of(args);
  std::vector<Candidate> candidates = call_candidates(schema, name, args.size(), variadic);
  auto is_exact = [&](const Candidate& c) { return std::ranges::equal(c.args, input); };
  // int4('7') is a cast, when no function of that name takes just this argument.
  if (args.size() == 1 && !node.flag("agg_star") && std::ranges::none_of(candidates, is_exact)) {
    const BuiltinType* type = find_type(name);
    const BuiltinFunction* function = nullptr;
    if (type != nullptr && type->name == name && !type->is_pseudo()) {
      Oid source = args[0]->type;
      Pathway path = source == type_oid::kUnknown
                         ? Pathway::kRelabel
                         : find_pathway(source, type->oid, CastContext::kExplicit, &function);
      bool text_io = path == Pathway::kIo && type->category == 'S';
      if (path == Pathway::kRelabel || (path == Pathway::kIo && !text_io)) {
        return coerce(args[0], type->oid, -1, CastContext::kExplicit);
      }
    }
  }
  std::vector<Candidate> best = best_candidates(std::move(candidates), input);
  if (best.size() > 1) no_such_function(schema, name, args, node.location(), true);
  if (best.empty()) no_such_function(schema, name, args, node.location(), false);
  return finish_call(best[0], name, args, node, scope);
}

Expr* Analyzer::finish_call(const Candidate& chosen, std::string_view name, std::span<Expr*> args,
                            const Node& node, Scope& scope) {
  if (chosen.aggregate != nullptr) return finish_aggregate(chosen, name, args, node, scope);
  const BuiltinFunction& function = *chosen.function;
  int location = node.location();
  auto refuse = [&](std::string_view what) {
    throw Error(sqlstate::kWrongObjectType, "{} specified, but {} is not an aggregate function",
                what, name)
        .position(position(location));
  };
  if (node.flag("agg_star")) {
    throw Error(sqlstate::kWrongObjectType, "{}(*) specified, but {} is not an aggregate function",
                name, name)
        .position(position(location));
  }
  if (is_window_function(function)) {
    check_window_function_call(name, node);
  } else {
    if (node.flag("agg_distinct")) refuse("DISTINCT");
    if (node.flag("agg_within_group")) refuse("WITHIN GROUP");
    if (!node.list("agg_order").empty()) refuse("ORDER BY");
    if (node.node("agg_filter") != nullptr) refuse("FILTER");
  }

  std::vector<Oid> concrete;
  Oid result = function.result;
  std::vector<Oid> input = types_of(args);
  resolve_polymorphic(chosen.args, input, concrete, function.result, result);
  bool is_variadic = function.variadic != kInvalidOid;
  if (result == type_oid::kAnyArray &&
      std::ranges::all_of(input, [](Oid t) { return t == type_oid::kUnknown; })) {
    throw Error(sqlstate::kDatatypeMismatch,
                "could not determine polymorphic type because input has type unknown");
  }
  coerce_arguments(concrete, args, is_variadic);
  std::vector<Expr*> all(args.begin(), args.end());
  if (chosen.variadic_expanded) {
    // The trailing arguments travel as one array.
    size_t fixed = function.args.size() - 1;
    std::vector<Expr*> rest(all.begin() + static_cast<ptrdiff_t>(fixed), all.end());
    Oid element = rest.empty() ? function.variadic : rest[0]->type;
    Expr* array = make(ExprKind::kArray, find_type(element)->array_oid, location);
    array->args = span_of(rest);
    all.resize(fixed);
    all.push_back(array);
  }
  for (size_t missing = all.size(); missing < function.args.size() && !function.defaults.empty();
       ++missing) {
    size_t first = function.args.size() - function.defaults.size();
    all.push_back(make_const(function.args[missing], function.defaults[missing - first], -1));
  }
  Expr* e = make_call(function, span_of(all), result, location);
  if (function.returns_set() && node.node("over") != nullptr) {
    throw Error(sqlstate::kWrongObjectType,
                "OVER specified, but {} is not a window function nor an aggregate function", name)
        .position(position(location));
  }
  return node.node("over") != nullptr ? finish_window_call(e, node, scope) : e;
}

Expr* Analyzer::finish_aggregate(const Candidate& chosen, std::string_view name,
                                 std::span<Expr*> args, const Node& node, Scope& scope) {
  int location = node.location();
  if (args.empty() && !node.flag("agg_star")) {
    throw Error(sqlstate::kWrongObjectType,
                "{}(*) must be used to call a parameterless aggregate function", name)
        .position(position(location));
  }
  if (node.flag("agg_within_group")) {
    throw Error(sqlstate::kWrongObjectType,
                "{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
        .position(position(location));
  }
  std::vector<Oid> concrete;
  Oid result = chosen.aggregate->result;
  resolve_polymorphic(chosen.args, types_of(args), concrete, chosen.aggregate->result, result);
  coerce_arguments(concrete, args);
  Expr* e = make(ExprKind::kAggregate, result, location);
  e->aggregate = chosen.aggregate;
  e->name = name;
  e->args = args;
  e->distinct = node.flag("agg_distinct");
  Oid* types = arena_.make_array<Oid>(args.size() + 1);
  for (size_t i = 0; i < args.size(); ++i) types[i] = args[i]->type;
  e->arg_types = {types, args.size()};
  if (const Node* filter = node.node("agg_filter")) {
    e->filter = to_boolean(expression(*filter, scope, Place::kFilter), "FILTER");
  }
  List<SortKey> order;
  for (const Node* item : node.list("agg_order")) {
    Expr* key = transform(*item->node("node"), scope);
    if (key->type == type_oid::kUnknown) key = coerce_unknown(key, type_oid::kText, -1);
    order.push(arena_, sort_key(*item, key, -1));
  }
  e->order = order;
  if (e->distinct) {
    if (args.empty()) {
      throw Error(sqlstate::kSyntaxError, "DISTINCT specified, but {} takes no arguments", name)
          .position(position(location));
    }
    for (const SortKey& key : e->order) {
      if (std::ranges::any_of(args, [&](Expr* a) { return same_expr(a, key.expr); })) continue;
      throw Error(
          sqlstate::kInvalidColumnReference,
          "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
          .position(position(key.expr->location));
    }
    for (const Expr* a : args) require_equality(a->type, a->location);
  }
  if (node.node("over") != nullptr) return finish_window_call(e, node, scope);
  check_aggregate_place(*e, name, scope);
  return e;
}

Expr* Analyzer::function_call(const Node& node, Scope& scope) {
  constexpr size_t kMostFunctionArguments = 100;  // FUNC_MAX_ARGS
  NodeList names = node.list("funcname");
  std::string_view schema = names.size() > 1 ? names[0]->text() : std::string_view{};
  std::string_view name = names.back()->text();
  std::vector<Expr*> args;
  std::vector<std::string_view> arg_names;
  for (const Node* raw : node.list("args")) {
    if (raw->is(NodeKind::kNamedArgExpr)) {
      arg_names.push_back(raw->string("name"));
      args.push_back(transform(*raw->node("arg"), scope));
      continue;
    }
    if (!arg_names.empty()) {
      fail_at(sqlstate::kSyntaxError, "positional argument cannot follow named argument",
              raw->location());
    }
    args.push_back(transform(*raw, scope));
  }
  if (args.size() > kMostFunctionArguments) {
    fail_at(sqlstate::kTooManyArguments,
            fmt::format("cannot pass more than {} arguments to a function", kMostFunctionArguments),
            node.location());
  }
  if (arg_names.empty()) return call_function(schema, name, span_of(args), node, scope);
  return call_by_names(schema, name, args, arg_names, node, scope);
}

/// name => value: puts the values where the one function with those names wants them. (Apart from
/// function_call(), whose frame is on the stack once for every level of f(f(f(…))).)
Expr* Analyzer::call_by_names(std::string_view schema, std::string_view name,
                              const std::vector<Expr*>& args,
                              std::span<const std::string_view> arg_names, const Node& node,
                              Scope& scope) {
  size_t positional = args.size() - arg_names.size();
  for (const BuiltinFunction* function : functions_named(name)) {
    std::vector<Expr*> placed(function->args.size(), nullptr);
    std::copy_n(args.begin(), std::min(positional, placed.size()), placed.begin());
    size_t found = 0;
    for (size_t i = 0; i < arg_names.size(); ++i) {
      auto at = std::ranges::find(function->arg_names, arg_names[i]);
      if (at == function->arg_names.end()) break;
      auto index = static_cast<size_t>(at - function->arg_names.begin());
      if (index >= placed.size() || placed[index] != nullptr) break;
      placed[index] = args[positional + i];
      ++found;
    }
    if (found != arg_names.size() || positional > placed.size()) continue;
    size_t first_default = placed.size() - function->defaults.size();
    bool complete = true;
    for (size_t i = 0; i < placed.size(); ++i) {
      if (placed[i] != nullptr) continue;
      if (i < first_default) {
        complete = false;
        break;
      }
      placed[i] = make_const(function->args[i], function->defaults[i - first_default], -1);
    }
    if (complete) return call_function(schema, name, span_of(placed), node, scope);
  }
  std::string signature(name);
  signature += '(';
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) signature += ", ";
    if (i >= positional) signature += fmt::format("{} => ", arg_names[i - positional]);
    signature += type_name(args[i]->type);
  }
  throw Error(sqlstate::kUndefinedFunction, "function {}) does not exist", signature)
      .hint(
          "No function matches the given name and argument types. You might need to add explicit "
          "type casts.")
      .position(position(node.location()));
}

// --- operators

void Analyzer::no_such_operator(std::string_view name, Oid left, Oid right, int location,
                                bool ambiguous) {
  std::string signature = left == kInvalidOid
                              ? fmt::format("{} {}", name, type_name(right))
                              : fmt::format("{} {} {}", type_name(left), name, type_name(right));
  if (ambiguous) {
    throw Error(sqlstate::kAmbiguousFunction, "operator is not unique: {}", signature)
        .hint(
            "Could not choose a best candidate operator. You might need to add explicit type "
            "casts.")
        .position(position(location));
  }
  throw Error(sqlstate::kUndefinedFunction, "operator does not exist: {}", signature)
      .hint("{}", left == kInvalidOid ? "No operator matches the given name and argument type. You "
                                        "might need to add an explicit type cast."
                                      : "No operator matches the given name and argument types. "
                                        "You might need to add explicit type casts.")
      .position(position(location));
}

const BuiltinOperator* Analyzer::choose_operator(std::string_view name, Oid left, Oid right,
                                                 int location) {
  std::vector<Candidate> candidates;
  bool is_prefix = left == kInvalidOid;
  std::vector<Oid> input;
  if (!is_prefix) input.push_back(left);
  input.push_back(right);
  // A literal beside a known type is first tried as that type.
  std::vector<Oid> guess = input;
  if (!is_prefix && left == type_oid::kUnknown) guess[0] = right;
  if (!is_prefix && right == type_oid::kUnknown) guess[1] = left;
  for (const BuiltinOperator* op : operators_named(name)) {
    if ((op->left == kInvalidOid) != is_prefix) continue;
    Oid* args = arena_.make_array<Oid>(input.size());
    std::copy_n(is_prefix ? &op->right : &op->left, 1, args);
    if (!is_prefix) args[1] = op->right;
    Candidate candidate;
    candidate.args = {args, input.size()};
    candidate.op = op;
    if (std::ranges::equal(candidate.args, guess)) return op;
    candidates.push_back(candidate);
  }
  std::vector<Candidate> best = best_candidates(std::move(candidates), input);
  if (best.size() == 1) return best[0].op;
  no_such_operator(name, left, right, location, !best.empty());
}

Expr* Analyzer::make_operator(std::string_view name, Expr* left, Expr* right, int location) {
  if (right == nullptr) {
    throw Error(sqlstate::kSyntaxError, "postfix operators are not supported")
        .position(position(location));
  }
  Oid left_type = left == nullptr ? kInvalidOid : left->type;
  const BuiltinOperator* op = choose_operator(name, left_type, right->type, location);
  const BuiltinFunction* function = find_function(op->function);
  std::vector<Expr*> args;
  std::vector<Oid> declared;
  if (left != nullptr) {
    args.push_back(left);
    declared.push_back(op->left);
  }
  args.push_back(right);
  declared.push_back(op->right);
  std::vector<Oid> concrete;
  Oid result = op->result;
  std::vector<Oid> input = types_of(args);
  // An unknown literal beside a polymorphic argument takes the other side's type.
  if (!resolve_polymorphic(declared, input, concrete, op->result, result)) {
    no_such_operator(name, left_type, right->type, location, false);
  }
  std::span<Expr*> list = span_of(args);
  coerce_arguments(concrete, list);
  Expr* e = make_call(*function, list, result, location);
  e->name = op->name;
  e->is_operator = true;
  return e;
}

void Analyzer::require_equality(Oid type, int location) const {
  const BuiltinType* found = find_type(type);
  if (found != nullptr && found->compare != nullptr) return;
  throw Error(sqlstate::kUndefinedFunction, "could not identify an equality operator for type {}",
              type_name(type))
      .position(position(location));
}

}  // namespace cofork
