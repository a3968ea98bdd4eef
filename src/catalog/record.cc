// See record.h.
#include "catalog/record.h"

#include "model/stack.h"
#include "support/error.h"
#include "types/array.h"
#include "types/text.h"

namespace cofork {
namespace {

size_t round_up(size_t offset) {
  return (offset + 7) & ~size_t{7};
}

/// Walks the fields of a record.
class FieldReader {
 public:
  explicit FieldReader(Datum record) : bytes_(varlena_view(record)) {
    count_ = load_le<int32_t>(bytes_.data());
  }
  int count() const { return count_; }
  /// False at the end. `value` points into the record.
  bool next(const BuiltinType*& type, Datum& value, bool& is_null) {
    if (read_++ == count_) return false;
    type = find_type(load_le<Oid>(bytes_.data() + at_));
    auto length = load_le<int32_t>(bytes_.data() + at_ + 4);
    at_ += 8;
    is_null = length < 0;
    value = 0;
    if (is_null) return true;
    // Offsets count from the header, which is four bytes before the payload.
    at_ = round_up(at_ + 4) - 4;
    value = fetch_stored(bytes_.data() + at_, {type->length, type->by_value, type->align});
    at_ += static_cast<size_t>(length);
    return true;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 4;
  int count_ = 0;
  int read_ = 0;
};

size_t value_bytes(const BuiltinType& type, Datum value) {
  return type.by_value ? static_cast<size_t>(type.length) : stored_bytes(value, type.length);
}

void append_quoted(std::string& text, std::string_view value) {
  bool plain = !value.empty();
  for (char c : value) {
    if (c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ' ' ||
        (c >= '\t' && c <= '\r')) {
      plain = false;
    }
  }
  if (plain) {
    text += value;
    return;
  }
  text += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') text += c;
    text += c;
  }
  text += '"';
}

}  // namespace

Datum build_record(Arena& arena, std::span<const BuiltinType* const> types, const Datum* values,
                   const bool* nulls) {
  size_t size = 8;
  for (size_t i = 0; i < types.size(); ++i) {
    size += 8;
    if (!nulls[i]) size = round_up(size) + value_bytes(*types[i], values[i]);
  }
  char* bytes = static_cast<char*>(arena.allocate(size, 8));
  std::memset(bytes, 0, size);
  store_le(bytes, static_cast<uint32_t>(size << 2));
  store_le(bytes + 4, static_cast<int32_t>(types.size()));
  size_t at = 8;
  for (size_t i = 0; i < types.size(); ++i) {
    size_t length = nulls[i] ? 0 : value_bytes(*types[i], values[i]);
    store_le(bytes + at, types[i]->oid);
    store_le(bytes + at + 4, nulls[i] ? int32_t{-1} : static_cast<int32_t>(length));
    at += 8;
    if (nulls[i]) continue;
    at = round_up(at);
    if (types[i]->by_value) {
      std::memcpy(bytes + at, &values[i], length);
    } else {
      std::memcpy(bytes + at, datum_to_pointer(values[i]), length);
    }
    at += length;
  }
  return datum_from_pointer(bytes);
}

void record_to_text(EvalContext& context, Datum record, std::string& text) {
  FieldReader fields(record);
  const BuiltinType* type = nullptr;
  Datum value = 0;
  bool is_null = false;
  text += '(';
  for (bool first = true; fields.next(type, value, is_null); first = false) {
    if (!first) text += ',';
    if (is_null) continue;
    // A record in a record is as deep as somebody has written, and each level doubles its quotes.
    std::string field;
    with_stack([&] { type->to_text(context, value, field); });
    append_quoted(text, field);
    if (text.size() > kLargestText) {
      throw Error(sqlstate::kProgramLimitExceeded, "out of memory")
          .detail("Cannot enlarge string buffer containing {} bytes by {} more bytes.", text.size(),
                  field.size());
    }
  }
  text += ')';
}

void record_to_binary(EvalContext& context, Datum record, std::string& bytes) {
  FieldReader fields(record);
  auto put = [&bytes](uint32_t word) {
    char buffer[4];
    store_be(buffer, word);
    bytes.append(buffer, 4);
  };
  put(static_cast<uint32_t>(fields.count()));
  const BuiltinType* type = nullptr;
  Datum value = 0;
  bool is_null = false;
  while (fields.next(type, value, is_null)) {
    put(type->oid);
    size_t length_at = bytes.size();
    put(0xFFFFFFFF);
    if (is_null) continue;
    with_stack([&] { type->to_binary(context, value, bytes); });
    store_be(bytes.data() + length_at, static_cast<uint32_t>(bytes.size() - length_at - 4));
  }
}

int compare_records(Datum a, Datum b) {
  FieldReader left(a), right(b);
  const BuiltinType *left_type = nullptr, *right_type = nullptr;
  Datum x = 0, y = 0;
  bool x_null = false, y_null = false;
  for (int column = 1;; ++column) {
    bool more_left = left.next(left_type, x, x_null);
    bool more_right = right.next(right_type, y, y_null);
    if (more_left != more_right) {
      throw Error(sqlstate::kDatatypeMismatch,
                  "cannot compare record types with different numbers of columns");
    }
    if (!more_left) return 0;
    if (left_type != right_type || left_type->compare == nullptr) {
      throw Error(sqlstate::kDatatypeMismatch,
                  "cannot compare dissimilar column types {} and {} at record column {}",
                  left_type->sql_name, right_type->sql_name, column);
    }
    if (x_null || y_null) {
      if (x_null && y_null) continue;
      return x_null ? 1 : -1;
    }
    int order = with_stack([&] { return left_type->compare(x, y); });
    if (order != 0) return order;
  }
}

uint64_t hash_record(Datum record) {
  FieldReader fields(record);
  const BuiltinType* type = nullptr;
  Datum value = 0;
  bool is_null = false;
  uint64_t hash = 0;
  while (fields.next(type, value, is_null)) {
    bool counts = !is_null && type->hash != nullptr;
    uint64_t part = counts ? with_stack([&] { return type->hash(value); }) : 0;
    hash = hash * 31 + part;
  }
  return hash;
}

}  // namespace cofork
