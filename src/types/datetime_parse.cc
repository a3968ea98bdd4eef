// Reading dates, times and timestamps. See datetime.h.
//
// Tokens are decoded left to right; what a bare number means depends on the fields already known
// and on DateOrder. As DecodeDateTime and its helpers in datetime.c, PostgreSQL 15.
#include <charconv>
#include <optional>

#include "types/datetime.h"
#include "types/datetime_tokens.h"
#include "types/scalar.h"

namespace cofork {

using namespace datetime;

namespace {

// Which fields are known, as bits.
constexpr unsigned kYear = 1, kMonth = 2, kDay = 4, kDate = kYear | kMonth | kDay;
constexpr unsigned kClock = 8, kZoneBit = 16, kWeekday = 32, kYearDay = 64;

enum class Special : uint8_t { kNone, kEpoch, kInfinity, kMinusInfinity };

class Decoder {
 public:
  Decoder(const EvalContext& context, std::string_view text, const char* type, bool time_only)
      : context_(context), text_(text), type_(type), time_only_(time_only) {}

  void decode() {
    tokens_ = tokenize(text_, type_);
    if (tokens_.empty()) throw bad();
    for (index_ = 0; index_ < tokens_.size(); ++index_) {
      unsigned found = decode_token(tokens_[index_]);
      if (found & known_) throw bad();
      known_ |= found;
    }
    if (special_ != Special::kNone) return;
    validate_date();
    apply_meridian();
  }

  TimeFields fields;
  bool knows(unsigned bits) const { return (known_ & bits) == bits; }
  Special special() const { return special_; }
  Error bad() const { return bad_format(text_, type_); }

  /// Offset east for these local fields: the one given, or of the zone named, or of the session.
  int offset_at(int64_t local_us) const {
    if (offset_) return *offset_;
    return (zone_ ? *zone_ : zone_of(context_)).offset_at_local(local_us);
  }
  bool has_date() const { return knows(kDate); }
  bool has_clock() const { return knows(kClock); }
  /// A named zone whose offset depends on the date.
  bool needs_date_for_zone() const { return zone_.has_value(); }

 private:
  unsigned decode_token(const Token& token) {
    switch (token.kind) {
      case TokenKind::kDate:
        return decode_date_token(token.text);
      case TokenKind::kTime:
        return decode_clock(token.text);
      case TokenKind::kZone:
        offset_ = decode_offset(token.text);
        return kZoneBit;
      case TokenKind::kNumber:
        return decode_number_token(token.text);
      case TokenKind::kString:
      case TokenKind::kSpecial:
        return decode_word(token.text);
    }
    return 0;
  }

  int to_int(std::string_view digits) const {
    int value = 0;
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem == std::errc::result_out_of_range) throw field_overflow(text_);
    if (problem != std::errc{} || end != digits.data() + digits.size()) throw bad();
    return value;
  }

  unsigned decode_date_token(const std::string& text) {
    bool after_t = iso_time_;
    iso_time_ = false;
    if (knows(kDate) || (knows(kMonth | kDay)) || after_t || (time_only_ && !is_digit(text[0]))) {
      if (is_digit(text[0])) {  // a time run together with its zone: 040506-08
        size_t sign = text.find('-');
        if (sign == std::string::npos) throw bad();
        offset_ = decode_offset(text.substr(sign));
        return kZoneBit | decode_number_field(text.substr(0, sign), known_ | kDate);
      }
      zone_ = find_time_zone(text);
      if (!zone_) throw_unknown_zone(text);
      return kZoneBit;
    }
    return decode_date(text);
  }

