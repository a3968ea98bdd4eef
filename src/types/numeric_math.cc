// Arithmetic of numeric. See numeric.h.
//
// A value is taken as an integer times a power of ten. Integers of up to 38 decimals are machine
// words; larger ones are Boost's cpp_int, which stays inside this file. Scales of results follow
// select_div_scale and its neighbours in numeric.c, PostgreSQL 15.
#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>

#include "support/error.h"
#include "types/numeric.h"

namespace cofork {

namespace {

using Big = boost::multiprecision::cpp_int;
using Small = Int128;

constexpr int kSmallDecimals = 36;  ///< an aligned sum of two such values still fits a Small
constexpr double kLog10OfE = 0.434294481903252;

Big power_of_ten(int exponent) {
  return boost::multiprecision::pow(Big(10), static_cast<unsigned>(exponent));
}

template <typename Int>
Int ten_to(int exponent) {
  if constexpr (std::is_same_v<Int, Small>) {
    Small power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
  } else {
    return power_of_ten(exponent);
  }
}

/// Decimals of the integer value * 10^scale, at most.
int decimals_at(const NumericView& v, int scale) {
  return (v.weight + 1) * 4 + scale;
}

/// The integer value * 10^scale, cut off after the point.
template <typename Int>
Int to_integer(const NumericView& v, int scale) {
  Int result = 0;
  if (v.count == 0) return result;
  if constexpr (std::is_same_v<Int, Small>) {
    for (int i = 0; i < v.count; ++i) result = result * kNumericDigitBase + v.digit(i);
  } else {
    // Four digits at a time: fewer passes over a long integer.
    int i = 0;
    for (; i + 4 <= v.count; i += 4) {
      uint64_t chunk = 0;
      for (int k = 0; k < 4; ++k)
        chunk = chunk * kNumericDigitBase + static_cast<uint64_t>(v.digit(i + k));
      result = result * 10000000000000000u + chunk;
    }
    for (; i < v.count; ++i)
      result = result * kNumericDigitBase + static_cast<unsigned>(v.digit(i));
  }
  int shift = (v.weight - v.count + 1) * 4 + scale;
  if (shift > 0) result *= ten_to<Int>(shift);
  if (shift < 0) result /= ten_to<Int>(-shift);
  if (v.negative) result = -result;
  return result;
}

Datum pack(Arena& arena, const Small& value, int scale) {
  return numeric_from_int128(arena, value, scale);
}

Datum pack(Arena& arena, Big value, int scale) {
  bool negative = value < 0;
  if (negative) value = -value;
  // Align the point with a digit boundary, then peel off digits from the end.
  int padding = (4 - scale % 4) % 4;
  if (padding > 0) value *= power_of_ten(padding);
  int fraction_digits = (scale + padding) / 4;
  size_t bits = value == 0 ? 1 : boost::multiprecision::msb(value) + 1;
  size_t room = bits / 13 + 6;
  auto* digits = arena.make_array<int16_t>(room);
  size_t at = room;
  Big rest;
  while (value != 0) {
    boost::multiprecision::divide_qr(Big(value), Big(10000000000000000u), value, rest);
    auto chunk = static_cast<uint64_t>(rest);
    for (int k = 0; k < 4; ++k, chunk /= kNumericDigitBase) {
      digits[--at] = static_cast<int16_t>(chunk % kNumericDigitBase);
    }
  }
  int count = static_cast<int>(room - at);
  return make_numeric(arena, negative, count - fraction_digits - 1, scale, digits + at, count);
}

/// a / b rounded half away from zero.
template <typename Int>
Int divide_rounded(const Int& a, const Int& b) {
  Int quotient = a / b;
  Int rest = a - quotient * b;
  if (rest < 0) rest = -rest;
  Int divisor = b;
  if (divisor < 0) divisor = -divisor;
  if (rest * 2 >= divisor) quotient += (a < 0) == (b < 0) ? 1 : -1;
  return quotient;
}

Datum make_nan(Arena& arena) {
  return make_special_numeric(arena, NumericKind::kNaN);
}
Datum make_infinity(Arena& arena, int sign) {
  return make_special_numeric(arena,
                              sign < 0 ? NumericKind::kMinusInfinity : NumericKind::kInfinity);
}
Datum make_zero(Arena& arena, int dscale) {
  return make_numeric(arena, false, 0, dscale, nullptr, 0);
}

[[noreturn]] void throw_division_by_zero() {
  throw Error(sqlstate::kDivisionByZero, "division by zero");
}

Datum add(Arena& arena, Datum left, Datum right, bool subtract) {
  NumericView a(left), b(right);
  if (a.is_nan() || b.is_nan()) return make_nan(arena);
  int b_sign = subtract ? -b.sign() : b.sign();
  if (!a.is_finite() || !b.is_finite()) {
    if (!a.is_finite() && !b.is_finite() && a.sign() != b_sign) return make_nan(arena);
    return make_infinity(arena, a.is_finite() ? b_sign : a.sign());
  }
  int scale = std::max(a.dscale, b.dscale);
  if (decimals_at(a, scale) <= kSmallDecimals && decimals_at(b, scale) <= kSmallDecimals) {
    Small x = to_integer<Small>(a, scale), y = to_integer<Small>(b, scale);
    return pack(arena, subtract ? x - y : x + y, scale);
  }
  Big x = to_integer<Big>(a, scale), y = to_integer<Big>(b, scale);
  if (subtract) y = -y;
  return pack(arena, Big(x + y), scale);
}

/// The rules of select_div_scale: at least 16 significant digits, no less than either scale.
int quotient_scale(const NumericView& a, const NumericView& b) {
  int quotient_weight = a.weight - b.weight;
  int a_first = a.count > 0 ? a.digit(0) : 0, b_first = b.count > 0 ? b.digit(0) : 0;
  if (a_first <= b_first) --quotient_weight;
  int scale = kNumericLeastDigits - quotient_weight * kNumericDecimals;
  scale = std::max({scale, a.dscale, b.dscale, 0});
  return std::min(scale, kNumericMostDisplayScale);
}

}  // namespace

Datum numeric_add(Arena& arena, Datum a, Datum b) {
  return add(arena, a, b, false);
}
Datum numeric_subtract(Arena& arena, Datum a, Datum b) {
  return add(arena, a, b, true);
}

Datum numeric_multiply(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (a.is_nan() || b.is_nan()) return make_nan(arena);
  if (!a.is_finite() || !b.is_finite()) {
    int sign = a.sign() * b.sign();
    return sign == 0 ? make_nan(arena) : make_infinity(arena, sign);
  }
  int scale = a.dscale + b.dscale;
  if (decimals_at(a, a.dscale) + decimals_at(b, b.dscale) <= kSmallDecimals) {
    return pack(arena, to_integer<Small>(a, a.dscale) * to_integer<Small>(b, b.dscale), scale);
  }
  Big product = to_integer<Big>(a, a.dscale) * to_integer<Big>(b, b.dscale);
  if (scale > kNumericMostScale) {
    product = divide_rounded<Big>(product, power_of_ten(scale - kNumericMostScale));
    scale = kNumericMostScale;
  }
  return pack(arena, product, scale);
}

Datum numeric_divide(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (a.is_nan() || b.is_nan()) return make_nan(arena);
  if (!a.is_finite()) {
    if (!b.is_finite()) return make_nan(arena);
    if (b.sign() == 0) throw_division_by_zero();
    return make_infinity(arena, a.sign() * b.sign());
  }
  if (!b.is_finite()) return make_zero(arena, 0);
  if (b.count == 0) throw_division_by_zero();
  int scale = quotient_scale(a, b);
  int shift = scale + b.dscale - a.dscale;  // never negative: scale is at least a.dscale
  if (decimals_at(a, a.dscale) + shift <= kSmallDecimals &&
      decimals_at(b, b.dscale) <= kSmallDecimals) {
    Small x = to_integer<Small>(a, a.dscale) * ten_to<Small>(shift);
    return pack(arena, divide_rounded<Small>(x, to_integer<Small>(b, b.dscale)), scale);
  }
  Big x = to_integer<Big>(a, a.dscale) * power_of_ten(shift);
  return pack(arena, divide_rounded<Big>(x, to_integer<Big>(b, b.dscale)), scale);
}

Datum numeric_div(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (!a.is_finite() || !b.is_finite()) return numeric_divide(arena, left, right);
  if (b.count == 0) throw_division_by_zero();
  int scale = std::max(a.dscale, b.dscale);
  return pack(arena, Big(to_integer<Big>(a, scale) / to_integer<Big>(b, scale)), 0);
}

Datum numeric_mod(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (a.is_nan() || b.is_nan()) return make_nan(arena);
  if (!a.is_finite()) {
    if (b.sign() == 0) throw_division_by_zero();
    return make_nan(arena);
  }
  if (!b.is_finite()) return left;
  if (b.count == 0) throw_division_by_zero();
  int scale = std::max(a.dscale, b.dscale);
  return pack(arena, Big(to_integer<Big>(a, scale) % to_integer<Big>(b, scale)), scale);
}

Datum numeric_gcd(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (!a.is_finite() || !b.is_finite()) return make_nan(arena);
  int scale = std::max(a.dscale, b.dscale);
  return pack(arena, Big(gcd(to_integer<Big>(a, scale), to_integer<Big>(b, scale))), scale);
}

Datum numeric_lcm(Arena& arena, Datum left, Datum right) {
  NumericView a(left), b(right);
  if (!a.is_finite() || !b.is_finite()) return make_nan(arena);
  int scale = std::max(a.dscale, b.dscale);
  return pack(arena, Big(lcm(to_integer<Big>(a, scale), to_integer<Big>(b, scale))), scale);
}

Datum numeric_factorial(Arena& arena, int64_t n) {
  constexpr int64_t kMost = 32177;  // its result is the last that fits
  if (n < 0) {
    throw Error(sqlstate::kNumericValueOutOfRange, "factorial of a negative number is undefined");
  }
  if (n > kMost) throw_numeric_overflow();
  Big product = 1;
  for (int64_t i = 2; i <= n; ++i) product *= static_cast<unsigned>(i);
  return pack(arena, product, 0);
}

namespace {

Datum sqrt_at_scale(Arena& arena, const NumericView& v, int scale) {
  // One more decimal than asked for, cut off, tells whether to round up.
  Big root = sqrt(to_integer<Big>(v, 2 * (scale + 1)));
  return pack(arena, divide_rounded<Big>(root, 10), scale);
}

}  // namespace

Datum numeric_sqrt(Arena& arena, Datum value) {
  NumericView v(value);
  if (v.is_nan()) return value;
  if (v.sign() < 0) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "cannot take square root of a negative number");
  }
  if (!v.is_finite()) return value;
  int scale = kNumericLeastDigits - (v.weight * kNumericDecimals / 2 + 1);
  scale = std::min(std::max({scale, v.dscale, 0}), kNumericMostDisplayScale);
  return sqrt_at_scale(arena, v, scale);
}

