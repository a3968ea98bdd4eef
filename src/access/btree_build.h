// BtreeBuild: a new index from all rows of a table at once (as nbtsort.c, 15).
//
// Entries are collected and sorted, in memory up to a limit and beyond it in sorted runs in a
// temporary file. Then leaves are filled from left to right, and the levels above grow with them.
// Pages do not go through the buffer pool: each is written to WAL as a whole and then to the file,
// which is forced to disk at the end, because no checkpoint knows of those writes.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "access/btree.h"

namespace cofork {

class IndexSort;

class BtreeBuild {
 public:
  /// The index has an empty main fork. `memory_bytes`: maintenance_work_mem.
  BtreeBuild(BtreeIndex& index, size_t memory_bytes);
  ~BtreeBuild();

  /// One row; any order. A row that is dead but still seen by somebody is entered with `live`
  /// false: it does not take part in the unique check.
  void add(const Datum* values, const bool* nulls, const ItemPointer& tid, bool live = true);

  /// Values of a key that two live rows have: for 23505 "could not create unique index …", DETAIL
  /// "Key (a)=(1) is duplicated.".
  struct Duplicate {
    std::vector<Datum> values;  ///< key columns; they live as long as the build
    std::vector<char> nulls;
  };
  /// Writes the index. With a duplicate in a unique index it stops: the file is of no use then.
  std::optional<Duplicate> finish();

 private:
  bool are_duplicates(const IndexTuple& a, const IndexTuple& b) const;
  Duplicate duplicate_of(const IndexTuple& tuple);

  BtreeIndex& index_;
  std::unique_ptr<IndexSort> sort_;
  std::unique_ptr<IndexSort> dead_sort_;  ///< entries of rows that are not live
  size_t memory_bytes_;
  Arena row_arena_;
};

}  // namespace cofork
