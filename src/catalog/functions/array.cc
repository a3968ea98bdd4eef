// Functions and operators of arrays. See array_access.h for subscripts.
//
// As array_userfuncs.c and arrayfuncs.c, PostgreSQL 15.
#include <algorithm>

#include "catalog/array_access.h"
#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"

namespace cofork {

using namespace type_oid;

namespace {

int order(Datum a, Datum b) {
  // An array type's compare works for every element type: any array type will do.
  return find_type(kInt4Array)->compare(a, b);
}
bool eq(Datum a, Datum b) {
  return order(a, b) == 0;
}
bool ne(Datum a, Datum b) {
  return order(a, b) != 0;
}
bool lt(Datum a, Datum b) {
  return order(a, b) < 0;
}
bool le(Datum a, Datum b) {
  return order(a, b) <= 0;
}
bool gt(Datum a, Datum b) {
  return order(a, b) > 0;
}
bool ge(Datum a, Datum b) {
  return order(a, b) >= 0;
}
Datum larger(Datum a, Datum b) {
  return order(a, b) > 0 ? a : b;
}
Datum smaller(Datum a, Datum b) {
  return order(a, b) < 0 ? a : b;
}

bool has_dimension(const ArrayView& array, int32_t dimension) {
  return dimension >= 1 && dimension <= array.dimensions();
}
std::optional<int32_t> length(Datum value, int32_t dimension) {
  ArrayView array(value);
  if (!has_dimension(array, dimension)) return std::nullopt;
  return array.length(dimension - 1);
}
std::optional<int32_t> lower(Datum value, int32_t dimension) {
  ArrayView array(value);
  if (!has_dimension(array, dimension)) return std::nullopt;
  return array.lower_bound(dimension - 1);
}
std::optional<int32_t> upper(Datum value, int32_t dimension) {
  ArrayView array(value);
  if (!has_dimension(array, dimension)) return std::nullopt;
  return array.lower_bound(dimension - 1) + array.length(dimension - 1) - 1;
}
std::optional<int32_t> dimensions(Datum value) {
  ArrayView array(value);
  if (array.dimensions() == 0) return std::nullopt;
  return array.dimensions();
}
std::optional<std::string> show_dimensions(Datum value) {
  ArrayView array(value);
  if (array.dimensions() == 0) return std::nullopt;
  std::string text;
  for (int i = 0; i < array.dimensions(); ++i) {
    fmt::format_to(std::back_inserter(text), "[{}:{}]", array.lower_bound(i),
                   array.lower_bound(i) + array.length(i) - 1);
  }
  return text;
}
int32_t cardinality(Datum value) {
  return ArrayView(value).count();
}

/// Equality of elements, NULL equal to NULL.
class ElementMatcher {
 public:
  ElementMatcher(Oid type, Datum wanted, bool wanted_null)
      : type_(element_type_of(type)), wanted_(wanted), wanted_null_(wanted_null) {
    if (type_.compare == nullptr) {
      throw Error(sqlstate::kUndefinedFunction,
                  "could not identify an equality operator for type {}", type_.sql_name);
    }
  }
  bool matches(Datum value, bool is_null) const {
    if (is_null || wanted_null_) return is_null == wanted_null_;
    return type_.compare(value, wanted_) == 0;
  }

