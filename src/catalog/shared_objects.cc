// See shared_objects.h.
#include "catalog/shared_objects.h"

#include <algorithm>

#include "catalog/catalog_table.h"
#include "catalog/system/pg_authid.h"
#include "catalog/system/pg_database.h"
#include "support/error.h"

namespace cofork {

namespace {

RoleDesc role_of(CatalogRow& row) {
  RoleDesc role;
  role.oid = row.oid(pg_authid::oid);
  role.name = row.name(pg_authid::rolname);
  role.superuser = row.boolean(pg_authid::rolsuper);
  role.inherit = row.boolean(pg_authid::rolinherit);
  role.create_role = row.boolean(pg_authid::rolcreaterole);
  role.create_database = row.boolean(pg_authid::rolcreatedb);
  role.login = row.boolean(pg_authid::rolcanlogin);
  role.replication = row.boolean(pg_authid::rolreplication);
  role.bypass_row_security = row.boolean(pg_authid::rolbypassrls);
  role.connection_limit = row.int4(pg_authid::rolconnlimit);
  return role;
}

DatabaseDesc database_of(CatalogRow& row) {
  DatabaseDesc database;
  database.oid = row.oid(pg_database::oid);
  database.name = row.name(pg_database::datname);
  database.owner = row.oid(pg_database::datdba);
  database.encoding = row.int4(pg_database::encoding);
  database.is_template = row.boolean(pg_database::datistemplate);
  database.allow_connections = row.boolean(pg_database::datallowconn);
  database.connection_limit = row.int4(pg_database::datconnlimit);
  database.frozen_xid = row.oid(pg_database::datfrozenxid);
  database.min_multi = row.oid(pg_database::datminmxid);
  database.tablespace = row.oid(pg_database::dattablespace);
  database.collate = row.text(pg_database::datcollate);
  database.ctype = row.text(pg_database::datctype);
  return database;
}

template <typename Object>
std::optional<Object> first_of(CatalogScan& scan, Object (*read)(CatalogRow&)) {
  if (!scan.next()) return std::nullopt;
  return read(scan.row());
}

template <typename Object>
std::vector<Object> all_of(const SystemCatalog& catalog, Object (*read)(CatalogRow&)) {
  std::vector<Object> objects;
  CatalogHeapScan scan(catalog);
  while (scan.next()) objects.push_back(read(scan.row()));
  std::ranges::sort(objects, {}, &Object::oid);
  return objects;
}

}  // namespace

std::optional<RoleDesc> find_role(std::string_view name) {
  std::string key(name);
  CatalogScan scan(pg_authid::kCatalog, pg_authid::kRolnameIndex, {key_of(key)});
  return first_of(scan, role_of);
}

std::optional<RoleDesc> find_role(Oid oid) {
  CatalogScan scan(pg_authid::kCatalog, pg_authid::kOidIndex, {key_of(oid)});
  return first_of(scan, role_of);
}

std::optional<DatabaseDesc> find_database(std::string_view name) {
  std::string key(name);
  CatalogScan scan(pg_database::kCatalog, pg_database::kDatnameIndex, {key_of(key)});
  return first_of(scan, database_of);
}

std::optional<DatabaseDesc> find_database(Oid oid) {
  CatalogScan scan(pg_database::kCatalog, pg_database::kOidIndex, {key_of(oid)});
  return first_of(scan, database_of);
}

std::vector<RoleDesc> all_roles() {
  return all_of(pg_authid::kCatalog, role_of);
}

std::vector<DatabaseDesc> all_databases() {
  return all_of(pg_database::kCatalog, database_of);
}

Oid role_oid(std::string_view name) {
  auto role = find_role(name);
  if (role) return role->oid;
  throw Error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name);
}

std::string role_name(Oid oid) {
  auto role = find_role(oid);
  return role ? role->name : fmt::format("unknown (OID={})", oid);
}

const char* encoding_name(int32_t encoding) {
  return encoding == 6 ? "UTF8" : "SQL_ASCII";
}

}  // namespace cofork
