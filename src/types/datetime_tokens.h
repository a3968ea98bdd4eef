// Cuts date, time and interval text into tokens, and knows their words. Inside types/ only.
//
// As ParseDateTime in datetime.c, PostgreSQL 15: what a token is called says how it looks, not yet
// what it means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/error.h"

namespace cofork::datetime {

enum class TokenKind : uint8_t {
  kNumber,   ///< 15, 20240115, 1.5
  kDate,     ///< 2024-01-15, 15-jan-2024; a time zone name with punctuation too
  kTime,     ///< 13:45:30.5
  kZone,     ///< +02, -08:00
  kString,   ///< jan, today, utc (in lower case)
  kSpecial,  ///< a word with a sign before it: -infinity
};

struct Token {
  TokenKind kind;
  std::string text;
};

/// Throws 22007 for text that cannot be cut up.
std::vector<Token> tokenize(std::string_view text, const char* type);

// The errors of DateTimeParseError, with the text they are about.
Error bad_format(std::string_view text, const char* type);  ///< 22007
Error field_overflow(std::string_view text);                ///< 22008
Error month_day_overflow(std::string_view text);            ///< 22008 with the hint about DateStyle
Error interval_overflow(std::string_view text);             ///< 22015
Error zone_displacement_overflow(std::string_view text);    ///< 22009

/// 1 … 12, or 0.
int month_named(std::string_view word);
/// 0 (Sunday) … 6, or -1.
int weekday_named(std::string_view word);

enum class Unit : uint8_t {
  kNone,
  kMicrosecond,
  kMillisecond,
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
};
/// The unit a word of interval text or of date_trunc() names.
Unit unit_named(std::string_view lower_case);

/// The fraction ".5" in microseconds, rounded. `text` begins with the point.
int parse_fraction(std::string_view text);

}  // namespace cofork::datetime