  /// A date of two or three fields in one token.
  unsigned decode_date(const std::string& text) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < text.size();) {
      while (i < text.size() && !is_alnum(text[i])) ++i;
      if (i >= text.size() || parts.size() == 6) throw bad();
      size_t start = i;
      bool digits = is_digit(text[i]);
      while (i < text.size() && (digits ? is_digit(text[i]) : is_alpha(text[i]))) ++i;
      parts.push_back(text.substr(start, i - start));
      if (i < text.size() && !is_alnum(text[i])) ++i;
    }
    unsigned before = known_;
    for (std::string& part : parts) {
      if (is_digit(part[0])) continue;
      int month = month_named(part);
      if (month == 0 || (known_ & kMonth)) throw bad();
      fields.month = month;
      text_month_ = true;
      known_ |= kMonth;
      part.clear();
    }
    for (const std::string& part : parts) {
      if (part.empty()) continue;
      unsigned found = decode_number(part);
      if (found & known_) throw bad();
      known_ |= found;
    }
    if ((known_ & kDate) != kDate) throw bad();
    unsigned found = known_ & ~before;
    known_ = before;
    return found;
  }

  unsigned decode_number_token(const std::string& text) {
    if (iso_time_) {
      iso_time_ = false;
      return decode_number_field(text, known_ | kDate);
    }
    if (julian_) {
      CivilDay day = civil_from_days(int64_t{to_int(text)} - kPostgresEpochJulian);
      fields.year = day.year;
      fields.month = day.month;
      fields.day = day.day;
      exact_year_ = true;
      julian_ = false;
      return kDate;
    }
    unsigned effective = time_only_ ? known_ | kDate : known_;
    size_t point = text.find('.');
    if (point != std::string::npos && !(effective & kDate)) return decode_date(text);
    if (point != std::string::npos && point > 2) return decode_number_field(text, effective);
    if (text.size() > 4 || time_only_) return decode_number_field(text, effective);
    return decode_number(text);
  }

  /// One number of a date; which field it is follows from what is known.
  unsigned decode_number(const std::string& text) {
    int value = to_int(text.substr(0, text.find('.')));
    if (text.find('.') != std::string::npos) throw bad();
    size_t digits = text.size();
    if (digits == 3 && (known_ & kDate) == kYear && value >= 1 && value <= 366) {
      year_day_ = value;
      return kYearDay | kMonth | kDay;
    }
    bool long_or_ymd = digits >= 3 || context_.date_order == DateOrder::kYmd;
    switch (known_ & kDate) {
      case 0:
        if (long_or_ymd) return set_year(value, digits);
        return context_.date_order == DateOrder::kDmy ? set_day(value) : set_month(value);
      case kYear:
      case kDay:
        return set_month(value);
      case kMonth:
        return text_month_ && long_or_ymd ? set_year(value, digits) : set_day(value);
      case kYear | kMonth:
        if (text_month_ && digits >= 3 && two_digit_year_) {
          // 15-Jan-2024 under YMD: the first number was the day after all.
          fields.day = fields.year;
          fields.year = value;
          two_digit_year_ = false;
          return kDay;
        }
        return set_day(value);
      case kMonth | kDay:
        return set_year(value, digits);
      case kDate:
        return decode_number_field(text, known_);
      default:
        throw bad();
    }
  }

  unsigned set_year(int value, size_t digits) {
    fields.year = value;
    two_digit_year_ = digits <= 2;
    return kYear;
  }
  unsigned set_month(int value) {
    fields.month = value;
    return kMonth;
  }
  unsigned set_day(int value) {
    fields.day = value;
    return kDay;
  }

  /// Digits run together: yyyymmdd, yymmdd, hhmmss[.f], hhmm.
  unsigned decode_number_field(std::string text, unsigned known) {
    size_t point = text.find('.');
    if (point != std::string::npos) {
      fields.microsecond = parse_fraction(std::string_view(text).substr(point));
      text.resize(point);
    } else if ((known & kDate) != kDate && text.size() >= 6) {
      size_t year_digits = text.size() - 4;
      fields.day = to_int(std::string_view(text).substr(year_digits + 2));
      fields.month = to_int(std::string_view(text).substr(year_digits, 2));
      fields.year = to_int(std::string_view(text).substr(0, year_digits));
      two_digit_year_ = year_digits == 2;
      return kDate;
    }
    if (known & kClock || (text.size() != 6 && text.size() != 4)) throw bad();
    fields.hour = to_int(std::string_view(text).substr(0, 2));
    fields.minute = to_int(std::string_view(text).substr(2, 2));
    fields.second = text.size() == 6 ? to_int(std::string_view(text).substr(4, 2)) : 0;
    check_clock();
    return kClock;
  }

  unsigned decode_clock(std::string_view text) {
    iso_time_ = false;
    std::string_view parts[3];
    size_t count = 0;
    std::string_view rest = text.substr(0, text.find('.'));
    for (;;) {
      if (count == 3) throw bad();
      size_t colon = rest.find(':');
      parts[count++] = rest.substr(0, colon);
      if (colon == std::string_view::npos) break;
      rest.remove_prefix(colon + 1);
    }
    bool fraction = text.find('.') != std::string_view::npos;
    int hour = to_int(parts[0]), minute = to_int(parts[1]);
    int second = count == 3 && !(parts[2].empty() && !fraction) ? to_int(parts[2]) : 0;
    if (count == 2 && fraction) {  // mm:ss.f
      second = minute;
      minute = hour;
      hour = 0;
    }
    fields.hour = hour;
    fields.minute = minute;
    fields.second = second;
    if (fraction) fields.microsecond = parse_fraction(text.substr(text.find('.')));
    check_clock();
    return kClock;
  }

  void check_clock() const {
    bool past_midnight =
        fields.hour > 24 ||
        (fields.hour == 24 && (fields.minute > 0 || fields.second > 0 || fields.microsecond > 0));
    if (past_midnight || fields.minute > 59 || fields.second > 60) throw field_overflow(text_);
  }

  /// +hh, +hhmm, +hh:mm, +hh:mm:ss as seconds east.
  int decode_offset(std::string_view text) const {
    bool west = text[0] == '-';
    std::string_view rest = text.substr(1);
    int parts[3] = {0, 0, 0};
    size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      int value = to_int(rest);
      parts[0] = rest.size() > 2 ? value / 100 : value;
      parts[1] = rest.size() > 2 ? value % 100 : 0;
    } else {
      for (int& part : parts) {
        colon = rest.find(':');
        part = to_int(rest.substr(0, colon));
        if (colon == std::string_view::npos) {
          rest = {};
          break;
        }
        rest.remove_prefix(colon + 1);
      }
      if (!rest.empty()) throw bad();
    }
    if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59) throw zone_displacement_overflow(text_);
    int offset = parts[0] * 3600 + parts[1] * 60 + parts[2];
    return west ? -offset : offset;
  }

  unsigned decode_word(const std::string& word) {
    if (int month = month_named(word); month != 0) return decode_month(month);
    if (weekday_named(word) >= 0) return kWeekday;
    if (auto found = decode_reserved(word)) return *found;
    if (word == "am" || word == "pm") {
      meridian_ = word[0];
      return 0;
    }
    if (word == "ad" || word == "bc" || word == "bce") {
      before_christ_ = word[0] == 'b';
      return 0;
    }
    if (word == "at" || word == "on" || word == "th") return 0;
    if (word == "j" || word == "jd" || word == "julian") {
      julian_ = true;
      return 0;
    }
    if (word == "t") {  // between date and time
      if (!time_only_ && !knows(kDate)) throw bad();
      iso_time_ = true;
      return 0;
    }
    if (const TimeZoneAbbreviation* zone = find_time_zone_abbreviation(word)) {
      offset_ = zone->offset;
      return kZoneBit;
    }
    zone_ = find_time_zone(word);
    if (!zone_) throw bad();
    return kZoneBit;
  }

  unsigned decode_month(int month) {
    unsigned found = kMonth;
    if (knows(kMonth) && !text_month_ && !knows(kDay) && fields.month >= 1 && fields.month <= 31) {
      fields.day = fields.month;  // 15 Jan under MDY: the number was the day
      found = kDay;
    }
    text_month_ = true;
    fields.month = month;
    return found;
  }

  /// now, today, epoch, infinity …
  std::optional<unsigned> decode_reserved(const std::string& word) {
    if (word == "epoch" || word == "infinity" || word == "-infinity") {
      if (time_only_) throw bad();
      special_ = word == "epoch"  ? Special::kEpoch
                 : word[0] == '-' ? Special::kMinusInfinity
                                  : Special::kInfinity;
      return kDate | kClock | kZoneBit;
    }
    if (word == "now") {
      set_to_local(context_.transaction_start_us);
      offset_ = zone_of(context_).at(context_.transaction_start_us).offset;
      return kDate | kClock | kZoneBit;
    }
    if (word == "allballs") {
      offset_ = 0;
      fields.hour = fields.minute = fields.second = fields.microsecond = 0;
      return kClock | kZoneBit;
    }
    int shift = word == "yesterday" ? -1 : word == "today" ? 0 : word == "tomorrow" ? 1 : 2;
    if (shift == 2) return std::nullopt;
    TimeFields clock = fields;
    set_to_local(context_.transaction_start_us);
    CivilDay day = civil_from_days(days_from_civil(fields.year, fields.month, fields.day) + shift);
    fields = clock;
    fields.year = day.year;
    fields.month = day.month;
    fields.day = day.day;
    exact_year_ = true;
    return kDate;
  }

  void set_to_local(int64_t utc_us) {
    fields = fields_of_timestamp(to_local(utc_us, zone_of(context_)));
    exact_year_ = true;
  }

  void validate_date() {
    if (knows(kYear) && !exact_year_) {
      if (before_christ_) {
        if (fields.year <= 0) throw field_overflow(text_);
        fields.year = 1 - fields.year;
      } else if (two_digit_year_) {
        fields.year += fields.year < 70 ? 2000 : fields.year < 100 ? 1900 : 0;
      } else if (fields.year <= 0) {
        throw field_overflow(text_);
      }
    }
    if (knows(kYearDay)) {
      CivilDay day = civil_from_days(days_from_civil(fields.year, 1, 1) + year_day_ - 1);
      fields.year = day.year;
      fields.month = day.month;
      fields.day = day.day;
    }
    if (knows(kMonth) && (fields.month < 1 || fields.month > 12)) throw month_day_overflow(text_);
    if (knows(kDay) && (fields.day < 1 || fields.day > 31)) throw month_day_overflow(text_);
    if (knows(kDate) && fields.day > days_in_month(fields.year, fields.month))
      throw field_overflow(text_);
  }

  void apply_meridian() {
    if (meridian_ == '\0') return;
    if (fields.hour > 12) throw field_overflow(text_);
    if (meridian_ == 'a' && fields.hour == 12) fields.hour = 0;
    if (meridian_ == 'p' && fields.hour != 12) fields.hour += 12;
  }

  const EvalContext& context_;
  std::string_view text_;
  const char* type_;
  bool time_only_;
  std::vector<Token> tokens_;
  size_t index_ = 0;
  unsigned known_ = 0;
  Special special_ = Special::kNone;
  std::optional<int> offset_;
  std::optional<TimeZone> zone_;
  int year_day_ = 0;
  char meridian_ = '\0';
  bool before_christ_ = false;
  bool two_digit_year_ = false;
  bool exact_year_ = false;
  bool text_month_ = false;
  bool iso_time_ = false;
  bool julian_ = false;
};

