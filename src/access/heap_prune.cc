// See heap_prune.h.
#include "access/heap_prune.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "access/heap_space.h"
#include "access/heap_wal.h"
#include "access/visibility.h"
#include "model/task.h"
#include "txn/commit_log.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

/// What is to be done with a page, found out before anything is.
class PrunePlan {
 public:
  PrunePlan(Relation& relation, Buffer& buffer);
  PruneCounts make();
  bool is_empty() const { return redirects_ == 0 && dead_ == 0 && unused_ == 0; }
  void execute();
  TransactionId next_prune_xid() const { return next_prune_xid_; }

 private:
  struct Chain {
    OffsetNumber items[kMaxHeapTuplesPerPage];
    int count = 0;
    OffsetNumber latest_dead = kInvalidOffset;
  };
  HeapTupleHeader& header_at(OffsetNumber offset) const {
    return *reinterpret_cast<HeapTupleHeader*>(page_item(page_, page_item_id(page_, offset)));
  }
  VacuumState judge(OffsetNumber offset);
  bool visit_heap_only(OffsetNumber root, int& removed);
  void follow_chain(OffsetNumber root, Chain& chain);
  int prune_chain(OffsetNumber root);
  void advance_latest_removed(const HeapTupleHeader& header);
  void note_prunable(TransactionId xid);
  void redirect(OffsetNumber from, OffsetNumber to);
  void mark_dead(OffsetNumber offset);
  void mark_unused(OffsetNumber offset);
  void log();

  Relation& relation_;
  Buffer& buffer_;
  Page page_;
  OffsetNumber last_;
  HorizonKind horizon_;
  TransactionId next_prune_xid_ = kInvalidXid;
  TransactionId latest_removed_xid_ = kInvalidXid;
  int redirects_ = 0;
  int dead_ = 0;
  int unused_ = 0;
  OffsetNumber redirect_pairs_[kMaxHeapTuplesPerPage * 2];
  OffsetNumber dead_items_[kMaxHeapTuplesPerPage];
  OffsetNumber unused_items_[kMaxHeapTuplesPerPage];
  std::array<bool, kMaxHeapTuplesPerPage + 1> settled_{};
  std::array<VacuumState, kMaxHeapTuplesPerPage + 1> states_;
};

PrunePlan::PrunePlan(Relation& relation, Buffer& buffer)
    : relation_(relation),
      buffer_(buffer),
      page_(buffer.page()),
      last_(page_item_count(page_)),
      horizon_(horizon_kind(relation)) {}

VacuumState PrunePlan::judge(OffsetNumber offset) {
  ItemId id = page_item_id(page_, offset);
  HeapTuple tuple;
  tuple.header = &header_at(offset);
  tuple.length = id.length();
  tuple.self = {buffer_.block(), offset};
  tuple.table = relation_.oid;
  TransactionId dead_after;
  VacuumState state = tuple_vacuum_state(tuple, buffer_, dead_after);
  bool dead_to_all = state == VacuumState::kRecentlyDead && xid_is_removable(dead_after, horizon_);
  return dead_to_all ? VacuumState::kDead : state;
}

PruneCounts PrunePlan::make() {
  // All are judged before any chain is followed: a transaction that ends in between must not make
  // the members of a chain contradict each other.
  for (OffsetNumber offset = kFirstOffset; offset <= last_; ++offset) {
    if (page_item_id(page_, offset).is_normal()) states_[offset] = judge(offset);
  }
  PruneCounts counts;
  for (OffsetNumber offset = kFirstOffset; offset <= last_; ++offset) {
    ItemId id = page_item_id(page_, offset);
    if (settled_[offset] || !id.is_used() || id.is_dead()) continue;
    counts.removed += prune_chain(offset);
  }
  counts.new_dead = dead_;
  return counts;
}

/// A heap-only tuple is reached through its root. One that no chain leads to, because the
/// transaction that updated its predecessor aborted, can go at once. True: nothing more to do here.
bool PrunePlan::visit_heap_only(OffsetNumber root, int& removed) {
  if (!page_item_id(page_, root).is_normal()) return false;
  const HeapTupleHeader& header = header_at(root);
  if (!header.is_heap_only()) return false;
  if (states_[root] == VacuumState::kDead && !header.is_hot_updated()) {
    mark_unused(root);
    advance_latest_removed(header);
    ++removed;
  }
  return true;
}

