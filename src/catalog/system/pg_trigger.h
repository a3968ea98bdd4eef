// pg_trigger: Triggers: always empty here, the checks of foreign keys need none.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_trigger {

enum Column : int {
  oid,
  tgrelid,
  tgparentid,
  tgname,
  tgfoid,
  tgtype,
  tgenabled,
  tgisinternal,
  tgconstrrelid,
  tgconstrindid,
  tgconstraint,
  tgdeferrable,
  tginitdeferred,
  tgnargs,
  tgattr,
  tgargs,
  tgqual,
  tgoldtable,
  tgnewtable,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"tgrelid", type_oid::kOid},
    {"tgparentid", type_oid::kOid},
    {"tgname", type_oid::kName},
    {"tgfoid", type_oid::kOid},
    {"tgtype", type_oid::kInt2},
    {"tgenabled", type_oid::kChar},
    {"tgisinternal", type_oid::kBool},
    {"tgconstrrelid", type_oid::kOid},
    {"tgconstrindid", type_oid::kOid},
    {"tgconstraint", type_oid::kOid},
    {"tgdeferrable", type_oid::kBool},
    {"tginitdeferred", type_oid::kBool},
    {"tgnargs", type_oid::kInt2},
    {"tgattr", type_oid::kInt2Vector},
    {"tgargs", type_oid::kBytea},
    {"tgqual", type_oid::kPgNodeTree, true},
    {"tgoldtable", type_oid::kName, true},
    {"tgnewtable", type_oid::kName, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2699, "pg_trigger_tgconstraint_index", SystemIndex::kPlain, {tgconstraint}},
    {2701, "pg_trigger_tgrelid_tgname_index", SystemIndex::kUnique, {tgrelid, tgname}},
    {2702, "pg_trigger_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kTgconstraintIndex = 2699;
inline constexpr Oid kTgrelidTgnameIndex = 2701;
inline constexpr Oid kOidIndex = 2702;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2620,
    .name = "pg_trigger",
    .row_type = 10037,
    .row_array_type = 10036,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_trigger
