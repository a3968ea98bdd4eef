// text, varchar(n), character(n), name, "char", bytea, and the pseudo-types unknown and cstring.
#include "catalog/tables.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

/// 22021 when bytes from the client are not UTF-8.
std::string_view checked_utf8(std::string_view bytes) {
  const char* bad = utf8_find_invalid(bytes);
  if (bad == nullptr) return bytes;
  size_t size =
      std::min(utf8_char_bytes(*bad), static_cast<size_t>(bytes.data() + bytes.size() - bad));
  std::string hex;
  for (size_t i = 0; i < size; ++i) {
    fmt::format_to(std::back_inserter(hex), "{}0x{:02x}", i > 0 ? " " : "",
                   static_cast<uint8_t>(bad[i]));
  }
  throw Error(sqlstate::kCharacterNotInRepertoire,
              "invalid byte sequence for encoding \"UTF8\": {}", hex);
}

struct Text {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return varlena_from(*context.arena, text);
  }
  static void output(EvalContext&, Datum value, std::string& text) { text += varlena_view(value); }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    return varlena_from(*context.arena, checked_utf8(bytes));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { bytes += varlena_view(value); }
  static int compare(Datum a, Datum b) { return compare_bytes(varlena_view(a), varlena_view(b)); }
  static uint64_t hash(Datum value) { return hash_bytes(varlena_view(value)); }
};

struct Varchar : Text {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return varlena_from(*context.arena, fit_varchar(text, typmod, false));
  }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t typmod) {
    return input(context, type, checked_utf8(bytes), typmod);
  }
};

struct BlankPadded : Text {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return fit_bpchar(*context.arena, text, typmod, false);
  }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t typmod) {
    return input(context, type, checked_utf8(bytes), typmod);
  }
  static int compare(Datum a, Datum b) { return compare_bytes(bpchar_view(a), bpchar_view(b)); }
  static uint64_t hash(Datum value) { return hash_bytes(bpchar_view(value)); }
};

struct NameType {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return name_from(*context.arena, text);
  }
  static void output(EvalContext&, Datum value, std::string& text) { text += name_view(value); }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    if (bytes.size() >= kNameBytes) {
      throw Error(sqlstate::kNameTooLong, "identifier too long")
          .detail("Identifier must be less than {} characters.", kNameBytes);
    }
    return name_from(*context.arena, checked_utf8(bytes));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { bytes += name_view(value); }
  static int compare(Datum a, Datum b) { return compare_bytes(name_view(a), name_view(b)); }
  static uint64_t hash(Datum value) { return hash_bytes(name_view(value)); }
};

/// "char": one byte; the empty string stands for zero.
struct Char {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_char(text.empty() ? '\0' : text[0]);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    if (char c = datum_to_char(value); c != '\0') text += c;
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    return datum_from_char(static_cast<char>(BinaryReader(bytes).take<uint8_t>()));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { bytes += datum_to_char(value); }
  static int compare(Datum a, Datum b) {
    return static_cast<uint8_t>(datum_to_char(a)) - static_cast<uint8_t>(datum_to_char(b));
  }
  static uint64_t hash(Datum value) { return hash_word(value & 0xff); }
};

struct Bytea : Text {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return parse_bytea(*context.arena, text);
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_bytea(text, varlena_view(value), context.bytea_hex);
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    return varlena_from(*context.arena, bytes);
  }
};

/// unknown and cstring: zero-terminated text, the form of a literal nobody has typed yet.
struct Cstring {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_pointer(context.arena->copy(text).data());
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    text += datum_to_pointer(value);
  }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t) {
    return input(context, type, checked_utf8(bytes), -1);
  }
  static void send(EvalContext& context, Datum value, std::string& bytes) {
    output(context, value, bytes);
  }
  static int compare(Datum a, Datum b) {
    return std::strcmp(datum_to_pointer(a), datum_to_pointer(b));
  }
  static uint64_t hash(Datum value) { return hash_bytes(datum_to_pointer(value)); }
};

int32_t length_typmod(std::span<const int32_t> modifiers, const char* type) {
  constexpr int32_t kMostCharacters = 10 * 1024 * 1024;
  if (modifiers.size() != 1) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid type modifier");
  }
  if (modifiers[0] < 1) {
    throw Error(sqlstate::kInvalidParameterValue, "length for type {} must be at least 1", type);
  }
  if (modifiers[0] > kMostCharacters) {
    throw Error(sqlstate::kInvalidParameterValue, "length for type {} cannot exceed {}", type,
                kMostCharacters);
  }
  return modifiers[0] + 4;
}

int32_t varchar_typmod(std::span<const int32_t> modifiers) {
  return length_typmod(modifiers, "varchar");
}
int32_t bpchar_typmod(std::span<const int32_t> modifiers) {
  return length_typmod(modifiers, "char");
}
std::string show_length_typmod(int32_t typmod) {
  return fmt::format("({})", typmod - 4);
}

struct Place {
  int16_t length;
  char align;
  char category;
  bool preferred = false;
};

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, const char* sql_name, Oid array, Place place) {
  return {oid,         name,           sql_name,        place.length, place.length == 1,
          place.align, place.category, place.preferred, array,        0,
          T::input,    T::output,      T::receive,      T::send,      T::compare,
          T::hash};
}

constexpr BuiltinType with_length(BuiltinType type,
                                  int32_t (*typmod_in)(std::span<const int32_t>)) {
  type.typmod_in = typmod_in;
  type.typmod_out = show_length_typmod;
  return type;
}

constexpr BuiltinType with_element(BuiltinType type, Oid element) {
  type.element_oid = element;
  return type;
}

constexpr BuiltinType kRows[] = {
    row<Bytea>(kBytea, "bytea", "bytea", kByteaArray, {-1, 'i', 'U'}),
    row<Char>(kChar, "char", "\"char\"", kCharArray, {1, 'c', 'Z'}),
    with_element(row<NameType>(kName, "name", "name", kNameArray, {64, 'c', 'S'}), kChar),
    row<Text>(kText, "text", "text", kTextArray, {-1, 'i', 'S', true}),
    with_length(row<BlankPadded>(kBpchar, "bpchar", "character", kBpcharArray, {-1, 'i', 'S'}),
                bpchar_typmod),
    with_length(
        row<Varchar>(kVarchar, "varchar", "character varying", kVarcharArray, {-1, 'i', 'S'}),
        varchar_typmod),
    row<Cstring>(kUnknown, "unknown", "unknown", 0, {-2, 'c', 'X'}),
    row<Cstring>(kCstring, "cstring", "cstring", kCstringArray, {-2, 'c', 'P'}),
};

}  // namespace

constinit const std::span<const BuiltinType> kTextTypes = kRows;

}  // namespace cofork
