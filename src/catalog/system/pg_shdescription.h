// pg_shdescription: Comments on databases and roles. Shared.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_shdescription {

enum Column : int { objoid, classoid, description, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"objoid", type_oid::kOid},
    {"classoid", type_oid::kOid},
    {"description", type_oid::kText},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2397, "pg_shdescription_o_c_index", SystemIndex::kPrimary, {objoid, classoid}},
};
inline constexpr Oid kOCIndex = 2397;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2396,
    .name = "pg_shdescription",
    .row_type = 10062,
    .row_array_type = 10061,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_shdescription
