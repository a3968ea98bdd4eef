// See wal_parameters.h.
#include "recovery/wal_parameters.h"

#include <cstring>

#include "recovery/cluster_state.h"
#include "recovery/xlog_records.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

namespace {

XlogParameterChange parameters_of(const SettingsView& view) {
  XlogParameterChange now;
  std::memset(&now, 0, sizeof now);
  now.max_connections = view.get(setting::kMaxConnections);
  now.max_worker_processes = view.get(setting::kMaxWorkerProcesses);
  now.max_wal_senders = view.get(setting::kMaxWalSenders);
  now.max_prepared_transactions = view.get(setting::kMaxPreparedTransactions);
  now.max_locks_per_transaction = view.get(setting::kMaxLocksPerTransaction);
  now.wal_level = static_cast<int32_t>(view.get(setting::kWalLevel));
  now.wal_log_hints = view.get(setting::kWalLogHints);
  now.track_commit_timestamp = view.get(setting::kTrackCommitTimestamp);
  return now;
}

XlogParameterChange parameters_of(const ControlFileData& control) {
  XlogParameterChange then;
  std::memset(&then, 0, sizeof then);
  then.max_connections = control.max_connections;
  then.max_worker_processes = control.max_worker_processes;
  then.max_wal_senders = control.max_wal_senders;
  then.max_prepared_transactions = control.max_prepared_transactions;
  then.max_locks_per_transaction = control.max_locks_per_transaction;
  then.wal_level = control.wal_level;
  then.wal_log_hints = control.wal_log_hints;
  then.track_commit_timestamp = control.track_commit_timestamp;
  return then;
}

}  // namespace

void update_full_page_writes() {
  WalShared& wal = wal_shared();
  bool on = settings().get(setting::kFullPageWrites);
  if (on == wal.full_page_writes.load()) return;
  CriticalSection critical;
  // Switched on before the record and off after it: there may be images too many, never too few.
  if (on) {
    WalInsertExclusive all;
    all.set_full_page_writes(true);
  }
  if (standbys_may_follow() && wal_insert_allowed()) {
    WalRecordBuilder& record = wal_record();
    record.begin(kManagerXlog, kXlogFullPageWritesChange);
    record.add_main(&on, sizeof on);
    wal_insert(record);
  }
  if (!on) {
    WalInsertExclusive all;
    all.set_full_page_writes(false);
  }
  critical.end();
}

void report_wal_parameters() {
  XlogParameterChange now = parameters_of(settings());
  ControlFileData control = control_file_copy();
  XlogParameterChange then = parameters_of(control);
  if (std::memcmp(&now, &then, sizeof now) == 0) return;
  if (now.wal_level != then.wal_level || standbys_may_follow()) {
    WalRecordBuilder& record = wal_record();
    record.begin(kManagerXlog, kXlogParameterChange);
    record.add_main(&now, sizeof now);
    wal_flush(wal_insert(record));
  }
  update_control_file([&](ControlFileData& changed) {
    changed.max_connections = now.max_connections;
    changed.max_worker_processes = now.max_worker_processes;
    changed.max_wal_senders = now.max_wal_senders;
    changed.max_prepared_transactions = now.max_prepared_transactions;
    changed.max_locks_per_transaction = now.max_locks_per_transaction;
    changed.wal_level = now.wal_level;
    changed.wal_log_hints = now.wal_log_hints;
    changed.track_commit_timestamp = now.track_commit_timestamp;
  });
}

}  // namespace cofork
