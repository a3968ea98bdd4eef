// See privileges.h.
#include "catalog/privileges.h"

#include <algorithm>
#include <vector>

#include "catalog/array_element.h"
#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_auth_members.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_namespace.h"
#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

namespace {

/// In the order of the bits.
constexpr std::string_view kLetters = "arwdDxtXUCTc";
constexpr int kGrantOptionShift = 16;

Error malformed(std::string_view what, std::string_view hint) {
  return Error(sqlstate::kInvalidTextRepresentation, "{}", what).hint("{}", hint);
}

}  // namespace

// --- the text form

Aclitem parse_aclitem(std::string_view text) {
  text = trim_spaces(text);
  size_t equals = text.find('=');
  if (equals == text.npos) throw malformed("missing \"=\" sign", "");
  Aclitem item{};
  std::string_view grantee = trim_spaces(text.substr(0, equals));
  if (!grantee.empty()) item.grantee = role_oid(grantee);
  size_t at = equals + 1;
  for (; at < text.size() && text[at] != '/'; ++at) {
    if (text[at] == '*') continue;
    size_t bit = kLetters.find(text[at]);
    if (bit == kLetters.npos) {
      throw Error(sqlstate::kInvalidTextRepresentation,
                  "invalid mode character: must be one of \"{}\"", kLetters);
    }
    item.privileges |= 1u << bit;
    if (at + 1 < text.size() && text[at + 1] == '*') {
      item.privileges |= 1u << (bit + kGrantOptionShift);
    }
  }
  if (at < text.size()) {
    item.grantor = role_oid(trim_spaces(text.substr(at + 1)));
  } else {
    item.grantor = kBootstrapSuperuserOid;
  }
  return item;
}

std::string format_aclitem(const Aclitem& item) {
  std::string text;
  if (item.grantee != kInvalidOid) text = quote_identifier(role_name(item.grantee));
  text += '=';
  for (size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((item.privileges & 1u << bit) == 0) continue;
    text += kLetters[bit];
    if ((item.privileges & 1u << (bit + kGrantOptionShift)) != 0) text += '*';
  }
  return text + "/" + quote_identifier(role_name(item.grantor));
}

Datum access_list(Arena& arena, std::span<const Aclitem> items) {
  std::vector<Datum> values;
  for (const Aclitem& item : items) values.push_back(datum_from_pointer(&item));
  return build_array(arena, type_oid::kAclitem, layout_of(element_type_of(type_oid::kAclitem)),
                     ArrayShape::one_dimension(static_cast<int>(items.size())), values, nullptr);
}

// --- roles

bool role_acts_as(Oid role, Oid wanted) {
  if (role == wanted) return true;
  auto self = find_role(role);
  if (self && self->superuser) return true;
  // Everything the role is a member of, directly or by others, as far as members inherit.
  std::vector<Oid> known = {role};
  for (size_t i = 0; i < known.size(); ++i) {
    auto member = find_role(known[i]);
    if (!member || !member->inherit) continue;
    CatalogScan scan(pg_auth_members::kCatalog, pg_auth_members::kMemberRoleIndex,
                     {key_of(known[i])});
    while (scan.next()) {
      Oid group = scan.row().oid(pg_auth_members::roleid);
      if (group == wanted) return true;
      if (std::ranges::find(known, group) == known.end()) known.push_back(group);
    }
  }
  return false;
}

bool acts_as_role(Oid role) {
  const CatalogUser& user = catalog_user();
  if (user.is_superuser || user.oid == role) return true;
  // pg_database_owner has one member, the owner of this database.
  constexpr Oid kDatabaseOwner = 6171;
  if (role == kDatabaseOwner) {
    auto database = find_database(my_database());
    return database && role_acts_as(user.oid, database->owner);
  }
  return role_acts_as(user.oid, role);
}

void must_own(Oid owner, std::string_view kind, std::string_view name) {
  if (acts_as_role(owner)) return;
  throw Error(sqlstate::kInsufficientPrivilege, "must be owner of {} {}", kind, name);
}

namespace {

const char* kind_name(char kind) {
  switch (kind) {
    case 'i':
      return "index";
    case 'S':
      return "sequence";
    case 'v':
      return "view";
    default:
      return "table";
  }
}

}  // namespace

void must_own_relation(const RelationDesc& relation) {
  must_own(relation.owner, kind_name(relation.kind), relation.name);
}

void must_own_user_relation(const RelationDesc& relation) {
  must_own_relation(relation);
  if (!relation.is_system) return;
  throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
              relation.name);
}

// --- access lists

namespace {

/// What the list grants the current user.
uint32_t granted(std::span<const Aclitem> list) {
  uint32_t privileges = 0;
  for (const Aclitem& item : list) {
    if (item.grantee == kInvalidOid || acts_as_role(item.grantee)) privileges |= item.privileges;
  }
  return privileges & ((1u << kGrantOptionShift) - 1);
}

std::vector<Aclitem> read_list(CatalogRow& row, int column) {
  std::vector<Aclitem> list;
  Arena arena;
  Datum value = row.datum(column);
  if (varlena_is_short(datum_to_pointer(value))) value = varlena_from(arena, varlena_view(value));
  ArrayView array(value);
  ArrayReader reader(array, layout_of(element_type_of(type_oid::kAclitem)));
  Datum item;
  bool is_null;
  while (reader.next(item, is_null)) list.push_back(*datum_to_pointer<Aclitem>(item));
  return list;
}

}  // namespace

bool has_relation_privileges(const RelationDesc& relation, uint32_t privileges) {
  if (acts_as_role(relation.owner)) return true;
  uint32_t have = 0;
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(relation.oid)});
  if (scan.next() && !scan.row().is_null(pg_class::relacl)) {
    have = granted(read_list(scan.row(), pg_class::relacl));
  }
  constexpr Oid kReadAllData = 6181, kWriteAllData = 6182;
  constexpr uint32_t kWriting = kPrivilegeInsert | kPrivilegeUpdate | kPrivilegeDelete;
  if (!relation.is_system) {
    if ((privileges & ~have & kPrivilegeSelect) != 0 && acts_as_role(kReadAllData)) {
      have |= kPrivilegeSelect;
    }
    if ((privileges & ~have & kWriting) != 0 && acts_as_role(kWriteAllData)) have |= kWriting;
  }
  return (privileges & ~have) == 0;
}

void check_relation_privileges(const RelationDesc& relation, uint32_t privileges) {
  if (has_relation_privileges(relation, privileges)) return;
  throw Error(sqlstate::kInsufficientPrivilege, "permission denied for {} {}",
              kind_name(relation.kind), relation.name);
}

bool has_schema_privileges(Oid schema, uint32_t privileges) {
  if (catalog_user().is_superuser) return true;
  CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kOidIndex, {key_of(schema)});
  if (!scan.next()) return false;
  if (acts_as_role(scan.row().oid(pg_namespace::nspowner))) return true;
  if (scan.row().is_null(pg_namespace::nspacl)) return false;
  return (privileges & ~granted(read_list(scan.row(), pg_namespace::nspacl))) == 0;
}

}  // namespace cofork
