// Arithmetic and bits of int2, int4, int8, and what oid shares with them.
//
// Every result that does not fit is 22003, every division by zero 22012. As int.c and int8.c,
// PostgreSQL 15.
#include <bit>
#include <limits>
#include <numeric>

#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

void throw_out_of_range(const char* type) {
  throw Error(sqlstate::kNumericValueOutOfRange, "{} out of range", type);
}

namespace {

template <typename T>
constexpr const char* kTypeName = "bigint";
template <>
constexpr const char* kTypeName<int16_t> = "smallint";
template <>
constexpr const char* kTypeName<int32_t> = "integer";

[[noreturn]] void throw_division_by_zero() {
  throw Error(sqlstate::kDivisionByZero, "division by zero");
}

// A and B may differ (int4 + int8); the result has the wider type.
template <typename A, typename B>
using Wider = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;

template <typename A, typename B>
Wider<A, B> plus(A a, B b) {
  Wider<A, B> result;
  if (__builtin_add_overflow(a, b, &result)) throw_out_of_range(kTypeName<Wider<A, B>>);
  return result;
}
template <typename A, typename B>
Wider<A, B> minus(A a, B b) {
  Wider<A, B> result;
  if (__builtin_sub_overflow(a, b, &result)) throw_out_of_range(kTypeName<Wider<A, B>>);
  return result;
}
template <typename A, typename B>
Wider<A, B> times(A a, B b) {
  Wider<A, B> result;
  if (__builtin_mul_overflow(a, b, &result)) throw_out_of_range(kTypeName<Wider<A, B>>);
  return result;
}
template <typename A, typename B>
Wider<A, B> divide(A a, B b) {
  using T = Wider<A, B>;
  if (b == 0) throw_division_by_zero();
  if (b == -1) return minus<T, T>(0, a);  // the only quotient that can overflow
  return static_cast<T>(a / b);
}
template <typename T>
T modulo(T a, T b) {
  if (b == 0) throw_division_by_zero();
  if (b == -1) return 0;  // the processor would trap on the most negative value
  return static_cast<T>(a % b);
}
template <typename T>
T negate(T a) {
  return minus<T, T>(0, a);
}
template <typename T>
T same(T a) {
  return a;
}
template <typename T>
T absolute(T a) {
  return a < 0 ? negate(a) : a;
}
template <typename T>
T bit_and(T a, T b) {
  return static_cast<T>(a & b);
}
template <typename T>
T bit_or(T a, T b) {
  return static_cast<T>(a | b);
}
template <typename T>
T bit_xor(T a, T b) {
  return static_cast<T>(a ^ b);
}
template <typename T>
T bit_not(T a) {
  return static_cast<T>(~a);
}
// A shift count counts modulo the processor's word, as in C on x86-64.
template <typename T>
T shift_left(T a, int32_t count) {
  constexpr int kMask = sizeof(T) == 8 ? 63 : 31;
  return static_cast<T>(static_cast<uint64_t>(int64_t{a}) << (count & kMask));
}
template <typename T>
T shift_right(T a, int32_t count) {
  constexpr int kMask = sizeof(T) == 8 ? 63 : 31;
  return static_cast<T>(int64_t{a} >> (count & kMask));
}
template <typename T>
T larger(T a, T b) {
  return a > b ? a : b;
}
template <typename T>
T smaller(T a, T b) {
  return a < b ? a : b;
}

template <typename T>
T greatest_common_divisor(T a, T b) {
  using U = std::make_unsigned_t<T>;
  auto magnitude = [](T v) {
    return v < 0 ? static_cast<U>(U{0} - static_cast<U>(v)) : static_cast<U>(v);
  };
  U result = std::gcd(magnitude(a), magnitude(b));
  if (result > static_cast<U>(std::numeric_limits<T>::max())) throw_out_of_range(kTypeName<T>);
  return static_cast<T>(result);
}
template <typename T>
T least_common_multiple(T a, T b) {
  if (a == 0 || b == 0) return 0;
  return absolute(times<T, T>(a / greatest_common_divisor(a, b), b));
}

template <typename To, typename From>
To narrow(From value) {
  if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max()) {
    throw_out_of_range(kTypeName<To>);
  }
  return static_cast<To>(value);
}
template <typename To, typename From>
To widen(From value) {
  return static_cast<To>(value);
}
Oid int8_to_oid(int64_t value) {
  if (value < 0 || value > UINT32_MAX)
    throw Error(sqlstate::kNumericValueOutOfRange, "OID out of range");
  return static_cast<Oid>(value);
}
bool int4_to_bool(int32_t value) {
  return value != 0;
}
char int4_to_char(int32_t value) {
  if (value < -128 || value > 127) throw_out_of_range("\"char\"");
  return static_cast<char>(value);
}
int32_t char_to_int4(char value) {
  return static_cast<signed char>(value);
}

