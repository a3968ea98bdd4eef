// See tuple.h.
#include "access/tuple.h"

#include <cstring>

#include "support/error.h"

namespace cofork {

namespace {

/// Longest varlena payload that a one-byte header can announce.
constexpr uint32_t kShortPayloadMax = 126;

uint8_t alignment_bytes(char align) {
  switch (align) {
    case 'd':
      return 8;
    case 's':
      return 2;
    case 'c':
      return 1;
    default:
      return 4;
  }
}

TupleShape::Fetch fetch_of(const Attribute& attribute) {
  using Fetch = TupleShape::Fetch;
  if (attribute.length == -1) return Fetch::kVarlena;
  if (attribute.length == -2) return Fetch::kCString;
  if (!attribute.by_value) return Fetch::kFixedBytes;
  switch (attribute.length) {
    case 1:
      return Fetch::kByte;
    case 2:
      return Fetch::kInt16;
    case 4:
      return Fetch::kInt32;
    default:
      return Fetch::kInt64;
  }
}

uint32_t plain_varlena_bytes(const char* value) {
  return load_le<uint32_t>(value) >> 2;
}

/// Stored with a one-byte header although it came with one of four (VARATT_CAN_MAKE_SHORT).
bool can_be_short(const Attribute& attribute, const char* value) {
  return attribute.storage != 'p' && (static_cast<uint8_t>(value[0]) & 3) == 0 &&
         plain_varlena_bytes(value) - 4 <= kShortPayloadMax;
}

inline bool bit_says_null(const uint8_t* bits, int column) {
  return (bits[column >> 3] & (1u << (column & 7))) == 0;
}

/// How many columns stand before the first NULL, `end` at most: as far offsets are known.
inline int columns_before_null(const uint8_t* bits, int end) {
  int column = 0;
  while (column < end && !bit_says_null(bits, column)) ++column;
  return column;
}

inline Datum fetch_fixed(const TupleShape::Step& step, const char* at) {
  switch (step.fetch) {
    case TupleShape::Fetch::kByte:
      return datum_from_char(*at);
    case TupleShape::Fetch::kInt16:
      return datum_from_int16(load_le<int16_t>(at));
    case TupleShape::Fetch::kInt32:
      return datum_from_int32(load_le<int32_t>(at));
    case TupleShape::Fetch::kInt64:
      return load_le<Datum>(at);
    default:
      return datum_from_pointer(at);
  }
}

inline uint32_t fixed_bytes(const TupleShape::Step& step) {
  return static_cast<uint32_t>(step.length);
}

/// Where the value of a column begins when the one before it ended at `offset`.
inline uint32_t aligned_offset(const TupleShape::Step& step, const char* data, uint32_t offset) {
  // A varlena's first byte tells: padding is zero, a header never is.
  if (step.fetch == TupleShape::Fetch::kVarlena && data[offset] != 0) return offset;
  uint32_t mask = step.align - 1u;
  return (offset + mask) & ~mask;
}

inline uint32_t stored_bytes(const TupleShape::Step& step, const char* at) {
  if (step.fetch == TupleShape::Fetch::kVarlena) return varlena_bytes(at);
  if (step.fetch == TupleShape::Fetch::kCString) {
    return static_cast<uint32_t>(std::strlen(at)) + 1;
  }
  return fixed_bytes(step);
}

}  // namespace

uint32_t varlena_bytes(const char* value) {
  auto first = static_cast<uint8_t>(value[0]);
  if (first == 0x01) return 18;  // tag and an on-disk TOAST pointer: the only kind stored
  if ((first & 1) != 0) return first >> 1;
  return plain_varlena_bytes(value);
}

TupleShape::TupleShape(std::vector<Attribute> attributes) : attributes_(std::move(attributes)) {
  steps_.reserve(attributes_.size());
  uint32_t offset = 0;
  bool known = true;
  for (const Attribute& attribute : attributes_) {
    Step step{-1, attribute.length, fetch_of(attribute), alignment_bytes(attribute.align)};
    if (known) {
      uint32_t start = static_cast<uint32_t>(align_up(offset, step.align));
      // A varlena's place is known only where it would be the same with and without padding.
      if (step.fetch != Fetch::kVarlena || start == offset) {
        step.known_offset = static_cast<int32_t>(start);
        ++known_columns_;
      }
      known = attribute.length > 0;
      if (known) offset = start + static_cast<uint32_t>(attribute.length);
    }
    steps_.push_back(step);
  }
}

uint32_t tuple_data_bytes(const TupleShape& shape, const Datum* values, const bool* nulls) {
  uint64_t bytes = 0;
  for (int i = 0; i < shape.columns(); ++i) {
    if (nulls[i]) continue;
    const Attribute& attribute = shape[i];
    const TupleShape::Step& step = shape.steps()[i];
    if (step.fetch == TupleShape::Fetch::kVarlena) {
      const char* value = datum_to_pointer(values[i]);
      if (can_be_short(attribute, value)) {
        bytes += plain_varlena_bytes(value) - 3;
        continue;
      }
      if (!varlena_is_short(value)) bytes = align_up(bytes, step.align);
      bytes += varlena_bytes(value);
    } else {
      bytes = align_up(bytes, step.align);
      bytes += step.fetch == TupleShape::Fetch::kCString
                   ? std::strlen(datum_to_pointer(values[i])) + 1
                   : fixed_bytes(step);
    }
  }
  return static_cast<uint32_t>(bytes);
}

namespace {

/// Writes one varlena; returns the bytes used, padding before it included.
uint32_t fill_varlena(const Attribute& attribute, uint32_t align, const char* value, char* data,
                      uint32_t offset, uint16_t& mask) {
  mask |= kTupleHasVarWidth;
  uint32_t bytes = varlena_bytes(value);
  if (varlena_is_external(value)) mask |= kTupleHasExternal;
  if (can_be_short(attribute, value)) {
    data[offset] = static_cast<char>(((bytes - 3) << 1) | 1);
    std::memcpy(data + offset + 1, value + 4, bytes - 4);
    return offset + bytes - 3;
  }
  if (!varlena_is_short(value)) offset = static_cast<uint32_t>(align_up(offset, align));
  std::memcpy(data + offset, value, bytes);
  return offset + bytes;
}

void store_fixed(const TupleShape::Step& step, Datum value, char* at) {
  switch (step.fetch) {
    case TupleShape::Fetch::kByte:
      *at = datum_to_char(value);
      return;
    case TupleShape::Fetch::kInt16:
      return store_le(at, datum_to_int16(value));
    case TupleShape::Fetch::kInt32:
      return store_le(at, datum_to_int32(value));
    case TupleShape::Fetch::kInt64:
      return store_le(at, value);
    default:
      std::memcpy(at, datum_to_pointer(value), fixed_bytes(step));
  }
}

}  // namespace

uint16_t fill_tuple_data(const TupleShape& shape, const Datum* values, const bool* nulls,
                         char* data, uint8_t* bits) {
  uint16_t mask = 0;
  uint32_t offset = 0;
  for (int i = 0; i < shape.columns(); ++i) {
    if (nulls[i]) {
      mask |= kTupleHasNull;
      continue;
    }
    if (bits != nullptr) bits[i >> 3] = static_cast<uint8_t>(bits[i >> 3] | (1u << (i & 7)));
    const TupleShape::Step& step = shape.steps()[i];
    if (step.fetch == TupleShape::Fetch::kVarlena) {
      offset = fill_varlena(shape[i], step.align, datum_to_pointer(values[i]), data, offset, mask);
      continue;
    }
    offset = static_cast<uint32_t>(align_up(offset, step.align));
    if (step.fetch == TupleShape::Fetch::kCString) {
      const char* text = datum_to_pointer(values[i]);
      size_t bytes = std::strlen(text) + 1;
      std::memcpy(data + offset, text, bytes);
      mask |= kTupleHasVarWidth;
      offset += static_cast<uint32_t>(bytes);
    } else {
      store_fixed(step, values[i], data + offset);
      offset += fixed_bytes(step);
    }
  }
  return mask;
}

HeapTuple form_tuple(const TupleShape& shape, const Datum* values, const bool* nulls,
                     Arena& arena) {
  int columns = shape.columns();
  if (columns > kTupleColumnsMax) {
    throw Error(sqlstate::kTooManyColumns, "number of columns ({}) exceeds limit ({})", columns,
                kTupleColumnsMax);
  }
  bool has_null = false;
  for (int i = 0; i < columns; ++i) has_null |= nulls[i];
  uint32_t bitmap = has_null ? static_cast<uint32_t>(columns + 7) / 8 : 0;
  auto hoff = static_cast<uint32_t>(align_up(kTupleHeaderBytes + bitmap, 8));
  HeapTuple tuple;
  tuple.length = hoff + tuple_data_bytes(shape, values, nulls);
  tuple.header = static_cast<HeapTupleHeader*>(arena.allocate(align_up(tuple.length, 8), 8));
  std::memset(static_cast<void*>(tuple.header), 0, align_up(tuple.length, 8));
  tuple.header->infomask2 = static_cast<uint16_t>(columns);
  tuple.header->hoff = static_cast<uint8_t>(hoff);
  tuple.header->infomask = fill_tuple_data(shape, values, nulls, tuple.header->bytes() + hoff,
                                           has_null ? tuple.header->bits : nullptr);
  return tuple;
}

HeapTuple copy_tuple(const HeapTuple& tuple, Arena& arena) {
  HeapTuple copy = tuple;
  copy.header = static_cast<HeapTupleHeader*>(arena.allocate(align_up(tuple.length, 8), 8));
  std::memcpy(static_cast<void*>(copy.header), tuple.header, tuple.length);
  return copy;
}

void TupleReader::fill_missing(int from, int to) {
  for (int i = from; i < to; ++i) {
    const Attribute& attribute = (*shape_)[i];
    nulls_[i] = !attribute.has_missing;
    values_[i] = attribute.missing;
  }
}

void TupleReader::read_up_to(int count) {
  const TupleShape::Step* steps = shape_->steps();
  int stored = header_->columns() < count ? header_->columns() : count;
  const char* data = header_->bytes() + header_->hoff;
  const uint8_t* bits = header_->has_nulls() ? header_->bits : nullptr;
  int i = done_;
  if (i == 0) {
    offset_ = 0;
  }
  uint32_t offset = offset_;
  // Most tuples of most tables: fixed-width columns in front, nothing to decide.
  int known = shape_->known_columns() < stored ? shape_->known_columns() : stored;
  if (bits != nullptr) known = columns_before_null(bits, known);
  for (; i < known; ++i) {
    const TupleShape::Step& step = steps[i];
    const char* at = data + step.known_offset;
    values_[i] = fetch_fixed(step, at);
    nulls_[i] = false;
    offset = static_cast<uint32_t>(step.known_offset) +
             (step.length > 0 ? fixed_bytes(step) : stored_bytes(step, at));
  }
  for (; i < stored; ++i) {
    if (bits != nullptr && bit_says_null(bits, i)) {
      nulls_[i] = true;
      values_[i] = 0;
      continue;
    }
    const TupleShape::Step& step = steps[i];
    offset = aligned_offset(step, data, offset);
    const char* at = data + offset;
    values_[i] = fetch_fixed(step, at);
    nulls_[i] = false;
    offset += stored_bytes(step, at);
  }
  if (stored < count) fill_missing(i, count);
  offset_ = offset;
  done_ = count;
}

void deform_tuple(const HeapTupleHeader* header, const TupleShape& shape, int count, Datum* values,
                  bool* nulls) {
  TupleReader reader(shape, values, nulls);
  reader.start(header);
  reader.need(count);
}

bool tuple_column_is_null(const HeapTupleHeader* header, const TupleShape& shape, int column) {
  if (column >= header->columns()) return !shape[column].has_missing;
  return header->has_nulls() && bit_says_null(header->bits, column);
}

Datum tuple_column(const HeapTupleHeader* header, const TupleShape& shape, int column,
                   bool& is_null) {
  is_null = tuple_column_is_null(header, shape, column);
  if (is_null) return 0;
  if (column >= header->columns()) return shape[column].missing;
  const char* data = header->bytes() + header->hoff;
  const TupleShape::Step* steps = shape.steps();
  bool has_nulls = header->has_nulls();
  if (!has_nulls && steps[column].known_offset >= 0) {
    return fetch_fixed(steps[column], data + steps[column].known_offset);
  }
  uint32_t offset = 0;
  for (int i = 0;; ++i) {
    if (has_nulls && bit_says_null(header->bits, i)) continue;
    offset = aligned_offset(steps[i], data, offset);
    if (i == column) return fetch_fixed(steps[i], data + offset);
    offset += stored_bytes(steps[i], data + offset);
  }
}

bool datums_have_same_bytes(const Attribute& attribute, Datum a, Datum b) {
  if (attribute.by_value) {
    // Only the bytes of the type count: the rest of the word depends on who filled it.
    uint64_t mask =
        attribute.length >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * attribute.length)) - 1;
    return ((a ^ b) & mask) == 0;
  }
  const char* x = datum_to_pointer(a);
  const char* y = datum_to_pointer(b);
  if (attribute.length == -2) return std::strcmp(x, y) == 0;
  if (attribute.length > 0) return std::memcmp(x, y, static_cast<size_t>(attribute.length)) == 0;
  if (varlena_is_external(x) || varlena_is_external(y) || varlena_is_compressed(x) ||
      varlena_is_compressed(y)) {
    uint32_t bytes = varlena_bytes(x);
    return bytes == varlena_bytes(y) && std::memcmp(x, y, bytes) == 0;
  }
  return varlena_view(a) == varlena_view(b);
}

}  // namespace cofork
