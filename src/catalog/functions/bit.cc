// Functions and operators of bit strings. As varbit.c, PostgreSQL 15.
#include <algorithm>
#include <bit>

#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/bits.h"

namespace cofork {

using namespace type_oid;

namespace {

int order(Datum a, Datum b) {
  return compare_bits(Bits(a), Bits(b));
}
bool eq(Datum a, Datum b) {
  return order(a, b) == 0;
}
bool ne(Datum a, Datum b) {
  return order(a, b) != 0;
}
bool lt(Datum a, Datum b) {
  return order(a, b) < 0;
}
bool le(Datum a, Datum b) {
  return order(a, b) <= 0;
}
bool gt(Datum a, Datum b) {
  return order(a, b) > 0;
}
bool ge(Datum a, Datum b) {
  return order(a, b) >= 0;
}

template <typename F>
Datum combine(Arena& arena, Datum a, Datum b, const char* verb, F f) {
  Bits x(a), y(b);
  if (x.size() != y.size()) {
    throw Error(sqlstate::kStringDataLengthMismatch, "cannot {} bit strings of different sizes",
                verb);
  }
  Datum out = make_bits(arena, x.size());
  for (int32_t i = 0; i < x.size(); ++i) set_bit(out, i, f(x.at(i), y.at(i)));
  return out;
}
Datum bits_and(Arena& arena, Datum a, Datum b) {
  return combine(arena, a, b, "AND", [](bool x, bool y) { return x && y; });
}
Datum bits_or(Arena& arena, Datum a, Datum b) {
  return combine(arena, a, b, "OR", [](bool x, bool y) { return x || y; });
}
Datum bits_xor(Arena& arena, Datum a, Datum b) {
  return combine(arena, a, b, "XOR", [](bool x, bool y) { return x != y; });
}
Datum bits_not(Arena& arena, Datum a) {
  Bits bits(a);
  Datum out = make_bits(arena, bits.size());
  for (int32_t i = 0; i < bits.size(); ++i) set_bit(out, i, !bits.at(i));
  return out;
}
Datum concatenate(Arena& arena, Datum a, Datum b) {
  Bits x(a), y(b);
  Datum out = make_bits(arena, x.size() + y.size());
  for (int32_t i = 0; i < x.size(); ++i) set_bit(out, i, x.at(i));
  for (int32_t i = 0; i < y.size(); ++i) set_bit(out, x.size() + i, y.at(i));
  return out;
}
/// Towards the front by `count`; zeros follow.
Datum shift(Arena& arena, Datum a, int64_t count) {
  Bits bits(a);
  Datum out = make_bits(arena, bits.size());
  for (int32_t i = 0; i < bits.size(); ++i) {
    int64_t from = i + count;
    if (from >= 0 && from < bits.size()) set_bit(out, i, bits.at(static_cast<int32_t>(from)));
  }
  return out;
}
Datum shift_left(Arena& arena, Datum a, int32_t count) {
  return shift(arena, a, count);
}
Datum shift_right(Arena& arena, Datum a, int32_t count) {
  return shift(arena, a, -int64_t{count});
}

int32_t length(Datum a) {
  return Bits(a).size();
}
int32_t octet_length(Datum a) {
  return (Bits(a).size() + 7) / 8;
}
int64_t bit_count(Datum a) {
  int64_t count = 0;
  for (char c : Bits(a).bytes()) count += std::popcount(static_cast<uint8_t>(c));
  return count;
}
Datum substring(Arena& arena, Datum a, int32_t start, int32_t size) {
  return bits_substring(arena, Bits(a), start, size);
}
Datum substring_to_end(Arena& arena, Datum a, int32_t start) {
  return bits_substring(arena, Bits(a), start, int64_t{INT32_MAX} * 2);
}
void check_index(const Bits& bits, int32_t index) {
  if (index >= 0 && index < bits.size()) return;
  throw Error(sqlstate::kArraySubscriptError, "bit index {} out of valid range (0..{})", index,
              bits.size() - 1);
}
int32_t get_bit_at(Datum a, int32_t index) {
  Bits bits(a);
  check_index(bits, index);
  return bits.at(index);
}
Datum set_bit_at(Arena& arena, Datum a, int32_t index, int32_t value) {
  Bits bits(a);
  check_index(bits, index);
  if (value != 0 && value != 1)
    throw Error(sqlstate::kInvalidParameterValue, "new bit must be 0 or 1");
  Datum copy = varlena_from(arena, varlena_view(a));
  set_bit(copy, index, value != 0);
  return copy;
}

/// The lowest `size` bits of an integer; higher ones repeat its sign.
Datum from_integer(Arena& arena, int64_t value, int32_t size) {
  if (size <= 0) size = 1;
  Datum out = make_bits(arena, size);
  for (int32_t i = 0; i < size; ++i) {
    int32_t place = std::min(size - 1 - i, 63);
    set_bit(out, i, value >> place & 1);
  }
  return out;
}
Datum from_int4(Arena& arena, int32_t value, int32_t size) {
  return from_integer(arena, value, size);
}
Datum from_int8(Arena& arena, int64_t value, int32_t size) {
  return from_integer(arena, value, size);
}
int64_t to_integer(const Bits& bits, int32_t most, const char* type) {
  if (bits.size() > most) throw_out_of_range(type);
  int64_t value = 0;
  for (int32_t i = 0; i < bits.size(); ++i)
    value = static_cast<int64_t>(static_cast<uint64_t>(value) << 1) | bits.at(i);
  return value;
}
int32_t to_int4(Datum a) {
  return static_cast<int32_t>(to_integer(Bits(a), 32, "integer"));
}
int64_t to_int8(Datum a) {
  return to_integer(Bits(a), 64, "bigint");
}
Datum fit_bit(Arena& arena, Datum a, int32_t typmod, bool is_explicit) {
  return fit_bits(arena, a, typmod, false, is_explicit);
}
Datum fit_varbit(Arena& arena, Datum a, int32_t typmod, bool is_explicit) {
  return fit_bits(arena, a, typmod, true, is_explicit);
}

constexpr BuiltinFunction kRows[] = {
    {1581, "biteq", kBool, {kBit, kBit}, fn<eq>},
    {1666, "varbiteq", kBool, {kVarbit, kVarbit}, fn<eq>},
    {1582, "bitne", kBool, {kBit, kBit}, fn<ne>},
    {1667, "varbitne", kBool, {kVarbit, kVarbit}, fn<ne>},
    {1595, "bitlt", kBool, {kBit, kBit}, fn<lt>},
    {1671, "varbitlt", kBool, {kVarbit, kVarbit}, fn<lt>},
    {1594, "bitle", kBool, {kBit, kBit}, fn<le>},
    {1670, "varbitle", kBool, {kVarbit, kVarbit}, fn<le>},
    {1593, "bitgt", kBool, {kBit, kBit}, fn<gt>},
    {1669, "varbitgt", kBool, {kVarbit, kVarbit}, fn<gt>},
    {1592, "bitge", kBool, {kBit, kBit}, fn<ge>},
    {1668, "varbitge", kBool, {kVarbit, kVarbit}, fn<ge>},
    {1596, "bitcmp", kInt4, {kBit, kBit}, fn<order>},
    {1672, "varbitcmp", kInt4, {kVarbit, kVarbit}, fn<order>},
    {1673, "bitand", kBit, {kBit, kBit}, fn<bits_and>},
    {1674, "bitor", kBit, {kBit, kBit}, fn<bits_or>},
    {1675, "bitxor", kBit, {kBit, kBit}, fn<bits_xor>},
    {1676, "bitnot", kBit, {kBit}, fn<bits_not>},
    {1679, "bitcat", kVarbit, {kVarbit, kVarbit}, fn<concatenate>},
    {1677, "bitshiftleft", kBit, {kBit, kInt4}, fn<shift_left>},
    {1678, "bitshiftright", kBit, {kBit, kInt4}, fn<shift_right>},
    {1681, "length", kInt4, {kBit}, fn<length>},
    {1682, "octet_length", kInt4, {kBit}, fn<octet_length>},
    {1812, "bit_length", kInt4, {kBit}, fn<length>},
    {6162, "bit_count", kInt8, {kBit}, fn<bit_count>},
    {1680, "substring", kBit, {kBit, kInt4, kInt4}, fn<substring>},
    {1699, "substring", kBit, {kBit, kInt4}, fn<substring_to_end>},
    {3032, "get_bit", kInt4, {kBit, kInt4}, fn<get_bit_at>},
    {3033, "set_bit", kBit, {kBit, kInt4, kInt4}, fn<set_bit_at>},
    {1683, "bit", kBit, {kInt4, kInt4}, fn<from_int4>},
    {2075, "bit", kBit, {kInt8, kInt4}, fn<from_int8>},
    {1684, "int4", kInt4, {kBit}, fn<to_int4>},
    {2076, "int8", kInt8, {kBit}, fn<to_int8>},
    {1685, "bit", kBit, {kBit, kInt4, kBool}, fn<fit_bit>},
    {1687, "varbit", kVarbit, {kVarbit, kInt4, kBool}, fn<fit_varbit>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kBitFunctions = kRows;

}  // namespace cofork
