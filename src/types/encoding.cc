// See encoding.h.
#include "types/encoding.h"

#include "support/bytes.h"
#include "support/error.h"

namespace cofork {
namespace {

size_t length_of(uint8_t lead) {
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

[[noreturn]] void refuse(std::string_view character) {
  std::string shown;
  for (char c : character) {
    shown += fmt::format("{}{:#04x}", shown.empty() ? "" : " ", static_cast<uint8_t>(c));
  }
  throw Error(sqlstate::kUntranslatableCharacter,
              "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding "
              "\"LATIN1\"",
              shown);
}

}  // namespace

std::optional<Encoding> find_conversion(std::string_view name) {
  if (name == "UTF8") return Encoding::kUtf8;
  if (name == "SQL_ASCII") return Encoding::kSqlAscii;
  if (name == "LATIN1") return Encoding::kLatin1;
  return std::nullopt;
}

bool is_ascii(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  for (; end - at >= 8; at += 8) {
    if ((load_le<uint64_t>(at) & 0x8080808080808080u) != 0) return false;
  }
  for (; at < end; ++at) {
    if ((static_cast<uint8_t>(*at) & 0x80) != 0) return false;
  }
  return true;
}

std::string utf8_of_latin1(std::string_view text) {
  std::string utf8;
  utf8.reserve(text.size() + text.size() / 4);
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xc0 | byte >> 6);
      utf8 += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return utf8;
}

void latin1_of_utf8(std::string& text, size_t from) {
  if (is_ascii(std::string_view(text).substr(from))) return;
  size_t to = from;
  for (size_t at = from; at < text.size();) {
    auto lead = static_cast<uint8_t>(text[at]);
    if (lead < 0x80) {
      text[to++] = text[at++];
      continue;
    }
    size_t length = length_of(lead);
    if (lead > 0xc3 || at + length > text.size()) {
      refuse(std::string_view(text).substr(at, length));
    }
    text[to++] = static_cast<char>((lead & 0x03) << 6 | (text[at + 1] & 0x3f));
    at += length;
  }
  text.resize(to);
}

}  // namespace cofork
