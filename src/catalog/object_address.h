// What an object is called inside: the catalog it has its row in, its oid there, and for a column
// its number (as ObjectAddress, objectaddress.h, 15). Dependencies and comments are kept so.
#pragma once

#include <compare>
#include <cstdint>

#include "types/datum.h"

namespace cofork {

/// Oids of catalogs that stand in pg_depend.classid and pg_description.classoid.
namespace class_oid {
inline constexpr Oid kType = 1247;        ///< pg_type
inline constexpr Oid kAttribute = 1249;   ///< pg_attribute; never in an address
inline constexpr Oid kProc = 1255;        ///< pg_proc
inline constexpr Oid kRelation = 1259;    ///< pg_class; with a sub number: a column
inline constexpr Oid kRole = 1260;        ///< pg_authid
inline constexpr Oid kDatabase = 1262;    ///< pg_database
inline constexpr Oid kTablespace = 1213;  ///< pg_tablespace
inline constexpr Oid kDefault = 2604;     ///< pg_attrdef
inline constexpr Oid kConstraint = 2606;  ///< pg_constraint
inline constexpr Oid kIndex = 2610;       ///< pg_index; never in an address
inline constexpr Oid kNamespace = 2615;   ///< pg_namespace
inline constexpr Oid kRule = 2618;        ///< pg_rewrite
inline constexpr Oid kCollation = 3456;   ///< pg_collation
}  // namespace class_oid

struct ObjectAddress {
  Oid class_id = kInvalidOid;
  Oid object = kInvalidOid;
  int32_t sub = 0;  ///< attribute number of a column, 0: the object as a whole

  friend auto operator<=>(const ObjectAddress&, const ObjectAddress&) = default;
  bool is_valid() const { return object != kInvalidOid; }
  static ObjectAddress relation(Oid oid, int32_t column = 0) {
    return {class_oid::kRelation, oid, column};
  }
};

}  // namespace cofork
