// Locks that transactions hold on relations, rows, transactions … until they end (as lock.c,
// proc.c, deadlock.c and lmgr.c, 15).
//
//   task ── LocalLock (private: how often, by which level)
//             │ first time only
//             ├─► fast path   weak locks on own relations: a slot beside the own Proc
//             └─► lock table  16 partitions by the tag's hash, each under an LWLock
//                   Lock ── what is locked: counts per mode, queue of waiters
//                    └─ Holder ── one task's share in it: which modes
//
// A request is granted when it conflicts neither with what others hold nor with what waiters ahead
// of it want. Otherwise the task queues and sleeps on its latch; whoever releases grants. After
// deadlock_timeout the sleeper itself looks for a cycle of waits it is part of: one that goes away
// by changing the order of a queue is resolved so, else the sleeper is the victim: 40P01.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "shmem/proc.h"
#include "shmem/segment.h"
#include "txn/xid.h"

namespace cofork {

enum class LockMode : uint8_t {
  kNone = 0,
  kAccessShare,           ///< SELECT
  kRowShare,              ///< SELECT FOR UPDATE …
  kRowExclusive,          ///< INSERT, UPDATE, DELETE
  kShareUpdateExclusive,  ///< VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY
  kShare,                 ///< CREATE INDEX
  kShareRowExclusive,
  kExclusive,
  kAccessExclusive,  ///< DROP, ALTER, TRUNCATE, LOCK TABLE
};
inline constexpr int kLockModes = 8;
/// "AccessShareLock" …
const char* lock_mode_name(LockMode mode);
/// Bit 1 << mode for each mode that conflicts with `mode`.
uint16_t lock_conflict_mask(LockMode mode);
bool lock_modes_conflict(LockMode a, LockMode b);

enum class LockTagType : uint8_t {
  kRelation,
  kRelationExtend,
  kDatabaseFrozenIds,
  kPage,
  kTuple,
  kTransaction,
  kVirtualTransaction,
  kSpeculativeToken,
  kObject,
  kUserLock,
  kAdvisory,
};

/// What is locked: 16 bytes, compared as a whole (LOCKTAG). method 1: ordinary, 2: advisory.
struct LockTag {
  uint32_t field1 = 0;
  uint32_t field2 = 0;
  uint32_t field3 = 0;
  uint16_t field4 = 0;
  LockTagType type = LockTagType::kRelation;
  uint8_t method = 1;

  friend bool operator==(const LockTag&, const LockTag&) = default;

