// pg_inherits: Which tables are children of which. Always empty here: there is no inheritance.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_inherits {

enum Column : int { inhrelid, inhparent, inhseqno, inhdetachpending, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"inhrelid", type_oid::kOid},
    {"inhparent", type_oid::kOid},
    {"inhseqno", type_oid::kInt4},
    {"inhdetachpending", type_oid::kBool},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2187, "pg_inherits_parent_index", SystemIndex::kPlain, {inhparent}},
    {2680, "pg_inherits_relid_seqno_index", SystemIndex::kPrimary, {inhrelid, inhseqno}},
};
inline constexpr Oid kParentIndex = 2187;
inline constexpr Oid kRelidSeqnoIndex = 2680;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2611,
    .name = "pg_inherits",
    .row_type = 10005,
    .row_array_type = 10004,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_inherits