std::string to_hex4(int32_t value) {
  return fmt::format("{:x}", static_cast<uint32_t>(value));
}
std::string to_hex8(int64_t value) {
  return fmt::format("{:x}", static_cast<uint64_t>(value));
}

Oid oid_larger(Oid a, Oid b) {
  return a > b ? a : b;
}
Oid oid_smaller(Oid a, Oid b) {
  return a < b ? a : b;
}

/// generate_series over int4 and int8: a value that would overflow is simply past the end.
template <typename T>
bool generate_series(SetCall& set) {
  struct State {
    T next;
    T last;
    T step;
    bool done;
  };
  auto* state = static_cast<State*>(set.state);
  if (state == nullptr) {
    const Datum* args = set.call.args;
    T step = set.call.count > 2 ? Convert<T>::from(args[2]) : T{1};
    if (step == 0) throw Error(sqlstate::kInvalidParameterValue, "step size cannot equal zero");
    state = set.state_arena.make<State>(Convert<T>::from(args[0]), Convert<T>::from(args[1]), step,
                                        false);
    set.state = state;
  }
  bool past = state->step > 0 ? state->next > state->last : state->next < state->last;
  if (state->done || past) return false;
  set.values[0] = Convert<T>::to(set.state_arena, state->next);
  state->done = __builtin_add_overflow(state->next, state->step, &state->next);
  return true;
}

