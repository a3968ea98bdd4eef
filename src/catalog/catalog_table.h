// Reading and changing the system catalogs from C++: rows found by an index, rows written with
// their index entries (as genam.c's systable_… and indexing.c, 15).
//
//   CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex, {key_of(oid)});
//   while (scan.next()) names.emplace_back(scan.row().name(pg_attribute::attname));
//
//   CatalogTuple tuple(pg_namespace::kCatalog);
//   tuple.set_oid(pg_namespace::oid, oid).set_name(pg_namespace::nspname, name)…;
//   tuple.insert();
//
// Rules
//  1. In a transaction. A scan sees what was committed when it began, and the own transaction's
//     earlier commands: after a change, command_counter_increment() makes it visible.
//  2. A row is good until the next next(); what is needed longer is copied.
//  3. No lock is taken on the catalog: its definition never changes, and rows have their own ways.
//     Who changes the rows of an object holds a lock on that object.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/btree_scan.h"
#include "access/heap.h"
#include "access/heap_scan.h"
#include "catalog/system/system_catalog.h"
#include "storage/relation_files.h"
#include "txn/snapshot.h"
#include "txn/variable_cache.h"

namespace cofork {

/// The running task's handles for one catalog: its relation and those of its indexes.
struct CatalogTable {
  const SystemCatalog* definition;
  const TupleShape* shape;
  Relation heap;
  struct Index {
    const SystemIndex* definition;
    Relation relation;
    BtreeIndex btree;
    Index(const SystemIndex* index, const IndexShape& index_shape)
        : definition(index), btree(relation, index_shape) {}
  };
  std::vector<std::unique_ptr<Index>> indexes;

  Index& index(Oid oid) const;
};
/// Of the task's database; made at the first call.
CatalogTable& catalog_table(const SystemCatalog& catalog);
/// How a catalog's rows and an index's entries are laid out: shared by all tasks.
const TupleShape& system_shape(const SystemCatalog& catalog);
const IndexShape& system_index_shape(const SystemCatalog& catalog, const SystemIndex& index);

/// A key of a scan: a value for the index's next column.
struct CatalogKey {
  Datum value;
};
inline CatalogKey key_of(Oid oid) {
  return {datum_from_oid(oid)};
}
inline CatalogKey key_of(int16_t number) {
  return {datum_from_int16(number)};
}
inline CatalogKey key_of(int32_t number) {
  return {datum_from_int32(number)};
}
inline CatalogKey key_of(bool value) {
  return {datum_from_bool(value)};
}
/// A name: zero-terminated, it lives as long as the scan.
inline CatalogKey key_of(const char* name) {
  return {datum_from_pointer(name)};
}
inline CatalogKey key_of(const std::string& name) {
  return key_of(name.c_str());
}

/// A row by column numbers. Columns are taken apart as they are asked for.
class CatalogRow {
 public:
  explicit CatalogRow(const TupleShape& shape);

  void start(const HeapTuple& tuple) {
    tuple_ = tuple;
    reader_.start(tuple.header);
  }
  const HeapTuple& tuple() const { return tuple_; }
  bool is_null(int column) {
    reader_.need(column + 1);
    return nulls_[static_cast<size_t>(column)] != 0;
  }
  Datum datum(int column) {
    reader_.need(column + 1);
    return values_[static_cast<size_t>(column)];
  }
  Oid oid(int column) { return datum_to_oid(datum(column)); }
  bool boolean(int column) { return datum_to_bool(datum(column)); }
  int16_t int2(int column) { return datum_to_int16(datum(column)); }
  int32_t int4(int column) { return datum_to_int32(datum(column)); }
  int64_t int8(int column) { return datum_to_int64(datum(column)); }
  float float4(int column) { return datum_to_float4(datum(column)); }
  char character(int column) { return datum_to_char(datum(column)); }
  std::string_view name(int column);
  /// A varlena's bytes; "" for NULL.
  std::string_view text(int column);
  /// Of int2vector, oidvector, smallint[], oid[]; empty for NULL.
  std::vector<int16_t> int2s(int column);
  std::vector<Oid> oids(int column);
  std::vector<std::string> texts(int column);

