// See row_lock.h.
#include "access/row_lock.h"

#include "access/heap_wal.h"
#include "access/visibility.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// The lock in the lock manager that stands for a row lock while one waits for it.
LockMode queue_mode(LockTupleMode mode) {
  switch (mode) {
    case LockTupleMode::kKeyShare:
      return LockMode::kAccessShare;
    case LockTupleMode::kShare:
      return LockMode::kRowShare;
    case LockTupleMode::kNoKeyExclusive:
      return LockMode::kExclusive;
    case LockTupleMode::kExclusive:
      return LockMode::kAccessExclusive;
  }
  return LockMode::kAccessExclusive;
}

/// Nobody else is there any more.
Xmax lone_xmax(TransactionId xid, LockTupleMode mode, bool is_update) {
  Xmax made{xid, 0, 0};
  if (mode == LockTupleMode::kExclusive) made.infomask2 = kTupleKeysUpdated;
  if (is_update) return made;
  made.infomask = kTupleXmaxLockOnly;
  switch (mode) {
    case LockTupleMode::kKeyShare:
      set_mask(made.infomask, kTupleXmaxKeyShareLock);
      break;
    case LockTupleMode::kShare:
      set_mask(made.infomask, kTupleXmaxShareLock);
      break;
    default:
      set_mask(made.infomask, kTupleXmaxExclusiveLock);
  }
  return made;
}

Xmax join(TransactionId old_xid, MultiXactStatus old_status, TransactionId xid,
          MultiXactStatus status) {
  return xmax_of_multixact(multixact_create({old_xid, old_status}, {xid, status}));
}

}  // namespace

MultiXactStatus status_of_xmax(const HeapTupleHeader& header) {
  bool keys = (header.infomask2 & kTupleKeysUpdated) != 0;
  if (!header.mask_is_only_locked()) {
    return keys ? MultiXactStatus::kUpdate : MultiXactStatus::kNoKeyUpdate;
  }
  switch (header.infomask & kTupleLockMask) {
    case kTupleXmaxKeyShareLock:
      return MultiXactStatus::kForKeyShare;
    case kTupleXmaxShareLock:
      return MultiXactStatus::kForShare;
    default:
      return keys ? MultiXactStatus::kForUpdate : MultiXactStatus::kForNoKeyUpdate;
  }
}

LockTupleMode lock_mode_of(MultiXactStatus status) {
  switch (status) {
    case MultiXactStatus::kForKeyShare:
      return LockTupleMode::kKeyShare;
    case MultiXactStatus::kForShare:
      return LockTupleMode::kShare;
    case MultiXactStatus::kForNoKeyUpdate:
    case MultiXactStatus::kNoKeyUpdate:
      return LockTupleMode::kNoKeyExclusive;
    default:
      return LockTupleMode::kExclusive;
  }
}

MultiXactStatus multixact_status_for(LockTupleMode mode, bool is_update) {
  switch (mode) {
    case LockTupleMode::kKeyShare:
      return MultiXactStatus::kForKeyShare;
    case LockTupleMode::kShare:
      return MultiXactStatus::kForShare;
    case LockTupleMode::kNoKeyExclusive:
      return is_update ? MultiXactStatus::kNoKeyUpdate : MultiXactStatus::kForNoKeyUpdate;
    default:
      return is_update ? MultiXactStatus::kUpdate : MultiXactStatus::kForUpdate;
  }
}

bool row_locks_conflict(LockTupleMode a, LockTupleMode b) {
  return lock_modes_conflict(queue_mode(a), queue_mode(b));
}

Xmax add_to_xmax(const HeapTupleHeader& header, TransactionId xid, LockTupleMode mode,
                 bool is_update) {
  if (header.has_xmax(kTupleXmaxInvalid)) return lone_xmax(xid, mode, is_update);
  bool only_locked = header.mask_is_only_locked();
  MultiXactStatus status = multixact_status_for(mode, is_update);
  if (header.xmax_is_multi()) {
    bool counts = multixact_is_running(header.xmax, only_locked) ||
                  (!only_locked && xid_did_commit(tuple_update_xid(header)));
    if (!counts) return lone_xmax(xid, mode, is_update);
    return xmax_of_multixact(multixact_expand(header.xmax, xid, status));
  }
  MultiXactStatus old_status = status_of_xmax(header);
  if (header.has_xmax(kTupleXmaxCommitted)) {
    // An old version is locked along the chain: that it was updated must not be forgotten.
    return join(header.xmax, old_status, xid, status);
  }
  if (xid_in_progress(header.xmax)) {
    // The own lock is only made stronger.
    if (header.xmax == xid) {
      return lone_xmax(xid, std::max(mode, lock_mode_of(old_status)), is_update);
    }
    return join(header.xmax, old_status, xid, status);
  }
  if (!only_locked && xid_did_commit(header.xmax)) {
    return join(header.xmax, old_status, xid, status);
  }
  return lone_xmax(xid, mode, is_update);
}

Xmax xmax_of_multixact(MultiXactId multi) {
  Xmax made{multi, kTupleXmaxIsMulti, 0};
  LockTupleMode strongest = LockTupleMode::kKeyShare;
  bool has_update = false;
  for (const MultiXactMember& member : multixact_members(multi, false)) {
    strongest = std::max(strongest, lock_mode_of(member.status));
    if (lock_mode_of(member.status) == LockTupleMode::kExclusive) {
      made.infomask2 = kTupleKeysUpdated;
    }
    has_update |= multixact_status_is_update(member.status);
  }
  if (strongest == LockTupleMode::kKeyShare) {
    set_mask(made.infomask, kTupleXmaxKeyShareLock);
  } else if (strongest == LockTupleMode::kShare) {
    set_mask(made.infomask, kTupleXmaxShareLock);
  } else {
    set_mask(made.infomask, kTupleXmaxExclusiveLock);
  }
  if (!has_update) set_mask(made.infomask, kTupleXmaxLockOnly);
  return made;
}

