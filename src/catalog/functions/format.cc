// to_char(), to_date(), to_timestamp(), to_number().
#include <charconv>
#include <cmath>

#include "catalog/functions/datetime_wrap.h"
#include "types/datetime_format.h"
#include "types/number_format.h"
#include "types/numeric.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

using namespace datetime;

FormatInput input_of(int64_t local_us) {
  TimeFields f = fields_of_timestamp(local_us);
  FormatInput in;
  in.year = f.year;
  in.month = f.month;
  in.day = f.day;
  in.hour = f.hour;
  in.minute = f.minute;
  in.second = f.second;
  in.microsecond = f.microsecond;
  in.days = days_of(local_us);
  return in;
}

std::optional<std::string> timestamp_to_char(int64_t us, std::string_view pattern) {
  if (pattern.empty() || !is_finite_timestamp(us)) return std::nullopt;
  return format_moment(input_of(us), pattern);
}
std::optional<std::string> timestamptz_to_char(EvalContext& context, int64_t us,
                                               std::string_view pattern) {
  if (pattern.empty() || !is_finite_timestamp(us)) return std::nullopt;
  TimeZone::Moment zone = zone_of(context).at(us);
  FormatInput in = input_of(us + zone.offset * kUsPerSecond);
  in.has_zone = true;
  in.offset = zone.offset;
  in.zone_name = zone.abbreviation;
  return format_moment(in, pattern);
}
std::optional<std::string> interval_to_char(Interval v, std::string_view pattern) {
  if (pattern.empty()) return std::nullopt;
  FormatInput in;
  in.is_interval = true;
  in.year = v.months / 12;
  in.month = v.months % 12;
  in.day = v.days;
  in.days = int64_t{v.months} * 30 + v.days;
  in.hour = v.time_us / kUsPerHour;
  in.minute = static_cast<int>(v.time_us / kUsPerMinute % 60);
  in.second = static_cast<int>(v.time_us / kUsPerSecond % 60);
  in.microsecond = static_cast<int>(v.time_us % kUsPerSecond);
  return format_moment(in, pattern);
}

int64_t to_timestamp(EvalContext& context, std::string_view text, std::string_view pattern) {
  ParsedMoment moment = parse_moment_by(text, pattern);
  int64_t us = timestamp_from_fields(moment.fields);
  if (moment.has_offset) return us - moment.offset * kUsPerSecond;
  return to_utc(us, zone_of(context));
}
int32_t to_date(std::string_view text, std::string_view pattern) {
  TimeFields f = parse_moment_by(text, pattern).fields;
  int64_t days = days_from_civil(f.year, f.month, f.day);
  if (!is_valid_date(days)) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "date out of range: \"{}\"", text);
  }
  return static_cast<int32_t>(days);
}

/// The text of |value| rounded to `scale` decimals.
std::string magnitude_text(Arena& arena, Datum value, int scale) {
  std::string text;
  append_numeric(text, numeric_round(arena, numeric_abs(arena, value), scale));
  return text;
}

std::string scientific(Arena& arena, const NumberPattern& pattern, Datum value) {
  NumericView v(value);
  int exponent = 0;
  if (v.count > 0) {
    int first = v.digit(0);
    exponent = v.weight * 4 + (first >= 1000 ? 3 : first >= 100 ? 2 : first >= 10 ? 1 : 0);
  }
  std::string mantissa;
  for (int attempt = 0; attempt < 2; ++attempt) {
    Datum ten = numeric_from_int64(arena, 10);
    Datum scaled = value;
    if (exponent != 0) {
      Datum power = numeric_power(arena, ten, numeric_from_int64(arena, std::abs(exponent)));
      scaled = exponent > 0 ? numeric_divide(arena, value, power)
                            : numeric_multiply(arena, value, power);
    }
    mantissa = magnitude_text(arena, scaled, pattern.after_point);
    if (!mantissa.starts_with("10")) break;
    ++exponent;  // 9.99 rounded up
  }
  return format_scientific(pattern, mantissa, exponent, v.sign() < 0);
}

