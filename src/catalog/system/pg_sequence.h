// pg_sequence: What a sequence was told to do; what it has done is in its own relation.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_sequence {

enum Column : int {
  seqrelid,
  seqtypid,
  seqstart,
  seqincrement,
  seqmax,
  seqmin,
  seqcache,
  seqcycle,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"seqrelid", type_oid::kOid},      {"seqtypid", type_oid::kOid},  {"seqstart", type_oid::kInt8},
    {"seqincrement", type_oid::kInt8}, {"seqmax", type_oid::kInt8},   {"seqmin", type_oid::kInt8},
    {"seqcache", type_oid::kInt8},     {"seqcycle", type_oid::kBool},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {5002, "pg_sequence_seqrelid_index", SystemIndex::kPrimary, {seqrelid}},
};
inline constexpr Oid kSeqrelidIndex = 5002;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2224,
    .name = "pg_sequence",
    .row_type = 10105,
    .row_array_type = 10104,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_sequence
