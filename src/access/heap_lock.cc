// Locking a row (heap_lock_tuple in heapam.c, 15). See heap.h and row_lock.h.
#include "access/combo_command.h"
#include "access/heap.h"
#include "access/heap_change.h"
#include "access/heap_lock_chain.h"
#include "access/heap_records.h"
#include "access/row_lock.h"
#include "access/visibility.h"
#include "storage/visibility_map.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

bool locks_exclusively(uint16_t infomask) {
  return (infomask & kTupleLockMask) == kTupleXmaxExclusiveLock;
}

/// Whoever locks a row, and what is known of it. Wherever a function of this returns, the page is
/// locked, unless it says otherwise.
struct RowLocker {
  Relation& relation;
  TargetTuple target;
  LockTupleMode mode;
  LockWaitPolicy policy;
  bool follow_updates;
  TupleQueueLock queue;
  bool own_weaker_lock = false;

  HeapTupleHeader& header() { return *target.tuple.header; }
  enum class Next : uint8_t { kLookAgain, kNoNeedToWait, kWait, kFailed };
  bool is_held_already(const XmaxSeen& seen, uint16_t infomask2);
  Next decide(const XmaxSeen& seen, uint16_t infomask2, const ItemPointer& ctid, TmResult& result);
  bool sleep(const XmaxSeen& seen);
  Next wait_for_holder(const XmaxSeen& seen, const ItemPointer& ctid, TmResult& result);
  TmResult settle(CommandId command, bool& held);
  void take();
};

/// Does the own transaction hold as much already? The page is not locked.
bool RowLocker::is_held_already(const XmaxSeen& seen, uint16_t infomask2) {
  if ((seen.infomask & kTupleXmaxIsMulti) != 0) {
    bool only_locked = HeapTupleHeader::mask_is_only_locked(seen.infomask);
    for (const MultiXactMember& member : multixact_members(seen.xid, only_locked)) {
      if (!is_mine(member.xid)) continue;
      if (lock_mode_of(member.status) >= mode) return true;
      // Others may queue for the tuple because of this very lock: do not queue behind them.
      own_weaker_lock = true;
    }
    return false;
  }
  if (!is_mine(seen.xid)) return false;
  uint16_t lock_bits = seen.infomask & kTupleLockMask;
  switch (mode) {
    case LockTupleMode::kKeyShare:
      return true;
    case LockTupleMode::kShare:
      return lock_bits == kTupleXmaxShareLock || lock_bits == kTupleXmaxExclusiveLock;
    case LockTupleMode::kNoKeyExclusive:
      return lock_bits == kTupleXmaxExclusiveLock;
    case LockTupleMode::kExclusive:
      return lock_bits == kTupleXmaxExclusiveLock && (infomask2 & kTupleKeysUpdated) != 0;
  }
  return false;
}

/// Is whoever is in xmax in the way at all? The page is not locked on entry, and on return only
/// with kLookAgain, kNoNeedToWait and kFailed.
RowLocker::Next RowLocker::decide(const XmaxSeen& seen, uint16_t infomask2, const ItemPointer& ctid,
                                  TmResult& result) {
  Buffer& buffer = target.buffer;
  bool is_multi = (seen.infomask & kTupleXmaxIsMulti) != 0;
  bool updated = !HeapTupleHeader::mask_is_only_locked(seen.infomask);
  switch (mode) {
    case LockTupleMode::kKeyShare:
      if ((infomask2 & kTupleKeysUpdated) != 0) break;
      // An update that left the key: the lock must hold on the newer versions too.
      if (follow_updates && updated) {
        result = lock_newer_versions(relation, target.tuple.self, ctid, mode);
        if (result != TmResult::kOk) {
          buffer.lock_exclusive();
          return Next::kFailed;
        }
      }
      buffer.lock_exclusive();
      if (!tuple_is_only_locked(header()) &&
          ((header().infomask2 & kTupleKeysUpdated) != 0 || !updated)) {
        return Next::kLookAgain;
      }
      return Next::kNoNeedToWait;
    case LockTupleMode::kShare:
      if (updated || locks_exclusively(seen.infomask)) break;
      buffer.lock_exclusive();
      if (!header().mask_is_only_locked() || locks_exclusively(header().infomask)) {
        return Next::kLookAgain;
      }
      return Next::kNoNeedToWait;
    case LockTupleMode::kNoKeyExclusive: {
      bool own_is_member;
      bool compatible = is_multi ? !multixact_conflicts(seen, mode, own_is_member)
                                 : (seen.infomask & kTupleLockMask) == kTupleXmaxKeyShareLock;
      if (!compatible) break;
      buffer.lock_exclusive();
      return xmax_has_changed(header(), seen) ? Next::kLookAgain : Next::kNoNeedToWait;
    }
    case LockTupleMode::kExclusive:
      break;
  }
  if (is_multi || !is_mine(seen.xid)) return Next::kWait;
  buffer.lock_exclusive();
  return xmax_has_changed(header(), seen) ? Next::kLookAgain : Next::kNoNeedToWait;
}

