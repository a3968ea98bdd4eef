// Number templates. See number_format.h.
#include "types/number_format.h"

#include <algorithm>

#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

namespace {

Error syntax_error(const char* what) {
  return Error(sqlstate::kSyntaxError, "{}", what);
}

struct NumberKeyword {
  std::string_view name;
  NumberPart::Kind kind;
};
constexpr NumberKeyword kNumberKeywords[] = {
    {"9", NumberPart::kNine},          {"0", NumberPart::kZero},     {".", NumberPart::kPoint},
    {"D", NumberPart::kPoint},         {",", NumberPart::kGroup},    {"G", NumberPart::kGroup},
    {"SG", NumberPart::kSignAnywhere}, {"S", NumberPart::kSign},     {"MI", NumberPart::kMinus},
    {"PL", NumberPart::kPlus},         {"L", NumberPart::kCurrency}, {"TH", NumberPart::kOrdinal},
    {"RN", NumberPart::kRoman},
};

}  // namespace

NumberPattern parse_number_pattern(std::string_view text) {
  NumberPattern p;
  bool after_point = false, after_v = false;
  auto take = [&](std::string_view word) {
    if (!starts_ignoring_case(text, word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  while (!text.empty()) {
    if (take("FM")) {
      p.fill_mode = true;
    } else if (take("PR")) {
      p.bracketed = true;
    } else if (take("EEEE")) {
      p.scientific = true;
    } else if (take("V")) {
      after_v = true;
    } else if (text[0] == '"') {
      size_t end = text.find('"', 1);
      p.parts.push_back({NumberPart::kLiteral, std::string(text.substr(1, end - 1)), false});
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    } else {
      const auto* keyword =
          std::find_if(std::begin(kNumberKeywords), std::end(kNumberKeywords),
                       [&](const NumberKeyword& k) { return starts_ignoring_case(text, k.name); });
      if (keyword == std::end(kNumberKeywords)) {
        p.parts.push_back({NumberPart::kLiteral, std::string(text.substr(0, 1)), false});
        text.remove_prefix(1);
        continue;
      }
      bool lower = text[0] == ascii_lower(text[0]) && is_alpha(text[0]);
      text.remove_prefix(keyword->name.size());
      switch (keyword->kind) {
        case NumberPart::kNine:
        case NumberPart::kZero:
          ++(after_point ? p.after_point : p.before_point);
          p.shift += after_v;
          break;
        case NumberPart::kPoint:
          if (after_point) throw syntax_error("multiple decimal points");
          after_point = true;
          break;
        case NumberPart::kSign:
          if (p.has_sign) throw syntax_error("cannot use \"S\" twice");
          p.has_sign = true;
          p.sign_first = p.before_point + p.after_point == 0;
          break;
        case NumberPart::kSignAnywhere:
        case NumberPart::kMinus:
          p.has_own_sign = true;
          break;
        case NumberPart::kRoman:
          p.roman = true;
          break;
        default:
          break;
      }
      p.parts.push_back({keyword->kind, "", lower});
    }
  }
  if (p.has_sign && (p.has_own_sign || p.bracketed)) {
    throw syntax_error("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
  }
  return p;
}

namespace {

/// Writes one number into its template, place by place.
class NumberWriter {
 public:
  NumberWriter(const NumberPattern& p, std::string_view digits, bool negative)
      : p_(p), negative_(negative) {
    size_t point = digits.find('.');
    integer_ = digits.substr(0, point);
    if (point != std::string_view::npos) fraction_ = digits.substr(point + 1);
    if (integer_ == "0") integer_ = "";
    overflow_ = integer_.size() > static_cast<size_t>(p.before_point);
    // The first place that is written: the first digit, or the first 0 of the template before it.
    first_ = p.before_point - static_cast<int>(integer_.size());
    int place = 0;
    bool seen_point = false;
    for (const NumberPart& part : p.parts) {
      if (part.kind == NumberPart::kPoint) seen_point = true;
      bool is_place = part.kind == NumberPart::kNine || part.kind == NumberPart::kZero;
      if (!is_place) continue;
      if (!seen_point && part.kind == NumberPart::kZero) first_ = std::min(first_, place);
      if (seen_point && part.kind == NumberPart::kZero) last_zero_ = place - p.before_point;
      ++place;
    }
    // A whole zero is shown in the last place when nothing follows the point.
    if (p.after_point == 0 && integer_.empty() && p.before_point > 0)
      first_ = std::min(first_, p.before_point - 1);
    if (overflow_) first_ = 0;
    bool all_zero = fraction_.find_first_not_of('0') == std::string_view::npos && integer_.empty();
    if (all_zero) negative_ = false;
  }

  std::string run() {
    bool sign_pending = !p_.has_own_sign && !(p_.has_sign && !p_.sign_first);
    int place = 0;
    bool seen_point = false;
    for (const NumberPart& part : p_.parts) {
      switch (part.kind) {
        case NumberPart::kNine:
        case NumberPart::kZero:
          if (!seen_point) {
            integer_place(place, sign_pending);
          } else {
            if (sign_pending) write_sign(sign_pending);
            fraction_place(place - p_.before_point);
          }
          ++place;
          break;
        case NumberPart::kPoint:
          if (sign_pending) write_sign(sign_pending);
          seen_point = true;
          out_ += '.';
          break;
        case NumberPart::kGroup:
          if (place > first_) {
            out_ += ',';
          } else if (!p_.fill_mode) {
            out_ += ' ';
          }
          break;
        case NumberPart::kSign:
          if (!p_.sign_first) out_ += negative_ ? '-' : '+';
          break;
        case NumberPart::kSignAnywhere:
          out_ += negative_ ? '-' : '+';
          break;
        case NumberPart::kMinus:
          if (negative_) {
            out_ += '-';
          } else if (!p_.fill_mode) {
            out_ += ' ';
          }
          break;
        case NumberPart::kPlus:
          if (!negative_) {
            out_ += '+';
          } else if (!p_.fill_mode) {
            out_ += ' ';
          }
          break;
        case NumberPart::kCurrency:
          if (!p_.fill_mode) out_ += ' ';  // the C locale has no currency symbol
          break;
        case NumberPart::kOrdinal:
          ordinal(part.lower);
          break;
        case NumberPart::kLiteral:
        case NumberPart::kRoman:
          out_ += part.text;
          break;
      }
    }
    if (p_.bracketed) {
      if (negative_) {
        out_ += '>';
      } else if (!p_.fill_mode) {
        out_ += ' ';
      }
    }
    return std::move(out_);
  }

 private:
  /// FM drops zeros at the end, but for those the template has as 0.
  int fraction_end() const {
    if (overflow_ || !p_.fill_mode) return p_.after_point;
    auto end = static_cast<int>(fraction_.find_last_not_of('0') + 1);
    return std::max(end, last_zero_ + 1);
  }

  void write_sign(bool& pending) {
    pending = false;
    if (p_.bracketed) {
      if (negative_) {
        out_ += '<';
      } else if (!p_.fill_mode) {
        out_ += ' ';
      }
    } else if (p_.has_sign) {
      out_ += negative_ ? '-' : '+';
    } else if (negative_) {
      out_ += '-';
    } else if (!p_.fill_mode) {
      out_ += ' ';
    }
  }

  void integer_place(int place, bool& sign_pending) {
    if (place < first_) {
      if (!p_.fill_mode) out_ += ' ';
      return;
    }
    if (sign_pending) write_sign(sign_pending);
    int index = place - (p_.before_point - static_cast<int>(integer_.size()));
    out_ += overflow_ ? '#' : index < 0 ? '0' : integer_[static_cast<size_t>(index)];
  }

  void fraction_place(int index) {
    if (index >= fraction_end()) return;
    auto i = static_cast<size_t>(index);
    out_ += overflow_ ? '#' : i < fraction_.size() ? fraction_[i] : '0';
  }

  void ordinal(bool lower) {
    if (p_.after_point > 0 || negative_ || overflow_) return;
    std::string_view digits = integer_.empty() ? std::string_view("0") : integer_;
    bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
    char last = digits.back();
    const char* suffix = teen || last < '1' || last > '3' ? "TH"
                         : last == '1'                    ? "ST"
                         : last == '2'                    ? "ND"
                                                          : "RD";
    for (const char* c = suffix; *c != '\0'; ++c) out_ += lower ? ascii_lower(*c) : *c;
  }

  const NumberPattern& p_;
  bool negative_;
  std::string_view integer_, fraction_;
  bool overflow_ = false;
  int first_ = 0;
  int last_zero_ = -1;  ///< index of the last 0 place after the point
  std::string out_;
};

}  // namespace

std::string format_number(const NumberPattern& pattern, std::string_view digits, bool negative) {
  return NumberWriter(pattern, digits, negative).run();
}

std::string format_scientific(const NumberPattern& pattern, std::string_view mantissa, int exponent,
                              bool negative) {
  std::string out = negative ? "-" : pattern.fill_mode ? "" : " ";
  if (pattern.has_sign && !negative) out = "+";
  return out + fmt::format("{}e{}{:02}", mantissa, exponent < 0 ? '-' : '+',
                           exponent < 0 ? -exponent : exponent);
}

std::string roman_numeral(int value) {
  if (value < 1 || value > 3999) return std::string(15, '#');
  struct Step {
    int value;
    const char* text;
  };
  static constexpr Step kSteps[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                                    {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                                    {5, "V"},    {4, "IV"},   {1, "I"}};
  std::string out;
  for (const Step& step : kSteps) {
    for (; value >= step.value; value -= step.value) out += step.text;
  }
  return out;
}

std::string strip_number(const NumberPattern& pattern, std::string_view text) {
  std::string digits;
  bool negative = false, seen_point = false;
  int before_point = 0, after_point = 0;
  for (char c : text) {
    if (is_digit(c)) {
      // What the template has no place for is not read.
      bool has_place =
          seen_point ? after_point++ < pattern.after_point : before_point++ < pattern.before_point;
      if (has_place) digits += c;
    } else if (c == '.' && pattern.after_point > 0 && !seen_point) {
      digits += c;
      seen_point = true;
    } else if (c == '-' || (c == '<' && pattern.bracketed)) {
      negative = true;
    }
  }
  if (digits.empty()) throw invalid_input("numeric", " ");
  return negative ? "-" + digits : digits;
}

}  // namespace cofork
