// Time zones: names of the system's tz database, POSIX-style specifications, fixed offsets and the
// abbreviations PostgreSQL knows by default.
//
// Offsets are seconds EAST of Greenwich, as ISO 8601 writes them (PostgreSQL's sources count west).
#pragma once

#include <cctz/time_zone.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cofork {

class TimeZone {
 public:
  struct Moment {
    int offset = 0;
    bool is_dst = false;
    std::string_view abbreviation;  ///< "CET"; belongs to the zone
  };

  /// A fixed offset called `name`.
  TimeZone(std::string name, int offset_east);
  TimeZone(std::string name, cctz::time_zone zone);

  const std::string& name() const { return name_; }
  /// What the clock shows there at a moment (microseconds since 2000-01-01 UTC).
  Moment at(int64_t utc_us) const;
  /// The offset in force when its clock shows this. A time that the clock skips (spring) or shows
  /// twice (autumn) takes the standard offset, as DetermineTimeZoneOffset in datetime.c.
  int offset_at_local(int64_t local_us) const;

 private:
  std::string name_;
  std::string abbreviation_;
  bool fixed_ = false;
  int offset_ = 0;
  cctz::time_zone zone_;
};

/// A zone by tz database name, in any case ("europe/berlin"), or POSIX specification ("EST5",
/// "<+03>-03"). As pg_tzset.
std::optional<TimeZone> find_time_zone(std::string_view name);
/// As the TimeZone setting reads its value: a number is hours east, else find_time_zone.
std::optional<TimeZone> time_zone_from_setting(std::string_view value);

struct TimeZoneAbbreviation {
  const char* name;  ///< lower case
  int offset;
  bool is_dst;
};
/// One of the abbreviations of timezone_abbreviations = Default.
const TimeZoneAbbreviation* find_time_zone_abbreviation(std::string_view lower_case);

/// Appends +05, +05:30 or +05:30:15.
void append_offset(std::string& out, int offset);

}  // namespace cofork
