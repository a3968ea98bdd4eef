// The list of built-in views, and how one is found.
#include <algorithm>

#include "catalog/views/list.h"

namespace cofork {
namespace {

constexpr const BuiltinView* kViews[] = {
    &kCoforkWaitProfile,
    &kPgAuthid,
    &kPgBuffercache,
    &kPgDatabase,
    &kPgLocks,
    &kPgNamespace,
    &kPgRoles,
    &kPgSettings,
    &kPgShmemAllocations,
    &kPgStatActivity,
    &kPgStatBgwriter,
    &kPgStatDatabase,
    &kPgStatWal,
    &kPgType,
    &kPgUser,
};

}  // namespace

std::span<const BuiltinView* const> all_views() {
  return kViews;
}

const BuiltinView* find_view(std::string_view schema, std::string_view name) {
  if (!schema.empty() && schema != "pg_catalog") return nullptr;
  for (const BuiltinView* view : kViews) {
    if (view->name == name) return view;
  }
  return nullptr;
}

const BuiltinView* find_view(Oid oid) {
  for (const BuiltinView* view : kViews) {
    if (view->oid == oid) return view;
  }
  return nullptr;
}

ViewRow& ViewRow::name(std::string_view v) {
  constexpr size_t kNameBytes = 64;
  char* bytes = static_cast<char*>(arena_.allocate(kNameBytes, 1));
  std::memset(bytes, 0, kNameBytes);
  std::memcpy(bytes, v.data(), std::min(v.size(), kNameBytes - 1));
  return put(datum_from_pointer(bytes));
}

}  // namespace cofork
