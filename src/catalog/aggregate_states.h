// Transition and final functions of the aggregates; aggregates.cc says which aggregate has which.
//
// All take args[0] = the state and args[1] = the value of this row. See BuiltinAggregate.
#pragma once

#include "catalog/builtin.h"

namespace cofork::aggregate {

// aggregate_simple.cc: counting, extremes, logic, bits
Datum count_row(FunctionCall& call);
Datum count_value(FunctionCall& call);
Datum keep_larger(FunctionCall& call);  ///< by the type's own order
Datum keep_smaller(FunctionCall& call);
Datum all_true(FunctionCall& call);
Datum any_true(FunctionCall& call);
Datum bits_and(FunctionCall& call);
Datum bits_or(FunctionCall& call);
Datum bits_xor(FunctionCall& call);

// aggregate_sums.cc: sum, avg and the variance family
Datum sum_int2(FunctionCall& call);  ///< state int8
Datum sum_int4(FunctionCall& call);
Datum sum_float4(FunctionCall& call);
Datum sum_float8(FunctionCall& call);
Datum add_int2(FunctionCall& call);  ///< state IntegerSum
Datum add_int4(FunctionCall& call);
Datum add_int8(FunctionCall& call);
Datum integer_sum(FunctionCall& call);
Datum integer_average(FunctionCall& call);
Datum add_numeric(FunctionCall& call);  ///< state NumericState
Datum numeric_total(FunctionCall& call);
Datum numeric_average(FunctionCall& call);
Datum spread_int2(FunctionCall& call);  ///< state NumericState with squares
Datum spread_int4(FunctionCall& call);
Datum spread_int8(FunctionCall& call);
Datum spread_numeric(FunctionCall& call);
Datum numeric_var_pop(FunctionCall& call);
Datum numeric_var_samp(FunctionCall& call);
Datum numeric_stddev_pop(FunctionCall& call);
Datum numeric_stddev_samp(FunctionCall& call);
Datum spread_float4(FunctionCall& call);  ///< state FloatState
Datum spread_float8(FunctionCall& call);
Datum float_average(FunctionCall& call);
Datum float_var_pop(FunctionCall& call);
Datum float_var_samp(FunctionCall& call);
Datum float_stddev_pop(FunctionCall& call);
Datum float_stddev_samp(FunctionCall& call);
Datum add_interval(FunctionCall& call);  ///< state IntervalSum
Datum interval_total(FunctionCall& call);
Datum interval_average(FunctionCall& call);

// aggregate_lists.cc: string_agg, array_agg
Datum append_text(FunctionCall& call);
Datum collected_text(FunctionCall& call);
Datum append_element(FunctionCall& call);
Datum collected_array(FunctionCall& call);

}  // namespace cofork::aggregate
