// UPDATE and DELETE, and what all modifying statements share: the table they change, assignments,
// RETURNING, constraints (transformUpdateStmt … in analyze.c, parse_target.c, 15).
#include <algorithm>

#include "catalog/names.h"
#include "sql/analyze.h"

namespace cofork {

// --- the target

RelationDesc& Analyzer::target_relation(const Node& node, std::string_view verb) {
  std::string_view schema = node.string("schemaname");
  std::string_view name = node.string("relname");
  int at = position(node.location());
  auto unknown = [&] {
    std::string full = schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
    return Error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", full).position(at);
  };
  if (in_.dependencies == nullptr) throw unknown();
  FoundRelation found;
  try {
    found = lock_relation(schema, name, LockMode::kRowExclusive);
  } catch (const Error& error) {
    if (error.data().sqlstate != sqlstate::kUndefinedTable) throw;
  }
  if (!found) throw unknown();
  if (found.view != nullptr) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                name);
  }
  RelationDesc& relation = use_relation(found.oid, LockMode::kRowExclusive);
  switch (relation.kind) {
    case 'r':
      break;
    case 'S':
      throw Error(sqlstate::kWrongObjectType, "cannot change sequence \"{}\"", relation.name);
    case 't':
      throw Error(sqlstate::kWrongObjectType, "cannot change TOAST relation \"{}\"", relation.name);
    case 'v':
      throw Error(sqlstate::kFeatureNotSupported, "{} view \"{}\" is not supported", verb,
                  relation.name);
    default:
      throw Error(sqlstate::kWrongObjectType, "cannot open relation \"{}\"", relation.name)
          .detail("This operation is not supported for indexes.")
          .position(at);
  }
  if (relation.is_system) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                relation.name);
  }
  return relation;
}

RangeEntry* Analyzer::target_entry(RelationDesc& relation, const Node& node, Scope& scope) {
  RangeEntry* entry = range_table(relation, scope);
  entry->name = node.string("relname");
  if (const Node* alias = node.node("alias")) {
    entry->name = alias->string("aliasname");
    entry->has_alias = true;
  }
  return entry;
}

RangeEntry* Analyzer::copy_of_row(const RangeEntry& entry, Scope&) {
  RangeEntry* copy = row_of(*entry.relation, entry.name);
  copy->has_alias = entry.has_alias;
  return copy;
}

// --- assignments

Expr* Analyzer::assign(Expr* value, const ColumnDesc& column, int location) {
  Oid source = value->type;
  Expr* e = coerce_or_null(value, column.type, column.typmod, CastContext::kAssignment);
  if (e != nullptr) return e;
  throw Error(sqlstate::kDatatypeMismatch,
              "column \"{}\" is of type {} but expression is of type {}", column.name,
              type_name(column.type), type_name(source))
      .hint("You will need to rewrite or cast the expression.")
      .position(position(location));
}

void Analyzer::add_assignment(const Node& target, const RelationDesc& relation, Expr* value,
                              bool is_default, List<Target>& to) {
  std::string_view name = target.string("name");
  int at = position(target.location());
  const ColumnDesc* column = relation.find_column(name);
  if (column == nullptr) {
    for (std::string_view system : {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}) {
      if (system != name) continue;
      throw Error(sqlstate::kFeatureNotSupported, "cannot assign to system column \"{}\"", name)
          .position(at);
    }
    throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                relation.name)
        .position(at);
  }
  if (!target.list("indirection").empty()) {
    throw Error(sqlstate::kFeatureNotSupported, "assignment to elements of arrays is not supported")
        .position(at);
  }
  for (const Target& other : to) {
    if (other.table_column != column->number) continue;
    throw Error(sqlstate::kSyntaxError, "multiple assignments to same column \"{}\"", column->name);
  }
  if (!is_default && column->generated != '\0') {
    throw Error(sqlstate::kGeneratedAlways, "column \"{}\" can only be updated to DEFAULT", name)
        .detail("Column \"{}\" is a generated column.", name);
  }
  if (!is_default && column->identity == 'a') {
    throw Error(sqlstate::kGeneratedAlways, "column \"{}\" can only be updated to DEFAULT", name)
        .detail("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", name);
  }
  if (is_default && column->generated != '\0') return;  // computed with the others of its kind
  Target assignment;
  assignment.expr =
      is_default ? column_default(relation, *column) : assign(value, *column, value->location);
  assignment.name = arena_.copy(column->name);
  assignment.table_column = column->number;
  to.push(arena_, assignment);
}

void Analyzer::assignments(NodeList targets, const RelationDesc& relation, RangeEntry&,
                           Scope& scope, List<Target>& to) {
  for (const Node* target : targets) {
    const Node& raw = *target->node("val");
    if (raw.is(NodeKind::kSetToDefault)) {
      add_assignment(*target, relation, nullptr, true, to);
      continue;
    }
    if (raw.kind_name == "MultiAssignRef") {
      // SET (a, b) = ROW (x, y): each target has the whole source and its own number.
      const Node& source = *raw.node("source");
      if (!source.is(NodeKind::kRowExpr)) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "a sub-select as the source of a multiple-column UPDATE item is not supported")
            .position(position(source.location()));
      }
      NodeList items = source.list("args");
      if (static_cast<int64_t>(items.size()) != raw.number("ncolumns")) {
        throw Error(sqlstate::kSyntaxError, "number of columns does not match number of values")
            .position(position(source.location()));
      }
      const Node& item = *items[static_cast<size_t>(raw.number("colno") - 1)];
      bool is_default = item.is(NodeKind::kSetToDefault);
      Expr* value = is_default ? nullptr : expression(item, scope, Place::kUpdateSource);
      add_assignment(*target, relation, value, is_default, to);
      continue;
    }
    add_assignment(*target, relation, expression(raw, scope, Place::kUpdateSource), false, to);
  }
}

