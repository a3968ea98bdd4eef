// Words that a quoted identifier is needed for: quote_ident() and regclass ask.
#pragma once

#include <string_view>

namespace cofork {

/// True for every key word of PostgreSQL 15 that is not simply unreserved (kwlist.h).
bool is_reserved_keyword(std::string_view word);

}  // namespace cofork
