// Arithmetic of dates, times and intervals, what makes them, and the clock.
//
// As timestamp.c and date.c, PostgreSQL 15.
#include <cmath>

#include "catalog/functions/datetime_wrap.h"
#include "model/task.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace datetime {

int64_t add_interval(int64_t us, const Interval& span) {
  if (!is_finite_timestamp(us)) return us;
  if (span.months != 0) {
    TimeFields f = fields_of_timestamp(us);
    int64_t month = int64_t{f.year} * 12 + f.month - 1 + span.months;
    int64_t year = month >= 0 ? month / 12 : -((-month + 11) / 12);
    f.year = static_cast<int>(year);
    f.month = static_cast<int>(month - year * 12) + 1;
    f.day = std::min(f.day, days_in_month(f.year, f.month));
    if (f.year < -4713 || f.year > 294277) throw_timestamp_out_of_range();
    us = timestamp_from_fields(f);
  }
  // Days alone are at most 2^31 · 86400 · 10^6, which overflows: checked.
  int64_t days_us;
  if (__builtin_mul_overflow(int64_t{span.days}, kUsPerDay, &days_us) ||
      __builtin_add_overflow(us, days_us, &us) || __builtin_add_overflow(us, span.time_us, &us) ||
      !is_valid_timestamp(us)) {
    throw_timestamp_out_of_range();
  }
  return us;
}

int64_t add_interval_in_zone(const EvalContext& context, int64_t us, const Interval& span) {
  if (!is_finite_timestamp(us)) return us;
  if (span.months != 0 || span.days != 0) {
    const TimeZone& zone = zone_of(context);
    us = to_utc(add_interval(to_local(us, zone), {0, span.days, span.months}), zone);
  }
  return add_interval(us, {span.time_us, 0, 0});
}

Interval negate_interval(const Interval& v) {
  if (v.time_us == INT64_MIN || v.days == INT32_MIN || v.months == INT32_MIN)
    throw_interval_out_of_range();
  return {-v.time_us, -v.days, -v.months};
}

Interval justify_hours(Interval v) {
  v.days += static_cast<int32_t>(v.time_us / kUsPerDay);
  v.time_us %= kUsPerDay;
  if (v.days > 0 && v.time_us < 0) {
    v.time_us += kUsPerDay;
    --v.days;
  } else if (v.days < 0 && v.time_us > 0) {
    v.time_us -= kUsPerDay;
    ++v.days;
  }
  return v;
}

int64_t time_plus(int64_t us, int64_t more_us) {
  int64_t sum = (us + more_us % kUsPerDay) % kUsPerDay;
  return sum < 0 ? sum + kUsPerDay : sum;
}

}  // namespace datetime

namespace {

using namespace datetime;

int64_t timestamp_plus(int64_t us, Interval span) {
  return add_interval(us, span);
}
int64_t timestamp_minus(int64_t us, Interval span) {
  return add_interval(us, negate_interval(span));
}
int64_t timestamptz_plus(EvalContext& c, int64_t us, Interval span) {
  return add_interval_in_zone(c, us, span);
}
int64_t timestamptz_minus(EvalContext& c, int64_t us, Interval span) {
  return add_interval_in_zone(c, us, negate_interval(span));
}
int64_t date_plus(int32_t days, Interval span) {
  return add_interval(timestamp_of_date(days), span);
}
int64_t date_minus(int32_t days, Interval span) {
  return date_plus(days, negate_interval(span));
}
int64_t plus_timestamp(Interval span, int64_t us) {
  return timestamp_plus(us, span);
}
int64_t plus_timestamptz(EvalContext& c, Interval span, int64_t us) {
  return timestamptz_plus(c, us, span);
}
int64_t plus_date(Interval span, int32_t days) {
  return date_plus(days, span);
}

int32_t date_plus_days(int32_t days, int32_t more) {
  if (!is_finite_date(days)) return days;
  int64_t sum = int64_t{days} + more;
  if (!is_valid_date(sum)) throw_date_out_of_range();
  return static_cast<int32_t>(sum);
}
int32_t days_plus_date(int32_t more, int32_t days) {
  return date_plus_days(days, more);
}
int32_t date_minus_days(int32_t days, int32_t fewer) {
  if (!is_finite_date(days)) return days;
  int64_t difference = int64_t{days} - fewer;
  if (!is_valid_date(difference)) throw_date_out_of_range();
  return static_cast<int32_t>(difference);
}
int32_t date_minus_date(int32_t a, int32_t b) {
  if (!is_finite_date(a) || !is_finite_date(b)) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite dates");
  }
  return a - b;
}
Interval timestamp_difference(int64_t a, int64_t b) {
  if (!is_finite_timestamp(a) || !is_finite_timestamp(b)) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite timestamps");
  }
  return justify_hours({a - b, 0, 0});
}

