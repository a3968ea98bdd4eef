// Objects as the SQL that would make them (ruleutils.c, 15): what pg_dump and \d show.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

/// A stored expression without the parentheses around all of it: what "pretty" forms show.
std::string_view without_parentheses(std::string_view expression);

/// CREATE INDEX …; `column` > 0: that column alone; `pretty`: names qualified only where the bare
/// one would not do, fewer parentheses. Nothing: no such index.
std::optional<std::string> index_definition(Oid index, int column, bool pretty);
/// "PRIMARY KEY (a)", "FOREIGN KEY (b) REFERENCES t(a)" …
std::optional<std::string> constraint_definition(Oid constraint, bool pretty);
/// The view's SELECT.
std::optional<std::string> view_definition(Oid view);

}  // namespace cofork
