// Expressions that build or take apart values: casts, arrays, rows, subscripts (parse_expr.c,
// parse_node.c).
#include <charconv>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {

Expr* Analyzer::type_cast(const Node& node, Scope& scope) {
  const Node& raw = *node.node("arg");
  TypeRef target = resolve_type(*node.node("typeName"));
  int location = node.location() < 0 ? node.node("typeName")->location() : node.location();
  Expr* arg = nullptr;
  if (raw.is(NodeKind::kAArrayExpr) && target.type->is_array()) {
    // ARRAY[]::int[] tells the elements their type.
    arg = array_expression(raw, scope, target.type->oid, target.typmod);
  } else {
    arg = transform(raw, scope);
  }
  Oid source = arg->type;
  Expr* e = coerce_or_null(arg, target.type->oid, target.typmod, CastContext::kExplicit);
  if (e == nullptr) {
    throw Error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", type_name(source),
                type_name(target.type->oid))
        .position(position(location));
  }
  return e;
}

Expr* Analyzer::collate(const Node& node, Scope& scope) {
  Expr* arg = transform(*node.node("arg"), scope);
  NodeList names = node.list("collname");
  std::string_view name = names.empty() ? std::string_view{} : names.back()->text();
  if (node.find("collname") == nullptr) {
    const Node* clause = node.node("collClause");
    if (clause != nullptr) name = clause->list("collname").back()->text();
  }
  if (arg->type == type_oid::kUnknown) arg = coerce_unknown(arg, type_oid::kText, -1);
  const BuiltinType* type = find_type(arg->type);
  if (type == nullptr || (type->category != 'S' && !type->is_array())) {
    throw Error(sqlstate::kDatatypeMismatch, "collations are not supported by type {}",
                type_name(arg->type))
        .position(position(node.location()));
  }
  // Every text is compared by bytes, so these three mean the same.
  if (name != "C" && name != "default" && name != "POSIX" && name != "ucs_basic" &&
      name != "C.UTF-8" && name != "C.utf8") {
    throw Error(sqlstate::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist",
                name)
        .position(position(node.location()));
  }
  return arg;
}

Expr* Analyzer::array_expression(const Node& node, Scope& scope, Oid array_type, int32_t typmod) {
  int location = node.location();
  Oid element_type = kInvalidOid;
  if (array_type != kInvalidOid) element_type = find_type(array_type)->element_oid;
  std::vector<Expr*> elements;
  Expr* e = make(ExprKind::kArray, kInvalidOid, location);
  for (const Node* raw : node.list("elements")) {
    if (raw->is(NodeKind::kAArrayExpr)) {
      elements.push_back(
          with_stack([&] { return array_expression(*raw, scope, array_type, typmod); }));
      e->flag = true;
    } else {
      elements.push_back(transform(*raw, scope));
      const BuiltinType* type = find_type(elements.back()->type);
      if (type != nullptr && type->is_array()) e->flag = true;
    }
  }
  e->args = span_of(elements);
  Oid common = kInvalidOid;
  if (array_type != kInvalidOid) {
    common = e->flag ? array_type : element_type;
    e->type = array_type;
  } else {
    if (elements.empty()) {
      throw Error(sqlstate::kIndeterminateDatatype, "cannot determine type of empty array")
          .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
          .position(position(location));
    }
    common = common_type(e->args, "ARRAY");
    const BuiltinType* type = find_type(common);
    e->type = e->flag ? common : type->array_oid;
    if (e->type == kInvalidOid) {
      throw Error(sqlstate::kUndefinedObject, "could not find array type for data type {}",
                  type_name(common))
          .position(position(location));
    }
  }
  for (Expr*& element : e->args) {
    if (array_type == kInvalidOid) {
      element = to_common_type(element, common, "ARRAY");
      continue;
    }
    Expr* cast = coerce_or_null(element, common, typmod, CastContext::kExplicit);
    if (cast == nullptr) {
      throw Error(sqlstate::kCannotCoerce, "cannot cast type {} to {}", type_name(element->type),
                  type_name(common))
          .position(position(element->location));
    }
    element = cast;
  }
  return e;
}

Expr* Analyzer::row_expression(const Node& node, Scope& scope) {
  Expr* e = make(ExprKind::kRow, type_oid::kRecord, node.location());
  std::vector<Expr*> args;
  for (const Node* arg : node.list("args")) {
    args.push_back(transform(*arg, scope));
  }
  e->args = span_of(args);
  return e;
}

Expr* Analyzer::indirection(const Node& node, Scope& scope) {
  Expr* base = transform(*node.node("arg"), scope);
  NodeList items = node.list("indirection");
  size_t i = 0;
  while (i < items.size()) {
    size_t end = i;
    while (end < items.size() && items[end]->is(NodeKind::kAIndices)) ++end;
    if (end > i) {
      base = subscripts(base, items.subspan(i, end - i), scope);
      i = end;
      continue;
    }
    // The fields of ROW(…) are called f1, f2 …
    std::string_view field = items[i]->text();
    size_t number = 0;
    if (base->kind == ExprKind::kRow && field.starts_with('f')) {
      std::from_chars(field.data() + 1, field.data() + field.size(), number);
    }
    if (number > 0 && number <= base->args.size()) {
      base = base->args[number - 1];
      ++i;
      continue;
    }
    if (base->kind == ExprKind::kRow || base->type == type_oid::kRecord) {
      throw Error(sqlstate::kUndefinedColumn,
                  "could not identify column \"{}\" in record data type", items[i]->text())
          .position(position(base->location));
    }
    throw Error(sqlstate::kWrongObjectType,
                "column notation .{} applied to type {}, which is not a composite type",
                items[i]->text(), type_name(base->type))
        .position(position(node.node("arg")->location()));
  }
  return base;
}

Expr* Analyzer::subscripts(Expr* base, NodeList indices, Scope& scope) {
  const BuiltinType* type = find_type(base->type);
  if (type == nullptr || !type->is_array()) {
    throw Error(sqlstate::kDatatypeMismatch,
                "cannot subscript type {} because it does not support subscripting",
                type_name(base->type))
        .position(position(base->location));
  }
  bool slice = false;
  for (const Node* index : indices) slice |= index->flag("is_slice");
  Expr* e = make(slice ? ExprKind::kSlice : ExprKind::kSubscript,
                 slice ? base->type : type->element_oid, base->location);
  e->typmod = base->typmod;
  std::vector<Expr*> args = {base};
  auto bound = [&](const Node* raw) -> Expr* {
    if (raw == nullptr) return nullptr;
    Expr* index = transform(*raw, scope);
    Oid source = index->type;
    index = coerce_or_null(index, type_oid::kInt4, -1, CastContext::kAssignment);
    if (index != nullptr) return index;
    (void)source;
    throw Error(sqlstate::kDatatypeMismatch, "array subscript must have type integer")
        .position(position(raw->location()));
  };
  for (const Node* index : indices) {
    if (slice) {
      // a[2] among slices means a[1:2].
      Expr* lower = bound(index->node("lidx"));
      if (!index->flag("is_slice")) {
        lower = make_const(type_oid::kInt4, datum_from_int32(1), -1);
      }
      args.push_back(lower);
    }
    args.push_back(bound(index->node("uidx")));
  }
  e->args = span_of(args);
  return e;
}

}  // namespace cofork
