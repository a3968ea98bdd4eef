// The name=value options that may follow a method in pg_hba.conf (as parse_hba_auth_opt, 15).
#pragma once

#include <string>

#include "wire/hba.h"

namespace cofork {

/// Throws F0000 when the option does not exist or does not go with the line's method.
void check_option(const HbaLine& line, const std::string& name, const std::string& value);
/// Throws F0000 when the line's method cannot do without an option that is not there.
void check_required_options(const HbaLine& line);

}  // namespace cofork
