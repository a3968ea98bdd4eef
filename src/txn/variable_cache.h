// What the whole cluster counts: the next xid and oid, and how far xids may go
// ("ShmemVariableCache"; varsup.c, 15).
//
// Start-up takes the counters from the checkpoint and from WAL; checkpoints record them. Xids are
// given out one by one, each in WAL by the first record that carries it. Oids are given out
// from a range of 8192 that one NEXTOID record has announced, so after a crash a range may be lost.
//
// Xids go round: nothing may be more than half a circle old, or it would look newer. oldest_xid is
// the oldest one any database may still contain; from it follow the limits:
//
//   oldest ──────────────► vacuum limit ────────► warn limit ──► stop limit ─► wrap limit
//            (autovacuum_freeze_max_age)   -40 million     -3 million     oldest + 2^31
#pragma once

#include <cstdint>

#include "shmem/segment.h"
#include "txn/xid.h"

namespace cofork {

/// Oids given out by the server begin here; below are those of the catalogs.
inline constexpr uint32_t kFirstNormalOid = 16384;

struct VariableCache {
  static constexpr Area kArea = Area::kVariableCache;
  static constexpr const char* kName = "Variable Cache";
  static constexpr bool kAnonymous = true;
  static size_t size(const Limits&) { return sizeof(VariableCache); }
  static void init(void*, const Limits&) {}

  // Guarded by OidGenLock.
  uint32_t next_oid;
  uint32_t oids_announced;  ///< how many from next_oid on are in WAL already

  // Guarded by XidGenLock. next_xid is written with the lock and read as one word.
  alignas(kAreaAlignment) std::atomic<uint64_t> next_xid;
  TransactionId oldest_xid;
  TransactionId vacuum_limit;
  TransactionId warn_limit;
  TransactionId stop_limit;
  TransactionId wrap_limit;
  uint32_t oldest_xid_database;

  // Commit timestamps are not kept; a checkpoint hands these on (CommitTsLock).
  TransactionId oldest_commit_timestamp_xid;
  TransactionId newest_commit_timestamp_xid;

  // Guarded by XactTruncationLock.
  TransactionId oldest_clog_xid;  ///< older ones cannot be looked up any more
};

inline VariableCache& variable_cache() {
  return shared_memory().area<VariableCache>();
}

/// The next xid to be given out (ReadNextFullTransactionId).
inline FullTransactionId next_full_xid() {
  return {variable_cache().next_xid.load(std::memory_order_acquire)};
}

/// Gives out an xid to the running task and lists it as running; `sub` adds it to the task's list
/// of subtransactions instead (GetNewTransactionId). Throws 54000 at the stop limit, warns before.
FullTransactionId new_xid(bool sub);

/// Gives out an oid, never one below kFirstNormalOid (GetNewObjectId). The caller checks that it is
/// not in use yet: they come round too.
uint32_t new_oid();

/// Redo saw `xid`: the next one is newer.
void advance_next_xid_past(TransactionId xid);

/// A database's oldest xid has moved: computes the limits (SetTransactionIdLimit).
void set_xid_limits(TransactionId oldest_xid, uint32_t oldest_database);

}  // namespace cofork