 private:
  HeapTuple tuple_;
  std::vector<Datum> values_;
  std::vector<char> nulls_;
  TupleReader reader_;
};

/// Rows of a catalog whose index columns equal the keys, in the index's order.
class CatalogScan {
 public:
  CatalogScan(const SystemCatalog& catalog, Oid index, std::initializer_list<CatalogKey> keys);
  CatalogScan(const CatalogScan&) = delete;

  bool next();
  CatalogRow& row() { return row_; }

 private:
  static constexpr size_t kMostKeys = 4;
  CatalogTable& table_;
  RegisteredSnapshot snapshot_;
  BtreeScan scan_;
  BtreeCondition conditions_[kMostKeys];
  HeapIndexFetch fetch_;
  CatalogRow row_;
};

/// All rows, in no order.
class CatalogHeapScan {
 public:
  explicit CatalogHeapScan(const SystemCatalog& catalog);
  CatalogHeapScan(const CatalogHeapScan&) = delete;
  bool next();
  CatalogRow& row() { return row_; }

 private:
  CatalogTable& table_;
  RegisteredSnapshot snapshot_;
  HeapScan scan_;
  CatalogRow row_;
};

/// A row to be written. Columns begin as NULL, or with the row it is made from.
class CatalogTuple {
 public:
  explicit CatalogTuple(const SystemCatalog& catalog);
  /// A copy of a row, to be changed.
  CatalogTuple(const SystemCatalog& catalog, CatalogRow& row);

  CatalogTuple& set(int column, Datum value);
  CatalogTuple& set_null(int column);
  CatalogTuple& set_oid(int column, Oid v) { return set(column, datum_from_oid(v)); }
  CatalogTuple& set_bool(int column, bool v) { return set(column, datum_from_bool(v)); }
  CatalogTuple& set_int2(int column, int v) {
    return set(column, datum_from_int16(static_cast<int16_t>(v)));
  }
  CatalogTuple& set_int4(int column, int32_t v) { return set(column, datum_from_int32(v)); }
  CatalogTuple& set_int8(int column, int64_t v) { return set(column, datum_from_int64(v)); }
  CatalogTuple& set_float4(int column, float v) { return set(column, datum_from_float4(v)); }
  CatalogTuple& set_char(int column, char v) { return set(column, datum_from_char(v)); }
  CatalogTuple& set_name(int column, std::string_view v);
  CatalogTuple& set_text(int column, std::string_view v);
  /// "" is NULL.
  CatalogTuple& set_text_or_null(int column, std::string_view v);
  CatalogTuple& set_int2s(int column, std::span<const int16_t> v);
  CatalogTuple& set_oids(int column, std::span<const Oid> v);
  CatalogTuple& set_texts(int column, std::span<const std::string> v);
  Arena& arena() { return arena_; }

  /// Writes a new row, with its index entries. 23505 when a unique index has it already.
  void insert(uint32_t options = 0);
  /// Puts it in place of the row at `tid`. Throws XX000 "tuple concurrently updated".
  void update(const ItemPointer& tid);
  /// The same without a new version, outside of any transaction: only fixed-length columns may
  /// differ (pg_class's statistics).
  void update_in_place(const HeapTuple& old);

 private:
  void insert_index_entries(const ItemPointer& tid);
  CatalogTable& table_;
  Arena arena_;
  std::vector<Datum> values_;
  std::vector<char> nulls_;
};

/// Deletes the row at `tid`. Throws XX000 "tuple concurrently deleted".
void catalog_delete(const SystemCatalog& catalog, const ItemPointer& tid);
/// Deletes all rows whose index columns equal the keys; returns how many.
int catalog_delete_where(const SystemCatalog& catalog, Oid index,
                         std::initializer_list<CatalogKey> keys);

/// An oid for a new row: none that the catalog's index of oids has (GetNewOidWithIndex).
Oid new_catalog_oid(const SystemCatalog& catalog, Oid oid_index);

}  // namespace cofork
