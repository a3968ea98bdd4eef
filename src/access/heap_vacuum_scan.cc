// VACUUM, first pass over the heap (lazy_scan_heap in vacuumlazy.c, 15). See heap_vacuum.h.
#include <algorithm>

#include "access/heap_prune.h"
#include "access/heap_space.h"
#include "access/heap_vacuum_state.h"
#include "access/visibility.h"
#include "log/log.h"
#include "model/task.h"
#include "storage/free_space.h"
#include "storage/visibility_map.h"
#include "support/error.h"

namespace cofork {

namespace {

/// Fewer all-visible pages in a row are read all the same: the kernel reads ahead better then.
constexpr BlockNumber kSkipAtLeast = 32;
/// How often to ask whether the table has become dangerously old: every 4 GB.
constexpr BlockNumber kFailsafeEvery = 524288;

HeapTuple tuple_at(const Relation& relation, const Buffer& buffer, OffsetNumber offset) {
  ItemId id = page_item_id(buffer.page(), offset);
  HeapTuple tuple;
  tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(buffer.page(), id));
  tuple.length = id.length();
  tuple.self = {buffer.block(), offset};
  tuple.table = relation.oid;
  return tuple;
}

}  // namespace

DeadItems::DeadItems(int64_t bytes, BlockNumber pages, bool has_indexes) {
  auto most = static_cast<size_t>(bytes) / sizeof(ItemPointer);
  // Without indexes every page is finished at once.
  size_t useful = has_indexes ? size_t{pages} * kMaxHeapTuplesPerPage : 0;
  most_ = std::max<size_t>(kMaxHeapTuplesPerPage, std::min(most, useful));
}

void DeadItems::add(BlockNumber block, std::span<const OffsetNumber> offsets) {
  for (OffsetNumber offset : offsets) items_.emplace_back(block, offset);
}

bool DeadItems::contains(const ItemPointer& tid) const {
  return std::binary_search(items_.begin(), items_.end(), tid);
}

void HeapVacuum::scan_heap() {
  check_failsafe();
  find_next_unskippable(0);
  for (BlockNumber block = 0; block < pages_; ++block) {
    bool visible_in_map = true;
    if (block == next_unskippable_) {
      visible_in_map = next_visible_in_map_;
      find_next_unskippable(block + 1);
    } else if (skipping_) {
      continue;
    }
    ++scanned_pages_;
    pacing_.point();
    if (scanned_pages_ % kFailsafeEvery == 0) check_failsafe();
    if (!dead_.has_room_for_page()) {
      map_page_.release();
      may_bypass_ = false;  // there is more to come than one pass can take
      clean();
      free_space_vacuum_range(relation_.file, next_map_vacuum_, block);
      next_map_vacuum_ = block;
    }
    scan_page(block, visible_in_map);
  }
  map_page_.release();
  result_.live_tuples = static_cast<double>(live_tuples_);
  result_.tuples =
      estimate_tuples(facts_, pages_, scanned_pages_, static_cast<double>(live_tuples_));
  if (!dead_.empty()) clean();
  if (pages_ > next_map_vacuum_) {
    free_space_vacuum_range(relation_.file, next_map_vacuum_, pages_);
  }
  if (!indexes_.empty() && finish_indexes_) finish_indexes();
}

/// The next page that must be looked at, and whether those before it are worth skipping.
void HeapVacuum::find_next_unskippable(BlockNumber from) {
  bool passes_unfrozen = false;
  next_unskippable_ = from;
  next_visible_in_map_ = true;
  while (next_unskippable_ < pages_) {
    uint8_t bits = visibility_map_status(relation_.file, next_unskippable_, map_page_);
    if ((bits & kVmAllVisible) == 0) {
      next_visible_in_map_ = false;
      break;
    }
    // The last page says whether cutting off the end is worth a try.
    if (next_unskippable_ == pages_ - 1 || options_.disable_page_skipping) break;
    if ((bits & kVmAllFrozen) == 0) {
      if (cutoffs_.aggressive) break;
      passes_unfrozen = true;
    }
    pacing_.point();
    ++next_unskippable_;
  }
  skipping_ = next_unskippable_ - from >= kSkipAtLeast;
  if (skipping_ && passes_unfrozen) skipped_all_visible_ = true;
}

void HeapVacuum::record_room(BlockNumber block, uint32_t bytes) {
  record_free_space(relation_.file, block, bytes);
}