int64_t time_plus_interval(int64_t us, Interval span) {
  return time_plus(us, span.time_us);
}
int64_t interval_plus_time(Interval span, int64_t us) {
  return time_plus(us, span.time_us);
}
int64_t time_minus_interval(int64_t us, Interval span) {
  return time_plus(us, -(span.time_us % kUsPerDay));
}
Interval time_difference(int64_t a, int64_t b) {
  return {a - b, 0, 0};
}
TimeTz timetz_plus(TimeTz t, Interval span) {
  return {time_plus(t.time_us, span.time_us), t.zone_west};
}
TimeTz plus_timetz(Interval span, TimeTz t) {
  return timetz_plus(t, span);
}
TimeTz timetz_minus(TimeTz t, Interval span) {
  return {time_plus(t.time_us, -(span.time_us % kUsPerDay)), t.zone_west};
}

Interval interval_plus(Interval a, Interval b) {
  Interval sum;
  if (__builtin_add_overflow(a.time_us, b.time_us, &sum.time_us) ||
      __builtin_add_overflow(a.days, b.days, &sum.days) ||
      __builtin_add_overflow(a.months, b.months, &sum.months)) {
    throw_interval_out_of_range();
  }
  return sum;
}
Interval interval_minus(Interval a, Interval b) {
  Interval difference;
  if (__builtin_sub_overflow(a.time_us, b.time_us, &difference.time_us) ||
      __builtin_sub_overflow(a.days, b.days, &difference.days) ||
      __builtin_sub_overflow(a.months, b.months, &difference.months)) {
    throw_interval_out_of_range();
  }
  return difference;
}
Interval interval_negate(Interval v) {
  return negate_interval(v);
}

/// Every field scaled (multiplied or divided: times 1/3 is not the same as by 3); fractions of
/// months become days, of days time.
template <typename F>
Interval scale_interval(const Interval& v, F scaled) {
  constexpr double kSecondsPerDay = 86400;
  auto to_int32 = [](double value) {
    if (!(value > -2147483649.0 && value < 2147483648.0)) throw_interval_out_of_range();
    return static_cast<int32_t>(value);
  };
  auto round_us = [](double seconds) { return std::rint(seconds * 1e6) / 1e6; };
  Interval result;
  double months = scaled(v.months), days = scaled(v.days);
  result.months = to_int32(months);
  result.days = to_int32(days);
  double month_rest = round_us((months - result.months) * 30);
  auto month_rest_days = static_cast<int32_t>(month_rest);
  double seconds = round_us((days - result.days + month_rest - month_rest_days) * kSecondsPerDay);
  if (std::fabs(seconds) >= kSecondsPerDay) {
    auto whole = static_cast<int32_t>(seconds / kSecondsPerDay);
    result.days += whole;
    seconds -= whole * kSecondsPerDay;
  }
  result.days = to_int32(double{1} * result.days + month_rest_days);
  double time_us = std::rint(scaled(static_cast<double>(v.time_us)) + seconds * 1e6);
  if (!(time_us >= -9223372036854775808.0 && time_us < 9223372036854775808.0))
    throw_interval_out_of_range();
  result.time_us = static_cast<int64_t>(time_us);
  return result;
}
Interval interval_times(Interval v, double factor) {
  return scale_interval(v, [factor](double field) { return field * factor; });
}
Interval times_interval(double factor, Interval v) {
  return interval_times(v, factor);
}
Interval interval_divide(Interval v, double divisor) {
  if (divisor == 0) throw Error(sqlstate::kDivisionByZero, "division by zero");
  return scale_interval(v, [divisor](double field) { return field / divisor; });
}

