// =, <>, <, <=, >, >= of the scalar types, and the boolean functions behind IS, AND, OR.
//
// A type with a BuiltinType::compare needs no comparison functions of its own: equal<int_order>
// and its five siblings are made from one three-way comparison.
#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "storage/page.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

template <typename A, typename B = A>
int order(A a, B b) {
  if constexpr (std::is_floating_point_v<A>) {
    return compare_float<double>(a, b);
  } else {
    return a < b ? -1 : a > b ? 1 : 0;
  }
}
int char_order(char a, char b) {
  return static_cast<uint8_t>(a) - static_cast<uint8_t>(b);
}
int text_order(std::string_view a, std::string_view b) {
  return compare_bytes(a, b);
}
int name_order(Name a, Name b) {
  return compare_bytes(a.text, b.text);
}
int name_text_order(Name a, std::string_view b) {
  return compare_bytes(a.text, b);
}
int text_name_order(std::string_view a, Name b) {
  return compare_bytes(a, b.text);
}
int bpchar_order(Bpchar a, Bpchar b) {
  return compare_bytes(a.text, b.text);
}
int uuid_order(Datum a, Datum b) {
  return std::memcmp(datum_to_pointer(a), datum_to_pointer(b), 16);
}
int tid_order(Datum a, Datum b) {
  auto order = *datum_to_pointer<ItemPointer>(a) <=> *datum_to_pointer<ItemPointer>(b);
  return order < 0 ? -1 : order > 0;
}
int word_order(Datum a, Datum b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/// The six operators of one comparison.
template <auto F, typename R = decltype(F)>
struct Compare;
template <auto F, typename A, typename B>
struct Compare<F, int (*)(A, B)> {
  static bool eq(A a, B b) { return F(a, b) == 0; }
  static bool ne(A a, B b) { return F(a, b) != 0; }
  static bool lt(A a, B b) { return F(a, b) < 0; }
  static bool le(A a, B b) { return F(a, b) <= 0; }
  static bool gt(A a, B b) { return F(a, b) > 0; }
  static bool ge(A a, B b) { return F(a, b) >= 0; }
};

using Bool = Compare<order<bool>>;
using Char = Compare<char_order>;
using Int2 = Compare<order<int16_t>>;
using Int4 = Compare<order<int32_t>>;
using Int8 = Compare<order<int64_t>>;
using Int24 = Compare<order<int16_t, int32_t>>;
using Int42 = Compare<order<int32_t, int16_t>>;
using Int28 = Compare<order<int16_t, int64_t>>;
using Int82 = Compare<order<int64_t, int16_t>>;
using Int48 = Compare<order<int32_t, int64_t>>;
using Int84 = Compare<order<int64_t, int32_t>>;
using OidOrder = Compare<order<uint32_t>>;
using Float4 = Compare<order<float>>;
using Float8 = Compare<order<double>>;
using Float48 = Compare<order<float, double>>;
using Float84 = Compare<order<double, float>>;
using Text = Compare<text_order>;
using NameOrder = Compare<name_order>;
using NameText = Compare<name_text_order>;
using TextName = Compare<text_name_order>;
using Blank = Compare<bpchar_order>;
using Uuid = Compare<uuid_order>;
using Tid = Compare<tid_order>;
using Word = Compare<word_order>;

std::string_view text_larger(std::string_view a, std::string_view b) {
  return a >= b ? a : b;
}
std::string_view text_smaller(std::string_view a, std::string_view b) {
  return a < b ? a : b;
}
Datum word_larger(Datum a, Datum b) {
  return a > b ? a : b;
}
Datum word_smaller(Datum a, Datum b) {
  return a < b ? a : b;
}

constexpr BuiltinFunction kRows[] = {
    {60, "booleq", kBool, {kBool, kBool}, fn<Bool::eq>},
    {84, "boolne", kBool, {kBool, kBool}, fn<Bool::ne>},
    {56, "boollt", kBool, {kBool, kBool}, fn<Bool::lt>},
    {1691, "boolle", kBool, {kBool, kBool}, fn<Bool::le>},
    {57, "boolgt", kBool, {kBool, kBool}, fn<Bool::gt>},
    {1692, "boolge", kBool, {kBool, kBool}, fn<Bool::ge>},
    {61, "chareq", kBool, {kChar, kChar}, fn<Char::eq>},
    {70, "charne", kBool, {kChar, kChar}, fn<Char::ne>},
    {1246, "charlt", kBool, {kChar, kChar}, fn<Char::lt>},
    {72, "charle", kBool, {kChar, kChar}, fn<Char::le>},
    {73, "chargt", kBool, {kChar, kChar}, fn<Char::gt>},
    {74, "charge", kBool, {kChar, kChar}, fn<Char::ge>},
    {63, "int2eq", kBool, {kInt2, kInt2}, fn<Int2::eq>},
    {145, "int2ne", kBool, {kInt2, kInt2}, fn<Int2::ne>},
    {64, "int2lt", kBool, {kInt2, kInt2}, fn<Int2::lt>},
    {148, "int2le", kBool, {kInt2, kInt2}, fn<Int2::le>},
    {146, "int2gt", kBool, {kInt2, kInt2}, fn<Int2::gt>},
    {151, "int2ge", kBool, {kInt2, kInt2}, fn<Int2::ge>},
    {65, "int4eq", kBool, {kInt4, kInt4}, fn<Int4::eq>},
    {144, "int4ne", kBool, {kInt4, kInt4}, fn<Int4::ne>},
    {66, "int4lt", kBool, {kInt4, kInt4}, fn<Int4::lt>},
    {149, "int4le", kBool, {kInt4, kInt4}, fn<Int4::le>},
    {147, "int4gt", kBool, {kInt4, kInt4}, fn<Int4::gt>},
    {150, "int4ge", kBool, {kInt4, kInt4}, fn<Int4::ge>},
    {467, "int8eq", kBool, {kInt8, kInt8}, fn<Int8::eq>},
    {468, "int8ne", kBool, {kInt8, kInt8}, fn<Int8::ne>},
    {469, "int8lt", kBool, {kInt8, kInt8}, fn<Int8::lt>},
    {471, "int8le", kBool, {kInt8, kInt8}, fn<Int8::le>},
    {470, "int8gt", kBool, {kInt8, kInt8}, fn<Int8::gt>},
    {472, "int8ge", kBool, {kInt8, kInt8}, fn<Int8::ge>},
    {158, "int24eq", kBool, {kInt2, kInt4}, fn<Int24::eq>},
    {164, "int24ne", kBool, {kInt2, kInt4}, fn<Int24::ne>},
    {160, "int24lt", kBool, {kInt2, kInt4}, fn<Int24::lt>},
    {166, "int24le", kBool, {kInt2, kInt4}, fn<Int24::le>},
    {162, "int24gt", kBool, {kInt2, kInt4}, fn<Int24::gt>},
    {168, "int24ge", kBool, {kInt2, kInt4}, fn<Int24::ge>},
    {159, "int42eq", kBool, {kInt4, kInt2}, fn<Int42::eq>},
    {165, "int42ne", kBool, {kInt4, kInt2}, fn<Int42::ne>},
    {161, "int42lt", kBool, {kInt4, kInt2}, fn<Int42::lt>},
    {167, "int42le", kBool, {kInt4, kInt2}, fn<Int42::le>},
    {163, "int42gt", kBool, {kInt4, kInt2}, fn<Int42::gt>},
    {169, "int42ge", kBool, {kInt4, kInt2}, fn<Int42::ge>},
    {1850, "int28eq", kBool, {kInt2, kInt8}, fn<Int28::eq>},
    {1851, "int28ne", kBool, {kInt2, kInt8}, fn<Int28::ne>},
    {1852, "int28lt", kBool, {kInt2, kInt8}, fn<Int28::lt>},
    {1854, "int28le", kBool, {kInt2, kInt8}, fn<Int28::le>},
    {1853, "int28gt", kBool, {kInt2, kInt8}, fn<Int28::gt>},
    {1855, "int28ge", kBool, {kInt2, kInt8}, fn<Int28::ge>},
    {1856, "int82eq", kBool, {kInt8, kInt2}, fn<Int82::eq>},
    {1857, "int82ne", kBool, {kInt8, kInt2}, fn<Int82::ne>},
    {1858, "int82lt", kBool, {kInt8, kInt2}, fn<Int82::lt>},
    {1860, "int82le", kBool, {kInt8, kInt2}, fn<Int82::le>},
    {1859, "int82gt", kBool, {kInt8, kInt2}, fn<Int82::gt>},
    {1861, "int82ge", kBool, {kInt8, kInt2}, fn<Int82::ge>},
    {852, "int48eq", kBool, {kInt4, kInt8}, fn<Int48::eq>},
    {853, "int48ne", kBool, {kInt4, kInt8}, fn<Int48::ne>},
    {854, "int48lt", kBool, {kInt4, kInt8}, fn<Int48::lt>},
    {856, "int48le", kBool, {kInt4, kInt8}, fn<Int48::le>},
    {855, "int48gt", kBool, {kInt4, kInt8}, fn<Int48::gt>},
    {857, "int48ge", kBool, {kInt4, kInt8}, fn<Int48::ge>},
    {474, "int84eq", kBool, {kInt8, kInt4}, fn<Int84::eq>},
    {475, "int84ne", kBool, {kInt8, kInt4}, fn<Int84::ne>},
    {476, "int84lt", kBool, {kInt8, kInt4}, fn<Int84::lt>},
    {478, "int84le", kBool, {kInt8, kInt4}, fn<Int84::le>},
    {477, "int84gt", kBool, {kInt8, kInt4}, fn<Int84::gt>},
    {479, "int84ge", kBool, {kInt8, kInt4}, fn<Int84::ge>},
    {184, "oideq", kBool, {kOid, kOid}, fn<OidOrder::eq>},
    {185, "oidne", kBool, {kOid, kOid}, fn<OidOrder::ne>},
    {716, "oidlt", kBool, {kOid, kOid}, fn<OidOrder::lt>},
    {717, "oidle", kBool, {kOid, kOid}, fn<OidOrder::le>},
    {1638, "oidgt", kBool, {kOid, kOid}, fn<OidOrder::gt>},
    {1639, "oidge", kBool, {kOid, kOid}, fn<OidOrder::ge>},
    {287, "float4eq", kBool, {kFloat4, kFloat4}, fn<Float4::eq>},
    {288, "float4ne", kBool, {kFloat4, kFloat4}, fn<Float4::ne>},
    {289, "float4lt", kBool, {kFloat4, kFloat4}, fn<Float4::lt>},
    {290, "float4le", kBool, {kFloat4, kFloat4}, fn<Float4::le>},
    {291, "float4gt", kBool, {kFloat4, kFloat4}, fn<Float4::gt>},
    {292, "float4ge", kBool, {kFloat4, kFloat4}, fn<Float4::ge>},
    {293, "float8eq", kBool, {kFloat8, kFloat8}, fn<Float8::eq>},
    {294, "float8ne", kBool, {kFloat8, kFloat8}, fn<Float8::ne>},
    {295, "float8lt", kBool, {kFloat8, kFloat8}, fn<Float8::lt>},
    {296, "float8le", kBool, {kFloat8, kFloat8}, fn<Float8::le>},
    {297, "float8gt", kBool, {kFloat8, kFloat8}, fn<Float8::gt>},
    {298, "float8ge", kBool, {kFloat8, kFloat8}, fn<Float8::ge>},
    {299, "float48eq", kBool, {kFloat4, kFloat8}, fn<Float48::eq>},
    {300, "float48ne", kBool, {kFloat4, kFloat8}, fn<Float48::ne>},
    {301, "float48lt", kBool, {kFloat4, kFloat8}, fn<Float48::lt>},
    {302, "float48le", kBool, {kFloat4, kFloat8}, fn<Float48::le>},
    {303, "float48gt", kBool, {kFloat4, kFloat8}, fn<Float48::gt>},
    {304, "float48ge", kBool, {kFloat4, kFloat8}, fn<Float48::ge>},
    {305, "float84eq", kBool, {kFloat8, kFloat4}, fn<Float84::eq>},
    {306, "float84ne", kBool, {kFloat8, kFloat4}, fn<Float84::ne>},
    {307, "float84lt", kBool, {kFloat8, kFloat4}, fn<Float84::lt>},
    {308, "float84le", kBool, {kFloat8, kFloat4}, fn<Float84::le>},
    {309, "float84gt", kBool, {kFloat8, kFloat4}, fn<Float84::gt>},
    {310, "float84ge", kBool, {kFloat8, kFloat4}, fn<Float84::ge>},
    {62, "nameeq", kBool, {kName, kName}, fn<NameOrder::eq>},
    {659, "namene", kBool, {kName, kName}, fn<NameOrder::ne>},
    {655, "namelt", kBool, {kName, kName}, fn<NameOrder::lt>},
    {656, "namele", kBool, {kName, kName}, fn<NameOrder::le>},
    {657, "namegt", kBool, {kName, kName}, fn<NameOrder::gt>},
    {658, "namege", kBool, {kName, kName}, fn<NameOrder::ge>},
    {1048, "bpchareq", kBool, {kBpchar, kBpchar}, fn<Blank::eq>},
    {1053, "bpcharne", kBool, {kBpchar, kBpchar}, fn<Blank::ne>},
    {1049, "bpcharlt", kBool, {kBpchar, kBpchar}, fn<Blank::lt>},
    {1050, "bpcharle", kBool, {kBpchar, kBpchar}, fn<Blank::le>},
    {1051, "bpchargt", kBool, {kBpchar, kBpchar}, fn<Blank::gt>},
    {1052, "bpcharge", kBool, {kBpchar, kBpchar}, fn<Blank::ge>},
    {67, "texteq", kBool, {kText, kText}, fn<Text::eq>},
    {157, "textne", kBool, {kText, kText}, fn<Text::ne>},
    {740, "text_lt", kBool, {kText, kText}, fn<Text::lt>},
    {741, "text_le", kBool, {kText, kText}, fn<Text::le>},
    {742, "text_gt", kBool, {kText, kText}, fn<Text::gt>},
    {743, "text_ge", kBool, {kText, kText}, fn<Text::ge>},
    {1292, "tideq", kBool, {kTid, kTid}, fn<Tid::eq>},
    {1265, "tidne", kBool, {kTid, kTid}, fn<Tid::ne>},
    {2791, "tidlt", kBool, {kTid, kTid}, fn<Tid::lt>},
    {2793, "tidle", kBool, {kTid, kTid}, fn<Tid::le>},
    {2790, "tidgt", kBool, {kTid, kTid}, fn<Tid::gt>},
    {2792, "tidge", kBool, {kTid, kTid}, fn<Tid::ge>},
    {2956, "uuid_eq", kBool, {kUuid, kUuid}, fn<Uuid::eq>},
    {2959, "uuid_ne", kBool, {kUuid, kUuid}, fn<Uuid::ne>},
    {2954, "uuid_lt", kBool, {kUuid, kUuid}, fn<Uuid::lt>},
    {2955, "uuid_le", kBool, {kUuid, kUuid}, fn<Uuid::le>},
    {2958, "uuid_gt", kBool, {kUuid, kUuid}, fn<Uuid::gt>},
    {2957, "uuid_ge", kBool, {kUuid, kUuid}, fn<Uuid::ge>},
    {3233, "pg_lsn_eq", kBool, {kPgLsn, kPgLsn}, fn<Word::eq>},
    {3236, "pg_lsn_ne", kBool, {kPgLsn, kPgLsn}, fn<Word::ne>},
    {3231, "pg_lsn_lt", kBool, {kPgLsn, kPgLsn}, fn<Word::lt>},
    {3232, "pg_lsn_le", kBool, {kPgLsn, kPgLsn}, fn<Word::le>},
    {3235, "pg_lsn_gt", kBool, {kPgLsn, kPgLsn}, fn<Word::gt>},
    {3234, "pg_lsn_ge", kBool, {kPgLsn, kPgLsn}, fn<Word::ge>},
    {5084, "xid8eq", kBool, {kXid8, kXid8}, fn<Word::eq>},
    {5085, "xid8ne", kBool, {kXid8, kXid8}, fn<Word::ne>},
    {5034, "xid8lt", kBool, {kXid8, kXid8}, fn<Word::lt>},
    {5036, "xid8le", kBool, {kXid8, kXid8}, fn<Word::le>},
    {5035, "xid8gt", kBool, {kXid8, kXid8}, fn<Word::gt>},
    {5037, "xid8ge", kBool, {kXid8, kXid8}, fn<Word::ge>},
    {1948, "byteaeq", kBool, {kBytea, kBytea}, fn<Text::eq>},
    {1953, "byteane", kBool, {kBytea, kBytea}, fn<Text::ne>},
    {1949, "bytealt", kBool, {kBytea, kBytea}, fn<Text::lt>},
    {1950, "byteale", kBool, {kBytea, kBytea}, fn<Text::le>},
    {1951, "byteagt", kBool, {kBytea, kBytea}, fn<Text::gt>},
    {1952, "byteage", kBool, {kBytea, kBytea}, fn<Text::ge>},
    {68, "xideq", kBool, {kXid, kXid}, fn<OidOrder::eq>},
    {1319, "xideqint4", kBool, {kXid, kInt4}, fn<OidOrder::eq>},
    {3308, "xidneq", kBool, {kXid, kXid}, fn<OidOrder::ne>},
    {3309, "xidneqint4", kBool, {kXid, kInt4}, fn<OidOrder::ne>},
    {69, "cideq", kBool, {kCid, kCid}, fn<OidOrder::eq>},
    {240, "nameeqtext", kBool, {kName, kText}, fn<NameText::eq>},
    {247, "texteqname", kBool, {kText, kName}, fn<TextName::eq>},
    {245, "namenetext", kBool, {kName, kText}, fn<NameText::ne>},
    {252, "textnename", kBool, {kText, kName}, fn<TextName::ne>},
    {241, "namelttext", kBool, {kName, kText}, fn<NameText::lt>},
    {248, "textltname", kBool, {kText, kName}, fn<TextName::lt>},
    {242, "nameletext", kBool, {kName, kText}, fn<NameText::le>},
    {249, "textlename", kBool, {kText, kName}, fn<TextName::le>},
    {244, "namegttext", kBool, {kName, kText}, fn<NameText::gt>},
    {251, "textgtname", kBool, {kText, kName}, fn<TextName::gt>},
    {243, "namegetext", kBool, {kName, kText}, fn<NameText::ge>},
    {250, "textgename", kBool, {kText, kName}, fn<TextName::ge>},
    {458, "text_larger", kText, {kText, kText}, fn<text_larger>},
    {459, "text_smaller", kText, {kText, kText}, fn<text_smaller>},
    {4187, "pg_lsn_larger", kPgLsn, {kPgLsn, kPgLsn}, fn<word_larger>},
    {4188, "pg_lsn_smaller", kPgLsn, {kPgLsn, kPgLsn}, fn<word_smaller>},
    {5097, "xid8_larger", kXid8, {kXid8, kXid8}, fn<word_larger>},
    {5098, "xid8_smaller", kXid8, {kXid8, kXid8}, fn<word_smaller>},
    {350, "btint2cmp", kInt4, {kInt2, kInt2}, fn<order<int16_t>>},
    {351, "btint4cmp", kInt4, {kInt4, kInt4}, fn<order<int32_t>>},
    {842, "btint8cmp", kInt4, {kInt8, kInt8}, fn<order<int64_t>>},
    {360, "bttextcmp", kInt4, {kText, kText}, fn<text_order>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kComparisonFunctions = kRows;

}  // namespace cofork
