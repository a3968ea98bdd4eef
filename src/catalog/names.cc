// See names.h: looking names up. How names are made is make_name.cc.
#include "catalog/names.h"

#include <algorithm>
#include <unordered_map>

#include "catalog/catalog_table.h"
#include "catalog/invalidation.h"
#include "catalog/privileges.h"
#include "catalog/relation_cache.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/task_catalog.h"
#include "settings/hooks.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

void set_catalog_user(CatalogUser user) {
  task_catalog().user = std::move(user);
}
const CatalogUser& catalog_user() {
  return task_catalog().user;
}
Oid my_database() {
  return my_proc().database_id.load(std::memory_order_relaxed);
}

uint64_t names_generation() {
  // Own changes and others': both only grow, so the sum is different whenever one is.
  return invalidations().names.load(std::memory_order_acquire) + task_catalog().names_changed +
         settings().version();
}

namespace {

constexpr const char* kPgCatalogName = "pg_catalog";

/// Meanings that were looked up before are forgotten when any could have changed.
TaskCatalog& current_names() {
  TaskCatalog& mine = task_catalog();
  uint64_t now = invalidations().names.load(std::memory_order_acquire) + mine.names_changed;
  if (now != mine.names_known_at) {
    mine.names.clear();
    mine.schemas.clear();
    mine.names_known_at = now;
  }
  return mine;
}

/// Everything pg_catalog has a relation for; part of the binary.
Oid find_system_relation(std::string_view name) {
  static const std::unordered_map<std::string_view, Oid> known = [] {
    std::unordered_map<std::string_view, Oid> all;
    for (const SystemCatalog* catalog : system_catalogs()) {
      all.emplace(catalog->name, catalog->oid);
      for (const SystemIndex& index : catalog->indexes) all.emplace(index.name, index.oid);
    }
    for (const BuiltinView* view : all_views()) all.emplace(view->name, view->oid);
    return all;
  }();
  auto found = known.find(name);
  return found == known.end() ? kInvalidOid : found->second;
}

FoundRelation found(Oid oid) {
  return {oid, oid < kFirstNormalOid ? find_view(oid) : nullptr};
}

}  // namespace

// --- schemas

Oid find_namespace(std::string_view name) {
  if (name == kPgCatalogName) return kPgCatalogOid;
  TaskCatalog& mine = current_names();
  std::string key(name);
  if (auto known = mine.schemas.find(key); known != mine.schemas.end()) return known->second;
  CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kNspnameIndex, {key_of(key)});
  Oid oid = scan.next() ? scan.row().oid(pg_namespace::oid) : kInvalidOid;
  mine.schemas.emplace(std::move(key), oid);
  return oid;
}

Oid namespace_of(std::string_view name) {
  Oid oid = find_namespace(name);
  if (oid != kInvalidOid) return oid;
  throw Error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name);
}

std::optional<std::string> try_namespace_name(Oid oid) {
  if (oid == kPgCatalogOid) return kPgCatalogName;
  CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kOidIndex, {key_of(oid)});
  if (scan.next()) return std::string(scan.row().name(pg_namespace::nspname));
  return std::nullopt;
}

std::string namespace_name(Oid oid) {
  if (auto name = try_namespace_name(oid)) return *name;
  throw Error(sqlstate::kInternalError, "cache lookup failed for namespace {}", oid);
}

namespace {

/// The schemas of the setting that exist, in order (recomputeNamespacePath).
const std::vector<Oid>& explicit_path() {
  TaskCatalog& mine = current_names();
  std::string_view text = settings().get(setting::kSearchPath);
  if (mine.path_known_at == mine.names_known_at + 1 && mine.path_user == mine.user.oid &&
      mine.path_text == text) {
    return mine.path;
  }
  std::vector<Oid> path;
  auto names = split_identifiers(text);
  for (const std::string& name : names ? *names : std::vector<std::string>{}) {
    Oid oid = find_namespace(name == "$user" ? mine.user.name : name);
    if (oid == kInvalidOid || std::ranges::find(path, oid) != path.end()) continue;
    if (has_schema_privileges(oid, kPrivilegeUsage)) path.push_back(oid);
  }
  mine.path = std::move(path);
  mine.path_text = text;
  mine.path_user = mine.user.oid;
  mine.path_known_at = mine.names_known_at + 1;
  return mine.path;
}

}  // namespace

