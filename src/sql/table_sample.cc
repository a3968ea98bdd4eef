// See table_sample.h.
#include "sql/table_sample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "access/heap_scan.h"
#include "access/tuple.h"
#include "catalog/toast.h"
#include "model/task.h"
#include "os/os.h"
#include "storage/buffer_pool.h"
#include "types/array.h"

namespace cofork {

// --- the sample

namespace {

constexpr uint32_t kTooWide = 1024;  ///< WIDTH_THRESHOLD: such values are taken to be different

/// Keeps each row it is given with the same chance, `wanted` of them in the end.
class Reservoir {
 public:
  Reservoir(TableSample& sample, size_t wanted, uint64_t seed)
      : sample_(sample), wanted_(wanted), random_(seed) {}

  void add(const RelationDesc& relation, const Datum* values, const bool* nulls) {
    ++seen_;
    size_t place = sample_.rows;
    if (sample_.rows < wanted_) {
      ++sample_.rows;
      for (size_t c = 0; c < sample_.columns.size(); ++c) {
        sample_.values[c].push_back(0);
        sample_.nulls[c].push_back(true);
      }
      order_.push_back(seen_);
    } else {
      place = std::uniform_int_distribution<size_t>(0, seen_ - 1)(random_);
      if (place >= wanted_) return;
      order_[place] = seen_;
    }
    for (size_t c = 0; c < sample_.columns.size(); ++c) {
      auto column = static_cast<size_t>(sample_.columns[c]);
      sample_.nulls[c][place] = nulls[column];
      if (nulls[column]) continue;
      const BuiltinType& type = *find_type(relation.columns[column].type);
      sample_.values[c][place] = kept(type, values[column]);
    }
  }

  /// Puts the rows into the order of the table again.
  void finish() {
    std::vector<size_t> places(sample_.rows);
    std::iota(places.begin(), places.end(), size_t{0});
    std::ranges::sort(places, {}, [&](size_t p) { return order_[p]; });
    for (size_t c = 0; c < sample_.columns.size(); ++c) {
      std::vector<Datum> values;
      std::vector<bool> nulls;
      for (size_t p : places) {
        values.push_back(sample_.values[c][p]);
        nulls.push_back(sample_.nulls[c][p]);
      }
      sample_.values[c] = std::move(values);
      sample_.nulls[c] = std::move(nulls);
    }
  }
  size_t seen() const { return seen_; }

 private:
  /// A copy; of a value too long to be compared, as it is stored.
  Datum kept(const BuiltinType& type, Datum value) {
    if (type.length != -1 || !is_toasted(value)) return copy_datum(type, value, sample_.arena);
    if (toast_raw_bytes(value) <= kTooWide) return detoast(value, sample_.arena);
    uint32_t bytes = varlena_bytes(datum_to_pointer(value));
    auto* copy = static_cast<char*>(sample_.arena.allocate(bytes, 4));
    std::memcpy(copy, datum_to_pointer(value), bytes);
    return datum_from_pointer(copy);
  }

