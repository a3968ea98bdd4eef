// Inside selectivity*.cc only.
#pragma once

#include "sql/selectivity.h"

namespace cofork {

/// column = value (var_eq_const, var_eq_non_const). `compare` null: values cannot be compared.
double equal_selectivity(const EstimatedColumn& column, const Expr& value,
                         int (*compare)(Datum, Datum));
/// column < value and its like, of a column of `type` (scalarineqsel).
double less_selectivity(const EstimatedColumn& column, Oid type, const Expr& value, bool greater,
                        bool or_equal, int (*compare)(Datum, Datum));
/// a = b (or <>) between tables: the part of all pairs that are equal (eqjoinsel).
double join_selectivity(const Expr& e);

}  // namespace cofork
