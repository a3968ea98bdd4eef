// pg_rewrite: The query behind a view, as SQL text.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_rewrite {

enum Column : int {
  oid,
  rulename,
  ev_class,
  ev_type,
  ev_enabled,
  is_instead,
  ev_qual,
  ev_action,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"rulename", type_oid::kName},
    {"ev_class", type_oid::kOid},
    {"ev_type", type_oid::kChar},
    {"ev_enabled", type_oid::kChar},
    {"is_instead", type_oid::kBool},
    {"ev_qual", type_oid::kPgNodeTree},
    {"ev_action", type_oid::kPgNodeTree},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2692, "pg_rewrite_oid_index", SystemIndex::kPrimary, {oid}},
    {2693, "pg_rewrite_rel_rulename_index", SystemIndex::kUnique, {ev_class, rulename}},
};
inline constexpr Oid kOidIndex = 2692;
inline constexpr Oid kRelRulenameIndex = 2693;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2618,
    .name = "pg_rewrite",
    .row_type = 10035,
    .row_array_type = 10034,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_rewrite
