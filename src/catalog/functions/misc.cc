// Functions about values and types themselves: pg_typeof, num_nulls, format_type, pg_size_pretty.
#include <cstdlib>

#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/numeric.h"

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

Oid find_regtype(std::string_view name) {
  const BuiltinType* type = find_type(name);
  return type == nullptr ? kInvalidOid : type->oid;
}
std::optional<Oid> to_regtype(std::string_view name) {
  Oid oid = find_regtype(name);
  if (oid == kInvalidOid) return std::nullopt;
  return oid;
}
Oid text_to_regclass(FunctionCall& call, std::string_view name) {
  const BuiltinType& type = *find_type(kRegclass);
  return datum_to_oid(type.from_text(call.context, name));
}

constexpr BuiltinFunction kRows[] = {
    BuiltinFunction{1619, "pg_typeof", kRegtype, {kAny}, type_of}.on_null().stable(),
    BuiltinFunction{438, "num_nulls", kInt4, {kAny}, num_nulls}.on_null().variadic_of(kAny),
    BuiltinFunction{440, "num_nonnulls", kInt4, {kAny}, num_nonnulls}.on_null().variadic_of(kAny),
    BuiltinFunction{1081, "format_type", kText, {kOid, kInt4}, show_type}.on_null().stable(),
    BuiltinFunction{1269, "pg_column_size", kInt4, {kAny}, fn<column_size>}.stable(),
    {2288, "pg_size_pretty", kText, {kInt8}, fn<size_pretty>},
    BuiltinFunction{3493, "to_regtype", kRegtype, {kText}, fn<to_regtype>}.stable(),
    BuiltinFunction{1079, "regclass", kRegclass, {kText}, fn<text_to_regclass>}.stable(),
};

}  // namespace

constinit const std::span<const BuiltinFunction> kMiscFunctions = kRows;

}  // namespace cofork
