// Reading tables: from the first page to the last, or by an index.
//
// Both put a row's columns into the slots of its range table entry, straight out of the page; the
// page stays pinned until the next row is asked for, so by-reference values are read where they
// lie.
#pragma once

#include <optional>
#include <vector>

#include "access/btree_scan.h"
#include "access/heap.h"
#include "access/heap_scan.h"
#include "catalog/relation_cache.h"
#include "sql/exec.h"

namespace cofork {

/// How the rows of one range table entry come into the frame.
class TableRow {
 public:
  /// Only what the entry's `used` says is read.
  TableRow(RelationDesc& relation, const RangeEntry& entry);

  void open(Execution& execution);
  /// By-reference values point into the tuple, except for arrays, which need a long header, and
  /// long values that were compressed or moved out (TOAST): those are fetched.
  void show(Execution& execution, const HeapTuple& tuple) {
    show_first(tuple, 0);
    show_rest(execution, tuple);
  }
  /// The same in two steps: some columns, and, if the row is wanted then, the others.
  void show_first(const HeapTuple& tuple, int columns) {
    reader_->start(tuple.header);
    reader_->need(columns);
  }
  void show_rest(Execution& execution, const HeapTuple& tuple);
  /// The system columns alone.
  void show_system(Execution& execution, const HeapTuple& tuple);
  const ItemPointer& place() const { return place_; }
  RelationDesc& relation() const { return relation_; }
  const RangeEntry& entry() const { return entry_; }
  int first_slot() const { return first_slot_; }

 private:
  RelationDesc& relation_;
  const RangeEntry& entry_;
  int first_slot_;
  int needed_ = 0;  ///< columns to read, from the first on
  bool shows_system_ = false;
  std::vector<int> arrays_;  ///< columns that may have to be unpacked
  std::vector<int> long_;    ///< columns that may be compressed or moved out
  std::optional<TupleReader> reader_;
  ItemPointer place_{};
  Arena arena_;
};

/// nodeSeqscan.c.
class SeqScanNode : public PlanNode {
 public:
  SeqScanNode(RelationDesc& relation, const RangeEntry& entry) : row_(relation, entry) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override {
    if (!scan_->next()) return false;
    row_.show_first(scan_->tuple(), first_columns_);
    if (first_columns_ == 0) row_.show_rest(execution, scan_->tuple());
    return true;
  }
  void show_first(int columns) override { first_columns_ = columns; }
  void rest_of_row(Execution& execution) override {
    if (first_columns_ != 0) row_.show_rest(execution, scan_->tuple());
  }
  void close() override { scan_.reset(); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  TableRow row_;
  int first_columns_ = 0;  ///< what a filter sees; 0: all
  std::optional<HeapScan> scan_;
};

/// One condition of an index scan: the column, and a program for what it is compared with.
struct IndexKeyPlan {
  int column = 0;  ///< of the index
  BtreeStrategy strategy = BtreeStrategy::kEqual;
  BtreeCondition::Kind kind = BtreeCondition::Kind::kValue;
  Program* value = nullptr;
  Oid value_type = kInvalidOid;
  int (*compare)(Datum, Datum) = nullptr;  ///< when the types differ
  Expr* condition = nullptr;               ///< for EXPLAIN
};

/// A search of a B-tree that starts over with new values: what the scans by index share.
class IndexSearch {
 public:
  IndexSearch(IndexDesc& index, std::vector<IndexKeyPlan> keys, const BtreeScan::Options& options)
      : index_(index), keys_(std::move(keys)), conditions_(keys_.size()), options_(options) {}
  void open(Execution& execution);
  BtreeScan& scan() { return *scan_; }
  /// Lets go of pages.
  void close();
  IndexDesc& index() const { return index_; }
  /// "Index Cond": the conditions it searches by.
  std::vector<Expr*> conditions() const;

 private:
  void set_condition(Execution& execution, size_t number);

  IndexDesc& index_;
  std::vector<IndexKeyPlan> keys_;
  std::vector<BtreeCondition> conditions_;
  BtreeScan::Options options_;
  std::optional<BtreeScan> scan_;
  bool is_open_ = false;
  Arena arena_;
};

/// nodeIndexscan.c.
class IndexScanNode : public PlanNode {
 public:
  IndexScanNode(RelationDesc& relation, const RangeEntry& entry, IndexDesc& index,
                std::vector<IndexKeyPlan> keys, ScanDirection direction)
      : row_(relation, entry),
        search_(index, std::move(keys), {}),
        direction_(direction),
        fetch_(relation.access) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  TableRow row_;
  IndexSearch search_;
  ScanDirection direction_;
  HeapIndexFetch fetch_;
};

/// Takes the columns out of the index itself, and goes to the table only for pages of which the
/// visibility map does not say that everybody sees their rows (nodeIndexonlyscan.c).
class IndexOnlyScanNode : public PlanNode {
 public:
  IndexOnlyScanNode(RelationDesc& relation, const RangeEntry& entry, IndexDesc& index,
                    std::vector<IndexKeyPlan> keys, ScanDirection direction);
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  void show(Execution& execution, const IndexTuple& tuple);

  RelationDesc& relation_;
  const RangeEntry& entry_;
  IndexSearch search_;
  ScanDirection direction_;
  HeapIndexFetch fetch_;
  std::vector<std::pair<int, int>> columns_;  ///< of the index, and the slot it goes to
  Buffer map_page_;
  int64_t heap_fetches_ = 0;
  Arena arena_;
};

/// The rows an index leads to, in its order: their addresses only (nodeBitmapIndexscan.c).
class BitmapIndexScanNode : public PlanNode {
 public:
  BitmapIndexScanNode(IndexDesc& index, std::vector<IndexKeyPlan> keys)
      : search_(index, std::move(keys), {}) {}
  void open(Execution& execution) override { search_.open(execution); }
  bool next(Execution& execution) override;
  void close() override { search_.close(); }
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;
  const ItemPointer& tid() { return search_.scan().tid(); }
  std::vector<Expr*> conditions() const { return search_.conditions(); }

 private:
  IndexSearch search_;
};

/// Collects addresses of rows, and then reads them in the order of the table, each page once
/// (nodeBitmapHeapscan.c). The addresses are kept exactly, however many they are.
class BitmapHeapScanNode : public PlanNode {
 public:
  BitmapHeapScanNode(RelationDesc& relation, const RangeEntry& entry, BitmapIndexScanNode* index)
      : row_(relation, entry), index_(index), fetch_(relation.access) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

 private:
  void collect(Execution& execution);

  TableRow row_;
  BitmapIndexScanNode* index_;
  HeapIndexFetch fetch_;
  std::vector<uint64_t> places_;  ///< block << 16 | item, in order
  size_t at_ = 0;
  bool has_collected_ = false;
  int64_t blocks_ = 0;  ///< pages visited, for EXPLAIN ANALYZE
};

}  // namespace cofork
