// See delete_object.h (doDeletion in dependency.c; heap_drop_with_catalog, index_drop,
// RemoveAttributeById, RemoveConstraintById, RemoveAttrDefaultById, 15).
#include "catalog/delete_object.h"

#include "access/relation_storage.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/dependency.h"
#include "catalog/invalidation.h"
#include "catalog/names.h"
#include "catalog/relation_cache.h"
#include "catalog/system/pg_attrdef.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_description.h"
#include "catalog/system/pg_index.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/system/pg_rewrite.h"
#include "catalog/system/pg_sequence.h"
#include "catalog/system/pg_statistic.h"
#include "catalog/system/pg_type.h"
#include "catalog/task_catalog.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

void delete_comments(const ObjectAddress& object) {
  CatalogScan scan(pg_description::kCatalog, pg_description::kOCOIndex,
                   {key_of(object.object), key_of(object.class_id)});
  while (scan.next()) {
    bool concerned = object.sub == 0 || scan.row().int4(pg_description::objsubid) == object.sub;
    if (concerned) catalog_delete(pg_description::kCatalog, scan.row().tuple().self);
  }
}

void delete_statistics(Oid relation, int16_t column) {
  if (column == 0) {
    catalog_delete_where(pg_statistic::kCatalog, pg_statistic::kRelidAttInhIndex,
                         {key_of(relation)});
  } else {
    catalog_delete_where(pg_statistic::kCatalog, pg_statistic::kRelidAttInhIndex,
                         {key_of(relation), key_of(column)});
  }
}

void delete_relation(Oid oid) {
  RelationDesc& relation = open_relation(oid, LockMode::kAccessExclusive);
  if (relation.kind == 'i') {
    catalog_delete_where(pg_index::kCatalog, pg_index::kIndexrelidIndex, {key_of(oid)});
    invalidate_relation(relation.indexed_table);
  }
  if (relation.kind == 'S') {
    catalog_delete_where(pg_sequence::kCatalog, pg_sequence::kSeqrelidIndex, {key_of(oid)});
  }
  if (relation.kind != 'v') drop_relation_storage(relation.access.file);
  delete_statistics(oid, 0);
  catalog_delete_where(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex, {key_of(oid)});
  catalog_delete_where(pg_class::kCatalog, pg_class::kOidIndex, {key_of(oid)});
  invalidate_relation(oid);
  invalidate_names();
}

/// A dropped column stays in its place, without a name: rows on disk still have its values.
void delete_column(Oid relation, int16_t number) {
  open_relation(relation, LockMode::kAccessExclusive);
  CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex,
                   {key_of(relation), key_of(number)});
  if (!scan.next()) return;
  CatalogTuple tuple(pg_attribute::kCatalog, scan.row());
  tuple.set_name(pg_attribute::attname, fmt::format("........pg.dropped.{}........", number))
      .set_oid(pg_attribute::atttypid, kInvalidOid)
      .set_bool(pg_attribute::attnotnull, false)
      .set_int4(pg_attribute::attstattarget, 0)
      .set_char(pg_attribute::attgenerated, '\0')
      .set_bool(pg_attribute::attisdropped, true)
      .set_bool(pg_attribute::atthasmissing, false)
      .set_null(pg_attribute::attmissingval);
  tuple.update(scan.row().tuple().self);
  delete_statistics(relation, number);
  invalidate_relation(relation);
}

void delete_default(Oid oid) {
  CatalogScan scan(pg_attrdef::kCatalog, pg_attrdef::kOidIndex, {key_of(oid)});
  if (!scan.next()) return;
  Oid relation = scan.row().oid(pg_attrdef::adrelid);
  int16_t number = scan.row().int2(pg_attrdef::adnum);
  open_relation(relation, LockMode::kAccessExclusive);
  catalog_delete(pg_attrdef::kCatalog, scan.row().tuple().self);
  CatalogScan column(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex,
                     {key_of(relation), key_of(number)});
  if (column.next()) {
    CatalogTuple(pg_attribute::kCatalog, column.row())
        .set_bool(pg_attribute::atthasdef, false)
        .update(column.row().tuple().self);
  }
  invalidate_relation(relation);
}

/// One CHECK less: the count in pg_class says whether there is anything to look for.
void count_check_removed(Oid relation) {
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(relation)});
  if (!scan.next()) return;
  CatalogTuple(pg_class::kCatalog, scan.row())
      .set_int2(pg_class::relchecks, scan.row().int2(pg_class::relchecks) - 1)
      .update(scan.row().tuple().self);
  my_transaction().command_counter_increment();
}

void delete_constraint(Oid oid) {
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kOidIndex, {key_of(oid)});
  if (!scan.next()) return;
  CatalogRow& row = scan.row();
  Oid relation = row.oid(pg_constraint::conrelid);
  Oid referenced = row.oid(pg_constraint::confrelid);
  bool is_check = row.character(pg_constraint::contype) == 'c';
  open_relation(relation, LockMode::kAccessExclusive);
  catalog_delete(pg_constraint::kCatalog, row.tuple().self);
  if (is_check) count_check_removed(relation);
  invalidate_relation(relation);
  if (referenced != kInvalidOid) invalidate_relation(referenced);
}

}  // namespace

void lock_object(const ObjectAddress& object) {
  if (object.class_id == class_oid::kRelation) {
    lock_acquire(LockTag::relation(my_database(), object.object), LockMode::kAccessExclusive);
  } else {
    lock_acquire(LockTag::object(my_database(), object.class_id, object.object),
                 LockMode::kAccessExclusive);
  }
}

void delete_object(const ObjectAddress& object) {
  switch (object.class_id) {
    case class_oid::kRelation:
      if (object.sub == 0) {
        delete_relation(object.object);
      } else {
        delete_column(object.object, static_cast<int16_t>(object.sub));
      }
      break;
    case class_oid::kDefault:
      delete_default(object.object);
      break;
    case class_oid::kConstraint:
      delete_constraint(object.object);
      break;
    case class_oid::kRule:
      catalog_delete_where(pg_rewrite::kCatalog, pg_rewrite::kOidIndex, {key_of(object.object)});
      break;
    case class_oid::kType:
      catalog_delete_where(pg_type::kCatalog, pg_type::kOidIndex, {key_of(object.object)});
      break;
    case class_oid::kNamespace:
      catalog_delete_where(pg_namespace::kCatalog, pg_namespace::kOidIndex,
                           {key_of(object.object)});
      invalidate_names();
      break;
    default:
      throw Error(sqlstate::kInternalError, "unsupported object class {}", object.class_id);
  }
  forget_dependencies_of(object);
  if (object.sub == 0) forget_owner(object);
  delete_comments(object);
  my_transaction().command_counter_increment();
}

}  // namespace cofork
