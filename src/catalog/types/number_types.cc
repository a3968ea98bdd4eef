// bool, the integers, floating point, oid and xid, pg_lsn, uuid: all of fixed length.
//
// A type here is a struct of static functions; row() makes its BuiltinType of them.
#include <charconv>
#include <limits>

#include "catalog/tables.h"
#include "storage/page.h"
#include "support/error.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

/// A type whose C++ value is T: what binary form, order and hash can be had from that alone.
template <typename T, T (*kParse)(std::string_view), void (*kAppend)(std::string&, T)>
struct ByValue {
  static Datum to_datum(T v) { return static_cast<Datum>(static_cast<int64_t>(v)); }
  static T of(Datum d) { return static_cast<T>(d); }

  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    return to_datum(kParse(text));
  }
  static void output(EvalContext&, Datum value, std::string& text) { kAppend(text, of(value)); }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    BinaryReader reader(bytes);
    T value = reader.take<T>();
    reader.expect_end();
    return to_datum(value);
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { append_be(bytes, of(value)); }
  static int compare(Datum a, Datum b) { return of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0; }
  static uint64_t hash(Datum value) { return hash_word(static_cast<uint64_t>(of(value))); }
};

template <typename T>
void append_signed(std::string& out, T value) {
  append_integer(out, value);
}
template <typename T>
void append_natural(std::string& out, T value) {
  append_unsigned(out, value);
}
uint32_t parse_uint4(std::string_view text) {
  return static_cast<uint32_t>(parse_unsigned_loosely(text));
}

using Int2 = ByValue<int16_t, parse_int2, append_signed<int16_t>>;
using Int4 = ByValue<int32_t, parse_int4, append_signed<int32_t>>;
using Int8 = ByValue<int64_t, parse_int8, append_signed<int64_t>>;
using OidType = ByValue<uint32_t, parse_oid, append_natural<uint32_t>>;
using Uint4 = ByValue<uint32_t, parse_uint4, append_natural<uint32_t>>;
using Uint8 = ByValue<uint64_t, parse_unsigned_loosely, append_natural<uint64_t>>;
using Lsn = ByValue<uint64_t, parse_pg_lsn, append_pg_lsn>;

struct Bool {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_bool(parse_bool(text));
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    text += datum_to_bool(value) ? 't' : 'f';
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    return datum_from_bool(BinaryReader(bytes).take<uint8_t>() != 0);
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    bytes += datum_to_bool(value) ? '\1' : '\0';
  }
  static int compare(Datum a, Datum b) { return datum_to_bool(a) - datum_to_bool(b); }
  static uint64_t hash(Datum value) { return hash_word(datum_to_bool(value)); }
};

/// -0 hashes as 0, every NaN as one.
template <typename T>
uint64_t hash_float(T value) {
  if (value == 0) value = 0;
  if (value != value) value = std::numeric_limits<T>::quiet_NaN();
  return hash_word(std::bit_cast<uint64_t>(static_cast<double>(value)));
}

struct Float4 {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_float4(parse_float4(text));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_float4(text, datum_to_float4(value), context.extra_float_digits);
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    return BinaryReader(bytes).take<uint32_t>();
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    append_be(bytes, static_cast<uint32_t>(value));
  }
  static int compare(Datum a, Datum b) {
    return compare_float(datum_to_float4(a), datum_to_float4(b));
  }
  static uint64_t hash(Datum value) { return hash_float(datum_to_float4(value)); }
};

struct Float8 {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_float8(parse_float8(text));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_float8(text, datum_to_float8(value), context.extra_float_digits);
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    return BinaryReader(bytes).take<uint64_t>();
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { append_be(bytes, value); }
  static int compare(Datum a, Datum b) {
    return compare_float(datum_to_float8(a), datum_to_float8(b));
  }
  static uint64_t hash(Datum value) { return hash_float(datum_to_float8(value)); }
};

struct Uuid {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    auto* bytes = static_cast<uint8_t*>(context.arena->allocate(16, 1));
    parse_uuid(text, bytes);
    return datum_from_pointer(bytes);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    append_uuid(text, datum_to_pointer<uint8_t>(value));
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    return datum_from_pointer(context.arena->copy(BinaryReader(bytes).take_bytes(16)).data());
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    bytes.append(datum_to_pointer(value), 16);
  }
  static int compare(Datum a, Datum b) {
    return std::memcmp(datum_to_pointer(a), datum_to_pointer(b), 16);
  }
  static uint64_t hash(Datum value) { return hash_bytes({datum_to_pointer(value), 16}); }
};

