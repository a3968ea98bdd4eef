// Functions and operators of numeric, and the casts between it and the other numbers.
#include <limits>

#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "support/error.h"
#include "types/numeric.h"

namespace cofork {

using namespace type_oid;

namespace {

bool eq(Datum a, Datum b) {
  return numeric_compare(a, b) == 0;
}
bool ne(Datum a, Datum b) {
  return numeric_compare(a, b) != 0;
}
bool lt(Datum a, Datum b) {
  return numeric_compare(a, b) < 0;
}
bool le(Datum a, Datum b) {
  return numeric_compare(a, b) <= 0;
}
bool gt(Datum a, Datum b) {
  return numeric_compare(a, b) > 0;
}
bool ge(Datum a, Datum b) {
  return numeric_compare(a, b) >= 0;
}
Datum larger(Datum a, Datum b) {
  return numeric_compare(a, b) > 0 ? a : b;
}
Datum smaller(Datum a, Datum b) {
  return numeric_compare(a, b) < 0 ? a : b;
}
Datum plus(Datum a) {
  return a;
}

Datum sign(Arena& arena, Datum value) {
  NumericView v(value);
  return v.is_nan() ? value : numeric_from_int64(arena, v.sign());
}
Datum round_to_integer(Arena& arena, Datum value) {
  return numeric_round(arena, value, 0);
}
Datum trunc_to_integer(Arena& arena, Datum value) {
  return numeric_trunc(arena, value, 0);
}
Datum log10(Arena& arena, Datum value) {
  return numeric_log(arena, numeric_from_int64(arena, 10), value);
}
Datum increment(Arena& arena, Datum value) {
  return numeric_add(arena, value, numeric_from_int64(arena, 1));
}
std::optional<int32_t> scale(Datum value) {
  NumericView v(value);
  if (!v.is_finite()) return std::nullopt;
  return v.dscale;
}
std::optional<int32_t> min_scale(Datum value) {
  return numeric_min_scale(value);
}
Datum fit(Arena& arena, Datum value, int32_t typmod) {
  return numeric_fit(arena, value, typmod);
}

Datum from_int2(Arena& arena, int16_t value) {
  return numeric_from_int64(arena, value);
}
Datum from_int4(Arena& arena, int32_t value) {
  return numeric_from_int64(arena, value);
}
int16_t to_int2(Datum value) {
  return static_cast<int16_t>(numeric_to_int64(value, INT16_MIN, INT16_MAX, "smallint"));
}
int32_t to_int4(Datum value) {
  return static_cast<int32_t>(numeric_to_int64(value, INT32_MIN, INT32_MAX, "integer"));
}
int64_t to_int8(Datum value) {
  return numeric_to_int64(value, INT64_MIN, INT64_MAX, "bigint");
}

/// 22003 when a finite numeric is too large for the floating type, or too small to be told from 0.
template <typename T>
T to_floating(Datum value, T result, const char* type) {
  NumericView v(value);
  bool fits = result - result == 0 && (result != 0 || v.is_zero());
  if (fits || !v.is_finite()) return result;
  std::string text;
  append_numeric(text, value);
  throw Error(sqlstate::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", text, type);
}
float to_float4(Datum value) {
  return to_floating(value, numeric_to_float(value), "real");
}
double to_float8(Datum value) {
  return to_floating(value, numeric_to_double(value), "double precision");
}

bool generate_series(SetCall& set) {
  struct State {
    Datum next;
    Datum last;
    Datum step;
    int direction;
  };
  auto* state = static_cast<State*>(set.state);
  Arena& arena = set.state_arena;
  if (state == nullptr) {
    const Datum* args = set.call.args;
    Datum step = set.call.count > 2 ? args[2] : numeric_from_int64(arena, 1);
    static constexpr const char* kNames[] = {"start", "stop", "step size"};
    for (int i = 0; i < set.call.count; ++i) {
      NumericView v(args[i]);
      if (v.is_finite()) continue;
      throw Error(sqlstate::kInvalidParameterValue, "{} value cannot be {}", kNames[i],
                  v.is_nan() ? "NaN" : "infinity");
    }
    if (NumericView(step).sign() == 0) {
      throw Error(sqlstate::kInvalidParameterValue, "step size cannot equal zero");
    }
    const BuiltinType& type = *find_type(kNumeric);
    state = arena.make<State>(copy_datum(type, args[0], arena), copy_datum(type, args[1], arena),
                              copy_datum(type, step, arena), NumericView(step).sign());
    set.state = state;
  }
  if (numeric_compare(state->next, state->last) * state->direction > 0) return false;
  set.values[0] = state->next;
  state->next = numeric_add(arena, state->next, state->step);
  return true;
}

constexpr BuiltinFunction kRows[] = {
    {1718, "numeric_eq", kBool, {kNumeric, kNumeric}, fn<eq>},
    {1719, "numeric_ne", kBool, {kNumeric, kNumeric}, fn<ne>},
    {1722, "numeric_lt", kBool, {kNumeric, kNumeric}, fn<lt>},
    {1723, "numeric_le", kBool, {kNumeric, kNumeric}, fn<le>},
    {1720, "numeric_gt", kBool, {kNumeric, kNumeric}, fn<gt>},
    {1721, "numeric_ge", kBool, {kNumeric, kNumeric}, fn<ge>},
    {1769, "numeric_cmp", kInt4, {kNumeric, kNumeric}, fn<numeric_compare>},
    {1767, "numeric_larger", kNumeric, {kNumeric, kNumeric}, fn<larger>},
    {1766, "numeric_smaller", kNumeric, {kNumeric, kNumeric}, fn<smaller>},
    {1724, "numeric_add", kNumeric, {kNumeric, kNumeric}, fn<numeric_add>},
    {1725, "numeric_sub", kNumeric, {kNumeric, kNumeric}, fn<numeric_subtract>},
    {1726, "numeric_mul", kNumeric, {kNumeric, kNumeric}, fn<numeric_multiply>},
    {1727, "numeric_div", kNumeric, {kNumeric, kNumeric}, fn<numeric_divide>},
    {1973, "div", kNumeric, {kNumeric, kNumeric}, fn<numeric_div>},
    {1980, "numeric_div_trunc", kNumeric, {kNumeric, kNumeric}, fn<numeric_div>},
    {1728, "mod", kNumeric, {kNumeric, kNumeric}, fn<numeric_mod>},
    {1729, "numeric_mod", kNumeric, {kNumeric, kNumeric}, fn<numeric_mod>},
    {1771, "numeric_uminus", kNumeric, {kNumeric}, fn<numeric_negate>},
    {1915, "numeric_uplus", kNumeric, {kNumeric}, fn<plus>},
    {1704, "numeric_abs", kNumeric, {kNumeric}, fn<numeric_abs>},
    {1705, "abs", kNumeric, {kNumeric}, fn<numeric_abs>},
    {1706, "sign", kNumeric, {kNumeric}, fn<sign>},
    {1764, "numeric_inc", kNumeric, {kNumeric}, fn<increment>},
    {1707, "round", kNumeric, {kNumeric, kInt4}, fn<numeric_round>},
    {1708, "round", kNumeric, {kNumeric}, fn<round_to_integer>},
    {1709, "trunc", kNumeric, {kNumeric, kInt4}, fn<numeric_trunc>},
    {1710, "trunc", kNumeric, {kNumeric}, fn<trunc_to_integer>},
    {1711, "ceil", kNumeric, {kNumeric}, fn<numeric_ceil>},
    {2167, "ceiling", kNumeric, {kNumeric}, fn<numeric_ceil>},
    {1712, "floor", kNumeric, {kNumeric}, fn<numeric_floor>},
    {1730, "sqrt", kNumeric, {kNumeric}, fn<numeric_sqrt>},
    {1731, "numeric_sqrt", kNumeric, {kNumeric}, fn<numeric_sqrt>},
    {1732, "exp", kNumeric, {kNumeric}, fn<numeric_exp>},
    {1733, "numeric_exp", kNumeric, {kNumeric}, fn<numeric_exp>},
    {1734, "ln", kNumeric, {kNumeric}, fn<numeric_ln>},
    {1735, "numeric_ln", kNumeric, {kNumeric}, fn<numeric_ln>},
    {1736, "log", kNumeric, {kNumeric, kNumeric}, fn<numeric_log>},
    {1737, "numeric_log", kNumeric, {kNumeric, kNumeric}, fn<numeric_log>},
    {1741, "log", kNumeric, {kNumeric}, fn<log10>},
    {1738, "pow", kNumeric, {kNumeric, kNumeric}, fn<numeric_power>},
    {1739, "numeric_power", kNumeric, {kNumeric, kNumeric}, fn<numeric_power>},
    {2169, "power", kNumeric, {kNumeric, kNumeric}, fn<numeric_power>},
    {1376, "factorial", kNumeric, {kInt8}, fn<numeric_factorial>},
    {5048, "gcd", kNumeric, {kNumeric, kNumeric}, fn<numeric_gcd>},
    {5049, "lcm", kNumeric, {kNumeric, kNumeric}, fn<numeric_lcm>},
    {3281, "scale", kInt4, {kNumeric}, fn<scale>},
    {5042, "min_scale", kInt4, {kNumeric}, fn<min_scale>},
    {5043, "trim_scale", kNumeric, {kNumeric}, fn<numeric_trim_scale>},
    {2170, "width_bucket", kInt4, {kNumeric, kNumeric, kNumeric, kInt4}, fn<numeric_width_bucket>},
    {1703, "numeric", kNumeric, {kNumeric, kInt4}, fn<fit>},
    {1782, "numeric", kNumeric, {kInt2}, fn<from_int2>},
    {1740, "numeric", kNumeric, {kInt4}, fn<from_int4>},
    {1781, "numeric", kNumeric, {kInt8}, fn<numeric_from_int64>},
    {1742, "numeric", kNumeric, {kFloat4}, fn<numeric_from_float>},
    {1743, "numeric", kNumeric, {kFloat8}, fn<numeric_from_double>},
    {1783, "int2", kInt2, {kNumeric}, fn<to_int2>},
    {1744, "int4", kInt4, {kNumeric}, fn<to_int4>},
    {1779, "int8", kInt8, {kNumeric}, fn<to_int8>},
    {1745, "float4", kFloat4, {kNumeric}, fn<to_float4>},
    {1746, "float8", kFloat8, {kNumeric}, fn<to_float8>},
    {3260, "generate_series", kNumeric, {kNumeric, kNumeric}, nullptr, generate_series},
    {3259, "generate_series", kNumeric, {kNumeric, kNumeric, kNumeric}, nullptr, generate_series},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kNumericFunctions = kRows;

}  // namespace cofork
