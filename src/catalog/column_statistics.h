// What ANALYZE found out about the values of a column: a row of pg_statistic (pg_statistic.h, 15).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "support/arena.h"
#include "types/datum.h"

namespace cofork {

struct RelationDesc;

/// The parts that are kept.
struct ColumnStatistics {
  int16_t column = 0;
  float null_fraction = 0;
  int32_t width = 0;
  float distinct = 0;  ///< negative: as a fraction of the rows
  std::vector<Datum> common_values;
  std::vector<float> common_fractions;
  std::vector<Datum> histogram;
  std::optional<float> correlation;
};

/// What has been looked up of a table's statistics: part of its RelationDesc, and gone with it.
struct TableStatistics {
  Arena arena;                                             ///< of the values
  std::vector<std::unique_ptr<ColumnStatistics>> columns;  ///< by number, from 1; null: none
  std::vector<bool> is_known;
};

/// Null when the column has never been analysed. The first call for a column reads pg_statistic;
/// the result is good as long as the relation's entry.
const ColumnStatistics* column_statistics(RelationDesc& relation, int16_t column);

}  // namespace cofork