void HeapVacuum::scan_page(BlockNumber block, bool visible_in_map) {
  visibility_map_pin(relation_.file, block, map_page_);
  Buffer buffer =
      read_buffer(relation_.file, ForkNumber::kMain, block, ReadMode::kNormal, &strategy_);
  if (!buffer.try_lock_for_cleanup()) {
    buffer.lock_shared();
    if (scan_new_or_empty(buffer, true)) return;
    if (scan_without_pruning(buffer)) return;
    // Something is to be frozen here: this vacuum has to wait for whoever is on the page.
    buffer.unlock();
    buffer.lock_for_cleanup();
  }
  if (scan_new_or_empty(buffer, false)) return;
  PageFindings findings;
  prune_and_freeze(buffer, findings);
  if (findings.has_tuples) nonempty_pages_ = block + 1;
  if (findings.dead_count > 0) {
    dead_.add(block, findings.dead_items());
    if (indexes_.empty()) {
      clean_page(buffer, dead_.all());
      dead_.clear();
    }
  }
  update_map(buffer, findings, visible_in_map);
  // What index cleaning will free later is recorded then.
  bool room_is_final = indexes_.empty() || !clean_indexes_ || findings.dead_count == 0;
  uint32_t room = page_heap_free_space(buffer.page());
  buffer.release();
  if (room_is_final) record_room(block, room);
}

/// Pages without tuples need nothing but an entry in the maps. True: that was one, and it is done.
bool HeapVacuum::scan_new_or_empty(Buffer& buffer, bool shared) {
  BlockNumber block = buffer.block();
  if (page_is_new(buffer.page())) {
    // Somebody may be about to fill it; or has crashed, and then it is found through the map.
    buffer.release();
    if (recorded_free_space(relation_.file, block) == 0) {
      record_room(block, kPageBytes - kPageHeaderBytes);
    }
    return true;
  }
  if (!page_is_empty(buffer.page())) return false;
  if (shared) {
    buffer.unlock();
    buffer.lock_exclusive();
    if (!page_is_empty(buffer.page())) {
      buffer.unlock();
      buffer.lock_shared();
      return false;
    }
  }
  if (!page_is_all_visible(buffer.page())) {
    set_all_visible(relation_, buffer, map_page_, kInvalidXid, kVmAllBits);
  }
  uint32_t room = page_heap_free_space(buffer.page());
  buffer.release();
  record_room(block, room);
  return true;
}

/// Somebody has the page pinned: counts what is on it, and takes along items that are dead already.
/// False: an aggressive vacuum cannot leave it so.
bool HeapVacuum::scan_without_pruning(Buffer& buffer) {
  BlockNumber block = buffer.block();
  OldestKept kept = kept_;
  PageFindings findings;
  int64_t live = 0;
  int64_t recently_dead = 0;
  int64_t missed_dead = 0;
  OffsetNumber last = page_item_count(buffer.page());
  for (OffsetNumber offset = kFirstOffset; offset <= last; ++offset) {
    ItemId id = page_item_id(buffer.page(), offset);
    if (!id.is_used()) continue;
    if (id.is_dead()) {
      findings.dead[findings.dead_count++] = offset;
      continue;
    }
    findings.has_tuples = true;
    if (id.is_redirect()) continue;
    HeapTuple tuple = tuple_at(relation_, buffer, offset);
    if (would_freeze(*tuple.header, cutoffs_.freeze, kept) && cutoffs_.aggressive) return false;
    switch (tuple_vacuum_state_before(tuple, cutoffs_.oldest_xmin, buffer)) {
      case VacuumState::kLive:
      case VacuumState::kDeleteInProgress:
        ++live;
        break;
      case VacuumState::kDead:
        ++missed_dead;
        break;
      case VacuumState::kRecentlyDead:
        ++recently_dead;
        break;
      case VacuumState::kInsertInProgress:
        break;
    }
  }
  kept_ = kept;
  bool record = true;
  if (findings.dead_count > 0 && indexes_.empty()) {
    findings.has_tuples = true;
    missed_dead += findings.dead_count;
  } else if (findings.dead_count > 0) {
    dead_.add(block, findings.dead_items());
    dead_items_ += findings.dead_count;
    ++dead_item_pages_;
    record = !clean_indexes_;
  }
  live_tuples_ += live;
  recently_dead_ += recently_dead;
  missed_dead_ += missed_dead;
  if (missed_dead > 0) ++missed_dead_pages_;
  if (findings.has_tuples) nonempty_pages_ = block + 1;
  uint32_t room = page_heap_free_space(buffer.page());
  buffer.release();
  if (record) record_room(block, room);
  return true;
}

