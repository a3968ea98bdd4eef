// Comparison of date and time types, casts between them, and time zone conversion.
//
// date and timestamp compare as timestamps, timestamp and timestamptz by the session's clock.
#include "catalog/functions/datetime_wrap.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace datetime {

int64_t timestamp_of_date(int32_t days) {
  if (days == kDateInfinity) return kTimestampInfinity;
  if (days == kDateMinusInfinity) return kTimestampMinusInfinity;
  if (days >= kTimestampEnd / kUsPerDay) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return days * kUsPerDay;
}

int64_t local_of(const EvalContext& context, int64_t utc_us) {
  return is_finite_timestamp(utc_us) ? to_local(utc_us, zone_of(context)) : utc_us;
}
int64_t utc_of(const EvalContext& context, int64_t local_us) {
  return is_finite_timestamp(local_us) ? to_utc(local_us, zone_of(context)) : local_us;
}
int64_t timestamptz_of_date(const EvalContext& context, int32_t days) {
  return utc_of(context, timestamp_of_date(days));
}

int64_t days_of(int64_t us) {
  return us >= 0 ? us / kUsPerDay : -((-us + kUsPerDay - 1) / kUsPerDay);
}

TimeZone zone_named(std::string_view name) {
  if (const auto* abbreviation = find_time_zone_abbreviation(ascii_lowered(name))) {
    return TimeZone(std::string(name), abbreviation->offset);
  }
  auto zone = find_time_zone(name);
  if (!zone) throw_unknown_zone(name);
  return *zone;
}

}  // namespace datetime

