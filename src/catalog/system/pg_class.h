// pg_class: Relations: tables, indexes, sequences, views. What describes one begins here.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_class {

enum Column : int {
  oid,
  relname,
  relnamespace,
  reltype,
  reloftype,
  relowner,
  relam,
  relfilenode,
  reltablespace,
  relpages,
  reltuples,
  relallvisible,
  reltoastrelid,
  relhasindex,
  relisshared,
  relpersistence,
  relkind,
  relnatts,
  relchecks,
  relhasrules,
  relhastriggers,
  relhassubclass,
  relrowsecurity,
  relforcerowsecurity,
  relispopulated,
  relreplident,
  relispartition,
  relrewrite,
  relfrozenxid,
  relminmxid,
  relacl,
  reloptions,
  relpartbound,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"relname", type_oid::kName},
    {"relnamespace", type_oid::kOid},
    {"reltype", type_oid::kOid},
    {"reloftype", type_oid::kOid},
    {"relowner", type_oid::kOid},
    {"relam", type_oid::kOid},
    {"relfilenode", type_oid::kOid},
    {"reltablespace", type_oid::kOid},
    {"relpages", type_oid::kInt4},
    {"reltuples", type_oid::kFloat4},
    {"relallvisible", type_oid::kInt4},
    {"reltoastrelid", type_oid::kOid},
    {"relhasindex", type_oid::kBool},
    {"relisshared", type_oid::kBool},
    {"relpersistence", type_oid::kChar},
    {"relkind", type_oid::kChar},
    {"relnatts", type_oid::kInt2},
    {"relchecks", type_oid::kInt2},
    {"relhasrules", type_oid::kBool},
    {"relhastriggers", type_oid::kBool},
    {"relhassubclass", type_oid::kBool},
    {"relrowsecurity", type_oid::kBool},
    {"relforcerowsecurity", type_oid::kBool},
    {"relispopulated", type_oid::kBool},
    {"relreplident", type_oid::kChar},
    {"relispartition", type_oid::kBool},
    {"relrewrite", type_oid::kOid},
    {"relfrozenxid", type_oid::kXid},
    {"relminmxid", type_oid::kXid},
    {"relacl", type_oid::kAclitemArray, true},
    {"reloptions", type_oid::kTextArray, true},
    {"relpartbound", type_oid::kPgNodeTree, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2662, "pg_class_oid_index", SystemIndex::kPrimary, {oid}},
    {2663, "pg_class_relname_nsp_index", SystemIndex::kUnique, {relname, relnamespace}},
    {3455, "pg_class_tblspc_relfilenode_index", SystemIndex::kPlain, {reltablespace, relfilenode}},
};
inline constexpr Oid kOidIndex = 2662;
inline constexpr Oid kRelnameNspIndex = 2663;
inline constexpr Oid kTblspcRelfilenodeIndex = 3455;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1259,
    .name = "pg_class",
    .row_type = 83,
    .row_array_type = 273,
    .is_shared = false,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_class