namespace {

// Logarithms and exponentials in fixed point: an integer stands for value / 10^decimals. A few
// guard decimals beyond the result's keep the rounded result right.
constexpr int kGuardDecimals = 16;
constexpr double kMostResultScale = 2000;  ///< NUMERIC_MAX_RESULT_SCALE

/// atanh(1/n) by its series.
Big atanh_of_inverse(unsigned n, const Big& one) {
  Big term = one / n, sum = term;
  for (unsigned k = 3; term != 0; k += 2) {
    term /= n * n;
    sum += term / k;
  }
  return sum;
}

Big ln_of_ten(const Big& one) {
  return 46 * atanh_of_inverse(31, one) + 34 * atanh_of_inverse(49, one) +
         20 * atanh_of_inverse(161, one);
}

/// ln of x > 0, given with any scale, as a fixed-point number of `decimals`.
Big fixed_ln(const NumericView& x, int decimals) {
  // x = m * 10^n with 0.1 <= m < 1; square roots bring m near 1, where the series is short.
  int first = x.digit(0);
  int n = decimals_at(x, 0) - (first >= 1000 ? 0 : first >= 100 ? 1 : first >= 10 ? 2 : 3);
  int work = decimals + kGuardDecimals + 6;
  Big one = power_of_ten(work);
  Big m = to_integer<Big>(x, work - n);
  int halvings = 0;
  for (Big limit = one / 100; abs(Big(m - one)) > limit; ++halvings) m = sqrt(Big(m * one));
  Big ratio = (m - one) * one / (m + one), square = ratio * ratio / one;
  Big term = ratio, sum = ratio;
  for (unsigned k = 3; term != 0; k += 2) {
    term = term * square / one;
    sum += term / k;
  }
  sum <<= halvings + 1;
  if (n != 0) sum += n * ln_of_ten(one);
  return divide_rounded<Big>(sum, power_of_ten(work - decimals));
}

/// e^x for a fixed-point x of `x_decimals`, with `decimals`, rounded.
Big fixed_exp(const Big& x, int x_decimals, int decimals, int result_decimals_before_point) {
  int work = decimals + std::max(result_decimals_before_point, 0) + kGuardDecimals;
  Big one = power_of_ten(work);
  Big value = x_decimals > work ? Big(x / power_of_ten(x_decimals - work))
                                : Big(x * power_of_ten(work - x_decimals));
  // e^x = 10^n * e^r: the power of ten is only a shift.
  Big ln10 = ln_of_ten(one);
  auto n = static_cast<int>(divide_rounded<Big>(value, ln10));
  Big r = value - n * ln10;
  constexpr int kHalvings = 12;
  r >>= kHalvings;
  Big term = one, sum = one;
  for (unsigned k = 1; term != 0; ++k) {
    term = term * r / one / k;
    sum += term;
  }
  for (int i = 0; i < kHalvings; ++i) sum = sum * sum / one;
  int shift = work - decimals - n;
  if (shift < 0) return sum * power_of_ten(-shift);
  return divide_rounded<Big>(sum, power_of_ten(shift));
}

/// Decimal weight of ln(x), estimated as PostgreSQL does: result scales depend on it.
int estimate_ln_weight(Arena& arena, Datum value) {
  NumericView v(value);
  if (v.count == 0 || v.negative) return 0;
  double approximate = numeric_to_double(value);
  if (approximate >= 0.9 && approximate <= 1.1) {
    NumericView rest(numeric_subtract(arena, value, numeric_from_int64(arena, 1)));
    if (rest.count == 0) return 0;
    return rest.weight * 4 + static_cast<int>(std::log10(rest.digit(0)));
  }
  int digits = v.digit(0), weight = v.weight * 4;
  if (v.count > 1) {
    digits = digits * kNumericDigitBase + v.digit(1);
    weight -= 4;
  }
  double ln = std::log(static_cast<double>(digits)) + weight * 2.302585092994046;
  return static_cast<int>(std::log10(std::fabs(ln)));
}

int clamp_scale(int scale) {
  return std::clamp(scale, 0, kNumericMostDisplayScale);
}

void check_logarithm_argument(const NumericView& v) {
  if (v.sign() < 0) {
    throw Error(sqlstate::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  }
  if (v.sign() == 0) throw Error(sqlstate::kInvalidArgumentForLog, "cannot take logarithm of zero");
}

}  // namespace

Datum numeric_exp(Arena& arena, Datum value) {
  NumericView v(value);
  if (v.kind == NumericKind::kMinusInfinity) return make_zero(arena, 0);
  if (!v.is_finite()) return value;
  double approximate = numeric_to_double(value);
  double weight = std::clamp(approximate * kLog10OfE, -kMostResultScale, kMostResultScale);
  int scale = clamp_scale(std::max(kNumericLeastDigits - static_cast<int>(weight), v.dscale));
  if (std::fabs(approximate) >= kMostResultScale * 3) {
    if (approximate > 0) throw_numeric_overflow();
    return make_zero(arena, scale);
  }
  int before_point = static_cast<int>(approximate * kLog10OfE) + 1;
  return pack(arena, fixed_exp(to_integer<Big>(v, v.dscale), v.dscale, scale, before_point), scale);
}

Datum numeric_ln(Arena& arena, Datum value) {
  NumericView v(value);
  if (v.is_nan()) return value;
  check_logarithm_argument(v);
  if (!v.is_finite()) return value;
  int scale =
      clamp_scale(std::max(kNumericLeastDigits - estimate_ln_weight(arena, value), v.dscale));
  return pack(arena, fixed_ln(v, scale), scale);
}

Datum numeric_log(Arena& arena, Datum base, Datum value) {
  NumericView b(base), v(value);
  if (b.is_nan() || v.is_nan()) return make_nan(arena);
  check_logarithm_argument(b);
  check_logarithm_argument(v);
  if (!b.is_finite() || !v.is_finite()) {
    if (b.is_finite()) return make_infinity(arena, 1);
    return v.is_finite() ? make_zero(arena, 0) : make_nan(arena);
  }
  int base_weight = estimate_ln_weight(arena, base),
      value_weight = estimate_ln_weight(arena, value);
  int scale = clamp_scale(
      std::max({kNumericLeastDigits - (value_weight - base_weight), b.dscale, v.dscale}));
  int work = scale + kGuardDecimals + std::abs(base_weight) + std::abs(value_weight);
  Big divisor = fixed_ln(b, work);
  if (divisor == 0) throw_division_by_zero();
  return pack(arena, divide_rounded<Big>(fixed_ln(v, work) * power_of_ten(scale), divisor), scale);
}

namespace {

/// e^(exponent * ln(base)) for base > 0, negated on demand, with `weight` digits before the point.
Datum power_by_logarithm(Arena& arena, Datum base, const NumericView& exponent, int weight,
                         int scale, bool negate) {
  int work = scale + std::max(weight, 0) + kGuardDecimals + std::max(decimals_at(exponent, 0), 0);
  Big product = fixed_ln(NumericView(base), work) * to_integer<Big>(exponent, exponent.dscale);
  Big result = fixed_exp(product, work + exponent.dscale, scale, weight + 1);
  return pack(arena, negate ? Big(-result) : result, scale);
}

/// base^exponent for an exponent that fits an int.
Datum integer_power(Arena& arena, Datum base, int exponent, const NumericView& e) {
  NumericView b(base);
  double weight = 0;  // decimal weight of the result, nearly
  if (b.count > 0) {
    double leading = 0;
    int place = (b.weight + 1) * 4;
    for (int i = 0; i < b.count && i < 4; ++i, place -= 4)
      leading = leading * kNumericDigitBase + b.digit(i);
    weight = exponent * (std::log10(leading) + place);
  }
  if (weight > (kNumericMostWeight + 1) * 4) throw_numeric_overflow();
  if (weight + 1 < -kNumericMostDisplayScale) return make_zero(arena, kNumericMostDisplayScale);
  int scale = clamp_scale(std::max({kNumericLeastDigits, b.dscale, e.dscale}));
  if (b.count == 0 && exponent != 0) return make_zero(arena, scale);

  auto left = static_cast<unsigned>(std::abs(int64_t{exponent}));
  constexpr int64_t kMostExactDecimals = 20000;
  if (int64_t{b.count} * 4 * left > kMostExactDecimals) {
    bool negate = b.negative && left % 2 == 1;
    return power_by_logarithm(arena, numeric_abs(arena, base), e, static_cast<int>(weight), scale,
                              negate);
  }
  Big power = 1, square = to_integer<Big>(b, b.dscale);
  auto power_scale = static_cast<int>(b.dscale * left);
  for (; left != 0; left >>= 1) {
    if (left & 1) power *= square;
    if (left > 1) square *= square;
  }
  if (exponent < 0) {
    return pack(arena, divide_rounded<Big>(power_of_ten(scale + power_scale), power), scale);
  }
  int shift = power_scale - scale;
  if (shift <= 0) return pack(arena, Big(power * power_of_ten(-shift)), scale);
  return pack(arena, divide_rounded<Big>(power, power_of_ten(shift)), scale);
}

Datum power_of_specials(Arena& arena, Datum base, Datum exponent) {
  NumericView b(base), e(exponent);
  Datum one = numeric_from_int64(arena, 1);
  if (e.is_zero() || (b.is_finite() && numeric_compare(base, one) == 0)) return one;
  if (b.is_nan() || e.is_nan()) return make_nan(arena);
  bool exponent_is_integer = !e.is_finite() || numeric_min_scale(exponent).value_or(0) == 0;
  if (b.sign() == 0 && e.sign() < 0) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "zero raised to a negative power is undefined");
  }
  if (b.sign() < 0 && !exponent_is_integer) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "a negative number raised to a non-integer power yields a complex result");
  }
  if (!e.is_finite()) {
    int order = b.is_finite() ? numeric_compare(numeric_abs(arena, base), one) : 1;
    if (order == 0) return one;
    return (order > 0) == (e.sign() > 0) ? make_infinity(arena, 1) : make_zero(arena, 0);
  }
  if (e.sign() < 0) return make_zero(arena, 0);
  NumericView remainder(numeric_mod(arena, exponent, numeric_from_int64(arena, 2)));
  bool odd = b.sign() < 0 && !remainder.is_zero();
  return make_infinity(arena, odd ? -1 : 1);
}

}  // namespace

