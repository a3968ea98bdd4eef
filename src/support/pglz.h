// pglz: PostgreSQL's own compression of long values, fast and of the LZ family (pg_lzcompress.c,
// 15).
//
// The stream is groups of a control byte and eight items, its bits from the lowest up: 0 is one
// byte as it is; 1 is a reference of two bytes, high four bits of the offset and length - 3 in the
// first, low eight of the offset in the second; length 18 says that a third byte adds to it. So a
// reference reaches 4095 bytes back and copies 3 to 273 bytes; it may overlap its own result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cofork {

/// Room that compressing `bytes` may need.
constexpr size_t pglz_room(size_t bytes) {
  return bytes + 4;
}

/// Compresses into `to`, which has pglz_room(). Nothing when it does not pay: fewer than 32 bytes,
/// nothing repeated in the first 1024, or less than a quarter saved (PGLZ_strategy_default).
std::optional<size_t> pglz_compress(std::string_view from, char* to);

/// Decompresses exactly `count` bytes; with `prefix` it stops when that many are there, though the
/// stream goes on. False for a damaged stream.
bool pglz_decompress(std::string_view from, char* to, size_t count, bool prefix = false);

}  // namespace cofork