  TableSample& sample_;
  const size_t wanted_;
  std::mt19937_64 random_;
  size_t seen_ = 0;
  std::vector<size_t> order_;
};

}  // namespace

void take_sample(RelationDesc& relation, const Snapshot& snapshot, size_t wanted,
                 TableSample& sample) {
  Task& task = this_task();
  uint64_t seed = 0;
  task.os().entropy.fill(&seed, sizeof seed);
  Reservoir reservoir(sample, wanted, seed);
  std::mt19937_64 random(seed + 1);
  sample.values.resize(sample.columns.size());
  sample.nulls.resize(sample.columns.size());
  sample.pages = relation_blocks(relation.access.file, ForkNumber::kMain);
  BlockNumber needed = std::min<BlockNumber>(sample.pages, static_cast<BlockNumber>(wanted));
  std::vector<Datum> values(relation.columns.size());
  auto nulls = std::make_unique<bool[]>(relation.columns.size());
  TupleReader reader(relation.shape, values.data(), nulls.get());
  auto scan_pages = [&](BlockNumber first, BlockNumber count) {
    HeapScan::Options options;
    options.first_block = first;
    options.blocks = count;
    HeapScan scan(relation.access, snapshot, options);
    while (scan.next()) {
      task.check_interrupts();
      reader.start(scan.tuple().header);
      reader.need(static_cast<int>(relation.columns.size()));
      reservoir.add(relation, values.data(), nulls.get());
    }
  };
  if (needed == sample.pages) {
    if (needed > 0) scan_pages(0, needed);
    sample.pages_looked_at = needed;
  } else {
    // Each page with the chance that gives `needed` of them in all.
    for (BlockNumber block = 0; block < sample.pages && sample.pages_looked_at < needed; ++block) {
      BlockNumber left = sample.pages - block, missing = needed - sample.pages_looked_at;
      if (std::uniform_int_distribution<BlockNumber>(0, left - 1)(random) >= missing) continue;
      ++sample.pages_looked_at;
      scan_pages(block, 1);
    }
  }
  reservoir.finish();
  if (sample.pages_looked_at > 0) {
    sample.total_rows = std::floor(
        static_cast<double>(reservoir.seen()) / sample.pages_looked_at * sample.pages + 0.5);
  }
}

// --- one column

namespace {

/// A value, and which of the values of the column in the table's order it was.
struct PlacedValue {
  Datum value;
  int place;
};

/// A run of equal values in sorted order.
struct ValueRun {
  size_t first;
  int count;
};

/// How many different values the table has, from how many the sample has: Haas and Stokes' Duj1.
double estimate_distinct(double values, double different, double once, double total) {
  double numerator = values * different;
  double denominator = values - once + once * values / total;
  return std::clamp(std::floor(numerator / denominator + 0.5), different, total);
}

/// Of the most frequent values, those that are certain to be more frequent than the others
/// (analyze_mcv_list).
size_t frequent_enough(std::span<const ValueRun> runs, double distinct, double null_fraction,
                       double sampled, double total) {
  size_t kept = runs.size();
  if (sampled == total || total <= 1) return kept;
  if (distinct < 0) distinct *= -total;
  double sum = 0;
  for (size_t i = 0; i + 1 < kept; ++i) sum += runs[i].count;
  while (kept > 0) {
    double other = std::clamp(1 - sum / sampled - null_fraction, 0.0, 1.0);
    double others = distinct - static_cast<double>(kept - 1);
    if (others > 1) other /= others;
    double count = runs[kept - 1].count;
    double in_table = total * count / sampled;
    double variance =
        sampled * in_table * (total - in_table) * (total - sampled) / (total * total * (total - 1));
    if (count > other * sampled + 2 * std::sqrt(variance) + 0.5) break;
    if (--kept == 0) break;
    sum -= runs[kept - 1].count;
  }
  return kept;
}

double order_correlation(std::span<const PlacedValue> sorted) {
  auto n = static_cast<double>(sorted.size());
  double products = 0;
  for (size_t i = 0; i < sorted.size(); ++i) products += static_cast<double>(i) * sorted[i].place;
  double sum = (n - 1) * n / 2, squares = (n - 1) * n * (2 * n - 1) / 6;
  return (n * products - sum * sum) / (n * squares - sum * sum);
}

/// Evenly spaced values out of those that are not among the most frequent.
void fill_histogram(std::span<const PlacedValue> values, size_t bounds, ColumnStatistics& found) {
  size_t bins = bounds - 1, step = (values.size() - 1) / bins, rest = (values.size() - 1) % bins;
  size_t at = 0, part = 0;
  for (size_t i = 0; i < bounds; ++i) {
    found.histogram.push_back(values[at].value);
    at += step;
    part += rest;
    if (part >= bins) {
      ++at;
      part -= bins;
    }
  }
}

/// Bytes its arrays will need.
size_t statistics_bytes(const ColumnStatistics& found, const BuiltinType& type) {
  size_t bytes = found.common_fractions.size() * sizeof(float);
  for (const std::vector<Datum>* values : {&found.common_values, &found.histogram}) {
    for (Datum value : *values) bytes += align8(stored_bytes(value, type.length));
  }
  return bytes;
}

ColumnStatistics summarize_to(const TableSample& sample, size_t at, const BuiltinType& type,
                              int target);

}  // namespace

ColumnStatistics summarize_column(const TableSample& sample, size_t at, const BuiltinType& type,
                                  int target) {
  constexpr size_t kMostBytes = 7000;
  for (;; target /= 2) {
    ColumnStatistics found = summarize_to(sample, at, type, target);
    if (target <= 1 || statistics_bytes(found, type) <= kMostBytes) return found;
  }
}

namespace {

ColumnStatistics summarize_to(const TableSample& sample, size_t at, const BuiltinType& type,
                              int target) {
  ColumnStatistics found;
  found.column = static_cast<int16_t>(sample.columns[at] + 1);
  std::vector<PlacedValue> values;
  double width = 0;
  size_t null_count = 0, wide = 0;
  for (size_t i = 0; i < sample.rows; ++i) {
    if (sample.nulls[at][i]) {
      ++null_count;
      continue;
    }
    Datum value = sample.values[at][i];
    bool is_varlena = type.length == -1;
    size_t bytes =
        is_varlena ? varlena_bytes(datum_to_pointer(value)) : stored_bytes(value, type.length);
    width += static_cast<double>(bytes);
    if (is_varlena && toast_raw_bytes(value) > kTooWide) {
      ++wide;
      continue;
    }
    values.push_back({value, static_cast<int>(values.size())});
  }
  if (sample.rows == 0) return found;
  auto sampled = static_cast<double>(sample.rows);
  double present = sampled - static_cast<double>(null_count);
  found.null_fraction = static_cast<float>(static_cast<double>(null_count) / sampled);
  found.width = type.length > 0 ? type.length
                : present > 0   ? static_cast<int32_t>(width / present)
                                : 0;
  if (type.compare == nullptr || values.empty()) {
    if (wide > 0) found.distinct = static_cast<float>(-1 * (1 - found.null_fraction));
    return found;
  }
  Task& task = this_task();
  uint32_t comparisons = 0;
  std::ranges::stable_sort(values, [&](const PlacedValue& a, const PlacedValue& b) {
    if ((++comparisons & 0x3ff) == 0) task.check_interrupts();
    return type.compare(a.value, b.value) < 0;
  });
  std::vector<ValueRun> repeated;
  size_t different = 0;
  for (size_t i = 0; i < values.size();) {
    size_t end = i + 1;
    while (end < values.size() && type.compare(values[i].value, values[end].value) == 0) ++end;
    ++different;
    if (end - i > 1) repeated.push_back({i, static_cast<int>(end - i)});
    i = end;
  }
  double total = std::max(sample.total_rows, sampled);
  double distinct;
  if (repeated.empty()) {
    distinct = -1 * (1 - static_cast<double>(found.null_fraction));
  } else if (wide == 0 && repeated.size() == different) {
    distinct = static_cast<double>(different);
  } else {
    auto all = static_cast<double>(different + wide);
    double once = static_cast<double>(different - repeated.size() + wide);
    distinct = estimate_distinct(present, all, once, total * (1 - found.null_fraction));
  }
  if (distinct > 0.1 * total) distinct = -(distinct / total);
  found.distinct = static_cast<float>(distinct);

  // The most frequent values: all there are, if they are few; else those that stand out.
  auto most = static_cast<size_t>(target);
  std::ranges::stable_sort(repeated, std::greater<>(), &ValueRun::count);
  std::vector<ValueRun> common(
      repeated.begin(), repeated.begin() + static_cast<ptrdiff_t>(std::min(most, repeated.size())));
  bool is_complete =
      repeated.size() == different && wide == 0 && distinct > 0 && repeated.size() <= most;
  if (!is_complete) {
    common.resize(frequent_enough(common, distinct, found.null_fraction, sampled, total));
  }
  for (const ValueRun& run : common) {
    found.common_values.push_back(values[run.first].value);
    found.common_fractions.push_back(static_cast<float>(run.count / sampled));
  }
  if (values.size() > 1) {
    double correlation = order_correlation(values);
    found.correlation = static_cast<float>(correlation);
  }
  size_t bounds = std::min(different - common.size(), most + 1);
  if (bounds >= 2) {
    std::ranges::sort(common, {}, &ValueRun::first);
    std::vector<PlacedValue> rest;
    size_t next = 0;
    for (size_t i = 0; i < values.size();) {
      if (next < common.size() && common[next].first == i) {
        i += static_cast<size_t>(common[next++].count);
      } else {
        rest.push_back(values[i++]);
      }
    }
    fill_histogram(rest, bounds, found);
  }
  return found;
}

}  // namespace

}  // namespace cofork
