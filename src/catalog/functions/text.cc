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

std::string_view trim_front(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    std::string_view character = text.substr(0, utf8_char_bytes(text[0]));
    if (set.find(character) == std::string_view::npos) break;
    text.remove_prefix(character.size());
  }
  return text;
}
std::string_view trim_back(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    size_t start = utf8_clip(text, text.size() - 1).size();
    if (set.find(text.substr(start)) == std::string_view::npos) break;
    text = text.substr(0, start);
  }
  return text;
}
std::string_view trim_both(std::string_view text, std::string_view set) {
  return trim_back(trim_front(text, set), set);
}
std::string_view trim_front_spaces(std::string_view text) {
  return trim_front(text, " ");
}
std::string_view trim_back_spaces(std::string_view text) {
  return trim_back(text, " ");
}
std::string_view trim_both_spaces(std::string_view text) {
  return trim_both(text, " ");
}

/// Pads or cuts to `width` characters, on the left or on the right.
std::string pad(std::string_view text, int32_t width, std::string_view fill, bool on_the_left) {
  auto wanted = static_cast<size_t>(std::max(width, 0));
  if (wanted > kLargestText / 4) throw_too_large();
  size_t length = utf8_length(text);
  if (length >= wanted || fill.empty())
    return std::string(text.substr(0, utf8_offset(text, wanted)));
  std::string padding;
  size_t missing = wanted - length, fill_length = utf8_length(fill);
  for (; missing >= fill_length; missing -= fill_length) padding += fill;
  padding += fill.substr(0, utf8_offset(fill, missing));
  return on_the_left ? padding.append(text) : std::string(text) + padding;
}
std::string left_pad(std::string_view text, int32_t width, std::string_view fill) {
  return pad(text, width, fill, true);
}
std::string right_pad(std::string_view text, int32_t width, std::string_view fill) {
  return pad(text, width, fill, false);
}
std::string left_pad_spaces(std::string_view text, int32_t width) {
  return pad(text, width, " ", true);
}
std::string right_pad_spaces(std::string_view text, int32_t width) {
  return pad(text, width, " ", false);
}

/// 1 for the first character, 0 when it does not occur.
int32_t position_of(std::string_view text, std::string_view part) {
  size_t at = text.find(part);
  return at == std::string_view::npos ? 0
                                      : static_cast<int32_t>(utf8_length(text.substr(0, at))) + 1;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to) {
  if (from.empty()) return std::string(text);
  std::string out;
  for (size_t at; (at = text.find(from)) != std::string_view::npos;) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

/// Each character of `from` becomes the one at its place in `to`, or nothing.
std::string translate(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  while (!text.empty()) {
    std::string_view character = text.substr(0, utf8_char_bytes(text[0]));
    text.remove_prefix(character.size());
    size_t at = from.find(character);
    if (at == std::string_view::npos) {
      out += character;
      continue;
    }
    std::string_view target = to.substr(utf8_offset(to, utf8_length(from.substr(0, at))));
    if (!target.empty()) out += target.substr(0, utf8_char_bytes(target[0]));
  }
  return out;
}

std::string reverse(std::string_view text) {
  std::string out(text.size(), '\0');
  size_t end = text.size();
  while (!text.empty()) {
    size_t size = utf8_char_bytes(text[0]);
    end -= size;
    text.copy(out.data() + end, size);
    text.remove_prefix(size);
  }
  return out;
}

Datum repeat(Arena& arena, std::string_view text, int32_t count) {
  size_t times = static_cast<size_t>(std::max(count, 0));
  if (text.size() * times > kLargestText) throw_too_large();
  char* bytes = allocate_varlena(arena, text.size() * times);
  for (size_t i = 0; i < times; ++i) text.copy(bytes + 4 + i * text.size(), text.size());
  return datum_from_pointer(bytes);
}

/// Field number `n` between delimiters, from 1; counted from the end when negative.
std::string_view split_part(std::string_view text, std::string_view delimiter, int32_t n) {
  if (n == 0) {
    throw Error(sqlstate::kInvalidParameterValue, "field position must not be zero");
  }
  if (delimiter.empty()) return n == 1 || n == -1 ? text : std::string_view();
  if (n < 0) {
    int64_t fields = 1;
    for (size_t at = 0; (at = text.find(delimiter, at)) != std::string_view::npos;
         at += delimiter.size())
      ++fields;
    if (-int64_t{n} > fields) return {};
    n = static_cast<int32_t>(fields + n + 1);
  }
  for (;;) {
    size_t at = text.find(delimiter);
    if (--n == 0) return text.substr(0, at);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + delimiter.size());
  }
}

