// pg_authid: Roles. Shared: they are the cluster's.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_authid {

enum Column : int {
  oid,
  rolname,
  rolsuper,
  rolinherit,
  rolcreaterole,
  rolcreatedb,
  rolcanlogin,
  rolreplication,
  rolbypassrls,
  rolconnlimit,
  rolpassword,
  rolvaliduntil,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"rolname", type_oid::kName},
    {"rolsuper", type_oid::kBool},
    {"rolinherit", type_oid::kBool},
    {"rolcreaterole", type_oid::kBool},
    {"rolcreatedb", type_oid::kBool},
    {"rolcanlogin", type_oid::kBool},
    {"rolreplication", type_oid::kBool},
    {"rolbypassrls", type_oid::kBool},
    {"rolconnlimit", type_oid::kInt4},
    {"rolpassword", type_oid::kText, true},
    {"rolvaliduntil", type_oid::kTimestampTz, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2676, "pg_authid_rolname_index", SystemIndex::kUnique, {rolname}},
    {2677, "pg_authid_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kRolnameIndex = 2676;
inline constexpr Oid kOidIndex = 2677;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1260,
    .name = "pg_authid",
    .row_type = 2842,
    .row_array_type = 10057,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_authid
