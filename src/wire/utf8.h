// Is a client's text valid UTF-8? (pg_verifymbstr in mbutils.c, pg_utf8_islegal in wchar.c, 15)
#pragma once

#include <string_view>

namespace cofork {

/// Throws 22021 naming the first bytes that make no character: overlong forms, surrogates and what
/// lies beyond U+10FFFF count as such.
void check_utf8(std::string_view text);

}  // namespace cofork
