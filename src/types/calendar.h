// The calendar: days, months and years of the proleptic Gregorian calendar, and the limits of
// PostgreSQL's date and timestamp.
//
// A date is an int32, days since 2000-01-01; a timestamp an int64, microseconds since 2000-01-01
// 00:00 (UTC for timestamptz). Year 0 is 1 BC. The extremes of both stand for infinity.
#pragma once

#include <cstdint>

namespace cofork {

inline constexpr int64_t kUsPerSecond = 1'000'000;
inline constexpr int64_t kUsPerMinute = 60 * kUsPerSecond;
inline constexpr int64_t kUsPerHour = 60 * kUsPerMinute;
inline constexpr int64_t kUsPerDay = 24 * kUsPerHour;
inline constexpr int64_t kUnixEpochToPostgres = 946684800;  ///< seconds from 1970 to 2000
inline constexpr int kPostgresEpochJulian = 2451545;        ///< Julian day of 2000-01-01

inline constexpr int32_t kDateInfinity = INT32_MAX;
inline constexpr int32_t kDateMinusInfinity = INT32_MIN;
inline constexpr int64_t kTimestampInfinity = INT64_MAX;
inline constexpr int64_t kTimestampMinusInfinity = INT64_MIN;
inline constexpr int64_t kLeastTimestamp = -211813488000000000;  ///< 4714-11-24 BC
inline constexpr int64_t kTimestampEnd = 9223371331200000000;    ///< 294277-01-01, exclusive
inline constexpr int32_t kLeastDate = -kPostgresEpochJulian;
inline constexpr int32_t kDateEnd = 2145031949;  ///< 5874898-01-01, exclusive

constexpr bool is_valid_timestamp(int64_t us) {
  return us >= kLeastTimestamp && us < kTimestampEnd;
}
constexpr bool is_valid_date(int64_t days) {
  return days >= kLeastDate && days < kDateEnd;
}
constexpr bool is_finite_timestamp(int64_t us) {
  return us != kTimestampInfinity && us != kTimestampMinusInfinity;
}
constexpr bool is_finite_date(int32_t days) {
  return days != kDateInfinity && days != kDateMinusInfinity;
}

struct CivilDay {
  int year;   ///< 0 is 1 BC
  int month;  ///< 1 … 12
  int day;    ///< 1 … 31
};

/// Days since 2000-01-01. Counts from a March so that the leap day comes last.
constexpr int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 730425;
}

constexpr CivilDay civil_from_days(int64_t days) {
  days += 730425;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2)), month,
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

constexpr bool is_leap_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
constexpr int days_in_month(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}
/// 0 is Sunday.
constexpr int day_of_week(int64_t days) {
  return static_cast<int>(((days + 6) % 7 + 7) % 7);
}
constexpr int day_of_year(int year, int month, int day) {
  return static_cast<int>(days_from_civil(year, month, day) - days_from_civil(year, 1, 1)) + 1;
}
/// Monday of ISO week 1, the week with the year's first Thursday.
constexpr int64_t iso_year_start(int64_t year) {
  int64_t fourth = days_from_civil(year, 1, 4);
  return fourth - (day_of_week(fourth) + 6) % 7;
}
struct IsoWeek {
  int year;
  int week;
};
constexpr IsoWeek iso_week_of(int64_t days) {
  int year = civil_from_days(days).year;
  if (days >= iso_year_start(year + 1)) ++year;
  if (days < iso_year_start(year)) --year;
  return {year, static_cast<int>((days - iso_year_start(year)) / 7) + 1};
}

static_assert(days_from_civil(2000, 1, 1) == 0);
static_assert(days_from_civil(2024, 2, 29) == 8825);
static_assert(days_from_civil(-4713, 11, 24) == kLeastDate);
static_assert(day_of_week(days_from_civil(2024, 1, 15)) == 1);

}  // namespace cofork
