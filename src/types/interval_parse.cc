// Reading intervals: PostgreSQL's own form, SQL's, and ISO 8601's. See datetime.h.
//
// Tokens are decoded right to left, because a unit stands after its number. As DecodeInterval and
// DecodeISO8601Interval in datetime.c, PostgreSQL 15.
#include <charconv>
#include <cmath>
#include <optional>

#include "types/datetime.h"
#include "types/datetime_tokens.h"
#include "types/interval.h"
#include "types/scalar.h"

namespace cofork {

using namespace datetime;

namespace {

constexpr const char* kType = "interval";

/// Adds numbers of units; throws 22015 when a field overflows.
class IntervalBuilder {
 public:
  explicit IntervalBuilder(std::string_view text) : text_(text) {}

  Interval value;

  void add(Unit unit, int64_t whole, double fraction) {
    switch (unit) {
      case Unit::kMicrosecond:
        return add_time(whole, fraction, 1);
      case Unit::kMillisecond:
        return add_time(whole, fraction, 1000);
      case Unit::kSecond:
        return add_time(whole, fraction, kUsPerSecond);
      case Unit::kMinute:
        return add_time(whole, fraction, kUsPerMinute);
      case Unit::kHour:
        return add_time(whole, fraction, kUsPerHour);
      case Unit::kDay:
        return add_days(whole, fraction, 1);
      case Unit::kWeek:
        return add_days(whole, fraction, 7);
      case Unit::kMonth:
        add_months(whole, 1);
        return add_days(0, fraction, 30);
      case Unit::kYear:
        return add_years(whole, fraction, 1);
      case Unit::kDecade:
        return add_years(whole, fraction, 10);
      case Unit::kCentury:
        return add_years(whole, fraction, 100);
      case Unit::kMillennium:
        return add_years(whole, fraction, 1000);
      case Unit::kQuarter:
      case Unit::kNone:
        throw bad_format(text_, kType);
    }
  }

  void add_months(int64_t count, int64_t scale) {
    int64_t months;
    if (count != static_cast<int32_t>(count) || __builtin_mul_overflow(count, scale, &months)) {
      throw interval_overflow(text_);
    }
    months += value.months;
    if (months != static_cast<int32_t>(months)) throw_interval_out_of_range();
    value.months = static_cast<int32_t>(months);
  }

  void add_us(int64_t us) {
    if (__builtin_add_overflow(value.time_us, us, &value.time_us)) throw interval_overflow(text_);
  }

 private:
  void add_time(int64_t whole, double fraction, int64_t unit_us) {
    int64_t us;
    if (__builtin_mul_overflow(whole, unit_us, &us)) throw interval_overflow(text_);
    add_us(us);
    add_us(static_cast<int64_t>(std::rint(fraction * static_cast<double>(unit_us))));
  }

  /// A fraction of a day becomes time.
  void add_days(int64_t whole, double fraction, int64_t unit_days) {
    double part = fraction * static_cast<double>(unit_days);
    auto part_days = static_cast<int64_t>(part);
    int64_t days;
    if (__builtin_mul_overflow(whole, unit_days, &days) ||
        __builtin_add_overflow(days, part_days, &days) ||
        __builtin_add_overflow(days, value.days, &days) || days != static_cast<int32_t>(days)) {
      throw interval_overflow(text_);
    }
    value.days = static_cast<int32_t>(days);
    add_us(static_cast<int64_t>(
        std::rint((part - static_cast<double>(part_days)) * static_cast<double>(kUsPerDay))));
  }

  /// A fraction of a year becomes whole months.
  void add_years(int64_t whole, double fraction, int64_t unit_years) {
    add_months(whole, 12 * unit_years);
    add_months(static_cast<int64_t>(std::rint(fraction * 12 * static_cast<double>(unit_years))), 1);
  }

