// See local_time.h.
#include "settings/local_time.h"

#include <fmt/core.h>

#include "types/calendar.h"

namespace cofork {
namespace {

constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

}  // namespace

LocalTime local_time(const TimeZone& zone, int64_t unix_seconds) {
  constexpr int64_t kDay = 86400;
  TimeZone::Moment moment = zone.at((unix_seconds - kUnixEpochToPostgres) * kUsPerSecond);
  int64_t shown = unix_seconds - kUnixEpochToPostgres + moment.offset;
  int64_t second = (shown % kDay + kDay) % kDay;
  int64_t days = (shown - second) / kDay;
  CivilDay civil = civil_from_days(days);
  LocalTime local{};
  local.year = civil.year;
  local.month = civil.month;
  local.day = civil.day;
  local.hour = static_cast<int>(second / 3600);
  local.minute = static_cast<int>(second / 60 % 60);
  local.second = static_cast<int>(second % 60);
  local.offset_seconds = moment.offset;
  local.weekday = day_of_week(days);
  local.day_of_year = day_of_year(civil.year, civil.month, civil.day);
  local.abbreviation = moment.abbreviation;
  return local;
}

std::string format_local_time(std::string_view pattern, const LocalTime& local,
                              int64_t unix_seconds) {
  std::string text;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      text += pattern[i];
      continue;
    }
    int hour12 = local.hour % 12 == 0 ? 12 : local.hour % 12;
    switch (pattern[++i]) {
      case 'Y':
        text += std::to_string(local.year);
        break;
      case 'y':
        text += fmt::format("{:02}", local.year % 100);
        break;
      case 'm':
        text += fmt::format("{:02}", local.month);
        break;
      case 'd':
        text += fmt::format("{:02}", local.day);
        break;
      case 'e':
        text += fmt::format("{:2}", local.day);
        break;
      case 'H':
        text += fmt::format("{:02}", local.hour);
        break;
      case 'I':
        text += fmt::format("{:02}", hour12);
        break;
      case 'M':
        text += fmt::format("{:02}", local.minute);
        break;
      case 'S':
        text += fmt::format("{:02}", local.second);
        break;
      case 'p':
        text += local.hour < 12 ? "AM" : "PM";
        break;
      case 'j':
        text += fmt::format("{:03}", local.day_of_year);
        break;
      case 'a':
        text += std::string_view(kDays[local.weekday]).substr(0, 3);
        break;
      case 'A':
        text += kDays[local.weekday];
        break;
      case 'b':
      case 'h':
        text += std::string_view(kMonths[local.month - 1]).substr(0, 3);
        break;
      case 'B':
        text += kMonths[local.month - 1];
        break;
      case 'u':
        text += std::to_string(local.weekday == 0 ? 7 : local.weekday);
        break;
      case 'w':
        text += std::to_string(local.weekday);
        break;
      case 's':
        text += std::to_string(unix_seconds);
        break;
      case 'F':
        text += fmt::format("{:04}-{:02}-{:02}", local.year, local.month, local.day);
        break;
      case 'T':
        text += fmt::format("{:02}:{:02}:{:02}", local.hour, local.minute, local.second);
        break;
      case 'R':
        text += fmt::format("{:02}:{:02}", local.hour, local.minute);
        break;
      case 'Z':
        text += local.abbreviation;
        break;
      case 'z': {
        int minutes = local.offset_seconds / 60;
        int magnitude = minutes < 0 ? -minutes : minutes;
        text +=
            fmt::format("{}{:02}{:02}", minutes < 0 ? '-' : '+', magnitude / 60, magnitude % 60);
        break;
      }
      case '%':
        text += '%';
        break;
      default:
        text += '%';
        text += pattern[i];
    }
  }
  return text;
}

}  // namespace cofork
