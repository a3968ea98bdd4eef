// Analysed expressions back into SQL, as pg_get_expr() shows them: what the catalog keeps of
// defaults, CHECK conditions, index expressions and predicates, and EXPLAIN's conditions
// (get_rule_expr in ruleutils.c, 15; the form without pretty-printing).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sql/query.h"

namespace cofork {

/// The defaults are the catalog's form; EXPLAIN sets the rest.
struct DeparseOptions {
  bool qualified = false;           ///< columns as "t.a"
  const RangeEntry* own = nullptr;  ///< columns of all other entries are qualified in any case
  std::function<std::string_view(const RangeEntry&)> entry_name;  ///< empty: the alias
  std::function<std::string(const Expr&)> sub_link;               ///< what to show for a sub-select
};

/// Throws 0A000 for what has no SQL form here (sub-selects, unless options.sub_link is set).
std::string deparse(const Expr& expr, const EvalContext& context,
                    const DeparseOptions& options = {});

}  // namespace cofork
