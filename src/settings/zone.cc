#include "settings/zone.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <cctype>
#include <chrono>

namespace cofork {
namespace {

using Seconds = std::chrono::time_point<std::chrono::system_clock, cctz::seconds>;

class CctzZone final : public Zone {
 public:
  CctzZone(std::string name, std::string abbreviation, cctz::time_zone zone)
      : name_(std::move(name)), abbreviation_(std::move(abbreviation)), zone_(zone) {}

  const std::string& name() const override { return name_; }
  Local at(int64_t unix_seconds) const override {
    cctz::time_zone::absolute_lookup found = zone_.lookup(Seconds(cctz::seconds(unix_seconds)));
    Local local{};
    local.year = static_cast<int>(found.cs.year());
    local.month = found.cs.month();
    local.day = found.cs.day();
    local.hour = found.cs.hour();
    local.minute = found.cs.minute();
    local.second = found.cs.second();
    local.offset_seconds = found.offset;
    // cctz counts from Monday.
    cctz::civil_day day(found.cs);
    local.weekday = (static_cast<int>(cctz::get_weekday(day)) + 1) % 7;
    local.day_of_year = cctz::get_yearday(day);
    local.abbreviation = abbreviation_.empty() ? found.abbr : abbreviation_;
    return local;
  }

 private:
  std::string name_;
  std::string abbreviation_;  ///< of a fixed zone; the others know theirs
  cctz::time_zone zone_;
};

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The spelling zone files have: every word of "america/new_york" with a capital, but "of", "es".
std::string capitalized(std::string_view name) {
  std::string spelled;
  for (size_t i = 0; i < name.size(); ++i) {
    bool starts_word = i == 0 || !is_letter(name[i - 1]);
    spelled += starts_word ? upper(name[i]) : lower(name[i]);
  }
  return spelled;
}

std::string uppercased(std::string_view name) {
  std::string spelled;
  for (char c : name) spelled += upper(c);
  return spelled;
}

/// [+-]h[h][:mm[:ss]] in seconds; moves `at` behind it.
bool scan_offset(std::string_view text, size_t& at, int& seconds) {
  int sign = 1;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) sign = text[at++] == '-' ? -1 : 1;
  int parts[3] = {};
  for (int i = 0; i < 3; ++i) {
    size_t start = at;
    while (at < text.size() && is_digit(text[at]) && at - start < 3) {
      parts[i] = parts[i] * 10 + (text[at++] - '0');
    }
    if (at == start) return false;
    if (at == text.size() || text[at] != ':') break;
    if (i < 2) ++at;
  }
  if (parts[0] > 167 || parts[1] > 59 || parts[2] > 59) return false;
  seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
  return true;
}

/// "EST5", "<-05>+05": a POSIX zone without daylight-saving time. Its sign is west-positive.
std::shared_ptr<const Zone> find_posix(std::string_view name) {
  size_t at = 0;
  std::string abbreviation;
  if (!name.empty() && name[0] == '<') {
    size_t close = name.find('>');
    if (close == std::string_view::npos) return nullptr;
    abbreviation = name.substr(1, close - 1);
    at = close + 1;
  } else {
    while (at < name.size() && is_letter(name[at])) abbreviation += name[at++];
    if (abbreviation.size() < 3) return nullptr;
  }
  int west = 0;
  if (!scan_offset(name, at, west) || at != name.size()) return nullptr;
  // cctz's fixed zones end at a day; longer offsets name no place.
  if (west > 86400 || west < -86400) return nullptr;
  return std::make_shared<CctzZone>(std::string(name), abbreviation,
                                    cctz::fixed_time_zone(cctz::seconds(-west)));
}

std::string offset_text(int seconds, bool always_sign) {
  int magnitude = seconds < 0 ? -seconds : seconds;
  std::string text = seconds < 0 ? "-" : always_sign ? "+" : "";
  text += fmt::format("{:02}", magnitude / 3600);
  if (magnitude % 3600 != 0) text += fmt::format(":{:02}", magnitude / 60 % 60);
  if (magnitude % 60 != 0) text += fmt::format(":{:02}", magnitude % 60);
  return text;
}

constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

}  // namespace

std::shared_ptr<const Zone> Zone::find(std::string_view name) {
  // Nothing of a path but names: "../x" and "/x" are no zones. "localtime" would be the machine's.
  if (name.empty() || name[0] == '/' || name[0] == '.' ||
      name.find("..") != std::string_view::npos || name.find(':') == 0) {
    return nullptr;
  }
  if (name[0] != '<') {
    for (const std::string& spelling : {std::string(name), capitalized(name), uppercased(name)}) {
      if (spelling == "localtime" || spelling == "Localtime") break;
      cctz::time_zone zone;
      if (cctz::load_time_zone(spelling, &zone)) {
        return std::make_shared<CctzZone>(spelling, "", zone);
      }
    }
  }
  return find_posix(name);
}

std::shared_ptr<const Zone> Zone::fixed(int offset_seconds) {
  std::string shown = offset_text(offset_seconds, true);
  std::string name = "<" + shown + ">" + offset_text(-offset_seconds, true);
  return std::make_shared<CctzZone>(name, shown,
                                    cctz::fixed_time_zone(cctz::seconds(offset_seconds)));
}

std::string format_local_time(std::string_view pattern, const Zone::Local& local,
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