void store_xmax(HeapTupleHeader& header, const Xmax& xmax) {
  clear_mask(header.infomask, kTupleXmaxBits | kTupleMoved);
  clear_mask(header.infomask2, kTupleKeysUpdated);
  set_mask(header.infomask, xmax.infomask);
  set_mask(header.infomask2, xmax.infomask2);
  header.xmax = xmax.xid;
}

uint8_t wal_xmax_bits(uint16_t infomask, uint16_t infomask2) {
  uint8_t bits = 0;
  if ((infomask & kTupleXmaxIsMulti) != 0) bits |= kWalXmaxIsMulti;
  if ((infomask & kTupleXmaxLockOnly) != 0) bits |= kWalXmaxLockOnly;
  if ((infomask & kTupleXmaxExclusiveLock) != 0) bits |= kWalXmaxExclusiveLock;
  if ((infomask & kTupleXmaxKeyShareLock) != 0) bits |= kWalXmaxKeyShareLock;
  if ((infomask2 & kTupleKeysUpdated) != 0) bits |= kWalKeysUpdated;
  return bits;
}

bool xmax_has_changed(const HeapTupleHeader& header, const XmaxSeen& seen) {
  constexpr uint16_t kInteresting = kTupleXmaxIsMulti | kTupleXmaxLockOnly | kTupleLockMask;
  return header.xmax != seen.xid || ((header.infomask ^ seen.infomask) & kInteresting) != 0;
}

bool multixact_conflicts(const XmaxSeen& xmax, LockTupleMode mode, bool& own_is_member) {
  own_is_member = false;
  bool only_locked = HeapTupleHeader::mask_is_only_locked(xmax.infomask);
  bool conflicts = false;
  for (const MultiXactMember& member : multixact_members(xmax.xid, only_locked)) {
    if (is_mine(member.xid)) {
      own_is_member = true;
      continue;
    }
    if (conflicts || !row_locks_conflict(lock_mode_of(member.status), mode)) continue;
    // An update counts until it is known to have failed, a lock only while its holder runs.
    conflicts = multixact_status_is_update(member.status) ? !xid_did_abort(member.xid)
                                                          : xid_in_progress(member.xid);
  }
  return conflicts;
}

void wait_for_xid(TransactionId xid, const RowWait& wait) {
  XactWaitContext context;
  context.operation = wait.operation;
  context.relation = wait.relation.name.c_str();
  context.block = wait.tid.block();
  context.offset = wait.tid.offset;
  xact_lock_wait(xid, context);
}

int wait_for_multixact(const XmaxSeen& xmax, MultiXactStatus status, const RowWait& wait) {
  bool only_locked = HeapTupleHeader::mask_is_only_locked(xmax.infomask);
  int remaining = 0;
  for (const MultiXactMember& member : multixact_members(xmax.xid, only_locked)) {
    if (is_mine(member.xid)) {
      ++remaining;
    } else if (row_locks_conflict(lock_mode_of(member.status), lock_mode_of(status))) {
      wait_for_xid(member.xid, wait);
    } else if (xid_in_progress(member.xid)) {
      ++remaining;
    }
  }
  return remaining;
}

bool try_multixact(const XmaxSeen& xmax, MultiXactStatus status) {
  bool only_locked = HeapTupleHeader::mask_is_only_locked(xmax.infomask);
  for (const MultiXactMember& member : multixact_members(xmax.xid, only_locked)) {
    if (is_mine(member.xid)) continue;
    if (!row_locks_conflict(lock_mode_of(member.status), lock_mode_of(status))) continue;
    if (!xact_lock_try(member.xid)) return false;
  }
  return true;
}

void remember_xmax_end(HeapTupleHeader& header, Buffer& buffer, TransactionId xid) {
  if (header.has_xmax(kTupleXmaxCommitted | kTupleXmaxInvalid)) return;
  if (!header.mask_is_only_locked() && xid_did_commit(xid)) {
    set_tuple_hint(header, buffer, kTupleXmaxCommitted, xid);
  } else {
    set_tuple_hint(header, buffer, kTupleXmaxInvalid, kInvalidXid);
  }
}

bool TupleQueueLock::acquire(LockTupleMode mode, LockWaitPolicy policy) {
  if (held_) return true;
  LockTag tag = LockTag::tuple(lock_database(relation_), relation_.oid, tid_.block(), tid_.offset);
  LockMode wanted = queue_mode(mode);
  LockWait wait = policy == LockWaitPolicy::kBlock ? LockWait::kWait : LockWait::kNoWait;
  if (lock_acquire(tag, wanted, wait) == LockOutcome::kNotAvailable) {
    if (policy == LockWaitPolicy::kError) throw_row_not_available(relation_);
    return false;
  }
  held_ = wanted;
  return true;
}

void TupleQueueLock::release() {
  if (!held_) return;
  lock_release(LockTag::tuple(lock_database(relation_), relation_.oid, tid_.block(), tid_.offset),
               *held_);
  held_.reset();
}

void throw_row_not_available(const Relation& relation) {
  throw Error(sqlstate::kLockNotAvailable, "could not obtain lock on row in relation \"{}\"",
              relation.name);
}

uint32_t lock_database(const Relation& relation) {
  return relation.is_shared ? 0 : relation.file.database;
}

}  // namespace cofork
