// bit(n) and bit varying: strings of bits.
//
// In memory a varlena of PostgreSQL's form: int32 number of bits, then the bits from the highest of
// the first byte on; unused bits of the last byte are zero. As varbit.c, PostgreSQL 15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

class Bits {
 public:
  explicit Bits(Datum value) : payload_(varlena_view(value)) {}

  int32_t size() const { return load_le<int32_t>(payload_.data()); }
  std::string_view bytes() const { return payload_.substr(4); }
  bool at(int32_t i) const {
    return (static_cast<uint8_t>(payload_[4 + static_cast<size_t>(i / 8)]) >> (7 - i % 8) & 1) != 0;
  }

 private:
  std::string_view payload_;
};

/// `size` zero bits in `arena`, to be set with set_bit().
Datum make_bits(Arena& arena, int32_t size);
void set_bit(Datum bits, int32_t i, bool value);

/// "1010", or with a prefix B'…' or X'…' as the parser hands it on. 22P02, 22026, 22001.
/// typmod: the length (exact for bit, at most for varbit); -1: any.
Datum parse_bits(Arena& arena, std::string_view text, int32_t typmod, bool varying);
void append_bits(std::string& out, const Bits& bits);
/// Cut or filled up with zeros on the right; not explicit: 22026 or 22001.
Datum fit_bits(Arena& arena, Datum value, int32_t typmod, bool varying, bool is_explicit);
/// As memcmp; then the shorter first.
int compare_bits(const Bits& a, const Bits& b);
/// Bits from `start` (1 is the first), at most `length`.
Datum bits_substring(Arena& arena, const Bits& bits, int64_t start, int64_t length);

}  // namespace cofork
