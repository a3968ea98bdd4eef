// pg_constraint: CHECK, PRIMARY KEY, UNIQUE and FOREIGN KEY constraints.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_constraint {

enum Column : int {
  oid,
  conname,
  connamespace,
  contype,
  condeferrable,
  condeferred,
  convalidated,
  conrelid,
  contypid,
  conindid,
  conparentid,
  confrelid,
  confupdtype,
  confdeltype,
  confmatchtype,
  conislocal,
  coninhcount,
  connoinherit,
  conkey,
  confkey,
  conpfeqop,
  conppeqop,
  conffeqop,
  confdelsetcols,
  conexclop,
  conbin,
  kColumnCount
};

inline constexpr SystemColumn kColumns[] = {
    {"oid", type_oid::kOid},
    {"conname", type_oid::kName},
    {"connamespace", type_oid::kOid},
    {"contype", type_oid::kChar},
    {"condeferrable", type_oid::kBool},
    {"condeferred", type_oid::kBool},
    {"convalidated", type_oid::kBool},
    {"conrelid", type_oid::kOid},
    {"contypid", type_oid::kOid},
    {"conindid", type_oid::kOid},
    {"conparentid", type_oid::kOid},
    {"confrelid", type_oid::kOid},
    {"confupdtype", type_oid::kChar},
    {"confdeltype", type_oid::kChar},
    {"confmatchtype", type_oid::kChar},
    {"conislocal", type_oid::kBool},
    {"coninhcount", type_oid::kInt4},
    {"connoinherit", type_oid::kBool},
    {"conkey", type_oid::kInt2Array, true},
    {"confkey", type_oid::kInt2Array, true},
    {"conpfeqop", type_oid::kOidArray, true},
    {"conppeqop", type_oid::kOidArray, true},
    {"conffeqop", type_oid::kOidArray, true},
    {"confdelsetcols", type_oid::kInt2Array, true},
    {"conexclop", type_oid::kOidArray, true},
    {"conbin", type_oid::kPgNodeTree, true},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2579, "pg_constraint_conparentid_index", SystemIndex::kPlain, {conparentid}},
    {2664, "pg_constraint_conname_nsp_index", SystemIndex::kPlain, {conname, connamespace}},
    {2665,
     "pg_constraint_conrelid_contypid_conname_index",
     SystemIndex::kUnique,
     {conrelid, contypid, conname}},
    {2666, "pg_constraint_contypid_index", SystemIndex::kPlain, {contypid}},
    {2667, "pg_constraint_oid_index", SystemIndex::kPrimary, {oid}},
};
inline constexpr Oid kConparentidIndex = 2579;
inline constexpr Oid kConnameNspIndex = 2664;
inline constexpr Oid kConrelidContypidConnameIndex = 2665;
inline constexpr Oid kContypidIndex = 2666;
inline constexpr Oid kOidIndex = 2667;

inline constexpr SystemCatalog kCatalog = {
    .oid = 2606,
    .name = "pg_constraint",
    .row_type = 10003,
    .row_array_type = 10002,
    .is_shared = false,
    .is_mapped = false,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_constraint