void HeapVacuum::note_live(const HeapTupleHeader& header, PageFindings& findings) const {
  if (!findings.all_visible) return;
  TransactionId xmin = header.effective_xmin();
  if (!header.xmin_is_committed() || !xid_precedes(xmin, cutoffs_.oldest_xmin)) {
    findings.all_visible = false;
    return;
  }
  if (xid_is_normal(xmin) && xid_follows(xmin, findings.visibility_cutoff)) {
    findings.visibility_cutoff = xmin;
  }
}

/// Judges what pruning has left. False: a transaction has aborted since then and its versions are
/// dead now; the page must be pruned again.
bool HeapVacuum::examine_tuples(Buffer& buffer, PageFindings& findings,
                                std::vector<FreezePlan>& plans, OldestKept& kept) {
  int64_t live = 0;
  int64_t recently_dead = 0;
  OffsetNumber last = page_item_count(buffer.page());
  for (OffsetNumber offset = kFirstOffset; offset <= last; ++offset) {
    ItemId id = page_item_id(buffer.page(), offset);
    if (!id.is_used()) continue;
    if (id.is_dead()) {
      findings.dead[findings.dead_count++] = offset;
      continue;
    }
    findings.has_tuples = true;
    if (id.is_redirect()) continue;
    HeapTuple tuple = tuple_at(relation_, buffer, offset);
    switch (tuple_vacuum_state_before(tuple, cutoffs_.oldest_xmin, buffer)) {
      case VacuumState::kDead:
        return false;
      case VacuumState::kLive:
        ++live;
        note_live(*tuple.header, findings);
        break;
      case VacuumState::kRecentlyDead:
        ++recently_dead;
        findings.all_visible = false;
        break;
      case VacuumState::kInsertInProgress:
        findings.all_visible = false;
        break;
      case VacuumState::kDeleteInProgress:
        ++live;  // its deleter may abort
        findings.all_visible = false;
        break;
    }
    FreezePlan plan;
    FreezeAnswer answer = plan_freeze(*tuple.header, cutoffs_.freeze, plan, kept);
    plan.offset = offset;
    if (answer.needed) plans.push_back(plan);
    if (!answer.totally_frozen) findings.all_frozen = false;
  }
  live_tuples_ += live;
  recently_dead_ += recently_dead;
  return true;
}

void HeapVacuum::prune_and_freeze(Buffer& buffer, PageFindings& findings) {
  std::vector<FreezePlan>& plans = freeze_plans_;
  OldestKept kept;
  for (;;) {
    PruneCounts counts = prune_page(relation_, buffer);
    tuples_removed_ += counts.removed;
    findings = PageFindings();
    plans.clear();
    kept = kept_;
    if (examine_tuples(buffer, findings, plans, kept)) break;
  }
  kept_ = kept;
  if (!plans.empty()) {
    CriticalSection critical;
    freeze_page(relation_, buffer, cutoffs_.freeze.cutoff_xid, plans);
    critical.end();
  }
  if (findings.dead_count > 0) {
    ++dead_item_pages_;
    dead_items_ += findings.dead_count;
    // Until they are unused they count as something not everybody agrees about.
    findings.all_visible = false;
  }
}

/// Brings the page's mark and the map's bits in line with what was found.
void HeapVacuum::update_map(Buffer& buffer, const PageFindings& findings, bool visible_in_map) {
  BlockNumber block = buffer.block();
  Page page = buffer.page();
  auto map_bits = [&] { return visibility_map_status(relation_.file, block, map_page_); };
  auto clear_both = [&] {
    set_page_flag(page, kPageAllVisible, false);
    buffer.mark_dirty();
    visibility_map_clear(relation_.file, block, map_page_, kVmAllBits);
  };
  if (!visible_in_map && findings.all_visible) {
    uint8_t bits = findings.all_frozen ? kVmAllBits : kVmAllVisible;
    set_all_visible(relation_, buffer, map_page_, findings.visibility_cutoff, bits);
  } else if (visible_in_map && !page_is_all_visible(page) && (map_bits() & kVmAllVisible) != 0) {
    log(Severity::kWarning,
        "page is not marked all-visible but visibility map bit is set in relation \"{}\" page {}",
        relation_.name, block);
    visibility_map_clear(relation_.file, block, map_page_, kVmAllBits);
  } else if (findings.dead_count > 0 && !indexes_.empty() && page_is_all_visible(page)) {
    log(Severity::kWarning,
        "page containing LP_DEAD items is marked as all-visible in relation \"{}\" page {}",
        relation_.name, block);
    clear_both();
  } else if (visible_in_map && findings.all_visible && findings.all_frozen &&
             (map_bits() & kVmAllFrozen) == 0) {
    set_all_visible(relation_, buffer, map_page_, kInvalidXid, kVmAllFrozen);
  }
}

}  // namespace cofork
