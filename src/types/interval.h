// interval's type modifier: a precision of the seconds and a range of fields (HOUR TO SECOND …).
#pragma once

#include <cstdint>

namespace cofork {

// Fields of a range, as INTERVAL_MASK in timestamp.h.
inline constexpr int kRangeMonth = 1 << 1;
inline constexpr int kRangeYear = 1 << 2;
inline constexpr int kRangeDay = 1 << 3;
inline constexpr int kRangeHour = 1 << 10;
inline constexpr int kRangeMinute = 1 << 11;
inline constexpr int kRangeSecond = 1 << 12;
inline constexpr int kRangeFull = 0x7fff;
inline constexpr int kFullPrecision = 0xffff;

constexpr int32_t make_interval_typmod(int precision, int range) {
  return range << 16 | (precision & 0xffff);
}
constexpr int interval_range(int32_t typmod) {
  return typmod < 0 ? kRangeFull : (typmod >> 16) & 0x7fff;
}
constexpr int interval_precision(int32_t typmod) {
  return typmod < 0 ? kFullPrecision : typmod & 0xffff;
}

}  // namespace cofork