Datum numeric_power(Arena& arena, Datum base, Datum exponent) {
  NumericView b(base), e(exponent);
  if (!b.is_finite() || !e.is_finite()) return power_of_specials(arena, base, exponent);
  bool integer = numeric_min_scale(exponent) == 0;
  if (b.count == 0 && e.sign() < 0) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "zero raised to a negative power is undefined");
  }
  if (b.sign() < 0 && !integer) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "a negative number raised to a non-integer power yields a complex result");
  }
  double approximate = numeric_to_double(exponent);
  if (integer && std::fabs(approximate) < std::numeric_limits<int>::max()) {
    return integer_power(arena, base, static_cast<int>(approximate), e);
  }
  if (b.count == 0) return make_zero(arena, kNumericLeastDigits);
  bool odd =
      integer && !NumericView(numeric_mod(arena, exponent, numeric_from_int64(arena, 2))).is_zero();
  Datum magnitude = numeric_abs(arena, base);
  // A first estimate of exponent * ln(base) tells the size of the result.
  double estimate = std::log(numeric_to_double(magnitude)) * approximate;
  if (std::fabs(estimate) > kMostResultScale * 3.01) {
    if (estimate > 0) throw_numeric_overflow();
    return make_zero(arena, kNumericMostDisplayScale);
  }
  int weight = static_cast<int>(estimate * kLog10OfE);
  int scale = clamp_scale(std::max({kNumericLeastDigits - weight, b.dscale, e.dscale}));
  return power_by_logarithm(arena, magnitude, e, weight, scale, odd && b.sign() < 0);
}

