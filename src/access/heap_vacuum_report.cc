// VACUUM as a whole, and what it says about itself (heap_vacuum_rel in vacuumlazy.c, 15). See
// heap_vacuum.h.
#include "access/heap_vacuum_state.h"
#include "log/log.h"
#include "model/task.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "storage/visibility_map.h"
#include "txn/variable_cache.h"

namespace cofork {

namespace {

double delay_of(const VacuumOptions& options) {
  return options.cost_delay_ms >= 0 ? options.cost_delay_ms
                                    : settings().get(setting::kVacuumCostDelay);
}
int32_t limit_of(const VacuumOptions& options) {
  return options.cost_limit > 0 ? options.cost_limit : settings().get(setting::kVacuumCostLimit);
}

double percent(BlockNumber part, BlockNumber whole) {
  return 100.0 * part / whole;
}

/// "12.34", as seconds.
std::string seconds(int64_t us) {
  int64_t hundredths = us / 10'000;
  return fmt::format("{}.{:02}", hundredths / 100, hundredths % 100);
}

}  // namespace

HeapVacuum::HeapVacuum(Relation& relation, const TableFacts& facts,
                       std::span<BtreeIndex* const> indexes, const VacuumOptions& options)
    : relation_(relation),
      facts_(facts),
      indexes_(indexes),
      options_(options),
      cutoffs_(vacuum_cutoffs(relation, facts, options)),
      pacing_(delay_of(options), limit_of(options)),
      pages_at_start_(relation_blocks(relation.file, ForkNumber::kMain)),
      pages_(pages_at_start_),
      dead_(options.memory_bytes, pages_at_start_, !indexes.empty()),
      kept_{cutoffs_.oldest_xmin, cutoffs_.oldest_multi},
      truncate_(options.truncate) {
  result_.indexes.resize(indexes.size());
  if (options.index_cleanup == VacuumOptions::IndexCleanup::kOff) {
    clean_indexes_ = false;
    finish_indexes_ = false;
  } else if (options.index_cleanup == VacuumOptions::IndexCleanup::kOn) {
    may_bypass_ = false;
  }
  start_ns_ = this_task().os().clock.monotonic_ns();
  start_cpu_ = thread_cpu_times();
  start_usage_ = buffer_usage();
  const PendingStats& stats = my().stats;
  start_wal_records_ = stats.wal_records;
  start_wal_images_ = stats.wal_full_page_images;
  start_wal_bytes_ = stats.wal_bytes;
}

void HeapVacuum::announce() const {
  if (!options_.verbose) return;
  log(Severity::kInfo, "{} \"{}.{}.{}\"",
      cutoffs_.aggressive ? "aggressively vacuuming" : "vacuuming", relation_.database_name,
      relation_.schema_name, relation_.name);
}

VacuumResult HeapVacuum::run() {
  announce();
  scan_heap();
  if (should_truncate()) cut_off_empty_end();
  finish_result();
  report_result();
  return std::move(result_);
}

void HeapVacuum::finish_result() {
  result_.pages = pages_;
  result_.all_visible = std::min(visibility_map_count(relation_.file).all_visible, pages_);
  // Pages that were passed over may hold older ids than any that was seen.
  result_.frozen_xid = facts_.frozen_xid;
  result_.min_multi = facts_.min_multi;
  if (!skipped_all_visible_) {
    if (xid_precedes(facts_.frozen_xid, kept_.xid)) result_.frozen_xid = kept_.xid;
    if (multixact_precedes(facts_.min_multi, kept_.multi)) result_.min_multi = kept_.multi;
  }
  result_.dead_tuples = static_cast<double>(recently_dead_ + missed_dead_);
}

void HeapVacuum::report_result() {
  if (options_.verbose) {
    log(Severity::kInfo, "{}", report_text());
    return;
  }
  if (!options_.is_autovacuum || options_.log_min_duration_ms < 0) return;
  int64_t took_ms = (this_task().os().clock.monotonic_ns() - start_ns_) / 1'000'000;
  if (took_ms >= options_.log_min_duration_ms) log(Severity::kLog, "{}", report_text());
}

std::string HeapVacuum::report_text() const {
  const char* what = "finished vacuuming";
  if (options_.is_autovacuum && !options_.verbose) {
    const char* aggressive[] = {"automatic aggressive vacuum of table",
                                "automatic aggressive vacuum to prevent wraparound of table"};
    const char* ordinary[] = {"automatic vacuum of table",
                              "automatic vacuum to prevent wraparound of table"};
    what =
        cutoffs_.aggressive ? aggressive[options_.is_wraparound] : ordinary[options_.is_wraparound];
  }
  std::string text =
      fmt::format("{} \"{}.{}.{}\": index scans: {}\n", what, relation_.database_name,
                  relation_.schema_name, relation_.name, index_scans_);
  report_table(text);
  report_indexes(text);
  report_costs(text);
  return text;
}

void HeapVacuum::report_table(std::string& text) const {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "pages: {} removed, {} remain, {} scanned ({:.2f}% of total)\n",
                 removed_pages_, pages_, scanned_pages_,
                 pages_at_start_ == 0 ? 100.0 : percent(scanned_pages_, pages_at_start_));
  double remaining = result_.tuples + static_cast<double>(recently_dead_ + missed_dead_);
  fmt::format_to(out, "tuples: {} removed, {} remain, {} are dead but not yet removable\n",
                 tuples_removed_, static_cast<int64_t>(remaining), recently_dead_);
  if (missed_dead_ > 0) {
    fmt::format_to(
        out, "tuples missed: {} dead from {} pages not removed due to cleanup lock contention\n",
        missed_dead_, missed_dead_pages_);
  }
  auto age = static_cast<int32_t>(next_full_xid().xid() - cutoffs_.oldest_xmin);
  fmt::format_to(out, "removable cutoff: {}, which was {} XIDs old when operation ended\n",
                 cutoffs_.oldest_xmin, age);
  if (result_.frozen_xid != facts_.frozen_xid) {
    fmt::format_to(out, "new relfrozenxid: {}, which is {} XIDs ahead of previous value\n",
                   result_.frozen_xid,
                   static_cast<int32_t>(result_.frozen_xid - facts_.frozen_xid));
  }
  if (result_.min_multi != facts_.min_multi) {
    fmt::format_to(out, "new relminmxid: {}, which is {} MXIDs ahead of previous value\n",
                   result_.min_multi, static_cast<int32_t>(result_.min_multi - facts_.min_multi));
  }
}

