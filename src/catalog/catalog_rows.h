// Rows that describe a relation, an index, a type: what both init and CREATE TABLE write (as
// InsertPgClassTuple and AddNewAttributeTuples in heap.c, UpdateIndexRelation in index.c, 15).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/privileges.h"
#include "catalog/relation_cache.h"
#include "types/datum.h"

namespace cofork {

/// The fields of pg_class that differ; the others have their usual values.
struct ClassFields {
  Oid oid = kInvalidOid;
  std::string_view name;
  Oid schema = kInvalidOid;
  Oid row_type = kInvalidOid;
  Oid owner = kInvalidOid;
  Oid access_method = kInvalidOid;
  Oid file_number = kInvalidOid;  ///< 0: mapped, or no file
  Oid tablespace = kInvalidOid;   ///< 0: the database's
  Oid toast = kInvalidOid;
  float tuples = -1;
  bool has_index = false;
  bool is_shared = false;
  bool has_rules = false;
  char persistence = 'p';
  char kind = 'r';
  int columns = 0;
  int checks = 0;
  TransactionId frozen_xid = 0;
  MultiXactId min_multi = 0;
  std::span<const Aclitem> acl;  ///< empty: NULL
  std::span<const std::string> options;
};
inline constexpr Oid kHeapAccessMethod = 2;
inline constexpr Oid kBtreeAccessMethod = 403;

void insert_class_row(const ClassFields& fields, uint32_t options = 0);

/// A row of pg_attribute.
struct AttributeFields {
  Oid relation = kInvalidOid;
  std::string_view name;
  Oid type = kInvalidOid;
  int32_t typmod = -1;
  int16_t number = 0;
  Oid collation = kInvalidOid;
  bool not_null = false;
  bool has_default = false;
  char identity = '\0';
  char generated = '\0';
  char storage = '\0';  ///< '\0': the type's
  bool in_index = false;
};
void insert_attribute_row(const AttributeFields& fields, uint32_t options = 0);
/// ctid, xmin, cmin, xmax, cmax, tableoid.
void insert_system_columns(Oid relation, uint32_t options = 0);
/// Number and type of a system column; number 0: no such name.
struct SystemColumnDesc {
  const char* name;
  int16_t number;
  Oid type;
};
std::span<const SystemColumnDesc> row_system_columns();

struct IndexFields {
  Oid index = kInvalidOid;
  Oid table = kInvalidOid;
  std::vector<int16_t> columns;  ///< keys, then INCLUDE columns
  int key_count = 0;
  bool unique = false;
  bool nulls_not_distinct = false;
  bool primary = false;
  bool immediate = true;
  std::vector<Oid> collations, opclasses;  ///< of the keys
  std::vector<int16_t> options;            ///< of the keys
  std::string_view expressions, predicate;
};
void insert_index_row(const IndexFields& fields, uint32_t options = 0);

/// The row type of a relation, and the array type over it.
void insert_row_type(Oid type, Oid array_type, std::string_view name, Oid schema, Oid owner,
                     Oid relation, uint32_t options = 0);
/// A built-in type.
void insert_builtin_type(const struct BuiltinType& type, uint32_t options);

}  // namespace cofork
