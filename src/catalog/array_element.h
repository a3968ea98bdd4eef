// What array code asks of the catalog: the type of an array's elements and how they lie in memory.
#pragma once

#include "catalog/builtin.h"
#include "types/array.h"

namespace cofork {

/// 42704 when there is no such type.
const BuiltinType& element_type_of(Oid element);
ElementLayout layout_of(const BuiltinType& element);

}  // namespace cofork
