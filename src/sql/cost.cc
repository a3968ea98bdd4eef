// See cost.h.
#include "sql/cost.h"

#include <algorithm>
#include <cmath>

#include "settings/settings.h"
#include "sql/analyze.h"
#include "types/array.h"

namespace cofork {
namespace {

constexpr double kCostPageBytes = 8192;
constexpr double kTupleHeader = 24;

double aligned(double bytes) {
  return std::ceil(bytes / 8) * 8;
}

/// Elements of an array that is compared one by one.
double array_length(const Expr& array) {
  if (array.kind == ExprKind::kArray) return static_cast<double>(array.args.size());
  if (array.kind == ExprKind::kConst && !array.is_null) return ArrayView(array.value).count();
  return 10;
}

}  // namespace

double clamp_rows(double rows) {
  return rows <= 1 || std::isnan(rows) ? 1 : std::min(1e100, std::rint(rows));
}

CostModel::CostModel() {
  SettingsView& view = settings();
  seq_page_ = view.get(setting::kSeqPageCost);
  random_page_ = view.get(setting::kRandomPageCost);
  cpu_tuple_ = view.get(setting::kCpuTupleCost);
  cpu_index_tuple_ = view.get(setting::kCpuIndexTupleCost);
  cpu_operator_ = view.get(setting::kCpuOperatorCost);
  cache_pages_ = view.get(setting::kEffectiveCacheSize);
  work_memory_ = view.get(setting::kWorkMem) * 1024.0;
  hash_memory_ = work_memory_ * view.get(setting::kHashMemMultiplier);
}

double CostModel::of(const Expr* expr) const {
  double calls = 0;
  walk(expr, 0, [&](const Expr& part, int) {
    switch (part.kind) {
      case ExprKind::kCall:
      case ExprKind::kNullIf:
      case ExprKind::kDistinct:
      case ExprKind::kMinMax:
        ++calls;
        break;
      case ExprKind::kIoCast:
        calls += 2;
        break;
      case ExprKind::kRowCompare:
        calls += static_cast<double>(part.args.size()) / 2;
        break;
      case ExprKind::kArrayCompare:
        // About half of the elements are looked at.
        calls += array_length(*part.args[1]) * 0.5;
        break;
      case ExprKind::kAggregate:
      case ExprKind::kWindow:
        return false;  // computed by a node of their own
      default:
        break;
    }
    return true;
  });
  return calls * cpu_operator_;
}

double CostModel::of(std::span<Expr* const> exprs) const {
  double sum = 0;
  for (const Expr* expr : exprs) sum += of(expr);
  return sum;
}

// --- scans

PlanEstimate CostModel::sequential_scan(double pages, double tuples, double rows,
                                        double filter_cost) const {
  PlanEstimate e;
  e.total = seq_page_ * pages + (cpu_tuple_ + filter_cost) * tuples;
  e.rows = rows;
  return e;
}

/// How many pages are read when `tuples` rows of a table of `pages` are fetched at random and the
/// cache holds only a part of it (index_pages_fetched: Mackert and Lohman's formula).
double CostModel::pages_fetched(double tuples, double pages, double index_pages) const {
  double table = std::max(pages, 1.0);
  double cache = std::ceil(std::max(1.0, cache_pages_ * table / (table + index_pages)));
  if (table <= cache) {
    double fetched = 2 * table * tuples / (2 * table + tuples);
    return fetched >= table ? table : std::ceil(fetched);
  }
  double limit = 2 * table * cache / (2 * table - cache);
  if (tuples <= limit) return std::ceil(2 * table * tuples / (2 * table + tuples));
  return std::ceil(cache + (tuples - limit) * (table - cache) / table);
}

IndexAccess CostModel::index_access(const IndexSizes& sizes, double entries, double searches,
                                    size_t quals, double argument_cost, double loops) const {
  IndexAccess access;
  access.pages = sizes.index_pages;
  entries = std::max(1.0, std::rint(std::min(entries, std::max(1.0, sizes.index_tuples))));
  double leaf_pages = 1;
  if (sizes.index_pages > 1 && sizes.index_tuples > 1) {
    leaf_pages = std::ceil(entries * sizes.index_pages / sizes.index_tuples);
  }
  double scans = searches * loops;
  if (scans > 1) {
    access.total = pages_fetched(leaf_pages * scans, sizes.index_pages, sizes.index_pages) *
                   random_page_ / loops;
  } else {
    access.total = leaf_pages * random_page_;
  }
  access.startup = argument_cost;
  access.total +=
      argument_cost +
      entries * searches * (cpu_index_tuple_ + cpu_operator_ * static_cast<double>(quals));
  // From the root to a leaf: the comparisons, and looking at each page on the way.
  if (sizes.index_tuples > 1) {
    double descent = std::ceil(std::log2(sizes.index_tuples)) * cpu_operator_;
    access.startup += descent;
    access.total += searches * descent;
  }
  double levels = (sizes.height + 1) * 50.0 * cpu_operator_;
  access.startup += levels;
  access.total += searches * levels;
  return access;
}

PlanEstimate CostModel::index_scan(const IndexAccess& access, double pages, double tuples,
                                   double rows, double filter_cost, double loops,
                                   double visible) const {
  double fetched = clamp_rows(access.selectivity * tuples);
  auto unseen = [&](double count) {
    return visible > 0 ? std::ceil(count * (1 - visible)) : count;
  };
  double worst = 0, best = 0;
  double spread = std::ceil(access.selectivity * pages);
  if (loops > 1) {
    worst = unseen(pages_fetched(fetched * loops, pages, access.pages)) * random_page_ / loops;
    best = unseen(pages_fetched(spread * loops, pages, access.pages)) * random_page_ / loops;
  } else {
    worst = unseen(pages_fetched(fetched, pages, access.pages)) * random_page_;
    double adjacent = unseen(spread);
    if (adjacent > 0) best = random_page_ + (adjacent - 1) * seq_page_;
  }
  PlanEstimate e;
  e.startup = access.startup;
  double same = access.correlation * access.correlation;
  e.total = access.total + worst + same * (best - worst) + (cpu_tuple_ + filter_cost) * fetched;
  e.rows = rows;
  return e;
}

PlanEstimate CostModel::bitmap_index(const IndexAccess& access, double tuples) const {
  PlanEstimate e;
  e.rows = clamp_rows(access.selectivity * tuples);
  // Entering rows into the bitmap is counted by the node above (cost_bitmap_tree_node).
  e.total = access.total;
  return e;
}

PlanEstimate CostModel::bitmap_heap(const IndexAccess& access, double pages, double tuples,
                                    double rows, double filter_cost, double loops) const {
  double fetched = clamp_rows(access.selectivity * tuples);
  double table = std::max(pages, 1.0);
  double distinct = 2 * table * fetched / (2 * table + fetched);
  if (loops > 1) {
    distinct = pages_fetched(fetched * loops, pages, access.pages) / loops;
  }
  distinct = distinct >= table ? table : std::ceil(distinct);
  // The more of the table, the nearer to reading it in sequence.
  double page_cost = distinct < 2
                         ? random_page_
                         : random_page_ - (random_page_ - seq_page_) * std::sqrt(distinct / table);
  PlanEstimate e;
  e.startup = access.total + 0.1 * cpu_operator_ * fetched;
  e.total = e.startup + distinct * page_cost + (cpu_tuple_ + filter_cost) * fetched;
  e.rows = rows;
  return e;
}

// --- rows kept

double CostModel::row_bytes(double rows, int width) {
  return rows * (aligned(width) + kTupleHeader);
}

PlanEstimate CostModel::sort(const PlanEstimate& input, size_t, double limit) const {
  double tuples = std::max(input.rows, 2.0);
  double wanted = limit > 0 && limit < tuples ? limit : tuples;
  double bytes = row_bytes(tuples, input.width), wanted_bytes = row_bytes(wanted, input.width);
  double comparison = 2 * cpu_operator_;
  PlanEstimate e = input;
  e.startup = input.total;
  if (wanted_bytes > work_memory_) {
    double pages = std::ceil(bytes / kCostPageBytes);
    double runs = bytes / work_memory_;
    double order = std::max(6.0, std::floor(work_memory_ / (kCostPageBytes * 33)));
    double passes = runs > order ? std::ceil(std::log(runs) / std::log(order)) : 1;
    e.startup += comparison * tuples * std::log2(tuples);
    e.startup += 2 * pages * passes * (seq_page_ * 0.75 + random_page_ * 0.25);
  } else if (tuples > 2 * wanted || bytes > work_memory_) {
    e.startup += comparison * tuples * std::log2(2 * wanted);
  } else {
    e.startup += comparison * tuples * std::log2(tuples);
  }
  e.total = e.startup + cpu_operator_ * tuples;
  return e;
}

PlanEstimate CostModel::materialize(const PlanEstimate& input) const {
  PlanEstimate e = input;
  e.total += 2 * cpu_operator_ * input.rows;
  double bytes = row_bytes(input.rows, input.width);
  if (bytes > work_memory_) e.total += seq_page_ * std::ceil(bytes / kCostPageBytes);
  return e;
}

PlanEstimate CostModel::materialize_again(const PlanEstimate& input) const {
  PlanEstimate e = input;
  e.startup = 0;
  e.total = cpu_operator_ * input.rows;
  double bytes = row_bytes(input.rows, input.width);
  if (bytes > work_memory_) e.total += seq_page_ * std::ceil(bytes / kCostPageBytes);
  return e;
}

PlanEstimate CostModel::aggregate(const PlanEstimate& input, bool is_hashed, size_t keys,
                                  double groups, double transition_cost, double final_cost) const {
  PlanEstimate e;
  double key_cost = is_hashed ? cpu_operator_ * static_cast<double>(keys) : 0;
  e.startup =
      input.total + (transition_cost + key_cost) * input.rows + (is_hashed ? 0 : final_cost);
  e.total = e.startup + cpu_tuple_ * groups + (is_hashed ? final_cost * groups : 0);
  e.rows = groups;
  return e;
}

// --- joins

PlanEstimate CostModel::nested_loop(const PlanEstimate& outer, const PlanEstimate& inner,
                                    const PlanEstimate& again, double rows,
                                    double condition_cost) const {
  PlanEstimate e;
  e.startup = outer.startup + inner.startup;
  double run = outer.total - outer.startup + inner.total - inner.startup;
  if (outer.rows > 1) run += (outer.rows - 1) * again.total;
  run += (cpu_tuple_ + condition_cost) * outer.rows * inner.rows;
  e.total = e.startup + run;
  e.rows = rows;
  return e;
}

int CostModel::hash_batches(double rows, int width) const {
  double bytes = rows * (aligned(width) + kTupleHeader + 16);
  int batches = 1;
  while (bytes / batches > hash_memory_ && batches < 1 << 20) batches *= 2;
  return batches;
}

PlanEstimate CostModel::hash_join(const PlanEstimate& outer, const PlanEstimate& inner, size_t keys,
                                  double bucket_part, double matches, double rows,
                                  double condition_cost) const {
  PlanEstimate e;
  double key_cost = cpu_operator_ * static_cast<double>(keys);
  e.startup = outer.startup + inner.total + (key_cost + cpu_tuple_) * inner.rows;
  double run = outer.total - outer.startup + key_cost * outer.rows;
  if (hash_batches(inner.rows, inner.width) > 1) {
    double inner_pages = std::ceil(row_bytes(inner.rows, inner.width) / kCostPageBytes);
    double outer_pages = std::ceil(row_bytes(outer.rows, outer.width) / kCostPageBytes);
    e.startup += seq_page_ * inner_pages;
    run += seq_page_ * (inner_pages + 2 * outer_pages);
  }
  run += key_cost * outer.rows * clamp_rows(inner.rows * bucket_part) * 0.5;
  run += (cpu_tuple_ + condition_cost) * matches;
  e.total = e.startup + run;
  e.rows = rows;
  return e;
}

PlanEstimate CostModel::limit(const PlanEstimate& input, double offset, double count) const {
  PlanEstimate e = input;
  double run = input.total - input.startup;
  if (offset > 0) {
    double skipped = std::min(offset, input.rows);
    if (input.rows > 0) e.startup += run * skipped / input.rows;
    e.rows = std::max(1.0, input.rows - skipped);
  }
  if (count >= 0) {
    double given = std::min(count, e.rows);
    if (input.rows > 0) e.total = e.startup + run * given / input.rows;
    e.rows = std::max(1.0, given);
  }
  return e;
}

}  // namespace cofork
