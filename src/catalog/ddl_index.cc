// CREATE INDEX (DefineIndex in indexcmds.c, index_create in index.c, 15). Filling it is
// index_build.cc. See ddl.h.
#include <algorithm>

#include "access/relation_storage.h"
#include "catalog/array_element.h"
#include "catalog/builtin.h"
#include "catalog/catalog_rows.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/relation_load.h"
#include "catalog/reloptions.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_index.h"
#include "catalog/task_catalog.h"
#include "catalog/type_layout.h"
#include "support/error.h"

namespace cofork {

namespace {

/// What one column of an index is made of.
struct Part {
  std::string name;  ///< of the column in the index
  Oid type;
  int32_t typmod;
  Oid collation;
  int16_t column;  ///< of the table; 0: an expression
};

const ColumnDesc& index_column(const RelationDesc& table, std::string_view name) {
  if (const ColumnDesc* column = table.find_column(name)) return *column;
  throw Error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", name);
}

Part part_of_column(const RelationDesc& table, const std::string& name) {
  const ColumnDesc& column = index_column(table, name);
  return {column.name, column.type, column.typmod, column.collation, column.number};
}

Part part_of_key(const RelationDesc& table, const IndexKeyDefinition& key) {
  if (!key.column.empty()) {
    Part part = part_of_column(table, key.column);
    if (key.collation != kInvalidOid) part.collation = key.collation;
    return part;
  }
  Oid collation =
      key.collation != kInvalidOid ? key.collation : type_collation(element_type_of(key.type));
  std::string name = key.expression_name.empty() ? "expr" : key.expression_name;
  return {std::move(name), key.type, key.typmod, collation, 0};
}

void must_have_order(Oid type) {
  if (default_opclass(type) != kInvalidOid && element_type_of(type).compare != nullptr) return;
  throw Error(sqlstate::kUndefinedObject,
              "data type {} has no default operator class for access method \"btree\"",
              format_type(type))
      .hint(
          "You must specify an operator class for the index or define a default operator class for "
          "the data type.");
}

/// Names of an index's columns are different from each other: expr, expr1 …
void make_names_unique(std::vector<Part>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string wanted = parts[i].name;
    for (int number = 1;; ++number) {
      bool taken = std::any_of(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(i),
                               [&](const Part& other) { return other.name == parts[i].name; });
      if (!taken) break;
      parts[i].name = fmt::format("{}{}", wanted, number);
    }
  }
}

std::vector<Part> parts_of(const RelationDesc& table, const IndexDefinition& definition) {
  std::vector<Part> parts;
  size_t count = definition.keys.size() + definition.include.size();
  if (count > kIndexMaxColumns) {
    throw Error(sqlstate::kTooManyColumns, "cannot use more than {} columns in an index",
                kIndexMaxColumns);
  }
  for (const IndexKeyDefinition& key : definition.keys) {
    parts.push_back(part_of_key(table, key));
    must_have_order(parts.back().type);
  }
  for (const std::string& name : definition.include) {
    parts.push_back(part_of_column(table, name));
    parts.back().collation = kInvalidOid;
  }
  make_names_unique(parts);
  return parts;
}

IndexFields index_fields(const IndexMaking& making, Oid index, Oid table,
                         const std::vector<Part>& parts) {
  const IndexDefinition& definition = making.definition;
  IndexFields fields;
  fields.index = index;
  fields.table = table;
  fields.key_count = static_cast<int>(definition.keys.size());
  fields.unique = definition.unique;
  fields.nulls_not_distinct = definition.nulls_not_distinct;
  fields.primary = making.primary;
  fields.immediate = making.immediate;
  for (const Part& part : parts) fields.columns.push_back(part.column);
  for (size_t i = 0; i < definition.keys.size(); ++i) {
    const IndexKeyDefinition& key = definition.keys[i];
    constexpr int16_t kDescending = 1, kNullsFirst = 2;
    bool nulls_first = key.nulls_first.value_or(key.descending);
    fields.options.push_back(
        static_cast<int16_t>((key.descending ? kDescending : 0) | (nulls_first ? kNullsFirst : 0)));
    fields.collations.push_back(parts[i].collation);
    fields.opclasses.push_back(default_opclass(parts[i].type));
  }
  fields.predicate = definition.predicate.text;
  return fields;
}

std::string expressions_of(const IndexDefinition& definition) {
  std::string text;
  for (const IndexKeyDefinition& key : definition.keys) {
    if (!key.column.empty()) continue;
    if (!text.empty()) text += kExpressionSeparator;
    text += key.expression.text;
  }
  return text;
}

void insert_index_columns(Oid index, const std::vector<Part>& parts) {
  int16_t number = 0;
  for (const Part& part : parts) {
    AttributeFields column;
    column.relation = index;
    column.name = part.name;
    column.type = part.type == type_oid::kName ? type_oid::kCstring : part.type;
    column.typmod = part.typmod;
    column.number = ++number;
    column.collation = part.collation;
    insert_attribute_row(column);
  }
}

void depend_on_table(Oid index, const RelationDesc& table, const std::vector<Part>& parts,
                     const IndexDefinition& definition) {
  ObjectAddress self = ObjectAddress::relation(index);
  bool any_column = false;
  for (const Part& part : parts) {
    if (part.column == 0) continue;
    record_dependency(self, ObjectAddress::relation(table.oid, part.column), kDependencyAuto);
    any_column = true;
  }
  auto record_uses = [&](const StoredExpression& expression) {
    for (const ObjectAddress& used : expression.uses) {
      bool own = used.class_id == class_oid::kRelation && used.object == table.oid;
      record_dependency(self, used, own ? kDependencyAuto : kDependencyNormal);
      any_column |= own;
    }
  };
  for (const IndexKeyDefinition& key : definition.keys) record_uses(key.expression);
  record_uses(definition.predicate);
  if (!any_column) {
    record_dependency(self, ObjectAddress::relation(table.oid), kDependencyAuto);
  }
}

void make_empty_file(RelationDesc& table, Oid index, Oid file_number) {
  create_relation_storage(relation_file(file_number), table.persistence);
  if (table.persistence != 'u') return;
  create_init_fork(relation_file(file_number));
  if (IndexDesc* made = table.find_index(index)) {
    btree_create_empty(made->btree, ForkNumber::kInit);
  }
}

}  // namespace

