// Subscripts of arrays. See array_access.h.
#include "catalog/array_access.h"

#include <algorithm>

#include "catalog/array_element.h"
#include "support/error.h"

namespace cofork {

ArrayElements make_elements(Arena& arena, int count) {
  auto size = static_cast<size_t>(count);
  return {arena.make_array<Datum>(size), arena.make_array<bool>(size), count};
}

ArrayElements array_elements(Arena& arena, Datum array) {
  ArrayView view(array);
  ArrayElements elements = make_elements(arena, view.count());
  ArrayReader reader(view, layout_of(element_type_of(view.element_type())));
  for (int i = 0; reader.next(elements.values[i], elements.nulls[i]);) {
    if (++i == elements.count) break;
  }
  return elements;
}

Datum make_array(Arena& arena, Oid element_type, const ArrayShape& shape,
                 const ArrayElements& elements) {
  return build_array(arena, element_type, layout_of(element_type_of(element_type)), shape,
                     elements.all(), elements.nulls);
}

namespace {

/// Where a set of subscripts lies in storage order; nothing when out of bounds.
std::optional<int> offset_of(const ArrayShape& shape, std::span<const int32_t> subscripts) {
  if (static_cast<int>(subscripts.size()) != shape.dimensions || shape.dimensions == 0)
    return std::nullopt;
  int offset = 0;
  for (int i = 0; i < shape.dimensions; ++i) {
    int64_t index = int64_t{subscripts[static_cast<size_t>(i)]} - shape.lower_bounds[i];
    if (index < 0 || index >= shape.lengths[i]) return std::nullopt;
    offset = offset * shape.lengths[i] + static_cast<int>(index);
  }
  return offset;
}

}  // namespace

std::optional<Datum> array_element(Datum array, std::span<const int32_t> subscripts) {
  ArrayView view(array);
  std::optional<int> offset = offset_of(ArrayShape::of(view), subscripts);
  if (!offset) return std::nullopt;
  ArrayReader reader(view, layout_of(element_type_of(view.element_type())));
  Datum value = 0;
  bool is_null = true;
  for (int i = 0; i <= *offset; ++i) reader.next(value, is_null);
  return is_null ? std::nullopt : std::optional(value);
}

Datum array_slice(Arena& arena, Datum array, std::span<const ArrayRange> ranges) {
  ArrayView view(array);
  ArrayShape from = ArrayShape::of(view), to;
  int given = static_cast<int>(ranges.size());
  bool empty = given > from.dimensions || from.dimensions == 0;
  int starts[kMostDimensions] = {};
  to.dimensions = from.dimensions;
  for (int i = 0; i < from.dimensions && !empty; ++i) {
    int64_t first = from.lower_bounds[i], last = first + from.lengths[i] - 1;
    int64_t lower = first, upper = last;
    if (i < given) {
      const ArrayRange& range = ranges[static_cast<size_t>(i)];
      lower = std::max<int64_t>(range.lower.value_or(static_cast<int32_t>(first)), first);
      upper = std::min<int64_t>(range.upper.value_or(static_cast<int32_t>(last)), last);
    }
    empty = lower > upper;
    starts[i] = static_cast<int>(lower - first);
    to.lengths[i] = static_cast<int>(upper - lower + 1);
    to.lower_bounds[i] = 1;
  }
  if (empty) return make_array(arena, view.element_type(), {}, make_elements(arena, 0));
  ArrayElements all = array_elements(arena, array), part = make_elements(arena, to.count());
  for (int i = 0; i < part.count; ++i) {
    // The position in the part, digit by digit of a number whose bases are the lengths.
    int rest = i, source = 0, stride = 1;
    for (int d = to.dimensions - 1; d >= 0; --d) {
      source += (starts[d] + rest % to.lengths[d]) * stride;
      rest /= to.lengths[d];
      stride *= from.lengths[d];
    }
    part.values[i] = all.values[source];
    part.nulls[i] = all.nulls[source];
  }
  return make_array(arena, view.element_type(), to, part);
}

namespace {

/// A one-dimensional array, long enough to hold `subscript`.
Datum grown_with(Arena& arena, const ArrayShape& shape, const ArrayElements& old, Oid element_type,
                 int32_t subscript, std::optional<Datum> value) {
  int64_t first = shape.lower_bounds[0], last = first + shape.lengths[0] - 1;
  int64_t new_first = std::min<int64_t>(first, subscript),
          new_last = std::max<int64_t>(last, subscript);
  if (new_last - new_first >= static_cast<int64_t>(kMostElements)) {
    throw Error(sqlstate::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                kMostElements);
  }
  ArrayElements wider = make_elements(arena, static_cast<int>(new_last - new_first + 1));
  std::fill(wider.nulls, wider.nulls + wider.count, true);
  std::copy(old.values, old.values + old.count, wider.values + (first - new_first));
  std::copy(old.nulls, old.nulls + old.count, wider.nulls + (first - new_first));
  int64_t at = subscript - new_first;
  wider.values[at] = value.value_or(0);
  wider.nulls[at] = !value;
  return make_array(arena, element_type,
                    ArrayShape::one_dimension(wider.count, static_cast<int>(new_first)), wider);
}

}  // namespace

Datum array_with_element(Arena& arena, Datum array, Oid element_type,
                         std::span<const int32_t> subscripts, std::optional<Datum> value) {
  ArrayShape shape;
  if (array != 0) shape = ArrayShape::of(ArrayView(array));
  if (shape.dimensions == 0) {
    shape.dimensions = static_cast<int>(subscripts.size());
    for (int i = 0; i < shape.dimensions; ++i) {
      shape.lengths[i] = 1;
      shape.lower_bounds[i] = subscripts[static_cast<size_t>(i)];
    }
    ArrayElements one = make_elements(arena, 1);
    one.values[0] = value.value_or(0);
    one.nulls[0] = !value;
    return make_array(arena, element_type, shape, one);
  }
  if (shape.dimensions != static_cast<int>(subscripts.size())) {
    throw Error(sqlstate::kArraySubscriptError, "wrong number of array subscripts");
  }
  ArrayElements elements = array_elements(arena, array);
  std::optional<int> offset = offset_of(shape, subscripts);
  if (!offset) {
    if (shape.dimensions > 1)
      throw Error(sqlstate::kArraySubscriptError, "array subscript out of range");
    return grown_with(arena, shape, elements, element_type, subscripts[0], value);
  }
  elements.values[*offset] = value.value_or(0);
  elements.nulls[*offset] = !value;
  return make_array(arena, element_type, shape, elements);
}

}  // namespace cofork
