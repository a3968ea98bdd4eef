// to_char() and to_date()/to_timestamp(): templates such as 'YYYY-MM-DD HH24:MI:SS'.
//
// As formatting.c, PostgreSQL 15. A template is cut into keywords and literal text once per call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "types/datetime.h"

namespace cofork {

namespace datetime {

enum class Pattern : uint8_t {
  kLiteral,
  kHour24,
  kHour12,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kFraction,
  kSecondsOfDay,
  kMeridian,
  kMeridianDots,
  kEra,
  kEraDots,
  kYear4,
  kYear3,
  kYear2,
  kYear1,
  kYearComma,
  kIsoYear4,
  kIsoYear3,
  kIsoYear2,
  kIsoYear1,
  kMonthName,
  kMonthShort,
  kMonthNumber,
  kMonthRoman,
  kDayName,
  kDayShort,
  kDayOfYear,
  kIsoDayOfYear,
  kDayOfMonth,
  kDayOfWeek,
  kIsoDayOfWeek,
  kWeekOfMonth,
  kWeekOfYear,
  kIsoWeek,
  kCentury,
  kJulian,
  kQuarter,
  kZoneName,
  kZoneHour,
  kZoneMinute,
  kZoneOffset,
};

/// How the letters of a name are written, as the keyword was: MONTH, Month, month.
enum class NameCase : uint8_t { kUpper, kCapital, kLower };

struct PatternPart {
  Pattern pattern;
  std::string text;  ///< of a literal; the keyword as it stands otherwise
  NameCase name_case = NameCase::kUpper;
  bool fill_mode = false;  ///< FM: no padding
  char ordinal = '\0';     ///< T or t: TH or th follows the number
  int digits = 0;          ///< of FF1 … FF6
  bool quoted = false;     ///< a literal that was in quotes
};

std::vector<PatternPart> parse_pattern(std::string_view pattern);

/// What is written: the fields of a moment (or an interval, whose fields may be any number).
struct FormatInput {
  int64_t year = 0;
  int month = 1, day = 1;
  int64_t hour = 0;
  int minute = 0, second = 0, microsecond = 0;
  int64_t days = 0;  ///< since 2000-01-01, for weeks and days of the year
  bool is_interval = false;
  bool has_zone = false;
  int offset = 0;
  std::string zone_name;
};
std::string format_moment(const FormatInput& input, std::string_view pattern);

/// What to_timestamp() read: a local time, and an offset when the text had one.
struct ParsedMoment {
  TimeFields fields;
  bool has_offset = false;
  int offset = 0;
};
ParsedMoment parse_moment_by(std::string_view text, std::string_view pattern);  ///< 22007, 22008

}  // namespace datetime

}  // namespace cofork
