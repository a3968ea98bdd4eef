// regclass, regtype, regproc, regnamespace, regrole: oids that read and write themselves as names.
//
// regclass asks the session for relations (EvalContext::object_names). As regproc.c, PostgreSQL 15.
#include <algorithm>

#include "catalog/function_tables.h"
#include "catalog/names.h"
#include "catalog/procedures.h"
#include "catalog/shared_objects.h"
#include "support/error.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

/// "-" is no object, digits are an oid; anything else is a name.
bool is_number_or_none(std::string_view text, Oid& oid) {
  oid = kInvalidOid;
  if (text == "-") return true;
  bool digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  if (digits) oid = parse_oid(text);
  return digits;
}

struct OidWords {
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    return datum_from_oid(BinaryReader(bytes).take<Oid>());
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    append_be(bytes, datum_to_oid(value));
  }
  static int compare(Datum a, Datum b) {
    return datum_to_oid(a) < datum_to_oid(b) ? -1 : datum_to_oid(a) > datum_to_oid(b) ? 1 : 0;
  }
  static uint64_t hash(Datum value) { return hash_word(value); }
};

struct RegType : OidWords {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    Oid oid;
    if (is_number_or_none(text, oid)) return datum_from_oid(oid);
    std::string name = ascii_lowered(trim_spaces(text));
    if (name.starts_with("pg_catalog.")) name.erase(0, 11);
    // "char" with its quotes is the one-byte type; without them char means character.
    const BuiltinType* type = name == "char" ? find_type(kBpchar) : find_type(name);
    if (type == nullptr)
      throw Error(sqlstate::kUndefinedObject, "type \"{}\" does not exist", text);
    return datum_from_oid(type->oid);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    Oid oid = datum_to_oid(value);
    if (oid == kInvalidOid) {
      text += '-';
    } else if (find_type(oid) == nullptr) {
      append_unsigned(text, oid);
    } else {
      text += format_type(oid);
    }
  }
};

struct RegClass : OidWords {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    Oid oid;
    if (is_number_or_none(text, oid)) return datum_from_oid(oid);
    QualifiedName name = parse_qualified_name(text);
    std::optional<Oid> found;
    if (context.object_names != nullptr)
      found = context.object_names->find_relation(name.schema, name.name);
    if (!found) {
      throw Error(sqlstate::kUndefinedTable, "relation \"{}{}{}\" does not exist", name.schema,
                  name.schema.empty() ? "" : ".", name.name);
    }
    return datum_from_oid(*found);
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    Oid oid = datum_to_oid(value);
    std::optional<std::string> name;
    if (context.object_names != nullptr && oid != kInvalidOid)
      name = context.object_names->relation_name(oid);
    if (name) {
      text += *name;
    } else if (oid == kInvalidOid) {
      text += '-';
    } else {
      append_unsigned(text, oid);
    }
  }
};

struct RegProc : OidWords {
  static Datum input(EvalContext&, const BuiltinType&, std::string_view text, int32_t) {
    Oid oid;
    if (is_number_or_none(text, oid)) return datum_from_oid(oid);
    std::vector<Oid> found = procedures_named(parse_qualified_name(text).name);
    if (found.empty())
      throw Error(sqlstate::kUndefinedFunction, "function \"{}\" does not exist", text);
    if (found.size() > 1) {
      throw Error(sqlstate::kAmbiguousFunction, "more than one function named \"{}\"", text);
    }
    return datum_from_oid(found[0]);
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    Oid oid = datum_to_oid(value);
    if (const BuiltinFunction* function = find_function(oid)) {
      text += quote_identifier(function->name);
    } else if (const BuiltinAggregate* aggregate = find_aggregate(oid)) {
      text += quote_identifier(aggregate->name);
    } else if (oid == kInvalidOid) {
      text += '-';
    } else {
      append_unsigned(text, oid);
    }
  }
};

/// What both have in common that are found by one name in one catalog; without a session there is
/// no catalog to ask.
template <typename Names>
struct RegName : OidWords {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    Oid oid;
    if (is_number_or_none(text, oid)) return datum_from_oid(oid);
    const std::string name(parse_qualified_name(text).name);
    if (context.object_names == nullptr) {
      throw Error(sqlstate::kUndefinedObject, "{} \"{}\" does not exist", Names::kWhat, name);
    }
    return datum_from_oid(Names::find(name));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    Oid oid = datum_to_oid(value);
    std::string name;
    if (oid != kInvalidOid && context.object_names != nullptr) name = Names::name_of(oid);
    if (!name.empty()) {
      text += quote_identifier(name);
    } else if (oid == kInvalidOid) {
      text += '-';
    } else {
      append_unsigned(text, oid);
    }
  }
};

struct NamespaceNames {
  static constexpr const char* kWhat = "schema";
  static Oid find(std::string_view name) { return namespace_of(name); }
  static std::string name_of(Oid oid) {
    try {
      return namespace_name(oid);
    } catch (const Error&) {
      return {};  // an oid nobody has is shown as a number
    }
  }
};
struct RoleNames {
  static constexpr const char* kWhat = "role";
  static Oid find(std::string_view name) { return role_oid(name); }
  static std::string name_of(Oid oid) {
    std::optional<RoleDesc> role = find_role(oid);
    return role ? role->name : std::string();
  }
};

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, Oid array) {
  return {oid,   name, name,     4,         true,       'i',     'N',        false,
          array, 0,    T::input, T::output, T::receive, T::send, T::compare, T::hash};
}

constexpr BuiltinType kRows[] = {
    row<RegProc>(kRegproc, "regproc", kRegprocArray),
    row<RegClass>(kRegclass, "regclass", kRegclassArray),
    row<RegType>(kRegtype, "regtype", kRegtypeArray),
    row<RegName<NamespaceNames>>(kRegnamespace, "regnamespace", kRegnamespaceArray),
    row<RegName<RoleNames>>(kRegrole, "regrole", kRegroleArray),
};

}  // namespace

constinit const std::span<const BuiltinType> kRegTypes = kRows;

}  // namespace cofork
