// Constraints (AddRelationNewConstraints in heap.c, CreateConstraintEntry in pg_constraint.c,
// ATAddForeignKeyConstraint in tablecmds.c, 15). See ddl.h.
#include <algorithm>

#include "catalog/builtin.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/task_catalog.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

bool constraint_exists(Oid table, std::string_view name) {
  std::string key(name);
  return CatalogScan(pg_constraint::kCatalog, pg_constraint::kConrelidContypidConnameIndex,
                     {key_of(table), key_of(kInvalidOid), key_of(key)})
      .next();
}

bool name_is_taken(Oid schema, const std::string& name, std::span<const std::string> taken) {
  if (std::ranges::find(taken, name) != taken.end()) return true;
  return CatalogScan(pg_constraint::kCatalog, pg_constraint::kConnameNspIndex,
                     {key_of(name), key_of(schema)})
      .next();
}

/// "t_a_check" with a number if need be (ChooseConstraintName).
std::string choose_constraint_name(const RelationDesc& table, std::string_view columns,
                                   std::string_view label, std::span<const std::string> taken) {
  std::string numbered(label);
  for (int pass = 1;; ++pass) {
    std::string name = make_object_name(table.name, columns, numbered);
    if (!name_is_taken(table.schema, name, taken)) return name;
    numbered = fmt::format("{}{}", label, pass);
  }
}

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += '_';
    text += name;
    if (text.size() >= kNameBytes) break;
  }
  return text;
}

/// INCLUDE columns count for a name too.
std::vector<std::string> all_columns(const ConstraintDefinition& definition) {
  std::vector<std::string> names = definition.columns;
  names.insert(names.end(), definition.include.begin(), definition.include.end());
  return names;
}

struct ConstraintRow {
  const RelationDesc& table;
  const ConstraintDefinition& definition;
  const std::string& name;
  std::span<const int16_t> columns;
  Oid index = kInvalidOid;
  std::span<const int16_t> referenced_columns = {};
  std::span<const int16_t> set_columns = {};
  std::span<const Oid> operators = {};  ///< f: = of each pair
};

Oid insert_row(const ConstraintRow& row) {
  using namespace pg_constraint;
  Oid oid = new_catalog_oid(kCatalog, kOidIndex);
  const ConstraintDefinition& definition = row.definition;
  bool is_foreign = definition.type == 'f';
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(pg_constraint::oid, oid)
      .set_name(conname, row.name)
      .set_oid(connamespace, row.table.schema)
      .set_char(contype, definition.type)
      .set_bool(condeferrable, definition.deferrable)
      .set_bool(condeferred, definition.initially_deferred)
      .set_bool(convalidated, !definition.not_valid)
      .set_oid(conrelid, row.table.oid)
      .set_oid(contypid, kInvalidOid)
      .set_oid(conindid, row.index)
      .set_oid(conparentid, kInvalidOid)
      .set_oid(confrelid, is_foreign ? definition.referenced : kInvalidOid)
      .set_char(confupdtype, is_foreign ? definition.on_update : ' ')
      .set_char(confdeltype, is_foreign ? definition.on_delete : ' ')
      .set_char(confmatchtype, is_foreign ? definition.match : ' ')
      .set_bool(conislocal, true)
      .set_int2(coninhcount, 0)
      .set_bool(connoinherit, definition.type == 'c' ? definition.no_inherit : true)
      .set_text_or_null(conbin, definition.check.text);
  if (!row.columns.empty()) tuple.set_int2s(conkey, row.columns);
  if (is_foreign) {
    tuple.set_int2s(confkey, row.referenced_columns);
    for (int column : {conpfeqop, conppeqop, conffeqop}) tuple.set_oids(column, row.operators);
    if (!row.set_columns.empty()) tuple.set_int2s(confdelsetcols, row.set_columns);
  }
  tuple.insert();
  return oid;
}

void depend_on_columns(Oid constraint, Oid table, std::span<const int16_t> columns,
                       DependencyKind kind) {
  ObjectAddress self{class_oid::kConstraint, constraint};
  if (columns.empty()) record_dependency(self, ObjectAddress::relation(table), kind);
  for (int16_t column : columns) {
    record_dependency(self, ObjectAddress::relation(table, column), kind);
  }
}

