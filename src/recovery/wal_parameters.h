// Settings that WAL readers must know of, and how their changes get into WAL (UpdateFullPageWrites
// and XLogReportParameters, xlog.c, 15).
#pragma once

namespace cofork {

/// Takes the setting full_page_writes into shared memory. A change is written to WAL: a page image
/// that redo relies on must not be missing on a standby either.
void update_full_page_writes();

/// At start: when max_connections and its kin, wal_level or wal_log_hints differ from the control
/// file, logs them and writes them there.
void report_wal_parameters();

}  // namespace cofork
