// pg_index: Indexes: which columns, in which order; beside the index's row in pg_class.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_index {

enum Column : int {
  indexrelid,
  indrelid,
  indnatts,
  indnkeyatts,
  indisunique,
  indnullsnotdistinct,
  indisprimary,
  indisexclusion,
  indimmediate,
  indisclustered,
  indisvalid,
  indcheckxmin,
  indisready,
  indislive,
  indisreplident,
  indkey,
  indcollation,
  indclass,
  indoption,
  indexprs,
  indpred,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"indexrelid", type_oid::kOid},
    {"indrelid", type_oid::kOid},
    {"indnatts", type_oid::kInt2},
    {"indnkeyatts", type_oid::kInt2},
    {"indisunique", type_oid::kBool},
    {"indnullsnotdistinct", type_oid::kBool},
    {"indisprimary", type_oid::kBool},
    {"indisexclusion", type_oid::kBool},
    {"indimmediate", type_oid::kBool},
    {"indisclustered", type_oid::kBool},
    {"indisvalid", type_oid::kBool},
    {"indcheckxmin", type_oid::kBool},
    {"indisready", type_oid::kBool},
    {"indislive", type_oid::kBool},
    {"indisreplident", type_oid::kBool},
    {"indkey", type_oid::kInt2Vector},
    {"indcollation", type_oid::kOidVector},
    {"indclass", type_oid::kOidVector},
    {"indoption", type_oid::kInt2Vector},
    {"indexprs", type_oid::kPgNodeTree, true},
    {"indpred", type_oid::kPgNodeTree, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2678, "pg_index_indrelid_index", SystemIndex::kPlain, {indrelid}},
    {2679, "pg_index_indexrelid_index", SystemIndex::kPrimary, {indexrelid}},
};
inline constexpr Oid kIndrelidIndex = 2678;
inline constexpr Oid kIndexrelidIndex = 2679;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2610,
    .name = "pg_index",
    .row_type = 10007,
    .row_array_type = 10006,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_index
