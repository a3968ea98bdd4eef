// A time zone by name, for the log's timestamps and the checks of TimeZone and log_timezone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace cofork {

class Zone {
 public:
  struct Local {
    int year, month, day, hour, minute, second;
    int offset_seconds;  ///< east of Greenwich
    int weekday;         ///< 0 = Sunday
    int day_of_year;     ///< 1 = January 1st
    std::string abbreviation;
  };

  virtual ~Zone() = default;
  virtual const std::string& name() const = 0;  ///< as it is shown
  virtual Local at(int64_t unix_seconds) const = 0;

  /// "Europe/Berlin" in any case, a POSIX zone such as "<-05>+05" or "EST5"; null when there is
  /// none.
  static std::shared_ptr<const Zone> find(std::string_view name);
  /// A fixed offset in seconds east of Greenwich, named as SET TIME ZONE names it: "<-05>+05".
  static std::shared_ptr<const Zone> fixed(int offset_seconds);
};

/// strftime() with the conversions a file name pattern needs (pg_strftime): %Y %m %d %H %M %S %y %j
/// %a %A %b %B %e %p %I %Z %z %s %u %w %%; others stand as they are.
std::string format_local_time(std::string_view pattern, const Zone::Local& local,
                              int64_t unix_seconds);

}  // namespace cofork
