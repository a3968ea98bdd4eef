// UTF-8 text, names, character(n), bytea. See text.h.
#include "types/text.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cwctype>

#include "types/keywords.h"
#include "types/scalar.h"

namespace cofork {

size_t utf8_length(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  return count;
}

size_t utf8_offset(std::string_view text, size_t characters) {
  size_t offset = 0;
  for (; characters > 0 && offset < text.size(); --characters) {
    offset += utf8_char_bytes(text[offset]);
  }
  return std::min(offset, text.size());
}

char32_t utf8_take(std::string_view& text) {
  auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
  size_t size = std::min(utf8_char_bytes(text[0]), text.size());
  char32_t character = byte(0);
  if (size == 2) character = (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
  if (size == 3) character = (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  if (size == 4) {
    character =
        (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
  text.remove_prefix(size);
  return character;
}

void utf8_append(std::string& out, char32_t c) {
  auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

const char* utf8_find_invalid(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    if (*p < 0x80 && *p != 0) {
      ++p;
      continue;
    }
    size_t size = utf8_char_bytes(static_cast<char>(*p));
    bool valid = *p >= 0xc2 && *p <= 0xf4 && size <= static_cast<size_t>(end - p);
    for (size_t i = 1; valid && i < size; ++i) valid = (p[i] & 0xc0) == 0x80;
    // Overlong forms, surrogates, and what lies above U+10FFFF.
    if (valid && *p == 0xe0) valid = p[1] >= 0xa0;
    if (valid && *p == 0xed) valid = p[1] <= 0x9f;
    if (valid && *p == 0xf0) valid = p[1] >= 0x90;
    if (valid && *p == 0xf4) valid = p[1] <= 0x8f;
    if (!valid) return reinterpret_cast<const char*>(p);
    p += size;
  }
  return nullptr;
}

std::string_view utf8_clip(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

namespace {

/// The C library's Unicode tables, without touching the process's own locale.
locale_t unicode_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

}  // namespace

char32_t to_upper(char32_t c) {
  if (c < 0x80) return static_cast<unsigned char>(ascii_upper(static_cast<char>(c)));
  return static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), unicode_locale()));
}

char32_t to_lower(char32_t c) {
  if (c < 0x80) return static_cast<unsigned char>(ascii_lower(static_cast<char>(c)));
  return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), unicode_locale()));
}

bool is_letter_or_digit(char32_t c) {
  if (c < 0x80) return is_alnum(static_cast<char>(c));
  return iswalnum_l(static_cast<wint_t>(c), unicode_locale()) != 0;
}

std::string_view name_view(Datum name) {
  const char* bytes = datum_to_pointer(name);
  return {bytes, strnlen(bytes, kNameBytes)};
}

Datum name_from(Arena& arena, std::string_view text) {
  text = utf8_clip(text, kNameBytes - 1);
  char* bytes = static_cast<char*>(arena.allocate(kNameBytes, 1));
  std::memset(bytes, 0, kNameBytes);
  std::memcpy(bytes, text.data(), text.size());
  return datum_from_pointer(bytes);
}