/// The place of a row version: "(block,number)" (tid.c).
struct Tid {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    uint32_t block = 0;
    uint16_t number = 0;
    const char* end = text.data() + text.size();
    size_t open = text.find('('), comma = text.find(',');
    bool fits = open != text.npos && comma != text.npos && open < comma;
    if (fits) {
      auto first = std::from_chars(text.data() + open + 1, end, block);
      auto second = std::from_chars(text.data() + comma + 1, end, number);
      fits = first.ec == std::errc{} && first.ptr != end && *first.ptr == ',' &&
             second.ec == std::errc{} && second.ptr != end && *second.ptr == ')';
    }
    if (!fits) {
      throw Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type tid: \"{}\"",
                  text);
    }
    return datum_from_pointer(context.arena->make<ItemPointer>(block, number));
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    const auto* place = datum_to_pointer<ItemPointer>(value);
    text += fmt::format("({},{})", place->block(), place->offset);
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    BinaryReader reader(bytes);
    auto block = reader.take<uint32_t>();
    return datum_from_pointer(context.arena->make<ItemPointer>(block, reader.take<uint16_t>()));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    const auto* place = datum_to_pointer<ItemPointer>(value);
    append_be(bytes, place->block());
    append_be(bytes, place->offset);
  }
  static int compare(Datum a, Datum b) {
    auto order = *datum_to_pointer<ItemPointer>(a) <=> *datum_to_pointer<ItemPointer>(b);
    return order < 0 ? -1 : order > 0;
  }
  static uint64_t hash(Datum value) { return hash_bytes({datum_to_pointer(value), 6}); }
};

struct Place {
  int16_t length;
  char align;
  char category;
  bool preferred = false;
};

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, const char* sql_name, Oid array, Place place) {
  bool by_value = place.length <= 8;
  return {
      oid,   name, sql_name, place.length, by_value,   place.align, place.category, place.preferred,
      array, 0,    T::input, T::output,    T::receive, T::send,     T::compare,     T::hash};
}

/// xid and cid can be compared for equality, not ordered.
constexpr BuiltinType unordered(BuiltinType type) {
  type.compare = nullptr;
  return type;
}

/// Six bytes are no Datum.
constexpr BuiltinType by_reference(BuiltinType type) {
  type.by_value = false;
  return type;
}

constexpr BuiltinType kRows[] = {
    row<Bool>(kBool, "bool", "boolean", kBoolArray, {1, 'c', 'B', true}),
    row<Int8>(kInt8, "int8", "bigint", kInt8Array, {8, 'd', 'N'}),
    row<Int2>(kInt2, "int2", "smallint", kInt2Array, {2, 's', 'N'}),
    row<Int4>(kInt4, "int4", "integer", kInt4Array, {4, 'i', 'N'}),
    row<OidType>(kOid, "oid", "oid", kOidArray, {4, 'i', 'N', true}),
    unordered(row<Uint4>(kXid, "xid", "xid", kXidArray, {4, 'i', 'U'})),
    unordered(row<Uint4>(kCid, "cid", "cid", kCidArray, {4, 'i', 'U'})),
    by_reference(row<Tid>(kTid, "tid", "tid", kTidArray, {6, 's', 'U'})),
    row<Float4>(kFloat4, "float4", "real", kFloat4Array, {4, 'i', 'N'}),
    row<Float8>(kFloat8, "float8", "double precision", kFloat8Array, {8, 'd', 'N', true}),
    row<Uuid>(kUuid, "uuid", "uuid", kUuidArray, {16, 'c', 'U'}),
    row<Lsn>(kPgLsn, "pg_lsn", "pg_lsn", kPgLsnArray, {8, 'd', 'U'}),
    row<Uint8>(kXid8, "xid8", "xid8", kXid8Array, {8, 'd', 'U'}),
};

}  // namespace

constinit const std::span<const BuiltinType> kNumberTypes = kRows;

}  // namespace cofork
