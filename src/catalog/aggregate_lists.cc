// string_agg and array_agg: what they collect grows in the group's arena by doubling.
#include <algorithm>

#include "catalog/aggregate_states.h"
#include "catalog/array_element.h"
#include "support/error.h"
#include "types/array.h"
#include "types/text.h"

namespace cofork::aggregate {

namespace {

struct Text {
  char* bytes = nullptr;
  size_t size = 0;
  size_t capacity = 0;

  void append(Arena& arena, std::string_view more) {
    if (size + more.size() > capacity) {
      capacity = std::max<size_t>({capacity * 2, size + more.size(), 64});
      if (capacity > kLargestText * 2) {
        throw Error(sqlstate::kProgramLimitExceeded,
                    "string buffer exceeds maximum allowed length");
      }
      char* larger = static_cast<char*>(arena.allocate(capacity, 1));
      if (size > 0) std::memcpy(larger, bytes, size);
      bytes = larger;
    }
    if (!more.empty()) std::memcpy(bytes + size, more.data(), more.size());
    size += more.size();
  }
};

struct Elements {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  size_t count = 0;
  size_t capacity = 0;

  void append(Arena& arena, Datum value, bool is_null) {
    if (count == capacity) {
      capacity = std::max<size_t>(capacity * 2, 8);
      auto* more_values = arena.make_array<Datum>(capacity);
      auto* more_nulls = arena.make_array<bool>(capacity);
      std::copy(values, values + count, more_values);
      std::copy(nulls, nulls + count, more_nulls);
      values = more_values;
      nulls = more_nulls;
    }
    values[count] = value;
    nulls[count++] = is_null;
  }
};

}  // namespace

/// string_agg(value, delimiter): a delimiter stands before every value but the first.
Datum append_text(FunctionCall& call) {
  if (call.nulls[1]) {
    call.result_is_null = call.nulls[0];
    return call.args[0];
  }
  auto* text = call.nulls[0] ? call.arena().make<Text>()
                             : const_cast<Text*>(datum_to_pointer<Text>(call.args[0]));
  if (!call.nulls[0] && !call.nulls[2]) text->append(call.arena(), varlena_view(call.args[2]));
  text->append(call.arena(), varlena_view(call.args[1]));
  return datum_from_pointer(text);
}

Datum collected_text(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  const auto* text = datum_to_pointer<Text>(call.args[0]);
  return varlena_from(call.arena(), {text->bytes, text->size});
}

Datum append_element(FunctionCall& call) {
  auto* elements = call.nulls[0] ? call.arena().make<Elements>()
                                 : const_cast<Elements*>(datum_to_pointer<Elements>(call.args[0]));
  const BuiltinType& type = element_type_of(call.arg_types[1]);
  Datum value = call.nulls[1] ? 0 : copy_datum(type, call.args[1], call.arena());
  elements->append(call.arena(), value, call.nulls[1]);
  return datum_from_pointer(elements);
}

Datum collected_array(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  const auto* elements = datum_to_pointer<Elements>(call.args[0]);
  const BuiltinType& type = element_type_of(call.arg_types[1]);
  return build_array(call.arena(), type.oid, layout_of(type),
                     ArrayShape::one_dimension(static_cast<int>(elements->count)),
                     {elements->values, elements->count}, elements->nulls);
}

}  // namespace cofork::aggregate