std::string overlay(std::string_view text, std::string_view part, int32_t start, int32_t length) {
  if (start <= 0) throw Error(sqlstate::kSubstringError, "negative substring length not allowed");
  int64_t end = int64_t{start} + length;
  if (end != static_cast<int32_t>(end)) throw_out_of_range("integer");
  std::string out(text.substr(0, utf8_offset(text, static_cast<size_t>(start - 1))));
  out += part;
  return out.append(
      text.substr(utf8_offset(text, static_cast<size_t>(std::max<int64_t>(end - 1, 0)))));
}
std::string overlay_all(std::string_view text, std::string_view part, int32_t start) {
  return overlay(text, part, start, text_length(part));
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

int32_t code_of_first(std::string_view text) {
  return text.empty() ? 0 : static_cast<int32_t>(utf8_take(text));
}
std::string character_of(int32_t code) {
  if (code == 0) throw Error(sqlstate::kProgramLimitExceeded, "null character not permitted");
  if (code < 0) throw Error(sqlstate::kInvalidParameterValue, "character number must be positive");
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code > 0x10ffff || surrogate) {
    throw Error(sqlstate::kProgramLimitExceeded, "requested character {} for encoding: {}",
                surrogate ? "not valid" : "too large", code);
  }
  std::string out;
  utf8_append(out, static_cast<char32_t>(code));
  return out;
}
int32_t bits_of_text(std::string_view text) {
  return octet_length(text) * 8;
}

Datum name_to_bpchar(Arena& arena, Name name) {
  return varlena_from(arena, name.text);
}
std::string_view name_to_text(Name name) {
  return name.text;
}
Name text_to_name(std::string_view text) {
  return {text};
}
Name bpchar_to_name(Bpchar value) {
  return {value.text};
}
char text_to_char(std::string_view text) {
  return text.empty() ? '\0' : text[0];
}
std::string char_to_text(char value) {
  return value == '\0' ? std::string() : std::string(1, value);
}
std::string_view bool_to_text(bool value) {
  return value ? "true" : "false";
}
std::string_view fit_to_varchar(std::string_view text, int32_t typmod, bool is_explicit) {
  return fit_varchar(text, typmod, is_explicit);
}
Datum fit_to_bpchar(Arena& arena, std::string_view text, int32_t typmod, bool is_explicit) {
  return fit_bpchar(arena, text, typmod, is_explicit);
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
    {875, "ltrim", kText, {kText, kText}, fn<trim_front>},
    {881, "ltrim", kText, {kText}, fn<trim_front_spaces>},
    {876, "rtrim", kText, {kText, kText}, fn<trim_back>},
    {401, "text", kText, {kBpchar}, fn<trim_back_spaces>},
    {882, "rtrim", kText, {kText}, fn<trim_back_spaces>},
    {884, "btrim", kText, {kText, kText}, fn<trim_both>},
    {885, "btrim", kText, {kText}, fn<trim_both_spaces>},
    {873, "lpad", kText, {kText, kInt4, kText}, fn<left_pad>},
    {874, "rpad", kText, {kText, kInt4, kText}, fn<right_pad>},
    {879, "lpad", kText, {kText, kInt4}, fn<left_pad_spaces>},
    {880, "rpad", kText, {kText, kInt4}, fn<right_pad_spaces>},
    {849, "position", kInt4, {kText, kText}, fn<position_of>},
    {868, "strpos", kInt4, {kText, kText}, fn<position_of>},
    {2087, "replace", kText, {kText, kText, kText}, fn<replace>},
    {878, "translate", kText, {kText, kText, kText}, fn<translate>},
    {3062, "reverse", kText, {kText}, fn<reverse>},
    {1622, "repeat", kText, {kText, kInt4}, fn<repeat>},
    {2088, "split_part", kText, {kText, kText, kInt4}, fn<split_part>},
    {1404, "overlay", kText, {kText, kText, kInt4, kInt4}, fn<overlay>},
    {1405, "overlay", kText, {kText, kText, kInt4}, fn<overlay_all>},
    {3696, "starts_with", kBool, {kText, kText}, fn<starts_with>},
    {1620, "ascii", kInt4, {kText}, fn<code_of_first>},
    {1621, "chr", kText, {kInt4}, fn<character_of>},
    {1810, "bit_length", kInt4, {kBytea}, fn<bits_of_text>},
    {1811, "bit_length", kInt4, {kText}, fn<bits_of_text>},
    {406, "text", kText, {kName}, fn<name_to_text>},
    {1401, "varchar", kVarchar, {kName}, fn<name_to_text>},
    {407, "name", kName, {kText}, fn<text_to_name>},
    {1400, "name", kName, {kVarchar}, fn<text_to_name>},
    {408, "bpchar", kBpchar, {kName}, fn<name_to_bpchar>},
    {409, "name", kName, {kBpchar}, fn<bpchar_to_name>},
    {944, "char", kChar, {kText}, fn<text_to_char>},
    {946, "text", kText, {kChar}, fn<char_to_text>},
    {860, "bpchar", kBpchar, {kChar}, fn<char_to_text>},
    {2971, "text", kText, {kBool}, fn<bool_to_text>},
    {669, "varchar", kVarchar, {kVarchar, kInt4, kBool}, fn<fit_to_varchar>},
    {668, "bpchar", kBpchar, {kBpchar, kInt4, kBool}, fn<fit_to_bpchar>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kTextFunctions = kRows;

}  // namespace cofork