// --- CHECK

Oid insert_check(RelationDesc& table, const ConstraintDefinition& definition,
                 std::vector<std::string>& taken) {
  std::string name = definition.name;
  if (!name.empty() &&
      (std::ranges::find(taken, name) != taken.end() || constraint_exists(table.oid, name))) {
    throw Error(sqlstate::kDuplicateObject, "check constraint \"{}\" already exists", name);
  }
  if (name.empty()) {
    std::string_view column =
        definition.columns.size() == 1 ? std::string_view(definition.columns[0]) : "";
    name = choose_constraint_name(table, column, "check", taken);
  }
  taken.push_back(name);
  std::vector<int16_t> columns = column_numbers(table, definition.columns);
  std::ranges::sort(columns);
  Oid oid = insert_row({table, definition, name, columns});
  depend_on_columns(oid, table.oid, columns, kDependencyAuto);
  record_dependencies({class_oid::kConstraint, oid}, definition.check.uses, kDependencyNormal);
  change_class(table.oid, [](CatalogTuple& tuple, CatalogRow& old) {
    tuple.set_int2(pg_class::relchecks, old.int2(pg_class::relchecks) + 1);
  });
  return oid;
}

// --- PRIMARY KEY and UNIQUE

void make_columns_not_null(RelationDesc& table, std::span<const int16_t> columns) {
  for (int16_t column : columns) {
    if (table.columns[static_cast<size_t>(column - 1)].not_null) continue;
    change_attribute(table.oid, column,
                     [](CatalogTuple& tuple) { tuple.set_bool(pg_attribute::attnotnull, true); });
  }
}

Oid index_for_key(RelationDesc& table, const ConstraintDefinition& definition,
                  const std::string& name) {
  IndexDefinition index;
  index.table = table.oid;
  for (const std::string& column : definition.columns) {
    IndexKeyDefinition key;
    key.column = column;
    index.keys.push_back(std::move(key));
  }
  index.include = definition.include;
  index.unique = true;
  index.nulls_not_distinct = definition.nulls_not_distinct;
  index.options = definition.options;
  IndexRowFactory none;
  return make_index(
      table, {index, table.schema, name, definition.type == 'p', !definition.deferrable, none});
}

Oid insert_key(RelationDesc& table, const ConstraintDefinition& definition,
               std::vector<std::string>& taken) {
  bool primary = definition.type == 'p';
  if (primary && table.primary_key() != nullptr) {
    throw Error(sqlstate::kInvalidTableDefinition,
                "multiple primary keys for table \"{}\" are not allowed", table.name);
  }
  std::string name = definition.name;
  if (!name.empty() && constraint_exists(table.oid, name)) {
    throw Error(sqlstate::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists",
                name, table.name);
  }
  if (name.empty()) {
    name = primary ? choose_relation_name(table.name, "", "pkey", table.schema, true)
                   : choose_relation_name(table.name, joined(all_columns(definition)), "key",
                                          table.schema, true);
  }
  taken.push_back(name);
  std::vector<int16_t> columns = column_numbers(table, definition.columns);
  if (primary) make_columns_not_null(table, columns);
  Oid index = index_for_key(table, definition, name);
  Oid oid = insert_row({table, definition, name, columns, index});
  depend_on_columns(oid, table.oid, columns, kDependencyAuto);
  ObjectAddress index_address = ObjectAddress::relation(index);
  forget_dependencies_on(index_address, class_oid::kRelation, kDependencyAuto);
  record_dependency(index_address, {class_oid::kConstraint, oid}, kDependencyInternal);
  return oid;
}

// --- FOREIGN KEY

/// The unique index over exactly these columns, in any order (transformFkeyCheckAttrs).
const IndexDesc& index_of_key(const RelationDesc& referenced, std::span<const int16_t> columns) {
  bool found_deferrable = false;
  for (const auto& index : referenced.indexes) {
    if (!index->unique || index->key_count != static_cast<int>(columns.size()) ||
        !index->predicate.empty() || !index->expressions.empty()) {
      continue;
    }
    std::vector<int16_t> keys(index->columns.begin(), index->columns.begin() + index->key_count);
    if (!std::ranges::is_permutation(keys, columns)) continue;
    if (index->immediate) return *index;
    found_deferrable = true;
  }
  if (found_deferrable) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "cannot use a deferrable unique constraint for referenced table \"{}\"",
                referenced.name);
  }
  throw Error(sqlstate::kInvalidForeignKey,
              "there is no unique constraint matching given keys for referenced table \"{}\"",
              referenced.name);
}

