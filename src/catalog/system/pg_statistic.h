// pg_statistic: What ANALYZE found out about columns.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_statistic {

enum Column : int {
  starelid,
  staattnum,
  stainherit,
  stanullfrac,
  stawidth,
  stadistinct,
  stakind1,
  stakind2,
  stakind3,
  stakind4,
  stakind5,
  staop1,
  staop2,
  staop3,
  staop4,
  staop5,
  stacoll1,
  stacoll2,
  stacoll3,
  stacoll4,
  stacoll5,
  stanumbers1,
  stanumbers2,
  stanumbers3,
  stanumbers4,
  stanumbers5,
  stavalues1,
  stavalues2,
  stavalues3,
  stavalues4,
  stavalues5,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"starelid", type_oid::kOid},
    {"staattnum", type_oid::kInt2},
    {"stainherit", type_oid::kBool},
    {"stanullfrac", type_oid::kFloat4},
    {"stawidth", type_oid::kInt4},
    {"stadistinct", type_oid::kFloat4},
    {"stakind1", type_oid::kInt2},
    {"stakind2", type_oid::kInt2},
    {"stakind3", type_oid::kInt2},
    {"stakind4", type_oid::kInt2},
    {"stakind5", type_oid::kInt2},
    {"staop1", type_oid::kOid},
    {"staop2", type_oid::kOid},
    {"staop3", type_oid::kOid},
    {"staop4", type_oid::kOid},
    {"staop5", type_oid::kOid},
    {"stacoll1", type_oid::kOid},
    {"stacoll2", type_oid::kOid},
    {"stacoll3", type_oid::kOid},
    {"stacoll4", type_oid::kOid},
    {"stacoll5", type_oid::kOid},
    {"stanumbers1", type_oid::kFloat4Array, true},
    {"stanumbers2", type_oid::kFloat4Array, true},
    {"stanumbers3", type_oid::kFloat4Array, true},
    {"stanumbers4", type_oid::kFloat4Array, true},
    {"stanumbers5", type_oid::kFloat4Array, true},
    {"stavalues1", type_oid::kAnyArray, true},
    {"stavalues2", type_oid::kAnyArray, true},
    {"stavalues3", type_oid::kAnyArray, true},
    {"stavalues4", type_oid::kAnyArray, true},
    {"stavalues5", type_oid::kAnyArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2696,
     "pg_statistic_relid_att_inh_index",
     SystemIndex::kPrimary,
     {starelid, staattnum, stainherit}},
};
inline constexpr Oid kRelidAttInhIndex = 2696;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2619,
    .name = "pg_statistic",
    .row_type = 10029,
    .row_array_type = 10028,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_statistic
