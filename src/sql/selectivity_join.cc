// Joins, groups and widths: see selectivity.h.
#include <algorithm>
#include <cmath>

#include "catalog/column_statistics.h"
#include "catalog/relation_cache.h"
#include "sql/analyze.h"
#include "sql/selectivity_parts.h"

namespace cofork {

using namespace type_oid;

namespace {

/// Both sides' most common values, matched against each other (eqjoinsel_inner).
double match_common_values(const EstimatedColumn& a, const EstimatedColumn& b, double distinct_a,
                           double distinct_b, int (*compare)(Datum, Datum)) {
  const ColumnStatistics& x = *a.statistics;
  const ColumnStatistics& y = *b.statistics;
  std::vector<bool> taken(y.common_values.size());
  double matched = 0, matched_x = 0, matched_y = 0, all_x = 0, all_y = 0;
  size_t matches = 0;
  for (size_t i = 0; i < x.common_values.size(); ++i) {
    all_x += x.common_fractions[i];
    for (size_t j = 0; j < y.common_values.size(); ++j) {
      if (taken[j] || compare(x.common_values[i], y.common_values[j]) != 0) continue;
      taken[j] = true;
      ++matches;
      matched += static_cast<double>(x.common_fractions[i]) * y.common_fractions[j];
      matched_x += x.common_fractions[i];
      matched_y += y.common_fractions[j];
      break;
    }
  }
  for (float fraction : y.common_fractions) all_y += fraction;
  double unmatched_x = all_x - matched_x, unmatched_y = all_y - matched_y;
  double other_x = std::clamp(1 - x.null_fraction - all_x, 0.0, 1.0);
  double other_y = std::clamp(1 - y.null_fraction - all_y, 0.0, 1.0);
  auto total = [&](double unmatched, double other, double other_there, double unmatched_there,
                   double distinct_there, size_t common_there) {
    double sum = matched;
    auto common = static_cast<double>(common_there), met = static_cast<double>(matches);
    if (distinct_there > common) sum += unmatched * other_there / (distinct_there - common);
    if (distinct_there > met) {
      sum += other * (other_there + unmatched_there) / (distinct_there - met);
    }
    return sum;
  };
  return std::min(
      total(unmatched_x, other_x, other_y, unmatched_y, distinct_b, y.common_values.size()),
      total(unmatched_y, other_y, other_x, unmatched_x, distinct_a, x.common_values.size()));
}

}  // namespace

double join_selectivity(const Expr& e) {
  EstimatedColumn a = examine_column(*e.args[0]);
  EstimatedColumn b = examine_column(*e.args[1]);
  bool is_guess = false;
  double distinct_a = a.distinct(is_guess), distinct_b = b.distinct(is_guess);
  bool has_common = a.statistics != nullptr && b.statistics != nullptr &&
                    !a.statistics->common_values.empty() && !b.statistics->common_values.empty();
  const BuiltinType* type = find_type(e.args[0]->type);
  if (has_common && e.args[0]->type == e.args[1]->type && type != nullptr &&
      type->compare != nullptr) {
    return std::clamp(match_common_values(a, b, distinct_a, distinct_b, type->compare), 0.0, 1.0);
  }
  double known = (1 - a.null_fraction()) * (1 - b.null_fraction());
  return std::clamp(known / std::max(distinct_a, distinct_b), 0.0, 1.0);
}

double estimate_groups(std::span<const Expr* const> keys, double rows) {
  if (rows < 1) rows = 1;
  struct OfTable {
    const RangeEntry* entry;
    double rows;
    double distinct = 1;
    double most = 1;
    int columns = 0;
  };
  std::vector<OfTable> tables;
  double groups = 1;
  std::vector<const Expr*> seen;
  auto add_column = [&](const Expr& part) {
    for (const Expr* e : seen) {
      if (same_expr(e, &part)) return;
    }
    seen.push_back(&part);
    EstimatedColumn column = examine_column(part);
    bool is_guess = false;
    double distinct = column.distinct(is_guess);
    if (column.entry == nullptr) {
      groups *= distinct;
      return;
    }
    auto at =
        std::ranges::find_if(tables, [&](const OfTable& t) { return t.entry == column.entry; });
    if (at == tables.end()) at = tables.insert(tables.end(), {column.entry, column.rows});
    at->distinct *= distinct;
    at->most = std::max(at->most, distinct);
    ++at->columns;
  };
  for (const Expr* key : keys) {
    if (key->type == kBool && key->kind != ExprKind::kVar) {
      groups *= 2;
      continue;
    }
    walk(key, 0, [&](const Expr& part, int depth) {
      if (part.kind == ExprKind::kVar && depth == 0) add_column(part);
      return depth == 0;
    });
  }
  for (OfTable& table : tables) {
    if (table.rows <= 0) {
      groups *= table.distinct;
      continue;
    }
    // Several columns depend on each other: a tenth of the rows at most, unless one has more.
    double limit = table.rows;
    if (table.columns > 1) limit = std::max(limit * 0.1, std::min(table.most, limit));
    double distinct = std::min(table.distinct, limit);
    // Of the table's values, those that are left when only some of its rows are.
    if (distinct > 0 && rows < table.rows) {
      distinct *= 1 - std::pow((table.rows - rows) / table.rows, table.rows / distinct);
    }
    groups *= std::max(1.0, std::rint(distinct));
  }
  return std::max(1.0, std::min(std::ceil(groups), rows));
}

// --- widths

int type_width(Oid type, int32_t typmod) {
  const BuiltinType* found = find_type(type);
  if (found == nullptr) return 32;
  if (found->length > 0) return found->length;
  if (typmod > 4 && type == kBpchar) return typmod;
  if (typmod > 4 && type == kVarchar) {
    int most = typmod;
    return most <= 32 ? most : most < 1000 ? 32 + (most - 32) / 2 : 32 + (1000 - 32) / 2;
  }
  return 32;
}

int column_width(const RangeEntry& entry, int column) {
  const Column& described = entry.columns[static_cast<size_t>(column)];
  if (entry.kind == RangeKind::kTable) {
    const BuiltinType* type = find_type(described.type);
    if (type != nullptr && type->length > 0) return type->length;
    const ColumnStatistics* known =
        column_statistics(*entry.relation, static_cast<int16_t>(column + 1));
    if (known != nullptr && known->width > 0) return known->width;
  }
  return type_width(described.type, described.typmod);
}

}  // namespace cofork
