// Names of character sets, as client_encoding takes them (encnames.c).
#pragma once

#include <string_view>

namespace cofork {

/// PostgreSQL's own spelling of an encoding's name or alias ("utf-8" → "UTF8"), compared by letters
/// and digits only; null when it knows none.
const char* find_encoding(std::string_view name);
/// The numbers PostgreSQL's clients know them by (pg_enc): -1 for a name, "" for a number it does
/// not know.
int encoding_number(std::string_view name);
const char* encoding_of_number(int number);

}  // namespace cofork