Interval justify_days(Interval v) {
  v.months += v.days / 30;
  v.days %= 30;
  if (v.months > 0 && v.days < 0) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && v.days > 0) {
    v.days -= 30;
    ++v.months;
  }
  return v;
}
Interval justify_hours_only(Interval v) {
  return justify_hours(v);
}
Interval justify_interval(Interval v) {
  v.days += static_cast<int32_t>(v.time_us / kUsPerDay);
  v.time_us %= kUsPerDay;
  v.months += v.days / 30;
  v.days %= 30;
  bool rest_negative = v.days < 0 || (v.days == 0 && v.time_us < 0);
  bool rest_positive = v.days > 0 || (v.days == 0 && v.time_us > 0);
  if (v.months > 0 && rest_negative) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && rest_positive) {
    v.days -= 30;
    ++v.months;
  }
  return justify_hours(v);
}

/// Years, months, days and time between two moments, as a calendar counts them.
Interval age_between(int64_t a, int64_t b) {
  TimeFields x = fields_of_timestamp(a), y = fields_of_timestamp(b);
  bool negative = a < b;
  if (negative) std::swap(x, y);
  int64_t time_us = time_from_fields(x) - time_from_fields(y);
  int days = x.day - y.day;
  int months = (x.year - y.year) * 12 + x.month - y.month;
  if (time_us < 0) {
    time_us += kUsPerDay;
    --days;
  }
  while (days < 0) {  // a missing day is borrowed from the month of the earlier moment
    days += days_in_month(y.year, y.month);
    --months;
  }
  Interval age{time_us, days, months};
  return negative ? Interval{-age.time_us, -age.days, -age.months} : age;
}
Interval timestamp_age(int64_t a, int64_t b) {
  return age_between(a, b);
}
Interval timestamptz_age(EvalContext& c, int64_t a, int64_t b) {
  return age_between(local_of(c, a), local_of(c, b));
}
int64_t today_start(EvalContext& c) {
  return days_of(local_of(c, c.transaction_start_us)) * kUsPerDay;
}
Interval timestamp_age_today(EvalContext& c, int64_t us) {
  return age_between(today_start(c), us);
}
Interval timestamptz_age_today(EvalContext& c, int64_t us) {
  return age_between(today_start(c), local_of(c, us));
}

int32_t make_date(int32_t year, int32_t month, int32_t day) {
  int civil_year = year < 0 ? year + 1 : year;
  bool valid = year != 0 && month >= 1 && month <= 12 && day >= 1 &&
               std::abs(int64_t{year}) < 6000000 && day <= days_in_month(civil_year, month);
  if (!valid) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "date field value out of range: {}-{:02}-{:02}",
                year, month, day);
  }
  int64_t days = days_from_civil(civil_year, month, day);
  if (!is_valid_date(days)) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "date out of range: {}-{:02}-{:02}", year, month,
                day);
  }
  return static_cast<int32_t>(days);
}

int64_t make_time(int32_t hour, int32_t minute, double second) {
  bool valid =
      hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  if (valid && hour == 24) valid = minute == 0 && second == 0;
  if (!valid) {
    std::string seconds;
    append_float8(seconds, second, 1);
    if (second >= 0 && second < 10) seconds.insert(0, "0");
    throw Error(sqlstate::kDatetimeFieldOverflow, "time field value out of range: {}:{:02}:{}",
                hour, minute, seconds);
  }
  return hour * kUsPerHour + minute * kUsPerMinute + static_cast<int64_t>(std::rint(second * 1e6));
}

