// Lsn: a byte position in the WAL stream (as XLogRecPtr). 0 is invalid.
//
// A type of its own, so that it is never mixed up with a block number or a header-free byte
// position. The difference of two is a plain number of bytes.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <cstdint>
#include <string>

namespace cofork {

struct Lsn {
  uint64_t value = 0;

  constexpr bool is_valid() const { return value != 0; }
  friend constexpr auto operator<=>(Lsn, Lsn) = default;
  friend constexpr Lsn operator+(Lsn a, uint64_t bytes) { return {a.value + bytes}; }
  friend constexpr Lsn operator-(Lsn a, uint64_t bytes) { return {a.value - bytes}; }
  friend constexpr uint64_t operator-(Lsn a, Lsn b) { return a.value - b.value; }
  constexpr Lsn& operator+=(uint64_t bytes) {
    value += bytes;
    return *this;
  }

  /// "0/17414D0": both halves in upper-case hexadecimal without leading zeros (LSN_FORMAT_ARGS).
  std::string text() const { return fmt::format("{:X}/{:X}", value >> 32, value & 0xFFFFFFFFu); }
};

}  // namespace cofork

template <>
struct fmt::formatter<cofork::Lsn> {
  template <typename Context>
  constexpr auto parse(Context& context) {
    return context.begin();  // no format specifications
  }
  template <typename Context>
  auto format(cofork::Lsn lsn, Context& context) const {
    return fmt::format_to(context.out(), "{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFu);
  }
};
