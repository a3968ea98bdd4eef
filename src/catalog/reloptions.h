// Storage parameters: WITH (fillfactor = 70) (reloptions.c, 15).
#pragma once

#include <string>
#include <vector>

#include "catalog/ddl.h"

namespace cofork {

/// Checks names and ranges for a table ('r'), an index ('i') or a view ('v') and returns the texts
/// pg_class.reloptions holds: "fillfactor=70". Throws 22023 `unrecognized parameter "%s"`, `value
/// %s out of bounds for option "%s"` …
std::vector<std::string> checked_options(const OptionList& options, char kind);
/// `before` with those set, or taken away.
std::vector<std::string> merged_options(const OptionList& before, const OptionList& changes,
                                        char kind, bool reset);

}  // namespace cofork
