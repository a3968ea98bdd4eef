// See bootstrap.h.
#include "catalog/bootstrap.h"

#include "access/relation_storage.h"
#include "catalog/builtin.h"
#include "catalog/catalog_rows.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/names.h"
#include "catalog/object_address.h"
#include "catalog/privileges.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_auth_members.h"
#include "catalog/system/pg_authid.h"
#include "catalog/system/pg_database.h"
#include "catalog/system/pg_description.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/system/pg_shdescription.h"
#include "catalog/system/pg_statistic.h"
#include "catalog/system/pg_tablespace.h"
#include "catalog/type_layout.h"
#include "catalog/views/view.h"
#include "support/crc32c.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

constexpr uint32_t kFrozen = kInsertFrozen;
constexpr Oid kOwner = kBootstrapSuperuserOid;
constexpr Oid kDatabaseOwnerRole = 6171;

// --- relations

void make_files(const SystemCatalog& catalog) {
  CatalogTable& table = catalog_table(catalog);
  create_relation_storage(table.heap.file, 'p');
  for (const auto& index : table.indexes) {
    create_relation_storage(index->relation.file, 'p');
    btree_create_empty(index->btree, ForkNumber::kMain);
  }
}

/// Text in catalogs is ordered by its bytes, whatever the database's collation.
Oid catalog_collation(Oid type) {
  constexpr Oid kC = 950;
  return type_collation(*find_type(type)) == kInvalidOid ? kInvalidOid : kC;
}

void describe_index(const SystemCatalog& catalog, const SystemIndex& index) {
  IndexFields fields;
  fields.index = index.oid;
  fields.table = catalog.oid;
  fields.key_count = index.key_count();
  fields.unique = index.kind != SystemIndex::kPlain;
  fields.primary = index.kind == SystemIndex::kPrimary;
  for (int i = 0; i < index.key_count(); ++i) {
    const SystemColumn& column = catalog.columns[static_cast<size_t>(index.keys[i])];
    fields.columns.push_back(static_cast<int16_t>(index.keys[i] + 1));
    fields.collations.push_back(catalog_collation(column.type));
    fields.opclasses.push_back(default_opclass(column.type));
    fields.options.push_back(0);
    AttributeFields attribute;
    attribute.relation = index.oid;
    attribute.name = column.name;
    attribute.type = column.type == type_oid::kName ? type_oid::kCstring : column.type;
    attribute.number = static_cast<int16_t>(i + 1);
    attribute.collation = fields.collations.back();
    insert_attribute_row(attribute, kFrozen);
  }
  insert_index_row(fields, kFrozen);
  ClassFields row;
  row.oid = index.oid;
  row.name = index.name;
  row.schema = kPgCatalogOid;
  row.owner = kOwner;
  row.access_method = kBtreeAccessMethod;
  row.file_number = catalog.is_mapped ? kInvalidOid : index.oid;
  row.tablespace = catalog.is_shared ? kGlobalTablespaceOid : kInvalidOid;
  row.is_shared = catalog.is_shared;
  row.kind = 'i';
  row.columns = index.key_count();
  insert_class_row(row, kFrozen);
}

/// Readable by everybody, or by its owner alone.
std::vector<Aclitem> table_access(bool is_public) {
  std::vector<Aclitem> list = {{kOwner, kOwner, kTablePrivileges}};
  if (is_public) list.push_back({kInvalidOid, kOwner, kPrivilegeSelect});
  return list;
}

void describe_catalog(const SystemCatalog& catalog) {
  insert_row_type(catalog.row_type, catalog.row_array_type, catalog.name, kPgCatalogOid, kOwner,
                  catalog.oid, kFrozen);
  bool is_public =
      catalog.oid != pg_authid::kCatalog.oid && catalog.oid != pg_statistic::kCatalog.oid;
  std::vector<Aclitem> acl = table_access(is_public);
  ClassFields row;
  row.oid = catalog.oid;
  row.name = catalog.name;
  row.schema = kPgCatalogOid;
  row.row_type = catalog.row_type;
  row.owner = kOwner;
  row.access_method = kHeapAccessMethod;
  row.file_number = catalog.is_mapped ? kInvalidOid : catalog.oid;
  row.tablespace = catalog.is_shared ? kGlobalTablespaceOid : kInvalidOid;
  row.is_shared = catalog.is_shared;
  row.has_index = !catalog.indexes.empty();
  row.columns = static_cast<int>(catalog.columns.size());
  row.frozen_xid = kFirstNormalXid;
  row.min_multi = kFirstMultiXactId;
  row.acl = acl;
  insert_class_row(row, kFrozen);
  int16_t number = 0;
  for (const SystemColumn& column : catalog.columns) {
    AttributeFields attribute;
    attribute.relation = catalog.oid;
    attribute.name = column.name;
    attribute.type = column.type;
    attribute.number = ++number;
    attribute.collation = catalog_collation(column.type);
    attribute.not_null = !column.nullable;
    insert_attribute_row(attribute, kFrozen);
  }
  insert_system_columns(catalog.oid, kFrozen);
  for (const SystemIndex& index : catalog.indexes) describe_index(catalog, index);
}

