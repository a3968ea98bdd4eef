// pg_attribute: Columns of every relation, the system columns (numbers below 0) among them.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_attribute {

enum Column : int {
  attrelid,
  attname,
  atttypid,
  attstattarget,
  attlen,
  attnum,
  attndims,
  attcacheoff,
  atttypmod,
  attbyval,
  attalign,
  attstorage,
  attcompression,
  attnotnull,
  atthasdef,
  atthasmissing,
  attidentity,
  attgenerated,
  attisdropped,
  attislocal,
  attinhcount,
  attcollation,
  attacl,
  attoptions,
  attfdwoptions,
  attmissingval,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"attrelid", type_oid::kOid},
    {"attname", type_oid::kName},
    {"atttypid", type_oid::kOid},
    {"attstattarget", type_oid::kInt4},
    {"attlen", type_oid::kInt2},
    {"attnum", type_oid::kInt2},
    {"attndims", type_oid::kInt4},
    {"attcacheoff", type_oid::kInt4},
    {"atttypmod", type_oid::kInt4},
    {"attbyval", type_oid::kBool},
    {"attalign", type_oid::kChar},
    {"attstorage", type_oid::kChar},
    {"attcompression", type_oid::kChar},
    {"attnotnull", type_oid::kBool},
    {"atthasdef", type_oid::kBool},
    {"atthasmissing", type_oid::kBool},
    {"attidentity", type_oid::kChar},
    {"attgenerated", type_oid::kChar},
    {"attisdropped", type_oid::kBool},
    {"attislocal", type_oid::kBool},
    {"attinhcount", type_oid::kInt4},
    {"attcollation", type_oid::kOid},
    {"attacl", type_oid::kAclitemArray, true},
    {"attoptions", type_oid::kTextArray, true},
    {"attfdwoptions", type_oid::kTextArray, true},
    {"attmissingval", type_oid::kAnyArray, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2658, "pg_attribute_relid_attnam_index", SystemIndex::kUnique, {attrelid, attname}},
    {2659, "pg_attribute_relid_attnum_index", SystemIndex::kPrimary, {attrelid, attnum}},
};
inline constexpr Oid kRelidAttnamIndex = 2658;
inline constexpr Oid kRelidAttnumIndex = 2659;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1249,
    .name = "pg_attribute",
    .row_type = 75,
    .row_array_type = 270,
    .is_shared = false,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_attribute
