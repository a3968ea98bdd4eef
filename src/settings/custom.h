// Names of the form `class.name`, which any extension could define: their text is kept as it is
// given (add_placeholder_variable in guc.c).
#pragma once

#include <string_view>

namespace cofork {

/// Two or more plain identifiers with dots between them, of a class that is not reserved.
bool is_custom_name(std::string_view name);

/// Throws 42704 for a name without a dot, 42602 for one that cannot be a custom name or is in the
/// reserved class "cofork".
void require_custom_name(std::string_view name);

}  // namespace cofork
