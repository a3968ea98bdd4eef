// sum, avg and the variance family. See aggregate_states.h.
//
// Integers and numerics are summed exactly; floating point by the recurrence of Youngs and Cramer,
// as float8_accum in float.c, so that results agree to the last digit.
#include <cmath>

#include "catalog/aggregate_states.h"
#include "support/error.h"
#include "types/datetime.h"
#include "types/int128.h"
#include "types/numeric.h"
#include "types/numeric_sum.h"

namespace cofork::aggregate {

namespace {

/// The state, made at the first row that has a value.
template <typename State>
State& state_of(FunctionCall& call) {
  if (call.nulls[0]) return *call.arena().make<State>();
  return *const_cast<State*>(datum_to_pointer<State>(call.args[0]));
}
/// In a final function: null before any value.
template <typename State>
const State* final_state(const FunctionCall& call) {
  return call.nulls[0] ? nullptr : datum_to_pointer<State>(call.args[0]);
}

/// What a transition does with a NULL: nothing.
bool skips(FunctionCall& call) {
  if (call.nulls[1]) call.result_is_null = call.nulls[0];
  return call.nulls[1];
}

template <typename T>
Datum sum_small(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  auto value = static_cast<T>(call.args[1]);
  return datum_from_int64(call.nulls[0] ? value : datum_to_int64(call.args[0]) + value);
}

struct IntegerSum {
  int64_t count = 0;
  Int128 sum = 0;
};

template <typename T>
Datum add_integer(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  auto& state = state_of<IntegerSum>(call);
  ++state.count;
  state.sum += static_cast<T>(call.args[1]);
  return datum_from_pointer(&state);
}

struct NumericState {
  int64_t count = 0;
  NumericSum sum;
  NumericSum squares;
};

Datum spread(FunctionCall& call, Datum value) {
  auto& state = state_of<NumericState>(call);
  ++state.count;
  state.sum.add(call.arena(), value);
  state.squares.add(call.arena(), numeric_multiply(call.arena(), value, value));
  return datum_from_pointer(&state);
}

Datum deviation(FunctionCall& call, bool variance, bool sample) {
  const auto* state = final_state<NumericState>(call);
  if (state == nullptr) return call.null();
  Arena& arena = call.arena();
  auto result = numeric_deviation(arena, state->count, state->sum.total(arena),
                                  state->squares.total(arena), variance, sample);
  return result ? *result : call.null();
}

struct FloatState {
  double count = 0;
  double sum = 0;
  double spread = 0;  ///< sum of squared differences from the mean
};

Datum spread_double(FunctionCall& call, double value) {
  auto& state = state_of<FloatState>(call);
  state.count += 1;
  double sum = state.sum + value;
  if (state.count > 1) {
    double difference = value * state.count - sum;
    double wider = state.spread + difference * difference / (state.count * (state.count - 1));
    if (std::isinf(sum) || std::isinf(wider)) {
      if (!std::isinf(state.sum) && !std::isinf(value)) {
        throw Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
      }
      wider = NAN;
    }
    state.spread = wider;
  } else if (!std::isfinite(value)) {
    state.spread = NAN;
  }
  state.sum = sum;
  return datum_from_pointer(&state);
}

Datum float_deviation(FunctionCall& call, bool variance, bool sample) {
  const auto* state = final_state<FloatState>(call);
  if (state == nullptr || (sample && state->count <= 1)) return call.null();
  double result = state->spread / (sample ? state->count - 1 : state->count);
  return datum_from_float8(variance ? result : std::sqrt(result));
}

struct IntervalSum {
  int64_t count = 0;
  Interval sum;
};

template <typename T>
T add_checked(T a, T b) {
  T sum = a + b;
  if (std::isinf(sum) && !std::isinf(a) && !std::isinf(b)) {
    throw Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
  }
  return sum;
}

}  // namespace

Datum sum_int2(FunctionCall& call) {
  return sum_small<int16_t>(call);
}
Datum sum_int4(FunctionCall& call) {
  return sum_small<int32_t>(call);
}
Datum sum_float4(FunctionCall& call) {
  return datum_from_float4(
      add_checked(datum_to_float4(call.args[0]), datum_to_float4(call.args[1])));
}
Datum sum_float8(FunctionCall& call) {
  return datum_from_float8(
      add_checked(datum_to_float8(call.args[0]), datum_to_float8(call.args[1])));
}

Datum add_int2(FunctionCall& call) {
  return add_integer<int16_t>(call);
}
Datum add_int4(FunctionCall& call) {
  return add_integer<int32_t>(call);
}
Datum add_int8(FunctionCall& call) {
  return add_integer<int64_t>(call);
}

Datum integer_sum(FunctionCall& call) {
  const auto* state = final_state<IntegerSum>(call);
  return state == nullptr ? call.null() : numeric_from_int128(call.arena(), state->sum);
}
Datum integer_average(FunctionCall& call) {
  const auto* state = final_state<IntegerSum>(call);
  if (state == nullptr) return call.null();
  return numeric_divide(call.arena(), numeric_from_int128(call.arena(), state->sum),
                        numeric_from_int64(call.arena(), state->count));
}

Datum add_numeric(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  auto& state = state_of<NumericState>(call);
  ++state.count;
  state.sum.add(call.arena(), call.args[1]);
  return datum_from_pointer(&state);
}
Datum numeric_total(FunctionCall& call) {
  const auto* state = final_state<NumericState>(call);
  return state == nullptr ? call.null() : state->sum.total(call.arena());
}
Datum numeric_average(FunctionCall& call) {
  const auto* state = final_state<NumericState>(call);
  if (state == nullptr) return call.null();
  return numeric_divide(call.arena(), state->sum.total(call.arena()),
                        numeric_from_int64(call.arena(), state->count));
}

Datum spread_int2(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  return spread(call, numeric_from_int64(call.arena(), datum_to_int16(call.args[1])));
}
Datum spread_int4(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  return spread(call, numeric_from_int64(call.arena(), datum_to_int32(call.args[1])));
}
Datum spread_int8(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  return spread(call, numeric_from_int64(call.arena(), datum_to_int64(call.args[1])));
}
Datum spread_numeric(FunctionCall& call) {
  return skips(call) ? call.args[0] : spread(call, call.args[1]);
}
Datum numeric_var_pop(FunctionCall& call) {
  return deviation(call, true, false);
}
Datum numeric_var_samp(FunctionCall& call) {
  return deviation(call, true, true);
}
Datum numeric_stddev_pop(FunctionCall& call) {
  return deviation(call, false, false);
}
Datum numeric_stddev_samp(FunctionCall& call) {
  return deviation(call, false, true);
}

Datum spread_float4(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  return spread_double(call, datum_to_float4(call.args[1]));
}
Datum spread_float8(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  return spread_double(call, datum_to_float8(call.args[1]));
}
Datum float_average(FunctionCall& call) {
  const auto* state = final_state<FloatState>(call);
  return state == nullptr ? call.null() : datum_from_float8(state->sum / state->count);
}
Datum float_var_pop(FunctionCall& call) {
  return float_deviation(call, true, false);
}
Datum float_var_samp(FunctionCall& call) {
  return float_deviation(call, true, true);
}
Datum float_stddev_pop(FunctionCall& call) {
  return float_deviation(call, false, false);
}
Datum float_stddev_samp(FunctionCall& call) {
  return float_deviation(call, false, true);
}

Datum add_interval(FunctionCall& call) {
  if (skips(call)) return call.args[0];
  auto& state = state_of<IntervalSum>(call);
  Interval value = interval_at(call.args[1]);
  ++state.count;
  if (__builtin_add_overflow(state.sum.time_us, value.time_us, &state.sum.time_us) ||
      __builtin_add_overflow(state.sum.days, value.days, &state.sum.days) ||
      __builtin_add_overflow(state.sum.months, value.months, &state.sum.months)) {
    throw_interval_out_of_range();
  }
  return datum_from_pointer(&state);
}
Datum interval_total(FunctionCall& call) {
  const auto* state = final_state<IntervalSum>(call);
  return state == nullptr ? call.null() : interval_datum(call.arena(), state->sum);
}
/// The same division as interval / float8.
Datum interval_average(FunctionCall& call) {
  const auto* state = final_state<IntervalSum>(call);
  if (state == nullptr) return call.null();
  constexpr Oid kIntervalDivide = 1326;
  Datum args[] = {datum_from_pointer(&state->sum),
                  datum_from_float8(static_cast<double>(state->count))};
  const bool nulls[] = {false, false};
  FunctionCall divide{call.context, args, nulls, 2};
  return find_function(kIntervalDivide)->call(divide);
}

}  // namespace cofork::aggregate
