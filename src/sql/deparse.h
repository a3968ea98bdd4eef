// Analysed expressions back into SQL, as pg_get_expr() shows them: what the catalog keeps of
// defaults, CHECK conditions, index expressions and predicates, and EXPLAIN's conditions
// (get_rule_expr in ruleutils.c, 15; the form without pretty-printing).
#pragma once

#include <string>

#include "sql/query.h"

namespace cofork {

struct DeparseOptions {
  bool qualified = false;  ///< columns as "t.a", for EXPLAIN of several tables
};

/// Throws 0A000 for what has no SQL form here (sub-selects).
std::string deparse(const Expr& expr, const EvalContext& context,
                    const DeparseOptions& options = {});

}  // namespace cofork
