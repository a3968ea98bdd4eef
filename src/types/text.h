// Text as PostgreSQL keeps it: UTF-8 in varlenas, counted in characters, compared as bytes
// (collation "C": the one the server has).
//
// Strings here are known to be valid UTF-8: the wire checks what comes in (22021).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

inline constexpr size_t kNameBytes = 64;  ///< NAMEDATALEN, its last byte a zero
inline constexpr size_t kLargestText = (size_t{1} << 30) - 1;  ///< MaxAllocSize

/// Bytes of the character that starts with this byte.
constexpr size_t utf8_char_bytes(char first) {
  auto byte = static_cast<uint8_t>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}
/// Characters in the text.
size_t utf8_length(std::string_view text);
/// Byte offset of the character number `characters` (from 0), or the size when it has fewer.
size_t utf8_offset(std::string_view text, size_t characters);
/// Takes the first character off `text`, which is not empty.
char32_t utf8_take(std::string_view& text);
void utf8_append(std::string& out, char32_t character);
/// Null, or the first byte sequence that is not valid UTF-8 (as pg_verify_mbstr).
const char* utf8_find_invalid(std::string_view text);
/// The longest prefix of at most `bytes` bytes that ends between characters.
std::string_view utf8_clip(std::string_view text, size_t bytes);

char32_t to_upper(char32_t character);
char32_t to_lower(char32_t character);
bool is_letter_or_digit(char32_t character);

std::string_view name_view(Datum name);
Datum name_from(Arena& arena, std::string_view text);  ///< cut to 63 bytes
/// The payload of a bpchar without its padding.
std::string_view bpchar_view(Datum value);

/// Throws 22001 "value too long …" when only `characters` fit, unless the rest is blanks, which are
/// dropped; an explicit cast drops anything.
std::string_view fit_varchar(std::string_view text, int32_t typmod, bool is_explicit);
/// As fit_varchar, and pads with blanks.
Datum fit_bpchar(Arena& arena, std::string_view text, int32_t typmod, bool is_explicit);

inline int compare_bytes(std::string_view a, std::string_view b) {
  return a.compare(b);
}

/// bytea's text form: \x68656c6c6f, or the traditional escapes.
Datum parse_bytea(Arena& arena, std::string_view text);
void append_bytea(std::string& out, std::string_view bytes, bool hex);

/// An identifier with quotes around it when it needs them (quote_ident).
std::string quote_identifier(std::string_view name);
/// Splits "a.B" written as SQL identifiers; 42602 invalid name syntax. Folds what is unquoted.
struct QualifiedName {
  std::string schema;
  std::string name;
};
QualifiedName parse_qualified_name(std::string_view text);

}  // namespace cofork
