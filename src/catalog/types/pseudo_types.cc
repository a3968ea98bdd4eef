// Pseudo-types: what signatures say and no column can have. Only void has values one can see.
#include "catalog/record.h"
#include "catalog/tables.h"
#include "support/error.h"
#include "types/array.h"

namespace cofork {

using namespace type_oid;

namespace {

template <Oid kType>
constexpr const char* kName = "";
#define COFORK_PSEUDO_NAME(oid, text) \
  template <>                         \
  constexpr const char* kName<oid> = text
COFORK_PSEUDO_NAME(kRecord, "record");
COFORK_PSEUDO_NAME(kAny, "any");
COFORK_PSEUDO_NAME(kAnyArray, "anyarray");
COFORK_PSEUDO_NAME(kTrigger, "trigger");
COFORK_PSEUDO_NAME(kInternal, "internal");
COFORK_PSEUDO_NAME(kAnyElement, "anyelement");
COFORK_PSEUDO_NAME(kAnyNonArray, "anynonarray");
COFORK_PSEUDO_NAME(kAnyEnum, "anyenum");
COFORK_PSEUDO_NAME(kAnyCompatible, "anycompatible");
COFORK_PSEUDO_NAME(kAnyCompatibleArray, "anycompatiblearray");
COFORK_PSEUDO_NAME(kAnyCompatibleNonArray, "anycompatiblenonarray");
#undef COFORK_PSEUDO_NAME

template <Oid kType>
struct Pseudo {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view, int32_t) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot accept a value of type {}", kName<kType>);
  }
  static void output(EvalContext&, Datum, std::string&) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot display a value of type {}", kName<kType>);
  }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t typmod) {
    return input(context, type, bytes, typmod);
  }
  static void send(EvalContext& context, Datum value, std::string& bytes) {
    output(context, value, bytes);
  }
};

/// anyarray: arrays of any type, as pg_stats has them; each knows its elements' type.
struct AnyArray : Pseudo<kAnyArray> {
  static void output(EvalContext& context, Datum value, std::string& text) {
    array_type_of(value).to_text(context, value, text);
  }
  static void send(EvalContext& context, Datum value, std::string& bytes) {
    array_type_of(value).to_binary(context, value, bytes);
  }

 private:
  static const BuiltinType& array_type_of(Datum value) {
    const BuiltinType* element = find_type(ArrayView(value).element_type());
    const BuiltinType* array = element == nullptr ? nullptr : find_type(element->array_oid);
    if (array == nullptr) throw Error(sqlstate::kInternalError, "could not find array type");
    return *array;
  }
};

/// void shows as the empty string, so that SELECT of a void function has something to print.
struct Void {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view, int32_t) { return 0; }
  static void output(EvalContext&, Datum, std::string&) {}
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view, int32_t) { return 0; }
  static void send(EvalContext&, Datum, std::string&) {}
};

/// Rows can be shown and compared; their text cannot be read without knowing the columns.
struct Record : Pseudo<kRecord> {
  static void output(EvalContext& context, Datum value, std::string& text) {
    record_to_text(context, value, text);
  }
  static void send(EvalContext& context, Datum value, std::string& bytes) {
    record_to_binary(context, value, bytes);
  }
};

constexpr BuiltinType record_row() {
  return {kRecord,
          "record",
          "record",
          -1,
          false,
          'd',
          'P',
          false,
          0,
          0,
          Record::input,
          Record::output,
          Record::receive,
          Record::send,
          compare_records,
          hash_record};
}

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, const char* sql_name, int16_t length,
                          char align) {
  bool by_value = length > 0;
  return {oid,   name, sql_name, length,   by_value,  align,      'P',
          false, 0,    0,        T::input, T::output, T::receive, T::send};
}

constexpr BuiltinType kRows[] = {
    record_row(),
    row<Pseudo<kAny>>(kAny, "any", "\"any\"", 4, 'i'),
    row<AnyArray>(kAnyArray, "anyarray", "anyarray", -1, 'd'),
    row<Void>(kVoid, "void", "void", 4, 'i'),
    row<Pseudo<kTrigger>>(kTrigger, "trigger", "trigger", 4, 'i'),
    row<Pseudo<kInternal>>(kInternal, "internal", "internal", 8, 'd'),
    row<Pseudo<kAnyElement>>(kAnyElement, "anyelement", "anyelement", 4, 'i'),
    row<Pseudo<kAnyNonArray>>(kAnyNonArray, "anynonarray", "anynonarray", 4, 'i'),
    row<Pseudo<kAnyEnum>>(kAnyEnum, "anyenum", "anyenum", 4, 'i'),
    row<Pseudo<kAnyCompatible>>(kAnyCompatible, "anycompatible", "anycompatible", 4, 'i'),
    row<Pseudo<kAnyCompatibleArray>>(kAnyCompatibleArray, "anycompatiblearray",
                                     "anycompatiblearray", -1, 'd'),
    row<Pseudo<kAnyCompatibleNonArray>>(kAnyCompatibleNonArray, "anycompatiblenonarray",
                                        "anycompatiblenonarray", 4, 'i'),
};

}  // namespace

constinit const std::span<const BuiltinType> kPseudoTypes = kRows;

}  // namespace cofork
