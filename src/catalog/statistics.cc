// What VACUUM and ANALYZE leave behind in pg_class and pg_statistic (vac_update_relstats in
// vacuum.c, update_attstats in analyze.c, 15). See ddl.h.
#include "catalog/array_element.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/invalidation.h"
#include "catalog/names.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_statistic.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

void update_relation_statistics(Oid relation, const RelationStatistics& statistics) {
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(relation)});
  if (!scan.next()) return;  // dropped meanwhile
  CatalogRow& row = scan.row();
  CatalogTuple tuple(pg_class::kCatalog, row);
  bool changed = false;
  auto set = [&](int column, Datum before, Datum after) {
    if (before == after) return;
    tuple.set(column, after);
    changed = true;
  };
  auto set_int4 = [&](int column, int32_t value) {
    set(column, datum_from_int32(row.int4(column)), datum_from_int32(value));
  };
  set_int4(pg_class::relpages, statistics.pages);
  set(pg_class::reltuples, datum_from_float4(row.float4(pg_class::reltuples)),
      datum_from_float4(statistics.tuples));
  set_int4(pg_class::relallvisible, statistics.all_visible);
  set(pg_class::relhasindex, datum_from_bool(row.boolean(pg_class::relhasindex)),
      datum_from_bool(statistics.has_index));
  if (xid_is_normal(statistics.frozen_xid) &&
      xid_precedes(row.oid(pg_class::relfrozenxid), statistics.frozen_xid)) {
    set(pg_class::relfrozenxid, 0, datum_from_oid(statistics.frozen_xid));
  }
  if (statistics.min_multi != kInvalidMultiXactId &&
      multixact_precedes(row.oid(pg_class::relminmxid), statistics.min_multi)) {
    set(pg_class::relminmxid, 0, datum_from_oid(statistics.min_multi));
  }
  if (!changed) return;
  tuple.update_in_place(row.tuple());
  // No commit is waited for: others see the new figures at once.
  bool is_shared = row.boolean(pg_class::relisshared);
  invalidations().relation(is_shared ? kInvalidOid : my_database(), relation).fetch_add(1);
}

// --- pg_statistic

namespace {

/// Kinds of slots (pg_statistic.h).
constexpr int kCommonValues = 1, kHistogram = 2, kCorrelation = 3;

Datum float_array(Arena& arena, std::span<const float> numbers) {
  std::vector<Datum> values;
  for (float number : numbers) values.push_back(datum_from_float4(number));
  return build_array(arena, type_oid::kFloat4, layout_of(element_type_of(type_oid::kFloat4)),
                     ArrayShape::one_dimension(static_cast<int>(values.size())), values, nullptr);
}

Datum value_array(Arena& arena, Oid type, std::span<const Datum> values) {
  return build_array(arena, type, layout_of(element_type_of(type)),
                     ArrayShape::one_dimension(static_cast<int>(values.size())), values, nullptr);
}

void fill_slots(CatalogTuple& tuple, Oid type, const ColumnStatistics& column) {
  int slot = 0;
  auto use = [&](int kind) {
    tuple.set_int2(pg_statistic::stakind1 + slot, kind);
    return slot++;
  };
  if (!column.common_values.empty()) {
    int at = use(kCommonValues);
    tuple.set(pg_statistic::stanumbers1 + at, float_array(tuple.arena(), column.common_fractions));
    tuple.set(pg_statistic::stavalues1 + at,
              value_array(tuple.arena(), type, column.common_values));
  }
  if (!column.histogram.empty()) {
    int at = use(kHistogram);
    tuple.set(pg_statistic::stavalues1 + at, value_array(tuple.arena(), type, column.histogram));
  }
  if (column.correlation) {
    int at = use(kCorrelation);
    tuple.set(pg_statistic::stanumbers1 + at,
              float_array(tuple.arena(), {&*column.correlation, 1}));
  }
}

void fill_statistics(CatalogTuple& tuple, Oid table, Oid type, const ColumnStatistics& column) {
  tuple.set_oid(pg_statistic::starelid, table)
      .set_int2(pg_statistic::staattnum, column.column)
      .set_bool(pg_statistic::stainherit, false)
      .set_float4(pg_statistic::stanullfrac, column.null_fraction)
      .set_int4(pg_statistic::stawidth, column.width)
      .set_float4(pg_statistic::stadistinct, column.distinct);
  for (int i = 0; i < 5; ++i) {
    tuple.set_int2(pg_statistic::stakind1 + i, 0)
        .set_oid(pg_statistic::staop1 + i, kInvalidOid)
        .set_oid(pg_statistic::stacoll1 + i, kInvalidOid);
  }
  fill_slots(tuple, type, column);
}

/// An array of a row with a long header, and bytes that outlive the row.
Datum unpacked(Datum value, Arena& arena) {
  return varlena_from(arena, varlena_view(value));
}

template <typename Each>
void for_each_value(Datum array_value, Each&& each) {
  ArrayView array(array_value);
  ArrayReader reader(array, layout_of(element_type_of(array.element_type())));
  Datum item;
  bool is_null;
  while (reader.next(item, is_null)) each(item);
}

}  // namespace

