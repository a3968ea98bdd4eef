// A vacuum while it runs. Inside access/.
#pragma once

#include <string>
#include <vector>

#include "access/heap_vacuum.h"
#include "access/vacuum_pacing.h"
#include "os/cpu_time.h"

namespace cofork {

/// Places of dead items, in ascending order, as they are found.
class DeadItems {
 public:
  /// No more than `bytes` worth, nor than a table of `pages` could have.
  DeadItems(int64_t bytes, BlockNumber pages, bool has_indexes);
  bool has_room_for_page() const { return items_.size() + kMaxHeapTuplesPerPage <= most_; }
  void add(BlockNumber block, std::span<const OffsetNumber> offsets);
  bool contains(const ItemPointer& tid) const;
  std::span<const ItemPointer> all() const { return items_; }
  bool empty() const { return items_.empty(); }
  void clear() { items_.clear(); }
  /// So few bytes that passing the indexes by costs nobody memory later.
  bool is_small() const { return items_.size() * sizeof(ItemPointer) < 32u << 20; }

 private:
  size_t most_;
  std::vector<ItemPointer> items_;
};

/// What looking at one page has brought (LVPagePruneState).
struct PageFindings {
  bool has_tuples = false;  ///< the page cannot be cut off
  bool all_visible = true;
  bool all_frozen = true;
  TransactionId visibility_cutoff = kInvalidXid;  ///< newest xmin: for standbys
  OffsetNumber dead[kMaxHeapTuplesPerPage];
  int dead_count = 0;
  std::span<const OffsetNumber> dead_items() const {
    return {dead, static_cast<size_t>(dead_count)};
  }
};

class HeapVacuum {
 public:
  HeapVacuum(Relation& relation, const TableFacts& facts, std::span<BtreeIndex* const> indexes,
             const VacuumOptions& options);
  VacuumResult run();

 private:
  // heap_vacuum_scan.cc
  void scan_heap();
  void find_next_unskippable(BlockNumber from);
  void scan_page(BlockNumber block, bool visible_in_map);
  bool scan_new_or_empty(Buffer& buffer, bool shared);
  bool scan_without_pruning(Buffer& buffer);
  void prune_and_freeze(Buffer& buffer, PageFindings& findings);
  bool examine_tuples(Buffer& buffer, PageFindings& findings, std::vector<FreezePlan>& plans,
                      OldestKept& kept);
  void note_live(const HeapTupleHeader& header, PageFindings& findings) const;
  void update_map(Buffer& buffer, const PageFindings& findings, bool visible_in_map);
  void record_room(BlockNumber block, uint32_t bytes);

  // heap_vacuum_clean.cc
  void clean();
  bool may_bypass_indexes() const;
  bool clean_indexes();
  void clean_heap();
  size_t clean_page(Buffer& buffer, std::span<const ItemPointer> dead);
  bool page_is_visible_to_all(Buffer& buffer, TransactionId& cutoff, bool& all_frozen);
  void finish_indexes();
  bool check_failsafe();
  IndexVacuumOptions index_options(double heap_tuples);

  // heap_vacuum_truncate.cc
  bool should_truncate() const;
  void cut_off_empty_end();
  BlockNumber count_nonempty(bool& waiter);

  // heap_vacuum_report.cc
  void announce() const;
  void finish_result();
  void report_result();
  std::string report_text() const;
  void report_table(std::string& text) const;
  void report_indexes(std::string& text) const;
  void report_costs(std::string& text) const;

  Relation& relation_;
  const TableFacts& facts_;
  std::span<BtreeIndex* const> indexes_;
  const VacuumOptions& options_;
  VacuumCutoffs cutoffs_;
  VacuumPacing pacing_;
  AccessStrategy strategy_{AccessStrategy::Kind::kVacuum};
  VacuumResult result_;

  BlockNumber pages_at_start_;
  BlockNumber pages_;
  DeadItems dead_;
  OldestKept kept_{};
  Buffer map_page_;
  std::vector<FreezePlan> freeze_plans_;  ///< of one page, used again

  // Passing over pages.
  BlockNumber next_unskippable_ = 0;
  bool next_visible_in_map_ = false;
  bool skipping_ = false;
  bool skipped_all_visible_ = false;  ///< some not all-frozen: relfrozenxid cannot move

  // Decisions.
  bool may_bypass_ = true;
  bool clean_indexes_ = true;
  bool finish_indexes_ = true;
  bool truncate_ = true;
  bool failsafe_ = false;
  bool bulk_deleted_ = false;

  // Counts.
  BlockNumber scanned_pages_ = 0;
  BlockNumber removed_pages_ = 0;
  BlockNumber dead_item_pages_ = 0;
  BlockNumber missed_dead_pages_ = 0;
  BlockNumber nonempty_pages_ = 0;  ///< all from here on are empty
  BlockNumber next_map_vacuum_ = 0;
  int index_scans_ = 0;
  int64_t tuples_removed_ = 0;
  int64_t dead_items_ = 0;
  int64_t live_tuples_ = 0;
  int64_t recently_dead_ = 0;
  int64_t missed_dead_ = 0;

  // What it has cost.
  int64_t start_ns_ = 0;
  CpuTimes start_cpu_;
  BufferUsage start_usage_;
  int64_t start_wal_records_ = 0;
  int64_t start_wal_images_ = 0;
  int64_t start_wal_bytes_ = 0;
};

}  // namespace cofork