constexpr BuiltinFunction kRows[] = {
    {176, "int2pl", kInt2, {kInt2, kInt2}, fn<plus<int16_t, int16_t>>},
    {177, "int4pl", kInt4, {kInt4, kInt4}, fn<plus<int32_t, int32_t>>},
    {463, "int8pl", kInt8, {kInt8, kInt8}, fn<plus<int64_t, int64_t>>},
    {178, "int24pl", kInt4, {kInt2, kInt4}, fn<plus<int16_t, int32_t>>},
    {179, "int42pl", kInt4, {kInt4, kInt2}, fn<plus<int32_t, int16_t>>},
    {841, "int28pl", kInt8, {kInt2, kInt8}, fn<plus<int16_t, int64_t>>},
    {837, "int82pl", kInt8, {kInt8, kInt2}, fn<plus<int64_t, int16_t>>},
    {1278, "int48pl", kInt8, {kInt4, kInt8}, fn<plus<int32_t, int64_t>>},
    {1274, "int84pl", kInt8, {kInt8, kInt4}, fn<plus<int64_t, int32_t>>},
    {180, "int2mi", kInt2, {kInt2, kInt2}, fn<minus<int16_t, int16_t>>},
    {181, "int4mi", kInt4, {kInt4, kInt4}, fn<minus<int32_t, int32_t>>},
    {464, "int8mi", kInt8, {kInt8, kInt8}, fn<minus<int64_t, int64_t>>},
    {182, "int24mi", kInt4, {kInt2, kInt4}, fn<minus<int16_t, int32_t>>},
    {183, "int42mi", kInt4, {kInt4, kInt2}, fn<minus<int32_t, int16_t>>},
    {942, "int28mi", kInt8, {kInt2, kInt8}, fn<minus<int16_t, int64_t>>},
    {838, "int82mi", kInt8, {kInt8, kInt2}, fn<minus<int64_t, int16_t>>},
    {1279, "int48mi", kInt8, {kInt4, kInt8}, fn<minus<int32_t, int64_t>>},
    {1275, "int84mi", kInt8, {kInt8, kInt4}, fn<minus<int64_t, int32_t>>},
    {152, "int2mul", kInt2, {kInt2, kInt2}, fn<times<int16_t, int16_t>>},
    {141, "int4mul", kInt4, {kInt4, kInt4}, fn<times<int32_t, int32_t>>},
    {465, "int8mul", kInt8, {kInt8, kInt8}, fn<times<int64_t, int64_t>>},
    {170, "int24mul", kInt4, {kInt2, kInt4}, fn<times<int16_t, int32_t>>},
    {171, "int42mul", kInt4, {kInt4, kInt2}, fn<times<int32_t, int16_t>>},
    {943, "int28mul", kInt8, {kInt2, kInt8}, fn<times<int16_t, int64_t>>},
    {839, "int82mul", kInt8, {kInt8, kInt2}, fn<times<int64_t, int16_t>>},
    {1280, "int48mul", kInt8, {kInt4, kInt8}, fn<times<int32_t, int64_t>>},
    {1276, "int84mul", kInt8, {kInt8, kInt4}, fn<times<int64_t, int32_t>>},
    {153, "int2div", kInt2, {kInt2, kInt2}, fn<divide<int16_t, int16_t>>},
    {154, "int4div", kInt4, {kInt4, kInt4}, fn<divide<int32_t, int32_t>>},
    {466, "int8div", kInt8, {kInt8, kInt8}, fn<divide<int64_t, int64_t>>},
    {172, "int24div", kInt4, {kInt2, kInt4}, fn<divide<int16_t, int32_t>>},
    {173, "int42div", kInt4, {kInt4, kInt2}, fn<divide<int32_t, int16_t>>},
    {948, "int28div", kInt8, {kInt2, kInt8}, fn<divide<int16_t, int64_t>>},
    {840, "int82div", kInt8, {kInt8, kInt2}, fn<divide<int64_t, int16_t>>},
    {1281, "int48div", kInt8, {kInt4, kInt8}, fn<divide<int32_t, int64_t>>},
    {1277, "int84div", kInt8, {kInt8, kInt4}, fn<divide<int64_t, int32_t>>},
    {155, "int2mod", kInt2, {kInt2, kInt2}, fn<modulo<int16_t>>},
    {940, "mod", kInt2, {kInt2, kInt2}, fn<modulo<int16_t>>},
    {156, "int4mod", kInt4, {kInt4, kInt4}, fn<modulo<int32_t>>},
    {941, "mod", kInt4, {kInt4, kInt4}, fn<modulo<int32_t>>},
    {945, "int8mod", kInt8, {kInt8, kInt8}, fn<modulo<int64_t>>},
    {947, "mod", kInt8, {kInt8, kInt8}, fn<modulo<int64_t>>},
    {213, "int2um", kInt2, {kInt2}, fn<negate<int16_t>>},
    {212, "int4um", kInt4, {kInt4}, fn<negate<int32_t>>},
    {462, "int8um", kInt8, {kInt8}, fn<negate<int64_t>>},
    {1911, "int2up", kInt2, {kInt2}, fn<same<int16_t>>},
    {1912, "int4up", kInt4, {kInt4}, fn<same<int32_t>>},
    {1910, "int8up", kInt8, {kInt8}, fn<same<int64_t>>},
    {1253, "int2abs", kInt2, {kInt2}, fn<absolute<int16_t>>},
    {1398, "abs", kInt2, {kInt2}, fn<absolute<int16_t>>},
    {1251, "int4abs", kInt4, {kInt4}, fn<absolute<int32_t>>},
    {1397, "abs", kInt4, {kInt4}, fn<absolute<int32_t>>},
    {1230, "int8abs", kInt8, {kInt8}, fn<absolute<int64_t>>},
    {1396, "abs", kInt8, {kInt8}, fn<absolute<int64_t>>},
    {1892, "int2and", kInt2, {kInt2, kInt2}, fn<bit_and<int16_t>>},
    {1898, "int4and", kInt4, {kInt4, kInt4}, fn<bit_and<int32_t>>},
    {1904, "int8and", kInt8, {kInt8, kInt8}, fn<bit_and<int64_t>>},
    {1893, "int2or", kInt2, {kInt2, kInt2}, fn<bit_or<int16_t>>},
    {1899, "int4or", kInt4, {kInt4, kInt4}, fn<bit_or<int32_t>>},
    {1905, "int8or", kInt8, {kInt8, kInt8}, fn<bit_or<int64_t>>},
    {1894, "int2xor", kInt2, {kInt2, kInt2}, fn<bit_xor<int16_t>>},
    {1900, "int4xor", kInt4, {kInt4, kInt4}, fn<bit_xor<int32_t>>},
    {1906, "int8xor", kInt8, {kInt8, kInt8}, fn<bit_xor<int64_t>>},
    {1895, "int2not", kInt2, {kInt2}, fn<bit_not<int16_t>>},
    {1901, "int4not", kInt4, {kInt4}, fn<bit_not<int32_t>>},
    {1907, "int8not", kInt8, {kInt8}, fn<bit_not<int64_t>>},
    {1896, "int2shl", kInt2, {kInt2, kInt4}, fn<shift_left<int16_t>>},
    {1902, "int4shl", kInt4, {kInt4, kInt4}, fn<shift_left<int32_t>>},
    {1908, "int8shl", kInt8, {kInt8, kInt4}, fn<shift_left<int64_t>>},
    {1897, "int2shr", kInt2, {kInt2, kInt4}, fn<shift_right<int16_t>>},
    {1903, "int4shr", kInt4, {kInt4, kInt4}, fn<shift_right<int32_t>>},
    {1909, "int8shr", kInt8, {kInt8, kInt4}, fn<shift_right<int64_t>>},
    {770, "int2larger", kInt2, {kInt2, kInt2}, fn<larger<int16_t>>},
    {768, "int4larger", kInt4, {kInt4, kInt4}, fn<larger<int32_t>>},
    {1236, "int8larger", kInt8, {kInt8, kInt8}, fn<larger<int64_t>>},
    {771, "int2smaller", kInt2, {kInt2, kInt2}, fn<smaller<int16_t>>},
    {769, "int4smaller", kInt4, {kInt4, kInt4}, fn<smaller<int32_t>>},
    {1237, "int8smaller", kInt8, {kInt8, kInt8}, fn<smaller<int64_t>>},
    {5044, "gcd", kInt4, {kInt4, kInt4}, fn<greatest_common_divisor<int32_t>>},
    {5045, "gcd", kInt8, {kInt8, kInt8}, fn<greatest_common_divisor<int64_t>>},
    {5046, "lcm", kInt4, {kInt4, kInt4}, fn<least_common_multiple<int32_t>>},
    {5047, "lcm", kInt8, {kInt8, kInt8}, fn<least_common_multiple<int64_t>>},
    {313, "int4", kInt4, {kInt2}, fn<widen<int32_t, int16_t>>},
    {754, "int8", kInt8, {kInt2}, fn<widen<int64_t, int16_t>>},
    {481, "int8", kInt8, {kInt4}, fn<widen<int64_t, int32_t>>},
    {314, "int2", kInt2, {kInt4}, fn<narrow<int16_t, int32_t>>},
    {714, "int2", kInt2, {kInt8}, fn<narrow<int16_t, int64_t>>},
    {480, "int4", kInt4, {kInt8}, fn<narrow<int32_t, int64_t>>},
    {1288, "int8", kInt8, {kOid}, fn<widen<int64_t, uint32_t>>},
    {1287, "oid", kOid, {kInt8}, fn<int8_to_oid>},
    {2557, "bool", kBool, {kInt4}, fn<int4_to_bool>},
    {2558, "int4", kInt4, {kBool}, fn<widen<int32_t, bool>>},
    {78, "char", kChar, {kInt4}, fn<int4_to_char>},
    {77, "int4", kInt4, {kChar}, fn<char_to_int4>},
    {2089, "to_hex", kText, {kInt4}, fn<to_hex4>},
    {2090, "to_hex", kText, {kInt8}, fn<to_hex8>},
    {1965, "oidlarger", kOid, {kOid, kOid}, fn<oid_larger>},
    {1966, "oidsmaller", kOid, {kOid, kOid}, fn<oid_smaller>},
    {1067, "generate_series", kInt4, {kInt4, kInt4}, nullptr, generate_series<int32_t>},
    {1066, "generate_series", kInt4, {kInt4, kInt4, kInt4}, nullptr, generate_series<int32_t>},
    {1069, "generate_series", kInt8, {kInt8, kInt8}, nullptr, generate_series<int64_t>},
    {1068, "generate_series", kInt8, {kInt8, kInt8, kInt8}, nullptr, generate_series<int64_t>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kIntegerFunctions = kRows;

}  // namespace cofork
