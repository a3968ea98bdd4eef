// See index_tuple.h.
#include "access/index_tuple.h"

#include <algorithm>

#include "support/bytes.h"
#include "support/error.h"

namespace cofork {

namespace {

size_t alignment_of(const TupleShape::Step& step) {
  return step.align;
}

/// Where the value of a column begins, `offset` being the end of the one before
/// (att_align_pointer): a varlena with a one-byte header stands where it is, and padding is never
/// anything but zero.
size_t value_offset(const char* data, size_t offset, const TupleShape::Step& step) {
  if (step.fetch == TupleShape::Fetch::kVarlena && data[offset] != 0) return offset;
  return align_up(offset, alignment_of(step));
}

size_t value_bytes(const char* value, const TupleShape::Step& step) {
  switch (step.fetch) {
    case TupleShape::Fetch::kVarlena:
      return varlena_bytes(value);
    case TupleShape::Fetch::kCString:
      return std::strlen(value) + 1;
    default:
      return static_cast<size_t>(step.length);
  }
}

Datum value_at(const char* value, const TupleShape::Step& step) {
  switch (step.fetch) {
    case TupleShape::Fetch::kByte:
      return datum_from_char(*value);
    case TupleShape::Fetch::kInt16:
      return datum_from_int16(load_le<int16_t>(value));
    case TupleShape::Fetch::kInt32:
      return datum_from_int32(load_le<int32_t>(value));
    case TupleShape::Fetch::kInt64:
      return datum_from_int64(load_le<int64_t>(value));
    default:
      return datum_from_pointer(value);
  }
}

}  // namespace

const ItemPointer* IndexTuple::heap_tid() const {
  if (is_pivot()) {
    if ((t_tid.offset & kPivotHasTid) == 0) return nullptr;
    return reinterpret_cast<const ItemPointer*>(bytes() + size() - sizeof(ItemPointer));
  }
  return is_posting() ? posting() : &t_tid;
}

Datum index_attribute(const IndexTuple& tuple, const IndexShape& shape, int column, bool& is_null) {
  is_null = false;
  const char* data = tuple.bytes() + tuple.data_offset();
  const TupleShape::Step* steps = shape.tuple.steps();
  if (!tuple.has_nulls() && steps[column].known_offset >= 0) {
    return value_at(data + steps[column].known_offset, steps[column]);
  }
  if (tuple.is_null(column)) {
    is_null = true;
    return 0;
  }
  size_t offset = 0;
  for (int i = 0; i < column; ++i) {
    if (tuple.is_null(i)) continue;
    offset = value_offset(data, offset, steps[i]);
    offset += value_bytes(data + offset, steps[i]);
  }
  return value_at(data + value_offset(data, offset, steps[column]), steps[column]);
}

void index_deform(const IndexTuple& tuple, const IndexShape& shape, int count, Datum* values,
                  bool* nulls) {
  const char* data = tuple.bytes() + tuple.data_offset();
  const TupleShape::Step* steps = shape.tuple.steps();
  size_t offset = 0;
  count = std::min(count, tuple.column_count(shape));
  for (int i = 0; i < count; ++i) {
    nulls[i] = tuple.is_null(i);
    values[i] = 0;
    if (nulls[i]) continue;
    offset = value_offset(data, offset, steps[i]);
    values[i] = value_at(data + offset, steps[i]);
    offset += value_bytes(data + offset, steps[i]);
  }
}

IndexTuple* index_form_tuple(const IndexShape& shape, const Datum* values, const bool* nulls,
                             Arena& arena) {
  bool any_null = std::any_of(nulls, nulls + shape.column_count(), [](bool b) { return b; });
  size_t data_offset = any_null ? 16 : 8;
  size_t size = align_up(data_offset + tuple_data_bytes(shape.tuple, values, nulls), 8);
  if (size > IndexTuple::kSizeMask) {
    throw Error(sqlstate::kProgramLimitExceeded, "index row requires {} bytes, maximum size is {}",
                size, size_t{IndexTuple::kSizeMask});
  }
  auto* tuple = static_cast<IndexTuple*>(arena.allocate(size, 8));
  std::memset(static_cast<void*>(tuple), 0, size);
  auto* bits = any_null ? reinterpret_cast<uint8_t*>(tuple->bytes() + 8) : nullptr;
  uint16_t mask = fill_tuple_data(shape.tuple, values, nulls, tuple->bytes() + data_offset, bits);
  tuple->t_info =
      static_cast<uint16_t>(size | (any_null ? IndexTuple::kHasNulls : 0) |
                            ((mask & kTupleHasVarWidth) != 0 ? IndexTuple::kHasVariableWidths : 0));
  return tuple;
}

int index_keep_columns(const IndexShape& shape, const IndexTuple& left, const IndexTuple& right) {
  int keep = 1;
  for (int i = 0; i < shape.key_count(); ++i, ++keep) {
    bool left_null, right_null;
    Datum a = index_attribute(left, shape, i, left_null);
    Datum b = index_attribute(right, shape, i, right_null);
    if (left_null != right_null) break;
    if (!left_null && shape.keys[static_cast<size_t>(i)].compare(a, b) != 0) break;
  }
  return keep;
}

namespace {

/// The key columns of a plain or posting tuple, the first `columns` of them, as a plain tuple
/// (index_truncate_tuple). Formed anew only when columns fall away.
IndexTuple* cut_columns(const IndexShape& shape, const IndexTuple& source, int columns,
                        size_t extra_bytes, Arena& arena) {
  if (columns == shape.column_count()) {
    size_t key_bytes = source.is_posting() ? source.posting_offset() : source.size();
    auto* tuple = static_cast<IndexTuple*>(arena.allocate(key_bytes + extra_bytes, 8));
    std::memcpy(static_cast<void*>(tuple), &source, key_bytes);
    std::memset(tuple->bytes() + key_bytes, 0, extra_bytes);
    tuple->t_info &= static_cast<uint16_t>(~IndexTuple::kAlternativeTid);
    tuple->set_size(key_bytes + extra_bytes);
    return tuple;
  }
  // Up to the end of the last column kept the bytes stay the same, unless the nulls were all
  // further on: the null bitmap goes then.
  Datum values[kIndexMaxColumns];
  bool nulls[kIndexMaxColumns];
  index_deform(source, shape, columns, values, nulls);
  const char* data = source.bytes() + source.data_offset();
  const TupleShape::Step* steps = shape.tuple.steps();
  size_t data_bytes = 0;
  bool any_null = false;
  bool variable = false;
  for (int i = 0; i < columns; ++i) {
    any_null |= nulls[i];
    if (nulls[i]) continue;
    variable |= steps[i].length < 0;
    data_bytes = value_offset(data, data_bytes, steps[i]);
    data_bytes += value_bytes(data + data_bytes, steps[i]);
  }
  size_t data_offset = any_null ? 16 : 8;
  size_t size = align_up(data_offset + data_bytes, 8) + extra_bytes;
  auto* tuple = static_cast<IndexTuple*>(arena.allocate(size, 8));
  std::memset(static_cast<void*>(tuple), 0, size);
  tuple->t_tid = source.t_tid;
  tuple->t_info = static_cast<uint16_t>(size | (any_null ? IndexTuple::kHasNulls : 0) |
                                        (variable ? IndexTuple::kHasVariableWidths : 0));
  for (int i = 0; i < columns && any_null; ++i) {
    if (!nulls[i]) tuple->bytes()[8 + i / 8] |= static_cast<char>(1u << (i % 8));
  }
  std::memcpy(tuple->bytes() + data_offset, data, data_bytes);
  return tuple;
}

}  // namespace

IndexTuple* index_truncate(const IndexShape& shape, const IndexTuple& last_left,
                           const IndexTuple& first_right, Arena& arena) {
  int keys = shape.key_count();
  int keep = index_keep_columns(shape, last_left, first_right);
  if (keep <= keys) {
    IndexTuple* pivot = cut_columns(shape, first_right, keep, 0, arena);
    pivot->set_pivot(keep, false);
    return pivot;
  }
  // All key columns are equal. The address of the last row on the left is the lowest key that
  // keeps everything on its side.
  IndexTuple* pivot =
      cut_columns(shape, first_right, keys, align_up(sizeof(ItemPointer), 8), arena);
  pivot->set_pivot(keys, true);
  *pivot->heap_tid() = *last_left.max_heap_tid();
  return pivot;
}

IndexTuple* index_form_posting(const IndexTuple& base, std::span<const ItemPointer> tids,
                               Arena& arena) {
  size_t key_bytes = base.is_posting() ? base.posting_offset() : base.size();
  size_t size = key_bytes;
  if (tids.size() > 1) size = align_up(key_bytes + tids.size_bytes(), 8);
  auto* tuple = static_cast<IndexTuple*>(arena.allocate(size, 8));
  std::memset(static_cast<void*>(tuple), 0, size);
  std::memcpy(static_cast<void*>(tuple), &base, key_bytes);
  tuple->set_size(size);
  if (tids.size() == 1) {
    tuple->t_info &= static_cast<uint16_t>(~IndexTuple::kAlternativeTid);
    tuple->t_tid = tids[0];
  } else {
    tuple->set_posting(key_bytes, static_cast<int>(tids.size()));
    std::memcpy(tuple->posting(), tids.data(), tids.size_bytes());
  }
  return tuple;
}

IndexTuple* copy_index_tuple(const IndexTuple& tuple, Arena& arena) {
  auto* copy = static_cast<IndexTuple*>(arena.allocate(tuple.size(), 8));
  std::memcpy(static_cast<void*>(copy), &tuple, tuple.size());
  return copy;
}

}  // namespace cofork