  std::string_view text_;
};

/// A number with an optional fraction: "-1.5" is {-1, -0.5}.
struct Quantity {
  int64_t whole = 0;
  double fraction = 0;
};

class IntervalDecoder {
 public:
  IntervalDecoder(const EvalContext& context, std::string_view text, int32_t typmod)
      : text_(text), typmod_(typmod), tokens_(tokenize(text, kType)), builder_(text) {
    // In SQL's style a leading minus counts for every field, unless another sign appears.
    if (context.interval_style == IntervalStyle::kSqlStandard && !tokens_.empty() &&
        tokens_[0].text.starts_with('-')) {
      force_negative_ = true;
      for (size_t i = 1; i < tokens_.size(); ++i) {
        char first = tokens_[i].text[0];
        if (first == '-' || first == '+') force_negative_ = false;
      }
    }
  }

  Interval decode() {
    for (size_t i = tokens_.size(); i-- > 0;) {
      const Token& token = tokens_[i];
      bool clock = token.kind == TokenKind::kTime ||
                   (token.kind == TokenKind::kZone && token.text.find(':') != std::string::npos);
      if (clock) {
        decode_clock(token.text);
      } else if (token.kind == TokenKind::kString || token.kind == TokenKind::kSpecial) {
        decode_word(token.text);
      } else {
        decode_number(token.text);
      }
    }
    if (fields_ == 0) throw bad_format(text_, kType);
    if (ago_) {
      builder_.value.time_us = -builder_.value.time_us;
      builder_.value.days = -builder_.value.days;
      builder_.value.months = -builder_.value.months;
    }
    return builder_.value;
  }

 private:
  /// No field may come twice.
  void mark(Unit unit) {
    unsigned bit = 1u << static_cast<unsigned>(unit);
    if (fields_ & bit) throw bad_format(text_, kType);
    fields_ |= bit;
  }

  int64_t to_int(std::string_view digits) const {
    int64_t number = 0;
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (problem == std::errc::result_out_of_range) throw interval_overflow(text_);
    if (problem != std::errc{} || end != digits.data() + digits.size())
      throw bad_format(text_, kType);
    return number;
  }

  void decode_clock(std::string_view text) {
    bool negative = text[0] == '-' || force_negative_;
    if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
    int microsecond = 0;
    size_t point = text.find('.');
    if (point != std::string_view::npos) microsecond = parse_fraction(text.substr(point));
    std::string_view rest = text.substr(0, point);
    int64_t parts[3] = {0, 0, 0};
    int count = 0;
    for (;; ++count) {
      if (count == 3) throw bad_format(text_, kType);
      size_t colon = rest.find(':');
      if (!(rest.empty() && count == 2)) parts[count] = to_int(rest.substr(0, colon));
      if (colon == std::string_view::npos) break;
      rest.remove_prefix(colon + 1);
    }
    bool minute_second = count == 1 && (point != std::string_view::npos ||
                                        interval_range(typmod_) == (kRangeMinute | kRangeSecond));
    if (minute_second) {
      parts[2] = parts[1];
      parts[1] = parts[0];
      parts[0] = 0;
    }
    if (parts[1] > 59 || parts[2] > 60) throw interval_overflow(text_);
    int64_t us = 0;
    if (__builtin_mul_overflow(parts[0], kUsPerHour, &us)) throw interval_overflow(text_);
    us += parts[1] * kUsPerMinute + parts[2] * kUsPerSecond + microsecond;
    mark(Unit::kHour);
    mark(Unit::kMinute);
    mark(Unit::kSecond);
    builder_.add_us(negative ? -us : us);
    unit_ = Unit::kDay;  // a bare number before a clock time counts days
  }

  void decode_number(std::string_view text) {
    if (unit_ == Unit::kNone) unit_ = default_unit();
    Quantity number;
    bool negative = text[0] == '-';
    std::string_view digits = text[0] == '-' || text[0] == '+' ? text.substr(1) : text;
    size_t dash = digits.find('-'), point = digits.find('.');
    if (dash != std::string_view::npos) {  // SQL's years-months
      int64_t months = to_int(digits.substr(dash + 1));
      if (months >= 12) throw interval_overflow(text_);
      number.whole = to_int(digits.substr(0, dash)) * 12 + months;
      unit_ = Unit::kMonth;
    } else {
      std::string_view whole = digits.substr(0, point);
      if (!whole.empty() || point == std::string_view::npos) number.whole = to_int(whole);
      if (point != std::string_view::npos && point + 1 < digits.size()) {
        auto [end, problem] =
            std::from_chars(digits.data() + point, digits.data() + digits.size(), number.fraction);
        if (problem != std::errc{} || end != digits.data() + digits.size())
          throw bad_format(text_, kType);
      }
    }
    if (negative || force_negative_) {
      number.whole = -number.whole;
      number.fraction = -number.fraction;
    }
    mark(unit_);
    builder_.add(unit_, number.whole, number.fraction);
  }

