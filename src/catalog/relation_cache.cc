// See relation_cache.h: keeping and replacing entries. Making one is relation_load.cc.
#include "catalog/relation_cache.h"

#include <algorithm>

#include "catalog/invalidation.h"
#include "catalog/relation_load.h"
#include "catalog/system/system_catalog.h"
#include "catalog/task_catalog.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"

namespace cofork {

TaskCatalog& task_catalog() {
  Task& task = this_task();
  auto* mine = task.slot<TaskCatalog>();
  if (mine == nullptr) {
    mine = std::make_unique<TaskCatalog>().release();
    task.set_slot(mine);
    task.on_proc_exit([mine](Task& ending, int) {
      ending.set_slot<TaskCatalog>(nullptr);
      delete mine;
    });
  }
  return *mine;
}

// --- descriptions

const ColumnDesc* RelationDesc::find_column(std::string_view column) const {
  for (const ColumnDesc& candidate : columns) {
    if (!candidate.dropped && candidate.name == column) return &candidate;
  }
  return nullptr;
}

IndexDesc* RelationDesc::find_index(Oid index_oid) const {
  for (const auto& index : indexes) {
    if (index->oid == index_oid) return index.get();
  }
  return nullptr;
}

IndexDesc* RelationDesc::primary_key() const {
  for (const auto& index : indexes) {
    if (index->primary) return index.get();
  }
  return nullptr;
}

const std::string* RelationDesc::find_option(std::string_view option) const {
  for (const auto& [key, value] : options) {
    if (key == option) return &value;
  }
  return nullptr;
}

int RelationDesc::live_columns() const {
  return static_cast<int>(
      std::ranges::count_if(columns, [](const ColumnDesc& column) { return !column.dropped; }));
}

// --- the cache

namespace {

/// A shared relation is a catalog, and those are known.
bool is_shared_relation(Oid oid) {
  if (oid >= kFirstNormalOid) return false;
  const SystemCatalog* catalog = find_system_catalog(oid);
  if (catalog == nullptr) find_system_index(oid, &catalog);
  return catalog != nullptr && catalog->is_shared;
}

Oid database_of(Oid relation) {
  return is_shared_relation(relation) ? kInvalidOid : my_database();
}

std::atomic<uint64_t>& counter_of(Oid relation) {
  return invalidations().relation(database_of(relation), relation);
}

/// Takes an entry out of use. It is freed when one of a later transaction is taken out of use: by
/// then nobody can hold a reference.
void retire(TaskCatalog& mine, Oid oid) {
  auto found = mine.relations.find(oid);
  if (found == mine.relations.end()) return;
  LocalTransactionId transaction = my_proc().local_xid.load(std::memory_order_relaxed);
  if (transaction != mine.retired_in) mine.retired.clear();
  mine.retired_in = transaction;
  mine.retired.push_back(std::move(found->second.relation));
  mine.relations.erase(found);
}

RelationDesc* find_entry(Oid oid) {
  TaskCatalog& mine = task_catalog();
  uint64_t counter = counter_of(oid).load(std::memory_order_acquire);
  auto found = mine.relations.find(oid);
  if (found != mine.relations.end()) {
    if (found->second.counter == counter) return found->second.relation.get();
    retire(mine, oid);
  }
  std::unique_ptr<RelationDesc> relation = load_relation(oid);
  if (relation == nullptr) return nullptr;
  relation->version = ++mine.last_version;
  RelationDesc* result = relation.get();
  mine.relations.insert_or_assign(oid, TaskCatalog::Entry{std::move(relation), counter});
  return result;
}

}  // namespace

RelationDesc* try_open_relation(Oid oid, LockMode mode) {
  LockTag tag = LockTag::relation(database_of(oid), oid);
  if (mode != LockMode::kNone) lock_acquire(tag, mode);
  RelationDesc* relation = find_entry(oid);
  if (relation == nullptr && mode != LockMode::kNone) lock_release(tag, mode);
  return relation;
}

RelationDesc& open_relation(Oid oid, LockMode mode) {
  RelationDesc* relation = try_open_relation(oid, mode);
  if (relation != nullptr) return *relation;
  throw Error(sqlstate::kUndefinedTable, "relation with OID {} does not exist", oid);
}

IndexDesc& open_index(Oid oid, LockMode mode) {
  RelationDesc& relation = open_relation(oid, mode);
  if (relation.kind != 'i') {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not an index", relation.name);
  }
  IndexDesc* index = open_relation(relation.indexed_table, LockMode::kNone).find_index(oid);
  if (index != nullptr) return *index;
  throw Error(sqlstate::kUndefinedTable, "relation with OID {} does not exist", oid);
}

void invalidate_relation(Oid oid) {
  TaskCatalog& mine = task_catalog();
  retire(mine, oid);
  std::atomic<uint64_t>* counter = &counter_of(oid);
  my_transaction().on_commit([counter] { counter->fetch_add(1, std::memory_order_acq_rel); });
  my_transaction().on_abort([&mine, oid] { retire(mine, oid); });
}

void invalidate_names() {
  TaskCatalog& mine = task_catalog();
  ++mine.names_changed;
  std::atomic<uint64_t>* counter = &invalidations().names;
  my_transaction().on_commit([counter] { counter->fetch_add(1, std::memory_order_acq_rel); });
  my_transaction().on_abort([&mine] { ++mine.names_changed; });
}

}  // namespace cofork