void describe_view(const BuiltinView& view) {
  std::vector<Aclitem> acl = table_access(view.is_public);
  ClassFields row;
  row.oid = view.oid;
  row.name = view.name;
  row.schema = kPgCatalogOid;
  row.owner = kOwner;
  row.kind = 'v';
  row.has_rules = true;
  row.columns = static_cast<int>(view.columns.size());
  row.acl = acl;
  insert_class_row(row, kFrozen);
  int16_t number = 0;
  for (const ViewColumn& column : view.columns) {
    AttributeFields attribute;
    attribute.relation = view.oid;
    attribute.name = column.name;
    attribute.type = column.type;
    attribute.number = ++number;
    attribute.collation = type_collation(*find_type(column.type));
    insert_attribute_row(attribute, kFrozen);
  }
}

// --- other objects

void insert_schema(Oid oid, const char* name, Oid owner, std::span<const Aclitem> acl) {
  CatalogTuple tuple(pg_namespace::kCatalog);
  tuple.set_oid(pg_namespace::oid, oid)
      .set_name(pg_namespace::nspname, name)
      .set_oid(pg_namespace::nspowner, owner);
  if (!acl.empty()) tuple.set(pg_namespace::nspacl, access_list(tuple.arena(), acl));
  tuple.insert(kFrozen);
}

void insert_role(Oid oid, std::string_view name, bool is_superuser) {
  CatalogTuple tuple(pg_authid::kCatalog);
  tuple.set_oid(pg_authid::oid, oid)
      .set_name(pg_authid::rolname, name)
      .set_bool(pg_authid::rolinherit, true)
      .set_int4(pg_authid::rolconnlimit, -1);
  for (int attribute :
       {pg_authid::rolsuper, pg_authid::rolcreaterole, pg_authid::rolcreatedb,
        pg_authid::rolcanlogin, pg_authid::rolreplication, pg_authid::rolbypassrls}) {
    tuple.set_bool(attribute, is_superuser);
  }
  tuple.insert(kFrozen);
}

struct PredefinedRole {
  Oid oid;
  const char* name;
};
// pg_authid.dat and pg_auth_members.dat of PostgreSQL 15.
constexpr PredefinedRole kPredefinedRoles[] = {
    {6171, "pg_database_owner"},     {6181, "pg_read_all_data"},
    {6182, "pg_write_all_data"},     {3373, "pg_monitor"},
    {3374, "pg_read_all_settings"},  {3375, "pg_read_all_stats"},
    {3377, "pg_stat_scan_tables"},   {4569, "pg_read_server_files"},
    {4570, "pg_write_server_files"}, {4571, "pg_execute_server_program"},
    {4200, "pg_signal_backend"},     {4544, "pg_checkpoint"},
};
constexpr Oid kMonitorRole = 3373;
constexpr Oid kMonitorIsMemberOf[] = {3374, 3375, 3377};

void insert_roles(const std::string& superuser) {
  insert_role(kOwner, superuser, true);
  for (const PredefinedRole& role : kPredefinedRoles) insert_role(role.oid, role.name, false);
  for (Oid group : kMonitorIsMemberOf) {
    CatalogTuple tuple(pg_auth_members::kCatalog);
    tuple.set_oid(pg_auth_members::roleid, group)
        .set_oid(pg_auth_members::member, kMonitorRole)
        .set_oid(pg_auth_members::grantor, kOwner)
        .set_bool(pg_auth_members::admin_option, false)
        .insert(kFrozen);
  }
}

void insert_database(const BootstrapOptions& options, Oid oid, const char* name, bool is_template,
                     bool allow_connections, std::span<const Aclitem> acl) {
  using namespace pg_database;
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(pg_database::oid, oid)
      .set_name(datname, name)
      .set_oid(datdba, kOwner)
      .set_int4(encoding, options.encoding)
      .set_char(datlocprovider, 'c')
      .set_bool(datistemplate, is_template)
      .set_bool(datallowconn, allow_connections)
      .set_int4(datconnlimit, -1)
      .set_oid(datfrozenxid, kFirstNormalXid)
      .set_oid(datminmxid, kFirstMultiXactId)
      .set_oid(dattablespace, kDefaultTablespaceOid)
      .set_text(datcollate, options.collate)
      .set_text(datctype, options.ctype);
  if (!acl.empty()) tuple.set(datacl, access_list(tuple.arena(), acl));
  tuple.insert(kFrozen);
}

void insert_tablespace(Oid oid, const char* name) {
  CatalogTuple tuple(pg_tablespace::kCatalog);
  tuple.set_oid(pg_tablespace::oid, oid)
      .set_name(pg_tablespace::spcname, name)
      .set_oid(pg_tablespace::spcowner, kOwner)
      .insert(kFrozen);
}

