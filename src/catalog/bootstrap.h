// The first rows of a cluster's catalogs (as the bootstrap mode of initdb, 15: genbki's tables and
// the statements after them).
//
// Runs in the only task of a server that has no catalogs yet, connected to template1, with buffer
// pool, WAL and transactions as always: makes the files of all catalogs and their indexes, and
// writes rows that describe the catalogs themselves, the built-in types and views, schemas, roles
// and databases. Every row is frozen: it was there before all transactions.
#pragma once

#include <cstdint>
#include <string>

namespace cofork {

struct BootstrapOptions {
  std::string superuser;
  int32_t encoding = 6;
  std::string collate;
  std::string ctype;
};

/// The task is in no transaction; begins and commits its own.
void bootstrap_catalogs(const BootstrapOptions& options);

/// A pg_filenode.map: which files the mapped catalogs have. `shared`: global's, else a database's.
std::string relation_map(bool shared);

}  // namespace cofork
