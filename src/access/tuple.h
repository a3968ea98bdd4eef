// Tuples: rows as bytes, exactly as PostgreSQL lays them out (heaptuple.c, 15).
//
//   header (tuple_header.h) | null bitmap | padding | values in column order
//
// A value that is NULL takes no space; the others stand at a multiple of their type's alignment,
// counted from the tuple's start. A varlena of up to 126 bytes is stored with a one-byte header and
// no alignment, unless its column is of storage "plain". There is no padding at the end.
//
//   TupleShape shape({…});                              // of a table, once
//   HeapTuple tuple = form_tuple(shape, values, nulls, arena);
//   TupleReader reader(shape, values, nulls);           // a row's worth of room, used again
//   reader.start(tuple.header);
//   reader.need(3);                                     // the first three columns are there now
//
// Reading goes left to right and only as far as asked; by-reference values point into the tuple.
// Columns are counted from 0 here; attribute numbers (from 1) belong to the catalog.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "access/tuple_header.h"
#include "support/arena.h"
#include "support/bytes.h"
#include "types/datum.h"

namespace cofork {

/// A column, as far as its bytes go (the first half of pg_attribute).
struct Attribute {
  Oid type = kInvalidOid;
  int16_t length = -1;  ///< bytes; -1 varlena, -2 C string
  bool by_value = false;
  char align = 'i';    ///< c 1, s 2, i 4, d 8
  char storage = 'x';  ///< p plain, m main, e external, x extended
  bool not_null = false;
  bool dropped = false;
  int32_t typmod = -1;
  /// What a tuple older than the column has there (ADD COLUMN … DEFAULT); without it, NULL.
  bool has_missing = false;
  Datum missing = 0;  ///< its bytes must live as long as the shape
};

/// The columns of a table and how to walk over them.
class TupleShape {
 public:
  TupleShape() = default;
  explicit TupleShape(std::vector<Attribute> attributes);

  int columns() const { return static_cast<int>(attributes_.size()); }
  const Attribute& operator[](int column) const { return attributes_[static_cast<size_t>(column)]; }
  std::span<const Attribute> attributes() const { return attributes_; }

  /// How a value is fetched.
  enum class Fetch : uint8_t { kByte, kInt16, kInt32, kInt64, kFixedBytes, kVarlena, kCString };
  struct Step {
    int32_t known_offset;  ///< from the first value, in a tuple without NULLs; -1: it depends
    int16_t length;
    Fetch fetch;
    uint8_t align;  ///< 1, 2, 4, 8
  };
  const Step* steps() const { return steps_.data(); }
  /// Columns from the first on whose offsets are known.
  int known_columns() const { return known_columns_; }

 private:
  std::vector<Attribute> attributes_;
  std::vector<Step> steps_;
  int known_columns_ = 0;
};

/// A tuple somewhere: in a pinned page, or in an arena.
struct HeapTuple {
  HeapTupleHeader* header = nullptr;
  uint32_t length = 0;  ///< bytes, header included
  ItemPointer self{};   ///< where it is; invalid for one that is nowhere yet
  Oid table = kInvalidOid;

  explicit operator bool() const { return header != nullptr; }
};

/// Makes a tuple in `arena`: not inserted yet, so only the masks and hoff of its header are set.
/// Throws 54011 "number of columns (%d) exceeds limit (%d)".
HeapTuple form_tuple(const TupleShape& shape, const Datum* values, const bool* nulls, Arena& arena);

/// Bytes of the values alone, as if they began at a multiple of 8 (heap_compute_data_size).
uint32_t tuple_data_bytes(const TupleShape& shape, const Datum* values, const bool* nulls);
/// Writes values to zeroed memory; `bits` null: no NULLs among them. Returns the mask bits the
/// values ask for (kTupleHasNull, kTupleHasVarWidth, kTupleHasExternal). (heap_fill_tuple)
uint16_t fill_tuple_data(const TupleShape& shape, const Datum* values, const bool* nulls,
                         char* data, uint8_t* bits);

/// The bytes of a tuple again, in `arena`.
HeapTuple copy_tuple(const HeapTuple& tuple, Arena& arena);

/// Takes tuples of one shape apart, column by column (slot_deform_heap_tuple).
class TupleReader {
 public:
  /// `values` and `nulls` have room for all columns of the shape.
  TupleReader(const TupleShape& shape, Datum* values, bool* nulls)
      : shape_(&shape), values_(values), nulls_(nulls) {}

  /// The tuple must stay where it is as long as it is read and its values are used.
  void start(const HeapTupleHeader* header) {
    header_ = header;
    done_ = 0;
  }
  /// The first `count` columns are in values and nulls afterwards.
  void need(int count) {
    if (done_ < count) read_up_to(count);
  }
  int done() const { return done_; }

 private:
  void read_up_to(int count);
  void fill_missing(int from, int to);

  const TupleShape* shape_;
  Datum* values_;
  bool* nulls_;
  const HeapTupleHeader* header_ = nullptr;
  int done_ = 0;
  uint32_t offset_ = 0;  ///< after the last value read, from the first value
};

/// The first `count` columns at once.
void deform_tuple(const HeapTupleHeader* header, const TupleShape& shape, int count, Datum* values,
                  bool* nulls);
/// One column (heap_getattr, nocachegetattr).
Datum tuple_column(const HeapTupleHeader* header, const TupleShape& shape, int column,
                   bool& is_null);
bool tuple_column_is_null(const HeapTupleHeader* header, const TupleShape& shape, int column);
/// The same bytes? Not the type's notion of equality (datumIsEqual): what HOT asks.
bool datums_have_same_bytes(const Attribute& attribute, Datum a, Datum b);

/// Bytes of a stored varlena, header included, whatever form it has (VARSIZE_ANY).
uint32_t varlena_bytes(const char* value);
/// A pointer to a value that lives elsewhere (VARATT_IS_EXTERNAL).
inline bool varlena_is_external(const char* value) {
  return static_cast<uint8_t>(value[0]) == 0x01;
}
inline bool varlena_is_short(const char* value) {
  return (static_cast<uint8_t>(value[0]) & 1) != 0;
}
inline bool varlena_is_compressed(const char* value) {
  return (static_cast<uint8_t>(value[0]) & 3) == 2;
}

}  // namespace cofork