void PrunePlan::follow_chain(OffsetNumber root, Chain& chain) {
  TransactionId prior_xmax = kInvalidXid;
  bool recently_dead = false;
  for (OffsetNumber offset = root;;) {
    if (offset < kFirstOffset || offset > last_ || settled_[offset]) return;
    ItemId id = page_item_id(page_, offset);
    if (!id.is_used() || id.is_dead()) return;
    if (id.is_redirect()) {
      if (chain.count > 0) return;  // only a root can be one
      chain.items[chain.count++] = offset;
      offset = id.redirect();
      continue;
    }
    const HeapTupleHeader& header = header_at(offset);
    if (xid_is_valid(prior_xmax) && header.effective_xmin() != prior_xmax) return;
    chain.items[chain.count++] = offset;
    VacuumState state = states_[offset];
    if (state == VacuumState::kRecentlyDead || state == VacuumState::kDeleteInProgress) {
      note_prunable(tuple_update_xid(header));
    }
    if (state == VacuumState::kDead) {
      // Also behind one that is only recently dead: its own deleter is older than that.
      chain.latest_dead = offset;
      advance_latest_removed(header);
    } else if (state == VacuumState::kRecentlyDead) {
      recently_dead = true;
    } else if (!recently_dead) {
      return;
    }
    if (!header.is_hot_updated() || header.moved_to_other_partition()) return;
    prior_xmax = tuple_update_xid(header);
    offset = header.ctid.offset;
  }
}

/// Returns how many versions it removes.
int PrunePlan::prune_chain(OffsetNumber root) {
  int removed = 0;
  if (visit_heap_only(root, removed)) return removed;
  Chain chain;
  follow_chain(root, chain);
  ItemId root_id = page_item_id(page_, root);
  if (chain.latest_dead == kInvalidOffset) {
    // A redirect to nothing: what it led to was removed by vacuum of an old version.
    if (chain.count < 2 && root_id.is_redirect()) mark_dead(root);
    return removed;
  }
  int i = 1;
  for (; i < chain.count && chain.items[i - 1] != chain.latest_dead; ++i) {
    mark_unused(chain.items[i]);
    ++removed;
  }
  if (root_id.is_normal()) ++removed;
  if (i >= chain.count) {
    mark_dead(root);
  } else {
    redirect(root, chain.items[i]);
  }
  return removed;
}

/// What a standby's queries may still see decides whether they conflict with this removal
/// (HeapTupleHeaderAdvanceLatestRemovedXid).
void PrunePlan::advance_latest_removed(const HeapTupleHeader& header) {
  TransactionId xmin = header.effective_xmin();
  TransactionId xmax = tuple_update_xid(header);
  // Inserted by an aborted transaction, or deleted by its own inserter: nobody ever saw it.
  bool committed =
      header.xmin_is_committed() || (!header.xmin_is_invalid() && xid_did_commit(xmin));
  bool was_seen = committed && xmax != xmin;
  if (was_seen && xid_is_valid(xmax) && xid_follows(xmax, latest_removed_xid_)) {
    latest_removed_xid_ = xmax;
  }
}

void PrunePlan::note_prunable(TransactionId xid) {
  if (!xid_is_normal(xid)) return;
  if (!xid_is_valid(next_prune_xid_) || xid_precedes(xid, next_prune_xid_)) next_prune_xid_ = xid;
}

void PrunePlan::redirect(OffsetNumber from, OffsetNumber to) {
  redirect_pairs_[redirects_ * 2] = from;
  redirect_pairs_[redirects_ * 2 + 1] = to;
  ++redirects_;
  settled_[from] = true;
  settled_[to] = true;
}

void PrunePlan::mark_dead(OffsetNumber offset) {
  dead_items_[dead_++] = offset;
  settled_[offset] = true;
}

void PrunePlan::mark_unused(OffsetNumber offset) {
  unused_items_[unused_++] = offset;
  settled_[offset] = true;
}