Oid make_index(RelationDesc& table, const IndexMaking& making) {
  const IndexDefinition& definition = making.definition;
  std::vector<Part> parts = parts_of(table, definition);
  std::vector<std::string> options = checked_options(definition.options, 'i');
  if (find_relation_in(making.schema, making.name) != kInvalidOid) {
    throw Error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", making.name);
  }
  Oid index = new_catalog_oid(pg_class::kCatalog, pg_class::kOidIndex);
  Oid file_number = new_file_number(index);
  lock_acquire(LockTag::relation(my_database(), index), LockMode::kAccessExclusive);

  ClassFields row;
  row.oid = index;
  row.name = making.name;
  row.schema = making.schema;
  row.owner = table.owner;
  row.access_method = kBtreeAccessMethod;
  row.file_number = file_number;
  row.persistence = table.persistence;
  row.kind = 'i';
  row.tuples = 0;
  row.columns = static_cast<int>(parts.size());
  row.options = options;
  insert_class_row(row);
  insert_index_columns(index, parts);
  IndexFields fields = index_fields(making, index, table.oid, parts);
  std::string expressions = expressions_of(definition);
  fields.expressions = expressions;
  insert_index_row(fields);
  depend_on_table(index, table, parts, definition);
  change_class(table.oid, [](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_bool(pg_class::relhasindex, true);
  });
  invalidate_names();
  show_changes();

  RelationDesc& with_index = open_relation(table.oid, LockMode::kNone);
  make_empty_file(with_index, index, file_number);
  IndexDesc& made = *with_index.find_index(index);
  build_index(with_index, made, making.rows ? making.rows(with_index, made) : IndexRow());
  return index;
}

namespace {

/// What an index without a name is called (ChooseIndexName).
std::string chosen_name(const RelationDesc& table, const IndexDefinition& definition) {
  std::string columns;
  for (const IndexKeyDefinition& key : definition.keys) {
    if (!columns.empty()) columns += '_';
    columns += !key.column.empty()           ? key.column
               : key.expression_name.empty() ? std::string("expr")
                                             : key.expression_name;
    if (columns.size() >= kNameBytes) break;
  }
  for (const std::string& name : definition.include) columns += "_" + name;
  return choose_relation_name(table.name, columns, "idx", table.schema, false);
}

}  // namespace

Oid create_index(const IndexDefinition& definition, const IndexRowFactory& rows) {
  RelationDesc& table = open_relation(definition.table, LockMode::kShare);
  if (table.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "cannot create index on relation \"{}\"", table.name)
        .detail("This operation is not supported for {}.", table.kind == 'v'   ? "views"
                                                           : table.kind == 'S' ? "sequences"
                                                                               : "indexes");
  }
  must_own_user_relation(table);
  std::string name = definition.name;
  if (name.empty()) {
    name = chosen_name(table, definition);
  } else if (!name_is_free(table.schema, name, definition.if_not_exists)) {
    return kInvalidOid;
  }
  return make_index(table, {definition, table.schema, name, false, true, rows});
}

void change_index_types(RelationDesc& table, int16_t column, Oid type) {
  must_have_order(type);
  for (const auto& index : table.indexes) {
    for (size_t i = 0; i < index->columns.size(); ++i) {
      if (index->columns[i] != column) continue;
      const BuiltinType& described =
          element_type_of(type == type_oid::kName ? type_oid::kCstring : type);
      change_attribute(index->oid, static_cast<int16_t>(i + 1), [&](CatalogTuple& tuple) {
        tuple.set_oid(pg_attribute::atttypid, described.oid)
            .set_int2(pg_attribute::attlen, described.length)
            .set_bool(pg_attribute::attbyval, described.by_value)
            .set_char(pg_attribute::attalign, described.align)
            .set_char(pg_attribute::attstorage, type_storage(described));
      });
      CatalogScan scan(pg_index::kCatalog, pg_index::kIndexrelidIndex, {key_of(index->oid)});
      if (!scan.next()) continue;
      std::vector<Oid> classes = scan.row().oids(pg_index::indclass);
      if (i < classes.size()) classes[i] = default_opclass(type);
      CatalogTuple(pg_index::kCatalog, scan.row())
          .set_oids(pg_index::indclass, classes)
          .update(scan.row().tuple().self);
    }
  }
}

}  // namespace cofork
