// See btree_vacuum.h.
#include "access/btree_vacuum.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "access/btree_change.h"
#include "access/btree_delete_page.h"
#include "access/btree_vacuum_state.h"
#include "access/visibility.h"
#include "log/log.h"
#include "model/task.h"
#include "storage/free_space.h"
#include "txn/lock_manager.h"
#include "txn/snapshot.h"

namespace cofork {

namespace {

using IsDead = std::function<bool(const ItemPointer&)>;

/// Length of an index nobody is extending at the moment.
BlockNumber stable_blocks(const Relation& relation) {
  LockTag tag = LockTag::relation_extend(relation.file.database, relation.oid);
  bool shared = relation.persistence != 't';
  if (shared) lock_acquire(tag, LockMode::kExclusive);
  BlockNumber blocks = relation_blocks(relation.file, ForkNumber::kMain);
  if (shared) lock_release(tag, LockMode::kExclusive);
  return blocks;
}

/// One run over all pages (btvacuumscan). Without `is_dead` it only looks for pages to delete or to
/// use again.
class VacuumScan {
 public:
  VacuumScan(BtreeIndex& index, const IndexVacuumOptions& options, const IsDead* is_dead,
             uint16_t cycle, IndexVacuumResult& result)
      : index_(index), options_(options), is_dead_(is_dead), cycle_(cycle), result_(result) {}

  void run();

 private:
  /// What is to go from one leaf.
  struct Removal {
    std::vector<OffsetNumber> deleted;
    std::vector<OffsetNumber> updated;
    std::vector<std::vector<uint16_t>> positions;  ///< of each updated posting list
    uint32_t dead_rows = 0;
    uint32_t live_rows = 0;
    bool is_empty() const { return deleted.empty() && updated.empty(); }
  };
  void visit(BlockNumber scanned);
  BlockNumber visit_page(BlockNumber block, BlockNumber scanned);
  void clean_leaf(Buffer& buffer, bool& is_empty);
  void look_at_item(const IndexTuple& tuple, OffsetNumber number, Removal& removal) const;
  void remove(Buffer& buffer, const Removal& removal);
  void record_free(BlockNumber block) {
    record_free_index_page(index_.relation.file, block);
    ++result_.pages_free;
  }
  void free_what_was_deleted();

