// Array types: one implementation for every element type, which it finds in the array's header.
//
// As array_in, array_out, array_recv, array_send, array_cmp in arrayfuncs.c, PostgreSQL 15.
#include <algorithm>
#include <vector>

#include "catalog/array_element.h"
#include "catalog/tables.h"
#include "types/array.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/scalar.h"

namespace cofork {

const BuiltinType& element_type_of(Oid element) {
  const BuiltinType* type = find_type(element);
  if (type == nullptr) {
    throw Error(sqlstate::kUndefinedObject, "type with OID {} does not exist", element);
  }
  return *type;
}

ElementLayout layout_of(const BuiltinType& element) {
  return {element.length, element.by_value, element.align};
}

namespace {

/// Reads the text form: optional "[1:2][0:1]=" and nested braces.
class ArrayParser {
 public:
  ArrayParser(EvalContext& context, const BuiltinType& element, std::string_view text,
              int32_t typmod)
      : context_(context), element_(element), text_(text), rest_(text), typmod_(typmod) {}

  Datum parse() {
    skip_spaces();
    bool explicit_bounds = rest_.starts_with('[');
    ArrayShape declared;
    if (explicit_bounds) declared = parse_bounds();
    if (!rest_.starts_with('{')) {
      throw malformed("{}", explicit_bounds
                                ? "Array contents must start with \"{\"."
                                : "Array value must start with \"{\" or dimension information.");
    }
    parse_level(0);
    skip_spaces();
    if (!rest_.empty()) throw malformed("Junk after closing right brace.");
    if (values_.empty())
      return build_array(*context_.arena, element_.oid, layout_of(element_), {}, {}, nullptr);
    for (int i = 0; i < shape_.dimensions; ++i) shape_.lower_bounds[i] = 1;
    if (explicit_bounds) {
      if (declared.dimensions != shape_.dimensions ||
          !std::equal(declared.lengths, declared.lengths + kMostDimensions, shape_.lengths)) {
        throw malformed("Specified array dimensions do not match array contents.");
      }
      shape_ = declared;
    }
    auto nulls = std::make_unique<bool[]>(nulls_.size());
    std::copy(nulls_.begin(), nulls_.end(), nulls.get());
    return build_array(*context_.arena, element_.oid, layout_of(element_), shape_, values_,
                       nulls.get());
  }

 private:
  template <typename... A>
  Error malformed(fmt::format_string<A...> detail, A&&... args) const {
    return Error(sqlstate::kInvalidTextRepresentation, "malformed array literal: \"{}\"", text_)
        .detail(detail, std::forward<A>(args)...);
  }

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  int parse_bound() {
    size_t end = 0;
    while (end < rest_.size() && (is_digit(rest_[end]) || rest_[end] == '-' || rest_[end] == '+'))
      ++end;
    if (end == 0) throw malformed("\"[\" must introduce explicitly-specified array dimensions.");
    int bound = parse_int4(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return bound;
  }

  ArrayShape parse_bounds() {
    ArrayShape shape;
    while (rest_.starts_with('[')) {
      rest_.remove_prefix(1);
      if (shape.dimensions == kMostDimensions) throw too_many_dimensions();
      int lower = 1;
      int upper = parse_bound();
      if (rest_.starts_with(':')) {
        rest_.remove_prefix(1);
        lower = upper;
        upper = parse_bound();
      }
      if (!rest_.starts_with(']')) throw malformed("Missing \"{}\" after array dimensions.", "]");
      rest_.remove_prefix(1);
      if (upper < lower) {
        throw Error(sqlstate::kArraySubscriptError, "upper bound cannot be less than lower bound");
      }
      shape.lengths[shape.dimensions] = upper - lower + 1;
      shape.lower_bounds[shape.dimensions++] = lower;
    }
    skip_spaces();
    if (!rest_.starts_with('=')) throw malformed("Missing \"{}\" after array dimensions.", "=");
    rest_.remove_prefix(1);
    skip_spaces();
    return shape;
  }

  static Error too_many_dimensions() {
    return Error(sqlstate::kProgramLimitExceeded,
                 "number of array dimensions ({}) exceeds the maximum allowed ({})",
                 kMostDimensions + 1, kMostDimensions);
  }

  /// One "{…}": of deeper levels or of elements, the same throughout an array.
  void parse_level(int depth) {
    if (depth == kMostDimensions) throw too_many_dimensions();
    rest_.remove_prefix(1);
    int count = 0;
    skip_spaces();
    if (rest_.starts_with('}')) {
      rest_.remove_prefix(1);
      if (depth > 0 || leaf_depth_ >= 0) throw malformed("Unexpected \"{}\" character.", "}");
      return;
    }
    for (;;) {
      skip_spaces();
      if (rest_.empty()) throw malformed("Unexpected end of input.");
      if (rest_.starts_with('{')) {
        if (leaf_depth_ >= 0 && leaf_depth_ <= depth) throw ragged();
        parse_level(depth + 1);
      } else {
        if (leaf_depth_ >= 0 && leaf_depth_ != depth) throw ragged();
        leaf_depth_ = depth;
        parse_element();
      }
      ++count;
      skip_spaces();
      if (rest_.empty()) throw malformed("Unexpected end of input.");
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '}') break;
      if (c != ',') throw malformed("Unexpected array element.");
    }
    if (shape_.lengths[depth] == 0) {
      shape_.lengths[depth] = count;
      shape_.dimensions = std::max(shape_.dimensions, depth + 1);
    } else if (shape_.lengths[depth] != count) {
      throw ragged();
    }
  }

