// The roles and databases of a cluster, for as long as its catalogs are not tables.
//
// `cofork init` writes them once into the file cofork.catalog of the data directory, one line each,
// readable by people; the server reads them at start. It stands at the top, not under global/,
// because pg_checksums takes every file there for a relation. When pg_authid and pg_database are
// tables, whoever asks here will ask them, and the file goes.
//
// The predefined roles of PostgreSQL 15 (pg_monitor …) exist in every cluster and are not in the
// file: they are facts of the version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "types/datum.h"

namespace cofork {

inline constexpr Oid kBootstrapSuperuserOid = 10;
inline constexpr Oid kTemplate1Oid = 1;
inline constexpr Oid kTemplate0Oid = 4;
inline constexpr Oid kPostgresOid = 5;

/// pg_authid; no passwords yet.
struct BootstrapRole {
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

/// pg_database.
struct BootstrapDatabase {
  Oid oid = kInvalidOid;
  std::string name;
  Oid owner = kBootstrapSuperuserOid;
  int32_t encoding = 6;  ///< PostgreSQL's number: 6 UTF8, 0 SQL_ASCII
  std::string collate;
  std::string ctype;
  bool is_template = false;
  bool allow_connections = true;
  int32_t connection_limit = -1;
};

struct BootstrapCatalog {
  std::vector<BootstrapRole> roles;          ///< the cluster's own, then the predefined ones
  std::vector<BootstrapDatabase> databases;  ///< in order of oid

  const BootstrapRole* find_role(std::string_view name) const;
  const BootstrapRole* find_role(Oid oid) const;
  const BootstrapDatabase* find_database(std::string_view name) const;
  const BootstrapDatabase* find_database(Oid oid) const;
};

inline constexpr const char* kBootstrapCatalogPath = "cofork.catalog";

/// What `init` makes: one superuser, and the databases template1, template0 and postgres.
BootstrapCatalog initial_catalog(std::string_view superuser, int32_t encoding,
                                 std::string_view collate, std::string_view ctype);

/// The file's text, and the way back. Throws FATAL XX001 naming the line that makes no sense.
std::string format_bootstrap_catalog(const BootstrapCatalog& catalog);
BootstrapCatalog parse_bootstrap_catalog(std::string_view text);

/// Reads the running server's (the working directory is the data directory). May wait; throws.
BootstrapCatalog read_bootstrap_catalog(const std::string& path = kBootstrapCatalogPath);

/// "UTF8" for 6, "SQL_ASCII" for 0 (pg_encoding_to_char).
const char* encoding_name(int32_t encoding);

}  // namespace cofork
