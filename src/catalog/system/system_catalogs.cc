// The list of system catalogs. See system_catalog.h.
#include <algorithm>

#include "catalog/system/pg_attrdef.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_auth_members.h"
#include "catalog/system/pg_authid.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_database.h"
#include "catalog/system/pg_db_role_setting.h"
#include "catalog/system/pg_depend.h"
#include "catalog/system/pg_description.h"
#include "catalog/system/pg_index.h"
#include "catalog/system/pg_inherits.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/system/pg_rewrite.h"
#include "catalog/system/pg_sequence.h"
#include "catalog/system/pg_shdepend.h"
#include "catalog/system/pg_shdescription.h"
#include "catalog/system/pg_statistic.h"
#include "catalog/system/pg_tablespace.h"
#include "catalog/system/pg_trigger.h"
#include "catalog/system/pg_type.h"

namespace cofork {

namespace {

constexpr const SystemCatalog* kCatalogs[] = {
    &pg_tablespace::kCatalog,    &pg_shdepend::kCatalog,    &pg_type::kCatalog,
    &pg_attribute::kCatalog,     &pg_class::kCatalog,       &pg_authid::kCatalog,
    &pg_auth_members::kCatalog,  &pg_database::kCatalog,    &pg_sequence::kCatalog,
    &pg_shdescription::kCatalog, &pg_attrdef::kCatalog,     &pg_constraint::kCatalog,
    &pg_depend::kCatalog,        &pg_description::kCatalog, &pg_index::kCatalog,
    &pg_inherits::kCatalog,      &pg_namespace::kCatalog,   &pg_rewrite::kCatalog,
    &pg_statistic::kCatalog,     &pg_trigger::kCatalog,     &pg_db_role_setting::kCatalog,
};
static_assert(std::ranges::is_sorted(kCatalogs, {}, &SystemCatalog::oid));

}  // namespace

std::span<const SystemCatalog* const> system_catalogs() {
  return kCatalogs;
}

const SystemCatalog* find_system_catalog(Oid oid) {
  auto at = std::ranges::lower_bound(kCatalogs, oid, {}, &SystemCatalog::oid);
  return at != std::end(kCatalogs) && (*at)->oid == oid ? *at : nullptr;
}

const SystemIndex* find_system_index(Oid oid, const SystemCatalog** catalog) {
  for (const SystemCatalog* candidate : kCatalogs) {
    for (const SystemIndex& index : candidate->indexes) {
      if (index.oid != oid) continue;
      if (catalog != nullptr) *catalog = candidate;
      return &index;
    }
  }
  return nullptr;
}

}  // namespace cofork
