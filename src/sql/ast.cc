// Field access of raw parse tree nodes: a node has few fields, so a scan beats any index.
#include "sql/ast.h"

namespace cofork {

const Field* Node::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const Node* Node::node(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? nullptr : field->node;
}

NodeList Node::list(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? NodeList{} : field->list;
}

std::string_view Node::string(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? std::string_view{} : field->string;
}

int64_t Node::number(std::string_view name) const {
  const Field* field = find(name);
  return field == nullptr ? 0 : field->number;
}

bool Node::flag(std::string_view name) const {
  return number(name) != 0;
}

}  // namespace cofork
