// to_char(number, template) and to_number(text, template): '9,999.99', 'FM000', 'S99', '9.9EEEE'.
//
// As NUM_processor and its callers in formatting.c, PostgreSQL 15.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cofork {

struct NumberPart {
  enum Kind : uint8_t {
    kLiteral,
    kNine,
    kZero,
    kPoint,
    kGroup,
    kSign,
    kSignAnywhere,
    kMinus,
    kPlus,
    kCurrency,
    kOrdinal,
    kRoman,
  };
  Kind kind;
  std::string text;
  bool lower = false;
};

struct NumberPattern {
  std::vector<NumberPart> parts;
  int before_point = 0;  ///< digit places
  int after_point = 0;
  int shift = 0;              ///< V: places the value is multiplied by ten for
  bool fill_mode = false;     ///< FM
  bool bracketed = false;     ///< PR
  bool scientific = false;    ///< EEEE
  bool has_sign = false;      ///< S
  bool sign_first = false;    ///< … before the digits
  bool has_own_sign = false;  ///< MI, SG
  bool roman = false;
};
NumberPattern parse_number_pattern(std::string_view pattern);  ///< 42601

/// `digits` is the value's text without sign, rounded to after_point decimals: "1234.50" (or "NaN",
/// "Infinity"). Too many of them for the places become #.
std::string format_number(const NumberPattern& pattern, std::string_view digits, bool negative);
/// d.ddE+xx of a value given as d.ddd… text with its exponent.
std::string format_scientific(const NumberPattern& pattern, std::string_view mantissa, int exponent,
                              bool negative);
std::string roman_numeral(int value);  ///< "###############" outside 1 … 3999

/// The digits, sign and point of a text, for the numeric parser: "-1234.56".
std::string strip_number(const NumberPattern& pattern, std::string_view text);

}  // namespace cofork