  Error ragged() const {
    return malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
  }

  void parse_element() {
    scratch_.clear();
    bool quoted = rest_.starts_with('"');
    bool escaped = false;
    if (quoted) {
      rest_.remove_prefix(1);
      while (!rest_.starts_with('"')) take_character();
      rest_.remove_prefix(1);
    } else {
      size_t solid = 0;  // escaped blanks at the end are part of the element
      while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '}') {
        char c = rest_.front();
        if (c == '"') throw malformed("Unexpected array element.");
        if (c == '{') throw malformed("Unexpected \"{}\" character.", "{");
        escaped |= c == '\\';
        bool blank = is_space(c);
        take_character();
        if (!blank) solid = scratch_.size();
      }
      scratch_.resize(solid);
      if (scratch_.empty()) throw malformed("Unexpected \"{}\" character.", rest_.substr(0, 1));
    }
    bool is_null = !quoted && !escaped && equals_ignoring_case(scratch_, "null");
    values_.push_back(is_null ? 0 : element_.from_text(context_, scratch_, typmod_));
    nulls_.push_back(is_null);
  }

  void take_character() {
    if (rest_.starts_with('\\')) rest_.remove_prefix(1);
    if (rest_.empty()) throw malformed("Unexpected end of input.");
    scratch_ += rest_.front();
    rest_.remove_prefix(1);
  }

  EvalContext& context_;
  const BuiltinType& element_;
  std::string_view text_, rest_;
  int32_t typmod_;
  int leaf_depth_ = -1;
  ArrayShape shape_;
  std::vector<Datum> values_;
  std::vector<bool> nulls_;
  std::string scratch_;
};

Datum array_input(EvalContext& context, const BuiltinType& type, std::string_view text,
                  int32_t typmod) {
  return ArrayParser(context, element_type_of(type.element_oid), text, typmod).parse();
}

bool element_needs_quotes(std::string_view text) {
  if (text.empty() || equals_ignoring_case(text, "null")) return true;
  return std::any_of(text.begin(), text.end(), [](char c) {
    return c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || is_space(c);
  });
}

class ArrayPrinter {
 public:
  ArrayPrinter(EvalContext& context, Datum value, std::string& out)
      : context_(context),
        array_(value),
        element_(element_type_of(array_.element_type())),
        reader_(array_, layout_of(element_)),
        out_(out) {}

  void print() {
    if (array_.dimensions() == 0) {
      out_ += "{}";
      return;
    }
    bool plain_bounds = true;
    for (int i = 0; i < array_.dimensions(); ++i) plain_bounds &= array_.lower_bound(i) == 1;
    if (!plain_bounds) {
      for (int i = 0; i < array_.dimensions(); ++i) {
        fmt::format_to(std::back_inserter(out_), "[{}:{}]", array_.lower_bound(i),
                       array_.lower_bound(i) + array_.length(i) - 1);
      }
      out_ += '=';
    }
    print_level(0);
  }

 private:
  void print_level(int depth) {
    out_ += '{';
    for (int i = 0; i < array_.length(depth); ++i) {
      if (i > 0) out_ += ',';
      if (depth + 1 < array_.dimensions()) {
        print_level(depth + 1);
      } else {
        print_element();
      }
    }
    out_ += '}';
  }

  void print_element() {
    Datum value;
    bool is_null;
    reader_.next(value, is_null);
    if (is_null) {
      out_ += "NULL";
      return;
    }
    size_t start = out_.size();
    element_.to_text(context_, value, out_);
    if (!element_needs_quotes(std::string_view(out_).substr(start))) return;
    std::string plain = out_.substr(start);
    out_.resize(start);
    out_ += '"';
    for (char c : plain) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
  }

