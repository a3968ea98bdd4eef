// See redo.h.
#include "recovery/redo.h"

#include <algorithm>
#include <cstring>

#include "access/btree.h"
#include "access/btree_records.h"
#include "access/database_storage.h"
#include "access/heap_redo.h"
#include "access/heap_wal.h"
#include "access/redo_page.h"
#include "access/relation_storage.h"
#include "access/sequence_page.h"
#include "log/format.h"
#include "log/log.h"
#include "recovery/cluster_state.h"
#include "recovery/xlog_records.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/multixact.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"

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
  if (!shutdown) {
    // Records between the redo pointer and this one may have moved them further already. (After a
    // shutdown checkpoint nothing ran: the record knows exactly.)
    ClusterCounters now = cluster_counters();
    recorded.next_xid = std::max(recorded.next_xid, now.next_xid);
    recorded.next_multi = std::max(recorded.next_multi, now.next_multi);
    recorded.next_multi_offset = std::max(recorded.next_multi_offset, now.next_multi_offset);
  }
  set_cluster_counters(recorded);
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

/// Whole pages: of a new index, of a map, or of a page that hints were set on.
void redo_images(const DecodedRecord& record) {
  for (int id = 0; id <= record.block_id_max; ++id) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    if (!block.in_use) continue;
    if (!block.has_image) {
      if (record.own_info() == kXlogImageForHint) continue;
      throw Error(sqlstate::kInternalError, "XLOG_FPI record did not contain a full-page image");
    }
    Buffer buffer;
    if (redo_page(record, static_cast<uint8_t>(id), buffer) != RedoAction::kRestored) {
      throw Error(sqlstate::kInternalError,
                  "unexpected XLogReadBufferForRedo result when restoring backup block");
    }
  }
}

void redo_xlog(const DecodedRecord& record, RedoContext& context) {
  switch (record.own_info()) {
    case kXlogCheckpointShutdown:
    case kXlogCheckpointOnline:
      return redo_checkpoint(record, context);
    case kXlogNextOid: {
      VariableCache& cache = variable_cache();
      LwLockGuard guard(LwTranche::kOidGen, LwMode::kExclusive);
      cache.next_oid = body_of<uint32_t>(record);
      cache.oids_announced = 0;
      return;
    }
    case kXlogParameterChange:
      return redo_parameter_change(record);
    case kXlogFullPageWritesChange:
      context.full_page_writes = body_of<bool>(record);
      return;
    case kXlogImageForHint:
    case kXlogImage:
      return redo_images(record);
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

/// Files that go with a transaction's end explain why pages of them were missing before.
void redo_transaction_record(const DecodedRecord& record, RedoContext&) {
  redo_transaction(record);
  uint8_t operation = record.header.info & kXactOperationBits;
  if (!redo_has_missing() || (operation != kXactCommit && operation != kXactAbort)) return;
  for (const RelationFile& file : parse_transaction_end(record).deleted) {
    for (int fork = 0; fork < kForks; ++fork) {
      redo_forget_missing(file, static_cast<ForkNumber>(fork), 0);
    }
  }
}

constexpr ResourceManager kManagers[] = {
    {kManagerXlog, "XLOG", redo_xlog},
    {kManagerTransaction, "Transaction", redo_transaction_record},
    {kManagerStorage, "Storage",
     [](const DecodedRecord& record, RedoContext&) { storage_redo(record); }},
    {kManagerClog, "CLOG", [](const DecodedRecord& record, RedoContext&) { redo_clog(record); }},
    {kManagerDatabase, "Database",
     [](const DecodedRecord& record, RedoContext&) { database_redo(record); }},
    {kManagerMultiXact, "MultiXact",
     [](const DecodedRecord& record, RedoContext&) { redo_multixact(record); }},
    {kManagerStandby, "Standby", redo_standby},
    {kManagerHeap2, "Heap2", [](const DecodedRecord& record, RedoContext&) { heap2_redo(record); }},
    {kManagerHeap, "Heap", [](const DecodedRecord& record, RedoContext&) { heap_redo(record); }},
    {kManagerBtree, "Btree", [](const DecodedRecord& record, RedoContext&) { btree_redo(record); }},
    {kManagerSequence, "Sequence",
     [](const DecodedRecord& record, RedoContext&) { sequence_redo(record); }},
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
  if (record.header.xid != 0) advance_next_xid_past(record.header.xid);
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
