// extract(), date_part(), date_trunc(), date_bin().
//
// A field is found once, exactly; extract() makes a numeric of it and date_part() a float8.
// As timestamp.c and date.c, PostgreSQL 15.
#include <cmath>

#include "catalog/functions/datetime_wrap.h"
#include "types/datetime_tokens.h"
#include "types/numeric.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

using namespace datetime;

enum class Field : uint8_t {
  kUnknown,
  kMicroseconds,
  kMilliseconds,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kEpoch,
  kIsoYear,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kJulian,
  kZone,
  kZoneHour,
  kZoneMinute,
};

Field field_named(std::string_view name) {
  struct Row {
    std::string_view name;
    Field field;
  };
  static constexpr Row kOthers[] = {{"epoch", Field::kEpoch},
                                    {"isoyear", Field::kIsoYear},
                                    {"dow", Field::kDayOfWeek},
                                    {"isodow", Field::kIsoDayOfWeek},
                                    {"doy", Field::kDayOfYear},
                                    {"julian", Field::kJulian},
                                    {"jd", Field::kJulian},
                                    {"j", Field::kJulian},
                                    {"timezone", Field::kZone},
                                    {"timezone_h", Field::kZoneHour},
                                    {"timezone_hour", Field::kZoneHour},
                                    {"timezone_m", Field::kZoneMinute},
                                    {"timezone_minute", Field::kZoneMinute}};
  for (const Row& row : kOthers) {
    if (row.name == name) return row.field;
  }
  switch (unit_named(name)) {
    case Unit::kNone:
      return Field::kUnknown;
    case Unit::kMicrosecond:
      return Field::kMicroseconds;
    case Unit::kMillisecond:
      return Field::kMilliseconds;
    case Unit::kSecond:
      return Field::kSecond;
    case Unit::kMinute:
      return Field::kMinute;
    case Unit::kHour:
      return Field::kHour;
    case Unit::kDay:
      return Field::kDay;
    case Unit::kWeek:
      return Field::kWeek;
    case Unit::kMonth:
      return Field::kMonth;
    case Unit::kQuarter:
      return Field::kQuarter;
    case Unit::kYear:
      return Field::kYear;
    case Unit::kDecade:
      return Field::kDecade;
    case Unit::kCentury:
      return Field::kCentury;
    case Unit::kMillennium:
      return Field::kMillennium;
  }
  return Field::kUnknown;
}

/// 22023 for a word that is no unit, 0A000 for one that this type has not.
Error unit_error(std::string_view unit, Field field, const char* type) {
  if (field == Field::kUnknown) {
    return Error(sqlstate::kInvalidParameterValue, "unit \"{}\" not recognized for type {}", unit,
                 type);
  }
  return Error(sqlstate::kFeatureNotSupported, "unit \"{}\" not supported for type {}", unit, type);
}

/// value / 10^scale, or an infinity, or NULL.
struct FieldValue {
  Int128 value = 0;
  int scale = 0;
  enum Kind : uint8_t { kFinite, kInfinity, kMinusInfinity, kNull } kind = kFinite;
  int64_t julian_us = -1;  ///< ≥ 0: add this many microseconds as a fraction of a day
};

Datum as_numeric(FunctionCall& call, const FieldValue& v) {
  Arena& arena = call.arena();
  switch (v.kind) {
    case FieldValue::kNull:
      return call.null();
    case FieldValue::kInfinity:
      return make_special_numeric(arena, NumericKind::kInfinity);
    case FieldValue::kMinusInfinity:
      return make_special_numeric(arena, NumericKind::kMinusInfinity);
    case FieldValue::kFinite:
      break;
  }
  Datum value = numeric_from_int128(arena, v.value, v.scale);
  if (v.julian_us < 0) return value;
  Datum fraction = numeric_divide(arena, numeric_from_int64(arena, v.julian_us),
                                  numeric_from_int64(arena, kUsPerDay));
  return numeric_add(arena, value, fraction);
}

Datum as_float(FunctionCall& call, const FieldValue& v) {
  if (v.kind == FieldValue::kNull) return call.null();
  if (v.kind != FieldValue::kFinite)
    return datum_from_float8(v.kind == FieldValue::kInfinity ? INFINITY : -INFINITY);
  double value = static_cast<double>(v.value) / std::pow(10.0, v.scale);
  if (v.julian_us >= 0) value += static_cast<double>(v.julian_us) / static_cast<double>(kUsPerDay);
  return datum_from_float8(value);
}

/// Fields of the clock, within a minute and above.
bool clock_field(Field field, int64_t us, FieldValue& out) {
  int64_t in_minute = us % kUsPerMinute;
  switch (field) {
    case Field::kMicroseconds:
      out = {in_minute, 0};
      return true;
    case Field::kMilliseconds:
      out = {in_minute, 3};
      return true;
    case Field::kSecond:
      out = {in_minute, 6};
      return true;
    case Field::kMinute:
      out = {us / kUsPerMinute % 60};
      return true;
    case Field::kHour:
      out = {us / kUsPerHour};
      return true;
    default:
      return false;
  }
}

