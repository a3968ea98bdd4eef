// Reading a table from its first page to its last (heap_beginscan, heapgetpage; heapam.c, 15).
//
// A page is judged as a whole: with the page locked once, the offsets of all visible tuples are
// noted, and next() then hands them out with nothing but a pin. A page that is marked all-visible
// needs no judging at all.
#pragma once

#include "access/heap.h"

namespace cofork {

class HeapScan {
 public:
  struct Options {
    bool bulk_strategy = true;  ///< a table over a quarter of the pool goes through a small ring
    BlockNumber first_block = 0;
    BlockNumber blocks = kInvalidBlock;  ///< at most so many; kInvalidBlock: all
  };
  /// The table's length is taken here: pages added later hold nothing the snapshot could see.
  HeapScan(Relation& relation, const Snapshot& snapshot);
  HeapScan(Relation& relation, const Snapshot& snapshot, const Options& options);

  /// Goes to the next visible tuple; false at the end. Checks interrupts once a page.
  bool next() {
    if (position_ < visible_count_) [[likely]]
      return take();
    return next_page();
  }
  /// Valid until the next call of next().
  const HeapTuple& tuple() const { return tuple_; }
  Buffer& buffer() { return buffer_; }
  /// From the beginning again.
  void rewind();
  BlockNumber blocks() const { return end_block_; }
  BlockNumber block() const { return block_; }

 private:
  bool take();
  bool next_page();
  void read_page();

  Relation& relation_;
  const Snapshot& snapshot_;
  std::optional<AccessStrategy> strategy_;
  BlockNumber first_block_ = 0;
  BlockNumber end_block_ = 0;
  BlockNumber next_block_ = 0;
  BlockNumber block_ = kInvalidBlock;
  Buffer buffer_;
  HeapTuple tuple_;
  int position_ = 0;
  int visible_count_ = 0;
  OffsetNumber visible_[kMaxHeapTuplesPerPage];
};

}  // namespace cofork
