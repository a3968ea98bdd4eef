// pg_attrdef: Defaults and generation expressions of columns, as SQL text.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_attrdef {

enum Column : int { oid, adrelid, adnum, adbin, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"adrelid", type_oid::kOid},
    {"adnum", type_oid::kInt2},
    {"adbin", type_oid::kPgNodeTree},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2656, "pg_attrdef_adrelid_adnum_index", SystemIndex::kUnique, {adrelid, adnum}},
    {2657, "pg_attrdef_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kAdrelidAdnumIndex = 2656;
inline constexpr Oid kOidIndex = 2657;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2604,
    .name = "pg_attrdef",
    .row_type = 10001,
    .row_array_type = 10000,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_attrdef
