// pg_auth_members: Which roles are members of which. Shared.
// Columns and indexes are PostgreSQL 15's; so are the names of the constants.
#pragma once

#include "catalog/system/system_catalog.h"

namespace cofork::pg_auth_members {

enum Column : int { roleid, member, grantor, admin_option, kColumnCount };

inline constexpr SystemColumn kColumns[] = {
    {"roleid", type_oid::kOid},
    {"member", type_oid::kOid},
    {"grantor", type_oid::kOid},
    {"admin_option", type_oid::kBool},
};
static_assert(std::size(kColumns) == kColumnCount);

inline constexpr SystemIndex kIndexes[] = {
    {2694, "pg_auth_members_role_member_index", SystemIndex::kPrimary, {roleid, member}},
    {2695, "pg_auth_members_member_role_index", SystemIndex::kUnique, {member, roleid}},
};
inline constexpr Oid kRoleMemberIndex = 2694;
inline constexpr Oid kMemberRoleIndex = 2695;

inline constexpr SystemCatalog kCatalog = {
    .oid = 1261,
    .name = "pg_auth_members",
    .row_type = 2843,
    .row_array_type = 10058,
    .is_shared = true,
    .is_mapped = true,
    .columns = kColumns,
    .indexes = kIndexes,
};

}  // namespace cofork::pg_auth_members
