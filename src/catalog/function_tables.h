// More of the tables that builtin.cc joins: dates and times, text, arrays. See tables.h.
#pragma once

#include "catalog/tables.h"

namespace cofork {

extern const std::span<const BuiltinType> kDatetimeTypes;

extern const std::span<const BuiltinFunction> kDatetimeConvertFunctions;
extern const std::span<const BuiltinFunction> kDatetimeFieldFunctions;
extern const std::span<const BuiltinFunction> kDatetimeMathFunctions;
extern const std::span<const BuiltinFunction> kTextFormatFunctions;
extern const std::span<const BuiltinFunction> kTextMatchFunctions;

}  // namespace cofork
