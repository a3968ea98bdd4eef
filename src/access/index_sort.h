// IndexSort: index tuples in key order, more of them than fit into memory if need be (the part of
// tuplesort.c, 15, that building a B-tree needs).
//
// Tuples are collected until the memory is used up; then they are sorted and written to a temporary
// file as a run. At the end there is either one sorted array, or the runs are merged while they are
// read. Equal keys are ordered by the address of their row.
#pragma once

#include <memory>
#include <vector>

#include "access/index_tuple.h"
#include "io/file.h"

namespace cofork {

/// A file under base/pgsql_tmp that goes away with its object (OpenTemporaryFile).
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  /// Bytes at its end; throws 53100 and friends "could not write to file …".
  void append(const void* bytes, size_t count);
  void read(void* bytes, size_t count, uint64_t offset) const;
  uint64_t size() const { return size_; }

 private:
  File file_;
  uint64_t size_ = 0;
};

/// < 0, 0, > 0 by the key columns of two plain tuples.
int index_compare_keys(const IndexShape& shape, const IndexTuple& a, const IndexTuple& b);

class IndexSort {
 public:
  IndexSort(const IndexShape& shape, size_t memory_bytes);
  ~IndexSort();

  /// Takes a copy.
  void add(const IndexTuple& tuple);
  /// After the last one.
  void sort();
  /// In order; null after the last. Stays until the next call.
  const IndexTuple* next();
  bool spilled() const { return !runs_.empty(); }

 private:
  struct Entry {
    const IndexTuple* tuple;
    Datum first;
    bool first_is_null;
  };
  /// A sorted part of the file, read through a buffer.
  struct Run {
    uint64_t offset;  ///< of what is not in the buffer yet
    uint64_t end;
    std::vector<char> buffer;
    size_t position = 0;
    size_t filled = 0;
    Entry entry{};
  };
  Entry entry_of(const IndexTuple& tuple) const;
  bool is_before(const Entry& a, const Entry& b) const;
  void sort_memory();
  void write_run();
  bool load_next(Run& run);

  const IndexShape& shape_;
  size_t memory_bytes_;
  size_t used_bytes_ = 0;  ///< of entries_ and their tuples
  Arena arena_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
  std::unique_ptr<TemporaryFile> file_;
  std::vector<Run> runs_;
  std::vector<Run*> heap_;  ///< the run with the lowest tuple is at the front
  bool front_is_used_ = false;
};

}  // namespace cofork
