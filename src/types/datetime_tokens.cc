// Tokens and words of date and time text. See datetime_tokens.h.
#include "types/datetime_tokens.h"

#include <charconv>
#include <cmath>

#include "types/scalar.h"

namespace cofork::datetime {

Error bad_format(std::string_view text, const char* type) {
  return Error(sqlstate::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"", type,
               text);
}
Error field_overflow(std::string_view text) {
  return Error(sqlstate::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"",
               text);
}
Error month_day_overflow(std::string_view text) {
  return field_overflow(text).hint("Perhaps you need a different \"datestyle\" setting.");
}
Error interval_overflow(std::string_view text) {
  return Error(sqlstate::kIntervalFieldOverflow, "interval field value out of range: \"{}\"", text);
}
Error zone_displacement_overflow(std::string_view text) {
  return Error(sqlstate::kInvalidTimeZoneDisplacementValue,
               "time zone displacement out of range: \"{}\"", text);
}

namespace {

constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
constexpr std::string_view kWeekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                          "thursday", "friday", "saturday"};

struct UnitName {
  std::string_view name;
  Unit unit;
};
constexpr UnitName kUnits[] = {
    {"c", Unit::kCentury},
    {"cent", Unit::kCentury},
    {"centuries", Unit::kCentury},
    {"century", Unit::kCentury},
    {"d", Unit::kDay},
    {"day", Unit::kDay},
    {"days", Unit::kDay},
    {"dec", Unit::kDecade},
    {"decade", Unit::kDecade},
    {"decades", Unit::kDecade},
    {"decs", Unit::kDecade},
    {"h", Unit::kHour},
    {"hour", Unit::kHour},
    {"hours", Unit::kHour},
    {"hr", Unit::kHour},
    {"hrs", Unit::kHour},
    {"m", Unit::kMinute},
    {"microsecond", Unit::kMicrosecond},
    {"microseconds", Unit::kMicrosecond},
    {"mil", Unit::kMillennium},
    {"millennia", Unit::kMillennium},
    {"millennium", Unit::kMillennium},
    {"millisecond", Unit::kMillisecond},
    {"milliseconds", Unit::kMillisecond},
    {"mils", Unit::kMillennium},
    {"min", Unit::kMinute},
    {"mins", Unit::kMinute},
    {"minute", Unit::kMinute},
    {"minutes", Unit::kMinute},
    {"mon", Unit::kMonth},
    {"mons", Unit::kMonth},
    {"month", Unit::kMonth},
    {"months", Unit::kMonth},
    {"ms", Unit::kMillisecond},
    {"msec", Unit::kMillisecond},
    {"msecs", Unit::kMillisecond},
    {"qtr", Unit::kQuarter},
    {"quarter", Unit::kQuarter},
    {"s", Unit::kSecond},
    {"sec", Unit::kSecond},
    {"second", Unit::kSecond},
    {"seconds", Unit::kSecond},
    {"secs", Unit::kSecond},
    {"us", Unit::kMicrosecond},
    {"usec", Unit::kMicrosecond},
    {"usecs", Unit::kMicrosecond},
    {"w", Unit::kWeek},
    {"week", Unit::kWeek},
    {"weeks", Unit::kWeek},
    {"y", Unit::kYear},
    {"year", Unit::kYear},
    {"years", Unit::kYear},
    {"yr", Unit::kYear},
    {"yrs", Unit::kYear},
};

/// A word that digits or + may follow without being one with it ("t04", not "utc+3").
bool is_date_word(std::string_view word) {
  return word == "t" || word == "j" || word == "jd" || month_named(word) != 0 ||
         weekday_named(word) >= 0 || unit_named(word) != Unit::kNone;
}

class Tokenizer {
 public:
  Tokenizer(std::string_view text, const char* type) : text_(text), type_(type) {}

