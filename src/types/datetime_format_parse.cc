// to_date() and to_timestamp(): reading a text by a template. See datetime_format.h.
//
// As DCH_from_char and do_to_timestamp in formatting.c, PostgreSQL 15: blanks before a field are
// passed over, a separator in the template stands for any separator or none in the text.
#include <optional>

#include "support/error.h"
#include "types/datetime_format.h"
#include "types/datetime_tokens.h"
#include "types/scalar.h"

namespace cofork::datetime {

namespace {

bool is_separator(char c) {
  return c > ' ' && c < 127 && !is_alnum(c);
}

class MomentReader {
 public:
  MomentReader(std::string_view text, std::string_view pattern)
      : whole_(text), rest_(text), parts_(parse_pattern(pattern)) {}

  ParsedMoment read() {
    for (index_ = 0; index_ < parts_.size(); ++index_) {
      const PatternPart& part = parts_[index_];
      if (part.pattern == Pattern::kLiteral) {
        pass_literal(part);
        continue;
      }
      skip_spaces();
      read_field(part);
      if (part.ordinal != '\0') rest_.remove_prefix(std::min<size_t>(2, rest_.size()));
    }
    return resolve();
  }

 private:
  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
  }

  void pass_literal(const PatternPart& part) {
    char c = part.text.empty() ? ' ' : part.text[0];
    if (!part.quoted && (is_space(c) || is_separator(c))) {
      skip_spaces();
      // A sign may belong to the number that follows.
      bool sign_of_field = rest_.starts_with('-') || rest_.starts_with('+');
      bool zone_follows =
          index_ + 1 < parts_.size() && parts_[index_ + 1].pattern == Pattern::kZoneHour;
      if (!rest_.empty() && is_separator(rest_[0]) && !(sign_of_field && zone_follows))
        rest_.remove_prefix(1);
      return;
    }
    rest_.remove_prefix(std::min(part.text.size(), rest_.size()));
  }

  /// True when the text after this field cannot be one of its digits.
  bool next_is_separated() const {
    if (index_ + 1 >= parts_.size()) return true;
    const PatternPart& next = parts_[index_ + 1];
    if (next.pattern == Pattern::kLiteral) return next.text.empty() || !is_digit(next.text[0]);
    switch (next.pattern) {
      case Pattern::kMonthName:
      case Pattern::kMonthShort:
      case Pattern::kMonthRoman:
      case Pattern::kDayName:
      case Pattern::kDayShort:
      case Pattern::kMeridian:
      case Pattern::kMeridianDots:
      case Pattern::kEra:
      case Pattern::kEraDots:
        return true;
      default:
        return false;
    }
  }

  Error invalid_value(std::string_view value, const PatternPart& part, const char* detail) const {
    return Error(sqlstate::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"", value,
                 part.text)
        .detail("{}", detail);
  }

  /// Up to `width` digits; any number of them when something else must follow.
  int take_number(const PatternPart& part, size_t width) {
    bool open = part.fill_mode || next_is_separated();
    size_t end = 0;
    if (!rest_.empty() && (rest_[0] == '-' || rest_[0] == '+')) end = 1;
    size_t first = end;
    while (end < rest_.size() && is_digit(rest_[end]) && (open || end < width)) ++end;
    if (end == first) {
      size_t shown = std::min(width, rest_.size());
      throw invalid_value(rest_.substr(0, shown), part, "Value must be an integer.");
    }
    int64_t value = 0;
    for (char c : rest_.substr(first, end - first))
      value = std::min<int64_t>(value * 10 + (c - '0'), INT32_MAX);
    if (rest_[0] == '-') value = -value;
    digits_taken_ = end - first;
    rest_.remove_prefix(end);
    return static_cast<int>(value);
  }

  void set(std::optional<int>& field, int value, const PatternPart& part) {
    if (field && *field != value) {
      throw Error(sqlstate::kInvalidDatetimeFormat,
                  "conflicting values for \"{}\" field in formatting string", part.text)
          .detail("This value contradicts a previous setting for the same field type.");
    }
    field = value;
  }

  /// A word of a list, in any case; its index.
  template <typename Lookup>
  int take_name(const PatternPart& part, Lookup lookup) {
    size_t end = 0;
    while (end < rest_.size() && is_alpha(rest_[end])) ++end;
    for (size_t size = end; size > 0; --size) {
      int found = lookup(ascii_lowered(rest_.substr(0, size)));
      if (found < 0) continue;
      rest_.remove_prefix(size);
      return found;
    }
    size_t shown = std::min<size_t>(rest_.size(), std::max<size_t>(end, 1));
    throw invalid_value(rest_.substr(0, shown), part,
                        "The given value did not match any of the allowed values for this field.");
  }