std::string_view bpchar_view(Datum value) {
  std::string_view text = varlena_view(value);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

namespace {

std::string_view fit(std::string_view text, int32_t characters, bool is_explicit,
                     const char* type) {
  if (text.size() <= static_cast<size_t>(characters)) return text;
  size_t end = utf8_offset(text, static_cast<size_t>(characters));
  std::string_view rest = text.substr(end);
  if (!is_explicit && rest.find_first_not_of(' ') != std::string_view::npos) {
    throw Error(sqlstate::kStringDataRightTruncation, "value too long for type {}({})", type,
                characters);
  }
  return text.substr(0, end);
}

}  // namespace

std::string_view fit_varchar(std::string_view text, int32_t typmod, bool is_explicit) {
  if (typmod < 4) return text;
  return fit(text, typmod - 4, is_explicit, "character varying");
}

Datum fit_bpchar(Arena& arena, std::string_view text, int32_t typmod, bool is_explicit) {
  if (typmod < 4) return varlena_from(arena, text);
  text = fit(text, typmod - 4, is_explicit, "character");
  size_t length = utf8_length(text);
  size_t padding =
      static_cast<size_t>(typmod - 4) - std::min(length, static_cast<size_t>(typmod - 4));
  char* bytes = allocate_varlena(arena, text.size() + padding);
  std::memcpy(bytes + 4, text.data(), text.size());
  std::memset(bytes + 4 + text.size(), ' ', padding);
  return datum_from_pointer(bytes);
}

namespace {

Datum parse_bytea_hex(Arena& arena, std::string_view digits) {
  char* bytes = allocate_varlena(arena, digits.size() / 2);
  size_t size = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (is_space(digits[i])) continue;
    auto value_at = [&](size_t at) {
      int value = hex_value(digits[at]);
      if (value < 0) {
        throw Error(sqlstate::kInvalidParameterValue, "invalid hexadecimal digit: \"{}\"",
                    digits.substr(at, utf8_char_bytes(digits[at])));
      }
      return value;
    };
    int high = value_at(i);
    if (++i >= digits.size()) {
      throw Error(sqlstate::kInvalidParameterValue,
                  "invalid hexadecimal data: odd number of digits");
    }
    bytes[4 + size++] = static_cast<char>(high << 4 | value_at(i));
  }
  store_le(bytes, static_cast<uint32_t>((size + 4) << 2));
  return datum_from_pointer(bytes);
}

}  // namespace

Datum parse_bytea(Arena& arena, std::string_view text) {
  if (text.starts_with("\\x")) return parse_bytea_hex(arena, text.substr(2));
  char* bytes = allocate_varlena(arena, text.size());
  size_t size = 0;
  auto is_octal = [&](size_t at, char most) {
    return at < text.size() && text[at] >= '0' && text[at] <= most;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes[4 + size++] = text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      bytes[4 + size++] = '\\';
      ++i;
    } else if (is_octal(i + 1, '3') && is_octal(i + 2, '7') && is_octal(i + 3, '7')) {
      bytes[4 + size++] = static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
                                            (text[i + 3] - '0'));
      i += 3;
    } else {
      throw Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  store_le(bytes, static_cast<uint32_t>((size + 4) << 2));
  return datum_from_pointer(bytes);
}

void append_bytea(std::string& out, std::string_view bytes, bool hex) {
  if (hex) out += "\\x";
  for (char c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    if (hex) {
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
    } else if (c == '\\') {
      out += "\\\\";
    } else if (byte < 0x20 || byte > 0x7e) {
      fmt::format_to(std::back_inserter(out), "\\{:03o}", byte);
    } else {
      out += c;
    }
  }
}

std::string quote_identifier(std::string_view name) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; };
  bool safe = !name.empty() && !is_digit(name[0]) && std::all_of(name.begin(), name.end(), plain) &&
              !is_reserved_keyword(name);
  if (safe) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

QualifiedName parse_qualified_name(std::string_view text) {
  auto broken = [] { return Error(sqlstate::kInvalidName, "invalid name syntax"); };
  std::string parts[3];
  size_t count = 0;
  std::string_view rest = trim_spaces(text);
  for (;;) {
    if (count == 3 || rest.empty()) throw broken();
    std::string& part = parts[count++];
    if (rest.front() == '"') {
      rest.remove_prefix(1);
      for (;;) {
        if (rest.empty()) throw broken();
        bool quote = rest.front() == '"';
        if (quote && !rest.substr(1).starts_with('"')) break;
        part += rest.front();
        rest.remove_prefix(quote ? 2 : 1);
      }
      rest.remove_prefix(1);
    } else {
      while (!rest.empty() && rest.front() != '.' && !is_space(rest.front())) {
        part += ascii_lower(rest.front());
        rest.remove_prefix(1);
      }
    }
    if (part.empty()) throw broken();
    part.resize(utf8_clip(part, kNameBytes - 1).size());
    rest = trim_spaces(rest);
    if (rest.empty()) break;
    if (rest.front() != '.') throw broken();
    rest = trim_spaces(rest.substr(1));
  }
  if (count == 1) return {"", parts[0]};
  return {parts[count - 2], parts[count - 1]};
}

}  // namespace cofork
