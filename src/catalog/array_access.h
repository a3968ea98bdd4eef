// Subscripts: what array[i], array[a:b] and UPDATE … SET array[i] = v need, for the SQL engine.
//
// As array_get_element, array_get_slice and array_set_element in arrayfuncs.c, PostgreSQL 15.
#pragma once

#include <optional>
#include <span>

#include "catalog/builtin.h"
#include "types/array.h"

namespace cofork {

/// The element there; nothing when it is NULL, out of bounds, or the wrong number of subscripts.
std::optional<Datum> array_element(Datum array, std::span<const int32_t> subscripts);

/// One dimension of a slice; a bound that is left out reaches to the array's own.
struct ArrayRange {
  std::optional<int32_t> lower;
  std::optional<int32_t> upper;
};
/// The part of the array, renumbered from 1; empty when nothing of it lies inside.
Datum array_slice(Arena& arena, Datum array, std::span<const ArrayRange> ranges);

/// The array with one element changed (nothing: NULL). A one-dimensional array grows as needed, the
/// gap filled with NULLs; no array yet (0) begins as one element. 2202E when out of bounds.
Datum array_with_element(Arena& arena, Datum array, Oid element_type,
                         std::span<const int32_t> subscripts, std::optional<Datum> value);

/// All elements in storage order, with their NULL flags, in `arena`.
struct ArrayElements {
  Datum* values;
  bool* nulls;
  int count;

  std::span<const Datum> all() const { return {values, static_cast<size_t>(count)}; }
};
ArrayElements array_elements(Arena& arena, Datum array);
ArrayElements make_elements(Arena& arena, int count);
/// Builds an array over an element type by its oid.
Datum make_array(Arena& arena, Oid element_type, const ArrayShape& shape,
                 const ArrayElements& elements);

}  // namespace cofork
