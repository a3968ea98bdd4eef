// A moment as a clock on the wall shows it, and strftime() patterns: the log's timestamps and the
// names of its files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/timezone.h"

namespace cofork {

struct LocalTime {
  int year, month, day, hour, minute, second;
  int offset_seconds;             ///< east of Greenwich
  int weekday;                    ///< 0 = Sunday
  int day_of_year;                ///< 1 = January 1st
  std::string_view abbreviation;  ///< belongs to the zone
};

LocalTime local_time(const TimeZone& zone, int64_t unix_seconds);

/// strftime() with the conversions a file name pattern needs (pg_strftime): %Y %m %d %H %M %S %y %j
/// %a %A %b %B %e %p %I %Z %z %s %u %w %F %T %R %%; others stand as they are.
std::string format_local_time(std::string_view pattern, const LocalTime& local,
                              int64_t unix_seconds);

}  // namespace cofork
