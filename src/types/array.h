// Arrays in PostgreSQL's own form, so that one in a heap page and one in an expression are the same
// bytes (array.h, ArrayType):
//
//   varlena header, int32 dimensions, int32 data offset (0: no NULLs), oid of the element type,
//   int32 lengths[dimensions], int32 lower bounds[dimensions], null bitmap (when there are NULLs),
//   elements, each aligned as its type wants
//
// An empty array has no dimensions. Nothing here knows any element type: the caller says how long
// and how aligned elements are.
#pragma once

#include <cstdint>
#include <span>

#include "types/datum.h"

namespace cofork {

inline constexpr int kMostDimensions = 6;
inline constexpr size_t kMostElements = ((size_t{1} << 30) - 1) / sizeof(Datum);

struct ElementLayout {
  int16_t length;  ///< typlen
  bool by_value;
  char align;
};

/// What an array looks like, read from its header.
class ArrayView {
 public:
  /// `value` has a 4-byte header: whoever reads a short one from a page unpacks it first.
  explicit ArrayView(Datum value);

  int dimensions() const { return dimensions_; }
  int length(int dimension) const { return word(16 + 4 * dimension); }
  int lower_bound(int dimension) const { return word(16 + 4 * (dimensions_ + dimension)); }
  Oid element_type() const { return static_cast<Oid>(word(12)); }
  int count() const { return count_; }
  bool has_nulls() const { return word(8) != 0; }

 private:
  friend class ArrayReader;
  int32_t word(int offset) const { return load_le<int32_t>(bytes_ + offset); }
  const char* bytes_;
  int dimensions_;
  int count_;
};

/// Walks the elements in storage order.
class ArrayReader {
 public:
  ArrayReader(const ArrayView& array, ElementLayout layout);
  /// False at the end. `value` points into the array.
  bool next(Datum& value, bool& is_null);

 private:
  ElementLayout layout_;
  const char* cursor_;
  const uint8_t* null_bitmap_;
  int index_ = 0;
  int count_;
};

struct ArrayShape {
  int dimensions = 0;
  int lengths[kMostDimensions] = {};
  int lower_bounds[kMostDimensions] = {};

  static ArrayShape of(const ArrayView& array);
  static ArrayShape one_dimension(int count, int lower_bound = 1);
  /// Elements in all; 54000 "array size exceeds the maximum allowed".
  int count() const;
  bool operator==(const ArrayShape&) const = default;
};

/// Builds an array in `arena`; `nulls` may be null (no NULLs). values.size() is shape.count().
Datum build_array(Arena& arena, Oid element_type, ElementLayout layout, const ArrayShape& shape,
                  std::span<const Datum> values, const bool* nulls);

/// Bytes a varlena, cstring or fixed-length value takes, its header included.
size_t stored_bytes(Datum value, int16_t length);
/// Where a value of this alignment may begin, at or after `offset`.
size_t align_for(size_t offset, char align);
/// Reads a by-value datum of `length` bytes, or points at the bytes.
Datum fetch_stored(const char* at, ElementLayout layout);

}  // namespace cofork
