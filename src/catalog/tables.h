// The tables that builtin.cc joins: one span a file of catalog/types and catalog/functions.
//
// They are constant-initialised: reading them is safe from the first instruction of the program.
#pragma once

#include <span>

#include "catalog/builtin.h"

namespace cofork {

// Array types are not listed: builtin.cc makes one for every type that names an array_oid.
extern const std::span<const BuiltinType> kNumberTypes;
extern const std::span<const BuiltinType> kNumericTypes;
extern const std::span<const BuiltinType> kTextTypes;
extern const std::span<const BuiltinType> kPseudoTypes;

extern const std::span<const BuiltinFunction> kIntegerFunctions;
extern const std::span<const BuiltinFunction> kTextFunctions;
extern const std::span<const BuiltinFunction> kFloatFunctions;
extern const std::span<const BuiltinFunction> kNumericFunctions;
extern const std::span<const BuiltinFunction> kComparisonFunctions;

extern const std::span<const BuiltinOperator> kOperators;
extern const std::span<const BuiltinCast> kCasts;
extern const std::span<const BuiltinAggregate> kAggregates;

/// Input, output … of the array type over `element`; sql_name and name are the caller's.
BuiltinType array_type_over(const BuiltinType& element, const char* name, const char* sql_name);

}  // namespace cofork
