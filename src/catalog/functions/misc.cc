// Functions about values and types themselves: pg_typeof, num_nulls, format_type, pg_size_pretty.
#include <cstdlib>

#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "catalog/procedures.h"
#include "support/error.h"
#include "types/numeric.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

Datum type_of(FunctionCall& call) {
  return datum_from_oid(call.arg_types[0]);
}

int32_t count_nulls(const FunctionCall& call) {
  int32_t count = 0;
  for (int i = 0; i < call.count; ++i) count += call.nulls[i];
  return count;
}
Datum num_nulls(FunctionCall& call) {
  return datum_from_int32(count_nulls(call));
}
Datum num_nonnulls(FunctionCall& call) {
  return datum_from_int32(call.count - count_nulls(call));
}

Datum show_type(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  int32_t typmod = call.nulls[1] ? -1 : datum_to_int32(call.args[1]);
  return varlena_from(call.arena(), format_type(datum_to_oid(call.args[0]), typmod));
}

/// Bytes the value takes as it is stored.
int32_t column_size(FunctionCall& call, Datum value) {
  const BuiltinType& type = element_type_of(call.arg_types[0]);
  return static_cast<int32_t>(stored_bytes(value, type.length));
}

/// Two digits at least in the unit that is chosen: 10239 bytes, 10 kB.
std::string size_pretty(int64_t size) {
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  constexpr int64_t kLimit = 10 * 1024;
  int unit = 0;
  if (std::abs(size) < kLimit) return fmt::format("{} bytes", size);
  // One bit more than the unit is kept, and rounded off at the end.
  size >>= 9;
  for (unit = 1; std::abs(size) >= 2 * kLimit - 1 && unit < 5; ++unit) size >>= 10;
  int64_t rounded = size >= 0 ? (size + 1) / 2 : (size - 1) / 2;
  return fmt::format("{} {}", rounded, kUnits[unit]);
}

/// "10 MB" in bytes.
int64_t size_bytes(std::string_view text) {
  struct UnitOfSize {
    std::string_view name;
    int shift;
  };
  static constexpr UnitOfSize kUnits[] = {{"", 0},    {"bytes", 0}, {"b", 0},   {"kb", 10},
                                          {"mb", 20}, {"gb", 30},   {"tb", 40}, {"pb", 50}};
  std::string_view trimmed = trim_spaces(text);
  size_t end = 0;
  while (end < trimmed.size() && (is_digit(trimmed[end]) || trimmed[end] == '.' ||
                                  (end == 0 && (trimmed[0] == '-' || trimmed[0] == '+'))))
    ++end;
  std::string unit = ascii_lowered(trim_spaces(trimmed.substr(end)));
  Error invalid(sqlstate::kInvalidParameterValue, "invalid size: \"{}\"", text);
  if (trimmed.substr(0, end).find_first_of("0123456789") == std::string_view::npos) throw invalid;
  for (const UnitOfSize& row : kUnits) {
    if (row.name != unit) continue;
    Arena arena;
    Datum number = parse_numeric(arena, trimmed.substr(0, end));
    Datum factor = numeric_from_int64(arena, int64_t{1} << row.shift);
    return numeric_to_int64(numeric_multiply(arena, number, factor), INT64_MIN, INT64_MAX,
                            "bigint");
  }
  throw std::move(invalid)
      .detail("Invalid size unit: \"{}\".", trim_spaces(trimmed.substr(end)))
      .hint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".");
}

/// As regclass's input, but NULL where there is no such relation.
std::optional<Oid> to_regclass(EvalContext& context, std::string_view text) {
  QualifiedName name = parse_qualified_name(text);
  if (context.object_names == nullptr) return std::nullopt;
  return context.object_names->find_relation(name.schema, name.name);
}

Oid find_regtype(std::string_view name) {
  const BuiltinType* type = find_type(name);
  return type == nullptr ? kInvalidOid : type->oid;
}
std::optional<Oid> to_regtype(std::string_view name) {
  Oid oid = find_regtype(name);
  if (oid == kInvalidOid) return std::nullopt;
  return oid;
}
std::optional<Oid> to_regproc(std::string_view text) {
  std::vector<Oid> found = procedures_named(parse_qualified_name(text).name);
  if (found.size() != 1) return std::nullopt;
  return found[0];
}
Oid text_to_regclass(FunctionCall& call, std::string_view name) {
  const BuiltinType& type = *find_type(kRegclass);
  return datum_to_oid(type.from_text(call.context, name));
}

constexpr BuiltinFunction kRows[] = {
    {3334, "pg_size_bytes", kInt8, {kText}, fn<size_bytes>},
    BuiltinFunction{3495, "to_regclass", kRegclass, {kText}, fn<to_regclass>}.stable(),
    BuiltinFunction{1619, "pg_typeof", kRegtype, {kAny}, type_of}.on_null().stable(),
    BuiltinFunction{438, "num_nulls", kInt4, {kAny}, num_nulls}.on_null().variadic_of(kAny),
    BuiltinFunction{440, "num_nonnulls", kInt4, {kAny}, num_nonnulls}.on_null().variadic_of(kAny),
    BuiltinFunction{1081, "format_type", kText, {kOid, kInt4}, show_type}.on_null().stable(),
    BuiltinFunction{1269, "pg_column_size", kInt4, {kAny}, fn<column_size>}.stable(),
    {2288, "pg_size_pretty", kText, {kInt8}, fn<size_pretty>},
    BuiltinFunction{3493, "to_regtype", kRegtype, {kText}, fn<to_regtype>}.stable(),
    BuiltinFunction{3494, "to_regproc", kRegproc, {kText}, fn<to_regproc>}.stable(),
    BuiltinFunction{1079, "regclass", kRegclass, {kText}, fn<text_to_regclass>}.stable(),
};

}  // namespace

constinit const std::span<const BuiltinFunction> kMiscFunctions = kRows;

}  // namespace cofork
