// Sums of numerics by lanes. See numeric_sum.h.
#include "types/numeric_sum.h"

#include <algorithm>

#include "types/numeric.h"

namespace cofork {

void NumericSum::cover(Arena& arena, int highest, int lowest) {
  if (count > 0 && highest <= top && lowest > top - count) return;
  constexpr int kSpare = 2;  // a few places more on both sides, so that this is rare
  int new_top = (count > 0 ? std::max(top, highest) : highest) + kSpare;
  int bottom = (count > 0 ? std::min(top - count + 1, lowest) : lowest) - kSpare;
  int new_count = new_top - bottom + 1;
  auto* wider = arena.make_array<int64_t>(static_cast<size_t>(new_count));
  if (count > 0) std::copy(lanes, lanes + count, wider + (new_top - top));
  lanes = wider;
  count = new_count;
  top = new_top;
}

void NumericSum::add(Arena& arena, Datum value) {
  NumericView v(value);
  if (!v.is_finite()) {
    (v.is_nan() ? nan : v.sign() > 0 ? infinity : minus_infinity) = true;
    return;
  }
  dscale = std::max(dscale, v.dscale);
  if (v.count == 0) return;
  cover(arena, v.weight, v.weight - v.count + 1);
  int64_t* lane = lanes + (top - v.weight);
  if (v.negative) {
    for (int i = 0; i < v.count; ++i) lane[i] -= v.digit(i);
  } else {
    for (int i = 0; i < v.count; ++i) lane[i] += v.digit(i);
  }
}

Datum NumericSum::total(Arena& arena) const {
  if (nan || (infinity && minus_infinity)) return make_special_numeric(arena, NumericKind::kNaN);
  if (infinity) return make_special_numeric(arena, NumericKind::kInfinity);
  if (minus_infinity) return make_special_numeric(arena, NumericKind::kMinusInfinity);
  constexpr int kCarryDigits = 5;  // 10000^5 is more than a lane can carry out
  auto* digits = arena.make_array<int16_t>(static_cast<size_t>(count + kCarryDigits));
  // When the total is negative the last carry is too: then the negated lanes are added up.
  for (int64_t sign : {1, -1}) {
    int64_t carry = 0;
    for (int i = count - 1; i >= 0; --i) {
      int64_t sum = sign * lanes[i] + carry;
      carry = sum / kNumericDigitBase;
      int64_t digit = sum % kNumericDigitBase;
      if (digit < 0) {
        digit += kNumericDigitBase;
        --carry;
      }
      digits[i + kCarryDigits] = static_cast<int16_t>(digit);
    }
    if (carry < 0) continue;
    for (int i = kCarryDigits - 1; i >= 0; --i, carry /= kNumericDigitBase) {
      digits[i] = static_cast<int16_t>(carry % kNumericDigitBase);
    }
    return make_numeric(arena, sign < 0, top + kCarryDigits, dscale, digits, count + kCarryDigits);
  }
  return numeric_from_int64(arena, 0);
}

}  // namespace cofork
