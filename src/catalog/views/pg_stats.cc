// pg_stats: what ANALYZE found out, with names (system_views.sql, 15). Of tables the viewer owns;
// superusers see all.
#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/relation_cache.h"
#include "catalog/system/pg_statistic.h"
#include "catalog/views/list.h"
#include "types/array.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kStatsColumns[] = {
    {"schemaname", kName},
    {"tablename", kName},
    {"attname", kName},
    {"inherited", kBool},
    {"null_frac", kFloat4},
    {"avg_width", kInt4},
    {"n_distinct", kFloat4},
    {"most_common_vals", kAnyArray},
    {"most_common_freqs", kFloat4Array},
    {"histogram_bounds", kAnyArray},
    {"correlation", kFloat4},
    {"most_common_elems", kAnyArray},
    {"most_common_elem_freqs", kFloat4Array},
    {"elem_count_histogram", kFloat4Array},
};

/// One row of pg_statistic, copied out: looking up names goes to the catalogs again.
struct ColumnOfStatistics {
  Oid table;
  int16_t column;
  bool inherited;
  float null_fraction, distinct;
  int32_t width;
  Datum common = 0, frequencies = 0, histogram = 0, correlation = 0;
};

Datum copied_array(CatalogRow& row, int column, Arena& arena) {
  return row.is_null(column) ? 0 : varlena_from(arena, varlena_view(row.datum(column)));
}

std::vector<ColumnOfStatistics> read_statistics(Arena& arena) {
  constexpr int kCommonValues = 1, kHistogram = 2, kCorrelation = 3;
  std::vector<ColumnOfStatistics> all;
  CatalogHeapScan scan(pg_statistic::kCatalog);
  while (scan.next()) {
    CatalogRow& row = scan.row();
    ColumnOfStatistics found{
        row.oid(pg_statistic::starelid),       row.int2(pg_statistic::staattnum),
        row.boolean(pg_statistic::stainherit), row.float4(pg_statistic::stanullfrac),
        row.float4(pg_statistic::stadistinct), row.int4(pg_statistic::stawidth)};
    for (int i = 0; i < 5; ++i) {
      int numbers = pg_statistic::stanumbers1 + i, values = pg_statistic::stavalues1 + i;
      switch (row.int2(pg_statistic::stakind1 + i)) {
        case kCommonValues:
          found.common = copied_array(row, values, arena);
          found.frequencies = copied_array(row, numbers, arena);
          break;
        case kHistogram:
          found.histogram = copied_array(row, values, arena);
          break;
        case kCorrelation:
          found.correlation = copied_array(row, numbers, arena);
          break;
        default:
          break;
      }
    }
    all.push_back(found);
  }
  return all;
}

void emit_stats(EvalContext& context, const Viewer& viewer, ViewSink& sink) {
  ViewRow row(*context.arena);
  auto array = [&](Datum value) { value == 0 ? row.null() : row.datum(value); };
  for (const ColumnOfStatistics& found : read_statistics(*context.arena)) {
    const RelationDesc* table = try_open_relation(found.table, LockMode::kAccessShare);
    if (table == nullptr || (!viewer.is_superuser && table->owner != viewer.role)) continue;
    const ColumnDesc& column = table->columns.at(static_cast<size_t>(found.column - 1));
    if (column.dropped) continue;
    row.name(table->schema_name).name(table->name).name(column.name).boolean(found.inherited);
    row.datum(datum_from_float4(found.null_fraction)).int4(found.width);
    row.datum(datum_from_float4(found.distinct));
    array(found.common);
    array(found.frequencies);
    array(found.histogram);
    if (found.correlation == 0) {
      row.null();
    } else {
      // An array of one.
      ArrayView numbers(found.correlation);
      ArrayReader reader(numbers, {4, true, 'i'});
      Datum value;
      bool is_null;
      reader.next(value, is_null);
      row.datum(value);
    }
    row.null().null().null().emit(sink);
  }
}

}  // namespace

const BuiltinView kPgStats{12053, "pg_stats", kStatsColumns, emit_stats};

}  // namespace cofork
