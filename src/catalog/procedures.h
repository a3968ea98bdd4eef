// What pg_proc would have under a name, functions and aggregates together: for regproc.
#pragma once

#include <string_view>
#include <vector>

#include "types/datum.h"

namespace cofork {

std::vector<Oid> procedures_named(std::string_view name);

}  // namespace cofork
