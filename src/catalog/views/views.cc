// The list of built-in views, and how one is found.
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "catalog/views/list.h"

namespace cofork {
namespace {

constexpr const BuiltinView* kSingleViews[] = {
    &kCoforkWaitProfile, &kPgBuffercache,      &kPgLocks,        &kPgRoles,
    &kPgSettings,        &kPgShmemAllocations, &kPgStatActivity, &kPgStatBgwriter,
    &kPgStatDatabase,    &kPgStatWal,          &kPgStats,        &kPgUser,
};

/// All of them, and by name and oid; made at the first look-up, never changed.
struct ViewList {
  ViewList() {
    all.assign(std::begin(kSingleViews), std::end(kSingleViews));
    for (std::span<const BuiltinView> views : {kBinaryCatalogs, kCatalogViews, kEmptyCatalogs}) {
      for (const BuiltinView& view : views) all.push_back(&view);
    }
    for (const BuiltinView* view : all) {
      by_name.emplace(view->name, view);
      by_oid.emplace(view->oid, view);
    }
  }
  std::vector<const BuiltinView*> all;
  std::unordered_map<std::string_view, const BuiltinView*> by_name;
  std::unordered_map<Oid, const BuiltinView*> by_oid;
};

const ViewList& views() {
  static const ViewList list;
  return list;
}

}  // namespace

std::span<const BuiltinView* const> all_views() {
  return views().all;
}

const BuiltinView* find_view(std::string_view schema, std::string_view name) {
  if (!schema.empty() && schema != "pg_catalog") return nullptr;
  auto found = views().by_name.find(name);
  return found == views().by_name.end() ? nullptr : found->second;
}

const BuiltinView* find_view(Oid oid) {
  auto found = views().by_oid.find(oid);
  return found == views().by_oid.end() ? nullptr : found->second;
}

ViewRow& ViewRow::name(std::string_view v) {
  constexpr size_t kNameBytes = 64;
  char* bytes = static_cast<char*>(arena_.allocate(kNameBytes, 1));
  std::memset(bytes, 0, kNameBytes);
  std::memcpy(bytes, v.data(), std::min(v.size(), kNameBytes - 1));
  return put(datum_from_pointer(bytes));
}

}  // namespace cofork
