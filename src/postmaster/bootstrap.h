// A server of one task that fills a new data directory with its catalogs and ends (as
// BootstrapModeMain in bootstrap.c and what initdb feeds it, 15).
//
// It is the real engine: shared memory, start-up from the control file, transactions, buffer pool,
// WAL, and a shutdown checkpoint at the end, by the same calls as in any server. There are no
// clients, no other tasks, and nothing is forced to disk: init does that once for the whole
// directory. Afterwards template0 and postgres are copies of template1's files.
#pragma once

#include <string>

#include "catalog/bootstrap.h"

namespace cofork {

/// `directory`: as ClusterInit has left it. Under the fork model, in this process. Throws Error.
void bootstrap_cluster(const std::string& directory, const BootstrapOptions& options,
                       mode_t file_mode);

}  // namespace cofork
