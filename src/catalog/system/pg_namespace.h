// pg_namespace: Schemas.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_namespace {

enum Column : int { oid, nspname, nspowner, nspacl, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"nspname", type_oid::kName},
    {"nspowner", type_oid::kOid},
    {"nspacl", type_oid::kAclitemArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2684, "pg_namespace_nspname_index", SystemIndex::kUnique, {nspname}},
    {2685, "pg_namespace_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kNspnameIndex = 2684;
inline constexpr Oid kOidIndex = 2685;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2615,
    .name = "pg_namespace",
    .row_type = 10047,
    .row_array_type = 10046,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_namespace