 private:
  const BuiltinType& type_;
  Datum wanted_;
  bool wanted_null_;
};

/// One element added in front or behind; `array` may be NULL.
Datum extend(FunctionCall& call, int array_at, int value_at) {
  Arena& arena = call.arena();
  Oid element = call.arg_types[value_at];
  ArrayElements old = make_elements(arena, 0);
  int lower_bound = 1;
  if (!call.nulls[array_at]) {
    ArrayView array(call.args[array_at]);
    element = array.element_type();
    if (array.dimensions() > 1) {
      throw Error(sqlstate::kDataException, "argument must be empty or one-dimensional array");
    }
    if (array.dimensions() == 1) lower_bound = array.lower_bound(0);
    old = array_elements(arena, call.args[array_at]);
  }
  bool in_front = value_at < array_at;
  ArrayElements all = make_elements(arena, old.count + 1);
  std::copy(old.values, old.values + old.count, all.values + in_front);
  std::copy(old.nulls, old.nulls + old.count, all.nulls + in_front);
  int at = in_front ? 0 : old.count;
  all.values[at] = call.args[value_at];
  all.nulls[at] = call.nulls[value_at];
  return make_array(arena, element, ArrayShape::one_dimension(all.count, lower_bound), all);
}
Datum append(FunctionCall& call) {
  return extend(call, 0, 1);
}
Datum prepend(FunctionCall& call) {
  return extend(call, 1, 0);
}

Error incompatible(const char* detail) {
  return Error(sqlstate::kArraySubscriptError, "cannot concatenate incompatible arrays")
      .detail("{}", detail);
}

/// The shape of a || b: equal dimensions join along the first; an array of one dimension less is an
/// element of the other.
ArrayShape concatenated_shape(const ArrayShape& a, const ArrayShape& b) {
  if (std::abs(a.dimensions - b.dimensions) > 1) {
    throw incompatible("Arrays of different dimensions are not compatible for concatenation.");
  }
  const ArrayShape& outer = a.dimensions >= b.dimensions ? a : b;
  const ArrayShape& other = a.dimensions >= b.dimensions ? b : a;
  bool same_depth = a.dimensions == b.dimensions;
  ArrayShape shape = outer;
  for (int i = 1; i < outer.dimensions; ++i) {
    int k = same_depth ? i : i - 1;
    if (outer.lengths[i] == other.lengths[k] &&
        (same_depth || outer.lower_bounds[i] == other.lower_bounds[k]))
      continue;
    throw incompatible(
        same_depth
            ? "Arrays with differing element dimensions are not compatible for concatenation."
            : "Arrays with differing dimensions are not compatible for concatenation.");
  }
  shape.lengths[0] += same_depth ? other.lengths[0] : 1;
  if (same_depth) shape.lower_bounds[0] = a.lower_bounds[0];
  return shape;
}

Datum concatenate(FunctionCall& call) {
  if (call.nulls[0] && call.nulls[1]) return call.null();
  if (call.nulls[0]) return call.args[1];
  if (call.nulls[1]) return call.args[0];
  ArrayView a(call.args[0]), b(call.args[1]);
  if (a.dimensions() == 0 && b.dimensions() > 0) return call.args[1];
  if (b.dimensions() == 0) return call.args[0];
  Arena& arena = call.arena();
  ArrayShape shape = concatenated_shape(ArrayShape::of(a), ArrayShape::of(b));
  ArrayElements x = array_elements(arena, call.args[0]), y = array_elements(arena, call.args[1]);
  ArrayElements all = make_elements(arena, x.count + y.count);
  std::copy(y.values, y.values + y.count, std::copy(x.values, x.values + x.count, all.values));
  std::copy(y.nulls, y.nulls + y.count, std::copy(x.nulls, x.nulls + x.count, all.nulls));
  return make_array(arena, a.element_type(), shape, all);
}

Datum remove(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  ArrayView array(call.args[0]);
  if (array.dimensions() > 1) {
    throw Error(sqlstate::kFeatureNotSupported,
                "removing elements from multidimensional arrays is not supported");
  }
  ElementMatcher matcher(array.element_type(), call.args[1], call.nulls[1]);
  ArrayElements all = array_elements(call.arena(), call.args[0]);
  int kept = 0;
  for (int i = 0; i < all.count; ++i) {
    if (matcher.matches(all.values[i], all.nulls[i])) continue;
    all.values[kept] = all.values[i];
    all.nulls[kept++] = all.nulls[i];
  }
  all.count = kept;
  int lower_bound = array.dimensions() == 1 ? array.lower_bound(0) : 1;
  return make_array(call.arena(), array.element_type(),
                    ArrayShape::one_dimension(kept, lower_bound), all);
}

Datum replace(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  ArrayView array(call.args[0]);
  ElementMatcher matcher(array.element_type(), call.args[1], call.nulls[1]);
  ArrayElements all = array_elements(call.arena(), call.args[0]);
  for (int i = 0; i < all.count; ++i) {
    if (!matcher.matches(all.values[i], all.nulls[i])) continue;
    all.values[i] = call.args[2];
    all.nulls[i] = call.nulls[2];
  }
  return make_array(call.arena(), array.element_type(), ArrayShape::of(array), all);
}

void check_searchable(const ArrayView& array) {
  if (array.dimensions() > 1) {
    throw Error(sqlstate::kFeatureNotSupported,
                "searching for elements in multidimensional arrays is not supported");
  }
}

Datum position(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  ArrayView array(call.args[0]);
  check_searchable(array);
  int start = INT32_MIN;
  if (call.count > 2) {
    if (call.nulls[2])
      throw Error(sqlstate::kNullValueNotAllowed, "initial position must not be null");
    start = datum_to_int32(call.args[2]);
  }
  ElementMatcher matcher(array.element_type(), call.args[1], call.nulls[1]);
  ArrayElements all = array_elements(call.arena(), call.args[0]);
  for (int i = 0; i < all.count; ++i) {
    int subscript = array.lower_bound(0) + i;
    if (subscript >= start && matcher.matches(all.values[i], all.nulls[i]))
      return datum_from_int32(subscript);
  }
  return call.null();
}

Datum positions(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  ArrayView array(call.args[0]);
  check_searchable(array);
  ElementMatcher matcher(array.element_type(), call.args[1], call.nulls[1]);
  ArrayElements all = array_elements(call.arena(), call.args[0]),
                found = make_elements(call.arena(), all.count);
  found.count = 0;
  for (int i = 0; i < all.count; ++i) {
    if (matcher.matches(all.values[i], all.nulls[i])) {
      found.values[found.count++] = datum_from_int32(array.lower_bound(0) + i);
    }
  }
  return make_array(call.arena(), kInt4, ArrayShape::one_dimension(found.count), found);
}

/// Is every element (or, for overlap, any element) of `part` in `whole`? NULLs match nothing.
bool compare_sets(Datum part, Datum whole, bool every) {
  ArrayView p(part), w(whole);
  const BuiltinType& type = element_type_of(p.element_type());
  ArrayReader parts(p, layout_of(type));
  Datum x, y;
  bool x_null, y_null;
  while (parts.next(x, x_null)) {
    bool found = false;
    ArrayReader wholes(w, layout_of(type));
    while (!x_null && !found && wholes.next(y, y_null)) found = !y_null && type.compare(x, y) == 0;
    if (found != every) return found;
  }
  return every;
}
bool contains(Datum whole, Datum part) {
  return compare_sets(part, whole, true);
}
bool contained(Datum part, Datum whole) {
  return compare_sets(part, whole, true);
}
bool overlap(Datum a, Datum b) {
  return compare_sets(a, b, false);
}

Datum trim(Arena& arena, Datum value, int32_t count) {
  ArrayView array(value);
  int length = array.dimensions() > 0 ? array.length(0) : 0;
  if (count < 0 || count > length) {
    throw Error(sqlstate::kArraySubscriptError,
                "number of elements to trim must be between 0 and {}", length);
  }
  if (length == 0) return value;
  ArrayRange range{std::nullopt, array.lower_bound(0) + length - 1 - count};
  return array_slice(arena, value, {&range, 1});
}

Datum fill(FunctionCall& call) {
  for (int i = 1; i < call.count; ++i) {
    if (call.nulls[i]) {
      throw Error(sqlstate::kNullValueNotAllowed,
                  "dimension array or low bound array cannot be null");
    }
  }
  Arena& arena = call.arena();
  ArrayElements lengths = array_elements(arena, call.args[1]);
  if (lengths.count > kMostDimensions) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "number of array dimensions ({}) exceeds the maximum allowed ({})", lengths.count,
                kMostDimensions);
  }
  ArrayElements bounds = make_elements(arena, lengths.count);
  std::fill(bounds.values, bounds.values + bounds.count, datum_from_int32(1));
  if (call.count > 2) bounds = array_elements(arena, call.args[2]);
  if (bounds.count != lengths.count) {
    throw Error(sqlstate::kArraySubscriptError, "wrong number of array subscripts")
        .detail("Low bound array has different size than dimensions array.");
  }
  ArrayShape shape;
  shape.dimensions = lengths.count;
  for (int i = 0; i < lengths.count; ++i) {
    if (lengths.nulls[i] || bounds.nulls[i]) {
      throw Error(sqlstate::kNullValueNotAllowed, "dimension values cannot be null");
    }
    shape.lengths[i] = datum_to_int32(lengths.values[i]);
    shape.lower_bounds[i] = datum_to_int32(bounds.values[i]);
  }
  ArrayElements all = make_elements(arena, shape.count());
  std::fill(all.values, all.values + all.count, call.args[0]);
  std::fill(all.nulls, all.nulls + all.count, call.nulls[0]);
  return make_array(arena, call.arg_types[0], shape, all);
}

