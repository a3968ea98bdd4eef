// Text: length, case, pieces, padding, search and replace, quoting.
//
// Positions and lengths count characters, from 1. As varlena.c, oracle_compat.c, quote.c,
// PostgreSQL 15.
#include <algorithm>

#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "support/error.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

int32_t text_length(std::string_view text) {
  return static_cast<int32_t>(utf8_length(text));
}
int32_t bpchar_length(Bpchar value) {
  return text_length(value.text);
}
int32_t octet_length(std::string_view bytes) {
  return static_cast<int32_t>(bytes.size());
}

[[noreturn]] void throw_too_large() {
  throw Error(sqlstate::kProgramLimitExceeded, "requested length too large");
}

Datum concatenate(Arena& arena, std::string_view a, std::string_view b) {
  if (a.size() + b.size() > kLargestText) throw_too_large();
  char* bytes = allocate_varlena(arena, a.size() + b.size());
  std::memcpy(bytes + 4, a.data(), a.size());
  std::memcpy(bytes + 4 + a.size(), b.data(), b.size());
  return datum_from_pointer(bytes);
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) utf8_append(out, to_lower(utf8_take(text)));
  return out;
}
std::string upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) utf8_append(out, to_upper(utf8_take(text)));
  return out;
}
std::string initcap(std::string_view text) {
  std::string out;
  bool in_word = false;
  while (!text.empty()) {
    char32_t c = utf8_take(text);
    utf8_append(out, in_word ? to_lower(c) : to_upper(c));
    in_word = is_letter_or_digit(c);
  }
  return out;
}

/// The characters from `start` (1 is the first) up to `length` of them; a start before the first
/// character uses up length.
std::string_view substring_of(std::string_view text, int64_t start, int64_t length) {
  if (length < 0) {
    throw Error(sqlstate::kSubstringError, "negative substring length not allowed");
  }
  int64_t end = start + length;
  start = std::max<int64_t>(start, 1);
  if (end <= start) return {};
  size_t from = utf8_offset(text, static_cast<size_t>(start - 1));
  text.remove_prefix(from);
  return text.substr(0, utf8_offset(text, static_cast<size_t>(end - start)));
}
std::string_view substring(std::string_view text, int32_t start, int32_t length) {
  return substring_of(text, start, length);
}
std::string_view substring_to_end(std::string_view text, int32_t start) {
  text.remove_prefix(utf8_offset(text, static_cast<size_t>(std::max(start, 1) - 1)));
  return text;
}

/// left('abc', -1) leaves out the last character.
std::string_view left(std::string_view text, int32_t count) {
  int64_t characters = count;
  if (count < 0) characters = std::max<int64_t>(0, text_length(text) + characters);
  return text.substr(0, utf8_offset(text, static_cast<size_t>(characters)));
}
std::string_view right(std::string_view text, int32_t count) {
  int64_t skipped =
      count < 0 ? -int64_t{count} : std::max<int64_t>(0, text_length(text) - int64_t{count});
  text.remove_prefix(utf8_offset(text, static_cast<size_t>(skipped)));
  return text;
}

constexpr BuiltinFunction kRows[] = {
    {1257, "textlen", kInt4, {kText}, fn<text_length>},
    {1317, "length", kInt4, {kText}, fn<text_length>},
    {1369, "character_length", kInt4, {kText}, fn<text_length>},
    {1381, "char_length", kInt4, {kText}, fn<text_length>},
    {1318, "length", kInt4, {kBpchar}, fn<bpchar_length>},
    {1367, "character_length", kInt4, {kBpchar}, fn<bpchar_length>},
    {1372, "char_length", kInt4, {kBpchar}, fn<bpchar_length>},
    {1374, "octet_length", kInt4, {kText}, fn<octet_length>},
    {1375, "octet_length", kInt4, {kBpchar}, fn<octet_length>},
    {720, "octet_length", kInt4, {kBytea}, fn<octet_length>},
    {2010, "length", kInt4, {kBytea}, fn<octet_length>},
    {1258, "textcat", kText, {kText, kText}, fn<concatenate>},
    {2011, "byteacat", kBytea, {kBytea, kBytea}, fn<concatenate>},
    {870, "lower", kText, {kText}, fn<lower>},
    {871, "upper", kText, {kText}, fn<upper>},
    {872, "initcap", kText, {kText}, fn<initcap>},
    {877, "substr", kText, {kText, kInt4, kInt4}, fn<substring>},
    {936, "substring", kText, {kText, kInt4, kInt4}, fn<substring>},
    {883, "substr", kText, {kText, kInt4}, fn<substring_to_end>},
    {937, "substring", kText, {kText, kInt4}, fn<substring_to_end>},
    {3060, "left", kText, {kText, kInt4}, fn<left>},
    {3061, "right", kText, {kText, kInt4}, fn<right>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kTextFunctions = kRows;

}  // namespace cofork
