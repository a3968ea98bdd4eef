// CREATE TABLE (DefineRelation in tablecmds.c, heap_create_with_catalog in heap.c, 15). See ddl.h.
#include <algorithm>

#include "access/relation_storage.h"
#include "catalog/builtin.h"
#include "catalog/catalog_rows.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/reloptions.h"
#include "catalog/system/pg_type.h"
#include "catalog/task_catalog.h"
#include "catalog/toast.h"
#include "support/error.h"
#include "txn/multixact.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

constexpr size_t kMostColumns = 1600;  ///< MaxHeapAttributeNumber

void check_columns(std::span<const ColumnDefinition> columns) {
  if (columns.size() > kMostColumns) {
    throw Error(sqlstate::kTooManyColumns, "tables can have at most {} columns", kMostColumns);
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    check_column(columns[i]);
    for (size_t before = 0; before < i; ++before) {
      if (columns[before].name != columns[i].name) continue;
      throw Error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once",
                  columns[i].name);
    }
  }
}

void check_persistence(char persistence) {
  if (persistence != 't') return;
  throw Error(sqlstate::kFeatureNotSupported, "temporary tables are not supported");
}

}  // namespace

Oid insert_relation(const NewRelation& relation) {
  Oid oid = new_catalog_oid(pg_class::kCatalog, pg_class::kOidIndex);
  bool has_storage = relation.kind != 'v';
  bool has_type = relation.kind != 'S' && relation.kind != 't';
  Oid type = kInvalidOid, array = kInvalidOid;
  if (has_type) {
    array = new_catalog_oid(pg_type::kCatalog, pg_type::kOidIndex);
    type = new_catalog_oid(pg_type::kCatalog, pg_type::kOidIndex);
  }
  Oid file_number = has_storage ? new_file_number(oid) : kInvalidOid;
  if (has_storage) {
    create_relation_storage(relation_file(file_number), relation.persistence);
    if (relation.persistence == 'u') create_init_fork(relation_file(file_number));
  }
  bool is_table = relation.kind == 'r' || relation.kind == 't';
  ClassFields fields;
  fields.oid = oid;
  fields.name = relation.name;
  fields.schema = relation.schema;
  fields.row_type = type;
  fields.owner = catalog_user().oid;
  fields.access_method = is_table ? kHeapAccessMethod : kInvalidOid;
  fields.file_number = file_number;
  fields.persistence = relation.persistence;
  fields.kind = relation.kind;
  fields.columns = static_cast<int>(relation.columns.size());
  fields.has_rules = relation.kind == 'v';
  if (is_table) {
    fields.frozen_xid = oldest_considered_running();
    fields.min_multi = oldest_multixact();
  }
  if (!is_table) fields.tuples = relation.kind == 'S' ? 1 : 0;
  fields.options = relation.options;
  insert_class_row(fields);
  if (has_type) {
    insert_row_type(type, array, relation.name, relation.schema, fields.owner, oid);
    record_dependency({class_oid::kType, type}, ObjectAddress::relation(oid), kDependencyInternal);
    record_dependency({class_oid::kType, array}, {class_oid::kType, type}, kDependencyInternal);
  }
  int16_t number = 0;
  for (const ColumnDefinition& column : relation.columns) insert_column(oid, ++number, column);
  if (has_storage) insert_system_columns(oid);
  record_dependency(ObjectAddress::relation(oid), {class_oid::kNamespace, relation.schema},
                    kDependencyNormal);
  record_owner(ObjectAddress::relation(oid), fields.owner);
  invalidate_names();
  show_changes();
  return oid;
}

Oid create_table(const TableDefinition& definition) {
  check_persistence(definition.persistence);
  check_columns(definition.columns);
  std::vector<std::string> options = checked_options(definition.options, 'r');
  Oid schema = creation_namespace(definition.schema);
  if (!name_is_free(schema, definition.name, definition.if_not_exists)) return kInvalidOid;

  // What a primary key says of its columns goes into their rows at once.
  std::vector<ColumnDefinition> columns = definition.columns;
  int primary_keys = 0;
  for (const ConstraintDefinition& constraint : definition.constraints) {
    if (constraint.type != 'p') continue;
    if (++primary_keys > 1) {
      throw Error(sqlstate::kInvalidTableDefinition,
                  "multiple primary keys for table \"{}\" are not allowed", definition.name);
    }
    for (ColumnDefinition& column : columns) {
      if (std::ranges::find(constraint.columns, column.name) != constraint.columns.end()) {
        column.not_null = true;
      }
    }
  }
  Oid table = insert_relation(
      {'r', definition.persistence, schema, definition.name, columns, std::move(options)});
  lock_acquire(LockTag::relation(my_database(), table), LockMode::kAccessExclusive);
  std::vector<std::string> taken;
  // Checks first, then keys, then what refers to keys.
  for (std::string_view types : {"c", "pu", "f"}) {
    for (const ConstraintDefinition& constraint : definition.constraints) {
      if (types.find(constraint.type) == types.npos) continue;
      ConstraintDefinition own = constraint;
      if (own.referenced == ConstraintDefinition::kSelf) own.referenced = table;
      insert_constraint(table, own, taken);
    }
  }
  create_toast_table(table);
  return table;
}

}  // namespace cofork
