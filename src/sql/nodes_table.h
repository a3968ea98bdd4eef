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
  /// By-reference values point into the tuple, except for arrays, which need a long header.
  void show(Execution& execution, const HeapTuple& tuple);
  /// The system columns alone.
  void show_system(Execution& execution, const HeapTuple& tuple);
  const ItemPointer& place() const { return place_; }
  RelationDesc& relation() const { return relation_; }
  int first_slot() const { return first_slot_; }

 private:
  RelationDesc& relation_;
  int first_slot_;
  int needed_ = 0;  ///< columns to read, from the first on
  bool shows_system_ = false;
  std::vector<int> arrays_;  ///< columns that may have to be unpacked
  std::optional<TupleReader> reader_;
  ItemPointer place_{};
  Arena arena_;
};

/// nodeSeqscan.c.
class SeqScanNode final : public PlanNode {
 public:
  SeqScanNode(RelationDesc& relation, const RangeEntry& entry, std::string_view alias)
      : row_(relation, entry), alias_(alias) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override {
    if (!scan_->next()) return false;
    row_.show(execution, scan_->tuple());
    return true;
  }
  void close() override { scan_.reset(); }
  void explain(ExplainSink& sink) const override;

 private:
  TableRow row_;
  std::string alias_;
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
  const Expr* condition = nullptr;         ///< for EXPLAIN
};

/// nodeIndexscan.c.
class IndexScanNode final : public PlanNode {
 public:
  IndexScanNode(RelationDesc& relation, const RangeEntry& entry, std::string_view alias,
                IndexDesc& index, std::vector<IndexKeyPlan> keys, ScanDirection direction)
      : row_(relation, entry),
        alias_(alias),
        index_(index),
        keys_(std::move(keys)),
        conditions_(keys_.size()),
        direction_(direction),
        fetch_(relation.access) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void close() override;
  void explain(ExplainSink& sink) const override;

 private:
  void set_condition(Execution& execution, size_t number);

  TableRow row_;
  std::string alias_;
  IndexDesc& index_;
  std::vector<IndexKeyPlan> keys_;
  std::vector<BtreeCondition> conditions_;
  ScanDirection direction_;
  HeapIndexFetch fetch_;
  std::optional<BtreeScan> scan_;
  bool is_open_ = false;
  Arena arena_;
};

}  // namespace cofork
