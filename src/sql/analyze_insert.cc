// INSERT and ON CONFLICT (transformInsertStmt, transformOnConflictClause in analyze.c; the defaults
// of rewriteTargetListIU in rewriteHandler.c, 15).
#include <algorithm>

#include "sql/analyze.h"

namespace cofork {
namespace {

/// A VALUES list with clauses of its own is an ordinary sub-select.
bool is_plain_values(const Node& select) {
  if (select.find("valuesLists") == nullptr) return false;
  for (std::string_view clause :
       {"sortClause", "limitCount", "limitOffset", "lockingClause", "withClause"}) {
    if (select.find(clause) != nullptr) return false;
  }
  return true;
}

enum class Overriding : uint8_t { kNone, kUserValue, kSystemValue };

Overriding overriding(const Node& insert) {
  std::string_view word = insert.string("override");
  if (word == "OVERRIDING_USER_VALUE") return Overriding::kUserValue;
  return word == "OVERRIDING_SYSTEM_VALUE" ? Overriding::kSystemValue : Overriding::kNone;
}

}  // namespace

Query* Analyzer::insert_statement(const Node& node, Scope* parent) {
  Query* query = arena_.make<Query>();
  Scope scope;
  scope.parent = parent;
  scope.query = query;
  if (parent != nullptr) query->parent = parent->query;
  query->command = CommandKind::kInsert;
  Modification* modification = query->modification = arena_.make<Modification>();
  if (const Node* with = node.node("withClause")) with_clause(*with, scope);

  const Node& target = *node.node("relation");
  RelationDesc& relation = target_relation(target, "INSERT into");
  modification->relation = &relation;
  RangeEntry* row = modification->row = row_of(relation, target.string("relname"));
  if (const Node* alias = target.node("alias")) {
    row->name = alias->string("aliasname");
    row->has_alias = true;
  }
  std::vector<int> columns = insert_columns(node, relation);
  const Node* select = node.node("selectStmt");
  if (select == nullptr) {
    complete_insert({}, {}, node, scope);
  } else if (is_plain_values(*select)) {
    insert_values(select->list("valuesLists"), columns, node, scope);
  } else {
    insert_select(*select, columns, node, scope);
  }
  check_constraints(relation, *row, *modification);
  scope.items.truncate(0);
  query->entries.push(arena_, row);
  scope.items.push(arena_, name_space_of(*row));
  if (const Node* clause = node.node("onConflictClause")) conflict_clause(*clause, scope);
  scope.items.truncate(0);
  scope.items.push(arena_, name_space_of(*row));
  returning_clause(node, *row, scope);
  return query;
}

std::vector<int> Analyzer::insert_columns(const Node& node, const RelationDesc& relation) {
  std::vector<int> columns;
  NodeList names = node.list("cols");
  if (names.empty()) {
    for (const ColumnDesc& column : relation.columns) {
      if (!column.dropped) columns.push_back(column.number - 1);
    }
    return columns;
  }
  for (const Node* target : names) {
    std::string_view name = target->string("name");
    int at = position(target->location());
    const ColumnDesc* column = relation.find_column(name);
    if (column == nullptr) {
      for (std::string_view system : {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}) {
        if (system != name) continue;
        throw Error(sqlstate::kFeatureNotSupported, "cannot assign to system column \"{}\"", name)
            .position(at);
      }
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                  name, relation.name)
          .position(at);
    }
    if (!target->list("indirection").empty()) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "assignment to elements of arrays is not supported")
          .position(at);
    }
    if (std::ranges::find(columns, column->number - 1) != columns.end()) {
      throw Error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once", name)
          .position(at);
    }
    columns.push_back(column->number - 1);
  }
  return columns;
}

namespace {

[[noreturn]] void wrong_count(bool too_many, int position) {
  throw Error(sqlstate::kSyntaxError, "INSERT has more {}",
              too_many ? "expressions than target columns" : "target columns than expressions")
      .position(position);
}

}  // namespace