bool unnest(SetCall& set) {
  auto* reader = static_cast<ArrayReader*>(set.state);
  if (reader == nullptr) {
    ArrayView array(set.call.args[0]);
    reader =
        set.state_arena.make<ArrayReader>(array, layout_of(element_type_of(array.element_type())));
    set.state = reader;
  }
  return reader->next(set.values[0], set.nulls[0]);
}

bool generate_subscripts(SetCall& set) {
  struct State {
    int next, last, step;
  };
  auto* state = static_cast<State*>(set.state);
  if (state == nullptr) {
    const FunctionCall& call = set.call;
    ArrayView array(call.args[0]);
    int dimension = datum_to_int32(call.args[1]);
    if (!has_dimension(array, dimension)) return false;
    int first = array.lower_bound(dimension - 1), last = first + array.length(dimension - 1) - 1;
    bool backwards = call.count > 2 && datum_to_bool(call.args[2]);
    state = backwards ? set.state_arena.make<State>(last, first, -1)
                      : set.state_arena.make<State>(first, last, 1);
    set.state = state;
  }
  if (state->step > 0 ? state->next > state->last : state->next < state->last) return false;
  set.values[0] = datum_from_int32(state->next);
  state->next += state->step;
  return true;
}

/// The number of thresholds (ascending) that are at most `value`.
int32_t width_bucket(Datum value, Datum thresholds) {
  ArrayView array(thresholds);
  if (array.dimensions() > 1) {
    throw Error(sqlstate::kArraySubscriptError, "thresholds must be one-dimensional array");
  }
  const BuiltinType& type = element_type_of(array.element_type());
  ArrayReader reader(array, layout_of(type));
  int32_t bucket = 0;
  Datum threshold;
  bool is_null;
  while (reader.next(threshold, is_null)) {
    if (is_null)
      throw Error(sqlstate::kNullValueNotAllowed, "thresholds array must not contain NULLs");
    if (type.compare(value, threshold) < 0) break;
    ++bucket;
  }
  return bucket;
}

