// Type names of the grammar: schema, spelling, modifiers, array bounds (parse_type.c).
#include "sql/analyze.h"

namespace cofork {
namespace {

std::string spelled(NodeList names) {
  std::string text;
  for (const Node* name : names) {
    if (!text.empty()) text += '.';
    text += name->text();
  }
  return text;
}

}  // namespace

Analyzer::TypeRef Analyzer::resolve_type(const Node& node) {
  NodeList names = node.list("names");
  int location = node.location();
  std::string name = spelled(names);
  if (names.size() > 2) {
    if (names.size() == 3) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "cross-database references are not implemented: {}", name);
    }
    throw Error(sqlstate::kSyntaxError, "improper qualified name (too many dotted names): {}",
                name);
  }
  bool is_array = !node.list("arrayBounds").empty();
  if (node.flag("setof")) {
    throw Error(sqlstate::kInvalidTableDefinition, "type name \"{}\" cannot be a set", name);
  }
  const BuiltinType* type = nullptr;
  if (names.size() == 1 || names[0]->text() == "pg_catalog") {
    std::string_view last = names.back()->text();
    // find_type also knows SQL spellings; the grammar has already turned those into typnames.
    const BuiltinType* found = find_type(last);
    if (found != nullptr && found->name == last) type = found;
  } else if (names[0]->text() != "information_schema" && names[0]->text() != "public") {
    throw Error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", names[0]->text())
        .position(position(location));
  }
  if (type == nullptr) {
    throw Error(sqlstate::kUndefinedObject, "type \"{}\" does not exist",
                is_array ? name + "[]" : name)
        .position(position(location));
  }
  int32_t typmod =
      static_cast<int32_t>(node.find("typemod") == nullptr ? -1 : node.number("typemod"));
  if (NodeList typmods = node.list("typmods"); !typmods.empty()) {
    typmod = encode_typmod(*type, typmods, location);
  }
  if (is_array) {
    if (type->array_oid == kInvalidOid) {
      throw Error(sqlstate::kUndefinedObject, "type \"{}[]\" does not exist", name)
          .position(position(location));
    }
    type = find_type(type->array_oid);
  }
  return {type, typmod};
}

int32_t Analyzer::encode_typmod(const BuiltinType& type, NodeList typmods, int location) {
  if (type.typmod_in == nullptr) {
    throw Error(sqlstate::kSyntaxError, "type modifier is not allowed for type \"{}\"", type.name)
        .position(position(location));
  }
  std::vector<int32_t> values;
  for (const Node* item : typmods) {
    const Node* ival = item->node("ival");
    if (!item->is(NodeKind::kAConst) || ival == nullptr) {
      throw Error(sqlstate::kSyntaxError, "type modifiers must be simple constants or identifiers")
          .position(position(location));
    }
    values.push_back(static_cast<int32_t>(ival->number("ival")));
  }
  std::optional<ErrorData> failure;
  try {
    return type.typmod_in(values);
  } catch (const Error& error) {
    failure = error.data();
  }
  failure->position = position(location);
  throw Error(std::move(*failure));
}

}  // namespace cofork