void HeapVacuum::report_indexes(std::string& text) const {
  auto out = std::back_inserter(text);
  const char* scan = failsafe_ ? "index scan bypassed by failsafe: " : "index scan bypassed: ";
  if (clean_indexes_) {
    bool needed = !indexes_.empty() && index_scans_ > 0;
    scan = needed ? "index scan needed: " : "index scan not needed: ";
  }
  if (pages_at_start_ > 0) {
    fmt::format_to(out, "{}{} pages from table ({:.2f}% of total) {} {} dead item identifiers{}\n",
                   scan, dead_item_pages_, percent(dead_item_pages_, pages_at_start_),
                   clean_indexes_ ? "had" : "have", dead_items_, clean_indexes_ ? " removed" : "");
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    const IndexVacuumResult& index = result_.indexes[i];
    if (index.pages == 0) continue;
    fmt::format_to(
        out,
        "index \"{}\": pages: {} in total, {} newly deleted, {} currently deleted, {} reusable\n",
        indexes_[i]->relation.name, index.pages, index.pages_newly_deleted, index.pages_deleted,
        index.pages_free);
  }
}

void HeapVacuum::report_costs(std::string& text) const {
  auto out = std::back_inserter(text);
  int64_t elapsed_ns = this_task().os().clock.monotonic_ns() - start_ns_;
  const BufferUsage& usage = buffer_usage();
  int64_t read = usage.read - start_usage_.read;
  int64_t dirtied = usage.dirtied - start_usage_.dirtied;
  double seconds_taken = static_cast<double>(elapsed_ns) / 1e9;
  double rate = elapsed_ns > 0 ? kPageBytes / (1024.0 * 1024.0) / seconds_taken : 0;
  fmt::format_to(out, "avg read rate: {:.3f} MB/s, avg write rate: {:.3f} MB/s\n",
                 static_cast<double>(read) * rate, static_cast<double>(dirtied) * rate);
  fmt::format_to(out, "buffer usage: {} hits, {} misses, {} dirtied\n",
                 usage.hit - start_usage_.hit, read, dirtied);
  const PendingStats& stats = my().stats;
  fmt::format_to(out, "WAL usage: {} records, {} full page images, {} bytes\n",
                 stats.wal_records - start_wal_records_,
                 stats.wal_full_page_images - start_wal_images_,
                 stats.wal_bytes - start_wal_bytes_);
  CpuTimes cpu = thread_cpu_times();
  fmt::format_to(out, "system usage: CPU: user: {} s, system: {} s, elapsed: {} s",
                 seconds(cpu.user_us - start_cpu_.user_us),
                 seconds(cpu.system_us - start_cpu_.system_us), seconds(elapsed_ns / 1000));
}

VacuumResult heap_vacuum(Relation& relation, const TableFacts& facts,
                         std::span<BtreeIndex* const> indexes, const VacuumOptions& options) {
  return HeapVacuum(relation, facts, indexes, options).run();
}

}  // namespace cofork