bool zone_field(Field field, int offset, FieldValue& out) {
  if (field == Field::kZone) {
    out = {offset};
  } else if (field == Field::kZoneHour) {
    out = {offset / 3600};
  } else if (field == Field::kZoneMinute) {
    out = {offset / 60 % 60};
  } else {
    return false;
  }
  return true;
}

int floor_divide(int a, int b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// Decades, centuries, millennia: there is no year, century or millennium 0.
int era_of(int year, int length) {
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

bool calendar_field(Field field, int64_t days, FieldValue& out) {
  CivilDay d = civil_from_days(days);
  IsoWeek week = iso_week_of(days);
  auto shown = [](int year) { return year > 0 ? year : year - 1; };
  switch (field) {
    case Field::kDay:
      out = {d.day};
      return true;
    case Field::kMonth:
      out = {d.month};
      return true;
    case Field::kQuarter:
      out = {(d.month - 1) / 3 + 1};
      return true;
    case Field::kWeek:
      out = {week.week};
      return true;
    case Field::kYear:
      out = {shown(d.year)};
      return true;
    case Field::kIsoYear:
      out = {shown(week.year)};
      return true;
    case Field::kDecade:
      out = {floor_divide(d.year, 10)};
      return true;
    case Field::kCentury:
      out = {era_of(d.year, 100)};
      return true;
    case Field::kMillennium:
      out = {era_of(d.year, 1000)};
      return true;
    case Field::kDayOfWeek:
      out = {day_of_week(days)};
      return true;
    case Field::kIsoDayOfWeek:
      out = {(day_of_week(days) + 6) % 7 + 1};
      return true;
    case Field::kDayOfYear:
      out = {day_of_year(d.year, d.month, d.day)};
      return true;
    default:
      return false;
  }
}

/// What infinity has: infinity in fields that only grow, NULL in those that come round.
FieldValue infinite_field(Field field, bool positive) {
  FieldValue out;
  bool grows = field == Field::kYear || field == Field::kDecade || field == Field::kCentury ||
               field == Field::kMillennium || field == Field::kJulian || field == Field::kIsoYear ||
               field == Field::kEpoch;
  out.kind = !grows     ? FieldValue::kNull
             : positive ? FieldValue::kInfinity
                        : FieldValue::kMinusInfinity;
  return out;
}

FieldValue field_of_moment(std::string_view unit, int64_t local_us, int64_t epoch_us,
                           const int* offset) {
  const char* type = offset != nullptr ? "timestamp with time zone" : "timestamp without time zone";
  Field field = field_named(ascii_lowered(unit));
  FieldValue out;
  if (field == Field::kUnknown || (offset == nullptr && zone_field(field, 0, out))) {
    throw unit_error(unit, field, type);
  }
  if (!is_finite_timestamp(local_us)) return infinite_field(field, local_us > 0);
  int64_t days = days_of(local_us), clock = local_us - days * kUsPerDay;
  if (clock_field(field, clock, out) || calendar_field(field, days, out)) return out;
  if (offset != nullptr && zone_field(field, *offset, out)) return out;
  if (field == Field::kJulian) {
    out.value = days + kPostgresEpochJulian;
    out.julian_us = clock;
    return out;
  }
  return {Int128{epoch_us} + Int128{kUnixEpochToPostgres} * kUsPerSecond, 6};
}

FieldValue timestamp_field(EvalContext&, std::string_view unit, int64_t us) {
  return field_of_moment(unit, us, us, nullptr);
}
FieldValue timestamptz_field(EvalContext& context, std::string_view unit, int64_t us) {
  int offset = is_finite_timestamp(us) ? zone_of(context).at(us).offset : 0;
  return field_of_moment(unit, local_of(context, us), us, &offset);
}

FieldValue date_field(EvalContext&, std::string_view unit, int32_t days) {
  Field field = field_named(ascii_lowered(unit));
  FieldValue out;
  bool none = field == Field::kUnknown || clock_field(field, 0, out) || zone_field(field, 0, out);
  if (none) throw unit_error(unit, field, "date");
  if (!is_finite_date(days)) return infinite_field(field, days > 0);
  if (calendar_field(field, days, out)) return out;
  if (field == Field::kJulian) return {int64_t{days} + kPostgresEpochJulian};
  return {days * int64_t{86400} + kUnixEpochToPostgres};
}
FieldValue date_as_timestamp_field(EvalContext& c, std::string_view unit, int32_t days) {
  return timestamp_field(c, unit, timestamp_of_date(days));
}

FieldValue time_field(EvalContext&, std::string_view unit, int64_t us) {
  Field field = field_named(ascii_lowered(unit));
  FieldValue out;
  if (clock_field(field, us, out)) return out;
  if (field == Field::kEpoch) return {us, 6};
  throw unit_error(unit, field, "time without time zone");
}
FieldValue timetz_field(EvalContext&, std::string_view unit, TimeTz t) {
  Field field = field_named(ascii_lowered(unit));
  FieldValue out;
  if (clock_field(field, t.time_us, out) || zone_field(field, -t.zone_west, out)) return out;
  if (field == Field::kEpoch) return {t.time_us + t.zone_west * kUsPerSecond, 6};
  throw unit_error(unit, field, "time with time zone");
}

FieldValue interval_field(EvalContext&, std::string_view unit, Interval v) {
  Field field = field_named(ascii_lowered(unit));
  FieldValue out;
  if (clock_field(field, v.time_us, out)) return out;
  int years = v.months / 12, months = v.months % 12;
  switch (field) {
    case Field::kDay:
      return {v.days};
    case Field::kMonth:
      return {months};
    case Field::kQuarter:
      return {months / 3 + 1};
    case Field::kYear:
      return {years};
    case Field::kDecade:
      return {years / 10};
    case Field::kCentury:
      return {years / 100};
    case Field::kMillennium:
      return {years / 1000};
    case Field::kEpoch: {
      // A year counts 365.25 days here, a month 30.
      Int128 quarter_days = Int128{years} * 1461 + Int128{months} * 120 + Int128{v.days} * 4;
      return {quarter_days * (kUsPerDay / 4) + v.time_us, 6};
    }
    default:
      throw unit_error(unit, field, "interval");
  }
}

template <auto F, typename T>
Datum extract(FunctionCall& call, std::string_view unit, T value) {
  return as_numeric(call, F(call.context, unit, value));
}
template <auto F, typename T>
Datum date_part(FunctionCall& call, std::string_view unit, T value) {
  return as_float(call, F(call.context, unit, value));
}

/// The start of the unit a local moment lies in.
int64_t truncate_local(std::string_view unit_name, Field unit, int64_t us, const char* type) {
  int64_t days = days_of(us), clock = us - days * kUsPerDay;
  CivilDay d = civil_from_days(days);
  auto start_of_year = [](int64_t year) { return days_from_civil(year, 1, 1) * kUsPerDay; };
  switch (unit) {
    case Field::kMicroseconds:
      return us;
    case Field::kMilliseconds:
      return days * kUsPerDay + clock / 1000 * 1000;
    case Field::kSecond:
      return days * kUsPerDay + clock / kUsPerSecond * kUsPerSecond;
    case Field::kMinute:
      return days * kUsPerDay + clock / kUsPerMinute * kUsPerMinute;
    case Field::kHour:
      return days * kUsPerDay + clock / kUsPerHour * kUsPerHour;
    case Field::kDay:
      return days * kUsPerDay;
    case Field::kWeek:
      return (days - (day_of_week(days) + 6) % 7) * kUsPerDay;
    case Field::kMonth:
      return days_from_civil(d.year, d.month, 1) * kUsPerDay;
    case Field::kQuarter:
      return days_from_civil(d.year, (d.month - 1) / 3 * 3 + 1, 1) * kUsPerDay;
    case Field::kYear:
      return start_of_year(d.year);
    case Field::kDecade:
      return start_of_year(floor_divide(d.year, 10) * 10);
    case Field::kCentury:
      return start_of_year(d.year > 0 ? (d.year + 99) / 100 * 100 - 99
                                      : -((99 - (d.year - 1)) / 100) * 100 + 1);
    case Field::kMillennium:
      return start_of_year(d.year > 0 ? (d.year + 999) / 1000 * 1000 - 999
                                      : -((999 - (d.year - 1)) / 1000) * 1000 + 1);
    default:
      throw unit_error(unit_name, unit, type);
  }
}

int64_t truncate_timestamp(std::string_view unit, int64_t us) {
  Field field = field_named(ascii_lowered(unit));
  if (!is_finite_timestamp(us)) return us;
  return truncate_local(unit, field, us, "timestamp without time zone");
}

int64_t truncate_in(const TimeZone& zone, std::string_view unit, int64_t us) {
  if (!is_finite_timestamp(us)) return us;
  Field field = field_named(ascii_lowered(unit));
  int64_t offset_us = zone.at(us).offset * kUsPerSecond;
  int64_t local = truncate_local(unit, field, us + offset_us, "timestamp with time zone");
  // A day or more may begin under another offset; within an hour it stays.
  bool same_offset = field >= Field::kMicroseconds && field <= Field::kHour;
  return same_offset ? local - offset_us : to_utc(local, zone);
}
int64_t truncate_timestamptz(EvalContext& context, std::string_view unit, int64_t us) {
  return truncate_in(zone_of(context), unit, us);
}
int64_t truncate_timestamptz_in(std::string_view unit, int64_t us, std::string_view zone) {
  return truncate_in(zone_named(zone), unit, us);
}

Interval truncate_interval(std::string_view unit, Interval v) {
  Field field = field_named(ascii_lowered(unit));
  int64_t step = 0;
  switch (field) {
    case Field::kMillennium:
      return {0, 0, v.months / 12000 * 12000};
    case Field::kCentury:
      return {0, 0, v.months / 1200 * 1200};
    case Field::kDecade:
      return {0, 0, v.months / 120 * 120};
    case Field::kYear:
      return {0, 0, v.months / 12 * 12};
    case Field::kQuarter:
      return {0, 0, v.months / 3 * 3};
    case Field::kMonth:
      return {0, 0, v.months};
    case Field::kDay:
      return {0, v.days, v.months};
    case Field::kHour:
      step = kUsPerHour;
      break;
    case Field::kMinute:
      step = kUsPerMinute;
      break;
    case Field::kSecond:
      step = kUsPerSecond;
      break;
    case Field::kMilliseconds:
      step = 1000;
      break;
    case Field::kMicroseconds:
      step = 1;
      break;
    case Field::kWeek:
      throw unit_error(unit, field, "interval").detail("Months usually have fractional weeks.");
    default:
      throw unit_error(unit, field, "interval");
  }
  return {v.time_us / step * step, v.days, v.months};
}

int64_t date_bin(Interval stride, int64_t us, int64_t origin) {
  if (!is_finite_timestamp(us)) return us;
  if (!is_finite_timestamp(origin)) {
    throw Error(sqlstate::kDatetimeFieldOverflow, "origin out of range");
  }
  if (stride.months != 0) {
    throw Error(sqlstate::kFeatureNotSupported,
                "timestamps cannot be binned into intervals containing months or years");
  }
  int64_t step;
  if (__builtin_mul_overflow(int64_t{stride.days}, kUsPerDay, &step) ||
      __builtin_add_overflow(step, stride.time_us, &step)) {
    throw_interval_out_of_range();
  }
  if (step <= 0) throw Error(sqlstate::kDatetimeFieldOverflow, "stride must be greater than zero");
  int64_t difference = us - origin, rest = difference % step;
  return us - (rest < 0 ? rest + step : rest);
}

constexpr BuiltinFunction kRows[] = {
    {6199, "extract", kNumeric, {kText, kDate}, fn<extract<date_field, int32_t>>},
    {6200, "extract", kNumeric, {kText, kTime}, fn<extract<time_field, int64_t>>},
    {6201, "extract", kNumeric, {kText, kTimeTz}, fn<extract<timetz_field, TimeTz>>},
    {6202, "extract", kNumeric, {kText, kTimestamp}, fn<extract<timestamp_field, int64_t>>},
    BuiltinFunction{
        6203, "extract", kNumeric, {kText, kTimestampTz}, fn<extract<timestamptz_field, int64_t>>}
        .stable(),
    {6204, "extract", kNumeric, {kText, kInterval}, fn<extract<interval_field, Interval>>},
    {1384, "date_part", kFloat8, {kText, kDate}, fn<date_part<date_as_timestamp_field, int32_t>>},
    {1385, "date_part", kFloat8, {kText, kTime}, fn<date_part<time_field, int64_t>>},
    {1273, "date_part", kFloat8, {kText, kTimeTz}, fn<date_part<timetz_field, TimeTz>>},
    {2021, "date_part", kFloat8, {kText, kTimestamp}, fn<date_part<timestamp_field, int64_t>>},
    BuiltinFunction{1171,
                    "date_part",
                    kFloat8,
                    {kText, kTimestampTz},
                    fn<date_part<timestamptz_field, int64_t>>}
        .stable(),
    {1172, "date_part", kFloat8, {kText, kInterval}, fn<date_part<interval_field, Interval>>},
    {2020, "date_trunc", kTimestamp, {kText, kTimestamp}, fn<truncate_timestamp>},
    BuiltinFunction{
        1217, "date_trunc", kTimestampTz, {kText, kTimestampTz}, fn<truncate_timestamptz>}
        .stable(),
    BuiltinFunction{
        1284, "date_trunc", kTimestampTz, {kText, kTimestampTz, kText}, fn<truncate_timestamptz_in>}
        .stable(),
    {1218, "date_trunc", kInterval, {kText, kInterval}, fn<truncate_interval>},
    {6177, "date_bin", kTimestamp, {kInterval, kTimestamp, kTimestamp}, fn<date_bin>},
    {6178, "date_bin", kTimestampTz, {kInterval, kTimestampTz, kTimestampTz}, fn<date_bin>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kDatetimeFieldFunctions = kRows;

}  // namespace cofork
