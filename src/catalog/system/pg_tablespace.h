// pg_tablespace: Places for relation files: pg_default and pg_global. Shared.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_tablespace {

enum Column : int { oid, spcname, spcowner, spcacl, spcoptions, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"spcname", type_oid::kName},
    {"spcowner", type_oid::kOid},
    {"spcacl", type_oid::kAclitemArray, true},
    {"spcoptions", type_oid::kTextArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2697, "pg_tablespace_oid_index", SystemIndex::kPrimary, {oid}},
    {2698, "pg_tablespace_spcname_index", SystemIndex::kUnique, {spcname}},
};
inline constexpr Oid kOidIndex = 2697;
inline constexpr Oid kSpcnameIndex = 2698;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1213,
    .name = "pg_tablespace",
    .row_type = 10056,
    .row_array_type = 10055,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_tablespace
