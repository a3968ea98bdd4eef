// See heap_freeze.h.
#include "access/heap_freeze.h"

#include "access/row_lock.h"
#include "access/visibility.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

void keep_xid(OldestKept& kept, TransactionId xid) {
  if (xid_precedes(xid, kept.xid)) kept.xid = xid;
}
void keep_multi(OldestKept& kept, MultiXactId multi) {
  if (multixact_precedes(multi, kept.multi)) kept.multi = multi;
}

/// What becomes of a multixact.
struct MultiPlan {
  enum class Kind : uint8_t { kLeave, kInvalidate, kXid, kMulti };
  Kind kind = Kind::kLeave;
  TransactionId xmax = kInvalidXid;
  bool committed = false;  ///< kXid: and it is known to have
};

bool still_runs(TransactionId xid) {
  return my_transaction().is_current_xid(xid) || xid_in_progress(xid);
}

/// A multixact so old that it must go: nobody in it can be running.
MultiPlan plan_old_multi(const HeapTupleHeader& header, const FreezeLimits& limits,
                         OldestKept& kept) {
  bool only_locked = header.mask_is_only_locked();
  if (multixact_is_running(header.xmax, only_locked)) {
    throw Error(sqlstate::kDataCorrupted,
                "multixact {} from before cutoff {} found to be still running", header.xmax,
                limits.cutoff_multi);
  }
  if (only_locked) return {MultiPlan::Kind::kInvalidate};
  TransactionId updater = tuple_update_xid(header);
  if (xid_precedes(updater, limits.relation_xid)) {
    throw Error(sqlstate::kDataCorrupted, "found update xid {} from before relfrozenxid {}",
                updater, limits.relation_xid);
  }
  if (!xid_precedes(updater, limits.cutoff_xid)) {
    keep_xid(kept, updater);
    return {MultiPlan::Kind::kXid, updater};
  }
  // It would have been pruned if it had committed.
  if (xid_did_commit(updater)) {
    throw Error(sqlstate::kDataCorrupted, "cannot freeze committed update xid {}", updater);
  }
  return {MultiPlan::Kind::kInvalidate};
}

/// Who of the members still counts.
struct Survivors {
  std::vector<MultiXactMember> members;
  TransactionId updater = kInvalidXid;
  bool updater_committed = false;
  bool has_lockers = false;
};

void examine_updater(const MultiXactMember& member, const FreezeLimits& limits,
                     Survivors& survivors) {
  if (xid_precedes(member.xid, limits.relation_xid)) {
    throw Error(sqlstate::kDataCorrupted, "found update xid {} from before relfrozenxid {}",
                member.xid, limits.relation_xid);
  }
  bool runs = still_runs(member.xid);
  if (!runs && !xid_did_commit(member.xid)) return;
  if (xid_precedes(member.xid, limits.cutoff_xid)) {
    throw Error(sqlstate::kDataCorrupted, "found update xid {} from before xid cutoff {}",
                member.xid, limits.cutoff_xid);
  }
  survivors.updater = member.xid;
  survivors.updater_committed = !runs;
  survivors.members.push_back(member);
}

/// (FreezeMultiXactId)
MultiPlan plan_multi(const HeapTupleHeader& header, const FreezeLimits& limits, OldestKept& kept) {
  MultiXactId multi = header.xmax;
  if (multi == kInvalidMultiXactId) return {MultiPlan::Kind::kInvalidate};
  if (multixact_precedes(multi, limits.relation_multi)) {
    throw Error(sqlstate::kDataCorrupted, "found multixact {} from before relminmxid {}", multi,
                limits.relation_multi);
  }
  if (multixact_precedes(multi, limits.cutoff_multi)) return plan_old_multi(header, limits, kept);
  std::vector<MultiXactMember> members = multixact_members(multi, header.mask_is_only_locked());
  if (members.empty()) return {MultiPlan::Kind::kInvalidate};
  TransactionId oldest = members.front().xid;
  for (const MultiXactMember& member : members) {
    if (xid_precedes(member.xid, oldest)) oldest = member.xid;
  }
  if (!xid_precedes(oldest, limits.cutoff_xid)) {
    keep_xid(kept, oldest);
    keep_multi(kept, multi);
    return {};
  }
  Survivors survivors;
  for (const MultiXactMember& member : members) {
    if (multixact_status_is_update(member.status)) {
      examine_updater(member, limits, survivors);
    } else if (still_runs(member.xid)) {
      survivors.members.push_back(member);
      survivors.has_lockers = true;
    }
  }
  for (const MultiXactMember& member : survivors.members) keep_xid(kept, member.xid);
  if (survivors.members.empty()) return {MultiPlan::Kind::kInvalidate};
  if (!survivors.has_lockers) {
    return {MultiPlan::Kind::kXid, survivors.updater, survivors.updater_committed};
  }
  MultiXactId made = multixact_create(survivors.members);
  keep_multi(kept, made);
  return {MultiPlan::Kind::kMulti, made};
}

/// True when xmin is, or will be, frozen.
bool plan_xmin(const HeapTupleHeader& header, const FreezeLimits& limits, FreezePlan& plan,
               OldestKept& kept, bool& changed) {
  TransactionId xmin = header.effective_xmin();
  if (!xid_is_normal(xmin)) return true;
  if (xid_precedes(xmin, limits.relation_xid)) {
    throw Error(sqlstate::kDataCorrupted, "found xmin {} from before relfrozenxid {}", xmin,
                limits.relation_xid);
  }
  if (!xid_precedes(xmin, limits.cutoff_xid)) {
    keep_xid(kept, xmin);
    return false;
  }
  if (!xid_did_commit(xmin)) {
    throw Error(sqlstate::kDataCorrupted,
                "uncommitted xmin {} from before xid cutoff {} needs to be frozen", xmin,
                limits.cutoff_xid);
  }
  set_mask(plan.infomask, kTupleXminFrozen);
  changed = true;
  return true;
}

