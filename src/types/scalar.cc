// Text form of integers, floating point, bool, uuid, pg_lsn. See scalar.h.
#include "types/scalar.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace cofork {

Error invalid_input(std::string_view type, std::string_view text) {
  return Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"",
               type, text);
}

std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string ascii_lowered(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = ascii_lower(c);
  return lowered;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && equals_ignoring_case(text.substr(0, start.size()), start);
}

namespace {

template <typename T>
T parse_integer(std::string_view text, const char* type) {
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end && is_space(*p)) ++p;
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) ++p;
  if (p == end || !is_digit(*p)) throw invalid_input(type, text);
  // Counted downwards: the most negative value has no positive twin.
  int64_t value = 0;
  bool overflow = false;
  for (; p < end && is_digit(*p); ++p) {
    overflow |= __builtin_mul_overflow(value, 10, &value);
    overflow |= __builtin_sub_overflow(value, *p - '0', &value);
  }
  while (p < end && is_space(*p)) ++p;
  if (p != end) throw invalid_input(type, text);
  if (!negative) overflow |= __builtin_sub_overflow(int64_t{0}, value, &value);
  if (overflow || value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    throw Error(sqlstate::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text,
                type);
  }
  return static_cast<T>(value);
}

template <typename T>
T parse_float(std::string_view text, const char* type) {
  std::string_view number = trim_spaces(text);
  bool plus = !number.empty() && number.front() == '+';
  if (plus) number.remove_prefix(1);
  if (number.empty() || (plus && number.front() == '-')) throw invalid_input(type, text);
  T value = 0;
  auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (end != number.data() + number.size() || problem == std::errc::invalid_argument ||
      number.back() == ')') {  // from_chars knows "nan(payload)"
    throw invalid_input(type, text);
  }
  if (problem == std::errc::result_out_of_range) {
    throw Error(sqlstate::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", text,
                type);
  }
  return value;
}

/// Digits "d.ddde±xx" of to_chars, laid out as %g would: scientific outside [-4, precision).
void append_shortest(std::string& out, std::string_view scientific, int precision) {
  if (scientific.front() == '-') {
    out += '-';
    scientific.remove_prefix(1);
  }
  size_t e = scientific.find('e');
  int exponent = 0;
  std::string_view exponent_text = scientific.substr(e + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  if (exponent < -4 || exponent >= precision) {
    out.append(scientific);
    return;
  }
  char digits[24];
  int count = 0;
  for (char c : scientific.substr(0, e)) {
    if (c != '.') digits[count++] = c;
  }
  if (exponent < 0) {
    out.append("0.").append(static_cast<size_t>(-exponent - 1), '0').append(digits, count);
    return;
  }
  for (int i = 0; i <= exponent; ++i) out += i < count ? digits[i] : '0';
  if (count > exponent + 1) out.append(".").append(digits + exponent + 1, count - exponent - 1);
}

template <typename T>
void append_float(std::string& out, T value, int extra_float_digits) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  constexpr int kDigits = std::numeric_limits<T>::digits10;
  char buffer[64];
  if (extra_float_digits > 0) {
    auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
    append_shortest(out, {buffer, static_cast<size_t>(end.ptr - buffer)}, kDigits);
    return;
  }
  int digits = kDigits + extra_float_digits;
  int size = std::snprintf(buffer, sizeof buffer, "%.*g", digits < 1 ? 1 : digits,
                           static_cast<double>(value));
  out.append(buffer, static_cast<size_t>(size));
}

}  // namespace

int16_t parse_int2(std::string_view text) {
  return parse_integer<int16_t>(text, "smallint");
}
int32_t parse_int4(std::string_view text) {
  return parse_integer<int32_t>(text, "integer");
}
int64_t parse_int8(std::string_view text) {
  return parse_integer<int64_t>(text, "bigint");
}

Oid parse_oid(std::string_view text) {
  std::string_view number = trim_spaces(text);
  bool negative = !number.empty() && number.front() == '-';
  if (!number.empty() && (negative || number.front() == '+')) number.remove_prefix(1);
  uint64_t value = 0;
  auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (problem == std::errc::invalid_argument || end != number.data() + number.size()) {
    throw invalid_input("oid", text);
  }
  // -1 has always been accepted as a spelling of 4294967295.
  uint64_t most = negative ? uint64_t{1} << 31 : UINT32_MAX;
  if (problem != std::errc{} || value > most) {
    throw Error(sqlstate::kNumericValueOutOfRange, "value \"{}\" is out of range for type oid",
                text);
  }
  return static_cast<Oid>(negative ? 0 - value : value);
}

uint64_t parse_unsigned_loosely(std::string_view text) {
  text = trim_spaces(text);
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void append_integer(std::string& out, int64_t value) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, static_cast<size_t>(end.ptr - buffer));
}

void append_unsigned(std::string& out, uint64_t value) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, static_cast<size_t>(end.ptr - buffer));
}

double parse_float8(std::string_view text) {
  return parse_float<double>(text, "double precision");
}
float parse_float4(std::string_view text) {
  return parse_float<float>(text, "real");
}

void append_float8(std::string& out, double value, int extra_float_digits) {
  append_float(out, value, extra_float_digits);
}
void append_float4(std::string& out, float value, int extra_float_digits) {
  append_float(out, value, extra_float_digits);
}

bool parse_bool(std::string_view text) {
  std::string word = ascii_lowered(trim_spaces(text));
  auto is_prefix_of = [&](std::string_view full, size_t least) {
    return word.size() >= least && full.starts_with(word);
  };
  if (is_prefix_of("true", 1) || is_prefix_of("yes", 1) || word == "on" || word == "1") return true;
  if (is_prefix_of("false", 1) || is_prefix_of("no", 1) || is_prefix_of("off", 2) || word == "0") {
    return false;
  }
  throw invalid_input("boolean", text);
}

uint64_t parse_pg_lsn(std::string_view text) {
  auto parse_half = [&](std::string_view half) -> uint64_t {
    uint32_t value = 0;
    auto [end, problem] = std::from_chars(half.data(), half.data() + half.size(), value, 16);
    if (problem != std::errc{} || end != half.data() + half.size() || half.size() > 8) {
      throw invalid_input("pg_lsn", text);
    }
    return value;
  };
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) throw invalid_input("pg_lsn", text);
  return parse_half(text.substr(0, slash)) << 32 | parse_half(text.substr(slash + 1));
}

void append_pg_lsn(std::string& out, uint64_t lsn) {
  fmt::format_to(std::back_inserter(out), "{:X}/{:X}", lsn >> 32, lsn & 0xffffffffu);
}

void parse_uuid(std::string_view text, uint8_t bytes[16]) {
  std::string_view rest = text;
  bool braces = rest.starts_with('{');
  if (braces) rest.remove_prefix(1);
  for (int i = 0; i < 16; ++i) {
    if (rest.size() < 2 || hex_value(rest[0]) < 0 || hex_value(rest[1]) < 0) {
      throw invalid_input("uuid", text);
    }
    bytes[i] = static_cast<uint8_t>(hex_value(rest[0]) << 4 | hex_value(rest[1]));
    rest.remove_prefix(2);
    // A hyphen may stand after any group of four digits.
    if (i % 2 == 1 && i < 15 && rest.starts_with('-')) rest.remove_prefix(1);
  }
  if (rest != (braces ? "}" : "")) throw invalid_input("uuid", text);
}

void append_uuid(std::string& out, const uint8_t bytes[16]) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
}

}  // namespace cofork
