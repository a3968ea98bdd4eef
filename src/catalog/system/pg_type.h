// pg_type: Types: the built-in ones, and a row type for every table and view.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_type {

enum Column : int {
  oid,
  typname,
  typnamespace,
  typowner,
  typlen,
  typbyval,
  typtype,
  typcategory,
  typispreferred,
  typisdefined,
  typdelim,
  typrelid,
  typsubscript,
  typelem,
  typarray,
  typinput,
  typoutput,
  typreceive,
  typsend,
  typmodin,
  typmodout,
  typanalyze,
  typalign,
  typstorage,
  typnotnull,
  typbasetype,
  typtypmod,
  typndims,
  typcollation,
  typdefaultbin,
  typdefault,
  typacl,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"typname", type_oid::kName},
    {"typnamespace", type_oid::kOid},
    {"typowner", type_oid::kOid},
    {"typlen", type_oid::kInt2},
    {"typbyval", type_oid::kBool},
    {"typtype", type_oid::kChar},
    {"typcategory", type_oid::kChar},
    {"typispreferred", type_oid::kBool},
    {"typisdefined", type_oid::kBool},
    {"typdelim", type_oid::kChar},
    {"typrelid", type_oid::kOid},
    {"typsubscript", type_oid::kRegproc},
    {"typelem", type_oid::kOid},
    {"typarray", type_oid::kOid},
    {"typinput", type_oid::kRegproc},
    {"typoutput", type_oid::kRegproc},
    {"typreceive", type_oid::kRegproc},
    {"typsend", type_oid::kRegproc},
    {"typmodin", type_oid::kRegproc},
    {"typmodout", type_oid::kRegproc},
    {"typanalyze", type_oid::kRegproc},
    {"typalign", type_oid::kChar},
    {"typstorage", type_oid::kChar},
    {"typnotnull", type_oid::kBool},
    {"typbasetype", type_oid::kOid},
    {"typtypmod", type_oid::kInt4},
    {"typndims", type_oid::kInt4},
    {"typcollation", type_oid::kOid},
    {"typdefaultbin", type_oid::kPgNodeTree, true},
    {"typdefault", type_oid::kText, true},
    {"typacl", type_oid::kAclitemArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2703, "pg_type_oid_index", SystemIndex::kPrimary, {oid}},
    {2704, "pg_type_typname_nsp_index", SystemIndex::kUnique, {typname, typnamespace}},
};
inline constexpr Oid kOidIndex = 2703;
inline constexpr Oid kTypnameNspIndex = 2704;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1247,
    .name = "pg_type",
    .row_type = 71,
    .row_array_type = 210,
    .is_shared = false,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_type
