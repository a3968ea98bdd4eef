// numeric: exact decimal numbers of up to 131072 digits before and 16383 after the point.
//
// In memory a numeric is PostgreSQL's varlena (numeric.c, NumericShort and NumericLong): a header
// word with sign, display scale and weight, then base-10000 digits, the first worth
// 10000^weight; no zero digits at either end. The display scale says how many decimals are shown;
// digits beyond it never exist. Long and short headers may both occur; new values take the short
// one when it fits.
//
// Arithmetic keeps PostgreSQL's rules for the scale of results, so that 1/3 has the same number of
// digits here and there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "types/datum.h"
#include "types/int128.h"

namespace cofork {

inline constexpr int kNumericDigitBase = 10000;
inline constexpr int kNumericDecimals = 4;  ///< decimal digits in a base-10000 digit
inline constexpr int kNumericMostDisplayScale = 1000;
inline constexpr int kNumericLeastDigits = 16;  ///< significant digits of a quotient, at least
inline constexpr int kNumericMostScale = 16383;
inline constexpr int kNumericMostWeight = 32767;

enum class NumericKind : uint8_t { kFinite, kNaN, kInfinity, kMinusInfinity };

/// A numeric taken apart; points into it.
class NumericView {
 public:
  explicit NumericView(Datum value);

  NumericKind kind = NumericKind::kFinite;
  bool negative = false;
  int weight = 0;
  int dscale = 0;
  int count = 0;  ///< of digits; zero has none
  int digit(int i) const { return load_le<int16_t>(digits_ + 2 * i); }
  bool is_finite() const { return kind == NumericKind::kFinite; }
  bool is_nan() const { return kind == NumericKind::kNaN; }
  bool is_zero() const { return is_finite() && count == 0; }
  /// -1, 0, 1; NaN counts as positive.
  int sign() const {
    if (!is_finite()) return kind == NumericKind::kMinusInfinity ? -1 : 1;
    return count == 0 ? 0 : negative ? -1 : 1;
  }

 private:
  const char* digits_ = nullptr;
};

/// Puts one together: strips zero digits, 22003 "value overflows numeric format".
Datum make_numeric(Arena& arena, bool negative, int weight, int dscale, const int16_t* digits,
                   int count);
Datum make_special_numeric(Arena& arena, NumericKind kind);

/// numeric(precision, scale) as a typmod, and rounding to it (22003 numeric field overflow).
int32_t make_numeric_typmod(int precision, int scale);
int numeric_typmod_precision(int32_t typmod);
int numeric_typmod_scale(int32_t typmod);
Datum numeric_fit(Arena& arena, Datum value, int32_t typmod);

Datum parse_numeric(Arena& arena, std::string_view text);  ///< 22P02, 22003
void append_numeric(std::string& out, Datum value);
Datum receive_numeric(Arena& arena, std::string_view bytes);
void send_numeric(std::string& bytes, Datum value);

/// -inf < finite < inf < NaN.
int numeric_compare(Datum a, Datum b);
uint64_t numeric_hash(Datum value);

Datum numeric_from_int64(Arena& arena, int64_t value);
Datum numeric_from_int128(Arena& arena, Int128 value, int scale = 0);  ///< value / 10^scale
Datum numeric_from_double(Arena& arena, double value);
Datum numeric_from_float(Arena& arena, float value);
/// Rounded half away from zero; 22003 "TYPE out of range", 0A000 "cannot convert NaN to TYPE".
int64_t numeric_to_int64(Datum value, int64_t least, int64_t most, const char* type);
double numeric_to_double(Datum value);  ///< ±infinity when too large
float numeric_to_float(Datum value);

// Rounding to `scale` decimals (negative: to tens, hundreds …).
Datum numeric_round(Arena& arena, Datum value, int scale);
Datum numeric_trunc(Arena& arena, Datum value, int scale);
Datum numeric_ceil(Arena& arena, Datum value);
Datum numeric_floor(Arena& arena, Datum value);

/// 22003 "value overflows numeric format".
[[noreturn]] void throw_numeric_overflow();

Datum numeric_negate(Arena& arena, Datum value);
Datum numeric_abs(Arena& arena, Datum value);
Datum numeric_add(Arena& arena, Datum a, Datum b);
Datum numeric_subtract(Arena& arena, Datum a, Datum b);
Datum numeric_multiply(Arena& arena, Datum a, Datum b);
Datum numeric_divide(Arena& arena, Datum a, Datum b);  ///< 22012
Datum numeric_div(Arena& arena, Datum a, Datum b);     ///< the integer quotient, truncated
Datum numeric_mod(Arena& arena, Datum a, Datum b);
Datum numeric_gcd(Arena& arena, Datum a, Datum b);
Datum numeric_lcm(Arena& arena, Datum a, Datum b);
Datum numeric_factorial(Arena& arena, int64_t n);
Datum numeric_sqrt(Arena& arena, Datum value);
Datum numeric_exp(Arena& arena, Datum value);
Datum numeric_ln(Arena& arena, Datum value);
Datum numeric_log(Arena& arena, Datum base, Datum value);
Datum numeric_power(Arena& arena, Datum base, Datum exponent);

/// Decimals needed to show the value exactly; null for NaN and infinities.
std::optional<int> numeric_min_scale(Datum value);
Datum numeric_trim_scale(Arena& arena, Datum value);
/// Bucket of `value` among `count` equal ones between the bounds (2201G).
int32_t numeric_width_bucket(Datum value, Datum low, Datum high, int32_t count);

/// (N·Σx² − (Σx)²) / (N·(N−1)) or / N², and its square root: the variance family over exact sums.
/// Null when there are too few rows.
std::optional<Datum> numeric_deviation(Arena& arena, int64_t count, Datum sum, Datum sum_of_squares,
                                       bool variance, bool sample);

}  // namespace cofork
