// Constant folding: what can be computed before a statement runs is computed when it is planned, so
// that "select 1/0" fails before its RowDescription (extended protocol: at Bind), a constant costs
// nothing per row, and branches that are never taken are never planned.
//
// Folded are calls of immutable functions with constant arguments, and whatever hides behind a
// constant AND, OR, CASE or COALESCE. Parameters are not constants here: PostgreSQL folds their
// values too as long as it plans a statement anew for each Bind (choose_custom_plan), which this
// engine never does.
//
// As eval_const_expressions() in clauses.c, PostgreSQL 15.
#pragma once

#include "sql/query.h"

namespace cofork {

class Task;

/// Folds every expression of `query` and of the queries in it, once: a second call does nothing.
/// Constants made here live in `arena`, which lives as long as the query. Throws what the functions
/// throw.
void fold_constants(Query& query, Arena& arena, Task& task, const EvalContext& context);

}  // namespace cofork
