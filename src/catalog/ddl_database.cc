// CREATE, DROP and RENAME DATABASE (dbcommands.c, 15). See ddl.h.
#include "access/database_storage.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_database.h"
#include "catalog/system/pg_shdepend.h"
#include "model/model.h"
#include "shmem/proc_array.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/checkpoint_request.h"

namespace cofork {

namespace {

constexpr uint32_t kFlushEverything =
    kCheckpointImmediate | kCheckpointForce | kCheckpointWait | kCheckpointFlushAll;

LockTag database_tag(Oid database) {
  return LockTag::object(kInvalidOid, class_oid::kDatabase, database);
}

/// Others who are connected; those who are about to leave are given five seconds
/// (CountOtherDBBackends).
int other_sessions(Oid database) {
  constexpr int kTries = 50;
  constexpr int64_t kPauseUs = 100'000;
  Task& task = this_task();
  int mine = my_database() == database ? 1 : 0;
  int others = 0;
  for (int i = 0; i < kTries; ++i) {
    task.check_interrupts();
    others = count_connections_to_database(database) - mine;
    if (others <= 0) return 0;
    task.model().pause_us(task, kPauseUs);
  }
  return others;
}

[[noreturn]] void refuse_used(std::string_view what, std::string_view name, int others) {
  Error error(sqlstate::kObjectInUse, "{} \"{}\" is being accessed by other users", what, name);
  throw std::move(error).detail(
      "{}", others == 1 ? std::string("There is 1 other session using the database.")
                        : fmt::format("There are {} other sessions using the database.", others));
}

bool may_create() {
  if (catalog_user().is_superuser) return true;
  auto self = find_role(catalog_user().oid);
  return self && self->create_database;
}

void check_definition(const DatabaseDefinition& definition, const DatabaseDesc& from) {
  if (definition.connection_limit && *definition.connection_limit < -1) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid connection limit: {}",
                *definition.connection_limit);
  }
  if (definition.encoding && *definition.encoding != from.encoding) {
    throw Error(sqlstate::kInvalidParameterValue,
                "new encoding ({}) is incompatible with the encoding of the template database ({})",
                encoding_name(*definition.encoding), encoding_name(from.encoding))
        .hint("Use the same encoding as in the template database, or use template0 as template.");
  }
  auto check_locale = [&](const char* what, const std::optional<std::string>& wanted,
                          const std::string& have) {
    if (!wanted || *wanted == have) return;
    throw Error(sqlstate::kInvalidParameterValue,
                "new {} ({}) is incompatible with the {} of the template database ({})", what,
                *wanted, what, have)
        .hint("Use the same {} as in the template database, or use template0 as template.", what);
  };
  check_locale("collation", definition.collate, from.collate);
  check_locale("LC_CTYPE", definition.ctype, from.ctype);
}

void insert_row(Oid oid, const DatabaseDefinition& definition, const DatabaseDesc& from,
                Oid owner) {
  using namespace pg_database;
  CatalogTuple(kCatalog)
      .set_oid(pg_database::oid, oid)
      .set_name(datname, definition.name)
      .set_oid(datdba, owner)
      .set_int4(encoding, from.encoding)
      .set_char(datlocprovider, 'c')
      .set_bool(datistemplate, definition.is_template.value_or(false))
      .set_bool(datallowconn, definition.allow_connections.value_or(true))
      .set_int4(datconnlimit, definition.connection_limit.value_or(-1))
      .set_oid(datfrozenxid, from.frozen_xid)
      .set_oid(datminmxid, from.min_multi)
      .set_oid(dattablespace, from.tablespace)
      .set_text(datcollate, from.collate)
      .set_text(datctype, from.ctype)
      .insert();
}

}  // namespace