void Analyzer::insert_values(NodeList rows, std::span<const int> columns, const Node& node,
                             Scope& scope) {
  const RelationDesc& relation = *scope.query->modification->relation;
  NodeList names = node.list("cols");
  std::vector<std::vector<Expr*>> values;
  size_t width = 0;
  for (const Node* raw : rows) {
    NodeList items = raw->list("items");
    if (values.empty()) {
      width = items.size();
      if (width > columns.size()) wrong_count(true, position(items[columns.size()]->location()));
      if (!names.empty() && width < columns.size()) {
        wrong_count(false, position(names[width]->location()));
      }
    } else if (items.size() != width) {
      throw Error(sqlstate::kSyntaxError, "VALUES lists must all be the same length")
          .position(position(items.empty() ? -1 : items[0]->location()));
    }
    std::vector<Expr*> row;
    for (size_t i = 0; i < items.size(); ++i) {
      const ColumnDesc& column = relation.columns[static_cast<size_t>(columns[i])];
      if (items[i]->is(NodeKind::kSetToDefault)) {
        row.push_back(nullptr);
        continue;
      }
      Expr* value = expression(*items[i], scope, Place::kValues);
      row.push_back(assign(value, column, value->location));
    }
    values.push_back(std::move(row));
  }
  columns = columns.first(width);
  if (values.size() == 1) {
    complete_insert(columns, values[0], node, scope);
    return;
  }
  RangeEntry* entry = new_entry(RangeKind::kValues, scope);
  entry->name = "*VALUES*";
  std::vector<Expr*> vars;
  for (size_t c = 0; c < width; ++c) {
    const ColumnDesc& column = relation.columns[static_cast<size_t>(columns[c])];
    std::string name = fmt::format("column{}", c + 1);
    entry->columns.push(arena_, {arena_.copy(name), column.type, column.typmod});
    // A column that is DEFAULT in every row counts as not given.
    bool all_default = std::ranges::all_of(values, [c](const auto& row) { return !row[c]; });
    Expr* var = make(ExprKind::kVar, column.type, -1);
    var->typmod = column.typmod;
    var->entry = entry;
    var->column = static_cast<int>(c);
    vars.push_back(all_default ? nullptr : var);
    for (auto& row : values) {
      if (row[c] == nullptr) row[c] = column_default(relation, column);
    }
  }
  for (const auto& row : values) {
    List<Expr*> list;
    for (Expr* e : row) list.push(arena_, e);
    entry->rows.push(arena_, list);
  }
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = entry;
  scope.query->from = leaf;
  complete_insert(columns, vars, node, scope);
}

void Analyzer::insert_select(const Node& select, std::span<const int> columns, const Node& node,
                             Scope& scope) {
  const RelationDesc& relation = *scope.query->modification->relation;
  NodeList names = node.list("cols");
  Query* source = select_statement(select, &scope, Place::kFromSubquery, true);
  RangeEntry* entry = new_entry(RangeKind::kSubquery, scope);
  entry->name = "*SELECT*";
  entry->subquery = source;
  std::vector<Expr*> values;
  for (Target& target : source->targets) {
    if (target.junk) continue;
    size_t at = values.size();
    if (at >= columns.size()) wrong_count(true, position(target.expr->location));
    const ColumnDesc& column = relation.columns[static_cast<size_t>(columns[at])];
    int location = target.expr->location;
    if (target.expr->type == type_oid::kUnknown) {
      target.expr = coerce_unknown(target.expr, column.type, -1);
    }
    entry->columns.push(arena_, {target.name, target.expr->type, target.expr->typmod});
    Expr* var = make(ExprKind::kVar, target.expr->type, location);
    var->typmod = target.expr->typmod;
    var->entry = entry;
    var->column = static_cast<int>(at);
    values.push_back(assign(var, column, location));
  }
  if (!names.empty() && values.size() < columns.size()) {
    wrong_count(false, position(names[values.size()]->location()));
  }
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = entry;
  scope.query->from = leaf;
  complete_insert(columns.first(values.size()), values, node, scope);
}