  std::vector<Token> run() {
    constexpr size_t kMostTokens = 25;
    std::vector<Token> tokens;
    for (;;) {
      while (is_space(peek())) ++at_;
      if (at_ >= text_.size()) return tokens;
      char c = peek();
      start_ = at_;
      if (is_digit(c)) {
        tokens.push_back(take_digits_first());
      } else if (c == '.') {
        ++at_;
        skip_digits();
        tokens.push_back(token(TokenKind::kNumber));
      } else if (is_alpha(c)) {
        tokens.push_back(take_letters_first());
      } else if (c == '+' || c == '-') {
        tokens.push_back(take_signed());
      } else if (is_punctuation(c)) {
        ++at_;  // other punctuation only separates
      } else {
        throw bad_format(text_, type_);
      }
      if (tokens.size() > kMostTokens) throw bad_format(text_, type_);
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  static bool is_punctuation(char c) { return c > ' ' && c < 127 && !is_alnum(c); }
  void skip_digits() {
    while (is_digit(peek())) ++at_;
  }
  Token token(TokenKind kind) const {
    return {kind, ascii_lowered(text_.substr(start_, at_ - start_))};
  }

  Token take_digits_first() {
    skip_digits();
    char c = peek();
    if (c == ':') {
      while (is_digit(peek()) || peek() == ':' || peek() == '.') ++at_;
      return token(TokenKind::kTime);
    }
    if (c != '-' && c != '/' && c != '.') return token(TokenKind::kNumber);
    char delimiter = c;
    ++at_;
    if (!is_digit(peek())) {  // a month by name, or "1." alone
      if (delimiter == '.' && !is_alpha(peek())) return token(TokenKind::kNumber);
      while (is_alnum(peek()) || peek() == delimiter) ++at_;
      return token(TokenKind::kDate);
    }
    TokenKind kind = delimiter == '.' ? TokenKind::kNumber : TokenKind::kDate;
    skip_digits();
    if (peek() == delimiter) {
      kind = TokenKind::kDate;
      while (is_digit(peek()) || peek() == delimiter) ++at_;
    }
    return token(kind);
  }

  Token take_letters_first() {
    while (is_alpha(peek())) ++at_;
    char c = peek();
    bool joined = c == '-' || c == '/' || c == '.';
    if (c == '+' || is_digit(c))
      joined = !is_date_word(ascii_lowered(text_.substr(start_, at_ - start_)));
    if (!joined) return token(TokenKind::kString);
    auto continues = [](char x) {
      return is_alnum(x) || x == '+' || x == '-' || x == '/' || x == '_' || x == '.' || x == ':';
    };
    while (continues(peek())) ++at_;
    return token(TokenKind::kDate);
  }

  Token take_signed() {
    std::string text(1, peek());
    ++at_;
    while (is_space(peek())) ++at_;
    TokenKind kind = is_digit(peek()) ? TokenKind::kZone : TokenKind::kSpecial;
    if (kind == TokenKind::kSpecial && !is_alpha(peek())) throw bad_format(text_, type_);
    auto continues = [&](char x) {
      return kind == TokenKind::kZone ? is_digit(x) || x == ':' || x == '.' || x == '-'
                                      : is_alpha(x);
    };
    while (continues(peek())) text += ascii_lower(text_[at_++]);
    return {kind, text};
  }

  std::string_view text_;
  const char* type_;
  size_t at_ = 0;
  size_t start_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, const char* type) {
  return Tokenizer(text, type).run();
}

int month_named(std::string_view word) {
  if (word == "sept") return 9;
  for (int i = 0; i < 12; ++i) {
    if (word == kMonths[i] || word == kMonths[i].substr(0, 3)) return i + 1;
  }
  return 0;
}

int weekday_named(std::string_view word) {
  if (word == "tues") return 2;
  if (word == "weds") return 3;
  if (word == "thur" || word == "thurs") return 4;
  for (int i = 0; i < 7; ++i) {
    if (word == kWeekdays[i] || word == kWeekdays[i].substr(0, 3)) return i;
  }
  return -1;
}

Unit unit_named(std::string_view lower_case) {
  for (const UnitName& row : kUnits) {
    if (row.name == lower_case) return row.unit;
  }
  return Unit::kNone;
}

int parse_fraction(std::string_view text) {
  double fraction = 0;
  std::from_chars(text.data(), text.data() + text.size(), fraction);
  return static_cast<int>(std::rint(fraction * 1e6));
}

}  // namespace cofork::datetime