  /// Digits after a point: 5 as MS means 500 milliseconds.
  int take_fraction(const PatternPart& part, size_t width) {
    int value = take_number(part, width);
    for (size_t i = digits_taken_; i < 6; ++i) value *= 10;
    for (size_t i = digits_taken_; i > 6; --i) value /= 10;
    return value;
  }

  /// A year of fewer than four digits is the one nearest to 2020.
  int complete_year(int year, size_t digits) const {
    if (digits <= 1 && year < 10) return 2020 + year;
    if (digits <= 2 && year < 100) return year < 70 ? 2000 + year : 1900 + year;
    if (digits == 3) return year < 520 ? 2000 + year : 1000 + year;
    return year;
  }

  void read_field(const PatternPart& p) {
    switch (p.pattern) {
      case Pattern::kHour24:
        return set(hour_, take_number(p, 2), p);
      case Pattern::kHour12:
        twelve_hours_ = true;
        return set(hour_, take_number(p, 2), p);
      case Pattern::kMinute:
        return set(minute_, take_number(p, 2), p);
      case Pattern::kSecond:
        return set(second_, take_number(p, 2), p);
      case Pattern::kMillisecond:
        return set(microsecond_, take_fraction(p, 3), p);
      case Pattern::kMicrosecond:
        return set(microsecond_, take_fraction(p, 6), p);
      case Pattern::kFraction:
        return set(microsecond_, take_fraction(p, static_cast<size_t>(p.digits)), p);
      case Pattern::kSecondsOfDay:
        return set(seconds_of_day_, take_number(p, 5), p);
      case Pattern::kMeridian:
      case Pattern::kMeridianDots: {
        auto lookup = [](const std::string& word) {
          return word == "am" ? 0 : word == "pm" ? 1 : -1;
        };
        if (p.pattern == Pattern::kMeridian) return set(meridian_, take_name(p, lookup), p);
        return set(meridian_, take_dotted(p, 'p'), p);
      }
      case Pattern::kEra:
        return set(era_,
                   take_name(p,
                             [](const std::string& word) {
                               return word == "ad" ? 0 : word == "bc" ? 1 : -1;
                             }),
                   p);
      case Pattern::kEraDots:
        return set(era_, take_dotted(p, 'b'), p);
      default:
        return read_date_field(p);
    }
  }

  /// "P.M.": 1 when the first letter is `one`.
  int take_dotted(const PatternPart& p, char one) {
    if (rest_.size() < 4) {
      throw invalid_value(
          rest_, p, "The given value did not match any of the allowed values for this field.");
    }
    int value = ascii_lower(rest_[0]) == one ? 1 : 0;
    rest_.remove_prefix(4);
    return value;
  }

  void read_date_field(const PatternPart& p) {
    switch (p.pattern) {
      case Pattern::kYear4:
        return set(year_, take_number(p, 4), p);
      case Pattern::kIsoYear4:
        return set(iso_year_, take_number(p, 4), p);
      case Pattern::kYear3:
      case Pattern::kYear2:
      case Pattern::kYear1: {
        size_t width = p.pattern == Pattern::kYear3 ? 3 : p.pattern == Pattern::kYear2 ? 2 : 1;
        int year = take_number(p, width);
        return set(year_, digits_taken_ < 4 ? complete_year(year, digits_taken_) : year, p);
      }
      case Pattern::kYearComma: {
        int thousands = take_number(p, 10);
        if (rest_.starts_with(',')) rest_.remove_prefix(1);
        return set(year_, thousands * 1000 + take_number(p, 3), p);
      }
      case Pattern::kMonthName:
      case Pattern::kMonthShort:
        return set(month_,
                   take_name(p,
                             [](const std::string& word) {
                               return month_named(word) - (month_named(word) == 0);
                             }),
                   p);
      case Pattern::kMonthNumber:
        return set(month_, take_number(p, 2), p);
      case Pattern::kDayName:
      case Pattern::kDayShort:
        take_name(p, [](const std::string& word) { return weekday_named(word); });
        return;
      case Pattern::kDayOfYear:
        return set(day_of_year_, take_number(p, 3), p);
      case Pattern::kDayOfMonth:
        return set(day_, take_number(p, 2), p);
      case Pattern::kDayOfWeek:
        take_number(p, 1);
        return;
      case Pattern::kIsoDayOfWeek:
        return set(iso_weekday_, take_number(p, 1), p);
      case Pattern::kIsoWeek:
        return set(iso_week_, take_number(p, 2), p);
      case Pattern::kJulian:
        return set(julian_, take_number(p, 10), p);
      case Pattern::kQuarter:
        take_number(p, 1);  // says too little to be used
        return;
      case Pattern::kZoneHour: {
        zone_negative_ = rest_.starts_with('-');
        if (rest_.starts_with('-') || rest_.starts_with('+')) rest_.remove_prefix(1);
        return set(zone_hour_, take_number(p, 2), p);
      }
      case Pattern::kZoneMinute:
        return set(zone_minute_, take_number(p, 2), p);
      default:
        throw Error(sqlstate::kFeatureNotSupported,
                    "formatting field \"{}\" is only supported in to_char", p.text);
    }
  }