std::vector<Oid> search_path(bool implicit) {
  std::vector<Oid> path = explicit_path();
  if (implicit && std::ranges::find(path, kPgCatalogOid) == path.end()) {
    path.insert(path.begin(), kPgCatalogOid);
  }
  return path;
}

Oid creation_namespace(std::string_view schema) {
  Oid oid = kInvalidOid;
  if (!schema.empty()) {
    oid = namespace_of(schema);
  } else {
    const std::vector<Oid>& path = explicit_path();
    if (path.empty()) {
      throw Error(sqlstate::kInvalidSchemaName, "no schema has been selected to create in");
    }
    oid = path.front();
  }
  if (!has_schema_privileges(oid, kPrivilegeCreate)) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied for schema {}",
                namespace_name(oid));
  }
  return oid;
}

// --- relations

Oid find_relation_in(Oid schema, std::string_view name) {
  if (schema == kPgCatalogOid) return find_system_relation(name);
  TaskCatalog& mine = current_names();
  std::string key = fmt::format("{} {}", schema, name);
  if (auto known = mine.names.find(key); known != mine.names.end()) return known->second;
  std::string text(name);
  CatalogScan scan(pg_class::kCatalog, pg_class::kRelnameNspIndex, {key_of(text), key_of(schema)});
  Oid oid = scan.next() ? scan.row().oid(pg_class::oid) : kInvalidOid;
  mine.names.emplace(std::move(key), oid);
  return oid;
}

FoundRelation find_relation(std::string_view schema, std::string_view name, bool missing_ok) {
  if (!schema.empty()) {
    Oid in = missing_ok ? find_namespace(schema) : namespace_of(schema);
    return in == kInvalidOid ? FoundRelation{} : found(find_relation_in(in, name));
  }
  const std::vector<Oid>& path = explicit_path();
  if (std::ranges::find(path, kPgCatalogOid) == path.end()) {
    if (Oid oid = find_system_relation(name); oid != kInvalidOid) return found(oid);
  }
  for (Oid in : path) {
    if (Oid oid = find_relation_in(in, name); oid != kInvalidOid) return found(oid);
  }
  return {};
}

FoundRelation lock_relation(std::string_view schema, std::string_view name, LockMode mode) {
  FoundRelation before = find_relation(schema, name, false);
  while (true) {
    if (!before) {
      throw Error(sqlstate::kUndefinedTable, "relation \"{}{}{}\" does not exist", schema,
                  schema.empty() ? "" : ".", name);
    }
    if (before.view != nullptr) return before;
    bool is_there = try_open_relation(before.oid, mode) != nullptr;
    FoundRelation after = find_relation(schema, name, false);
    if (is_there && after.oid == before.oid) return after;
    if (is_there) {
      lock_release(LockTag::relation(my_database(), before.oid), mode);
    } else if (after.oid == before.oid) {
      invalidate_names();  // dropped by this transaction itself
      after = find_relation(schema, name, false);
    }
    before = after;
    this_task().check_interrupts();
  }
}

std::optional<RelationKey> relation_key(Oid oid) {
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(oid)});
  if (!scan.next()) return std::nullopt;
  CatalogRow& row = scan.row();
  return RelationKey{std::string(row.name(pg_class::relname)), row.oid(pg_class::relnamespace),
                     row.character(pg_class::relkind), row.oid(pg_class::relowner)};
}

bool relation_is_visible(Oid oid) {
  auto key = relation_key(oid);
  return key && find_relation("", key->name).oid == oid;
}

std::optional<std::string> relation_name(Oid oid) {
  auto key = relation_key(oid);
  if (!key) return std::nullopt;
  return std::move(key->name);
}

std::optional<std::string> relation_display_name(Oid oid) {
  auto key = relation_key(oid);
  if (!key) return std::nullopt;
  if (find_relation("", key->name).oid == oid) return quote_identifier(key->name);
  return qualified_name(namespace_name(key->schema), key->name);
}

}  // namespace cofork