std::vector<int16_t> key_columns(const RelationDesc& referenced) {
  const IndexDesc* key = referenced.primary_key();
  if (key == nullptr) {
    throw Error(sqlstate::kUndefinedObject, "there is no primary key for referenced table \"{}\"",
                referenced.name);
  }
  return {key->columns.begin(), key->columns.begin() + key->key_count};
}

std::vector<int16_t> foreign_columns(const RelationDesc& table,
                                     std::span<const std::string> names) {
  std::vector<int16_t> numbers;
  for (const std::string& name : names) {
    const ColumnDesc* column = table.find_column(name);
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn,
                  "column \"{}\" referenced in foreign key constraint does not exist", name);
    }
    numbers.push_back(column->number);
  }
  return numbers;
}

/// = between the referenced and the referencing column's type, 0: none.
Oid equality_operator(Oid referenced, Oid referencing) {
  for (const BuiltinOperator* op : operators_named("=")) {
    if (op->left == referenced && op->right == referencing) return op->oid;
  }
  // varchar and its like are compared as text.
  auto read_as = [](Oid type) { return type == type_oid::kVarchar ? Oid{type_oid::kText} : type; };
  if (read_as(referenced) != referenced || read_as(referencing) != referencing) {
    return equality_operator(read_as(referenced), read_as(referencing));
  }
  const BuiltinType* type = find_type(referenced);
  if (referenced == referencing && type != nullptr && type->is_array()) {
    return equality_operator(type_oid::kAnyArray, type_oid::kAnyArray);
  }
  return kInvalidOid;
}

std::vector<Oid> check_key_types(const RelationDesc& table, std::span<const int16_t> columns,
                                 const RelationDesc& referenced,
                                 std::span<const int16_t> referenced_columns,
                                 const std::string& name) {
  std::vector<Oid> operators;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDesc& mine = table.columns[static_cast<size_t>(columns[i] - 1)];
    const ColumnDesc& theirs = referenced.columns[static_cast<size_t>(referenced_columns[i] - 1)];
    operators.push_back(equality_operator(theirs.type, mine.type));
    if (operators.back() != kInvalidOid) continue;
    throw Error(sqlstate::kDatatypeMismatch, "foreign key constraint \"{}\" cannot be implemented",
                name)
        .detail("Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.", mine.name,
                theirs.name, format_type(mine.type), format_type(theirs.type));
  }
  return operators;
}

void note_foreign_key(Oid table) {
  change_class(table, [](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_bool(pg_class::relhastriggers, true);
  });
}

Oid insert_foreign_key(RelationDesc& table, const ConstraintDefinition& definition,
                       std::vector<std::string>& taken) {
  RelationDesc& referenced =
      definition.referenced == table.oid
          ? table
          : open_relation(definition.referenced, LockMode::kShareRowExclusive);
  if (referenced.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "referenced relation \"{}\" is not a table",
                referenced.name);
  }
  if (table.persistence == 'p' && referenced.persistence != 'p') {
    throw Error(sqlstate::kInvalidTableDefinition,
                "constraints on permanent tables may reference only permanent tables");
  }
  std::string name = definition.name;
  if (name.empty()) {
    name = choose_constraint_name(table, joined(definition.columns), "fkey", taken);
  } else if (constraint_exists(table.oid, name)) {
    throw Error(sqlstate::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists",
                name, table.name);
  }
  taken.push_back(name);
  std::vector<int16_t> columns = foreign_columns(table, definition.columns);
  std::vector<int16_t> theirs = definition.referenced_columns.empty()
                                    ? key_columns(referenced)
                                    : foreign_columns(referenced, definition.referenced_columns);
  if (columns.size() != theirs.size()) {
    throw Error(sqlstate::kInvalidForeignKey,
                "number of referencing and referenced columns for foreign key disagree");
  }
  const IndexDesc& index = index_of_key(referenced, theirs);
  std::vector<Oid> operators = check_key_types(table, columns, referenced, theirs, name);
  std::vector<int16_t> set_columns = foreign_columns(table, definition.set_columns);
  Oid index_oid = index.oid;
  Oid oid =
      insert_row({table, definition, name, columns, index_oid, theirs, set_columns, operators});
  depend_on_columns(oid, table.oid, columns, kDependencyAuto);
  depend_on_columns(oid, referenced.oid, theirs, kDependencyNormal);
  record_dependency({class_oid::kConstraint, oid}, ObjectAddress::relation(index_oid),
                    kDependencyNormal);
  Oid referenced_oid = referenced.oid;
  note_foreign_key(table.oid);
  if (referenced_oid != table.oid) note_foreign_key(referenced_oid);
  return oid;
}

}  // namespace

