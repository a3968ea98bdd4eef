// Date and time values: breaking them into fields, reading and writing their text forms.
//
//   date int32 days, time int64 µs of the day, timestamp and timestamptz int64 µs since 2000-01-01,
//   timetz {int64 µs, int32 seconds WEST} 12 bytes, interval {int64 µs, int32 days, int32 months}
//
// parse_… read every spelling the type's input function does and throw its errors: 22007 invalid
// input syntax, 22008 date/time field value out of range, 22009 time zone displacement out of
// range, 22023 time zone not recognized. As datetime.c, PostgreSQL 15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/calendar.h"
#include "types/eval_context.h"
#include "types/int128.h"
#include "types/timezone.h"

namespace cofork {

/// A moment as clock and calendar show it.
struct TimeFields {
  int year = 0;  ///< 0 is 1 BC
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
};

struct TimeTz {
  int64_t time_us;
  int32_t zone_west;  ///< seconds west of Greenwich, as stored
};
struct Interval {
  int64_t time_us = 0;
  int32_t days = 0;
  int32_t months = 0;
};
static_assert(sizeof(Interval) == 16);

inline TimeTz timetz_at(Datum d) {
  const char* bytes = datum_to_pointer(d);
  return {load_le<int64_t>(bytes), load_le<int32_t>(bytes + 8)};
}
inline Datum timetz_datum(Arena& arena, TimeTz value) {
  char* bytes = static_cast<char*>(arena.allocate(12, 8));
  store_le(bytes, value.time_us);
  store_le(bytes + 8, value.zone_west);
  return datum_from_pointer(bytes);
}
inline Interval interval_at(Datum d) {
  return load_le<Interval>(datum_to_pointer(d));
}
inline Datum interval_datum(Arena& arena, const Interval& value) {
  return datum_from_pointer(arena.make<Interval>(value));
}

/// The session's zone; UTC where there is none.
const TimeZone& zone_of(const EvalContext& context);

TimeFields fields_of_timestamp(int64_t us);
int64_t timestamp_from_fields(const TimeFields& fields);  ///< no checks of range
TimeFields fields_of_time(int64_t us);
int64_t time_from_fields(const TimeFields& fields);
/// timestamptz seen from a zone, and back.
int64_t to_local(int64_t utc_us, const TimeZone& zone);
int64_t to_utc(int64_t local_us, const TimeZone& zone);  ///< 22008 timestamp out of range

int32_t parse_date(const EvalContext& context, std::string_view text);
int64_t parse_time(const EvalContext& context, std::string_view text, int32_t typmod);
TimeTz parse_timetz(const EvalContext& context, std::string_view text, int32_t typmod);
int64_t parse_timestamp(const EvalContext& context, std::string_view text, int32_t typmod);
int64_t parse_timestamptz(const EvalContext& context, std::string_view text, int32_t typmod);
Interval parse_interval(const EvalContext& context, std::string_view text, int32_t typmod);

void append_date(const EvalContext& context, std::string& out, int32_t days);
void append_time(std::string& out, int64_t us);
void append_timetz(std::string& out, TimeTz value);
void append_timestamp(const EvalContext& context, std::string& out, int64_t us);
void append_timestamptz(const EvalContext& context, std::string& out, int64_t us);
void append_interval(const EvalContext& context, std::string& out, const Interval& value);

/// Rounds to `typmod` decimals of a second (-1: as it is); infinity stays.
int64_t round_to_precision(int64_t us, int32_t typmod);
/// interval(p) and interval FIELDS: typmod is precision | range << 16.
Interval fit_interval(Interval value, int32_t typmod);

inline int compare_interval(const Interval& a, const Interval& b) {
  // A month counts 30 days and a day 24 hours here.
  auto span = [](const Interval& v) {
    return Int128{v.time_us} + (Int128{v.months} * 30 + v.days) * kUsPerDay;
  };
  Int128 x = span(a), y = span(b);
  return x < y ? -1 : x > y ? 1 : 0;
}
/// By the moment in UTC, then by zone.
inline int compare_timetz(const TimeTz& a, const TimeTz& b) {
  int64_t x = a.time_us + a.zone_west * kUsPerSecond, y = b.time_us + b.zone_west * kUsPerSecond;
  if (x != y) return x < y ? -1 : 1;
  return a.zone_west < b.zone_west ? -1 : a.zone_west > b.zone_west ? 1 : 0;
}

[[noreturn]] void throw_timestamp_out_of_range();
[[noreturn]] void throw_date_out_of_range();
[[noreturn]] void throw_interval_out_of_range();
/// 22023 time zone "…" not recognized.
[[noreturn]] void throw_unknown_zone(std::string_view name);

}  // namespace cofork
