// What a task remembers of the catalogs between statements: handles of catalog tables, descriptions
// of relations, meanings of names. Everything here can be thrown away and read again.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/relation_cache.h"

namespace cofork {

struct TaskCatalog {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kCatalog;

  CatalogUser user;
  std::unordered_map<Oid, std::unique_ptr<CatalogTable>> tables;

  // relation_cache.cc
  struct Entry {
    std::unique_ptr<RelationDesc> relation;
    uint64_t counter = 0;  ///< Invalidations' counter before it was read
  };
  std::unordered_map<Oid, Entry> relations;
  /// Replaced in the transaction `retired_in`; somebody may still hold a reference.
  std::vector<std::unique_ptr<RelationDesc>> retired;
  LocalTransactionId retired_in = 0;
  uint64_t last_version = 0;

  // names.cc
  uint64_t names_changed = 0;  ///< own changes of names
  uint64_t names_known_at = 0;
  std::unordered_map<std::string, Oid> names;  ///< "schema oid.name"
  std::unordered_map<std::string, Oid> schemas;
  std::string path_text;
  Oid path_user = kInvalidOid;
  uint64_t path_known_at = 0;
  std::vector<Oid> path;  ///< as search_path says: schemas that exist

  // sequence.cc
  struct Sequence {
    Oid file_number = kInvalidOid;  ///< of the file the values came from
    bool has_last = false;
    int64_t last = 0;
    int64_t cached_until = 0;  ///< the last value taken ahead
    int64_t increment = 1;
  };
  std::unordered_map<Oid, Sequence> sequences;
  Oid last_sequence = kInvalidOid;
};

/// The running task's; made at the first call, freed when the task ends.
TaskCatalog& task_catalog();

/// The running task has changed what names mean: as invalidate_relation().
void invalidate_names();

}  // namespace cofork
