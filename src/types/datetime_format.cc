// Templates of to_char(), and writing by them. See datetime_format.h.
#include "types/datetime_format.h"

#include <algorithm>

#include "support/error.h"
#include "types/scalar.h"

namespace cofork::datetime {

namespace {

struct DatetimeKeyword {
  std::string_view name;
  Pattern pattern;
  int digits = 0;
};
// Longer names before their prefixes.
constexpr DatetimeKeyword kDatetimeKeywords[] = {
    {"A.D.", Pattern::kEraDots},
    {"A.M.", Pattern::kMeridianDots},
    {"AD", Pattern::kEra},
    {"AM", Pattern::kMeridian},
    {"B.C.", Pattern::kEraDots},
    {"BC", Pattern::kEra},
    {"CC", Pattern::kCentury},
    {"DAY", Pattern::kDayName},
    {"DDD", Pattern::kDayOfYear},
    {"DD", Pattern::kDayOfMonth},
    {"DY", Pattern::kDayShort},
    {"D", Pattern::kDayOfWeek},
    {"FF1", Pattern::kFraction, 1},
    {"FF2", Pattern::kFraction, 2},
    {"FF3", Pattern::kFraction, 3},
    {"FF4", Pattern::kFraction, 4},
    {"FF5", Pattern::kFraction, 5},
    {"FF6", Pattern::kFraction, 6},
    {"HH24", Pattern::kHour24},
    {"HH12", Pattern::kHour12},
    {"HH", Pattern::kHour12},
    {"IDDD", Pattern::kIsoDayOfYear},
    {"ID", Pattern::kIsoDayOfWeek},
    {"IW", Pattern::kIsoWeek},
    {"IYYY", Pattern::kIsoYear4},
    {"IYY", Pattern::kIsoYear3},
    {"IY", Pattern::kIsoYear2},
    {"I", Pattern::kIsoYear1},
    {"J", Pattern::kJulian},
    {"MI", Pattern::kMinute},
    {"MM", Pattern::kMonthNumber},
    {"MONTH", Pattern::kMonthName},
    {"MON", Pattern::kMonthShort},
    {"MS", Pattern::kMillisecond},
    {"OF", Pattern::kZoneOffset},
    {"P.M.", Pattern::kMeridianDots},
    {"PM", Pattern::kMeridian},
    {"Q", Pattern::kQuarter},
    {"RM", Pattern::kMonthRoman},
    {"SSSSS", Pattern::kSecondsOfDay},
    {"SSSS", Pattern::kSecondsOfDay},
    {"SS", Pattern::kSecond},
    {"TZH", Pattern::kZoneHour},
    {"TZM", Pattern::kZoneMinute},
    {"TZ", Pattern::kZoneName},
    {"US", Pattern::kMicrosecond},
    {"WW", Pattern::kWeekOfYear},
    {"W", Pattern::kWeekOfMonth},
    {"Y,YYY", Pattern::kYearComma},
    {"YYYY", Pattern::kYear4},
    {"YYY", Pattern::kYear3},
    {"YY", Pattern::kYear2},
    {"Y", Pattern::kYear1},
};

NameCase case_of(std::string_view keyword) {
  if (!is_alpha(keyword[0]) || keyword[0] != ascii_upper(keyword[0])) return NameCase::kLower;
  bool second_upper = keyword.size() > 1 && keyword[1] == ascii_upper(keyword[1]);
  return second_upper || keyword.size() == 1 ? NameCase::kUpper : NameCase::kCapital;
}

}  // namespace

std::vector<PatternPart> parse_pattern(std::string_view pattern) {
  std::vector<PatternPart> parts;
  while (!pattern.empty()) {
    PatternPart part{Pattern::kLiteral, {}};
    for (;;) {  // prefixes
      if (starts_ignoring_case(pattern, "FM")) {
        part.fill_mode = true;
      } else if (!starts_ignoring_case(pattern, "FX") && !starts_ignoring_case(pattern, "TM")) {
        break;
      }
      pattern.remove_prefix(2);
    }
    const auto* keyword = std::find_if(
        std::begin(kDatetimeKeywords), std::end(kDatetimeKeywords),
        [&](const DatetimeKeyword& k) { return starts_ignoring_case(pattern, k.name); });
    if (keyword != std::end(kDatetimeKeywords)) {
      part.pattern = keyword->pattern;
      part.digits = keyword->digits;
      part.text = pattern.substr(0, keyword->name.size());
      part.name_case = case_of(part.text);
      pattern.remove_prefix(keyword->name.size());
      if (starts_ignoring_case(pattern, "TH")) {
        part.ordinal = pattern[0];
        pattern.remove_prefix(2);
      }
      if (pattern.starts_with("SP")) pattern.remove_prefix(2);
    } else if (pattern.starts_with('"')) {
      pattern.remove_prefix(1);
      part.quoted = true;
      while (!pattern.empty() && pattern[0] != '"') {
        if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
        part.text += pattern[0];
        pattern.remove_prefix(1);
      }
      if (!pattern.empty()) pattern.remove_prefix(1);
    } else if (!pattern.empty()) {
      if (pattern.starts_with("\\\"")) pattern.remove_prefix(1);
      part.text = pattern.substr(0, 1);
      pattern.remove_prefix(1);
    } else {
      break;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

namespace {

constexpr std::string_view kMonthNames[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
constexpr std::string_view kDayNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::string_view kRoman[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                       "VII", "VIII", "IX",  "X",  "XI", "XII"};

class MomentFormatter {
 public:
  explicit MomentFormatter(const FormatInput& input) : in_(input) {}

  std::string run(std::string_view pattern) {
    for (const PatternPart& part : parse_pattern(pattern)) {
      size_t start = out_.size();
      if (part.pattern == Pattern::kLiteral) {
        out_ += part.text;
      } else {
        append(part);
      }
      if (part.ordinal != '\0') append_ordinal(start, part.ordinal == 'T');
    }
    return std::move(out_);
  }

 private:
  void number(int64_t value, int width, bool fill_mode) {
    // The width counts digits: a minus comes in front of it.
    fmt::format_to(std::back_inserter(out_), "{}{:0{}}", value < 0 ? "-" : "",
                   value < 0 ? -value : value, fill_mode ? 0 : width);
  }

  void name(std::string_view text, const PatternPart& part, size_t width) {
    std::string cased(text);
    for (char& c : cased) {
      if (part.name_case == NameCase::kUpper) c = ascii_upper(c);
      if (part.name_case == NameCase::kLower) c = ascii_lower(c);
    }
    if (!part.fill_mode && cased.size() < width) cased.resize(width, ' ');
    out_ += cased;
  }

  /// 1st, 2nd, 3rd, 4th, 11th …
  void append_ordinal(size_t start, bool upper) {
    std::string_view digits = std::string_view(out_).substr(start);
    char last = digits.empty() ? '\0' : digits.back();
    bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
    const char* suffix = teen || last < '1' || last > '3' ? "th"
                         : last == '1'                    ? "st"
                         : last == '2'                    ? "nd"
                                                          : "rd";
    for (const char* c = suffix; *c != '\0'; ++c) out_ += upper ? ascii_upper(*c) : *c;
  }

  [[noreturn]] static void throw_not_for_interval() {
    throw Error(sqlstate::kInvalidDatetimeFormat,
                "invalid format specification for an interval value")
        .hint("Intervals are not tied to specific calendar dates.");
  }

  int64_t shown_year() const { return in_.is_interval || in_.year > 0 ? in_.year : 1 - in_.year; }

  void append(const PatternPart& p) {
    switch (p.pattern) {
      case Pattern::kHour24:
        return number(in_.hour, 2, p.fill_mode);
      case Pattern::kHour12:
        return number(in_.hour % 12 == 0 ? 12 : in_.hour % 12, 2, p.fill_mode);
      case Pattern::kMinute:
        return number(in_.minute, 2, p.fill_mode);
      case Pattern::kSecond:
        return number(in_.second, 2, p.fill_mode);
      case Pattern::kMillisecond:
        return number(in_.microsecond / 1000, 3, false);
      case Pattern::kMicrosecond:
        return number(in_.microsecond, 6, false);
      case Pattern::kFraction: {
        constexpr int kSteps[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
        return number(in_.microsecond / kSteps[p.digits], p.digits, false);
      }
      case Pattern::kSecondsOfDay:
        return number(in_.hour * 3600 + in_.minute * 60 + in_.second, 0, false);
      case Pattern::kMeridian:
      case Pattern::kMeridianDots:
        return meridian(p);
      default:
        if (in_.is_interval && needs_calendar(p.pattern)) throw_not_for_interval();
        return append_date(p);
    }
  }

  static bool needs_calendar(Pattern pattern) {
    switch (pattern) {
      case Pattern::kEra:
      case Pattern::kEraDots:
      case Pattern::kMonthName:
      case Pattern::kMonthShort:
      case Pattern::kDayName:
      case Pattern::kDayShort:
      case Pattern::kDayOfWeek:
      case Pattern::kIsoDayOfWeek:
      case Pattern::kZoneName:
      case Pattern::kZoneHour:
      case Pattern::kZoneMinute:
      case Pattern::kZoneOffset:
      case Pattern::kJulian:
        return true;
      default:
        return false;
    }
  }

  void meridian(const PatternPart& p) {
    bool dots = p.pattern == Pattern::kMeridianDots, afternoon = in_.hour % 24 >= 12;
    std::string_view text = dots ? (afternoon ? "P.M." : "A.M.") : (afternoon ? "PM" : "AM");
    for (char c : text) out_ += p.text[0] == ascii_lower(p.text[0]) ? ascii_lower(c) : c;
  }

  void append_date(const PatternPart& p) {
    switch (p.pattern) {
      case Pattern::kEra:
      case Pattern::kEraDots: {
        bool dots = p.pattern == Pattern::kEraDots;
        std::string_view text = in_.year <= 0 ? (dots ? "B.C." : "BC") : (dots ? "A.D." : "AD");
        for (char c : text) out_ += p.text[0] == ascii_lower(p.text[0]) ? ascii_lower(c) : c;
        return;
      }
      case Pattern::kMonthName:
        return name(kMonthNames[in_.month - 1], p, 9);
      case Pattern::kMonthShort:
        return name(kMonthNames[in_.month - 1].substr(0, 3), p, 0);
      case Pattern::kMonthNumber:
        return number(in_.month, 2, p.fill_mode);
      case Pattern::kMonthRoman:
        if (in_.month == 0) return;
        return name(kRoman[in_.month - 1], p, 4);
      case Pattern::kDayName:
        return name(kDayNames[day_of_week(in_.days)], p, 9);
      case Pattern::kDayShort:
        return name(kDayNames[day_of_week(in_.days)].substr(0, 3), p, 0);
      case Pattern::kDayOfMonth:
        return number(in_.day, 2, p.fill_mode);
      case Pattern::kDayOfWeek:
        return number(day_of_week(in_.days) + 1, 0, false);
      case Pattern::kIsoDayOfWeek:
        return number((day_of_week(in_.days) + 6) % 7 + 1, 0, false);
      case Pattern::kWeekOfMonth:
        return number((in_.day - 1) / 7 + 1, 0, false);
      case Pattern::kQuarter:
        if (in_.month == 0) return;
        return number((in_.month - 1) / 3 + 1, 0, false);
      case Pattern::kJulian:
        return number(in_.days + kPostgresEpochJulian, 0, false);
      case Pattern::kZoneName:
        for (char c : in_.zone_name) out_ += p.text[0] == 't' ? ascii_lower(c) : c;
        return;
      case Pattern::kZoneHour:
        fmt::format_to(std::back_inserter(out_), "{}{:02}", in_.offset < 0 ? '-' : '+',
                       std::abs(in_.offset) / 3600);
        return;
      case Pattern::kZoneMinute:
        return number(std::abs(in_.offset) / 60 % 60, 2, false);
      case Pattern::kZoneOffset:
        return append_offset(out_, in_.offset / 60 * 60);
      default:
        return append_year_and_week(p);
    }
  }

  int day_of_year() const {
    return in_.is_interval ? static_cast<int>(in_.days)
                           : static_cast<int>(in_.days - days_from_civil(in_.year, 1, 1)) + 1;
  }

  void append_year_and_week(const PatternPart& p) {
    int64_t year = shown_year();
    IsoWeek week = iso_week_of(in_.days);
    int64_t iso_year = week.year > 0 ? week.year : 1 - week.year;
    switch (p.pattern) {
      case Pattern::kDayOfYear:
        return number(day_of_year(), 3, p.fill_mode);
      case Pattern::kIsoDayOfYear:
        return number(in_.days - iso_year_start(week.year) + 1, 3, p.fill_mode);
      case Pattern::kWeekOfYear:
        return number((day_of_year() - 1) / 7 + 1, 2, p.fill_mode);
      case Pattern::kIsoWeek:
        return number(week.week, 2, p.fill_mode);
      case Pattern::kCentury:
        if (in_.is_interval) return number(in_.year / 100, 2, p.fill_mode);
        return number(in_.year > 0 ? (in_.year - 1) / 100 + 1 : in_.year / 100 - 1, 2, p.fill_mode);
      case Pattern::kYearComma:
        fmt::format_to(std::back_inserter(out_), "{},{:03}", year / 1000, year % 1000);
        return;
      case Pattern::kYear4:
        return number(year, 4, p.fill_mode);
      case Pattern::kYear3:
        return number(year % 1000, 3, p.fill_mode);
      case Pattern::kYear2:
        return number(year % 100, 2, p.fill_mode);
      case Pattern::kYear1:
        return number(year % 10, 1, false);
      case Pattern::kIsoYear4:
        return number(iso_year, 4, p.fill_mode);
      case Pattern::kIsoYear3:
        return number(iso_year % 1000, 3, p.fill_mode);
      case Pattern::kIsoYear2:
        return number(iso_year % 100, 2, p.fill_mode);
      default:
        return number(iso_year % 10, 1, false);
    }
  }

  const FormatInput& in_;
  std::string out_;
};

}  // namespace

std::string format_moment(const FormatInput& input, std::string_view pattern) {
  return MomentFormatter(input).run(pattern);
}

}  // namespace cofork::datetime
