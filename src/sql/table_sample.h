// What ANALYZE looks at: rows of a table, taken at random; and what it makes of a column's values
// (analyze.c, 15).
#pragma once

#include <vector>

#include "catalog/builtin.h"
#include "catalog/column_statistics.h"
#include "catalog/relation_cache.h"
#include "support/arena.h"
#include "txn/snapshot.h"

namespace cofork {

/// A random sample of a table's rows, in the order of the table.
struct TableSample {
  std::vector<int> columns;                ///< which columns are kept, from 0
  std::vector<std::vector<Datum>> values;  ///< of each of them; by-reference values in `arena`
  std::vector<std::vector<bool>> nulls;
  size_t rows = 0;
  double total_rows = 0;  ///< estimate of the rows there are
  double dead_rows = 0;
  BlockNumber pages = 0, pages_looked_at = 0;
  Arena arena{65536};
};

/// Looks at up to `wanted` rows on as many pages, chosen by Knuth's algorithm S and Vitter's
/// algorithm Z's plain sibling R (acquire_sample_rows). Reads pages; checks interrupts.
void take_sample(RelationDesc& relation, const Snapshot& snapshot, size_t wanted,
                 TableSample& sample);

/// What `sample` tells of its column number `at`, no longer than a row of pg_statistic may be.
/// `target`: most values and bins kept (default_statistics_target). (compute_scalar_stats,
/// compute_trivial_stats)
ColumnStatistics summarize_column(const TableSample& sample, size_t at, const BuiltinType& type,
                                  int target);

}  // namespace cofork
