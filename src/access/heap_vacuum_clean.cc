// VACUUM, dead items: index entries first, then the items themselves (lazy_vacuum and
// lazy_vacuum_heap_rel in vacuumlazy.c, 15). See heap_vacuum.h.
#include "access/heap_space.h"
#include "access/heap_vacuum_state.h"
#include "access/heap_wal.h"
#include "access/visibility.h"
#include "log/log.h"
#include "model/task.h"
#include "storage/free_space.h"
#include "storage/visibility_map.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {}  // namespace

/// A few dead items do not pay for reading whole indexes: the next vacuum finds them again.
bool HeapVacuum::may_bypass_indexes() const {
  constexpr double kFewPages = 0.02;
  return may_bypass_ && pages_ > 0 && dead_item_pages_ < pages_ * kFewPages && dead_.is_small();
}

void HeapVacuum::clean() {
  if (!clean_indexes_) {
    dead_.clear();
    return;
  }
  if (may_bypass_indexes()) {
    clean_indexes_ = false;
  } else if (clean_indexes()) {
    clean_heap();
  }
  dead_.clear();
}

IndexVacuumOptions HeapVacuum::index_options(double heap_tuples) {
  return {.heap_tuples = heap_tuples, .strategy = &strategy_, .delay = [this] { pacing_.point(); }};
}

/// False: the failsafe has struck, and not every index is done; then the items must stay.
bool HeapVacuum::clean_indexes() {
  if (check_failsafe()) return false;
  bool all_done = true;
  IndexVacuumOptions options = index_options(facts_.tuples);
  auto is_dead = [this](const ItemPointer& tid) { return dead_.contains(tid); };
  for (size_t i = 0; i < indexes_.size(); ++i) {
    btree_bulk_delete(*indexes_[i], options, is_dead, result_.indexes[i]);
    bulk_deleted_ = true;
    if (check_failsafe()) {
      all_done = i + 1 == indexes_.size();
      break;
    }
  }
  ++index_scans_;
  return all_done;
}

void HeapVacuum::clean_heap() {
  std::span<const ItemPointer> left = dead_.all();
  while (!left.empty()) {
    pacing_.point();
    BlockNumber block = left.front().block();
    visibility_map_pin(relation_.file, block, map_page_);
    Buffer buffer =
        read_buffer(relation_.file, ForkNumber::kMain, block, ReadMode::kNormal, &strategy_);
    buffer.lock_exclusive();
    size_t done = clean_page(buffer, left);
    uint32_t room = page_heap_free_space(buffer.page());
    buffer.release();
    record_room(block, room);
    left = left.subspan(done);
  }
  map_page_.release();
}

/// Makes the items of one page unused that `dead` begins with; returns how many.
size_t HeapVacuum::clean_page(Buffer& buffer, std::span<const ItemPointer> dead) {
  OffsetNumber unused[kMaxHeapTuplesPerPage];
  uint16_t count = 0;
  Page page = buffer.page();
  CriticalSection critical;
  for (const ItemPointer& tid : dead) {
    if (tid.block() != buffer.block()) break;
    page_item_id(page, tid.offset).set_unused();
    unused[count++] = tid.offset;
  }
  page_truncate_item_ids(page);
  buffer.mark_dirty();
  if (relation_.needs_wal()) {
    WalHeapVacuum body{count};
    WalRecordBuilder& record = wal_record();
    record.begin(kManagerHeap2, kHeap2Vacuum, my_transaction().current_xid_if_any());
    record.add_main(&body, sizeof body);
    const BufferTag& tag = buffer.tag();
    record.add_block({.id = 0,
                      .file = tag.file,
                      .block = tag.block,
                      .page = page,
                      .flags = kWalBlockStandardPage});
    record.add_block_data(0, unused, count * sizeof(OffsetNumber));
    set_page_lsn(page, wal_insert(record));
  }
  critical.end();

  TransactionId cutoff;
  bool all_frozen;
  if (page_is_visible_to_all(buffer, cutoff, all_frozen)) {
    set_all_visible(relation_, buffer, map_page_, cutoff, all_frozen ? kVmAllBits : kVmAllVisible);
  }
  return count;
}

/// (heap_page_is_all_visible)
bool HeapVacuum::page_is_visible_to_all(Buffer& buffer, TransactionId& cutoff, bool& all_frozen) {
  PageFindings findings;
  OffsetNumber last = page_item_count(buffer.page());
  for (OffsetNumber offset = kFirstOffset; offset <= last; ++offset) {
    ItemId id = page_item_id(buffer.page(), offset);
    if (!id.is_used() || id.is_redirect()) continue;
    if (id.is_dead()) return false;
    HeapTuple tuple;
    tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(buffer.page(), id));
    tuple.length = id.length();
    tuple.self = {buffer.block(), offset};
    if (tuple_vacuum_state_before(tuple, cutoffs_.oldest_xmin, buffer) != VacuumState::kLive) {
      return false;
    }
    note_live(*tuple.header, findings);
    if (!findings.all_visible) return false;
    bool frozen = tuple.header->xmin_is_frozen() && tuple.header->has_xmax(kTupleXmaxInvalid);
    if (!frozen) findings.all_frozen = false;
  }
  cutoff = findings.visibility_cutoff;
  all_frozen = findings.all_frozen;
  return true;
}

void HeapVacuum::finish_indexes() {
  double heap_tuples = result_.tuples + static_cast<double>(recently_dead_ + missed_dead_);
  IndexVacuumOptions options = index_options(heap_tuples);
  for (size_t i = 0; i < indexes_.size(); ++i) {
    btree_vacuum_cleanup(*indexes_[i], options, bulk_deleted_, result_.indexes[i]);
  }
}

/// Is the table so old that finishing soon matters more than anything? Then indexes, truncation
/// and pacing are given up. (lazy_check_wraparound_failsafe)
bool HeapVacuum::check_failsafe() {
  if (failsafe_) return true;
  if (!vacuum_failsafe_needed(facts_)) return false;
  failsafe_ = true;
  clean_indexes_ = false;
  finish_indexes_ = false;
  truncate_ = false;
  pacing_.stop();
  ErrorData warning;
  warning.severity = Severity::kWarning;
  warning.sqlstate = sqlstate::kWarning;
  warning.message = fmt::format(
      "bypassing nonessential maintenance of table \"{}.{}.{}\" as a failsafe after {} index scans",
      relation_.database_name, relation_.schema_name, relation_.name, index_scans_);
  warning.detail = "The table's relfrozenxid or relminmxid is too far in the past.";
  warning.hint =
      "Consider increasing configuration parameter \"maintenance_work_mem\" or "
      "\"autovacuum_work_mem\".\nYou might also need to consider other ways for VACUUM to keep up "
      "with the allocation of transaction IDs.";
  report(std::move(warning));
  return true;
}

}  // namespace cofork
