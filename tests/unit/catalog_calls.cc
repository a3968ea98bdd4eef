// Evaluates lines of SQL-like calls against the built-in tables. See catalog_calls.h.
#include "catalog_calls.h"

#include <memory>
#include <sstream>
#include <stdexcept>

#include "support/error.h"
#include "test_data.h"

namespace cofork::testing_support {

namespace {

using namespace type_oid;

bool is_polymorphic(Oid type) {
  const BuiltinType* t = find_type(type);
  return t != nullptr && std::string_view(t->name).starts_with("any");
}

Oid resolve_result(Oid declared, const BuiltinFunction& function, const std::vector<Oid>& actual) {
  if (!is_polymorphic(declared)) return declared;
  for (size_t i = 0; i < function.args.size() && i < actual.size(); ++i) {
    if (!is_polymorphic(function.args[i])) continue;
    const BuiltinType* type = find_type(actual[i]);
    bool argument_is_array = std::string_view(find_type(function.args[i])->name).ends_with("array");
    bool result_is_array = std::string_view(find_type(declared)->name).ends_with("array");
    if (argument_is_array == result_is_array) return type->oid;
    return result_is_array ? type->array_oid : type->element_oid;
  }
  return declared;
}

}  // namespace

std::vector<CallLine> read_calls(const std::string& file) {
  std::istringstream in(read_file(data_path("catalog/" + file)));
  std::vector<CallLine> lines;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    if (text.empty() || text[0] == '#') continue;
    if (text.starts_with("set ")) {
      lines.push_back({text, "", number});
      continue;
    }
    size_t good = text.rfind(" => "), bad = text.rfind(" !> ");
    if (good != std::string::npos) {
      lines.push_back({text.substr(0, good), text.substr(good + 4), number});
    } else if (bad != std::string::npos) {
      lines.push_back({text.substr(0, bad), "ERROR " + text.substr(bad + 4), number});
    } else {
      throw std::runtime_error(file + ": no arrow in: " + text);
    }
  }
  return lines;
}

CallEvaluator::CallEvaluator() : context_{.arena = &arena_} {}

std::string CallEvaluator::evaluate(const std::string& source) {
  arena_.reset();
  try {
    if (source.starts_with("set ")) {
      apply_setting(std::string_view(source).substr(4));
      return "";
    }
    std::string_view rest = source;
    if (rest.starts_with('\'')) return check_round_trips(parse_argument(rest));
    size_t open = rest.find_first_of("([");
    std::string_view name = rest.substr(0, open);
    bool aggregate = rest[open] == '[';
    rest.remove_prefix(open + 1);
    std::vector<Argument> arguments = parse_arguments(rest, aggregate ? ']' : ')');
    return aggregate ? call_aggregate(name, arguments) : call_function(name, arguments);
  } catch (const Error& error) {
    return "ERROR " + error.data().sqlstate.text() + " " + error.data().message;
  }
}

std::vector<CallEvaluator::Argument> CallEvaluator::parse_arguments(std::string_view& rest,
                                                                    char end) {
  std::vector<Argument> arguments;
  while (!rest.starts_with(end)) {
    arguments.push_back(parse_argument(rest));
    if (rest.starts_with(", ")) rest.remove_prefix(2);
  }
  return arguments;
}

