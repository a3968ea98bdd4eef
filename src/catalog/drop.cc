// DROP TABLE, INDEX, SEQUENCE, VIEW, SCHEMA (RemoveRelations in tablecmds.c, RemoveObjects in
// dropcmds.c, 15). See ddl.h.
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_description.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/system/pg_shdescription.h"
#include "catalog/task_catalog.h"
#include "support/error.h"

namespace cofork {

namespace {

struct DroppedKind {
  char kind;
  const char* noun;
  SqlState missing;
  const char* wrong;  ///< "… is not WRONG"
  const char* hint;   ///< how to drop one of this kind
};
const DroppedKind kKinds[] = {
    {'r', "table", sqlstate::kUndefinedTable, "a table", "Use DROP TABLE to remove a table."},
    {'i', "index", sqlstate::kUndefinedObject, "an index", "Use DROP INDEX to remove an index."},
    {'S', "sequence", sqlstate::kUndefinedTable, "a sequence",
     "Use DROP SEQUENCE to remove a sequence."},
    {'v', "view", sqlstate::kUndefinedTable, "a view", "Use DROP VIEW to remove a view."},
};

const DroppedKind& kind_of(char kind) {
  for (const DroppedKind& candidate : kKinds) {
    if (candidate.kind == kind) return candidate;
  }
  throw Error(sqlstate::kInternalError, "unrecognized relkind: {}", static_cast<int>(kind));
}

void report_missing(const DroppedKind& kind, const QualifiedName& name, bool missing_ok) {
  if (!name.schema.empty() && find_namespace(name.schema) == kInvalidOid) {
    if (!missing_ok) {
      throw Error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name.schema);
    }
    report_notice(sqlstate::kSuccessfulCompletion,
                  fmt::format("schema \"{}\" does not exist, skipping", name.schema));
    return;
  }
  // Only the bare name is told (DropErrorMsgNonExistent).
  if (!missing_ok) throw Error(kind.missing, "{} \"{}\" does not exist", kind.noun, name.name);
  report_notice(sqlstate::kSuccessfulCompletion,
                fmt::format("{} \"{}\" does not exist, skipping", kind.noun, name.name));
}

/// Locks what the name means; a name that means something else by then is looked up again.
RelationDesc* lock_for_drop(const DroppedKind& kind, const QualifiedName& name) {
  while (true) {
    FoundRelation found = find_relation(name.schema, name.name);
    if (!found) return nullptr;
    if (found.oid < kFirstNormalOid) {
      throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                  name.name);
    }
    auto key = relation_key(found.oid);
    if (key && key->kind == 'i' && kind.kind == 'i') {
      // The table first, as everybody who uses the index does.
      open_relation(open_relation(found.oid, LockMode::kNone).indexed_table,
                    LockMode::kAccessExclusive);
    }
    RelationDesc* relation = try_open_relation(found.oid, LockMode::kAccessExclusive);
    if (relation != nullptr && find_relation(name.schema, name.name).oid == found.oid) {
      return relation;
    }
    this_task().check_interrupts();
  }
}

}  // namespace

void drop_relations(char kind, std::span<const QualifiedName> names, DropBehavior behavior,
                    bool missing_ok) {
  const DroppedKind& wanted = kind_of(kind);
  std::vector<ObjectAddress> objects;
  for (const QualifiedName& name : names) {
    RelationDesc* relation = lock_for_drop(wanted, name);
    if (relation == nullptr) {
      report_missing(wanted, name, missing_ok);
      continue;
    }
    if (relation->kind != kind) {
      throw Error(sqlstate::kWrongObjectType, "\"{}\" is not {}", name.name, wanted.wrong)
          .hint("{}", kind_of(relation->kind).hint);
    }
    must_own_user_relation(*relation);
    objects.push_back(ObjectAddress::relation(relation->oid));
  }
  perform_deletion(objects, behavior);
}

