// Counting, extremes, logic and bits. See aggregate_states.h.
#include "catalog/aggregate_states.h"

namespace cofork::aggregate {

Datum count_row(FunctionCall& call) {
  return datum_from_int64(datum_to_int64(call.args[0]) + 1);
}

Datum count_value(FunctionCall& call) {
  return datum_from_int64(datum_to_int64(call.args[0]) + (call.nulls[1] ? 0 : 1));
}

namespace {

Datum keep_extreme(FunctionCall& call, int direction) {
  const BuiltinType& type = *find_type(call.arg_types[1]);
  if (type.compare(call.args[1], call.args[0]) * direction <= 0) return call.args[0];
  return copy_datum(type, call.args[1], call.arena());
}

}  // namespace

Datum keep_larger(FunctionCall& call) {
  return keep_extreme(call, 1);
}
Datum keep_smaller(FunctionCall& call) {
  return keep_extreme(call, -1);
}

Datum all_true(FunctionCall& call) {
  return datum_from_bool(datum_to_bool(call.args[0]) && datum_to_bool(call.args[1]));
}
Datum any_true(FunctionCall& call) {
  return datum_from_bool(datum_to_bool(call.args[0]) || datum_to_bool(call.args[1]));
}

// Integers lie sign-extended in the word, so bits need not know their width.
Datum bits_and(FunctionCall& call) {
  return call.args[0] & call.args[1];
}
Datum bits_or(FunctionCall& call) {
  return call.args[0] | call.args[1];
}
Datum bits_xor(FunctionCall& call) {
  return call.args[0] ^ call.args[1];
}

}  // namespace cofork::aggregate
