// Index tuples: the bytes of one entry of an index (as itup.h and the tuple notes of nbtree.h, 15).
//
//   t_tid (6) | t_info (2) | [null bitmap (8 with padding)] | attributes … | padding to 8
//   t_info    0x1FFF size in bytes   0x2000 t_tid has another meaning   0x4000 variable widths
//             0x8000 nulls
//
// Three kinds share this form:
//
//   plain     one heap row; t_tid is its address
//   posting   several rows with the same key: t_tid holds where in the tuple the array of sorted
//             addresses begins and how many there are (0x2000 in its offset word)
//   pivot     separates pages: t_tid holds a downlink (internal items) and how many key columns are
//             left; those cut off mean minus infinity. A heap address may follow as the last key
//             (0x1000 in the offset word, the last 6 bytes of the tuple).
//
// Attributes are packed as in heap rows. Nothing here knows pages or trees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "access/tuple.h"
#include "storage/page.h"
#include "support/arena.h"
#include "types/datum.h"

namespace cofork {

/// Most columns an index may have, INCLUDE columns among them (INDEX_MAX_KEYS). The catalog refuses
/// more with 54011.
inline constexpr int kIndexMaxColumns = 32;

/// How one key column is ordered (the opclass and indoption of pg_index).
struct IndexKey {
  int (*compare)(Datum a, Datum b) = nullptr;  ///< ascending order of the type: <0, 0, >0
  bool descending = false;
  bool nulls_first = false;
};

/// What an index consists of.
struct IndexShape {
  TupleShape tuple;            ///< all columns; those after the keys are INCLUDE columns
  std::vector<IndexKey> keys;  ///< one for each of the first columns
  bool unique = false;
  bool nulls_not_distinct = false;
  bool all_equal_image = false;  ///< equal keys are equal bytes: deduplication would be safe

  int column_count() const { return tuple.columns(); }
  int key_count() const { return static_cast<int>(keys.size()); }
};

/// An index tuple where it lies. Never constructed: pointers to it point into pages or arenas.
struct IndexTuple {
  static constexpr uint16_t kSizeMask = 0x1FFF;
  static constexpr uint16_t kAlternativeTid = 0x2000;
  static constexpr uint16_t kHasVariableWidths = 0x4000;
  static constexpr uint16_t kHasNulls = 0x8000;
  static constexpr uint16_t kCountMask = 0x0FFF;  ///< of the offset word with kAlternativeTid
  static constexpr uint16_t kPivotHasTid = 0x1000;
  static constexpr uint16_t kIsPosting = 0x2000;

  ItemPointer t_tid;
  uint16_t t_info;

  size_t size() const { return t_info & kSizeMask; }
  bool has_nulls() const { return (t_info & kHasNulls) != 0; }
  size_t data_offset() const { return has_nulls() ? 16 : 8; }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  char* bytes() { return reinterpret_cast<char*>(this); }
  bool is_null(int column) const {
    return has_nulls() &&
           (static_cast<uint8_t>(bytes()[8 + column / 8]) & (1u << (column % 8))) == 0;
  }
  void set_size(size_t size) {
    t_info = static_cast<uint16_t>((t_info & ~kSizeMask) | static_cast<uint16_t>(size));
  }

  bool is_posting() const {
    return (t_info & kAlternativeTid) != 0 && (t_tid.offset & kIsPosting) != 0;
  }
  bool is_pivot() const {
    return (t_info & kAlternativeTid) != 0 && (t_tid.offset & kIsPosting) == 0;
  }
  /// Columns that are there: those kept in a pivot, all in the other kinds.
  int column_count(const IndexShape& shape) const {
    return is_pivot() ? t_tid.offset & kCountMask : shape.column_count();
  }

  // Pivots.
  BlockNumber downlink() const { return t_tid.block(); }
  void set_downlink(BlockNumber block) { t_tid = {block, t_tid.offset}; }
  /// Makes it a pivot with this many key columns and perhaps a heap address at its end.
  void set_pivot(int key_columns, bool has_tid) {
    t_info |= kAlternativeTid;
    t_tid.offset = static_cast<uint16_t>(key_columns | (has_tid ? kPivotHasTid : 0));
  }

  // Posting lists.
  int posting_count() const { return t_tid.offset & kCountMask; }
  size_t posting_offset() const { return t_tid.block(); }
  const ItemPointer* posting() const {
    return reinterpret_cast<const ItemPointer*>(bytes() + posting_offset());
  }
  ItemPointer* posting() { return reinterpret_cast<ItemPointer*>(bytes() + posting_offset()); }
  void set_posting(size_t offset, int count) {
    t_info |= kAlternativeTid;
    t_tid = {static_cast<BlockNumber>(offset), static_cast<uint16_t>(count | kIsPosting)};
  }

  /// The heap address that takes part in ordering (a posting list's lowest); null when it was cut
  /// off.
  const ItemPointer* heap_tid() const;
  ItemPointer* heap_tid() {
    return const_cast<ItemPointer*>(static_cast<const IndexTuple*>(this)->heap_tid());
  }
  /// The highest address of a plain or posting tuple.
  const ItemPointer* max_heap_tid() const {
    return is_posting() ? posting() + posting_count() - 1 : &t_tid;
  }
  /// All rows a plain or posting tuple stands for.
  std::span<const ItemPointer> heap_tids() const {
    if (is_posting()) return {posting(), static_cast<size_t>(posting_count())};
    return {&t_tid, 1};
  }
};
static_assert(sizeof(IndexTuple) == 8);

/// The value of a column (0-based), pointing into the tuple; 0 with is_null for a null.
Datum index_attribute(const IndexTuple& tuple, const IndexShape& shape, int column, bool& is_null);
/// All columns that are there, at most `count`; arrays have room for them.
void index_deform(const IndexTuple& tuple, const IndexShape& shape, int count, Datum* values,
                  bool* nulls);

/// A plain tuple without its address (index_form_tuple). Varlena values come uncompressed and in
/// line. Throws 54000 "index row requires … bytes, maximum size is 8191".
IndexTuple* index_form_tuple(const IndexShape& shape, const Datum* values, const bool* nulls,
                             Arena& arena);

/// Number of leading key columns in which the tuples do not differ all the way, plus one: the
/// columns a separator of the two must keep (_bt_keep_natts). key_count + 1 when all are equal.
int index_keep_columns(const IndexShape& shape, const IndexTuple& left, const IndexTuple& right);

/// The shortest pivot that is above `last_left` and not above `first_right` (_bt_truncate): the
/// first columns of the latter, with the address of the former when all key columns are equal.
IndexTuple* index_truncate(const IndexShape& shape, const IndexTuple& last_left,
                           const IndexTuple& first_right, Arena& arena);

/// A tuple with the key of `base` and the given rows: plain for one, posting for more
/// (_bt_form_posting). `base` is plain or posting.
IndexTuple* index_form_posting(const IndexTuple& base, std::span<const ItemPointer> tids,
                               Arena& arena);

IndexTuple* copy_index_tuple(const IndexTuple& tuple, Arena& arena);

}  // namespace cofork