[[noreturn]] void throw_text_out_of_range(const char* what, std::string_view text) {
  throw Error(sqlstate::kDatetimeFieldOverflow, "{} out of range: \"{}\"", what, text);
}

}  // namespace

int32_t parse_date(const EvalContext& context, std::string_view text) {
  Decoder decoder(context, text, "date", false);
  decoder.decode();
  switch (decoder.special()) {
    case Special::kEpoch:
      return static_cast<int32_t>(days_from_civil(1970, 1, 1));
    case Special::kInfinity:
      return kDateInfinity;
    case Special::kMinusInfinity:
      return kDateMinusInfinity;
    case Special::kNone:
      break;
  }
  if (!decoder.has_date()) throw decoder.bad();
  int64_t days = days_from_civil(decoder.fields.year, decoder.fields.month, decoder.fields.day);
  if (!is_valid_date(days)) throw_text_out_of_range("date", text);
  return static_cast<int32_t>(days);
}

namespace {

int64_t parse_moment(const EvalContext& context, std::string_view text, int32_t typmod,
                     bool with_zone) {
  const char* type = with_zone ? "timestamp with time zone" : "timestamp";
  Decoder decoder(context, text, type, false);
  decoder.decode();
  switch (decoder.special()) {
    case Special::kEpoch:
      return -kUnixEpochToPostgres * kUsPerSecond;
    case Special::kInfinity:
      return kTimestampInfinity;
    case Special::kMinusInfinity:
      return kTimestampMinusInfinity;
    case Special::kNone:
      break;
  }
  if (!decoder.has_date()) throw decoder.bad();
  const TimeFields& f = decoder.fields;
  if (!is_valid_date(days_from_civil(f.year, f.month, f.day)))
    throw_text_out_of_range("timestamp", text);
  // Only years near the limits can overflow: a check in 128 bits decides.
  Int128 exact = Int128{days_from_civil(f.year, f.month, f.day)} * kUsPerDay + time_from_fields(f);
  if (exact < kLeastTimestamp - kUsPerDay || exact >= Int128{kTimestampEnd} + kUsPerDay) {
    throw_text_out_of_range("timestamp", text);
  }
  auto us = static_cast<int64_t>(exact);
  if (with_zone) us -= decoder.offset_at(us) * kUsPerSecond;
  if (!is_valid_timestamp(us)) throw_text_out_of_range("timestamp", text);
  return round_to_precision(us, typmod);
}

}  // namespace

