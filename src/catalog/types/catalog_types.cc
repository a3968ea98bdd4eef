// Types that the system catalogs are made of: int2vector, oidvector, pg_node_tree, aclitem.
//
// The vectors are arrays of one dimension that count from 0 and write themselves without braces, so
// everything that reads arrays reads them. pg_node_tree holds SQL text here (PostgreSQL: its own
// notation); either way nobody can enter one. As int.c, oid.c, acl.c, PostgreSQL 15.
#include <algorithm>

#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/privileges.h"
#include "support/error.h"
#include "types/array.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

/// int2vector and oidvector; binary they are arrays like others.
template <Oid kElement>
struct Vector {
  static Datum element_from(std::string_view word) {
    if constexpr (kElement == kInt2) {
      return datum_from_int16(parse_int2(word));
    } else {
      return datum_from_oid(parse_oid(word));
    }
  }
  static Datum build(Arena& arena, std::span<const Datum> values) {
    ArrayShape shape = ArrayShape::one_dimension(static_cast<int>(values.size()), 0);
    return build_array(arena, kElement, layout_of(element_type_of(kElement)), shape, values,
                       nullptr);
  }
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    std::vector<Datum> values;
    while (!(text = trim_spaces(text)).empty()) {
      size_t end = std::min(text.find(' '), text.size());
      values.push_back(element_from(text.substr(0, end)));
      text.remove_prefix(end);
    }
    return build(*context.arena, values);
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    const BuiltinType& element = element_type_of(kElement);
    ArrayView array(value);
    ArrayReader reader(array, layout_of(element));
    Datum item;
    bool is_null;
    for (bool first = true; reader.next(item, is_null); first = false) {
      if (!first) text += ' ';
      element.to_text(context, item, text);
    }
  }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t typmod) {
    return find_type(type.oid == kInt2Vector ? kInt2Array : kOidArray)
        ->from_binary(context, bytes, typmod);
  }
  static void send(EvalContext& context, Datum value, std::string& bytes) {
    find_type(kElement == kInt2 ? kInt2Array : kOidArray)->to_binary(context, value, bytes);
  }
  static int compare(Datum a, Datum b) { return array_type().compare(a, b); }
  static uint64_t hash(Datum value) { return array_type().hash(value); }

 private:
  static const BuiltinType& array_type() {
    return *find_type(kElement == kInt2 ? kInt2Array : kOidArray);
  }
};

struct NodeTree {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view, int32_t) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot accept a value of type pg_node_tree");
  }
  static void output(EvalContext&, Datum value, std::string& text) { text += varlena_view(value); }
  static Datum receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                       int32_t typmod) {
    return input(context, type, bytes, typmod);
  }
  static void send(EvalContext&, Datum value, std::string& bytes) { bytes += varlena_view(value); }
};

struct AclitemType {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    // An item names roles, and those are rows.
    if (context.session == nullptr) {
      throw Error(sqlstate::kFeatureNotSupported, "aclitem needs a session to read role names");
    }
    auto* item = context.arena->make<Aclitem>();
    *item = parse_aclitem(text);
    return datum_from_pointer(item);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    text += format_aclitem(*datum_to_pointer<Aclitem>(value));
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view, int32_t) {
    throw Error(sqlstate::kUndefinedFunction,
                "no binary input function available for type aclitem");
  }
  static void send(EvalContext&, Datum, std::string&) {
    throw Error(sqlstate::kUndefinedFunction,
                "no binary output function available for type aclitem");
  }
};

template <typename T>
constexpr BuiltinType vector_row(Oid oid, const char* name, Oid array, Oid element) {
  return {oid,   name,    name,     -1,        false,      'i',     'A',        false,
          array, element, T::input, T::output, T::receive, T::send, T::compare, T::hash};
}

constexpr BuiltinType kRows[] = {
    vector_row<Vector<kInt2>>(kInt2Vector, "int2vector", kInt2VectorArray, kInt2),
    vector_row<Vector<kOid>>(kOidVector, "oidvector", kOidVectorArray, kOid),
    {kPgNodeTree, "pg_node_tree", "pg_node_tree", -1, false, 'i', 'Z', false, 0, 0, NodeTree::input,
     NodeTree::output, NodeTree::receive, NodeTree::send},
    {kAclitem, "aclitem", "aclitem", 12, false, 'i', 'U', false, kAclitemArray, 0,
     AclitemType::input, AclitemType::output, AclitemType::receive, AclitemType::send},
};

}  // namespace

constinit const std::span<const BuiltinType> kCatalogTypes = kRows;

}  // namespace cofork
