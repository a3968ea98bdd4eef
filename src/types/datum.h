// Datum: one SQL value in eight bytes, as in PostgreSQL.
//
// A type that is passed by value (bool, int2/4/8, float4/8, oid, date, timestamp …) lives in the
// word itself; every other type is a pointer to bytes in PostgreSQL's own memory form, so that a
// value in a page, in WAL and in an expression is the same bytes:
//
//   text, varchar, bpchar, bytea, numeric, inet, arrays   varlena: 4-byte header (length << 2,
//                       header included) or 1-byte header ((length << 1) | 1), then the payload
//   name                64 bytes, zero-padded
//   interval            16 bytes {int64 microseconds, int32 days, int32 months}
//
// Who owns the bytes: an arena (usually the statement's or the tuple's), a page that is pinned, or
// the binary itself. A Datum never owns anything. NULL is a bit beside the Datum, never in it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "support/arena.h"
#include "support/bytes.h"

namespace cofork {

using Datum = uint64_t;
using Oid = uint32_t;
inline constexpr Oid kInvalidOid = 0;

inline Datum datum_from_bool(bool v) {
  return v ? 1 : 0;
}
inline Datum datum_from_char(char v) {
  return static_cast<uint8_t>(v);
}
inline Datum datum_from_int16(int16_t v) {
  return static_cast<uint64_t>(int64_t{v});
}
inline Datum datum_from_int32(int32_t v) {
  return static_cast<uint64_t>(int64_t{v});
}
inline Datum datum_from_int64(int64_t v) {
  return static_cast<uint64_t>(v);
}
inline Datum datum_from_oid(Oid v) {
  return v;
}
inline Datum datum_from_float4(float v) {
  return std::bit_cast<uint32_t>(v);
}
inline Datum datum_from_float8(double v) {
  return std::bit_cast<uint64_t>(v);
}
inline Datum datum_from_pointer(const void* v) {
  return reinterpret_cast<uint64_t>(v);
}

inline bool datum_to_bool(Datum d) {
  return (d & 0xff) != 0;
}
inline char datum_to_char(Datum d) {
  return static_cast<char>(d);
}
inline int16_t datum_to_int16(Datum d) {
  return static_cast<int16_t>(d);
}
inline int32_t datum_to_int32(Datum d) {
  return static_cast<int32_t>(d);
}
inline int64_t datum_to_int64(Datum d) {
  return static_cast<int64_t>(d);
}
inline Oid datum_to_oid(Datum d) {
  return static_cast<Oid>(d);
}
inline float datum_to_float4(Datum d) {
  return std::bit_cast<float>(static_cast<uint32_t>(d));
}
inline double datum_to_float8(Datum d) {
  return std::bit_cast<double>(d);
}
template <typename T = char>
const T* datum_to_pointer(Datum d) {
  return reinterpret_cast<const T*>(d);
}

/// The payload of a varlena with either header (uncompressed, in line).
inline std::string_view varlena_view(Datum d) {
  const char* bytes = datum_to_pointer(d);
  auto first = static_cast<uint8_t>(bytes[0]);
  if (first & 1) return {bytes + 1, static_cast<size_t>(first >> 1) - 1};
  return {bytes + 4, static_cast<size_t>(load_le<uint32_t>(bytes) >> 2) - 4};
}

/// Room for a varlena of `payload_bytes` in `arena`, its 4-byte header already written.
inline char* allocate_varlena(Arena& arena, size_t payload_bytes) {
  char* bytes = static_cast<char*>(arena.allocate(payload_bytes + 4, 4));
  store_le(bytes, static_cast<uint32_t>((payload_bytes + 4) << 2));
  return bytes;
}

inline Datum varlena_from(Arena& arena, std::string_view payload) {
  char* bytes = allocate_varlena(arena, payload.size());
  std::memcpy(bytes + 4, payload.data(), payload.size());
  return datum_from_pointer(bytes);
}

}  // namespace cofork