CallEvaluator::Argument CallEvaluator::parse_argument(std::string_view& rest) {
  Argument argument;
  std::string text;
  if (rest.starts_with("NULL")) {
    argument.is_null = true;
    rest.remove_prefix(4);
  } else {
    rest.remove_prefix(1);
    for (;;) {
      if (rest.starts_with("''")) {
        text += '\'';
        rest.remove_prefix(2);
      } else if (rest.starts_with('\'')) {
        break;
      } else {
        text += rest.front();
        rest.remove_prefix(1);
      }
    }
    rest.remove_prefix(1);
  }
  if (!rest.starts_with("::")) throw std::runtime_error("no type in: " + std::string(rest));
  rest.remove_prefix(2);
  size_t end = rest.find_first_of(",)] (");
  if (rest.substr(0, end).ends_with('[')) ++end;
  std::string_view name = rest.substr(0, end);
  if (name.ends_with("[]")) end = name.size();
  argument.type = find_type(name);
  if (argument.type == nullptr) throw std::runtime_error("no type " + std::string(name));
  rest.remove_prefix(std::min(end, rest.size()));
  int32_t typmod = -1;
  if (rest.starts_with('(')) {
    std::vector<int32_t> modifiers;
    while (!rest.starts_with(')')) {
      rest.remove_prefix(1);
      modifiers.push_back(std::stoi(std::string(rest)));
      rest.remove_prefix(rest.find_first_of(",)"));
    }
    rest.remove_prefix(1);
    typmod = argument.type->typmod_in(modifiers);
  }
  if (argument.is_null) return argument;
  // A literal is read without its typmod, and then cast explicitly, as the analyser does it.
  const BuiltinCast* fit =
      typmod >= 0 ? find_cast(argument.type->oid, argument.type->oid) : nullptr;
  argument.value = argument.type->from_text(context_, text, fit == nullptr ? typmod : -1);
  if (fit == nullptr) return argument;
  Datum values[] = {argument.value, datum_from_int32(typmod), datum_from_bool(true)};
  const bool nulls[] = {false, false, false};
  const BuiltinFunction* function = find_function(fit->function);
  FunctionCall call{context_, values, nulls, static_cast<int>(function->args.size())};
  argument.value = function->call(call);
  return argument;
}

std::string CallEvaluator::show(Oid type, Datum value, bool is_null) {
  if (is_null) return "NULL";
  std::string text;
  find_type(type)->to_text(context_, value, text);
  return text;
}

std::string CallEvaluator::check_round_trips(const Argument& argument) {
  const BuiltinType& type = *argument.type;
  std::string text = show(type.oid, argument.value, argument.is_null);
  std::string bytes;
  type.to_binary(context_, argument.value, bytes);
  Datum back = type.from_binary(context_, bytes);
  std::string again = show(type.oid, back, false);
  if (again != text) return "binary form came back as " + again;
  if (type.compare != nullptr && type.compare(argument.value, back) != 0) {
    return "a value is not equal to its copy";
  }
  if (type.hash != nullptr && type.hash(argument.value) != type.hash(back)) {
    return "equal values hash differently";
  }
  return text;
}

std::string CallEvaluator::call_function(std::string_view name,
                                         const std::vector<Argument>& arguments) {
  std::vector<Oid> types;
  std::vector<Datum> values;
  auto nulls = std::make_unique<bool[]>(arguments.size() + 1);
  bool any_null = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    types.push_back(arguments[i].type->oid);
    values.push_back(arguments[i].value);
    nulls[i] = arguments[i].is_null;
    any_null |= nulls[i];
  }
  for (const BuiltinFunction* function : functions_named(name)) {
    bool fits = function->variadic == kAny ? types.size() + 1 >= function->args.size()
                                           : types.size() == function->args.size();
    for (size_t i = 0; fits && i < types.size() && i < function->args.size(); ++i) {
      const BuiltinType* wanted = find_type(function->args[i]);
      fits =
          types[i] == function->args[i] ||
          (is_polymorphic(function->args[i]) &&
           (!std::string_view(wanted->name).ends_with("array") || arguments[i].type->is_array()));
    }
    if (!fits) continue;
    FunctionCall call{context_, values.data(), nulls.get(), static_cast<int>(types.size())};
    call.function = function;
    call.arg_types = types.data();
    call.result_type = resolve_result(function->result, *function, types);
    if (function->strict && any_null) return function->returns_set() ? "" : "NULL";
    if (function->returns_set()) return call_set(call);
    Datum result = function->call(call);
    return show(call.result_type, result, call.result_is_null);
  }
  throw std::runtime_error("no such function: " + std::string(name));
}

