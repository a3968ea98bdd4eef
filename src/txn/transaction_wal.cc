// The records of the resource manager "Transaction": writing, reading and redoing the ends of
// transactions (XactLogCommitRecord … xact_redo in xact.c, ParseCommitRecord in xactdesc.c, 15).
//
//   time (8) [flags (4)] then, each if its flag is set and in this order:
//   database | children | deleted files | dropped statistics | invalidations | two-phase | gid |
//   origin
#include <cassert>
#include <cstring>

#include "storage/buffer_pool.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"

namespace cofork {

namespace {

/// What comes after the flags, piece by piece; complains about a record that is too short.
class BodyReader {
 public:
  explicit BodyReader(const DecodedRecord& record) : record_(record), left_(record.main_data) {}

  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof value), sizeof value);
    return value;
  }
  template <typename T>
  std::vector<T> take_list() {
    auto count = static_cast<size_t>(take<uint32_t>());
    const char* bytes = take_bytes(count * sizeof(T));
    std::vector<T> list(count);
    if (count > 0) std::memcpy(list.data(), bytes, count * sizeof(T));
    return list;
  }
  const char* take_bytes(size_t count) {
    if (left_.size() < count) {
      throw Error(sqlstate::kDataCorrupted, "record with invalid length at {}", record_.start)
          .severity(Severity::kPanic);
    }
    const char* bytes = left_.data();
    left_.remove_prefix(count);
    return bytes;
  }

 private:
  const DecodedRecord& record_;
  std::string_view left_;
};

/// Two oids: a database and a tablespace; a statistics object has three words.
struct DatabaseInfo {
  uint32_t words[2];
};
struct DroppedStatistics {
  uint32_t words[3];
};

void redo_end(const DecodedRecord& record, XidStatus status) {
  ParsedTransactionEnd end = parse_transaction_end(record);
  TransactionId xid = record.header.xid;
  advance_next_xid_past(xid_latest(xid, end.children));
  clog_set_tree(xid, end.children, status);
  if (end.deleted.empty()) return;
  drop_relations_buffers(end.deleted);
  for (const RelationFile& file : end.deleted) unlink_relation(file, true);
}

}  // namespace

Lsn log_transaction_end(const TransactionEndRecord& end) {
  uint32_t flags = end.flags;
  auto children = static_cast<int32_t>(end.children.size());
  auto deleted = static_cast<int32_t>(end.deleted.size());
  if (children > 0) flags |= kXactHasChildren;
  if (deleted > 0) flags |= kXactHasDeletedFiles;
  uint8_t info = end.operation;
  if (flags != 0) info |= kXactHasFlags;
  if (deleted > 0) info |= kWalInfoSpecialRelationUpdate;

  WalRecordBuilder& record = wal_record();
  record.begin(kManagerTransaction, info, end.xid);
  record.add_main(&end.time, sizeof end.time);
  if (flags != 0) record.add_main(&flags, sizeof flags);
  if (children > 0) {
    record.add_main(&children, sizeof children);
    record.add_main(end.children.data(), end.children.size_bytes());
  }
  if (deleted > 0) {
    record.add_main(&deleted, sizeof deleted);
    record.add_main(end.deleted.data(), end.deleted.size_bytes());
  }
  return wal_insert(record);
}

ParsedTransactionEnd parse_transaction_end(const DecodedRecord& record) {
  BodyReader body(record);
  ParsedTransactionEnd end;
  end.time = body.take<int64_t>();
  if ((record.own_info() & kXactHasFlags) == 0) return end;
  end.flags = body.take<uint32_t>();
  if (end.flags & kXactHasDatabase) body.take<DatabaseInfo>();
  if (end.flags & kXactHasChildren) end.children = body.take_list<TransactionId>();
  if (end.flags & kXactHasDeletedFiles) end.deleted = body.take_list<RelationFile>();
  if (end.flags & kXactHasDroppedStats) body.take_list<DroppedStatistics>();
  // What follows is for caches, prepared transactions and replication: nothing to redo here.
  return end;
}

void redo_transaction(const DecodedRecord& record) {
  switch (record.own_info() & kXactOperationBits) {
    case kXactCommit:
      return redo_end(record, XidStatus::kCommitted);
    case kXactAbort:
      return redo_end(record, XidStatus::kAborted);
    case kXactAssignment:     // for standbys
    case kXactInvalidations:  // for logical decoding
      return;
    case kXactPrepare:
    case kXactCommitPrepared:
    case kXactAbortPrepared:
      throw Error(sqlstate::kFeatureNotSupported, "prepared transactions are not supported")
          .severity(Severity::kPanic);
    default:
      throw Error(sqlstate::kInternalError, "xact_redo: unknown op code {}",
                  record.own_info() & kXactOperationBits)
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
