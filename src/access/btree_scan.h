// BtreeScan: entries of an index in order, those that fit a condition (as nbtsearch.c and
// nbtutils.c, 15).
//
// A leaf is read as a whole: with the page locked once, all entries that fit are noted, and next()
// then hands them out one by one. The pin is let go at once when the caller's snapshot makes it
// safe: an MVCC snapshot does not see what a reused row address holds now. With `hold_pins` it is
// kept until the page is done with, which keeps VACUUM from removing the rows meanwhile.
//
// The conditions are a conjunction. As long as the leading columns have equalities, and up to the
// first inequality, conditions bound the part of the index that is read; the others are only
// checked.
#pragma once

#include <span>
#include <vector>

#include "access/btree.h"
#include "access/btree_search.h"

namespace cofork {

/// Strategy numbers of B-trees (stratnum.h).
enum class BtreeStrategy : uint8_t {
  kLess = 1,
  kLessEqual = 2,
  kEqual = 3,
  kGreaterEqual = 4,
  kGreater = 5,
};

enum class ScanDirection : int8_t { kBackward = -1, kForward = 1 };

/// One condition: `column strategy value`.
struct BtreeCondition {
  enum class Kind : uint8_t {
    kValue,
    kIsNull,
    kIsNotNull,
    kAnyOf,  ///< = ANY (array): `elements`, in any order; nulls left out by the caller
  };
  int column = 0;
  BtreeStrategy strategy = BtreeStrategy::kEqual;
  Kind kind = Kind::kValue;
  Datum value = 0;
  bool value_is_null = false;  ///< the condition can never be true
  std::span<const Datum> elements;
  /// Order of a column's value against the condition's, when their types differ; null: the
  /// column's own.
  int (*compare)(Datum column_value, Datum value) = nullptr;
};

class BtreeScan {
 public:
  struct Options {
    bool want_tuples = false;  ///< keep the entries themselves: tuple() (index-only scans)
    bool hold_pins = false;    ///< for index-only scans and snapshots that are not MVCC
    bool ignore_killed = true;  ///< pass over entries known to be dead
  };
  BtreeScan(BtreeIndex& index, const Options& options);
  ~BtreeScan();
  BtreeScan(const BtreeScan&) = delete;

  /// Begins anew. Values the conditions point at must stay until the next rescan().
  void rescan(std::span<const BtreeCondition> conditions);

  /// Goes to the next entry; false at the end. The direction may change between calls.
  bool next(ScanDirection direction = ScanDirection::kForward);
  /// Row of the current entry.
  const ItemPointer& tid() const { return items_[static_cast<size_t>(position_)].tid; }
  /// The current entry, with want_tuples. Of a posting list: its key alone.
  const IndexTuple& tuple() const {
    return *reinterpret_cast<const IndexTuple*>(
        tuples_.data() + items_[static_cast<size_t>(position_)].tuple_offset);
  }
  /// Nobody can see the row of the current entry any more: it may be marked dead in the index.
  void kill_prior_tuple();

  /// Remembers the position, and goes back to it (merge joins).
  void mark();
  void restore();

  /// All rows at once, in no order anybody should rely on (btgetbitmap). Returns how many.
  template <typename Add>
  int64_t for_each(Add&& add) {
    int64_t count = 0;
    for (; next(); ++count) add(tid());
    return count;
  }

 private:
  struct Item {
    ItemPointer tid;
    OffsetNumber offset;     ///< on the page
    uint32_t tuple_offset;   ///< in tuples_
  };
  /// A condition after preprocessing.
  struct Key {
    int column;
    BtreeStrategy strategy;
    BtreeCondition::Kind kind;
    Datum value;
    int (*compare)(Datum, Datum);
    bool required_forward = false;   ///< once it fails going forward, nothing more can fit
    bool required_backward = false;
    int array = -1;  ///< index into arrays_: value changes with its position
  };
  struct Array {
    size_t key;
    std::vector<Datum> elements;
    size_t current = 0;
  };
  struct Position {
    BlockNumber block = kInvalidBlock;
    BlockNumber next_block = kBtreeNone;  ///< the page's right link when it was read
    Lsn lsn;
    bool more_left = false;
    bool more_right = false;
    bool is_valid() const { return block != kInvalidBlock; }
  };

  // Preparation (btree_scan_keys.cc).
  void preprocess(std::span<const BtreeCondition> conditions);
  void keep_best_keys(int column, std::vector<Key>& of_column, bool prefix_is_equal,
                      bool& equality, bool& bounded);
  void start_arrays(ScanDirection direction);
  bool advance_arrays(ScanDirection direction);
  bool make_start_key(ScanDirection direction, SearchKey& key, bool& from_end);

  // Reading (btree_scan.cc).
  bool first_page(ScanDirection direction);
  bool step_page(ScanDirection direction);
  bool read_next_page(BlockNumber block, ScanDirection direction);
  bool read_page(ScanDirection direction, OffsetNumber from);
  void drop_lock_and_maybe_pin();
  void save_item(const IndexTuple& tuple, OffsetNumber number, bool backward);
  bool fits(const IndexTuple& tuple, int columns, ScanDirection direction, bool& go_on);
  Buffer walk_left(Buffer buffer);
  void leave_page();
  void kill_items();
  void invalidate();

  BtreeIndex& index_;
  Options options_;
  std::vector<Key> keys_;
  std::vector<Array> arrays_;
  bool impossible_ = false;  ///< the conditions contradict each other
  bool arrays_started_ = false;

  Position page_;
  Buffer buffer_;  ///< pinned while its items are handed out; locked only inside calls
  std::vector<Item> items_;
  std::vector<char> tuples_;  ///< copies for want_tuples
  int first_ = 0, last_ = -1, position_ = -1;
  std::vector<int> killed_;
  bool killed_whole_page_known_ = false;

  struct Mark {
    bool set = false;
    bool same_page = false;
    int position = -1;
    Position page;
    std::vector<Item> items;
    std::vector<char> tuples;
    int first = 0, last = -1;
    std::vector<size_t> arrays;
  };
  Mark mark_;
};

}  // namespace cofork