std::string CallEvaluator::call_set(FunctionCall& call) {
  void* state = nullptr;
  Datum values[16];
  bool nulls[16] = {};
  std::string text;
  SetCall set{call, state, arena_, values, nulls};
  for (int rows = 0; rows < 1000 && call.function->next(set); ++rows) {
    if (rows > 0) text += " | ";
    text += show(call.result_type, values[0], nulls[0]);
    nulls[0] = false;
  }
  return text;
}

std::string CallEvaluator::call_aggregate(std::string_view name,
                                          const std::vector<Argument>& arguments) {
  for (const BuiltinAggregate* aggregate : aggregates_named(name)) {
    if (aggregate->args.size() != 1) continue;
    Oid type = arguments[0].type->oid;
    bool fits = aggregate->args[0] == kAnyArray ? arguments[0].type->is_array()
                                                : is_polymorphic(aggregate->args[0]);
    if (aggregate->args[0] != type && !fits) continue;
    const BuiltinType* state_type = find_type(aggregate->state_type);
    Datum args[2] = {0, 0};
    bool nulls[2] = {aggregate->initial == nullptr, false};
    Oid types[2] = {aggregate->state_type, type};
    if (aggregate->initial != nullptr)
      args[0] = state_type->from_text(context_, aggregate->initial);
    FunctionCall call{context_, args, nulls, 2};
    call.arg_types = types;
    call.result_type = aggregate->result;
    if (is_polymorphic(aggregate->result)) {
      bool array = std::string_view(find_type(aggregate->result)->name).ends_with("array");
      call.result_type =
          array && !arguments[0].type->is_array() ? arguments[0].type->array_oid : type;
    }
    for (const Argument& argument : arguments) {
      if (aggregate->strict && argument.is_null) continue;
      if (aggregate->strict && nulls[0]) {
        args[0] = copy_datum(*argument.type, argument.value, arena_);
        nulls[0] = false;
        continue;
      }
      args[1] = argument.value;
      nulls[1] = argument.is_null;
      call.result_is_null = false;
      args[0] = aggregate->transition(call);
      nulls[0] = call.result_is_null;
    }
    if (aggregate->final != nullptr) {
      call.count = 1;
      call.result_is_null = false;
      args[0] = aggregate->final(call);
      nulls[0] = call.result_is_null;
    }
    return show(call.result_type, args[0], nulls[0]);
  }
  throw std::runtime_error("no such aggregate: " + std::string(name));
}

void CallEvaluator::apply_setting(std::string_view setting) {
  size_t space = setting.find(' ');
  std::string_view name = setting.substr(0, space), value = setting.substr(space + 1);
  if (name == "extra_float_digits") {
    context_.extra_float_digits = std::stoi(std::string(value));
  } else if (name == "TimeZone") {
    time_zone_ = *time_zone_from_setting(value);
    context_.time_zone = &time_zone_;
  } else if (name == "DateStyle") {
    context_.date_style = value.starts_with("ISO")        ? DateStyle::kIso
                          : value.starts_with("SQL")      ? DateStyle::kSql
                          : value.starts_with("Postgres") ? DateStyle::kPostgres
                                                          : DateStyle::kGerman;
    if (value.ends_with("MDY")) context_.date_order = DateOrder::kMdy;
    if (value.ends_with("DMY") || value == "German") context_.date_order = DateOrder::kDmy;
    if (value.ends_with("YMD")) context_.date_order = DateOrder::kYmd;
  } else if (name == "IntervalStyle") {
    context_.interval_style = value == "postgres"           ? IntervalStyle::kPostgres
                              : value == "postgres_verbose" ? IntervalStyle::kPostgresVerbose
                              : value == "sql_standard"     ? IntervalStyle::kSqlStandard
                                                            : IntervalStyle::kIso8601;
  } else if (name == "bytea_output") {
    context_.bytea_hex = value == "hex";
  } else {
    throw std::runtime_error("no such setting: " + std::string(name));
  }
}

}  // namespace cofork::testing_support
