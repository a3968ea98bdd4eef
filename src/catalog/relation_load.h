// Putting a relation's description together from the catalogs (RelationBuildDesc, relcache.c, 15).
#pragma once

#include <memory>

#include "catalog/relation_cache.h"

namespace cofork {

class CatalogRow;

/// Stands between the texts of an index's expressions in pg_index.indexprs.
inline constexpr char kExpressionSeparator = '\x1f';

/// Null: no such relation. Reads pg_class, pg_attribute and what else the row says there is.
std::unique_ptr<RelationDesc> load_relation(Oid oid);

/// The parts of an index that pg_index and its own pg_class row tell. `table` has its columns.
std::unique_ptr<IndexDesc> load_index(const RelationDesc& table, CatalogRow& index_row);

/// "fillfactor=70" … of a reloptions array, taken apart.
std::vector<std::pair<std::string, std::string>> parse_options(
    const std::vector<std::string>& texts);

}  // namespace cofork
