// Writing intervals in the four styles, and cutting them to a typmod. See datetime.h.
//
// As EncodeInterval in datetime.c and AdjustIntervalForTypmod in timestamp.c, PostgreSQL 15.
#include "types/interval.h"

#include <fmt/core.h>

#include <iterator>

#include "types/datetime.h"

namespace cofork {

Interval fit_interval(Interval v, int32_t typmod) {
  int range = interval_range(typmod);
  if (range != kRangeFull) {
    int lowest = range & kRangeSecond   ? kRangeSecond
                 : range & kRangeMinute ? kRangeMinute
                 : range & kRangeHour   ? kRangeHour
                 : range & kRangeDay    ? kRangeDay
                 : range & kRangeMonth  ? kRangeMonth
                                        : kRangeYear;
    // Only what is smaller than the last field is cut; larger fields may stay.
    if (lowest == kRangeYear) v.months = v.months / 12 * 12;
    if (lowest == kRangeYear || lowest == kRangeMonth) v.days = 0;
    if (lowest == kRangeYear || lowest == kRangeMonth || lowest == kRangeDay) v.time_us = 0;
    if (lowest == kRangeHour) v.time_us = v.time_us / kUsPerHour * kUsPerHour;
    if (lowest == kRangeMinute) v.time_us = v.time_us / kUsPerMinute * kUsPerMinute;
  }
  int precision = interval_precision(typmod);
  if (precision != kFullPrecision) v.time_us = round_to_precision(v.time_us, precision);
  return v;
}

namespace {

struct Parts {
  int years, months, days;
  int64_t hours;
  int minutes, seconds, microseconds;
};

/// Every part with its own sign.
Parts parts_of(const Interval& v) {
  return {v.months / 12,
          v.months % 12,
          v.days,
          v.time_us / kUsPerHour,
          static_cast<int>(v.time_us / kUsPerMinute % 60),
          static_cast<int>(v.time_us / kUsPerSecond % 60),
          static_cast<int>(v.time_us % kUsPerSecond)};
}

int magnitude(int value) {
  return value < 0 ? -value : value;
}

/// Seconds without sign and without zero decimals; `pad` to two digits.
void append_seconds(std::string& out, int seconds, int microseconds, bool pad) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", magnitude(seconds), pad ? 2 : 1);
  if (microseconds == 0) return;
  std::string decimals = fmt::format("{:06}", magnitude(microseconds));
  while (decimals.back() == '0') decimals.pop_back();
  out.append(".").append(decimals);
}

void append_clock(std::string& out, const Parts& p, int hour_width) {
  fmt::format_to(std::back_inserter(out), "{:0{}}:{:02}:", p.hours < 0 ? -p.hours : p.hours,
                 hour_width, magnitude(p.minutes));
  append_seconds(out, p.seconds, p.microseconds, true);
}

/// 1 year 2 mons -3 days +04:05:06.
void append_postgres(std::string& out, const Interval& v) {
  Parts p = parts_of(v);
  bool first = true, before_negative = false;
  auto append_part = [&](int value, const char* unit) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(out), "{}{}{} {}{}", first ? "" : " ",
                   before_negative && value > 0 ? "+" : "", value, unit, value != 1 ? "s" : "");
    before_negative = value < 0;
    first = false;
  };
  append_part(p.years, "year");
  append_part(p.months, "mon");
  append_part(p.days, "day");
  if (!first && v.time_us == 0) return;
  bool negative = v.time_us < 0;
  if (!first) out += ' ';
  out += negative ? "-" : before_negative ? "+" : "";
  append_clock(out, p, 2);
}

/// @ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago: all relative to the sign of the first part.
void append_verbose(std::string& out, const Interval& v) {
  Parts p = parts_of(v);
  out += '@';
  bool first = true, ago = false;
  auto append_part = [&](int64_t value, const char* unit) {
    if (value == 0) return;
    if (first) {
      ago = value < 0;
      first = false;
    }
    if (ago) value = -value;
    fmt::format_to(std::back_inserter(out), " {} {}{}", value, unit, value != 1 ? "s" : "");
  };
  append_part(p.years, "year");
  append_part(p.months, "mon");
  append_part(p.days, "day");
  append_part(p.hours, "hour");
  append_part(p.minutes, "min");
  if (p.seconds != 0 || p.microseconds != 0) {
    bool negative = p.seconds < 0 || p.microseconds < 0;
    if (first) {
      ago = negative;
      negative = false;
      first = false;
    } else if (ago) {
      negative = !negative;
    }
    out += negative ? " -" : " ";
    append_seconds(out, p.seconds, p.microseconds, false);
    bool one = magnitude(p.seconds) == 1 && p.microseconds == 0;
    out += one ? " sec" : " secs";
  }
  if (first) out += " 0";
  if (ago) out += " ago";
}

/// SQL's 1-2, 3 4:05:06, or with signs on every part when they differ: +1-2 -3 +4:05:06.
void append_sql(std::string& out, const Interval& v) {
  Parts p = parts_of(v);
  bool has_negative = v.months < 0 || v.days < 0 || v.time_us < 0;
  bool has_positive = v.months > 0 || v.days > 0 || v.time_us > 0;
  bool has_year_month = v.months != 0;
  bool has_day_time = v.days != 0 || v.time_us != 0;
  bool plain = !(has_negative && has_positive) && !(has_year_month && has_day_time);
  if (!has_negative && !has_positive) {
    out += '0';
    return;
  }
  if (!plain) {
    fmt::format_to(std::back_inserter(out), "{}{}-{} {}{} {}", v.months < 0 ? '-' : '+',
                   magnitude(p.years), magnitude(p.months), v.days < 0 ? '-' : '+',
                   magnitude(p.days), v.time_us < 0 ? '-' : '+');
    append_clock(out, p, 1);
    return;
  }
  if (has_negative) out += '-';
  if (has_year_month) {
    fmt::format_to(std::back_inserter(out), "{}-{}", magnitude(p.years), magnitude(p.months));
    return;
  }
  if (p.days != 0) fmt::format_to(std::back_inserter(out), "{} ", magnitude(p.days));
  append_clock(out, p, 1);
}

/// P1Y2M3DT4H5M6S.
void append_iso8601(std::string& out, const Interval& v) {
  if (v.months == 0 && v.days == 0 && v.time_us == 0) {
    out += "PT0S";
    return;
  }
  Parts p = parts_of(v);
  auto append_part = [&](int64_t value, char designator) {
    if (value != 0) fmt::format_to(std::back_inserter(out), "{}{}", value, designator);
  };
  out += 'P';
  append_part(p.years, 'Y');
  append_part(p.months, 'M');
  append_part(p.days, 'D');
  if (v.time_us == 0) return;
  out += 'T';
  append_part(p.hours, 'H');
  append_part(p.minutes, 'M');
  if (p.seconds == 0 && p.microseconds == 0) return;
  if (p.seconds < 0 || p.microseconds < 0) out += '-';
  append_seconds(out, p.seconds, p.microseconds, false);
  out += 'S';
}

}  // namespace

void append_interval(const EvalContext& context, std::string& out, const Interval& value) {
  switch (context.interval_style) {
    case IntervalStyle::kPostgres:
      return append_postgres(out, value);
    case IntervalStyle::kPostgresVerbose:
      return append_verbose(out, value);
    case IntervalStyle::kSqlStandard:
      return append_sql(out, value);
    case IntervalStyle::kIso8601:
      return append_iso8601(out, value);
  }
}

}  // namespace cofork
