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
    kAnyOf,  ///< = ANY (array): `elements` of the column's type, in any order, without nulls
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
    bool want_tuples = false;   ///< keep the entries themselves: tuple() (index-only scans)
    bool hold_pins = false;     ///< for index-only scans and snapshots that are not MVCC
    bool ignore_killed = true;  ///< pass over entries known to be dead
  };
  BtreeScan(BtreeIndex& index, const Options& options);
  ~BtreeScan();
  BtreeScan(const BtreeScan&) = delete;

  /// Begins anew. Values the conditions point at must stay until the next rescan().
  void rescan(std::span<const BtreeCondition> conditions);

  /// Goes to the next entry; false at the end. The direction may change between calls. A call after
  /// the end begins at the other end of what fits, in its direction.
  bool next(ScanDirection direction = ScanDirection::kForward) {
    bool forward = direction == ScanDirection::kForward;
    if (page_.is_valid() && (forward ? position_ < last_ : position_ > 0)) [[likely]] {
      position_ += forward ? 1 : -1;
      return true;
    }
    return next_page(direction);
  }
  /// Row of the current entry.
  const ItemPointer& tid() const { return items_[static_cast<size_t>(position_)].tid; }
  /// The current entry, with want_tuples. Of a posting list: its key alone.
  const IndexTuple& tuple() const {
    return *reinterpret_cast<const IndexTuple*>(
        tuples_.data() + items_[static_cast<size_t>(position_)].tuple_offset);
  }
  /// Nobody can see the row of the current entry any more: the entry may be marked dead.
  void kill_current() { killed_.push_back(position_); }

  /// Lets go of the page, having marked on it what was killed: the destructor must not wait, and so
  /// does not mark anything. The next call of next() begins anew.
  void end();

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
    OffsetNumber offset;    ///< on the page
    uint32_t tuple_offset;  ///< in tuples_
  };
  /// A condition after preprocessing.
  struct Key {
    int column = 0;
    BtreeStrategy strategy = BtreeStrategy::kEqual;
    BtreeStrategy order_strategy = BtreeStrategy::kEqual;  ///< turned round for a descending column
    BtreeCondition::Kind kind = BtreeCondition::Kind::kValue;
    Datum value = 0;
    int (*compare)(Datum, Datum) = nullptr;
    std::span<const Datum> elements = {};
    /// Once it fails going that way, nothing further on can fit.
    bool required_forward = false;
    bool required_backward = false;

    bool is_equality() const {
      return kind == BtreeCondition::Kind::kIsNull || kind == BtreeCondition::Kind::kAnyOf ||
             (kind == BtreeCondition::Kind::kValue && strategy == BtreeStrategy::kEqual);
    }
  };
  /// = ANY: the elements are looked for one after another, in the order of the index.
  struct Array {
    size_t key;
    std::vector<Datum> elements;
    size_t current = 0;
  };
  /// The page whose items are handed out.
  struct Position {
    BlockNumber block = kInvalidBlock;
    BlockNumber right = kBtreeNone;  ///< as it was when the page was read: what has moved there
                                     ///< since has been seen already
    Lsn lsn;
    bool more_left = false;
    bool more_right = false;
    bool is_valid() const { return block != kInvalidBlock; }
  };

  // Conditions (btree_scan_keys.cc).
  Key make_key(const BtreeCondition& condition) const;
  void add_column_keys(int column, std::span<const BtreeCondition> conditions, bool& prefix_equal);
  bool are_comparable(const Key& a, const Key& b) const;
  bool reduce_with_equality(std::vector<Key>& keys);
  void reduce_inequalities(std::vector<Key>& keys);
  void start_arrays(ScanDirection direction);
  bool advance_arrays(ScanDirection direction);
  struct Start {
    SearchKey key;
    bool from_end = false;  ///< no condition bounds the beginning
    bool go_back = false;   ///< the entry before the one found is the first
  };
  void make_start(ScanDirection direction, Start& start) const;
  const Key* boundary_of(int column, ScanDirection direction, bool& not_null) const;
  bool fits(const IndexTuple& tuple, int columns, ScanDirection direction, bool& go_on) const;

  // Pages (btree_scan.cc).
  bool next_page(ScanDirection direction);
  bool first_page(ScanDirection direction);
  bool step_page(ScanDirection direction);
  bool go_right(BlockNumber block);
  bool go_left();
  bool read_page(ScanDirection direction, OffsetNumber from);
  void read_forward(OffsetNumber from, bool& go_on);
  void read_backward(OffsetNumber from, bool& go_on);
  void save_tuple(const IndexTuple& tuple, OffsetNumber number, bool backward);
  void unlock_page();
  Buffer walk_left(Buffer buffer);
  Buffer find_again(BlockNumber original, BlockNumber left);
  void leave_page();
  void kill_items();

  BtreeIndex& index_;
  Options options_;
  std::vector<Key> keys_;
  std::vector<Array> arrays_;
  bool impossible_ = false;  ///< the conditions contradict each other

  Position page_;
  Buffer buffer_;  ///< pinned while the items are handed out, if that is wanted
  std::vector<Item> items_;
  std::vector<char> tuples_;  ///< copies for want_tuples
  int last_ = -1;             ///< of items_
  int position_ = -1;
  std::vector<int> killed_;

  struct Mark {
    bool on_this_page = false;
    int position = -1;
    Position page;  ///< the rest is filled in when the page is left
    Buffer buffer;
    std::vector<Item> items;
    std::vector<char> tuples;
    std::vector<size_t> arrays;
  };
  Mark mark_;
};

}  // namespace cofork
