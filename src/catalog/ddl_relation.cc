// RENAME, SET SCHEMA, OWNER TO, SET (…) of relations, and views (tablecmds.c, view.c, 15). See
// ddl.h.
#include <algorithm>

#include "catalog/builtin.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/reloptions.h"
#include "catalog/sequence.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_rewrite.h"
#include "catalog/system/pg_type.h"
#include "catalog/task_catalog.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// An index is locked less: nobody is kept from using it under its new name.
RelationDesc& open_for_rename(Oid oid) {
  RelationDesc& relation = open_relation(oid, LockMode::kAccessExclusive);
  must_own_user_relation(relation);
  return relation;
}

/// The row type has the relation's name.
void change_row_type(const RelationDesc& relation, int column, Datum value) {
  if (relation.row_type == kInvalidOid) return;
  CatalogScan scan(pg_type::kCatalog, pg_type::kOidIndex, {key_of(relation.row_type)});
  if (!scan.next()) return;
  CatalogTuple(pg_type::kCatalog, scan.row()).set(column, value).update(scan.row().tuple().self);
}

/// A constraint and its index have the same name and schema.
void change_constraint_of(const RelationDesc& index, int column, Datum value) {
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kConrelidContypidConnameIndex,
                   {key_of(index.indexed_table)});
  while (scan.next()) {
    CatalogRow& row = scan.row();
    bool is_key = row.character(pg_constraint::contype) != 'f';
    if (!is_key || row.oid(pg_constraint::conindid) != index.oid) continue;
    CatalogTuple(pg_constraint::kCatalog, row).set(column, value).update(row.tuple().self);
    return;
  }
}

void forget_relation_and_table(const RelationDesc& relation) {
  invalidate_relation(relation.oid);
  if (relation.kind == 'i') invalidate_relation(relation.indexed_table);
  invalidate_names();
  show_changes();
}

}  // namespace

void rename_relation(Oid oid, const std::string& name) {
  RelationDesc& relation = open_for_rename(oid);
  if (find_relation_in(relation.schema, name) != kInvalidOid) {
    throw Error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", name);
  }
  change_class(oid,
               [&](CatalogTuple& tuple, CatalogRow&) { tuple.set_name(pg_class::relname, name); });
  Arena arena;
  Datum value = name_from(arena, name);
  change_row_type(relation, pg_type::typname, value);
  if (relation.kind == 'i') change_constraint_of(relation, pg_constraint::conname, value);
  forget_relation_and_table(relation);
}

void set_relation_schema(Oid oid, std::string_view schema) {
  RelationDesc& relation = open_for_rename(oid);
  Oid target = creation_namespace(schema);
  if (target == relation.schema) return;
  if (find_relation_in(target, relation.name) != kInvalidOid) {
    throw Error(sqlstate::kDuplicateTable, "relation \"{}\" already exists in schema \"{}\"",
                relation.name, schema);
  }
  auto move = [&](const RelationDesc& moved) {
    change_class(moved.oid, [&](CatalogTuple& tuple, CatalogRow&) {
      tuple.set_oid(pg_class::relnamespace, target);
    });
    change_row_type(moved, pg_type::typnamespace, datum_from_oid(target));
  };
  move(relation);
  for (const auto& index : relation.indexes) {
    RelationDesc& described = open_relation(index->oid, LockMode::kNone);
    move(described);
    change_constraint_of(described, pg_constraint::connamespace, datum_from_oid(target));
  }
  ObjectAddress self = ObjectAddress::relation(oid);
  forget_dependencies_on(self, class_oid::kNamespace, kDependencyNormal);
  record_dependency(self, {class_oid::kNamespace, target}, kDependencyNormal);
  forget_relation_and_table(relation);
}

void set_relation_owner(Oid oid, std::string_view role) {
  RelationDesc& relation = open_for_rename(oid);
  Oid owner = role_oid(role);
  if (!acts_as_role(owner)) {
    throw Error(sqlstate::kInsufficientPrivilege, "must be member of role \"{}\"", role);
  }
  auto give = [&](Oid given) {
    change_class(
        given, [&](CatalogTuple& tuple, CatalogRow&) { tuple.set_oid(pg_class::relowner, owner); });
    forget_owner(ObjectAddress::relation(given));
  };
  give(oid);
  record_owner(ObjectAddress::relation(oid), owner);
  for (const auto& index : relation.indexes) give(index->oid);
  change_row_type(relation, pg_type::typowner, datum_from_oid(owner));
  // What belongs to its columns goes along.
  for (const ColumnDesc& column : relation.columns) {
    Oid sequence = sequence_of_column(oid, column.number);
    if (sequence == kInvalidOid) continue;
    give(sequence);
    record_owner(ObjectAddress::relation(sequence), owner);
  }
  forget_relation_and_table(relation);
}