  BtreeIndex& index_;
  const IndexVacuumOptions& options_;
  const IsDead* is_dead_;
  uint16_t cycle_;
  IndexVacuumResult& result_;
  std::vector<BtreeDeletedPage> newly_deleted_;
};

void VacuumScan::run() {
  result_.entries = 0;
  result_.pages_deleted = result_.pages_free = 0;
  BlockNumber block = kBtreeMetaBlock + 1;
  // Pages added meanwhile have to be visited as well: splits may have moved entries there.
  for (;;) {
    result_.pages = stable_blocks(index_.relation);
    if (block >= result_.pages) break;
    for (; block < result_.pages; ++block) visit(block);
  }
  free_what_was_deleted();
  if (result_.pages_free > 0) free_space_vacuum(index_.relation.file);
}

/// A page of the file, and those to which its entries may have gone.
void VacuumScan::visit(BlockNumber scanned) {
  BlockNumber block = scanned;
  do {
    this_task().check_interrupts();
    if (options_.delay) options_.delay();
    block = visit_page(block, scanned);
  } while (block != kBtreeNone);
}

/// Returns the page to go on with because of a split, or none (btvacuumpage).
BlockNumber VacuumScan::visit_page(BlockNumber block, BlockNumber scanned) {
  Buffer buffer = read_buffer(index_.relation.file, ForkNumber::kMain, block, ReadMode::kNormal,
                              options_.strategy);
  buffer.lock_shared();
  if (!page_is_new(buffer.page())) btree_check_page(index_, buffer);
  const BtreeSpecial& special = btree_special(static_cast<ConstPage>(buffer.page()));
  if (block != scanned) {
    // Only what was split in this cycle and has not been cleaned since.
    if (page_is_new(buffer.page()) || !special.is_leaf() || special.is_ignored() ||
        special.cycle != cycle_) {
      return kBtreeNone;
    }
  }
  if (btree_is_recyclable(index_, buffer.page())) {
    ++result_.pages_deleted;
    record_free(block);
    return kBtreeNone;
  }
  if (special.has(kBtreeDeleted)) {
    ++result_.pages_deleted;
    return kBtreeNone;
  }
  BlockNumber go_on_with = kBtreeNone;
  bool to_be_deleted = special.has(kBtreeHalfDead);
  if (to_be_deleted) {
    // Somebody was interrupted.
    buffer.unlock();
    buffer.lock_exclusive();
  } else if (special.is_leaf()) {
    buffer.unlock();
    // Who still holds a pin has copied entries from here and has not been to their rows yet.
    buffer.lock_for_cleanup();
    if (cycle_ != 0 && special.cycle == cycle_ && !special.has(kBtreeSplitEnd) &&
        special.right < scanned) {
      go_on_with = special.right;
    }
    clean_leaf(buffer, to_be_deleted);
  }
  if (to_be_deleted && block == scanned) {
    btree_delete_pages(index_, std::move(buffer), scanned, result_, newly_deleted_);
  }
  return go_on_with;
}

void VacuumScan::clean_leaf(Buffer& buffer, bool& is_empty) {
  ConstPage page = buffer.page();
  OffsetNumber first = btree_special(page).first_data();
  OffsetNumber last = page_item_count(page);
  Removal removal;
  for (OffsetNumber i = first; i <= last; ++i) look_at_item(btree_item(page, i), i, removal);
  if (!removal.is_empty()) {
    remove(buffer, removal);
    result_.entries_removed += removal.dead_rows;
  } else if (cycle_ != 0 && btree_special(page).cycle == cycle_) {
    // It need not be visited again in this cycle.
    btree_special(buffer.page()).cycle = 0;
    buffer.mark_dirty_hint();
  }
  is_empty = page_item_count(page) < first;
  result_.entries += removal.live_rows;
}

void VacuumScan::look_at_item(const IndexTuple& tuple, OffsetNumber number,
                              Removal& removal) const {
  std::span<const ItemPointer> tids = tuple.heap_tids();
  std::vector<uint16_t> dead;
  for (size_t i = 0; i < tids.size() && is_dead_ != nullptr; ++i) {
    if ((*is_dead_)(tids[i])) dead.push_back(static_cast<uint16_t>(i));
  }
  removal.dead_rows += static_cast<uint32_t>(dead.size());
  removal.live_rows += static_cast<uint32_t>(tids.size() - dead.size());
  if (dead.empty()) return;
  if (dead.size() == tids.size()) {
    removal.deleted.push_back(number);
  } else {
    removal.updated.push_back(number);
    removal.positions.push_back(std::move(dead));
  }
}

/// One record for all that goes from a leaf (_bt_delitems_vacuum).
void VacuumScan::remove(Buffer& buffer, const Removal& removal) {
  Page page = buffer.page();
  Arena arena;
  std::vector<IndexTuple*> rests;
  std::vector<uint16_t> updates;  // each: how many, then their positions
  for (size_t i = 0; i < removal.updated.size(); ++i) {
    const std::vector<uint16_t>& positions = removal.positions[i];
    rests.push_back(
        btree_remove_from_posting(btree_item(page, removal.updated[i]), positions, arena));
    updates.push_back(static_cast<uint16_t>(positions.size()));
    updates.insert(updates.end(), positions.begin(), positions.end());
  }
  BtreeVacuumRecord body{static_cast<uint16_t>(removal.deleted.size()),
                         static_cast<uint16_t>(removal.updated.size())};
  CriticalSection critical;
  for (size_t i = 0; i < rests.size(); ++i) {
    page_index_tuple_overwrite(page, removal.updated[i], rests[i],
                               static_cast<uint32_t>(rests[i]->size()));
  }
  if (!removal.deleted.empty()) page_index_multi_delete(page, removal.deleted);
  BtreeSpecial& special = btree_special(page);
  special.cycle = 0;
  special.clear(kBtreeHasGarbage);
  buffer.mark_dirty();
  BtreeRecordWriter record(index_, kBtreeVacuum);
  record.block(0, buffer, kWalBlockStandardPage);
  auto add_data = [&](const std::vector<uint16_t>& values) {
    if (!values.empty()) record.data(0, values.data(), values.size() * sizeof values[0]);
  };
  add_data(removal.deleted);
  add_data(removal.updated);
  add_data(updates);
  record.main(&body, sizeof body);
  record.insert({&buffer});
  critical.end();
}

/// Pages deleted at the beginning of this run may be free by now (_bt_pendingfsm_finalize).
void VacuumScan::free_what_was_deleted() {
  if (newly_deleted_.empty()) return;
  // Takes a new look at who is running, which the test below does not do by itself.
  oldest_removable_xid(horizon_kind(index_.relation));
  for (const BtreeDeletedPage& page : newly_deleted_) {
    if (!btree_nobody_needs(index_, page.safe_xid)) break;
    record_free(page.block);
  }
}

/// More than a twentieth of the pages were waiting to become free the last time
/// (_bt_vacuum_needs_cleanup).
bool needs_cleanup(BtreeIndex& index) {
  Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kRead);
  BlockNumber waiting = btree_checked_metadata(index, meta).last_cleanup_deleted_pages;
  meta.release();
  return waiting > 0 && waiting > relation_blocks(index.relation.file, ForkNumber::kMain) / 20;
}

/// Notes how many pages wait to become free (_bt_set_cleanup_info).
void set_waiting_pages(BtreeIndex& index, BlockNumber waiting) {
  Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kRead);
  if (btree_checked_metadata(index, meta).last_cleanup_deleted_pages == waiting) return;
  meta.unlock();
  meta.lock_exclusive();
  CriticalSection critical;
  BtreeMetadata& metadata = btree_metadata(meta.page());
  metadata.last_cleanup_deleted_pages = waiting;
  metadata.last_cleanup_heap_tuples = -1.0;
  meta.mark_dirty();
  BtreeRecordWriter record(index, kBtreeMetaCleanup);
  record.meta(0, meta);
  record.insert({&meta});
  critical.end();
}

}  // namespace

void btree_bulk_delete(BtreeIndex& index, const IndexVacuumOptions& options, const IsDead& is_dead,
                       IndexVacuumResult& result) {
  uint16_t cycle = btree_start_vacuum(index);
  std::exception_ptr failure;
  try {
    VacuumScan(index, options, &is_dead, cycle, result).run();
  } catch (...) {
    failure = std::current_exception();
  }
  btree_end_vacuum(index);
  if (failure) std::rethrow_exception(failure);
}

void btree_vacuum_cleanup(BtreeIndex& index, const IndexVacuumOptions& options, bool bulk_deleted,
                          IndexVacuumResult& result) {
  if (!bulk_deleted) {
    if (!needs_cleanup(index)) return;
    VacuumScan(index, options, nullptr, 0, result).run();
  }
  set_waiting_pages(index, result.pages_deleted - result.pages_free);
  // Pages split meanwhile may have been counted twice; the table knows better.
  if (options.heap_tuples >= 0) result.entries = std::min(result.entries, options.heap_tuples);
}

}  // namespace cofork
