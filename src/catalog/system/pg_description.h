// pg_description: Comments on objects of this database.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_description {

enum Column : int { objoid, classoid, objsubid, description, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"objoid", type_oid::kOid},
    {"classoid", type_oid::kOid},
    {"objsubid", type_oid::kInt4},
    {"description", type_oid::kText},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2675, "pg_description_o_c_o_index", SystemIndex::kPrimary, {objoid, classoid, objsubid}},
};
inline constexpr Oid kOCOIndex = 2675;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2609,
    .name = "pg_description",
    .row_type = 10041,
    .row_array_type = 10040,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_description
