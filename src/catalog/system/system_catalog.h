// What a system catalog is: a table whose name, oid, columns and indexes the binary knows.
//
// One header for each (pg_class.h …), each a namespace with the columns' numbers (from 0, as the
// access floor counts), so that code reads like the catalog: row.oid(pg_class::relnamespace).
// system_catalogs() lists them. `init` makes the tables from these definitions, and the server
// reads them by these definitions, without asking the catalogs about the catalogs.
//
// The files keep the numbers they were born with: a catalog's relfilenode is its oid, for good.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>

#include "types/type_oids.h"

namespace cofork {

struct SystemColumn {
  const char* name;
  Oid type;
  bool nullable = false;
};

struct SystemIndex {
  enum Kind : uint8_t { kPlain, kUnique, kPrimary };
  static constexpr int kMostKeys = 4;

  constexpr SystemIndex(Oid index_oid, const char* index_name, Kind index_kind,
                        std::initializer_list<int> columns)
      : oid(index_oid), name(index_name), kind(index_kind) {
    for (int column : columns) keys[count++] = column;
  }
  constexpr int key_count() const { return count; }

  Oid oid;
  const char* name;
  Kind kind;
  int keys[kMostKeys] = {};  ///< columns, from 0
  int count = 0;
};

struct SystemCatalog {
  Oid oid;
  const char* name;
  Oid row_type;
  Oid row_array_type;
  bool is_shared;
  bool is_mapped;  ///< its file is named by pg_filenode.map, relfilenode says 0
  std::span<const SystemColumn> columns;
  std::span<const SystemIndex> indexes;
};

/// All of them, by oid.
std::span<const SystemCatalog* const> system_catalogs();
/// Null: no such catalog.
const SystemCatalog* find_system_catalog(Oid oid);
/// An index of a catalog; `catalog` is whose.
const SystemIndex* find_system_index(Oid oid, const SystemCatalog** catalog = nullptr);

}  // namespace cofork
