// Steps that several changes have in common: looking a table up for a change, writing columns,
// defaults, constraints, and finding names and files for new relations.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_class.h"
#include "support/error.h"

namespace cofork {

// --- what is there (ddl_parts.cc)

/// Opens a table for ALTER: locked, owned by the user, no catalog. 42809 `"%s" is not a table`.
RelationDesc& open_table_for_change(Oid table, LockMode mode = LockMode::kAccessExclusive);
/// 42703 `column "%s" of relation "%s" does not exist`; 0A000 for system columns.
const ColumnDesc& column_of(const RelationDesc& table, std::string_view name);
std::vector<int16_t> column_numbers(const RelationDesc& table, std::span<const std::string> names);
/// Name and schema are free: 42P07 `relation "%s" already exists`. False, after a NOTICE, under IF
/// NOT EXISTS.
bool name_is_free(Oid schema, const std::string& name, bool if_not_exists);
/// The number of a new relation's file: its oid, unless there is a file of that name already.
Oid new_file_number(Oid relation);
/// Where a relation with this file number lives: the database's default tablespace.
RelationFile relation_file(Oid file_number);
void report_notice(SqlState sqlstate, std::string message);
/// So that the next step sees this one.
void show_changes();

// --- relations (ddl_table.cc)

struct NewRelation {
  char kind;  ///< r, S, v, t
  char persistence;
  Oid schema;
  std::string_view name;
  std::span<const ColumnDefinition> columns;
  std::vector<std::string> options = {};
};
/// The rows of pg_class, pg_type and pg_attribute of a new relation, its empty file, its
/// dependencies. Returns its oid.
Oid insert_relation(const NewRelation& relation);

// --- columns (ddl_columns.cc)

/// 42701 `column name "%s" conflicts with a system column name`; 42P16 for pseudo-types; 42704.
void check_column(const ColumnDefinition& column);
/// The rows of pg_attribute and pg_attrdef for a new column, with their dependencies.
void insert_column(Oid relation, int16_t number, const ColumnDefinition& column);
void insert_default(Oid relation, int16_t number, const ColumnDefinition& column);

/// Replaces fields of a column's row: `change(CatalogTuple&)`.
template <typename Change>
void change_attribute(Oid relation, int16_t number, Change&& change) {
  CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex,
                   {key_of(relation), key_of(number)});
  if (!scan.next()) return;
  CatalogTuple tuple(pg_attribute::kCatalog, scan.row());
  change(tuple);
  tuple.update(scan.row().tuple().self);
  invalidate_relation(relation);
}
/// Replaces fields of a relation's row in pg_class: `change(CatalogTuple&, CatalogRow& old)`.
template <typename Change>
void change_class(Oid relation, Change&& change) {
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(relation)});
  if (!scan.next()) return;
  CatalogTuple tuple(pg_class::kCatalog, scan.row());
  change(tuple, scan.row());
  tuple.update(scan.row().tuple().self);
  invalidate_relation(relation);
}

// --- constraints and indexes (ddl_constraints.cc, ddl_index.cc)

/// Writes a constraint and, for keys, makes its index. `taken`: names given to constraints of the
/// same statement.
Oid insert_constraint(Oid table, const ConstraintDefinition& constraint,
                      std::vector<std::string>& taken);

/// Makes an index; `constraint` is its row of pg_constraint if it serves one (0: none), which gets
/// the dependencies.
struct IndexMaking {
  const IndexDefinition& definition;
  Oid schema;
  std::string name;
  bool primary = false;
  bool immediate = true;
  const IndexRowFactory& rows;
};
Oid make_index(RelationDesc& table, const IndexMaking& making);
/// After a column has got another type: the rows of its indexes' columns follow.
void change_index_types(RelationDesc& table, int16_t column, Oid type);
/// Fills an index that is empty from the table's rows. Throws 23505.
void build_index(RelationDesc& table, IndexDesc& index, const IndexRow& row);

}  // namespace cofork
