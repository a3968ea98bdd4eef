// Which object cannot be without which other: pg_depend, and what DROP does with it (as
// dependency.c, pg_depend.c, 15).
//
// A row says: `depender` needs `referenced`, and in which way:
//   n  normal    dropping the referenced object is refused, or takes the depender along (CASCADE)
//   a  auto      the depender goes along silently: an index of its table, a default of its column
//   i  internal  the depender is a part of the referenced object: it can be dropped only with it
//
// Objects with oids below 12000 are part of every cluster; nothing is recorded about needing them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/object_address.h"

namespace cofork {

enum class DropBehavior : uint8_t;

enum DependencyKind : char {
  kDependencyNormal = 'n',
  kDependencyAuto = 'a',
  kDependencyInternal = 'i',
};

void record_dependency(const ObjectAddress& depender, const ObjectAddress& referenced,
                       DependencyKind kind);
void record_dependencies(const ObjectAddress& depender, std::span<const ObjectAddress> referenced,
                         DependencyKind kind);
/// All rows in which it is the depender.
void forget_dependencies_of(const ObjectAddress& depender);
/// Rows in which it needs an object of this class, and of this kind.
void forget_dependencies_on(const ObjectAddress& depender, Oid class_id, DependencyKind kind);

/// The owner, in pg_shdepend; none is recorded for the bootstrap superuser's.
void record_owner(const ObjectAddress& object, Oid owner);
void forget_owner(const ObjectAddress& object);

/// "table t", "column a of table t", "constraint c on table t", "default value for column a of
/// table t" … (getObjectDescription). Nothing when the object has gone.
std::string describe_object(const ObjectAddress& object);

struct Depender {
  ObjectAddress object;
  DependencyKind kind;
};
/// What depends on the object; of a relation as a whole (sub 0) also what depends on its columns.
std::vector<Depender> dependers_of(const ObjectAddress& object);

/// Drops the objects and what goes along. What else depends on them stops it with 2BP01, DETAIL and
/// HINT, or goes too, with NOTICEs. `quiet`: no NOTICEs about CASCADE.
void perform_deletion(std::span<const ObjectAddress> objects, DropBehavior behavior,
                      bool quiet = false);

}  // namespace cofork