void drop_schemas(std::span<const std::string> names, DropBehavior behavior, bool missing_ok) {
  std::vector<ObjectAddress> objects;
  for (const std::string& name : names) {
    Oid schema = find_namespace(name);
    if (schema == kInvalidOid) {
      if (!missing_ok) {
        throw Error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name);
      }
      report_notice(sqlstate::kSuccessfulCompletion,
                    fmt::format("schema \"{}\" does not exist, skipping", name));
      continue;
    }
    if (schema == kPgCatalogOid || schema == kPgToastOid) {
      throw Error(sqlstate::kDependentObjectsStillExist,
                  "cannot drop schema {} because it is required by the database system", name);
    }
    CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kOidIndex, {key_of(schema)});
    if (!scan.next()) continue;
    must_own(scan.row().oid(pg_namespace::nspowner), "schema", name);
    objects.push_back({class_oid::kNamespace, schema});
  }
  perform_deletion(objects, behavior);
}

// --- CREATE SCHEMA and COMMENT

Oid create_schema(const std::string& name, std::string_view owner, bool if_not_exists) {
  if (name.starts_with("pg_")) {
    throw Error(sqlstate::kReservedName, "unacceptable schema name \"{}\"", name)
        .detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  if (find_namespace(name) != kInvalidOid) {
    if (!if_not_exists) {
      throw Error(sqlstate::kDuplicateSchema, "schema \"{}\" already exists", name);
    }
    report_notice(sqlstate::kDuplicateSchema,
                  fmt::format("schema \"{}\" already exists, skipping", name));
    return kInvalidOid;
  }
  Oid owner_oid = owner.empty() ? catalog_user().oid : role_oid(owner);
  Oid schema = new_catalog_oid(pg_namespace::kCatalog, pg_namespace::kOidIndex);
  CatalogTuple(pg_namespace::kCatalog)
      .set_oid(pg_namespace::oid, schema)
      .set_name(pg_namespace::nspname, name)
      .set_oid(pg_namespace::nspowner, owner_oid)
      .insert();
  record_owner({class_oid::kNamespace, schema}, owner_oid);
  invalidate_names();
  show_changes();
  return schema;
}

void rename_schema(std::string_view name, const std::string& new_name) {
  Oid schema = namespace_of(name);
  CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kOidIndex, {key_of(schema)});
  if (!scan.next()) return;
  must_own(scan.row().oid(pg_namespace::nspowner), "schema", name);
  if (find_namespace(new_name) != kInvalidOid) {
    throw Error(sqlstate::kDuplicateSchema, "schema \"{}\" already exists", new_name);
  }
  if (new_name.starts_with("pg_")) {
    throw Error(sqlstate::kReservedName, "unacceptable schema name \"{}\"", new_name)
        .detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  CatalogTuple(pg_namespace::kCatalog, scan.row())
      .set_name(pg_namespace::nspname, new_name)
      .update(scan.row().tuple().self);
  invalidate_names();
  show_changes();
}

namespace {

bool is_shared_class(Oid class_id) {
  return class_id == class_oid::kDatabase || class_id == class_oid::kRole ||
         class_id == class_oid::kTablespace;
}

void set_shared_comment(const ObjectAddress& object, const std::optional<std::string>& comment) {
  catalog_delete_where(pg_shdescription::kCatalog, pg_shdescription::kOCIndex,
                       {key_of(object.object), key_of(object.class_id)});
  if (!comment || comment->empty()) return;
  CatalogTuple(pg_shdescription::kCatalog)
      .set_oid(pg_shdescription::objoid, object.object)
      .set_oid(pg_shdescription::classoid, object.class_id)
      .set_text(pg_shdescription::description, *comment)
      .insert();
}

}  // namespace

void set_comment(const ObjectAddress& object, const std::optional<std::string>& comment) {
  if (is_shared_class(object.class_id)) {
    set_shared_comment(object, comment);
    return show_changes();
  }
  catalog_delete_where(pg_description::kCatalog, pg_description::kOCOIndex,
                       {key_of(object.object), key_of(object.class_id), key_of(object.sub)});
  if (comment && !comment->empty()) {
    CatalogTuple(pg_description::kCatalog)
        .set_oid(pg_description::objoid, object.object)
        .set_oid(pg_description::classoid, object.class_id)
        .set_int4(pg_description::objsubid, object.sub)
        .set_text(pg_description::description, *comment)
        .insert();
  }
  show_changes();
}

}  // namespace cofork
