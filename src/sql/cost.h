// The cost model: what each kind of node costs, in units of a page read in sequence (costsize.c,
// 15). Pure arithmetic over estimates; nothing here looks at a table.
//
//   CostModel cost;                      // the settings, read once a plan
//   node->estimate = cost.sort(child, 100, -1);
//
// `startup` is what passes before the first row, `total` with all rows. A node that is switched off
// (enable_…) costs 1e10 more: it is taken only when there is no other way.
#pragma once

#include <span>

#include "sql/exec.h"
#include "sql/query.h"

namespace cofork {

inline constexpr double kDisabledCost = 1e10;

/// What an index access costs, without the rows of the table (IndexCostEstimate).
struct IndexAccess {
  double startup = 0;
  double total = 0;
  double selectivity = 1;  ///< part of the table's rows it leads to
  double correlation = 0;  ///< of its order with the table's, -1 … 1
  double pages = 0;        ///< of the index
};

/// The sizes an index scan is rated by.
struct IndexSizes {
  double index_tuples = 0;
  double index_pages = 0;
  uint32_t height = 0;  ///< levels below the root
};

class CostModel {
 public:
  CostModel();

  /// Evaluating an expression once a row.
  double of(const Expr* expr) const;
  double of(std::span<Expr* const> exprs) const;
  double per_tuple() const { return cpu_tuple_; }
  double per_operator() const { return cpu_operator_; }
  double sequential_page() const { return seq_page_; }
  double work_memory() const { return work_memory_; }
  double hash_memory() const { return hash_memory_; }

  PlanEstimate sequential_scan(double pages, double tuples, double rows, double filter_cost) const;
  /// One search of a B-tree (btcostestimate). `entries`: index entries read in each of `searches`
  /// (one but for = ANY); `quals`: conditions checked; `loops`: how often the scan is repeated.
  IndexAccess index_access(const IndexSizes& sizes, double entries, double searches, size_t quals,
                           double argument_cost, double loops) const;
  /// The rows of the table as well (cost_index). `visible`: the part of its pages that need not be
  /// looked at (index-only scans).
  PlanEstimate index_scan(const IndexAccess& access, double pages, double tuples, double rows,
                          double filter_cost, double loops, double visible) const;
  PlanEstimate bitmap_index(const IndexAccess& access, double tuples) const;
  PlanEstimate bitmap_heap(const IndexAccess& access, double pages, double tuples, double rows,
                           double filter_cost, double loops) const;

  /// `limit`: how many rows are wanted; -1: all.
  PlanEstimate sort(const PlanEstimate& input, size_t keys, double limit) const;
  PlanEstimate materialize(const PlanEstimate& input) const;
  /// Reading it again (cost_rescan).
  PlanEstimate materialize_again(const PlanEstimate& input) const;
  PlanEstimate aggregate(const PlanEstimate& input, bool is_hashed, size_t keys, double groups,
                         double transition_cost, double final_cost) const;
  /// `again`: what each repetition of the inner side costs.
  PlanEstimate nested_loop(const PlanEstimate& outer, const PlanEstimate& inner,
                           const PlanEstimate& again, double rows, double condition_cost) const;
  /// `bucket_part`: the part of the inner rows that a bucket holds; `condition_cost`: of what is
  /// checked besides the keys, for `matches` rows.
  PlanEstimate hash_join(const PlanEstimate& outer, const PlanEstimate& inner, size_t keys,
                         double bucket_part, double matches, double rows,
                         double condition_cost) const;
  PlanEstimate limit(const PlanEstimate& input, double offset, double count) const;

  /// Whether the hashed rows fit into memory, and into how many batches they go if not.
  static double row_bytes(double rows, int width);
  int hash_batches(double rows, int width) const;

 private:
  double pages_fetched(double tuples, double pages, double index_pages) const;

  double seq_page_, random_page_, cpu_tuple_, cpu_index_tuple_, cpu_operator_;
  double cache_pages_, work_memory_, hash_memory_;
};

/// At least one row, and a whole number of them (clamp_row_est).
double clamp_rows(double rows);

}  // namespace cofork
