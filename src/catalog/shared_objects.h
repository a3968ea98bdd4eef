// The roles and databases of the cluster: rows of pg_authid and pg_database, found by an index (as
// the AUTHNAME, AUTHOID and DATABASEOID caches and GetDatabaseTuple in postinit.c, 15).
//
// Every connection asks here for its role and its database, so each question is one descent of an
// index with two or three pages, all of which are in the buffer pool, and one row. In a
// transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/datum.h"

namespace cofork {

inline constexpr Oid kBootstrapSuperuserOid = 10;
inline constexpr Oid kTemplate1Oid = 1;
inline constexpr Oid kTemplate0Oid = 4;
inline constexpr Oid kPostgresOid = 5;

struct RoleDesc {
  Oid oid = kInvalidOid;
  std::string name;
  bool superuser = false;
  bool inherit = true;
  bool create_role = false;
  bool create_database = false;
  bool login = false;
  bool replication = false;
  bool bypass_row_security = false;
  int32_t connection_limit = -1;
};
struct DatabaseDesc {
  Oid oid = kInvalidOid;
  std::string name;
  Oid owner = kBootstrapSuperuserOid;
  int32_t encoding = 6;  ///< PostgreSQL's number: 6 UTF8, 0 SQL_ASCII
  std::string collate;
  std::string ctype;
  bool is_template = false;
  bool allow_connections = true;
  int32_t connection_limit = -1;
  uint32_t frozen_xid = 0;
  uint32_t min_multi = 0;
  Oid tablespace = 1663;
};

std::optional<RoleDesc> find_role(std::string_view name);
std::optional<RoleDesc> find_role(Oid oid);
std::optional<DatabaseDesc> find_database(std::string_view name);
std::optional<DatabaseDesc> find_database(Oid oid);
/// All of them, by oid.
std::vector<RoleDesc> all_roles();
std::vector<DatabaseDesc> all_databases();
/// Throws 42704 `role "%s" does not exist`.
Oid role_oid(std::string_view name);
/// "unknown (OID=%u)" for one that has gone.
std::string role_name(Oid oid);

/// "UTF8" for 6, "SQL_ASCII" for 0 (pg_encoding_to_char).
const char* encoding_name(int32_t encoding);

}  // namespace cofork
