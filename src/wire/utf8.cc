// See utf8.h.
#include "wire/utf8.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "support/bytes.h"
#include "support/error.h"

namespace cofork {

namespace {

/// Bytes of the character that this byte begins; 1 for a byte that can begin none.
size_t length_of(uint8_t lead) {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  if (lead < 0xf8) return 4;
  return 1;
}

bool is_character(const uint8_t* bytes, size_t length) {
  uint8_t lead = bytes[0];
  if (length == 1) return lead < 0x80;
  for (size_t i = 1; i < length; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return false;
  }
  uint8_t second = bytes[1];
  switch (lead) {
    case 0xc0:
    case 0xc1:
      return false;  // overlong
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;  // surrogates
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return lead < 0xf5;
  }
}

[[noreturn]] void refuse(const uint8_t* bytes, size_t length) {
  std::string shown;
  for (size_t i = 0; i < length; ++i) shown += fmt::format("{}{:#04x}", i ? " " : "", bytes[i]);
  throw Error(sqlstate::kCharacterNotInRepertoire,
              "invalid byte sequence for encoding \"UTF8\": {}", shown);
}

}  // namespace

void check_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = at + text.size();
  while (at < end) {
    // Eight ASCII bytes at a time: nearly all there ever is.
    while (end - at >= 8 && (load_le<uint64_t>(at) & 0x8080808080808080u) == 0) at += 8;
    if (at == end) return;
    size_t length = std::min(length_of(*at), static_cast<size_t>(end - at));
    if (length < length_of(*at) || !is_character(at, length)) refuse(at, length);
    at += length;
  }
}

}  // namespace cofork
