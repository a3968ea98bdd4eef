// bit(n) and bit varying(n).
#include "catalog/function_tables.h"
#include "support/error.h"
#include "types/binary_reader.h"
#include "types/bits.h"
#include "types/hash.h"

namespace cofork {

using namespace type_oid;

namespace {

template <bool kVarying>
struct BitString {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return parse_bits(*context.arena, text, typmod, kVarying);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    append_bits(text, Bits(value));
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes,
                       int32_t typmod) {
    BinaryReader reader(bytes);
    int32_t size = reader.take<int32_t>();
    if (size < 0 || size > INT32_MAX - 7) {
      throw Error(sqlstate::kInvalidBinaryRepresentation, "invalid length in external bit string");
    }
    auto count = static_cast<size_t>(size + 7) / 8;
    std::string_view data = reader.take_bytes(count);
    Datum bits = make_bits(*context.arena, size);
    for (int32_t i = 0; i < size; ++i) {
      set_bit(bits, i, static_cast<uint8_t>(data[static_cast<size_t>(i / 8)]) >> (7 - i % 8) & 1);
    }
    return fit_bits(*context.arena, bits, typmod, kVarying, false);
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    Bits bits(value);
    append_be(bytes, bits.size());
    bytes += bits.bytes();
  }
};
int compare(Datum a, Datum b) {
  return compare_bits(Bits(a), Bits(b));
}
uint64_t hash(Datum value) {
  return hash_bytes(varlena_view(value));
}

int32_t typmod_of(std::span<const int32_t> modifiers, const char* type) {
  if (modifiers.size() != 1) throw Error(sqlstate::kInvalidParameterValue, "invalid type modifier");
  if (modifiers[0] < 1) {
    throw Error(sqlstate::kInvalidParameterValue, "length for type {} must be at least 1", type);
  }
  return modifiers[0];
}
int32_t bit_typmod(std::span<const int32_t> modifiers) {
  return typmod_of(modifiers, "bit");
}
int32_t varbit_typmod(std::span<const int32_t> modifiers) {
  return typmod_of(modifiers, "varbit");
}
std::string show_typmod(int32_t typmod) {
  return fmt::format("({})", typmod);
}

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, const char* sql_name, bool preferred,
                          Oid array, int32_t (*typmod_in)(std::span<const int32_t>)) {
  return {oid, name,     sql_name,  -1,         false,   'i',     'V',  preferred, array,
          0,   T::input, T::output, T::receive, T::send, compare, hash, typmod_in, show_typmod};
}

constexpr BuiltinType kRows[] = {
    row<BitString<false>>(kBit, "bit", "bit", false, kBitArray, bit_typmod),
    row<BitString<true>>(kVarbit, "varbit", "bit varying", true, kVarbitArray, varbit_typmod),
};

}  // namespace

constinit const std::span<const BuiltinType> kBitTypes = kRows;

}  // namespace cofork