int64_t parse_timestamp(const EvalContext& context, std::string_view text, int32_t typmod) {
  return parse_moment(context, text, typmod, false);
}
int64_t parse_timestamptz(const EvalContext& context, std::string_view text, int32_t typmod) {
  return parse_moment(context, text, typmod, true);
}

int64_t parse_time(const EvalContext& context, std::string_view text, int32_t typmod) {
  Decoder decoder(context, text, "time", true);
  decoder.decode();
  if (!decoder.has_clock()) throw decoder.bad();
  return round_to_precision(time_from_fields(decoder.fields), typmod);
}

TimeTz parse_timetz(const EvalContext& context, std::string_view text, int32_t typmod) {
  Decoder decoder(context, text, "time with time zone", true);
  decoder.decode();
  if (!decoder.has_clock() || (decoder.needs_date_for_zone() && !decoder.has_date()))
    throw decoder.bad();
  TimeFields f = decoder.fields;
  if (!decoder.has_date()) {
    TimeFields today =
        fields_of_timestamp(to_local(context.transaction_start_us, zone_of(context)));
    f.year = today.year;
    f.month = today.month;
    f.day = today.day;
  }
  int offset = decoder.offset_at(timestamp_from_fields(f));
  return {round_to_precision(time_from_fields(f), typmod), -offset};
}

}  // namespace cofork
