// How many rows conditions keep, and how many different values there are (selfuncs.c, clausesel.c,
// like_support.c, 15): from what ANALYZE found, or PostgreSQL's guesses where it found nothing.
//
// A selectivity is the part of the rows, 0 … 1, that a condition keeps: of a table's when its other
// side is a constant or of no table yet, of the pairs of rows when it joins two tables.
#pragma once

#include <span>

#include "sql/query.h"

namespace cofork {

struct ColumnStatistics;

/// A column as the estimates see it.
struct EstimatedColumn {
  RangeEntry* entry = nullptr;  ///< null: an expression nothing is known of
  int column = 0;
  const ColumnStatistics* statistics = nullptr;  ///< null: not analysed
  bool is_unique = false;                        ///< a unique index has it as its only column
  bool is_bool = false;
  double rows = 0;  ///< of the table

  double distinct(bool& is_guess) const;
  double null_fraction() const;
};

/// Looks through relabelings of types. Of columns of tables only.
EstimatedColumn examine_column(const Expr& expr);

/// `scan`: the table whose rows the condition is to keep, which makes columns of others values not
/// known yet; null: what it references is joined.
double selectivity(const Expr& condition, const RangeEntry* scan);
/// All of them together; two inequalities of one column are taken as a range
/// (clauselist_selectivity).
double selectivity(std::span<Expr* const> conditions, const RangeEntry* scan);

/// How many groups `rows` rows make (estimate_num_groups).
double estimate_groups(std::span<const Expr* const> keys, double rows);

/// Bytes of a column's values, on average (get_attavgwidth, get_typavgwidth).
int column_width(const RangeEntry& entry, int column);
int type_width(Oid type, int32_t typmod);

}  // namespace cofork