  ParsedMoment resolve() {
    ParsedMoment out;
    TimeFields& f = out.fields;
    f.hour = hour_.value_or(0);
    f.minute = minute_.value_or(0);
    f.second = second_.value_or(0);
    f.microsecond = microsecond_.value_or(0);
    if (seconds_of_day_) {
      f.hour = *seconds_of_day_ / 3600;
      f.minute = *seconds_of_day_ / 60 % 60;
      f.second = *seconds_of_day_ % 60;
    }
    if (twelve_hours_ || meridian_) {
      if (f.hour < 1 || f.hour > 12) {
        throw Error(sqlstate::kInvalidDatetimeFormat,
                    "hour \"{}\" is invalid for the 12-hour clock", f.hour)
            .hint("Use the 24-hour clock, or give an hour between 1 and 12.");
      }
      if (meridian_ == 1 && f.hour < 12) f.hour += 12;
      if (meridian_ == 0 && f.hour == 12) f.hour = 0;
    }
    if (f.hour > 24 || f.minute > 59 || f.second > 59 || f.hour < 0 || f.minute < 0 ||
        f.second < 0) {
      throw field_overflow(whole_);
    }
    resolve_date(f);
    if (zone_hour_) {
      out.has_offset = true;
      out.offset = (*zone_hour_ * 3600 + zone_minute_.value_or(0) * 60) * (zone_negative_ ? -1 : 1);
    }
    return out;
  }

  void resolve_date(TimeFields& f) {
    // Without a year the year is 1 BC, as in PostgreSQL.
    f.year = year_.value_or(0);
    if (era_ == 1 && year_)
      f.year = f.year > 0 ? 1 - f.year : f.year;
    else if (f.year < 0)
      f.year += 1;
    f.month = month_.value_or(1);
    f.day = day_.value_or(1);
    auto take_days = [&](int64_t days) {
      CivilDay day = civil_from_days(days);
      f.year = day.year;
      f.month = day.month;
      f.day = day.day;
    };
    if (julian_) return take_days(int64_t{*julian_} - kPostgresEpochJulian);
    if (iso_year_) {
      return take_days(iso_year_start(*iso_year_) + (iso_week_.value_or(1) - 1) * 7 +
                       iso_weekday_.value_or(1) - 1);
    }
    if (day_of_year_) {
      if (*day_of_year_ < 1 || *day_of_year_ > 365 + is_leap_year(f.year))
        throw field_overflow(whole_);
      return take_days(days_from_civil(f.year, 1, 1) + *day_of_year_ - 1);
    }
    if (f.month < 1 || f.month > 12 || f.day < 1 || f.day > days_in_month(f.year, f.month)) {
      throw field_overflow(whole_);
    }
  }

  std::string_view whole_, rest_;
  std::vector<PatternPart> parts_;
  size_t index_ = 0;
  size_t digits_taken_ = 0;
  std::optional<int> year_, iso_year_, month_, day_, day_of_year_, iso_week_, iso_weekday_, julian_;
  std::optional<int> hour_, minute_, second_, microsecond_, seconds_of_day_, meridian_, era_;
  std::optional<int> zone_hour_, zone_minute_;
  bool twelve_hours_ = false;
  bool zone_negative_ = false;
};

}  // namespace

ParsedMoment parse_moment_by(std::string_view text, std::string_view pattern) {
  return MomentReader(text, pattern).read();
}

}  // namespace cofork::datetime
