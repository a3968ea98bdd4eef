// Columns: making, dropping and changing them (ATExecAddColumn, ATExecDropColumn … in tablecmds.c,
// 15). See ddl.h.
#include <algorithm>

#include "catalog/array_element.h"
#include "catalog/builtin.h"
#include "catalog/catalog_rows.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/system/pg_attrdef.h"
#include "catalog/toast.h"
#include "catalog/type_layout.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "types/text.h"

namespace cofork {

namespace {

bool is_system_column(std::string_view name) {
  return std::ranges::any_of(row_system_columns(),
                             [&](const SystemColumnDesc& column) { return column.name == name; });
}

void check_new_name(const RelationDesc& table, std::string_view name) {
  if (is_system_column(name)) {
    throw Error(sqlstate::kDuplicateColumn,
                "column name \"{}\" conflicts with a system column name", name);
  }
  if (table.find_column(name) == nullptr) return;
  throw Error(sqlstate::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists", name,
              table.name);
}

/// The oid of the column's default, 0: it has none.
Oid default_of(Oid relation, int16_t number) {
  CatalogScan scan(pg_attrdef::kCatalog, pg_attrdef::kAdrelidAdnumIndex,
                   {key_of(relation), key_of(number)});
  return scan.next() ? scan.row().oid(pg_attrdef::oid) : kInvalidOid;
}

}  // namespace

void check_column(const ColumnDefinition& column) {
  if (is_system_column(column.name)) {
    throw Error(sqlstate::kDuplicateColumn,
                "column name \"{}\" conflicts with a system column name", column.name);
  }
  const BuiltinType& type = element_type_of(column.type);
  if (type.is_pseudo() || column.type == type_oid::kUnknown) {
    throw Error(sqlstate::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.name,
                format_type(column.type));
  }
}

void insert_default(Oid relation, int16_t number, const ColumnDefinition& column) {
  Oid oid = new_catalog_oid(pg_attrdef::kCatalog, pg_attrdef::kOidIndex);
  CatalogTuple(pg_attrdef::kCatalog)
      .set_oid(pg_attrdef::oid, oid)
      .set_oid(pg_attrdef::adrelid, relation)
      .set_int2(pg_attrdef::adnum, number)
      .set_text(pg_attrdef::adbin, column.default_value.text)
      .insert();
  ObjectAddress self{class_oid::kDefault, oid};
  ObjectAddress owner = ObjectAddress::relation(relation, number);
  // A generated column cannot lose its expression: it goes with it.
  record_dependency(self, owner, column.generated != '\0' ? kDependencyInternal : kDependencyAuto);
  DependencyKind kind = column.generated != '\0' ? kDependencyAuto : kDependencyNormal;
  record_dependencies(self, column.default_value.uses, kind);
}

void insert_column(Oid relation, int16_t number, const ColumnDefinition& column) {
  AttributeFields fields;
  fields.relation = relation;
  fields.name = column.name;
  fields.type = column.type;
  fields.typmod = column.typmod;
  fields.number = number;
  fields.collation = column.collation != kInvalidOid ? column.collation
                                                     : type_collation(element_type_of(column.type));
  fields.not_null = column.not_null || column.identity != '\0';
  fields.has_default = !column.default_value.empty();
  fields.identity = column.identity;
  fields.generated = column.generated;
  insert_attribute_row(fields);
  if (fields.has_default) insert_default(relation, number, column);
}

// --- ADD and DROP COLUMN

int16_t add_column(Oid table, const ColumnDefinition& column, std::optional<Datum> missing,
                   bool if_not_exists) {
  RelationDesc& relation = open_table_for_change(table);
  if (if_not_exists && relation.find_column(column.name) != nullptr) {
    report_notice(sqlstate::kDuplicateColumn,
                  fmt::format("column \"{}\" of relation \"{}\" already exists, skipping",
                              column.name, relation.name));
    return 0;
  }
  check_new_name(relation, column.name);
  check_column(column);
  auto number = static_cast<int16_t>(relation.columns.size() + 1);
  constexpr int16_t kMostColumns = 1600;
  if (number > kMostColumns) {
    throw Error(sqlstate::kTooManyColumns, "tables can have at most {} columns", kMostColumns);
  }
  insert_column(table, number, column);
  change_class(
      table, [&](CatalogTuple& tuple, CatalogRow&) { tuple.set_int2(pg_class::relnatts, number); });
  show_changes();
  if (missing) {
    change_attribute(table, number, [&](CatalogTuple& tuple) {
      const BuiltinType& type = element_type_of(column.type);
      Datum array = build_array(tuple.arena(), column.type, layout_of(type),
                                ArrayShape::one_dimension(1), {&*missing, 1}, nullptr);
      tuple.set_bool(pg_attribute::atthasmissing, true).set(pg_attribute::attmissingval, array);
    });
    show_changes();
  }
  create_toast_table(table);
  return number;
}

void drop_column(Oid table, std::string_view column, DropBehavior behavior, bool missing_ok) {
  RelationDesc& relation = open_table_for_change(table);
  if (is_system_column(column)) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot drop system column \"{}\"", column);
  }
  const ColumnDesc* found = relation.find_column(column);
  if (found == nullptr) {
    std::string message =
        fmt::format("column \"{}\" of relation \"{}\" does not exist", column, relation.name);
    if (!missing_ok) throw Error(sqlstate::kUndefinedColumn, "{}", message);
    report_notice(sqlstate::kSuccessfulCompletion, message + ", skipping");
    return;
  }
  ObjectAddress address = ObjectAddress::relation(table, found->number);
  perform_deletion({&address, 1}, behavior);
}