constexpr BuiltinFunction kRows[] = {
    {744, "array_eq", kBool, {kAnyArray, kAnyArray}, fn<eq>},
    {390, "array_ne", kBool, {kAnyArray, kAnyArray}, fn<ne>},
    {391, "array_lt", kBool, {kAnyArray, kAnyArray}, fn<lt>},
    {393, "array_le", kBool, {kAnyArray, kAnyArray}, fn<le>},
    {392, "array_gt", kBool, {kAnyArray, kAnyArray}, fn<gt>},
    {396, "array_ge", kBool, {kAnyArray, kAnyArray}, fn<ge>},
    {382, "btarraycmp", kInt4, {kAnyArray, kAnyArray}, fn<order>},
    {515, "array_larger", kAnyArray, {kAnyArray, kAnyArray}, fn<larger>},
    {516, "array_smaller", kAnyArray, {kAnyArray, kAnyArray}, fn<smaller>},
    {2176, "array_length", kInt4, {kAnyArray, kInt4}, fn<length>},
    {2091, "array_lower", kInt4, {kAnyArray, kInt4}, fn<lower>},
    {2092, "array_upper", kInt4, {kAnyArray, kInt4}, fn<upper>},
    {748, "array_ndims", kInt4, {kAnyArray}, fn<dimensions>},
    {747, "array_dims", kText, {kAnyArray}, fn<show_dimensions>},
    {3179, "cardinality", kInt4, {kAnyArray}, fn<cardinality>},
    BuiltinFunction{
        378, "array_append", kAnyCompatibleArray, {kAnyCompatibleArray, kAnyCompatible}, append}
        .on_null(),
    BuiltinFunction{
        379, "array_prepend", kAnyCompatibleArray, {kAnyCompatible, kAnyCompatibleArray}, prepend}
        .on_null(),
    BuiltinFunction{383,
                    "array_cat",
                    kAnyCompatibleArray,
                    {kAnyCompatibleArray, kAnyCompatibleArray},
                    concatenate}
        .on_null(),
    BuiltinFunction{
        3167, "array_remove", kAnyCompatibleArray, {kAnyCompatibleArray, kAnyCompatible}, remove}
        .on_null(),
    BuiltinFunction{3168,
                    "array_replace",
                    kAnyCompatibleArray,
                    {kAnyCompatibleArray, kAnyCompatible, kAnyCompatible},
                    replace}
        .on_null(),
    BuiltinFunction{3277, "array_position", kInt4, {kAnyCompatibleArray, kAnyCompatible}, position}
        .on_null(),
    BuiltinFunction{
        3278, "array_position", kInt4, {kAnyCompatibleArray, kAnyCompatible, kInt4}, position}
        .on_null(),
    BuiltinFunction{
        3279, "array_positions", kInt4Array, {kAnyCompatibleArray, kAnyCompatible}, positions}
        .on_null(),
    {2748, "arraycontains", kBool, {kAnyArray, kAnyArray}, fn<contains>},
    {2749, "arraycontained", kBool, {kAnyArray, kAnyArray}, fn<contained>},
    {2747, "arrayoverlap", kBool, {kAnyArray, kAnyArray}, fn<overlap>},
    {6172, "trim_array", kAnyArray, {kAnyArray, kInt4}, fn<trim>},
    BuiltinFunction{1193, "array_fill", kAnyArray, {kAnyElement, kInt4Array}, fill}.on_null(),
    BuiltinFunction{1286, "array_fill", kAnyArray, {kAnyElement, kInt4Array, kInt4Array}, fill}
        .on_null(),
    {2331, "unnest", kAnyElement, {kAnyArray}, nullptr, unnest},
    {1191, "generate_subscripts", kInt4, {kAnyArray, kInt4, kBool}, nullptr, generate_subscripts},
    {1192, "generate_subscripts", kInt4, {kAnyArray, kInt4}, nullptr, generate_subscripts},
    {3218, "width_bucket", kInt4, {kAnyCompatible, kAnyCompatibleArray}, fn<width_bucket>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kArrayFunctions = kRows;

}  // namespace cofork
