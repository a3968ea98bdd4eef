// See redo.h.
#include "recovery/redo.h"

#include <algorithm>
#include <cstring>

#include "log/format.h"
#include "log/log.h"
#include "recovery/cluster_state.h"
#include "recovery/xlog_records.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "support/error.h"

namespace cofork {

namespace {

template <typename T>
T body_of(const DecodedRecord& record) {
  if (record.main_data.size() < sizeof(T)) {
    throw Error(sqlstate::kDataCorrupted, "record with invalid length at {}", record.start)
        .severity(Severity::kPanic);
  }
  T body;
  std::memcpy(&body, record.main_data.data(), sizeof body);
  return body;
}

void redo_checkpoint(const DecodedRecord& record, RedoContext& context) {
  auto checkpoint = body_of<CheckPoint>(record);
  bool shutdown = record.own_info() == kXlogCheckpointShutdown;
  if (checkpoint.timeline != context.timeline) {
    throw Error(sqlstate::kInternalError,
                "unexpected timeline ID {} (should be {}) in {} checkpoint record",
                checkpoint.timeline, context.timeline, shutdown ? "shutdown" : "online")
        .severity(Severity::kPanic);
  }
  ClusterCounters recorded = counters_of_checkpoint(checkpoint);
  change_cluster_counters([&](ClusterCounters& counters) {
    if (shutdown) {
      counters = recorded;  // nothing ran: the record knows exactly
      return;
    }
    // Records between the redo pointer and this one may have moved them further already.
    recorded.next_xid = std::max(recorded.next_xid, counters.next_xid);
    recorded.next_oid = counters.next_oid;
    recorded.next_multi = std::max(recorded.next_multi, counters.next_multi);
    recorded.next_multi_offset = std::max(recorded.next_multi_offset, counters.next_multi_offset);
    counters = recorded;
  });
}

void redo_parameter_change(const DecodedRecord& record) {
  auto change = body_of<XlogParameterChange>(record);
  update_control_file([&](ControlFileData& control) {
    control.max_connections = change.max_connections;
    control.max_worker_processes = change.max_worker_processes;
    control.max_wal_senders = change.max_wal_senders;
    control.max_prepared_transactions = change.max_prepared_transactions;
    control.max_locks_per_transaction = change.max_locks_per_transaction;
    control.wal_level = change.wal_level;
    control.wal_log_hints = change.wal_log_hints;
    control.track_commit_timestamp = change.track_commit_timestamp;
  });
}

void redo_overwrite_continued(const DecodedRecord& record, RedoContext& context) {
  auto body = body_of<XlogOverwriteContinued>(record);
  if (body.overwritten != context.overwritten_record.value) {
    throw Error(sqlstate::kDataCorrupted, "mismatching overwritten LSN {} -> {}",
                Lsn{body.overwritten}, context.overwritten_record)
        .fatal();
  }
  context.overwritten_record = {};
  log(Severity::kLog, "successfully skipped missing contrecord at {}, overwritten at {}",
      Lsn{body.overwritten}, log_timestamp(settings(), body.time + kPostgresEpochUs, false));
}

void redo_xlog(const DecodedRecord& record, RedoContext& context) {
  switch (record.own_info()) {
    case kXlogCheckpointShutdown:
    case kXlogCheckpointOnline:
      return redo_checkpoint(record, context);
    case kXlogNextOid: {
      auto next_oid = body_of<uint32_t>(record);
      return change_cluster_counters(
          [&](ClusterCounters& counters) { counters.next_oid = next_oid; });
    }
    case kXlogParameterChange:
      return redo_parameter_change(record);
    case kXlogFullPageWritesChange:
      context.full_page_writes = body_of<bool>(record);
      return;
    case kXlogOverwriteContinued:
      return redo_overwrite_continued(record, context);
    case kXlogNoop:
    case kXlogSwitch:
    case kXlogRestorePoint:
    case kXlogBackupEnd:
    case kXlogEndOfRecovery:
      return;  // nothing to be done on a primary
    default:
      throw Error(sqlstate::kFeatureNotSupported,
                  "WAL record of kind {:X} cannot be replayed by this version of the server",
                  record.own_info())
          .severity(Severity::kPanic);
  }
}

/// Its records tell a standby what runs; a primary that recovers knows that nothing does.
void redo_standby(const DecodedRecord&, RedoContext&) {}

constexpr ResourceManager kManagers[] = {
    {kManagerXlog, "XLOG", redo_xlog},
    {kManagerStandby, "Standby", redo_standby},
};

}  // namespace

const ResourceManager* find_resource_manager(uint8_t id) {
  for (const ResourceManager& manager : kManagers) {
    if (manager.id == id) return &manager;
  }
  return nullptr;
}

void redo_record(const DecodedRecord& record, RedoContext& context) {
  const ResourceManager* manager = find_resource_manager(record.header.resource_manager);
  if (manager == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "resource manager with ID {} not registered",
                record.header.resource_manager)
        .context("WAL redo at {}", record.start)
        .severity(Severity::kPanic);
  }
  if (record.header.xid != 0) {
    change_cluster_counters([&](ClusterCounters& counters) {
      // The record's xid is within 2^31 of the next one: that gives its epoch.
      auto ahead =
          static_cast<int32_t>(record.header.xid - static_cast<TransactionId>(counters.next_xid));
      if (ahead >= 0) counters.next_xid += static_cast<uint64_t>(ahead) + 1;
    });
  }
  try {
    manager->redo(record, context);
  } catch (Error& error) {
    if (error.data().context.empty()) {
      error.data().context = fmt::format("WAL redo at {} for {}", record.start, manager->name);
    }
    throw;
  }
}

std::optional<CheckPoint> read_checkpoint_record(WalReader& reader, Lsn at, bool& was_shutdown) {
  auto complain = [](const char* text) {
    log(Severity::kLog, "{}", text);
    return std::nullopt;
  };
  if (wal_page_offset(at.value) < kWalShortHeaderBytes) {
    return complain("invalid primary checkpoint link in control file");
  }
  reader.seek(at);
  DecodedRecord record;
  if (!reader.next(record)) {
    if (!reader.complaint().empty()) log(Severity::kLog, "{}", reader.complaint());
    return complain("invalid primary checkpoint record");
  }
  if (record.header.resource_manager != kManagerXlog) {
    return complain("invalid resource manager ID in primary checkpoint record");
  }
  if (record.header.info != kXlogCheckpointShutdown &&
      record.header.info != kXlogCheckpointOnline) {
    return complain("invalid xl_info in primary checkpoint record");
  }
  if (record.header.total_length != kWalRecordHeaderBytes + 2 + sizeof(CheckPoint)) {
    return complain("invalid length of primary checkpoint record");
  }
  was_shutdown = record.own_info() == kXlogCheckpointShutdown;
  return body_of<CheckPoint>(record);
}

}  // namespace cofork