Oid create_database(const DatabaseDefinition& definition) {
  if (!may_create()) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to create database");
  }
  Oid owner = definition.owner.empty() ? catalog_user().oid : role_oid(definition.owner);
  if (!acts_as_role(owner)) {
    throw Error(sqlstate::kInsufficientPrivilege, "must be member of role \"{}\"",
                definition.owner);
  }
  auto from = find_database(definition.template_name);
  if (!from) {
    throw Error(sqlstate::kUndefinedDatabase, "template database \"{}\" does not exist",
                definition.template_name);
  }
  if (!from->is_template) must_own(from->owner, "database", from->name);
  check_definition(definition, *from);
  if (find_database(definition.name)) {
    throw Error(sqlstate::kDuplicateDatabase, "database \"{}\" already exists", definition.name);
  }
  // Nobody may connect to the template, nor drop it, while it is copied.
  lock_acquire(database_tag(from->oid), LockMode::kShare);
  if (int others = other_sessions(from->oid); others > 0) {
    refuse_used("source database", from->name, others);
  }
  Oid oid = new_catalog_oid(pg_database::kCatalog, pg_database::kOidIndex);
  insert_row(oid, definition, *from, owner);
  record_owner({class_oid::kDatabase, oid}, owner);
  request_checkpoint(kFlushEverything);
  copy_database_directory(from->oid, oid);
  // Redo of what comes must not begin before the copy: it would copy what has changed by then.
  request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
  my_transaction().force_synchronous_commit();
  show_changes();
  return oid;
}

void drop_database(std::string_view name, bool missing_ok) {
  auto database = find_database(name);
  if (!database) {
    if (!missing_ok) {
      throw Error(sqlstate::kUndefinedDatabase, "database \"{}\" does not exist", name);
    }
    report_notice(sqlstate::kSuccessfulCompletion,
                  fmt::format("database \"{}\" does not exist, skipping", name));
    return;
  }
  must_own(database->owner, "database", name);
  if (database->is_template) {
    throw Error(sqlstate::kWrongObjectType, "cannot drop a template database");
  }
  if (database->oid == my_database()) {
    throw Error(sqlstate::kObjectInUse, "cannot drop the currently open database");
  }
  lock_acquire(database_tag(database->oid), LockMode::kAccessExclusive);
  if (int others = other_sessions(database->oid); others > 0) {
    refuse_used("database", name, others);
  }
  catalog_delete_where(pg_database::kCatalog, pg_database::kOidIndex, {key_of(database->oid)});
  catalog_delete_where(pg_shdepend::kCatalog, pg_shdepend::kDependerIndex, {key_of(database->oid)});
  catalog_delete_where(pg_shdepend::kCatalog, pg_shdepend::kDependerIndex,
                       {key_of(kInvalidOid), key_of(class_oid::kDatabase), key_of(database->oid)});
  set_comment({class_oid::kDatabase, database->oid}, std::nullopt);
  // Whoever holds a file of it open lets go at the checkpoint; after it nobody writes there.
  request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
  remove_database_directory(database->oid, true);
  my_transaction().force_synchronous_commit();
  show_changes();
}

void rename_database(std::string_view name, const std::string& new_name) {
  auto database = find_database(name);
  if (!database) throw Error(sqlstate::kUndefinedDatabase, "database \"{}\" does not exist", name);
  must_own(database->owner, "database", name);
  if (!may_create()) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to rename database");
  }
  if (find_database(new_name)) {
    throw Error(sqlstate::kDuplicateDatabase, "database \"{}\" already exists", new_name);
  }
  if (database->oid == my_database()) {
    throw Error(sqlstate::kFeatureNotSupported, "current database cannot be renamed");
  }
  lock_acquire(database_tag(database->oid), LockMode::kAccessExclusive);
  if (int others = other_sessions(database->oid); others > 0) {
    refuse_used("database", name, others);
  }
  CatalogScan scan(pg_database::kCatalog, pg_database::kOidIndex, {key_of(database->oid)});
  if (!scan.next()) return;
  CatalogTuple(pg_database::kCatalog, scan.row())
      .set_name(pg_database::datname, new_name)
      .update(scan.row().tuple().self);
  show_changes();
}

}  // namespace cofork