void Analyzer::complete_insert(std::span<const int> columns, std::span<Expr* const> values,
                               const Node& node, Scope& scope) {
  const RelationDesc& relation = *scope.query->modification->relation;
  std::vector<Expr*> given(relation.columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDesc& column = relation.columns[static_cast<size_t>(columns[i])];
    Expr* value = values[i];
    if (value == nullptr) continue;  // DEFAULT
    if (column.generated != '\0') {
      throw Error(sqlstate::kGeneratedAlways,
                  "cannot insert a non-DEFAULT value into column \"{}\"", column.name)
          .detail("Column \"{}\" is a generated column.", column.name);
    }
    Overriding override = overriding(node);
    if (column.identity != '\0' && override == Overriding::kUserValue) continue;
    if (column.identity == 'a' && override == Overriding::kNone) {
      throw Error(sqlstate::kGeneratedAlways,
                  "cannot insert a non-DEFAULT value into column \"{}\"", column.name)
          .detail("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name)
          .hint("Use OVERRIDING SYSTEM VALUE to override.");
    }
    given[static_cast<size_t>(columns[i])] = value;
  }
  for (const ColumnDesc& column : relation.columns) {
    Target target;
    target.name = arena_.copy(column.name);
    target.table_column = column.number;
    target.expr = given[static_cast<size_t>(column.number - 1)];
    if (target.expr == nullptr) target.expr = column_default(relation, column);
    scope.query->targets.push(arena_, target);
  }
}

Query* Analyzer::insert_from(RelationDesc& relation, Query* source) {
  Query* query = arena_.make<Query>();
  query->command = CommandKind::kInsert;
  Modification* modification = query->modification = arena_.make<Modification>();
  modification->relation = &use_relation(relation.oid, LockMode::kRowExclusive);
  modification->row = row_of(relation, arena_.copy(relation.name));
  RangeEntry* entry = arena_.make<RangeEntry>();
  entry->kind = RangeKind::kSubquery;
  entry->name = "*SELECT*";
  entry->subquery = source;
  source->parent = query;
  query->entries.push(arena_, entry);
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = entry;
  query->from = leaf;
  for (const Target& target : source->targets) {
    if (target.junk) continue;
    auto at = query->targets.size();
    entry->columns.push(arena_, {target.name, target.expr->type, target.expr->typmod});
    Target value;
    value.expr = make(ExprKind::kVar, target.expr->type, -1);
    value.expr->entry = entry;
    value.expr->column = static_cast<int>(at);
    value.table_column = static_cast<int16_t>(at + 1);
    query->targets.push(arena_, value);
  }
  check_constraints(relation, *modification->row, *modification);
  return query;
}

Query* Analyzer::insert_row(RelationDesc& relation, std::span<const int> columns) {
  Query* query = arena_.make<Query>();
  query->command = CommandKind::kInsert;
  Modification* modification = query->modification = arena_.make<Modification>();
  modification->relation = &use_relation(relation.oid, LockMode::kRowExclusive);
  modification->row = row_of(relation, arena_.copy(relation.name));
  query->entries.push(arena_, modification->row);
  for (const ColumnDesc& column : relation.columns) {
    if (std::ranges::find(columns, column.number - 1) != columns.end()) continue;
    Target target;
    target.table_column = column.number;
    target.expr = column_default(relation, column);
    query->targets.push(arena_, target);
  }
  check_constraints(relation, *modification->row, *modification);
  return query;
}

// --- ON CONFLICT

void Analyzer::find_arbiters(const Node& infer, const RelationDesc& relation,
                             ConflictAction& conflict) {
  if (std::string_view name = infer.string("conname"); !name.empty()) {
    for (const ConstraintDesc& constraint : relation.constraints) {
      if (constraint.name != name) continue;
      if (constraint.type != 'p' && constraint.type != 'u') {
        throw Error(sqlstate::kWrongObjectType,
                    "constraint in ON CONFLICT clause has no associated index");
      }
      conflict.arbiters.push(arena_, constraint.index);
      return;
    }
    throw Error(sqlstate::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist",
                name, relation.name);
  }
  std::vector<int16_t> wanted;
  for (const Node* element : infer.list("indexElems")) {
    std::string_view name = element->string("name");
    if (name.empty()) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "expressions in an ON CONFLICT target are not supported");
    }
    const ColumnDesc* column = relation.find_column(name);
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", name)
          .position(position(infer.location()));
    }
    wanted.push_back(column->number);
  }
  std::ranges::sort(wanted);
  auto [first, last] = std::ranges::unique(wanted);
  wanted.erase(first, last);
  for (const auto& index : relation.indexes) {
    if (!index->unique || !index->valid || !index->immediate || !index->predicate.empty()) continue;
    std::vector<int16_t> keys(index->columns.begin(), index->columns.begin() + index->key_count);
    std::ranges::sort(keys);
    if (keys == wanted) conflict.arbiters.push(arena_, index->oid);
  }
  if (!conflict.arbiters.empty()) return;
  throw Error(sqlstate::kInvalidColumnReference,
              "there is no unique or exclusion constraint matching the ON CONFLICT specification");
}

void Analyzer::conflict_clause(const Node& clause, Scope& scope) {
  Modification& modification = *scope.query->modification;
  RelationDesc& relation = *modification.relation;
  ConflictAction* conflict = modification.conflict = arena_.make<ConflictAction>();
  conflict->updates = clause.string("action") == "ONCONFLICT_UPDATE";
  if (const Node* infer = clause.node("infer")) {
    find_arbiters(*infer, relation, *conflict);
  } else if (conflict->updates) {
    throw Error(sqlstate::kSyntaxError,
                "ON CONFLICT DO UPDATE requires inference specification or constraint name")
        .hint("For example, ON CONFLICT (column_name).")
        .position(position(clause.location()));
  }
  if (!conflict->updates) return;
  // "t.a" is the row that is there; "excluded.a" the one that could not be inserted.
  conflict->existing = copy_of_row(*modification.row, scope);
  NameSpaceItem* excluded = name_space_of(*modification.row);
  excluded->name = "excluded";
  excluded->columns_visible = false;
  scope.items.truncate(0);
  scope.items.push(arena_, name_space_of(*conflict->existing));
  scope.items.push(arena_, excluded);
  scope.query->entries.push(arena_, conflict->existing);
  assignments(clause.list("targetList"), relation, *conflict->existing, scope,
              conflict->assignments);
  if (const Node* where = clause.node("whereClause")) {
    conflict->where = to_boolean(expression(*where, scope, Place::kConflictWhere), "WHERE");
  }
}

}  // namespace cofork
