// CREATE, ALTER and DROP ROLE (user.c, 15). See ddl.h.
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_auth_members.h"
#include "catalog/system/pg_authid.h"
#include "catalog/system/pg_shdepend.h"
#include "support/error.h"

namespace cofork {

namespace {

void check_reserved(const std::string& name) {
  if (name.starts_with("pg_")) {
    throw Error(sqlstate::kReservedName, "role name \"{}\" is reserved", name)
        .detail("Role names starting with \"pg_\" are reserved.");
  }
  if (name == "public" || name == "none") {
    throw Error(sqlstate::kReservedName, "role name \"{}\" is reserved", name);
  }
}

bool may_change_roles() {
  if (catalog_user().is_superuser) return true;
  auto self = find_role(catalog_user().oid);
  return self && self->create_role;
}

void apply(CatalogTuple& tuple, const RoleChange& change) {
  auto set = [&](int column, const std::optional<bool>& value) {
    if (value) tuple.set_bool(column, *value);
  };
  set(pg_authid::rolsuper, change.superuser);
  set(pg_authid::rolinherit, change.inherit);
  set(pg_authid::rolcreaterole, change.create_role);
  set(pg_authid::rolcreatedb, change.create_database);
  set(pg_authid::rolcanlogin, change.login);
  set(pg_authid::rolreplication, change.replication);
  set(pg_authid::rolbypassrls, change.bypass_row_security);
  if (change.connection_limit) tuple.set_int4(pg_authid::rolconnlimit, *change.connection_limit);
}

/// Only superusers make or change what is as mighty as they are.
void check_may_give(const RoleChange& change) {
  if (catalog_user().is_superuser) return;
  if (change.superuser.value_or(false)) {
    throw Error(sqlstate::kInsufficientPrivilege, "must be superuser to create superusers");
  }
  if (change.replication.value_or(false)) {
    throw Error(sqlstate::kInsufficientPrivilege, "must be superuser to create replication users");
  }
  if (change.bypass_row_security.value_or(false)) {
    throw Error(sqlstate::kInsufficientPrivilege, "must be superuser to create bypassrls users");
  }
}

RoleDesc role_to_change(std::string_view name) {
  auto role = find_role(name);
  if (!role) throw Error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name);
  if (role->superuser && !catalog_user().is_superuser) {
    throw Error(sqlstate::kInsufficientPrivilege,
                "must be superuser to alter superuser roles or change superuser attribute");
  }
  if (!may_change_roles()) throw Error(sqlstate::kInsufficientPrivilege, "permission denied");
  return *role;
}

template <typename Change>
void change_role(Oid role, Change&& change) {
  CatalogScan scan(pg_authid::kCatalog, pg_authid::kOidIndex, {key_of(role)});
  if (!scan.next()) return;
  CatalogTuple tuple(pg_authid::kCatalog, scan.row());
  change(tuple);
  tuple.update(scan.row().tuple().self);
  show_changes();
}

}  // namespace

Oid create_role(const std::string& name, const RoleChange& attributes) {
  if (!may_change_roles()) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to create role");
  }
  check_may_give(attributes);
  check_reserved(name);
  if (find_role(name)) {
    throw Error(sqlstate::kDuplicateObject, "role \"{}\" already exists", name);
  }
  Oid oid = new_catalog_oid(pg_authid::kCatalog, pg_authid::kOidIndex);
  CatalogTuple tuple(pg_authid::kCatalog);
  tuple.set_oid(pg_authid::oid, oid)
      .set_name(pg_authid::rolname, name)
      .set_bool(pg_authid::rolinherit, true)
      .set_int4(pg_authid::rolconnlimit, -1);
  for (int column : {pg_authid::rolsuper, pg_authid::rolcreaterole, pg_authid::rolcreatedb,
                     pg_authid::rolcanlogin, pg_authid::rolreplication, pg_authid::rolbypassrls}) {
    tuple.set_bool(column, false);
  }
  apply(tuple, attributes);
  tuple.insert();
  show_changes();
  return oid;
}

void alter_role(std::string_view name, const RoleChange& attributes) {
  RoleDesc role = role_to_change(name);
  check_may_give(attributes);
  change_role(role.oid, [&](CatalogTuple& tuple) { apply(tuple, attributes); });
}

void rename_role(std::string_view name, const std::string& new_name) {
  RoleDesc role = role_to_change(name);
  if (role.oid == catalog_user().oid) {
    throw Error(sqlstate::kFeatureNotSupported, "current user cannot be renamed");
  }
  check_reserved(role.name);
  check_reserved(new_name);
  if (find_role(new_name)) {
    throw Error(sqlstate::kDuplicateObject, "role \"{}\" already exists", new_name);
  }
  change_role(role.oid, [&](CatalogTuple& tuple) { tuple.set_name(pg_authid::rolname, new_name); });
}

namespace {

/// "owner of table t": what keeps a role from going (checkSharedDependencies).
std::string what_it_owns(Oid role) {
  std::string text;
  CatalogScan scan(pg_shdepend::kCatalog, pg_shdepend::kReferenceIndex,
                   {key_of(class_oid::kRole), key_of(role)});
  int elsewhere = 0;
  while (scan.next()) {
    CatalogRow& row = scan.row();
    ObjectAddress object{row.oid(pg_shdepend::classid), row.oid(pg_shdepend::objid)};
    Oid database = row.oid(pg_shdepend::dbid);
    if (database != kInvalidOid && database != my_database()) {
      ++elsewhere;
      continue;
    }
    if (!text.empty()) text += '\n';
    text += "owner of " + describe_object(object);
  }
  if (elsewhere > 0) {
    if (!text.empty()) text += '\n';
    text += fmt::format("{} object{} in other databases", elsewhere, elsewhere == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

void drop_role(std::string_view name, bool missing_ok) {
  if (!may_change_roles()) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to drop role");
  }
  if (!find_role(name)) {
    if (!missing_ok) {
      throw Error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name);
    }
    report_notice(sqlstate::kSuccessfulCompletion,
                  fmt::format("role \"{}\" does not exist, skipping", name));
    return;
  }
  RoleDesc role = role_to_change(name);
  if (role.oid == catalog_user().oid) {
    throw Error(sqlstate::kObjectInUse, "current user cannot be dropped");
  }
  if (role.oid < kFirstNormalOid) {
    throw Error(sqlstate::kDependentObjectsStillExist,
                "cannot drop role {} because it is required by the database system", name);
  }
  if (std::string owned = what_it_owns(role.oid); !owned.empty()) {
    throw Error(sqlstate::kDependentObjectsStillExist,
                "role \"{}\" cannot be dropped because some objects depend on it", name)
        .detail("{}", owned);
  }
  catalog_delete_where(pg_authid::kCatalog, pg_authid::kOidIndex, {key_of(role.oid)});
  catalog_delete_where(pg_auth_members::kCatalog, pg_auth_members::kRoleMemberIndex,
                       {key_of(role.oid)});
  catalog_delete_where(pg_auth_members::kCatalog, pg_auth_members::kMemberRoleIndex,
                       {key_of(role.oid)});
  set_comment({class_oid::kRole, role.oid}, std::nullopt);
}

}  // namespace cofork