std::string numeric_to_char(Arena& arena, Datum value, std::string_view text) {
  NumberPattern pattern = parse_number_pattern(text);
  NumericView v(value);
  if (pattern.roman) {
    int number = v.is_finite() && v.weight < 2
                     ? static_cast<int>(numeric_to_int64(value, INT32_MIN, INT32_MAX, "integer"))
                     : 0;
    std::string roman = roman_numeral(number);
    return pattern.fill_mode ? roman
                             : std::string(15 - std::min<size_t>(15, roman.size()), ' ') + roman;
  }
  if (!v.is_finite()) return format_number(pattern, v.is_nan() ? "NaN" : "Infinity", v.sign() < 0);
  if (pattern.scientific) return scientific(arena, pattern, value);
  if (pattern.shift > 0) {
    value = numeric_multiply(arena, value,
                             numeric_power(arena, numeric_from_int64(arena, 10),
                                           numeric_from_int64(arena, pattern.shift)));
  }
  return format_number(pattern, magnitude_text(arena, value, pattern.after_point), v.sign() < 0);
}
std::string int4_to_char(Arena& arena, int32_t value, std::string_view pattern) {
  return numeric_to_char(arena, numeric_from_int64(arena, value), pattern);
}
std::string int8_to_char(Arena& arena, int64_t value, std::string_view pattern) {
  return numeric_to_char(arena, numeric_from_int64(arena, value), pattern);
}
std::string float4_to_char(Arena& arena, float value, std::string_view pattern) {
  return numeric_to_char(arena, numeric_from_float(arena, value), pattern);
}
std::string float8_to_char(Arena& arena, double value, std::string_view pattern) {
  return numeric_to_char(arena, numeric_from_double(arena, value), pattern);
}

std::optional<Datum> to_number(Arena& arena, std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return std::nullopt;
  NumberPattern parsed = parse_number_pattern(pattern);
  Datum value = parse_numeric(arena, strip_number(parsed, text));
  if (parsed.shift > 0) {
    value = numeric_divide(arena, value,
                           numeric_power(arena, numeric_from_int64(arena, 10),
                                         numeric_from_int64(arena, parsed.shift)));
  }
  return value;
}

constexpr BuiltinFunction kRows[] = {
    BuiltinFunction{2049, "to_char", kText, {kTimestamp, kText}, fn<timestamp_to_char>}.stable(),
    BuiltinFunction{1770, "to_char", kText, {kTimestampTz, kText}, fn<timestamptz_to_char>}
        .stable(),
    BuiltinFunction{1768, "to_char", kText, {kInterval, kText}, fn<interval_to_char>}.stable(),
    BuiltinFunction{1778, "to_timestamp", kTimestampTz, {kText, kText}, fn<to_timestamp>}.stable(),
    BuiltinFunction{1780, "to_date", kDate, {kText, kText}, fn<to_date>}.stable(),
    BuiltinFunction{1772, "to_char", kText, {kNumeric, kText}, fn<numeric_to_char>}.stable(),
    BuiltinFunction{1773, "to_char", kText, {kInt4, kText}, fn<int4_to_char>}.stable(),
    BuiltinFunction{1774, "to_char", kText, {kInt8, kText}, fn<int8_to_char>}.stable(),
    BuiltinFunction{1775, "to_char", kText, {kFloat4, kText}, fn<float4_to_char>}.stable(),
    BuiltinFunction{1776, "to_char", kText, {kFloat8, kText}, fn<float8_to_char>}.stable(),
    BuiltinFunction{1777, "to_number", kNumeric, {kText, kText}, fn<to_number>}.stable(),
};

}  // namespace

constinit const std::span<const BuiltinFunction> kFormatFunctions = kRows;

}  // namespace cofork
