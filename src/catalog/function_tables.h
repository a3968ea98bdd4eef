// More of the tables that builtin.cc joins: dates and times, text, arrays. See tables.h.
#pragma once

#include "catalog/tables.h"

namespace cofork {

extern const std::span<const BuiltinType> kBitTypes;
extern const std::span<const BuiltinType> kCatalogTypes;
extern const std::span<const BuiltinType> kDatetimeTypes;
extern const std::span<const BuiltinType> kNetworkTypes;
extern const std::span<const BuiltinType> kRegTypes;
extern const std::span<const BuiltinType> kSnapshotTypes;

extern const std::span<const BuiltinFunction> kArrayFunctions;
extern const std::span<const BuiltinFunction> kBitFunctions;
extern const std::span<const BuiltinFunction> kByteaFunctions;
extern const std::span<const BuiltinFunction> kDatetimeConvertFunctions;
extern const std::span<const BuiltinFunction> kDatetimeFieldFunctions;
extern const std::span<const BuiltinFunction> kDatetimeMathFunctions;
extern const std::span<const BuiltinFunction> kFormatFunctions;
extern const std::span<const BuiltinFunction> kMiscFunctions;
extern const std::span<const BuiltinFunction> kNetworkFunctions;
extern const std::span<const BuiltinFunction> kObjectInfoFunctions;
extern const std::span<const BuiltinFunction> kRegexpFunctions;
extern const std::span<const BuiltinFunction> kTextFormatFunctions;
extern const std::span<const BuiltinFunction> kTextMatchFunctions;

}  // namespace cofork