Oid insert_constraint(Oid table, const ConstraintDefinition& definition,
                      std::vector<std::string>& taken) {
  RelationDesc& relation = open_relation(table, LockMode::kNone);
  if (definition.existing_index != kInvalidOid) {
    throw Error(sqlstate::kFeatureNotSupported,
                "constraints that use an existing index are not supported");
  }
  Oid oid = definition.type == 'c'   ? insert_check(relation, definition, taken)
            : definition.type == 'f' ? insert_foreign_key(relation, definition, taken)
                                     : insert_key(relation, definition, taken);
  invalidate_relation(table);
  show_changes();
  return oid;
}

Oid add_constraint(Oid table, const ConstraintDefinition& constraint) {
  LockMode mode =
      constraint.type == 'f' ? LockMode::kShareRowExclusive : LockMode::kAccessExclusive;
  open_table_for_change(table, mode);
  std::vector<std::string> taken;
  ConstraintDefinition own = constraint;
  if (own.referenced == ConstraintDefinition::kSelf) own.referenced = table;
  return insert_constraint(table, own, taken);
}

void drop_constraint(Oid table, std::string_view name, DropBehavior behavior, bool missing_ok) {
  RelationDesc& relation = open_table_for_change(table);
  for (const ConstraintDesc& constraint : relation.constraints) {
    if (constraint.name != name) continue;
    ObjectAddress address{class_oid::kConstraint, constraint.oid};
    perform_deletion({&address, 1}, behavior);
    return;
  }
  std::string message =
      fmt::format("constraint \"{}\" of relation \"{}\" does not exist", name, relation.name);
  if (!missing_ok) throw Error(sqlstate::kUndefinedObject, "{}", message);
  report_notice(sqlstate::kSuccessfulCompletion, message + ", skipping");
}

void mark_constraint_valid(Oid constraint) {
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kOidIndex, {key_of(constraint)});
  if (!scan.next()) return;
  Oid table = scan.row().oid(pg_constraint::conrelid);
  CatalogTuple(pg_constraint::kCatalog, scan.row())
      .set_bool(pg_constraint::convalidated, true)
      .update(scan.row().tuple().self);
  invalidate_relation(table);
  show_changes();
}

void rename_constraint(Oid table, std::string_view name, const std::string& new_name) {
  RelationDesc& relation = open_table_for_change(table);
  if (!constraint_exists(table, name)) {
    throw Error(sqlstate::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist",
                name, relation.name);
  }
  if (constraint_exists(table, new_name)) {
    throw Error(sqlstate::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists",
                new_name, relation.name);
  }
  for (const ConstraintDesc& constraint : relation.constraints) {
    bool owns_index = constraint.type == 'p' || constraint.type == 'u';
    if (constraint.name != name || !owns_index) continue;
    rename_relation(constraint.index, new_name);  // takes the constraint along
    return;
  }
  std::string key(name);
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kConrelidContypidConnameIndex,
                   {key_of(table), key_of(kInvalidOid), key_of(key)});
  if (!scan.next()) return;
  CatalogTuple(pg_constraint::kCatalog, scan.row())
      .set_name(pg_constraint::conname, new_name)
      .update(scan.row().tuple().self);
  invalidate_relation(table);
  show_changes();
}

}  // namespace cofork
