// pg_db_role_setting: ALTER DATABASE … SET and ALTER ROLE … SET. Shared.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_db_role_setting {

enum Column : int { setdatabase, setrole, setconfig, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"setdatabase", type_oid::kOid},
    {"setrole", type_oid::kOid},
    {"setconfig", type_oid::kTextArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2965,
     "pg_db_role_setting_databaseid_rol_index",
     SystemIndex::kPrimary,
     {setdatabase, setrole}},
};
inline constexpr Oid kDatabaseidRolIndex = 2965;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2964,
    .name = "pg_db_role_setting",
    .row_type = 10054,
    .row_array_type = 10053,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_db_role_setting
