// What the date and time functions share: their types as C++ parameters, and steps of arithmetic.
#pragma once

#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/datetime.h"

namespace cofork {

template <>
struct Convert<TimeTz> {
  static TimeTz from(Datum d) { return timetz_at(d); }
  static Datum to(Arena& arena, TimeTz value) { return timetz_datum(arena, value); }
};
template <>
struct Convert<Interval> {
  static Interval from(Datum d) { return interval_at(d); }
  static Datum to(Arena& arena, const Interval& value) { return interval_datum(arena, value); }
};

namespace datetime {

/// timestamp + interval: months first (the day is cut to the month's length), then days, then time.
int64_t add_interval(int64_t us, const Interval& span);
/// timestamptz + interval: months and days by the session's clock.
int64_t add_interval_in_zone(const EvalContext& context, int64_t us, const Interval& span);
Interval negate_interval(const Interval& value);  ///< 22008 interval out of range
/// 24 hours become a day.
Interval justify_hours(Interval value);
int64_t time_plus(int64_t us, int64_t more_us);  ///< modulo a day

int64_t timestamp_of_date(int32_t days);  ///< 22008
int64_t timestamptz_of_date(const EvalContext& context, int32_t days);
/// The local clock of a timestamptz; infinity stays.
int64_t local_of(const EvalContext& context, int64_t utc_us);
int64_t utc_of(const EvalContext& context, int64_t local_us);
/// The zone a user named: an abbreviation, a name or a POSIX specification. 22023.
TimeZone zone_named(std::string_view name);

/// A timestamp's whole days (floored) and the rest.
int64_t days_of(int64_t us);

}  // namespace datetime

}  // namespace cofork