void rename_column(Oid table, std::string_view column, const std::string& name) {
  RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
  if (relation.kind != 'v') open_table_for_change(table);
  const ColumnDesc* found = relation.find_column(column);
  if (found == nullptr) {
    if (is_system_column(column)) {
      throw Error(sqlstate::kFeatureNotSupported, "cannot rename system column \"{}\"", column);
    }
    throw Error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", column);
  }
  check_new_name(relation, name);
  int16_t number = found->number;
  change_attribute(table, number,
                   [&](CatalogTuple& tuple) { tuple.set_name(pg_attribute::attname, name); });
  // Indexes call their columns as the table does.
  for (const auto& index : relation.indexes) {
    for (size_t i = 0; i < index->columns.size(); ++i) {
      if (index->columns[i] != number) continue;
      change_attribute(index->oid, static_cast<int16_t>(i + 1),
                       [&](CatalogTuple& tuple) { tuple.set_name(pg_attribute::attname, name); });
    }
  }
  show_changes();
}

// --- ALTER COLUMN

void set_default(Oid table, std::string_view column, const StoredExpression& value) {
  RelationDesc& relation = open_table_for_change(table);
  const ColumnDesc& found = column_of(relation, column);
  if (found.identity != '\0') {
    throw Error(sqlstate::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column",
                column, relation.name);
  }
  if (found.generated != '\0') {
    throw Error(sqlstate::kSyntaxError, "column \"{}\" of relation \"{}\" is a generated column",
                column, relation.name);
  }
  int16_t number = found.number;
  if (Oid old = default_of(table, number); old != kInvalidOid) {
    ObjectAddress address{class_oid::kDefault, old};
    perform_deletion({&address, 1}, DropBehavior::kRestrict);
  }
  if (!value.empty()) {
    ColumnDefinition definition;
    definition.default_value = value;
    insert_default(table, number, definition);
  }
  change_attribute(table, number, [&](CatalogTuple& tuple) {
    tuple.set_bool(pg_attribute::atthasdef, !value.empty());
  });
  show_changes();
}

void set_not_null(Oid table, std::string_view column, bool not_null) {
  RelationDesc& relation = open_table_for_change(table);
  const ColumnDesc& found = column_of(relation, column);
  if (!not_null && found.identity != '\0') {
    throw Error(sqlstate::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column",
                column, relation.name);
  }
  if (IndexDesc* key = relation.primary_key(); !not_null && key != nullptr) {
    auto keys = std::span(key->columns).first(static_cast<size_t>(key->key_count));
    if (std::ranges::find(keys, found.number) != keys.end()) {
      throw Error(sqlstate::kInvalidTableDefinition, "column \"{}\" is in a primary key", column);
    }
  }
  if (found.not_null == not_null) return;
  change_attribute(table, found.number, [&](CatalogTuple& tuple) {
    tuple.set_bool(pg_attribute::attnotnull, not_null);
  });
  show_changes();
}

void set_column_type(Oid table, std::string_view column, Oid type, int32_t typmod) {
  RelationDesc& relation = open_table_for_change(table);
  const ColumnDesc& found = column_of(relation, column);
  ColumnDefinition definition;
  definition.name = column;
  definition.type = type;
  check_column(definition);
  auto describe = [&](CatalogTuple& tuple) {
    const BuiltinType& described = element_type_of(type);
    tuple.set_oid(pg_attribute::atttypid, type)
        .set_int4(pg_attribute::atttypmod, typmod)
        .set_int2(pg_attribute::attlen, described.length)
        .set_bool(pg_attribute::attbyval, described.by_value)
        .set_char(pg_attribute::attalign, described.align)
        .set_char(pg_attribute::attstorage, type_storage(described))
        .set_oid(pg_attribute::attcollation, type_collation(described));
  };
  change_attribute(table, found.number, [&](CatalogTuple& tuple) {
    describe(tuple);
    tuple.set_bool(pg_attribute::atthasmissing, false).set_null(pg_attribute::attmissingval);
  });
  change_index_types(relation, found.number, type);
  show_changes();
  create_toast_table(table);
}

void set_column_statistics(Oid table, std::string_view column, int32_t target) {
  RelationDesc& relation = open_table_for_change(table, LockMode::kShareUpdateExclusive);
  constexpr int32_t kMost = 10000;
  if (target < -1) {
    throw Error(sqlstate::kInvalidParameterValue, "statistics target {} is too low", target);
  }
  change_attribute(table, column_of(relation, column).number, [&](CatalogTuple& tuple) {
    tuple.set_int4(pg_attribute::attstattarget, std::min(target, kMost));
  });
  show_changes();
}

void set_column_storage(Oid table, std::string_view column, char storage) {
  RelationDesc& relation = open_table_for_change(table);
  const ColumnDesc& found = column_of(relation, column);
  if (storage != 'p' && element_type_of(found.type).length != -1) {
    throw Error(sqlstate::kFeatureNotSupported, "column data type {} can only have storage PLAIN",
                format_type(found.type));
  }
  change_attribute(table, found.number,
                   [&](CatalogTuple& tuple) { tuple.set_char(pg_attribute::attstorage, storage); });
  show_changes();
  create_toast_table(table);
}

void set_column_identity(Oid table, std::string_view column, char identity) {
  RelationDesc& relation = open_table_for_change(table);
  const ColumnDesc& found = column_of(relation, column);
  if (identity != '\0' && !found.not_null) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "column \"{}\" of relation \"{}\" must be declared NOT NULL before identity can be "
                "added",
                column, relation.name);
  }
  change_attribute(table, found.number, [&](CatalogTuple& tuple) {
    tuple.set_char(pg_attribute::attidentity, identity);
  });
  show_changes();
}

}  // namespace cofork