namespace {

using namespace datetime;

/// A date beyond timestamp's range is later than any timestamp.
int64_t comparable(int32_t days) {
  if (is_finite_date(days) && days >= kTimestampEnd / kUsPerDay) return kTimestampInfinity - 1;
  return timestamp_of_date(days);
}

int order(EvalContext&, int64_t a, int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
int date_order(EvalContext&, int32_t a, int32_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
int timetz_order(EvalContext&, TimeTz a, TimeTz b) {
  return compare_timetz(a, b);
}
int interval_order(EvalContext&, Interval a, Interval b) {
  return compare_interval(a, b);
}
int date_stamp_order(EvalContext& c, int32_t a, int64_t b) {
  return order(c, comparable(a), b);
}
int stamp_date_order(EvalContext& c, int64_t a, int32_t b) {
  return order(c, a, comparable(b));
}
int date_zoned_order(EvalContext& c, int32_t a, int64_t b) {
  return order(c, utc_of(c, timestamp_of_date(a)), b);
}
int zoned_date_order(EvalContext& c, int64_t a, int32_t b) {
  return -date_zoned_order(c, b, a);
}
int stamp_zoned_order(EvalContext& c, int64_t a, int64_t b) {
  return order(c, utc_of(c, a), b);
}
int zoned_stamp_order(EvalContext& c, int64_t a, int64_t b) {
  return order(c, a, utc_of(c, b));
}

template <auto F, typename R = decltype(F)>
struct Compare;
template <auto F, typename A, typename B>
struct Compare<F, int (*)(EvalContext&, A, B)> {
  static bool eq(EvalContext& c, A a, B b) { return F(c, a, b) == 0; }
  static bool ne(EvalContext& c, A a, B b) { return F(c, a, b) != 0; }
  static bool lt(EvalContext& c, A a, B b) { return F(c, a, b) < 0; }
  static bool le(EvalContext& c, A a, B b) { return F(c, a, b) <= 0; }
  static bool gt(EvalContext& c, A a, B b) { return F(c, a, b) > 0; }
  static bool ge(EvalContext& c, A a, B b) { return F(c, a, b) >= 0; }
  static A larger(EvalContext& c, A a, B b) { return F(c, a, b) > 0 ? a : b; }
  static A smaller(EvalContext& c, A a, B b) { return F(c, a, b) < 0 ? a : b; }
};

using Date = Compare<date_order>;
using Stamp = Compare<order>;
using ZonedTime = Compare<timetz_order>;
using Span = Compare<interval_order>;
using DateStamp = Compare<date_stamp_order>;
using StampDate = Compare<stamp_date_order>;
using DateZoned = Compare<date_zoned_order>;
using ZonedDate = Compare<zoned_date_order>;
using StampZoned = Compare<stamp_zoned_order>;
using ZonedStamp = Compare<zoned_stamp_order>;

bool date_is_finite(int32_t days) {
  return is_finite_date(days);
}
bool timestamp_is_finite(int64_t us) {
  return is_finite_timestamp(us);
}
bool interval_is_finite(Interval) {
  return true;
}

int64_t date_to_timestamptz(EvalContext& c, int32_t days) {
  return timestamptz_of_date(c, days);
}
int64_t timestamp_to_timestamptz(EvalContext& c, int64_t us) {
  return utc_of(c, us);
}
int64_t timestamptz_to_timestamp(EvalContext& c, int64_t us) {
  return local_of(c, us);
}
int32_t timestamp_to_date(int64_t us) {
  if (us == kTimestampInfinity) return kDateInfinity;
  if (us == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<int32_t>(days_of(us));
}
int32_t timestamptz_to_date(EvalContext& c, int64_t us) {
  return timestamp_to_date(local_of(c, us));
}
std::optional<int64_t> timestamp_to_time(int64_t us) {
  if (!is_finite_timestamp(us)) return std::nullopt;
  return us - days_of(us) * kUsPerDay;
}
std::optional<int64_t> timestamptz_to_time(EvalContext& c, int64_t us) {
  return timestamp_to_time(local_of(c, us));
}
std::optional<TimeTz> timestamptz_to_timetz(EvalContext& c, int64_t us) {
  if (!is_finite_timestamp(us)) return std::nullopt;
  return TimeTz{*timestamptz_to_time(c, us), -zone_of(c).at(us).offset};
}
int64_t timetz_to_time(TimeTz value) {
  return value.time_us;
}
TimeTz time_to_timetz(EvalContext& c, int64_t us) {
  int64_t today = days_of(local_of(c, c.transaction_start_us)) * kUsPerDay;
  return {us, -zone_of(c).offset_at_local(today + us)};
}
Interval time_to_interval(int64_t us) {
  return {us, 0, 0};
}
int64_t interval_to_time(Interval value) {
  return time_plus(0, value.time_us);
}

int64_t date_and_time(int32_t days, int64_t us) {
  int64_t start = timestamp_of_date(days);
  return is_finite_timestamp(start) ? start + us : start;
}
int64_t date_and_timetz(int32_t days, TimeTz time) {
  int64_t start = timestamp_of_date(days);
  return is_finite_timestamp(start) ? start + time.time_us + time.zone_west * kUsPerSecond : start;
}
int64_t time_and_date(int64_t us, int32_t days) {
  return date_and_time(days, us);
}
int64_t timetz_and_date(TimeTz time, int32_t days) {
  return date_and_timetz(days, time);
}
int64_t date_and_time_in_zone(EvalContext& c, int32_t days, int64_t us) {
  return utc_of(c, date_and_time(days, us));
}

int64_t fit_time(int64_t us, int32_t typmod) {
  return round_to_precision(us, typmod);
}
TimeTz fit_timetz(TimeTz value, int32_t typmod) {
  return {round_to_precision(value.time_us, typmod), value.zone_west};
}

// AT TIME ZONE is timezone(zone, value).
int64_t timestamptz_in_zone(std::string_view zone, int64_t us) {
  return is_finite_timestamp(us) ? to_local(us, zone_named(zone)) : us;
}
int64_t timestamp_from_zone(std::string_view zone, int64_t us) {
  return is_finite_timestamp(us) ? to_utc(us, zone_named(zone)) : us;
}
/// The offset an interval stands for, in seconds.
int offset_of(EvalContext& context, const Interval& zone) {
  if (zone.months != 0 || zone.days != 0) {
    std::string text;
    append_interval(context, text, zone);
    throw Error(sqlstate::kInvalidParameterValue,
                "interval time zone \"{}\" must not include months or days", text);
  }
  return static_cast<int>(zone.time_us / kUsPerSecond);
}
int64_t timestamptz_at_offset(EvalContext& context, Interval zone, int64_t us) {
  return is_finite_timestamp(us) ? us + offset_of(context, zone) * kUsPerSecond : us;
}
int64_t timestamp_at_offset(EvalContext& context, Interval zone, int64_t us) {
  return is_finite_timestamp(us) ? us - offset_of(context, zone) * kUsPerSecond : us;
}
TimeTz move_timetz(TimeTz value, int offset) {
  return {time_plus(value.time_us, (value.zone_west + offset) * kUsPerSecond), -offset};
}
TimeTz timetz_in_zone(EvalContext& context, std::string_view zone, TimeTz value) {
  return move_timetz(value, zone_named(zone).at(context.transaction_start_us).offset);
}
TimeTz timetz_at_offset(EvalContext& context, Interval zone, TimeTz value) {
  return move_timetz(value, offset_of(context, zone));
}

constexpr BuiltinFunction kRows[] = {
    {1086, "date_eq", kBool, {kDate, kDate}, fn<Date::eq>},
    {1091, "date_ne", kBool, {kDate, kDate}, fn<Date::ne>},
    {1087, "date_lt", kBool, {kDate, kDate}, fn<Date::lt>},
    {1088, "date_le", kBool, {kDate, kDate}, fn<Date::le>},
    {1089, "date_gt", kBool, {kDate, kDate}, fn<Date::gt>},
    {1090, "date_ge", kBool, {kDate, kDate}, fn<Date::ge>},
    {1138, "date_larger", kDate, {kDate, kDate}, fn<Date::larger>},
    {1139, "date_smaller", kDate, {kDate, kDate}, fn<Date::smaller>},
    {1145, "time_eq", kBool, {kTime, kTime}, fn<Stamp::eq>},
    {1106, "time_ne", kBool, {kTime, kTime}, fn<Stamp::ne>},
    {1102, "time_lt", kBool, {kTime, kTime}, fn<Stamp::lt>},
    {1103, "time_le", kBool, {kTime, kTime}, fn<Stamp::le>},
    {1104, "time_gt", kBool, {kTime, kTime}, fn<Stamp::gt>},
    {1105, "time_ge", kBool, {kTime, kTime}, fn<Stamp::ge>},
    {1377, "time_larger", kTime, {kTime, kTime}, fn<Stamp::larger>},
    {1378, "time_smaller", kTime, {kTime, kTime}, fn<Stamp::smaller>},
    {1152, "timestamptz_eq", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::eq>},
    {2052, "timestamp_eq", kBool, {kTimestamp, kTimestamp}, fn<Stamp::eq>},
    {1153, "timestamptz_ne", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::ne>},
    {2053, "timestamp_ne", kBool, {kTimestamp, kTimestamp}, fn<Stamp::ne>},
    {1154, "timestamptz_lt", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::lt>},
    {2054, "timestamp_lt", kBool, {kTimestamp, kTimestamp}, fn<Stamp::lt>},
    {1155, "timestamptz_le", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::le>},
    {2055, "timestamp_le", kBool, {kTimestamp, kTimestamp}, fn<Stamp::le>},
    {1157, "timestamptz_gt", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::gt>},
    {2057, "timestamp_gt", kBool, {kTimestamp, kTimestamp}, fn<Stamp::gt>},
    {1156, "timestamptz_ge", kBool, {kTimestampTz, kTimestampTz}, fn<Stamp::ge>},
    {2056, "timestamp_ge", kBool, {kTimestamp, kTimestamp}, fn<Stamp::ge>},
    {1196, "timestamptz_larger", kTimestampTz, {kTimestampTz, kTimestampTz}, fn<Stamp::larger>},
    {2036, "timestamp_larger", kTimestamp, {kTimestamp, kTimestamp}, fn<Stamp::larger>},
    {1195, "timestamptz_smaller", kTimestampTz, {kTimestampTz, kTimestampTz}, fn<Stamp::smaller>},
    {2035, "timestamp_smaller", kTimestamp, {kTimestamp, kTimestamp}, fn<Stamp::smaller>},
    {1352, "timetz_eq", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::eq>},
    {1353, "timetz_ne", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::ne>},
    {1354, "timetz_lt", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::lt>},
    {1355, "timetz_le", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::le>},
    {1357, "timetz_gt", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::gt>},
    {1356, "timetz_ge", kBool, {kTimeTz, kTimeTz}, fn<ZonedTime::ge>},
    {1379, "timetz_larger", kTimeTz, {kTimeTz, kTimeTz}, fn<ZonedTime::larger>},
    {1380, "timetz_smaller", kTimeTz, {kTimeTz, kTimeTz}, fn<ZonedTime::smaller>},
    {1162, "interval_eq", kBool, {kInterval, kInterval}, fn<Span::eq>},
    {1163, "interval_ne", kBool, {kInterval, kInterval}, fn<Span::ne>},
    {1164, "interval_lt", kBool, {kInterval, kInterval}, fn<Span::lt>},
    {1165, "interval_le", kBool, {kInterval, kInterval}, fn<Span::le>},
    {1167, "interval_gt", kBool, {kInterval, kInterval}, fn<Span::gt>},
    {1166, "interval_ge", kBool, {kInterval, kInterval}, fn<Span::ge>},
    {1198, "interval_larger", kInterval, {kInterval, kInterval}, fn<Span::larger>},
    {1197, "interval_smaller", kInterval, {kInterval, kInterval}, fn<Span::smaller>},
    {2340, "date_eq_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::eq>},
    {2343, "date_ne_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::ne>},
    {2338, "date_lt_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::lt>},
    {2339, "date_le_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::le>},
    {2341, "date_gt_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::gt>},
    {2342, "date_ge_timestamp", kBool, {kDate, kTimestamp}, fn<DateStamp::ge>},
    {2366, "timestamp_eq_date", kBool, {kTimestamp, kDate}, fn<StampDate::eq>},
    {2369, "timestamp_ne_date", kBool, {kTimestamp, kDate}, fn<StampDate::ne>},
    {2364, "timestamp_lt_date", kBool, {kTimestamp, kDate}, fn<StampDate::lt>},
    {2365, "timestamp_le_date", kBool, {kTimestamp, kDate}, fn<StampDate::le>},
    {2367, "timestamp_gt_date", kBool, {kTimestamp, kDate}, fn<StampDate::gt>},
    {2368, "timestamp_ge_date", kBool, {kTimestamp, kDate}, fn<StampDate::ge>},
    BuiltinFunction{2353, "date_eq_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::eq>}
        .stable(),
    BuiltinFunction{2356, "date_ne_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::ne>}
        .stable(),
    BuiltinFunction{2351, "date_lt_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::lt>}
        .stable(),
    BuiltinFunction{2352, "date_le_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::le>}
        .stable(),
    BuiltinFunction{2354, "date_gt_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::gt>}
        .stable(),
    BuiltinFunction{2355, "date_ge_timestamptz", kBool, {kDate, kTimestampTz}, fn<DateZoned::ge>}
        .stable(),
    BuiltinFunction{2379, "timestamptz_eq_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::eq>}
        .stable(),
    BuiltinFunction{2382, "timestamptz_ne_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::ne>}
        .stable(),
    BuiltinFunction{2377, "timestamptz_lt_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::lt>}
        .stable(),
    BuiltinFunction{2378, "timestamptz_le_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::le>}
        .stable(),
    BuiltinFunction{2380, "timestamptz_gt_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::gt>}
        .stable(),
    BuiltinFunction{2381, "timestamptz_ge_date", kBool, {kTimestampTz, kDate}, fn<ZonedDate::ge>}
        .stable(),
    BuiltinFunction{
        2522, "timestamp_eq_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::eq>}
        .stable(),
    BuiltinFunction{
        2525, "timestamp_ne_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::ne>}
        .stable(),
    BuiltinFunction{
        2520, "timestamp_lt_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::lt>}
        .stable(),
    BuiltinFunction{
        2521, "timestamp_le_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::le>}
        .stable(),
    BuiltinFunction{
        2523, "timestamp_gt_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::gt>}
        .stable(),
    BuiltinFunction{
        2524, "timestamp_ge_timestamptz", kBool, {kTimestamp, kTimestampTz}, fn<StampZoned::ge>}
        .stable(),
    BuiltinFunction{
        2529, "timestamptz_eq_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::eq>}
        .stable(),
    BuiltinFunction{
        2532, "timestamptz_ne_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::ne>}
        .stable(),
    BuiltinFunction{
        2527, "timestamptz_lt_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::lt>}
        .stable(),
    BuiltinFunction{
        2528, "timestamptz_le_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::le>}
        .stable(),
    BuiltinFunction{
        2530, "timestamptz_gt_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::gt>}
        .stable(),
    BuiltinFunction{
        2531, "timestamptz_ge_timestamp", kBool, {kTimestampTz, kTimestamp}, fn<ZonedStamp::ge>}
        .stable(),
    {1092, "date_cmp", kInt4, {kDate, kDate}, fn<date_order>},
    {1107, "time_cmp", kInt4, {kTime, kTime}, fn<order>},
    {1314, "timestamptz_cmp", kInt4, {kTimestampTz, kTimestampTz}, fn<order>},
    {2045, "timestamp_cmp", kInt4, {kTimestamp, kTimestamp}, fn<order>},
    {1358, "timetz_cmp", kInt4, {kTimeTz, kTimeTz}, fn<timetz_order>},
    {1315, "interval_cmp", kInt4, {kInterval, kInterval}, fn<interval_order>},
    {1373, "isfinite", kBool, {kDate}, fn<date_is_finite>},
    {1389, "isfinite", kBool, {kTimestampTz}, fn<timestamp_is_finite>},
    {2048, "isfinite", kBool, {kTimestamp}, fn<timestamp_is_finite>},
    {1390, "isfinite", kBool, {kInterval}, fn<interval_is_finite>},
    {2024, "timestamp", kTimestamp, {kDate}, fn<timestamp_of_date>},
    BuiltinFunction{1174, "timestamptz", kTimestampTz, {kDate}, fn<date_to_timestamptz>}.stable(),
    {2029, "date", kDate, {kTimestamp}, fn<timestamp_to_date>},
    BuiltinFunction{1178, "date", kDate, {kTimestampTz}, fn<timestamptz_to_date>}.stable(),
    BuiltinFunction{2028, "timestamptz", kTimestampTz, {kTimestamp}, fn<timestamp_to_timestamptz>}
        .stable(),
    BuiltinFunction{2027, "timestamp", kTimestamp, {kTimestampTz}, fn<timestamptz_to_timestamp>}
        .stable(),
    {1316, "time", kTime, {kTimestamp}, fn<timestamp_to_time>},
    BuiltinFunction{2019, "time", kTime, {kTimestampTz}, fn<timestamptz_to_time>}.stable(),
    BuiltinFunction{1388, "timetz", kTimeTz, {kTimestampTz}, fn<timestamptz_to_timetz>}.stable(),
    {2046, "time", kTime, {kTimeTz}, fn<timetz_to_time>},
    BuiltinFunction{2047, "timetz", kTimeTz, {kTime}, fn<time_to_timetz>}.stable(),
    {1370, "interval", kInterval, {kTime}, fn<time_to_interval>},
    {1419, "time", kTime, {kInterval}, fn<interval_to_time>},
    {1272, "datetime_pl", kTimestamp, {kDate, kTime}, fn<date_and_time>},
    {2025, "timestamp", kTimestamp, {kDate, kTime}, fn<date_and_time>},
    {1297, "datetimetz_pl", kTimestampTz, {kDate, kTimeTz}, fn<date_and_timetz>},
    {1359, "timestamptz", kTimestampTz, {kDate, kTimeTz}, fn<date_and_timetz>},
    {1296, "timedate_pl", kTimestamp, {kTime, kDate}, fn<time_and_date>},
    {1298, "timetzdate_pl", kTimestampTz, {kTimeTz, kDate}, fn<timetz_and_date>},
    BuiltinFunction{1176, "timestamptz", kTimestampTz, {kDate, kTime}, fn<date_and_time_in_zone>}
        .stable(),
    {1961, "timestamp", kTimestamp, {kTimestamp, kInt4}, fn<fit_time>},
    {1967, "timestamptz", kTimestampTz, {kTimestampTz, kInt4}, fn<fit_time>},
    {1968, "time", kTime, {kTime, kInt4}, fn<fit_time>},
    {1969, "timetz", kTimeTz, {kTimeTz, kInt4}, fn<fit_timetz>},
    {1200, "interval", kInterval, {kInterval, kInt4}, fn<fit_interval>},
    {1159, "timezone", kTimestamp, {kText, kTimestampTz}, fn<timestamptz_in_zone>},
    {2069, "timezone", kTimestampTz, {kText, kTimestamp}, fn<timestamp_from_zone>},
    {1026, "timezone", kTimestamp, {kInterval, kTimestampTz}, fn<timestamptz_at_offset>},
    {2070, "timezone", kTimestampTz, {kInterval, kTimestamp}, fn<timestamp_at_offset>},
    BuiltinFunction{2037, "timezone", kTimeTz, {kText, kTimeTz}, fn<timetz_in_zone>}.stable(),
    {2038, "timezone", kTimeTz, {kInterval, kTimeTz}, fn<timetz_at_offset>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kDatetimeConvertFunctions = kRows;

}  // namespace cofork