/// Sleeps until the holders have ended. False: the caller did not want to. The page is not locked.
bool RowLocker::sleep(const XmaxSeen& seen) {
  RowWait wait{relation, target.tuple.self, XactWaitContext::Operation::kLock};
  bool is_multi = (seen.infomask & kTupleXmaxIsMulti) != 0;
  MultiXactStatus status = multixact_status_for(mode, false);
  if (policy == LockWaitPolicy::kBlock) {
    if (is_multi) {
      wait_for_multixact(seen, status, wait);
    } else {
      wait_for_xid(seen.xid, wait);
    }
    return true;
  }
  bool ended = is_multi ? try_multixact(seen, status) : xact_lock_try(seen.xid);
  if (!ended && policy == LockWaitPolicy::kError) throw_row_not_available(relation);
  return ended;
}

/// The page is not locked on entry.
RowLocker::Next RowLocker::wait_for_holder(const XmaxSeen& seen, const ItemPointer& ctid,
                                           TmResult& result) {
  bool may_wait = own_weaker_lock || queue.acquire(mode, policy);
  if (!may_wait || !sleep(seen)) {
    result = TmResult::kWouldBlock;
    target.buffer.lock_exclusive();
    return Next::kFailed;
  }
  if (follow_updates && !HeapTupleHeader::mask_is_only_locked(seen.infomask)) {
    result = lock_newer_versions(relation, target.tuple.self, ctid, mode);
  }
  target.buffer.lock_exclusive();
  if (result != TmResult::kOk) return Next::kFailed;
  if (xmax_has_changed(header(), seen)) return Next::kLookAgain;
  if ((seen.infomask & kTupleXmaxIsMulti) == 0) {
    remember_xmax_end(header(), target.buffer, seen.xid);
  }
  result = tuple_is_only_locked(header()) ? TmResult::kOk : ended_result(target.tuple);
  return Next::kNoNeedToWait;
}

/// May it be locked? Waits, or not, as the policy has it. `held`: it is locked already.
TmResult RowLocker::settle(CommandId command, bool& held) {
  bool first_look = true;
  held = false;
  for (;;) {
    TmResult result = tuple_update_state(target.tuple, command, target.buffer);
    if (result == TmResult::kBeingModified || result == TmResult::kUpdated ||
        result == TmResult::kDeleted) {
      TmResult ended = result;
      XmaxSeen seen = see_xmax(header());
      uint16_t infomask2 = header().infomask2;
      ItemPointer ctid = header().ctid;
      target.buffer.unlock();
      if (first_look && is_held_already(seen, infomask2)) {
        held = true;
        return TmResult::kOk;
      }
      first_look = false;
      result = TmResult::kOk;
      Next next = decide(seen, infomask2, ctid, result);
      if (next == Next::kWait && ended != TmResult::kBeingModified) {
        target.buffer.lock_exclusive();
        return ended;
      }
      if (next == Next::kWait) next = wait_for_holder(seen, ctid, result);
      if (next == Next::kLookAgain) continue;
    }
    if (result != TmResult::kOk || pin_map_page(relation, target)) return result;
  }
}

void RowLocker::take() {
  TransactionId xid = my_transaction().current_xid();
  // The id must be in place before anybody could find it in a multixact.
  multixact_set_oldest_member();
  Xmax xmax = add_to_xmax(header(), xid, mode, false);
  bool only_locked = HeapTupleHeader::mask_is_only_locked(xmax.infomask);

  CriticalSection critical;
  store_xmax(header(), xmax);
  if (only_locked) {
    header().infomask2 = static_cast<uint16_t>(header().infomask2 & ~kTupleHotUpdated);
    header().ctid = target.tuple.self;
  }
  bool unfrozen =
      page_is_all_visible(target.buffer.page()) &&
      visibility_map_clear(relation.file, target.buffer.block(), target.map_page, kVmAllFrozen);
  target.buffer.mark_dirty();
  log_lock(relation, target.buffer, target.tuple, unfrozen ? kWalLockAllFrozenCleared : 0);
  critical.end();
}

}  // namespace

TmResult heap_lock(Relation& relation, HeapTuple& tuple, CommandId command, LockTupleMode mode,
                   LockWaitPolicy policy, bool follow_updates, Buffer& buffer, TmFailure& failure) {
  // Before the page is locked: giving out an xid may wait.
  my_transaction().current_xid();
  RowLocker locker{.relation = relation,
                   .target = open_target(relation, tuple.self),
                   .mode = mode,
                   .policy = policy,
                   .follow_updates = follow_updates,
                   .queue = TupleQueueLock(relation, tuple.self)};
  bool held;
  TmResult result = locker.settle(command, held);
  if (result == TmResult::kOk && !held) locker.take();
  if (result != TmResult::kOk && result != TmResult::kInvisible) {
    fill_failure(locker.target.tuple, result, failure);
  }
  if (locker.target.buffer.is_locked()) locker.target.buffer.unlock();
  tuple = locker.target.tuple;
  buffer = std::move(locker.target.buffer);
  locker.queue.release();
  return result;
}

}  // namespace cofork