enum class XmaxPlan : uint8_t { kKeep, kRemove, kNothingThere };

XmaxPlan plan_xmax_multi(const HeapTupleHeader& header, const FreezeLimits& limits,
                         FreezePlan& plan, OldestKept& kept, bool& changed) {
  MultiPlan multi = plan_multi(header, limits, kept);
  switch (multi.kind) {
    case MultiPlan::Kind::kLeave:
      return XmaxPlan::kKeep;
    case MultiPlan::Kind::kInvalidate:
      return XmaxPlan::kRemove;
    case MultiPlan::Kind::kXid:
      clear_mask(plan.infomask, kTupleXmaxBits);
      plan.xmax = multi.xmax;
      if (multi.committed) set_mask(plan.infomask, kTupleXmaxCommitted);
      break;
    case MultiPlan::Kind::kMulti: {
      Xmax made = xmax_of_multixact(multi.xmax);
      clear_mask(plan.infomask, kTupleXmaxBits);
      clear_mask(plan.infomask2, kTupleKeysUpdated);
      set_mask(plan.infomask, made.infomask);
      set_mask(plan.infomask2, made.infomask2);
      plan.xmax = made.xid;
      break;
    }
  }
  changed = true;
  return XmaxPlan::kKeep;
}

XmaxPlan plan_xmax(const HeapTupleHeader& header, const FreezeLimits& limits, FreezePlan& plan,
                   OldestKept& kept, bool& changed) {
  if (header.xmax_is_multi()) return plan_xmax_multi(header, limits, plan, kept, changed);
  TransactionId xmax = header.xmax;
  if (!xid_is_normal(xmax)) {
    if (!header.has_xmax(kTupleXmaxInvalid) && xid_is_valid(xmax)) {
      throw Error(sqlstate::kDataCorrupted,
                  "found xmax {} (infomask 0x{:04x}) not frozen, not multi, not normal", xmax,
                  header.infomask);
    }
    return XmaxPlan::kNothingThere;
  }
  if (xid_precedes(xmax, limits.relation_xid)) {
    throw Error(sqlstate::kDataCorrupted, "found xmax {} from before relfrozenxid {}", xmax,
                limits.relation_xid);
  }
  if (!xid_precedes(xmax, limits.cutoff_xid)) {
    keep_xid(kept, xmax);
    return XmaxPlan::kKeep;
  }
  if (!header.mask_is_only_locked() && xid_did_commit(xmax)) {
    throw Error(sqlstate::kDataCorrupted, "cannot freeze committed xmax {}", xmax);
  }
  return XmaxPlan::kRemove;
}

}  // namespace

FreezeAnswer plan_freeze(const HeapTupleHeader& header, const FreezeLimits& limits,
                         FreezePlan& plan, OldestKept& kept) {
  plan = {header.xmax, kInvalidOffset, header.infomask2, header.infomask, 0, 0};
  bool changed = false;
  bool xmin_frozen = plan_xmin(header, limits, plan, kept, changed);
  XmaxPlan xmax = plan_xmax(header, limits, plan, kept, changed);
  if (xmax == XmaxPlan::kRemove) {
    plan.xmax = kInvalidXid;
    clear_mask(plan.infomask, kTupleXmaxBits);
    set_mask(plan.infomask, kTupleXmaxInvalid);
    clear_mask(plan.infomask2, kTupleHotUpdated | kTupleKeysUpdated);
    changed = true;
  }
  return {changed, xmin_frozen && xmax != XmaxPlan::kKeep};
}

bool would_freeze(const HeapTupleHeader& header, const FreezeLimits& limits, OldestKept& kept) {
  bool would = false;
  auto look_at = [&](TransactionId xid) {
    if (!xid_is_normal(xid)) return;
    keep_xid(kept, xid);
    would |= xid_precedes(xid, limits.cutoff_xid);
  };
  look_at(header.effective_xmin());
  if (!header.xmax_is_multi()) {
    look_at(header.xmax);
    return would;
  }
  if (header.xmax == kInvalidMultiXactId) return would;
  keep_multi(kept, header.xmax);
  would |= multixact_precedes(header.xmax, limits.cutoff_multi);
  for (const MultiXactMember& member :
       multixact_members(header.xmax, header.mask_is_only_locked())) {
    look_at(member.xid);
  }
  return would;
}

void freeze_page(Relation& relation, Buffer& buffer, TransactionId cutoff_xid,
                 std::span<const FreezePlan> plans) {
  Page page = buffer.page();
  buffer.mark_dirty();
  for (const FreezePlan& plan : plans) {
    ItemId id = page_item_id(page, plan.offset);
    auto& header = *reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
    header.xmax = plan.xmax;
    header.infomask = plan.infomask;
    header.infomask2 = plan.infomask2;
  }
  if (!relation.needs_wal()) return;
  WalFreezePage body{cutoff_xid, static_cast<uint16_t>(plans.size())};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerHeap2, kHeap2FreezePage, my_transaction().current_xid_if_any());
  record.add_main(&body, sizeof body);
  const BufferTag& tag = buffer.tag();
  record.add_block({.id = 0,
                    .file = tag.file,
                    .block = tag.block,
                    .page = page,
                    .flags = kWalBlockStandardPage});
  record.add_block_data(0, plans.data(), plans.size_bytes());
  set_page_lsn(page, wal_insert(record));
}

}  // namespace cofork
