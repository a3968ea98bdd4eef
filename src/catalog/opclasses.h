// The operator classes of B-trees: what orders the values of a type in an index.
#pragma once

#include <span>

#include "types/datum.h"

namespace cofork {

/// For `type`; several types may share one whose own input type they can be read as.
struct Opclass {
  Oid type;
  Oid oid;
  Oid family;
  const char* name;
};
std::span<const Opclass> btree_opclasses();

}  // namespace cofork
