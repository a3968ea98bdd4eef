// pg_database: Databases. Shared; a connection's first question.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_database {

enum Column : int {
  oid,
  datname,
  datdba,
  encoding,
  datlocprovider,
  datistemplate,
  datallowconn,
  datconnlimit,
  datfrozenxid,
  datminmxid,
  dattablespace,
  datcollate,
  datctype,
  daticulocale,
  datcollversion,
  datacl,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"datname", type_oid::kName},
    {"datdba", type_oid::kOid},
    {"encoding", type_oid::kInt4},
    {"datlocprovider", type_oid::kChar},
    {"datistemplate", type_oid::kBool},
    {"datallowconn", type_oid::kBool},
    {"datconnlimit", type_oid::kInt4},
    {"datfrozenxid", type_oid::kXid},
    {"datminmxid", type_oid::kXid},
    {"dattablespace", type_oid::kOid},
    {"datcollate", type_oid::kText},
    {"datctype", type_oid::kText},
    {"daticulocale", type_oid::kText, true},
    {"datcollversion", type_oid::kText, true},
    {"datacl", type_oid::kAclitemArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2671, "pg_database_datname_index", SystemIndex::kUnique, {datname}},
    {2672, "pg_database_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kDatnameIndex = 2671;
inline constexpr Oid kOidIndex = 2672;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1262,
    .name = "pg_database",
    .row_type = 1248,
    .row_array_type = 10052,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_database