void insert_shared_objects(const BootstrapOptions& options) {
  insert_roles(options.superuser);
  insert_tablespace(kDefaultTablespaceOid, "pg_default");
  insert_tablespace(kGlobalTablespaceOid, "pg_global");
  const Aclitem kTemplateAccess[] = {{kInvalidOid, kOwner, kPrivilegeConnect},
                                     {kOwner, kOwner, kDatabasePrivileges}};
  insert_database(options, kTemplate1Oid, "template1", true, true, kTemplateAccess);
  insert_database(options, kTemplate0Oid, "template0", true, false, kTemplateAccess);
  insert_database(options, kPostgresOid, "postgres", false, true, {});
  constexpr std::pair<Oid, const char*> kComments[] = {
      {kTemplate1Oid, "default template for new databases"},
      {kTemplate0Oid, "unmodifiable empty database"},
      {kPostgresOid, "default administrative connection database"}};
  for (const auto& [oid, comment] : kComments) {
    CatalogTuple(pg_shdescription::kCatalog)
        .set_oid(pg_shdescription::objoid, oid)
        .set_oid(pg_shdescription::classoid, class_oid::kDatabase)
        .set_text(pg_shdescription::description, comment)
        .insert(kFrozen);
  }
}

void insert_schemas() {
  auto access = [](Oid owner) {
    return std::vector<Aclitem>{{owner, owner, kSchemaPrivileges},
                                {kInvalidOid, owner, kPrivilegeUsage}};
  };
  insert_schema(kPgToastOid, "pg_toast", kOwner, {});
  insert_schema(kPgCatalogOid, "pg_catalog", kOwner, access(kOwner));
  insert_schema(kPublicOid, "public", kDatabaseOwnerRole, access(kDatabaseOwnerRole));
  constexpr std::pair<Oid, const char*> kComments[] = {
      {kPgToastOid, "reserved schema for TOAST tables"},
      {kPgCatalogOid, "system catalog schema"},
      {kPublicOid, "standard public schema"}};
  for (const auto& [oid, comment] : kComments) {
    CatalogTuple(pg_description::kCatalog)
        .set_oid(pg_description::objoid, oid)
        .set_oid(pg_description::classoid, class_oid::kNamespace)
        .set_int4(pg_description::objsubid, 0)
        .set_text(pg_description::description, comment)
        .insert(kFrozen);
  }
}

// --- figures

/// What VACUUM would say, so that plans over the catalogs are good from the start.
void note_sizes(const SystemCatalog& catalog) {
  CatalogTable& table = catalog_table(catalog);
  float rows = 0;
  for (CatalogHeapScan scan(catalog); scan.next();) ++rows;
  RelationStatistics statistics;
  statistics.tuples = rows;
  statistics.pages = static_cast<int32_t>(relation_blocks(table.heap.file, ForkNumber::kMain));
  statistics.has_index = true;
  update_relation_statistics(catalog.oid, statistics);
  statistics.has_index = false;
  for (const auto& index : table.indexes) {
    statistics.pages =
        static_cast<int32_t>(relation_blocks(index->relation.file, ForkNumber::kMain));
    update_relation_statistics(index->definition->oid, statistics);
  }
}

}  // namespace

void bootstrap_catalogs(const BootstrapOptions& options) {
  set_catalog_user({kOwner, options.superuser, true});
  Transaction& transaction = my_transaction();
  transaction.begin({});
  for (const SystemCatalog* catalog : system_catalogs()) make_files(*catalog);
  insert_shared_objects(options);
  insert_schemas();
  for (const BuiltinType& type : all_types()) insert_builtin_type(type, kFrozen);
  for (const SystemCatalog* catalog : system_catalogs()) describe_catalog(*catalog);
  for (const BuiltinView* view : all_views()) describe_view(*view);
  transaction.commit();

  transaction.begin({});
  for (const SystemCatalog* catalog : system_catalogs()) note_sizes(*catalog);
  transaction.commit();
}

// --- the map of files

std::string relation_map(bool shared) {
  constexpr uint32_t kMagic = 0x592717;
  constexpr size_t kBytes = 512, kCrcAt = 504;
  std::vector<Oid> mapped;
  for (const SystemCatalog* catalog : system_catalogs()) {
    if (!catalog->is_mapped || catalog->is_shared != shared) continue;
    mapped.push_back(catalog->oid);
    for (const SystemIndex& index : catalog->indexes) mapped.push_back(index.oid);
  }
  std::string map(kBytes, '\0');
  store_le(map.data(), kMagic);
  store_le(map.data() + 4, static_cast<uint32_t>(mapped.size()));
  for (size_t i = 0; i < mapped.size(); ++i) {
    store_le(map.data() + 8 + 8 * i, mapped[i]);
    store_le(map.data() + 12 + 8 * i, mapped[i]);
  }
  store_le(map.data() + kCrcAt, crc32c(map.data(), kCrcAt));
  return map;
}

}  // namespace cofork
