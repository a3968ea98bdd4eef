// pg_depend: Which object cannot be without which other: what DROP must know.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_depend {

enum Column : int {
  classid,
  objid,
  objsubid,
  refclassid,
  refobjid,
  refobjsubid,
  deptype,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"classid", type_oid::kOid},    {"objid", type_oid::kOid},    {"objsubid", type_oid::kInt4},
    {"refclassid", type_oid::kOid}, {"refobjid", type_oid::kOid}, {"refobjsubid", type_oid::kInt4},
    {"deptype", type_oid::kChar},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2673, "pg_depend_depender_index", SystemIndex::kPlain, {classid, objid, objsubid}},
    {2674, "pg_depend_reference_index", SystemIndex::kPlain, {refclassid, refobjid, refobjsubid}},
};
inline constexpr Oid kDependerIndex = 2673;
inline constexpr Oid kReferenceIndex = 2674;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2608,
    .name = "pg_depend",
    .row_type = 10051,
    .row_array_type = 10050,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_depend