void store_column_statistics(Oid table, std::span<const ColumnStatistics> columns) {
  RelationDesc& relation = open_relation(table, LockMode::kNone);
  for (const ColumnStatistics& column : columns) {
    Oid type = relation.columns[static_cast<size_t>(column.column - 1)].type;
    CatalogTuple tuple(pg_statistic::kCatalog);
    fill_statistics(tuple, table, type, column);
    CatalogScan old(pg_statistic::kCatalog, pg_statistic::kRelidAttInhIndex,
                    {key_of(table), key_of(column.column), key_of(false)});
    if (old.next()) {
      tuple.update(old.row().tuple().self);
    } else {
      tuple.insert();
    }
  }
  invalidate_relation(table);
  my_transaction().command_counter_increment();
}

namespace {

std::unique_ptr<ColumnStatistics> find_statistics(Oid table, int16_t column, Arena& arena) {
  CatalogScan scan(pg_statistic::kCatalog, pg_statistic::kRelidAttInhIndex,
                   {key_of(table), key_of(column), key_of(false)});
  if (!scan.next()) return nullptr;
  CatalogRow& row = scan.row();
  auto owned = std::make_unique<ColumnStatistics>();
  ColumnStatistics& found = *owned;
  found.column = column;
  found.null_fraction = row.float4(pg_statistic::stanullfrac);
  found.width = row.int4(pg_statistic::stawidth);
  found.distinct = row.float4(pg_statistic::stadistinct);
  for (int i = 0; i < 5; ++i) {
    int numbers = pg_statistic::stanumbers1 + i, values = pg_statistic::stavalues1 + i;
    auto add_to = [&](std::vector<Datum>& to) {
      for_each_value(unpacked(row.datum(values), arena), [&](Datum item) { to.push_back(item); });
    };
    auto each_number = [&](auto&& each) {
      for_each_value(unpacked(row.datum(numbers), arena),
                     [&](Datum item) { each(datum_to_float4(item)); });
    };
    switch (row.int2(pg_statistic::stakind1 + i)) {
      case kCommonValues:
        add_to(found.common_values);
        each_number([&](float f) { found.common_fractions.push_back(f); });
        break;
      case kHistogram:
        add_to(found.histogram);
        break;
      case kCorrelation:
        each_number([&](float f) { found.correlation = f; });
        break;
      default:
        break;
    }
  }
  return owned;
}

}  // namespace

const ColumnStatistics* column_statistics(RelationDesc& relation, int16_t column) {
  if (relation.statistics == nullptr) {
    relation.statistics = std::make_shared<TableStatistics>();
    relation.statistics->columns.resize(relation.columns.size() + 1);
    relation.statistics->is_known.resize(relation.columns.size() + 1);
  }
  TableStatistics& known = *relation.statistics;
  auto at = static_cast<size_t>(column);
  if (!known.is_known[at]) {
    known.columns[at] = find_statistics(relation.oid, column, known.arena);
    known.is_known[at] = true;
  }
  return known.columns[at].get();
}

}  // namespace cofork