int64_t make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute,
                       double second) {
  int64_t us = make_date(year, month, day) * kUsPerDay + make_time(hour, minute, second);
  if (!is_valid_timestamp(us)) throw_timestamp_out_of_range();
  return us;
}
int64_t make_timestamptz(EvalContext& c, int32_t year, int32_t month, int32_t day, int32_t hour,
                         int32_t minute, double second) {
  return utc_of(c, make_timestamp(year, month, day, hour, minute, second));
}
/// Here, unlike in AT TIME ZONE, +2 is two hours east.
int64_t make_timestamptz_in(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute,
                            double second, std::string_view zone) {
  bool number = zone.starts_with('+') || zone.starts_with('-');
  auto fixed = number ? time_zone_from_setting(zone) : std::nullopt;
  return to_utc(make_timestamp(year, month, day, hour, minute, second),
                fixed ? *fixed : zone_named(zone));
}

Interval make_interval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours,
                       int32_t minutes, double seconds) {
  int64_t all_months = int64_t{years} * 12 + months, all_days = int64_t{weeks} * 7 + days;
  if (all_months != static_cast<int32_t>(all_months) ||
      all_days != static_cast<int32_t>(all_days) || !std::isfinite(seconds) ||
      std::fabs(seconds) > 9e12) {
    throw_interval_out_of_range();
  }
  int64_t us =
      hours * kUsPerHour + minutes * kUsPerMinute + static_cast<int64_t>(std::rint(seconds * 1e6));
  return {us, static_cast<int32_t>(all_days), static_cast<int32_t>(all_months)};
}

int64_t to_timestamp(double seconds) {
  if (std::isnan(seconds)) throw Error(sqlstate::kDatetimeFieldOverflow, "timestamp cannot be NaN");
  if (std::isinf(seconds)) return seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
  double us = std::rint((seconds - static_cast<double>(kUnixEpochToPostgres)) * 1e6);
  if (!(us >= static_cast<double>(kLeastTimestamp) && us < static_cast<double>(kTimestampEnd))) {
    std::string text;
    append_float8(text, seconds, 1);
    throw Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range: \"{}\"", text);
  }
  return static_cast<int64_t>(us);
}

int64_t transaction_start(EvalContext& c) {
  return c.transaction_start_us;
}
int64_t statement_start(EvalContext& c) {
  return c.statement_start_us;
}
int64_t clock_now() {
  return this_task().os().clock.realtime_us() - kUnixEpochToPostgres * kUsPerSecond;
}
/// "Mon Jan 15 13:45:30.123456 2024 CET".
std::string time_of_day(EvalContext& c) {
  EvalContext postgres_style = c;
  postgres_style.date_style = DateStyle::kPostgres;
  postgres_style.date_order = DateOrder::kMdy;
  std::string text;
  append_timestamptz(postgres_style, text, clock_now());
  return text;
}

/// generate_series over timestamps; timestamptz steps by the session's clock.
template <bool kInZone>
bool generate_series(SetCall& set) {
  struct State {
    int64_t next;
    int64_t last;
    Interval step;
    int direction;
  };
  auto* state = static_cast<State*>(set.state);
  if (state == nullptr) {
    const Datum* args = set.call.args;
    Interval step = interval_at(args[2]);
    int direction = compare_interval(step, Interval{});
    if (direction == 0)
      throw Error(sqlstate::kInvalidParameterValue, "step size cannot equal zero");
    state = set.state_arena.make<State>(datum_to_int64(args[0]), datum_to_int64(args[1]), step,
                                        direction);
    set.state = state;
  }
  if (state->direction > 0 ? state->next > state->last : state->next < state->last) return false;
  set.values[0] = datum_from_int64(state->next);
  state->next = kInZone ? add_interval_in_zone(set.call.context, state->next, state->step)
                        : add_interval(state->next, state->step);
  return true;
}

/// (a, b) OVERLAPS (c, d): each pair a start and an end or a length, in any order; half-open unless
/// empty. A NULL leaves the answer open only when it matters.
template <typename T, T (*kAdd)(EvalContext&, T, const Interval&),
          int (*kOrder)(const T&, const T&)>