// --- what the changed row must satisfy

void Analyzer::check_constraints(RelationDesc& relation, RangeEntry& row,
                                 Modification& modification) {
  for (const ConstraintDesc& constraint : relation.constraints) {
    if (constraint.type != 'c') continue;
    Expr* condition =
        stored_expression(constraint.check_text, &row, type_oid::kBool, -1, Place::kCheck);
    modification.checks.push(arena_, {arena_.copy(constraint.name), condition});
  }
  for (const ColumnDesc& column : relation.columns) {
    if (column.generated == '\0' || column.dropped) continue;
    Target target;
    target.expr =
        stored_expression(column.default_text, &row, column.type, column.typmod, Place::kGenerated);
    target.table_column = column.number;
    modification.generated.push(arena_, target);
  }
  for (const auto& index : relation.indexes) {
    if (index->expressions.empty() && index->predicate.empty()) continue;
    IndexedExpressions indexed;
    indexed.index = index->oid;
    for (const std::string& text : index->expressions) {
      indexed.expressions.push(
          arena_, stored_expression(text, &row, kInvalidOid, -1, Place::kIndexExpression));
    }
    if (!index->predicate.empty()) {
      indexed.predicate =
          stored_expression(index->predicate, &row, type_oid::kBool, -1, Place::kIndexPredicate);
    }
    modification.indexed.push(arena_, indexed);
  }
}

void Analyzer::returning_clause(const Node& node, RangeEntry& row, Scope& scope) {
  NodeList list = node.list("returningList");
  if (list.empty()) return;
  Query& query = *scope.query;
  // The row's own name leads to what it has become.
  for (NameSpaceItem*& item : scope.items) {
    if (item->table != nullptr && item->table == query.modification->old_row) {
      item = name_space_of(row);
      item->table = &row;
    }
  }
  List<Target> own = std::exchange(query.targets, {});
  for (const Node* target : list) {
    target_list({&target, 1}, scope);
  }
  set_output_unknowns_to_text(query);
  query.modification->returning = std::exchange(query.targets, own);
  for (const Target& target : query.modification->returning) {
    walk(target.expr, 0, [&](const Expr& part, int depth) {
      if (depth == 0 && part.kind == ExprKind::kAggregate) {
        throw Error(sqlstate::kGroupingError, "aggregate functions are not allowed in RETURNING")
            .position(position(part.location));
      }
      if (depth == 0 && part.kind == ExprKind::kSetCall) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "set-returning functions are not allowed in RETURNING")
            .position(position(part.location));
      }
      return depth == 0;
    });
  }
}

// --- UPDATE and DELETE

Query* Analyzer::update_statement(const Node& node, Scope* parent) {
  Query* query = arena_.make<Query>();
  Scope scope;
  scope.parent = parent;
  scope.query = query;
  if (parent != nullptr) query->parent = parent->query;
  query->command = CommandKind::kUpdate;
  Modification* modification = query->modification = arena_.make<Modification>();
  if (const Node* with = node.node("withClause")) with_clause(*with, scope);

  const Node& target = *node.node("relation");
  RelationDesc& relation = target_relation(target, "UPDATE of");
  modification->relation = &relation;
  RangeEntry* old_row = modification->old_row = target_entry(relation, target, scope);
  NameSpaceItem* item = name_space_of(*old_row);
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = old_row;
  query->from = leaf;
  scope.items.push(arena_, item);
  from_clause(node.list("fromClause"), scope);

  RangeEntry* row = modification->row = copy_of_row(*old_row, scope);
  assignments(node.list("targetList"), relation, *old_row, scope, query->targets);
  if (const Node* where = node.node("whereClause")) {
    query->where = to_boolean(expression(*where, scope, Place::kWhere), "WHERE");
  }
  check_constraints(relation, *row, *modification);
  returning_clause(node, *row, scope);
  return query;
}

Query* Analyzer::delete_statement(const Node& node, Scope* parent) {
  Query* query = arena_.make<Query>();
  Scope scope;
  scope.parent = parent;
  scope.query = query;
  if (parent != nullptr) query->parent = parent->query;
  query->command = CommandKind::kDelete;
  Modification* modification = query->modification = arena_.make<Modification>();
  if (const Node* with = node.node("withClause")) with_clause(*with, scope);

  const Node& target = *node.node("relation");
  RelationDesc& relation = target_relation(target, "DELETE of");
  modification->relation = &relation;
  RangeEntry* old_row = modification->old_row = target_entry(relation, target, scope);
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = old_row;
  query->from = leaf;
  scope.items.push(arena_, name_space_of(*old_row));
  from_clause(node.list("usingClause"), scope);
  if (const Node* where = node.node("whereClause")) {
    query->where = to_boolean(expression(*where, scope, Place::kWhere), "WHERE");
  }
  returning_clause(node, *old_row, scope);
  return query;
}

}  // namespace cofork