int32_t numeric_width_bucket(Datum value, Datum low, Datum high, int32_t count) {
  auto invalid = [](const char* what) {
    return Error(sqlstate::kInvalidArgumentForWidthBucketFunction, "{}", what);
  };
  if (count <= 0) throw invalid("count must be greater than zero");
  NumericView v(value), l(low), h(high);
  if (v.is_nan() || l.is_nan() || h.is_nan()) {
    throw invalid("operand, lower bound, and upper bound cannot be NaN");
  }
  if (!l.is_finite() || !h.is_finite()) throw invalid("lower and upper bounds must be finite");
  int order = numeric_compare(low, high);
  if (order == 0) throw invalid("lower bound cannot equal upper bound");
  bool below = order < 0 ? numeric_compare(value, low) < 0 : numeric_compare(value, low) > 0;
  bool above = order < 0 ? numeric_compare(value, high) >= 0 : numeric_compare(value, high) <= 0;
  if (below) return 0;
  if (above) {
    if (count == std::numeric_limits<int32_t>::max()) {
      throw Error(sqlstate::kNumericValueOutOfRange, "integer out of range");
    }
    return count + 1;
  }
  int scale = std::max({v.dscale, l.dscale, h.dscale});
  Big from = to_integer<Big>(l, scale), width = to_integer<Big>(h, scale) - from;
  Big position = (to_integer<Big>(v, scale) - from) * count;
  return static_cast<int32_t>(Big(position / width)) + 1;
}

std::optional<Datum> numeric_deviation(Arena& arena, int64_t count, Datum sum, Datum sum_of_squares,
                                       bool variance, bool sample) {
  if (count == 0 || (sample && count <= 1)) return std::nullopt;
  NumericView s(sum), q(sum_of_squares);
  if (!s.is_finite() || !q.is_finite()) return make_nan(arena);
  Datum n = numeric_from_int64(arena, count);
  Datum spread = numeric_subtract(arena, numeric_multiply(arena, n, sum_of_squares),
                                  numeric_multiply(arena, sum, sum));
  if (NumericView(spread).count == 0) return make_zero(arena, 0);
  Datum divisor = numeric_multiply(arena, n, numeric_from_int64(arena, sample ? count - 1 : count));
  Datum result = numeric_divide(arena, spread, divisor);
  if (variance) return result;
  NumericView v(result);
  return sqrt_at_scale(arena, v, v.dscale);
}

}  // namespace cofork
