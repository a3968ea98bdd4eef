// Aggregates: pg_aggregate of PostgreSQL 15 as far as its functions are here, by oid.
#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "support/error.h"

namespace cofork {

using namespace type_oid;

namespace {

Datum count_row(FunctionCall& call) {
  return datum_from_int64(datum_to_int64(call.args[0]) + 1);
}
Datum count_value(FunctionCall& call) {
  return datum_from_int64(datum_to_int64(call.args[0]) + (call.nulls[1] ? 0 : 1));
}

constexpr BuiltinAggregate kRows[] = {
    {2147, "count", kInt8, {kAny}, kInt8, count_value, false, "0"},
    {2803, "count", kInt8, {}, kInt8, count_row, false, "0"},
};

}  // namespace

constinit const std::span<const BuiltinAggregate> kAggregates = kRows;

}  // namespace cofork