void set_relation_options(Oid oid, const OptionList& options, bool reset) {
  RelationDesc& relation = open_relation(oid, LockMode::kShareUpdateExclusive);
  must_own_user_relation(relation);
  std::vector<std::string> merged = merged_options(relation.options, options, relation.kind, reset);
  change_class(oid, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_texts(pg_class::reloptions, merged);
  });
  forget_relation_and_table(relation);
}

// --- views

namespace {

/// What replacing may change: columns at the end, nothing before them (checkViewTupleDesc).
void check_replacement(const RelationDesc& view, std::span<const ColumnDefinition> columns) {
  if (columns.size() < view.columns.size()) {
    throw Error(sqlstate::kInvalidTableDefinition, "cannot drop columns from view");
  }
  for (size_t i = 0; i < view.columns.size(); ++i) {
    const ColumnDesc& before = view.columns[i];
    if (before.name != columns[i].name) {
      throw Error(sqlstate::kInvalidTableDefinition,
                  "cannot change name of view column \"{}\" to \"{}\"", before.name,
                  columns[i].name)
          .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (before.type != columns[i].type || before.typmod != columns[i].typmod) {
      throw Error(sqlstate::kInvalidTableDefinition,
                  "cannot change data type of view column \"{}\" from {} to {}", before.name,
                  format_type(before.type, before.typmod),
                  format_type(columns[i].type, columns[i].typmod));
    }
  }
}

void insert_rule(Oid view, const StoredExpression& query) {
  using namespace pg_rewrite;
  Oid rule = new_catalog_oid(kCatalog, kOidIndex);
  CatalogTuple(kCatalog)
      .set_oid(pg_rewrite::oid, rule)
      .set_name(rulename, "_RETURN")
      .set_oid(ev_class, view)
      .set_char(ev_type, '1')
      .set_char(ev_enabled, 'O')
      .set_bool(is_instead, true)
      .set_text(ev_qual, "<>")
      .set_text(ev_action, query.text)
      .insert();
  ObjectAddress self{class_oid::kRule, rule};
  record_dependency(self, ObjectAddress::relation(view), kDependencyInternal);
  record_dependencies(self, query.uses, kDependencyNormal);
}

Oid replace_view(Oid oid, const ViewDefinition& definition) {
  RelationDesc& view = open_relation(oid, LockMode::kAccessExclusive);
  if (view.kind != 'v') {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not a view", definition.name);
  }
  must_own_user_relation(view);
  check_replacement(view, definition.columns);
  for (size_t i = view.columns.size(); i < definition.columns.size(); ++i) {
    insert_column(oid, static_cast<int16_t>(i + 1), definition.columns[i]);
  }
  CatalogScan scan(pg_rewrite::kCatalog, pg_rewrite::kRelRulenameIndex, {key_of(oid)});
  if (scan.next()) {
    forget_dependencies_of({class_oid::kRule, scan.row().oid(pg_rewrite::oid)});
    catalog_delete(pg_rewrite::kCatalog, scan.row().tuple().self);
  }
  show_changes();
  insert_rule(oid, definition.query);
  std::vector<std::string> options = checked_options(definition.options, 'v');
  change_class(oid, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_int2(pg_class::relnatts, static_cast<int>(definition.columns.size()))
        .set_texts(pg_class::reloptions, options);
  });
  show_changes();
  return oid;
}

}  // namespace

Oid create_view(const ViewDefinition& definition) {
  for (size_t i = 0; i < definition.columns.size(); ++i) {
    for (size_t before = 0; before < i; ++before) {
      if (definition.columns[before].name != definition.columns[i].name) continue;
      throw Error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once",
                  definition.columns[i].name);
    }
  }
  std::vector<std::string> options = checked_options(definition.options, 'v');
  Oid schema = creation_namespace(definition.schema);
  if (definition.or_replace) {
    Oid existing = find_relation_in(schema, definition.name);
    if (existing != kInvalidOid) return replace_view(existing, definition);
  }
  name_is_free(schema, definition.name, false);
  Oid view =
      insert_relation({'v', 'p', schema, definition.name, definition.columns, std::move(options)});
  insert_rule(view, definition.query);
  invalidate_relation(view);
  show_changes();
  return view;
}

}  // namespace cofork
