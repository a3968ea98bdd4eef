// VACUUM of one table (vacuumlazy.c, 15).
//
//   1 heap pages in order: prune, freeze, note dead items        heap_vacuum_scan.cc
//   2 when their list is full, and at the end: delete their index entries from every index, then
//     make the items unused                                      heap_vacuum_clean.cc
//   3 let the indexes clean up, cut empty pages off the end       heap_vacuum_truncate.cc
//   4 say what was done                                          heap_vacuum_report.cc
//
// Pages the visibility map calls all-visible are passed over when 32 of them follow each other;
// an aggressive vacuum passes over all-frozen ones only, and so may move relfrozenxid.
//
// The caller is in a transaction, marked kProcInVacuum, and holds ShareUpdateExclusiveLock; it
// writes the result into pg_class and the statistics.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "access/btree.h"
#include "access/btree_vacuum.h"
#include "access/heap_freeze.h"

namespace cofork {

struct VacuumOptions {
  bool verbose = false;
  bool freeze = false;                 ///< FREEZE: as with all ages 0
  bool disable_page_skipping = false;  ///< look at every page, whatever the map says
  bool truncate = true;
  enum class IndexCleanup : uint8_t { kAuto, kOn, kOff } index_cleanup = IndexCleanup::kAuto;
  // Ages; -1: the setting of that name.
  int32_t freeze_min_age = -1;
  int32_t freeze_table_age = -1;
  int32_t multixact_freeze_min_age = -1;
  int32_t multixact_freeze_table_age = -1;
  bool is_autovacuum = false;
  bool is_wraparound = false;        ///< autovacuum's, to prevent wraparound
  int64_t log_min_duration_ms = -1;  ///< autovacuum: LOG what took this long; -1 never
  double cost_delay_ms = -1;         ///< -1: vacuum_cost_delay
  int32_t cost_limit = -1;           ///< -1: vacuum_cost_limit
  int64_t memory_bytes = 64 << 20;   ///< for dead items (maintenance_work_mem)
};

/// What pg_class says of the table.
struct TableFacts {
  BlockNumber pages = 0;
  double tuples = -1;  ///< -1: never counted
  TransactionId frozen_xid = 0;
  MultiXactId min_multi = 0;
};

struct VacuumResult {
  // For pg_class.
  BlockNumber pages = 0;
  double tuples = 0;
  BlockNumber all_visible = 0;
  TransactionId frozen_xid = 0;  ///< the new one; as before when it did not move
  MultiXactId min_multi = 0;
  // For the statistics.
  double live_tuples = 0;
  double dead_tuples = 0;                  ///< those that are still there
  std::vector<IndexVacuumResult> indexes;  ///< as the indexes given; pages 0: not looked at
};

/// Vacuums; `indexes` are open with RowExclusiveLock. Reports as VERBOSE and log_min_duration_ms
/// want it. Throws XX001 for ids that cannot be.
VacuumResult heap_vacuum(Relation& relation, const TableFacts& facts,
                         std::span<BtreeIndex* const> indexes, const VacuumOptions& options);

/// What may be removed and what is to be frozen (vacuum_set_xid_limits).
struct VacuumCutoffs {
  TransactionId oldest_xmin = 0;  ///< deleted before this: dead
  MultiXactId oldest_multi = 0;
  FreezeLimits freeze{};
  bool aggressive = false;
};
/// WARNING "oldest xmin is far in the past" with its hint when it is.
VacuumCutoffs vacuum_cutoffs(const Relation& relation, const TableFacts& facts,
                             const VacuumOptions& options);
/// So old that nothing but freezing counts any more (vacuum_xid_failsafe_check).
bool vacuum_failsafe_needed(const TableFacts& facts);

/// Rows of a table of which a part was looked at (vac_estimate_reltuples).
double estimate_tuples(const TableFacts& facts, BlockNumber pages, BlockNumber scanned_pages,
                       double scanned_tuples);

}  // namespace cofork