  EvalContext& context_;
  ArrayView array_;
  const BuiltinType& element_;
  ArrayReader reader_;
  std::string& out_;
};

void array_output(EvalContext& context, Datum value, std::string& text) {
  ArrayPrinter(context, value, text).print();
}

Datum array_receive(EvalContext& context, const BuiltinType& type, std::string_view bytes,
                    int32_t typmod) {
  BinaryReader reader(bytes);
  ArrayShape shape;
  shape.dimensions = reader.take<int32_t>();
  if (shape.dimensions < 0 || shape.dimensions > kMostDimensions) {
    throw Error(sqlstate::kInvalidBinaryRepresentation, "invalid number of dimensions: {}",
                shape.dimensions);
  }
  int32_t flags = reader.take<int32_t>();
  if (flags != 0 && flags != 1) {
    throw Error(sqlstate::kInvalidBinaryRepresentation, "invalid array flags");
  }
  Oid element_oid = reader.take<Oid>();
  if (element_oid != type.element_oid) {
    throw Error(sqlstate::kDatatypeMismatch,
                "binary data has array element type {} ({}) instead of expected {} ({})",
                element_oid, format_type(element_oid), type.element_oid,
                format_type(type.element_oid));
  }
  const BuiltinType& element = element_type_of(element_oid);
  for (int i = 0; i < shape.dimensions; ++i) {
    shape.lengths[i] = reader.take<int32_t>();
    shape.lower_bounds[i] = reader.take<int32_t>();
  }
  auto count = static_cast<size_t>(shape.count());
  // Every element has a length word: a count the message cannot hold is refused before it is
  // believed.
  if (count > reader.remaining() / 4) {
    throw Error(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  std::vector<Datum> values(count);
  auto nulls = std::make_unique<bool[]>(count);
  for (size_t i = 0; i < count; ++i) {
    int32_t size = reader.take<int32_t>();
    nulls[i] = size == -1;
    if (nulls[i]) continue;
    if (size < 0) {
      throw Error(sqlstate::kInvalidBinaryRepresentation, "insufficient data left in message");
    }
    values[i] = element.from_binary(context, reader.take_bytes(static_cast<size_t>(size)), typmod);
  }
  return build_array(*context.arena, element_oid, layout_of(element), shape, values, nulls.get());
}

void array_send(EvalContext& context, Datum value, std::string& bytes) {
  ArrayView array(value);
  const BuiltinType& element = element_type_of(array.element_type());
  append_be(bytes, static_cast<int32_t>(array.dimensions()));
  append_be(bytes, static_cast<int32_t>(array.has_nulls() ? 1 : 0));
  append_be(bytes, array.element_type());
  for (int i = 0; i < array.dimensions(); ++i) {
    append_be(bytes, static_cast<int32_t>(array.length(i)));
    append_be(bytes, static_cast<int32_t>(array.lower_bound(i)));
  }
  ArrayReader reader(array, layout_of(element));
  Datum item;
  bool is_null;
  while (reader.next(item, is_null)) {
    size_t at = bytes.size();
    append_be(bytes, int32_t{-1});
    if (is_null) continue;
    element.to_binary(context, item, bytes);
    store_be(bytes.data() + at, static_cast<int32_t>(bytes.size() - at - 4));
  }
}

/// Element by element, NULLs last; then the shorter array, the fewer dimensions, the bounds.
int array_compare(Datum a, Datum b) {
  ArrayView left(a), right(b);
  const BuiltinType& element = element_type_of(left.element_type());
  if (left.element_type() != right.element_type()) {
    throw Error(sqlstate::kDatatypeMismatch, "cannot compare arrays of different element types");
  }
  if (element.compare == nullptr) {
    throw Error(sqlstate::kUndefinedFunction,
                "could not identify a comparison function for type {}", element.sql_name);
  }
  ArrayReader left_reader(left, layout_of(element)), right_reader(right, layout_of(element));
  Datum x, y;
  bool x_null, y_null;
  while (left_reader.next(x, x_null) && right_reader.next(y, y_null)) {
    if (x_null != y_null) return x_null ? 1 : -1;
    if (x_null) continue;
    if (int order = element.compare(x, y); order != 0) return order;
  }
  if (left.count() != right.count()) return left.count() < right.count() ? -1 : 1;
  if (left.dimensions() != right.dimensions()) {
    return left.dimensions() < right.dimensions() ? -1 : 1;
  }
  ArrayShape p = ArrayShape::of(left), q = ArrayShape::of(right);
  for (int i = 0; i < p.dimensions; ++i) {
    if (p.lengths[i] != q.lengths[i]) return p.lengths[i] < q.lengths[i] ? -1 : 1;
  }
  for (int i = 0; i < p.dimensions; ++i) {
    if (p.lower_bounds[i] != q.lower_bounds[i])
      return p.lower_bounds[i] < q.lower_bounds[i] ? -1 : 1;
  }
  return 0;
}

uint64_t array_hash(Datum value) {
  ArrayView array(value);
  const BuiltinType& element = element_type_of(array.element_type());
  if (element.hash == nullptr) {
    throw Error(sqlstate::kUndefinedFunction, "could not identify a hash function for type {}",
                element.sql_name);
  }
  ArrayReader reader(array, layout_of(element));
  uint64_t hash = 1;
  Datum item;
  bool is_null;
  while (reader.next(item, is_null)) hash = hash_combine(hash, is_null ? 0 : element.hash(item));
  return hash;
}

}  // namespace

BuiltinType array_type_over(const BuiltinType& element, const char* name, const char* sql_name) {
  BuiltinType type{element.array_oid,
                   name,
                   sql_name,
                   -1,
                   false,
                   element.align == 'd' ? 'd' : 'i',
                   'A',
                   false,
                   0,
                   element.oid,
                   array_input,
                   array_output,
                   array_receive,
                   array_send};
  type.compare = element.compare != nullptr ? array_compare : nullptr;
  type.hash = element.hash != nullptr ? array_hash : nullptr;
  type.typmod_in = element.typmod_in;
  type.typmod_out = element.typmod_out;
  return type;
}

}  // namespace cofork
