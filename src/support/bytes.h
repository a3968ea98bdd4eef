// Reading and writing integers in byte buffers: little-endian as PostgreSQL stores them on
// x86-64, network order as the wire protocol wants them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace cofork {

static_assert(std::endian::native == std::endian::little,
              "the on-disk formats are those of a little-endian PostgreSQL");

template <typename T>
T load_le(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store_le(void* to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof value);
}

inline uint8_t byte_swap(uint8_t v) { return v; }
inline uint16_t byte_swap(uint16_t v) { return __builtin_bswap16(v); }
inline uint32_t byte_swap(uint32_t v) { return __builtin_bswap32(v); }
inline uint64_t byte_swap(uint64_t v) { return __builtin_bswap64(v); }

template <typename T>
T load_be(const void* from) {
  return static_cast<T>(byte_swap(load_le<std::make_unsigned_t<T>>(from)));
}

template <typename T>
void store_be(void* to, T value) {
  store_le(to, byte_swap(static_cast<std::make_unsigned_t<T>>(value)));
}

template <typename T>
void append_be(std::string& out, T value) {
  char bytes[sizeof(T)];
  store_be(bytes, value);
  out.append(bytes, sizeof bytes);
}

/// Rounds up to a multiple of `alignment`, a power of two (MAXALIGN is align_up(n, 8)).
constexpr uint64_t align_up(uint64_t n, uint64_t alignment) {
  return (n + alignment - 1) & ~(alignment - 1);
}

}  // namespace cofork