  /// `database` 0: a relation shared by all.
  static LockTag relation(uint32_t database, uint32_t relation) { return {database, relation}; }
  static LockTag relation_extend(uint32_t database, uint32_t relation) {
    return {database, relation, 0, 0, LockTagType::kRelationExtend};
  }
  static LockTag database_frozen_ids(uint32_t database) {
    return {database, 0, 0, 0, LockTagType::kDatabaseFrozenIds};
  }
  static LockTag page(uint32_t database, uint32_t relation, uint32_t block) {
    return {database, relation, block, 0, LockTagType::kPage};
  }
  static LockTag tuple(uint32_t database, uint32_t relation, uint32_t block, uint16_t offset) {
    return {database, relation, block, offset, LockTagType::kTuple};
  }
  static LockTag transaction(TransactionId xid) {
    return {xid, 0, 0, 0, LockTagType::kTransaction};
  }
  static LockTag virtual_transaction(int32_t backend, LocalTransactionId local) {
    return {static_cast<uint32_t>(backend), local, 0, 0, LockTagType::kVirtualTransaction};
  }
  static LockTag speculative_token(TransactionId xid, uint32_t token) {
    return {xid, token, 0, 0, LockTagType::kSpeculativeToken};
  }
  static LockTag object(uint32_t database, uint32_t catalog, uint32_t object, uint16_t sub = 0) {
    return {database, catalog, object, sub, LockTagType::kObject};
  }
  /// One 64-bit key (class 1) or two 32-bit keys (class 2).
  static LockTag advisory(uint32_t database, int64_t key) {
    return {database,
            static_cast<uint32_t>(static_cast<uint64_t>(key) >> 32),
            static_cast<uint32_t>(key),
            1,
            LockTagType::kAdvisory,
            2};
  }
  static LockTag advisory(uint32_t database, int32_t key1, int32_t key2) {
    return {database, static_cast<uint32_t>(key1), static_cast<uint32_t>(key2),
            2,        LockTagType::kAdvisory,      2};
  }
};
static_assert(sizeof(LockTag) == 16);
/// "relation 16384 of database 5", "transaction 739" … (DescribeLockTag)
std::string describe_lock_tag(const LockTag& tag);
/// "relation", "transactionid", …: pg_locks.locktype and wait event names.
const char* lock_tag_type_name(LockTagType type);

enum class LockOwner : uint8_t { kTransaction, kSession };
enum class LockOutcome : uint8_t {
  kGranted,
  kAlreadyHeld,   ///< by this task in this mode
  kNotAvailable,  ///< only with kNoWait
};
enum class LockWait : uint8_t { kWait, kNoWait };

/// Takes a lock. Waits, serving interrupts; throws 40P01 (deadlock), 55P03 (lock_timeout), 57014,
/// 53200 (the table is full). Transaction locks belong to the innermost level: they go when it is
/// rolled back, or at the end.
LockOutcome lock_acquire(const LockTag& tag, LockMode mode, LockWait wait = LockWait::kWait,
                         LockOwner owner = LockOwner::kTransaction);
/// Gives one taking back. False with WARNING "you don't own a lock of type …" when there is none.
bool lock_release(const LockTag& tag, LockMode mode, LockOwner owner = LockOwner::kTransaction);
/// Does this task hold it, in this mode (exactly) or one at least as strong?
bool lock_is_held(const LockTag& tag, LockMode mode);
bool lock_is_held_or_stronger(const LockTag& tag, LockMode mode);
/// Does anybody wait for it? (LockHasWaitersRelation)
bool lock_has_waiters(const LockTag& tag, LockMode mode);
/// Virtual transactions that hold it in conflict with `mode` (GetLockConflicts), for
/// virtual_xact_wait().
struct VirtualXid {
  int32_t backend = 0;  ///< Proc number + 1
  LocalTransactionId local = 0;
  friend bool operator==(const VirtualXid&, const VirtualXid&) = default;
};
std::vector<VirtualXid> lock_conflicts(const LockTag& tag, LockMode mode);

/// Releases all advisory locks the session itself holds (pg_advisory_unlock_all).
void release_session_advisory_locks();

// --- used by Transaction
void lock_virtual_xid_insert();
/// A new xid of level `level`: locked exclusively until its end, so that others can wait for it.
void lock_xid_insert(TransactionId xid, int level);
void lock_xid_delete(TransactionId xid);
/// The end of the transaction: everything but what the session holds. Also leaves a queue the task
/// may still stand on.
void locks_end_transaction();
/// The end of the task: everything.
void locks_end_session();
/// A level ends: its locks go to the parent, or are released.
void locks_release_level(int level);
void locks_rollback_level(int level);
/// An error came out of a wait: leaves the queue. Safe to call at any time (LockErrorCleanup).
void lock_error_cleanup();

// --- waiting for transactions

/// What is being done to which row: becomes the CONTEXT of an error or a log line while waiting.
struct XactWaitContext {
  enum class Operation : uint8_t {
    kNone,
    kUpdate,
    kDelete,
    kLock,
    kLockUpdated,
    kInsertIndex,
    kInsertIndexUnique,
    kFetchUpdated,
    kRecheckExclusion,
  };
  Operation operation = Operation::kNone;
  const char* relation = nullptr;
  uint32_t block = 0;
  uint16_t offset = 0;
};

/// Returns when `xid` (or the transaction it is a child of) has ended (XactLockTableWait).
void xact_lock_wait(TransactionId xid, const XactWaitContext& context = {});
/// Without waiting: true when it has ended already (ConditionalXactLockTableWait).
bool xact_lock_try(TransactionId xid);
/// Returns when a virtual transaction has ended; with kNoWait false when it has not
/// (VirtualXactLock).
bool virtual_xact_wait(VirtualXid vxid, LockWait wait = LockWait::kWait);

// --- looking

/// One row of pg_locks.
struct LockRow {
  LockTag tag;
  VirtualXid holder;
  Pid pid = 0;
  LockMode mode = LockMode::kNone;
  bool granted = false;
  bool fast_path = false;
  int64_t wait_start = 0;  ///< microseconds since 2000-01-01 UTC; 0: does not wait
};
std::vector<LockRow> read_locks();
/// Pids that keep `pid` from getting the lock it waits for, with repeats as PostgreSQL's
/// (pg_blocking_pids).
std::vector<Pid> blocking_pids(Pid pid);

}  // namespace cofork
