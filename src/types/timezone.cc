// Time zones over cctz. See timezone.h.
#include "types/timezone.h"

#include <charconv>
#include <chrono>

#include "support/error.h"
#include "types/calendar.h"
#include "types/scalar.h"

namespace cofork {

namespace {

using Seconds = cctz::time_point<cctz::seconds>;

int64_t floor_seconds(int64_t us) {
  return us >= 0 ? us / kUsPerSecond : -((-us + kUsPerSecond - 1) / kUsPerSecond);
}

Seconds to_time_point(int64_t utc_us) {
  return Seconds(cctz::seconds(floor_seconds(utc_us) + kUnixEpochToPostgres));
}

}  // namespace

TimeZone::TimeZone(std::string name, int offset_east)
    : name_(std::move(name)), fixed_(true), offset_(offset_east) {
  append_offset(abbreviation_, offset_east);
  if (name_ == "UTC" || name_ == "GMT") abbreviation_ = name_;
}

TimeZone::TimeZone(std::string name, cctz::time_zone zone)
    : name_(std::move(name)), zone_(std::move(zone)) {}

TimeZone::Moment TimeZone::at(int64_t utc_us) const {
  if (fixed_) return {offset_, false, abbreviation_};
  cctz::time_zone::absolute_lookup found = zone_.lookup(to_time_point(utc_us));
  return {found.offset, found.is_dst, found.abbr};
}

int TimeZone::offset_at_local(int64_t local_us) const {
  if (fixed_) return offset_;
  int64_t seconds = floor_seconds(local_us) + kUnixEpochToPostgres;
  // The civil time as if it were UTC; cctz then says which moments show it.
  cctz::civil_second civil = cctz::convert(Seconds(cctz::seconds(seconds)), cctz::utc_time_zone());
  cctz::time_zone::civil_lookup found = zone_.lookup(civil);
  if (found.kind == cctz::time_zone::civil_lookup::UNIQUE) return zone_.lookup(found.pre).offset;
  auto before = zone_.lookup(found.trans - cctz::seconds(1)), after = zone_.lookup(found.trans);
  if (before.is_dst == after.is_dst) return after.offset;
  return before.is_dst ? after.offset : before.offset;
}

namespace {

std::optional<TimeZone> load(std::string_view name) {
  cctz::time_zone zone;
  if (!cctz::load_time_zone(std::string(name), &zone)) return std::nullopt;
  return TimeZone(std::string(name), std::move(zone));
}

/// "america/new_york" as the database spells it, where its rule is plain capitals.
std::string capitalised(std::string_view name) {
  std::string out;
  bool start = true;
  for (char c : name) {
    out += start ? ascii_upper(c) : ascii_lower(c);
    start = !is_alpha(c);
  }
  return out;
}

/// "EST5", "<+03>-03", "UTC+3:30": a name, then hours WEST. Daylight rules are not read.
std::optional<TimeZone> parse_posix(std::string_view text) {
  size_t name_end;
  if (text.starts_with('<')) {
    name_end = text.find('>');
    if (name_end == std::string_view::npos) return std::nullopt;
    ++name_end;
  } else {
    name_end = 0;
    while (name_end < text.size() && is_alpha(text[name_end])) ++name_end;
    if (name_end > 0 && name_end < 3) return std::nullopt;
  }
  std::string_view rest = text.substr(name_end);
  int sign = -1;
  if (rest.starts_with('-')) sign = 1;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  int parts[3] = {0, 0, 0};
  for (int& part : parts) {
    auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), part);
    if (problem != std::errc{}) return std::nullopt;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (!rest.starts_with(':')) break;
    rest.remove_prefix(1);
  }
  if (!rest.empty() || parts[0] > 167 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return TimeZone(std::string(text), sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]));
}

}  // namespace

std::optional<TimeZone> find_time_zone(std::string_view name) {
  // Only names of the database: no paths, nor cctz's own "localtime", "file:" and "Fixed/…".
  bool is_name = !name.empty() && is_alpha(name[0]) && name.size() < 256 &&
                 name.find("..") == std::string_view::npos &&
                 name.find(':') == std::string_view::npos && name != "localtime" &&
                 !name.starts_with("Fixed/") && !name.starts_with("libc:");
  if (is_name) {
    std::string upper;
    for (char c : name) upper += ascii_upper(c);
    if (upper == "UTC" || upper == "GMT") return TimeZone(upper, 0);
    if (auto zone = load(name)) return zone;
    if (auto zone = load(capitalised(name))) return zone;
    if (auto zone = load(upper)) return zone;
  }
  return parse_posix(name);
}

std::optional<TimeZone> time_zone_from_setting(std::string_view value) {
  double hours = 0;
  std::string_view number = value.starts_with('+') ? value.substr(1) : value;
  auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), hours);
  if (problem != std::errc{} || end != number.data() + number.size() || number.empty()) {
    return find_time_zone(value);
  }
  if (!(hours > -168 && hours < 168)) return std::nullopt;
  int offset = static_cast<int>(hours * 3600);
  std::string east, west;
  append_offset(east, offset);
  append_offset(west, -offset);
  return TimeZone(fmt::format("<{}>{}", east, west), offset);
}

void append_offset(std::string& out, int offset) {
  int seconds = offset < 0 ? -offset : offset;
  fmt::format_to(std::back_inserter(out), "{}{:02}", offset < 0 ? '-' : '+', seconds / 3600);
  if (seconds % 3600 != 0) fmt::format_to(std::back_inserter(out), ":{:02}", seconds / 60 % 60);
  if (seconds % 60 != 0) fmt::format_to(std::back_inserter(out), ":{:02}", seconds % 60);
}

}  // namespace cofork