void PrunePlan::log() {
  WalHeapPrune body{latest_removed_xid_, static_cast<uint16_t>(redirects_),
                    static_cast<uint16_t>(dead_)};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerHeap2, kHeap2Prune, my_transaction().current_xid_if_any());
  record.add_main(&body, sizeof body);
  const BufferTag& tag = buffer_.tag();
  record.add_block({.id = 0,
                    .file = tag.file,
                    .block = tag.block,
                    .page = page_,
                    .flags = kWalBlockStandardPage});
  auto add = [&](const OffsetNumber* items, int count) {
    if (count > 0) record.add_block_data(0, items, static_cast<size_t>(count) * sizeof *items);
  };
  add(redirect_pairs_, redirects_ * 2);
  add(dead_items_, dead_);
  add(unused_items_, unused_);
  set_page_lsn(page_, wal_insert(record));
}

void PrunePlan::execute() {
  CriticalSection critical;
  auto list = [](const OffsetNumber* items, int count) {
    return std::span<const OffsetNumber>(items, static_cast<size_t>(count));
  };
  apply_prune(page_, list(redirect_pairs_, redirects_ * 2), list(dead_items_, dead_),
              list(unused_items_, unused_));
  page_header(page_).prune_xid = next_prune_xid_;
  set_page_flag(page_, kPageFull, false);
  buffer_.mark_dirty();
  if (relation_.needs_wal()) log();
  critical.end();
}

}  // namespace

PruneCounts prune_page(Relation& relation, Buffer& buffer) {
  PrunePlan plan(relation, buffer);
  PruneCounts counts = plan.make();
  Page page = buffer.page();
  if (!plan.is_empty()) {
    plan.execute();
  } else if (page_header(page).prune_xid != plan.next_prune_xid() ||
             (page_header(page).flags & kPageFull) != 0) {
    // Nothing to remove: at least others need not try again until it may pay.
    page_header(page).prune_xid = plan.next_prune_xid();
    set_page_flag(page, kPageFull, false);
    buffer.mark_dirty_hint();
  }
  return counts;
}

namespace {

bool is_short_of_room(const Relation& relation, ConstPage page) {
  uint32_t enough = std::max(reserved_bytes(relation), kPageBytes / 10);
  return (page_header(page).flags & kPageFull) != 0 || page_heap_free_space(page) < enough;
}

}  // namespace

void prune_page_if_useful(Relation& relation, Buffer& buffer) {
  ConstPage page = buffer.page();
  // Read without a lock: both are hints, and are looked at again under it.
  TransactionId prune_xid = page_header(page).prune_xid;
  if (!xid_is_valid(prune_xid)) return;
  if (recovery_in_progress() || !xid_is_removable(prune_xid, horizon_kind(relation))) return;
  if (!is_short_of_room(relation, page)) return;
  if (!buffer.try_lock_for_cleanup()) return;
  if (is_short_of_room(relation, page)) prune_page(relation, buffer);
  buffer.unlock();
}

void find_hot_roots(ConstPage page, OffsetNumber* roots) {
  std::fill_n(roots, kMaxHeapTuplesPerPage, kInvalidOffset);
  OffsetNumber last = page_item_count(page);
  auto header_of = [&](ItemId id) {
    return reinterpret_cast<const HeapTupleHeader*>(page_item(page, id));
  };
  for (OffsetNumber root = kFirstOffset; root <= last; ++root) {
    ItemId id = page_item_id(page, root);
    OffsetNumber next;
    TransactionId prior_xmax = kInvalidXid;
    if (id.is_normal()) {
      const HeapTupleHeader& header = *header_of(id);
      if (header.is_heap_only()) continue;
      roots[root - 1] = root;
      if (!header.is_hot_updated()) continue;
      next = header.ctid.offset;
      prior_xmax = tuple_update_xid(header);
    } else if (id.is_redirect()) {
      next = id.redirect();
    } else {
      continue;
    }
    while (next >= kFirstOffset && next <= last) {
      ItemId member = page_item_id(page, next);
      if (!member.is_normal()) break;
      const HeapTupleHeader& header = *header_of(member);
      if (xid_is_valid(prior_xmax) && header.effective_xmin() != prior_xmax) break;
      roots[next - 1] = root;
      if (!header.is_hot_updated() || header.moved_to_other_partition()) break;
      next = header.ctid.offset;
      prior_xmax = tuple_update_xid(header);
    }
  }
}

}  // namespace cofork
