// Who may do what: owners, superusers, and the access lists of objects (as acl.h, aclchk.c, 15).
//
// An access list is an array of aclitem: "grantee=privileges/grantor", a letter for each privilege,
// a star after those the grantee may hand on; no grantee means everybody. NULL stands for the
// default of the object's kind. There is no GRANT yet, so lists are those of the catalogs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "catalog/relation_cache.h"
#include "types/datum.h"

namespace cofork {

/// Bits of aclitem's privileges, with PostgreSQL's numbers.
enum Privilege : uint32_t {
  kPrivilegeInsert = 1u << 0,
  kPrivilegeSelect = 1u << 1,
  kPrivilegeUpdate = 1u << 2,
  kPrivilegeDelete = 1u << 3,
  kPrivilegeTruncate = 1u << 4,
  kPrivilegeReferences = 1u << 5,
  kPrivilegeTrigger = 1u << 6,
  kPrivilegeExecute = 1u << 7,
  kPrivilegeUsage = 1u << 8,
  kPrivilegeCreate = 1u << 9,
  kPrivilegeTemporary = 1u << 10,
  kPrivilegeConnect = 1u << 11,
};

/// The bytes of an aclitem value. Grant options are the privileges' bits, 16 places up.
struct Aclitem {
  Oid grantee;  ///< 0: everybody
  Oid grantor;
  uint32_t privileges;
};
static_assert(sizeof(Aclitem) == 12);

/// All that a table's owner has, a schema's, a database's.
inline constexpr uint32_t kTablePrivileges = 0x7F;
inline constexpr uint32_t kSchemaPrivileges = kPrivilegeUsage | kPrivilegeCreate;
inline constexpr uint32_t kDatabasePrivileges =
    kPrivilegeCreate | kPrivilegeTemporary | kPrivilegeConnect;

/// The aclitem[] of a list.
Datum access_list(Arena& arena, std::span<const Aclitem> items);

/// 22P02, 42704 as aclitemin.
Aclitem parse_aclitem(std::string_view text);
/// In a transaction: names of roles are looked up.
std::string format_aclitem(const Aclitem& item);

/// Is the current user the role, or a superuser, or (directly or by others) a member of it?
/// (has_privs_of_role)
bool acts_as_role(Oid role);
bool role_acts_as(Oid role, Oid wanted);

/// Throws 42501 "must be owner of %s %s" unless the current user acts as the owner.
void must_own(Oid owner, std::string_view kind, std::string_view name);
void must_own_relation(const RelationDesc& relation);
/// Also refuses system catalogs: 42501 `permission denied: "%s" is a system catalog`.
void must_own_user_relation(const RelationDesc& relation);
/// Does the current user have all of `privileges` on the relation?
bool has_relation_privileges(const RelationDesc& relation, uint32_t privileges);
/// Throws 42501 "permission denied for table %s".
void check_relation_privileges(const RelationDesc& relation, uint32_t privileges);
/// CREATE or USAGE on a schema.
bool has_schema_privileges(Oid schema, uint32_t privileges);

}  // namespace cofork
