// See dependency.h: the rows of pg_depend and pg_shdepend. Dropping is deletion.cc.
#include "catalog/dependency.h"

#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_depend.h"
#include "catalog/system/pg_shdepend.h"

namespace cofork {

namespace {

/// Below are the objects every cluster has (FirstUnpinnedObjectId); the schema public is its own.
constexpr Oid kFirstUnpinnedOid = 12000;

bool is_pinned(const ObjectAddress& object) {
  if (object.class_id == class_oid::kNamespace && object.object == kPublicOid) return false;
  return object.object < kFirstUnpinnedOid;
}

}  // namespace

void record_dependency(const ObjectAddress& depender, const ObjectAddress& referenced,
                       DependencyKind kind) {
  if (is_pinned(referenced)) return;
  CatalogTuple(pg_depend::kCatalog)
      .set_oid(pg_depend::classid, depender.class_id)
      .set_oid(pg_depend::objid, depender.object)
      .set_int4(pg_depend::objsubid, depender.sub)
      .set_oid(pg_depend::refclassid, referenced.class_id)
      .set_oid(pg_depend::refobjid, referenced.object)
      .set_int4(pg_depend::refobjsubid, referenced.sub)
      .set_char(pg_depend::deptype, kind)
      .insert();
}

void record_dependencies(const ObjectAddress& depender, std::span<const ObjectAddress> referenced,
                         DependencyKind kind) {
  for (const ObjectAddress& object : referenced) record_dependency(depender, object, kind);
}

void forget_dependencies_of(const ObjectAddress& depender) {
  CatalogScan scan(pg_depend::kCatalog, pg_depend::kDependerIndex,
                   {key_of(depender.class_id), key_of(depender.object)});
  while (scan.next()) {
    // A relation as a whole takes along what its columns need.
    bool concerned = depender.sub == 0 || scan.row().int4(pg_depend::objsubid) == depender.sub;
    if (concerned) catalog_delete(pg_depend::kCatalog, scan.row().tuple().self);
  }
}

void forget_dependencies_on(const ObjectAddress& depender, Oid class_id, DependencyKind kind) {
  CatalogScan scan(pg_depend::kCatalog, pg_depend::kDependerIndex,
                   {key_of(depender.class_id), key_of(depender.object), key_of(depender.sub)});
  while (scan.next()) {
    if (scan.row().oid(pg_depend::refclassid) != class_id) continue;
    if (scan.row().character(pg_depend::deptype) != kind) continue;
    catalog_delete(pg_depend::kCatalog, scan.row().tuple().self);
  }
}

void record_owner(const ObjectAddress& object, Oid owner) {
  if (owner < kFirstUnpinnedOid) return;
  constexpr char kOwner = 'o';
  CatalogTuple(pg_shdepend::kCatalog)
      .set_oid(pg_shdepend::dbid, my_database())
      .set_oid(pg_shdepend::classid, object.class_id)
      .set_oid(pg_shdepend::objid, object.object)
      .set_int4(pg_shdepend::objsubid, 0)
      .set_oid(pg_shdepend::refclassid, class_oid::kRole)
      .set_oid(pg_shdepend::refobjid, owner)
      .set_char(pg_shdepend::deptype, kOwner)
      .insert();
}

void forget_owner(const ObjectAddress& object) {
  catalog_delete_where(pg_shdepend::kCatalog, pg_shdepend::kDependerIndex,
                       {key_of(my_database()), key_of(object.class_id), key_of(object.object)});
}

std::vector<Depender> dependers_of(const ObjectAddress& object) {
  std::vector<Depender> found;
  CatalogScan scan(pg_depend::kCatalog, pg_depend::kReferenceIndex,
                   {key_of(object.class_id), key_of(object.object)});
  while (scan.next()) {
    CatalogRow& row = scan.row();
    if (object.sub != 0 && row.int4(pg_depend::refobjsubid) != object.sub) continue;
    ObjectAddress depender{row.oid(pg_depend::classid), row.oid(pg_depend::objid),
                           row.int4(pg_depend::objsubid)};
    found.push_back({depender, static_cast<DependencyKind>(row.character(pg_depend::deptype))});
  }
  return found;
}

}  // namespace cofork