  void decode_word(std::string_view word) {
    if (word == "ago") {
      ago_ = true;
      return;
    }
    Unit unit = unit_named(word);
    if (unit == Unit::kNone) throw bad_format(text_, kType);
    unit_ = unit;
  }

  /// INTERVAL '5' HOUR: the last field of the range; seconds without one.
  Unit default_unit() const {
    int range = interval_range(typmod_);
    if (range == kRangeFull || range & kRangeSecond) return Unit::kSecond;
    if (range & kRangeMinute) return Unit::kMinute;
    if (range & kRangeHour) return Unit::kHour;
    if (range & kRangeDay) return Unit::kDay;
    if (range & kRangeMonth) return Unit::kMonth;
    return Unit::kYear;
  }

  std::string_view text_;
  int32_t typmod_;
  std::vector<Token> tokens_;
  IntervalBuilder builder_;
  bool force_negative_ = false;
  bool ago_ = false;
  Unit unit_ = Unit::kNone;
  unsigned fields_ = 0;
};

/// P1Y2M3DT4H5M6S, or P0001-02-03T04:05:06.
Interval parse_iso8601(std::string_view text) {
  IntervalBuilder builder(text);
  std::string_view rest = text;
  if (rest.size() < 2 || rest[0] != 'P') throw bad_format(text, kType);
  rest.remove_prefix(1);
  bool in_time = false, any = false;
  auto take_number = [&] {
    const char* begin = rest.data() + (rest.starts_with('+') ? 1 : 0);
    double number = 0;
    auto [end, problem] =
        std::from_chars(begin, rest.data() + rest.size(), number, std::chars_format::fixed);
    if (problem != std::errc{}) throw bad_format(text, kType);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    return number;
  };
  constexpr Unit kDateUnits[] = {Unit::kYear, Unit::kMonth, Unit::kDay};
  constexpr Unit kTimeUnits[] = {Unit::kHour, Unit::kMinute, Unit::kSecond};
  int position = 0;  // within the separated form
  while (!rest.empty()) {
    if (rest[0] == 'T' && !in_time) {
      rest.remove_prefix(1);
      in_time = true;
      position = 0;
      if (rest.empty()) throw bad_format(text, kType);
      continue;
    }
    double number = take_number();
    double whole = std::trunc(number);
    char designator = rest.empty() ? '\0' : rest[0];
    Unit unit = Unit::kNone;
    if (designator == '\0' || designator == (in_time ? ':' : '-') ||
        (designator == 'T' && !in_time)) {
      if (position == 3) throw bad_format(text, kType);
      unit = (in_time ? kTimeUnits : kDateUnits)[position++];
      if (designator != '\0' && designator != 'T') rest.remove_prefix(1);
    } else {
      rest.remove_prefix(1);
      if (in_time) {
        unit = designator == 'H'   ? Unit::kHour
               : designator == 'M' ? Unit::kMinute
               : designator == 'S' ? Unit::kSecond
                                   : Unit::kNone;
      } else {
        unit = designator == 'Y'   ? Unit::kYear
               : designator == 'M' ? Unit::kMonth
               : designator == 'W' ? Unit::kWeek
               : designator == 'D' ? Unit::kDay
                                   : Unit::kNone;
      }
    }
    if (!(std::fabs(whole) < 9.2e18)) throw interval_overflow(text);
    builder.add(unit, static_cast<int64_t>(whole), number - whole);
    any = true;
  }
  if (!any) throw bad_format(text, kType);
  return builder.value;
}

}  // namespace

Interval parse_interval(const EvalContext& context, std::string_view text, int32_t typmod) {
  std::string_view trimmed = trim_spaces(text);
  Interval value = trimmed.starts_with('P') ? parse_iso8601(trimmed)
                                            : IntervalDecoder(context, text, typmod).decode();
  return fit_interval(value, typmod);
}

}  // namespace cofork
