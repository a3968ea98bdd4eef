// Text form of the scalar types: integers, floating point, bool, oid and their like.
//
// parse_… reads what the type's input function reads and throws its errors (22P02 invalid input
// syntax, 22003 out of range); append_… writes what its output function writes.
//
// As numutils.c, float.c, bool.c, PostgreSQL 15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/error.h"
#include "types/datum.h"

namespace cofork {

/// 22P02 "invalid input syntax for type TYPE: "text"".
Error invalid_input(std::string_view type, std::string_view text);

int16_t parse_int2(std::string_view text);
int32_t parse_int4(std::string_view text);
int64_t parse_int8(std::string_view text);
Oid parse_oid(std::string_view text);
/// xid, cid, xid8: as strtoul reads them, with no error for trailing rubbish.
uint64_t parse_unsigned_loosely(std::string_view text);
void append_integer(std::string& out, int64_t value);
void append_unsigned(std::string& out, uint64_t value);

double parse_float8(std::string_view text);
float parse_float4(std::string_view text);
/// extra_float_digits > 0: the shortest text that reads back as the same value; otherwise 15 (6 for
/// float4) plus that many significant digits.
void append_float8(std::string& out, double value, int extra_float_digits);
void append_float4(std::string& out, float value, int extra_float_digits);

bool parse_bool(std::string_view text);
uint64_t parse_pg_lsn(std::string_view text);
void append_pg_lsn(std::string& out, uint64_t lsn);
void parse_uuid(std::string_view text, uint8_t bytes[16]);
void append_uuid(std::string& out, const uint8_t bytes[16]);

/// PostgreSQL's order of floating point: NaN is the greatest and equal to itself.
template <typename T>
int compare_float(T a, T b) {
  if (a != a) return b != b ? 0 : 1;
  if (b != b) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr char ascii_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
constexpr bool is_alpha(char c) {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}
constexpr bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
std::string_view trim_spaces(std::string_view text);
std::string ascii_lowered(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_ignoring_case(std::string_view text, std::string_view start);

}  // namespace cofork
