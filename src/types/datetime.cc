// Fields, zones and text output of dates, times and timestamps. See datetime.h.
#include "types/datetime.h"

#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

void throw_timestamp_out_of_range() {
  throw Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
}
void throw_date_out_of_range() {
  throw Error(sqlstate::kDatetimeFieldOverflow, "date out of range");
}
void throw_interval_out_of_range() {
  throw Error(sqlstate::kDatetimeFieldOverflow, "interval out of range");
}
void throw_unknown_zone(std::string_view name) {
  throw Error(sqlstate::kInvalidParameterValue, "time zone \"{}\" not recognized", name);
}

const TimeZone& zone_of(const EvalContext& context) {
  static const TimeZone utc("UTC", 0);
  return context.time_zone != nullptr ? *context.time_zone : utc;
}

TimeFields fields_of_time(int64_t us) {
  TimeFields f;
  f.hour = static_cast<int>(us / kUsPerHour);
  f.minute = static_cast<int>(us / kUsPerMinute % 60);
  f.second = static_cast<int>(us / kUsPerSecond % 60);
  f.microsecond = static_cast<int>(us % kUsPerSecond);
  return f;
}

int64_t time_from_fields(const TimeFields& f) {
  return f.hour * kUsPerHour + f.minute * kUsPerMinute + f.second * kUsPerSecond + f.microsecond;
}

TimeFields fields_of_timestamp(int64_t us) {
  int64_t days = us / kUsPerDay, rest = us % kUsPerDay;
  if (rest < 0) {
    rest += kUsPerDay;
    --days;
  }
  TimeFields f = fields_of_time(rest);
  CivilDay day = civil_from_days(days);
  f.year = day.year;
  f.month = day.month;
  f.day = day.day;
  return f;
}

int64_t timestamp_from_fields(const TimeFields& f) {
  return days_from_civil(f.year, f.month, f.day) * kUsPerDay + time_from_fields(f);
}

int64_t to_local(int64_t utc_us, const TimeZone& zone) {
  return utc_us + zone.at(utc_us).offset * kUsPerSecond;
}

int64_t to_utc(int64_t local_us, const TimeZone& zone) {
  int64_t us = local_us - zone.offset_at_local(local_us) * kUsPerSecond;
  if (!is_valid_timestamp(us)) throw_timestamp_out_of_range();
  return us;
}

int64_t round_to_precision(int64_t us, int32_t typmod) {
  constexpr int64_t kSteps[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
  if (typmod < 0 || typmod > 6 || !is_finite_timestamp(us)) return us;
  int64_t step = kSteps[typmod], half = step / 2;
  return us >= 0 ? (us + half) / step * step : -((-us + half) / step * step);
}

namespace {

void append_number(std::string& out, int value, int width) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", value, width);
}

/// ":ss" or "ss" with the decimals that are not zero.
void append_seconds(std::string& out, int second, int microsecond) {
  append_number(out, second, 2);
  if (microsecond == 0) return;
  char digits[8];
  int size = 6;
  for (int i = 5, rest = microsecond; i >= 0; --i, rest /= 10)
    digits[i] = static_cast<char>('0' + rest % 10);
  while (digits[size - 1] == '0') --size;
  out.append(".").append(digits, static_cast<size_t>(size));
}

void append_clock(std::string& out, const TimeFields& f) {
  append_number(out, f.hour, 2);
  out += ':';
  append_number(out, f.minute, 2);
  out += ':';
  append_seconds(out, f.second, f.microsecond);
}

int shown_year(int year) {
  return year > 0 ? year : 1 - year;
}

void append_day_and_month(std::string& out, const TimeFields& f, bool day_first, char separator) {
  append_number(out, day_first ? f.day : f.month, 2);
  out += separator;
  append_number(out, day_first ? f.month : f.day, 2);
}

void append_iso_date(std::string& out, const TimeFields& f) {
  append_number(out, shown_year(f.year), 4);
  out += '-';
  append_number(out, f.month, 2);
  out += '-';
  append_number(out, f.day, 2);
}

void append_civil_date(const EvalContext& context, std::string& out, const TimeFields& f) {
  bool day_first = context.date_order == DateOrder::kDmy;
  switch (context.date_style) {
    case DateStyle::kIso:
      append_iso_date(out, f);
      break;
    case DateStyle::kSql:
      append_day_and_month(out, f, day_first, '/');
      out += '/';
      append_number(out, shown_year(f.year), 4);
      break;
    case DateStyle::kGerman:
      append_day_and_month(out, f, true, '.');
      out += '.';
      append_number(out, shown_year(f.year), 4);
      break;
    case DateStyle::kPostgres:
      append_day_and_month(out, f, day_first, '-');
      out += '-';
      append_number(out, shown_year(f.year), 4);
      break;
  }
}

constexpr const char* kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr const char* kDayNames[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/// "Mon Jan 15 13:45:30 2024".
void append_postgres_timestamp(const EvalContext& context, std::string& out, const TimeFields& f) {
  out += kDayNames[day_of_week(days_from_civil(f.year, f.month, f.day))];
  out += ' ';
  const char* month = kMonthNames[f.month - 1];
  if (context.date_order == DateOrder::kDmy) {
    fmt::format_to(std::back_inserter(out), "{:02} {}", f.day, month);
  } else {
    fmt::format_to(std::back_inserter(out), "{} {:02}", month, f.day);
  }
  out += ' ';
  append_clock(out, f);
  out += ' ';
  append_number(out, shown_year(f.year), 4);
}

void append_moment(const EvalContext& context, std::string& out, int64_t local_us,
                   const TimeZone::Moment* zone) {
  TimeFields f = fields_of_timestamp(local_us);
  if (context.date_style == DateStyle::kPostgres) {
    append_postgres_timestamp(context, out, f);
  } else {
    append_civil_date(context, out, f);
    out += ' ';
    append_clock(out, f);
  }
  if (zone != nullptr) {
    bool by_name = context.date_style != DateStyle::kIso;
    if (by_name) out += ' ';
    if (by_name && !zone->abbreviation.empty()) {
      out += zone->abbreviation;
    } else {
      append_offset(out, zone->offset);
    }
  }
  if (f.year <= 0) out += " BC";
}

bool append_infinity(std::string& out, bool plus, bool minus) {
  if (plus) out += "infinity";
  if (minus) out += "-infinity";
  return plus || minus;
}

}  // namespace

void append_date(const EvalContext& context, std::string& out, int32_t days) {
  if (append_infinity(out, days == kDateInfinity, days == kDateMinusInfinity)) return;
  CivilDay day = civil_from_days(days);
  TimeFields f;
  f.year = day.year;
  f.month = day.month;
  f.day = day.day;
  append_civil_date(context, out, f);
  if (f.year <= 0) out += " BC";
}

void append_time(std::string& out, int64_t us) {
  append_clock(out, fields_of_time(us));
}

void append_timetz(std::string& out, TimeTz value) {
  append_time(out, value.time_us);
  append_offset(out, -value.zone_west);
}

void append_timestamp(const EvalContext& context, std::string& out, int64_t us) {
  if (append_infinity(out, us == kTimestampInfinity, us == kTimestampMinusInfinity)) return;
  append_moment(context, out, us, nullptr);
}

void append_timestamptz(const EvalContext& context, std::string& out, int64_t us) {
  if (append_infinity(out, us == kTimestampInfinity, us == kTimestampMinusInfinity)) return;
  TimeZone::Moment zone = zone_of(context).at(us);
  append_moment(context, out, us + zone.offset * kUsPerSecond, &zone);
}

}  // namespace cofork
