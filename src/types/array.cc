// Arrays in PostgreSQL's form. See array.h.
#include "types/array.h"

#include <algorithm>

#include "support/error.h"

namespace cofork {

namespace {
constexpr size_t kHeaderBytes = 16;
}

size_t align_for(size_t offset, char align) {
  size_t to = align == 'd' ? 8 : align == 'i' ? 4 : align == 's' ? 2 : 1;
  return align_up(offset, to);
}

size_t stored_bytes(Datum value, int16_t length) {
  if (length > 0) return static_cast<size_t>(length);
  const char* bytes = datum_to_pointer(value);
  if (length == -2) return std::strlen(bytes) + 1;
  auto first = static_cast<uint8_t>(bytes[0]);
  return first & 1 ? first >> 1 : load_le<uint32_t>(bytes) >> 2;
}

Datum fetch_stored(const char* at, ElementLayout layout) {
  if (!layout.by_value) return datum_from_pointer(at);
  switch (layout.length) {
    case 1:
      return datum_from_char(*at);
    case 2:
      return datum_from_int16(load_le<int16_t>(at));
    case 4:
      return datum_from_int32(load_le<int32_t>(at));
    default:
      return load_le<Datum>(at);
  }
}

ArrayView::ArrayView(Datum value)
    : bytes_(datum_to_pointer(value)), dimensions_(word(4)), count_(dimensions_ > 0 ? 1 : 0) {
  for (int i = 0; i < dimensions_; ++i) count_ *= length(i);
}

ArrayReader::ArrayReader(const ArrayView& array, ElementLayout layout)
    : layout_(layout), null_bitmap_(nullptr), count_(array.count()) {
  size_t header = kHeaderBytes + 8 * static_cast<size_t>(array.dimensions());
  if (array.has_nulls()) {
    null_bitmap_ = reinterpret_cast<const uint8_t*>(array.bytes_ + header);
    cursor_ = array.bytes_ + array.word(8);
  } else {
    cursor_ = array.bytes_ + align_up(header, 8);
  }
}

bool ArrayReader::next(Datum& value, bool& is_null) {
  if (index_ == count_) return false;
  is_null = null_bitmap_ != nullptr && !(null_bitmap_[index_ / 8] >> (index_ % 8) & 1);
  ++index_;
  value = 0;
  if (is_null) return true;
  value = fetch_stored(cursor_, layout_);
  size_t bytes = stored_bytes(datum_from_pointer(cursor_), layout_.length);
  // The data begin on an 8-byte boundary, so addresses align as offsets do.
  cursor_ = reinterpret_cast<const char*>(
      align_for(reinterpret_cast<uintptr_t>(cursor_) + bytes, layout_.align));
  return true;
}

ArrayShape ArrayShape::of(const ArrayView& array) {
  ArrayShape shape;
  shape.dimensions = array.dimensions();
  for (int i = 0; i < shape.dimensions; ++i) {
    shape.lengths[i] = array.length(i);
    shape.lower_bounds[i] = array.lower_bound(i);
  }
  return shape;
}

ArrayShape ArrayShape::one_dimension(int count, int lower_bound) {
  ArrayShape shape;
  if (count == 0) return shape;
  shape.dimensions = 1;
  shape.lengths[0] = count;
  shape.lower_bounds[0] = lower_bound;
  return shape;
}

int ArrayShape::count() const {
  if (dimensions == 0) return 0;
  int64_t product = 1;
  for (int i = 0; i < dimensions; ++i) {
    product *= lengths[i];
    if (lengths[i] < 0 || product > static_cast<int64_t>(kMostElements)) {
      throw Error(sqlstate::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                  kMostElements);
    }
  }
  return static_cast<int>(product);
}

Datum build_array(Arena& arena, Oid element_type, ElementLayout layout, const ArrayShape& shape,
                  std::span<const Datum> values, const bool* nulls) {
  bool has_nulls =
      nulls != nullptr && std::find(nulls, nulls + values.size(), true) != nulls + values.size();
  int dimensions = values.empty() ? 0 : shape.dimensions;
  size_t header = kHeaderBytes + 8 * static_cast<size_t>(dimensions);
  size_t data = align_up(header + (has_nulls ? (values.size() + 7) / 8 : 0), 8);
  size_t end = data;
  for (size_t i = 0; i < values.size(); ++i) {
    if (has_nulls && nulls[i]) continue;
    end = align_for(end + stored_bytes(values[i], layout.length), layout.align);
  }
  char* bytes = static_cast<char*>(arena.allocate(end, 8));
  std::memset(bytes, 0, end);
  store_le(bytes, static_cast<uint32_t>(end << 2));
  store_le(bytes + 4, static_cast<int32_t>(dimensions));
  store_le(bytes + 8, static_cast<int32_t>(has_nulls ? data : 0));
  store_le(bytes + 12, element_type);
  for (int i = 0; i < dimensions; ++i) {
    store_le(bytes + kHeaderBytes + 4 * i, static_cast<int32_t>(shape.lengths[i]));
    store_le(bytes + kHeaderBytes + 4 * (dimensions + i),
             static_cast<int32_t>(shape.lower_bounds[i]));
  }
  size_t at = data;
  for (size_t i = 0; i < values.size(); ++i) {
    if (has_nulls && nulls[i]) continue;
    if (has_nulls) bytes[header + i / 8] |= static_cast<char>(1 << (i % 8));
    size_t size = stored_bytes(values[i], layout.length);
    const void* from = layout.by_value ? &values[i] : datum_to_pointer<void>(values[i]);
    std::memcpy(bytes + at, from, size);
    at = align_for(at + size, layout.align);
  }
  return datum_from_pointer(bytes);
}

}  // namespace cofork