Datum overlaps(FunctionCall& call) {
  struct Period {
    T start{}, end{};
    bool start_null = false, end_null = false;
  } periods[2];
  for (int i = 0; i < 2; ++i) {
    Period& p = periods[i];
    int at = 2 * i;
    p.start_null = call.nulls[at];
    p.end_null = call.nulls[at + 1];
    if (!p.start_null) p.start = Convert<T>::from(call.args[at]);
    bool by_length = call.function->args[static_cast<size_t>(at) + 1] == kInterval;
    if (by_length) p.end_null |= p.start_null;
    if (!p.end_null) {
      p.end = by_length ? kAdd(call.context, p.start, interval_at(call.args[at + 1]))
                        : Convert<T>::from(call.args[at + 1]);
    }
    if (p.start_null && p.end_null) return call.null();
    if (p.start_null || (!p.end_null && kOrder(p.start, p.end) > 0)) {
      std::swap(p.start, p.end);
      std::swap(p.start_null, p.end_null);
    }
  }
  const Period& a = periods[0];
  const Period& b = periods[1];
  int order = kOrder(a.start, b.start);
  if (order == 0) return a.end_null || b.end_null ? call.null() : datum_from_bool(true);
  const Period& first = order < 0 ? a : b;
  const Period& second = order < 0 ? b : a;
  if (first.end_null) return call.null();
  if (kOrder(second.start, first.end) < 0) return datum_from_bool(true);
  return second.end_null ? call.null() : datum_from_bool(false);
}
int order_words(const int64_t& a, const int64_t& b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
int64_t add_plain(EvalContext&, int64_t us, const Interval& span) {
  return add_interval(us, span);
}
int64_t add_zoned(EvalContext& c, int64_t us, const Interval& span) {
  return add_interval_in_zone(c, us, span);
}
int64_t add_to_time(EvalContext&, int64_t us, const Interval& span) {
  return time_plus(us, span.time_us);
}
TimeTz add_to_timetz(EvalContext&, TimeTz t, const Interval& span) {
  return timetz_plus(t, span);
}
constexpr auto timestamp_overlaps = overlaps<int64_t, add_plain, order_words>;
constexpr auto timestamptz_overlaps = overlaps<int64_t, add_zoned, order_words>;
constexpr auto time_overlaps = overlaps<int64_t, add_to_time, order_words>;
constexpr auto timetz_overlaps = overlaps<TimeTz, add_to_timetz, compare_timetz>;

constexpr const char* kMakeDateNames[] = {"year", "month", "day"};
constexpr const char* kMakeTimeNames[] = {"hour", "min", "sec"};
constexpr const char* kMakeTimestampNames[] = {"year", "month", "mday",    "hour",
                                               "min",  "sec",   "timezone"};
constexpr std::span<const char* const> kSixNames(kMakeTimestampNames, 6);
constexpr const char* kMakeIntervalNames[] = {"years", "months", "weeks", "days",
                                              "hours", "mins",   "secs"};
constexpr Datum kSevenZeros[7] = {};

constexpr BuiltinFunction kRows[] = {
    {2032, "timestamp_pl_interval", kTimestamp, {kTimestamp, kInterval}, fn<timestamp_plus>},
    {2033, "timestamp_mi_interval", kTimestamp, {kTimestamp, kInterval}, fn<timestamp_minus>},
    BuiltinFunction{1189,
                    "timestamptz_pl_interval",
                    kTimestampTz,
                    {kTimestampTz, kInterval},
                    fn<timestamptz_plus>}
        .stable(),
    BuiltinFunction{1190,
                    "timestamptz_mi_interval",
                    kTimestampTz,
                    {kTimestampTz, kInterval},
                    fn<timestamptz_minus>}
        .stable(),
    {2071, "date_pl_interval", kTimestamp, {kDate, kInterval}, fn<date_plus>},
    {2072, "date_mi_interval", kTimestamp, {kDate, kInterval}, fn<date_minus>},
    {2548, "interval_pl_timestamp", kTimestamp, {kInterval, kTimestamp}, fn<plus_timestamp>},
    BuiltinFunction{2549,
                    "interval_pl_timestamptz",
                    kTimestampTz,
                    {kInterval, kTimestampTz},
                    fn<plus_timestamptz>}
        .stable(),
    {2546, "interval_pl_date", kTimestamp, {kInterval, kDate}, fn<plus_date>},
    {1141, "date_pli", kDate, {kDate, kInt4}, fn<date_plus_days>},
    {2550, "integer_pl_date", kDate, {kInt4, kDate}, fn<days_plus_date>},
    {1142, "date_mii", kDate, {kDate, kInt4}, fn<date_minus_days>},
    {1140, "date_mi", kInt4, {kDate, kDate}, fn<date_minus_date>},
    {1188, "timestamptz_mi", kInterval, {kTimestampTz, kTimestampTz}, fn<timestamp_difference>},
    {2031, "timestamp_mi", kInterval, {kTimestamp, kTimestamp}, fn<timestamp_difference>},
    {1747, "time_pl_interval", kTime, {kTime, kInterval}, fn<time_plus_interval>},
    {1848, "interval_pl_time", kTime, {kInterval, kTime}, fn<interval_plus_time>},
    {1748, "time_mi_interval", kTime, {kTime, kInterval}, fn<time_minus_interval>},
    {1690, "time_mi_time", kInterval, {kTime, kTime}, fn<time_difference>},
    {1749, "timetz_pl_interval", kTimeTz, {kTimeTz, kInterval}, fn<timetz_plus>},
    {2547, "interval_pl_timetz", kTimeTz, {kInterval, kTimeTz}, fn<plus_timetz>},
    {1750, "timetz_mi_interval", kTimeTz, {kTimeTz, kInterval}, fn<timetz_minus>},
    {1169, "interval_pl", kInterval, {kInterval, kInterval}, fn<interval_plus>},
    {1170, "interval_mi", kInterval, {kInterval, kInterval}, fn<interval_minus>},
    {1168, "interval_um", kInterval, {kInterval}, fn<interval_negate>},
    {1618, "interval_mul", kInterval, {kInterval, kFloat8}, fn<interval_times>},
    {1624, "mul_d_interval", kInterval, {kFloat8, kInterval}, fn<times_interval>},
    {1326, "interval_div", kInterval, {kInterval, kFloat8}, fn<interval_divide>},
    {1175, "justify_hours", kInterval, {kInterval}, fn<justify_hours_only>},
    {1295, "justify_days", kInterval, {kInterval}, fn<justify_days>},
    {2711, "justify_interval", kInterval, {kInterval}, fn<justify_interval>},
    {2058, "age", kInterval, {kTimestamp, kTimestamp}, fn<timestamp_age>},
    {1199, "age", kInterval, {kTimestampTz, kTimestampTz}, fn<timestamptz_age>},
    BuiltinFunction{2059, "age", kInterval, {kTimestamp}, fn<timestamp_age_today>}.stable(),
    BuiltinFunction{1386, "age", kInterval, {kTimestampTz}, fn<timestamptz_age_today>}.stable(),
    BuiltinFunction{3846, "make_date", kDate, {kInt4, kInt4, kInt4}, fn<make_date>}.named(
        kMakeDateNames),
    BuiltinFunction{3847, "make_time", kTime, {kInt4, kInt4, kFloat8}, fn<make_time>}.named(
        kMakeTimeNames),
    BuiltinFunction{3461,
                    "make_timestamp",
                    kTimestamp,
                    {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
                    fn<make_timestamp>}
        .named(kSixNames),
    BuiltinFunction{3462,
                    "make_timestamptz",
                    kTimestampTz,
                    {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
                    fn<make_timestamptz>}
        .stable()
        .named(kSixNames),
    BuiltinFunction{3463,
                    "make_timestamptz",
                    kTimestampTz,
                    {kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8, kText},
                    fn<make_timestamptz_in>}
        .stable()
        .named(kMakeTimestampNames),
    BuiltinFunction{3464,
                    "make_interval",
                    kInterval,
                    {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4, kFloat8},
                    fn<make_interval>}
        .named(kMakeIntervalNames)
        .defaulting(kSevenZeros),
    {1158, "to_timestamp", kTimestampTz, {kFloat8}, fn<to_timestamp>},
    BuiltinFunction{1299, "now", kTimestampTz, {}, fn<transaction_start>}.stable(),
    BuiltinFunction{2647, "transaction_timestamp", kTimestampTz, {}, fn<transaction_start>}
        .stable(),
    BuiltinFunction{2648, "statement_timestamp", kTimestampTz, {}, fn<statement_start>}.stable(),
    BuiltinFunction{2649, "clock_timestamp", kTimestampTz, {}, fn<clock_now>}.changing(),
    BuiltinFunction{274, "timeofday", kText, {}, fn<time_of_day>}.changing(),
    {938,
     "generate_series",
     kTimestamp,
     {kTimestamp, kTimestamp, kInterval},
     nullptr,
     generate_series<false>},
    BuiltinFunction{939,
                    "generate_series",
                    kTimestampTz,
                    {kTimestampTz, kTimestampTz, kInterval},
                    nullptr,
                    generate_series<true>}
        .stable(),
    BuiltinFunction{2041,
                    "overlaps",
                    kBool,
                    {kTimestamp, kTimestamp, kTimestamp, kTimestamp},
                    timestamp_overlaps}
        .on_null(),
    BuiltinFunction{
        2042, "overlaps", kBool, {kTimestamp, kInterval, kTimestamp, kInterval}, timestamp_overlaps}
        .on_null(),
    BuiltinFunction{2043,
                    "overlaps",
                    kBool,
                    {kTimestamp, kTimestamp, kTimestamp, kInterval},
                    timestamp_overlaps}
        .on_null(),
    BuiltinFunction{2044,
                    "overlaps",
                    kBool,
                    {kTimestamp, kInterval, kTimestamp, kTimestamp},
                    timestamp_overlaps}
        .on_null(),
    BuiltinFunction{1304,
                    "overlaps",
                    kBool,
                    {kTimestampTz, kTimestampTz, kTimestampTz, kTimestampTz},
                    timestamptz_overlaps}
        .on_null(),
    BuiltinFunction{1305,
                    "overlaps",
                    kBool,
                    {kTimestampTz, kInterval, kTimestampTz, kInterval},
                    timestamptz_overlaps}
        .on_null()
        .stable(),
    BuiltinFunction{1306,
                    "overlaps",
                    kBool,
                    {kTimestampTz, kTimestampTz, kTimestampTz, kInterval},
                    timestamptz_overlaps}
        .on_null()
        .stable(),
    BuiltinFunction{1307,
                    "overlaps",
                    kBool,
                    {kTimestampTz, kInterval, kTimestampTz, kTimestampTz},
                    timestamptz_overlaps}
        .on_null()
        .stable(),
    BuiltinFunction{1308, "overlaps", kBool, {kTime, kTime, kTime, kTime}, time_overlaps}.on_null(),
    BuiltinFunction{1309, "overlaps", kBool, {kTime, kInterval, kTime, kInterval}, time_overlaps}
        .on_null(),
    BuiltinFunction{1310, "overlaps", kBool, {kTime, kTime, kTime, kInterval}, time_overlaps}
        .on_null(),
    BuiltinFunction{1311, "overlaps", kBool, {kTime, kInterval, kTime, kTime}, time_overlaps}
        .on_null(),
    BuiltinFunction{1271, "overlaps", kBool, {kTimeTz, kTimeTz, kTimeTz, kTimeTz}, timetz_overlaps}
        .on_null(),
};

}  // namespace

constinit const std::span<const BuiltinFunction> kDatetimeMathFunctions = kRows;

}  // namespace cofork
