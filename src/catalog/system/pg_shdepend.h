// pg_shdepend: Which objects of which database depend on roles and other shared objects. Shared.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_shdepend {

enum Column : int { dbid, classid, objid, objsubid, refclassid, refobjid, deptype, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"dbid", type_oid::kOid},      {"classid", type_oid::kOid},    {"objid", type_oid::kOid},
    {"objsubid", type_oid::kInt4}, {"refclassid", type_oid::kOid}, {"refobjid", type_oid::kOid},
    {"deptype", type_oid::kChar},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {1232, "pg_shdepend_depender_index", SystemIndex::kPlain, {dbid, classid, objid, objsubid}},
    {1233, "pg_shdepend_reference_index", SystemIndex::kPlain, {refclassid, refobjid}},
};
inline constexpr Oid kDependerIndex = 1232;
inline constexpr Oid kReferenceIndex = 1233;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1214,
    .name = "pg_shdepend",
    .row_type = 10060,
    .row_array_type = 10059,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_shdepend
