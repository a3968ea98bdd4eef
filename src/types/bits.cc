// Strings of bits. See bits.h.
#include "types/bits.h"

#include <algorithm>

#include "support/error.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

Datum make_bits(Arena& arena, int32_t size) {
  size_t bytes = static_cast<size_t>(size + 7) / 8;
  char* varlena = allocate_varlena(arena, 4 + bytes);
  store_le(varlena + 4, size);
  std::memset(varlena + 8, 0, bytes);
  return datum_from_pointer(varlena);
}

void set_bit(Datum bits, int32_t i, bool value) {
  char& byte = const_cast<char*>(datum_to_pointer(bits))[8 + i / 8];
  int mask = 0x80 >> (i % 8);
  byte = static_cast<char>(value ? byte | mask : byte & ~mask);
}

namespace {

void check_length(int32_t size, int32_t typmod, bool varying) {
  if (typmod < 0) return;
  if (varying && size > typmod) {
    throw Error(sqlstate::kStringDataRightTruncation,
                "bit string too long for type bit varying({})", typmod);
  }
  if (!varying && size != typmod) {
    throw Error(sqlstate::kStringDataLengthMismatch,
                "bit string length {} does not match type bit({})", size, typmod);
  }
}

}  // namespace

Datum parse_bits(Arena& arena, std::string_view text, int32_t typmod, bool varying) {
  bool hexadecimal = text.starts_with('x') || text.starts_with('X');
  if (hexadecimal || text.starts_with('b') || text.starts_with('B')) text.remove_prefix(1);
  int per_digit = hexadecimal ? 4 : 1;
  auto size = static_cast<int32_t>(text.size()) * per_digit;
  check_length(size, typmod, varying);
  Datum bits = make_bits(arena, size);
  for (size_t i = 0; i < text.size(); ++i) {
    int digit = hex_value(text[i]);
    if (digit < 0 || (!hexadecimal && digit > 1)) {
      throw Error(sqlstate::kInvalidTextRepresentation, "\"{}\" is not a valid {} digit",
                  text.substr(i, utf8_char_bytes(text[i])), hexadecimal ? "hexadecimal" : "binary");
    }
    for (int k = 0; k < per_digit; ++k) {
      set_bit(bits, static_cast<int32_t>(i) * per_digit + k, digit >> (per_digit - 1 - k) & 1);
    }
  }
  return bits;
}

void append_bits(std::string& out, const Bits& bits) {
  for (int32_t i = 0; i < bits.size(); ++i) out += bits.at(i) ? '1' : '0';
}

Datum fit_bits(Arena& arena, Datum value, int32_t typmod, bool varying, bool is_explicit) {
  Bits bits(value);
  if (typmod < 0 || bits.size() == typmod || (varying && bits.size() < typmod)) return value;
  if (!is_explicit) check_length(bits.size(), typmod, varying);
  Datum fitted = make_bits(arena, typmod);
  for (int32_t i = 0; i < std::min(typmod, bits.size()); ++i) set_bit(fitted, i, bits.at(i));
  return fitted;
}

int compare_bits(const Bits& a, const Bits& b) {
  int order = a.bytes().compare(b.bytes());
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

Datum bits_substring(Arena& arena, const Bits& bits, int64_t start, int64_t length) {
  if (length < 0) {
    throw Error(sqlstate::kSubstringError, "negative substring length not allowed");
  }
  int64_t end = std::min<int64_t>(start + length, int64_t{bits.size()} + 1);
  start = std::max<int64_t>(start, 1);
  Datum part = make_bits(arena, static_cast<int32_t>(std::max<int64_t>(end - start, 0)));
  for (int64_t i = start; i < end; ++i) {
    set_bit(part, static_cast<int32_t>(i - start), bits.at(static_cast<int32_t>(i - 1)));
  }
  return part;
}

}  // namespace cofork
