// Runs the steps of expressions (ExecInterpExpr in execExprInterp.c).
#include "catalog/record.h"
#include "sql/exec.h"
#include "support/error.h"
#include "types/array.h"

namespace cofork {
namespace {

inline void call(const Step& step, Datum* values, bool* nulls) {
  FunctionCall& call = step.site->call;
  call.result_is_null = false;
  values[step.out] = step.site->function(call);
  nulls[step.out] = call.result_is_null;
}

ElementLayout layout_of(const BuiltinType& type) {
  return {type.length, type.by_value, type.align};
}

[[gnu::noinline]] void min_max(const Step& step, Datum* values, bool* nulls) {
  const CallSite& site = *step.site;
  bool greatest = step.b != 0;
  int best = -1;
  for (int i = site.first; i < site.first + site.call.count; ++i) {
    if (nulls[i]) continue;
    if (best < 0) {
      best = i;
      continue;
    }
    int order = site.type->compare(values[i], values[best]);
    if (greatest ? order > 0 : order < 0) best = i;
  }
  nulls[step.out] = best < 0;
  if (best >= 0) values[step.out] = values[best];
}

/// ARRAY[…] whose elements are arrays: one dimension more.
Datum nest_arrays(const CallSite& site, Arena& arena, const Datum* values, const bool* nulls) {
  const BuiltinType& element = *site.source_type;
  std::vector<Datum> all;
  std::unique_ptr<bool[]> all_nulls;
  std::vector<char> null_flags;
  ArrayShape inner;
  bool first = true;
  int used = 0;
  for (int i = 0; i < site.call.count; ++i) {
    int slot = site.first + i;
    if (nulls[slot]) continue;
    ArrayView view(values[slot]);
    ArrayShape shape = ArrayShape::of(view);
    if (shape.dimensions == 0) continue;
    if (!first && !(shape == inner)) {
      throw Error(sqlstate::kArraySubscriptError,
                  "multidimensional arrays must have array expressions with matching dimensions");
    }
    inner = shape;
    first = false;
    ++used;
    ArrayReader reader(view, layout_of(element));
    Datum value = 0;
    bool is_null = false;
    while (reader.next(value, is_null)) {
      all.push_back(value);
      null_flags.push_back(is_null ? 1 : 0);
    }
  }
  ArrayShape shape;
  if (!first) {
    if (used != site.call.count) {
      throw Error(sqlstate::kArraySubscriptError,
                  "multidimensional arrays must have array expressions with matching dimensions");
    }
    if (inner.dimensions == kMostDimensions) {
      throw Error(sqlstate::kProgramLimitExceeded,
                  "number of array dimensions ({}) exceeds the maximum allowed ({})",
                  kMostDimensions + 1, kMostDimensions);
    }
    shape.dimensions = inner.dimensions + 1;
    shape.lengths[0] = used;
    shape.lower_bounds[0] = 1;
    for (int d = 0; d < inner.dimensions; ++d) {
      shape.lengths[d + 1] = inner.lengths[d];
      shape.lower_bounds[d + 1] = inner.lower_bounds[d];
    }
  }
  return build_array(arena, element.oid, layout_of(element), shape, all,
                     reinterpret_cast<const bool*>(null_flags.data()));
}

[[gnu::noinline]] void make_array(const Step& step, Execution& ex) {
  const CallSite& site = *step.site;
  ex.nulls[step.out] = false;
  Arena& arena = *ex.context.arena;
  if (step.b != 0) {
    ex.values[step.out] = nest_arrays(site, arena, ex.values, ex.nulls);
    return;
  }
  const BuiltinType& element = *site.source_type;
  auto count = static_cast<size_t>(site.call.count);
  ArrayShape shape = count == 0 ? ArrayShape{} : ArrayShape::one_dimension(site.call.count);
  ex.values[step.out] = build_array(arena, element.oid, layout_of(element), shape,
                                    {ex.values + site.first, count}, ex.nulls + site.first);
}

[[gnu::noinline]] void row_compare(const Step& step, Datum* values, bool* nulls) {
  const CallSite& site = *step.site;
  int order = 0;
  nulls[step.out] = false;
  for (int i = 0; i < site.call.count && order == 0; i += 2) {
    int left = site.first + i;
    if (nulls[left] || nulls[left + 1]) {
      nulls[step.out] = true;
      return;
    }
    order = site.types[static_cast<size_t>(i)]->compare(values[left], values[left + 1]);
  }
  bool result = site.name == "<"    ? order < 0
                : site.name == "<=" ? order <= 0
                : site.name == ">"  ? order > 0
                                    : order >= 0;
  values[step.out] = datum_from_bool(result);
}

[[gnu::noinline]] void subscript(const Step& step, Datum* values, bool* nulls) {
  const CallSite& site = *step.site;
  nulls[step.out] = true;
  for (int i = 0; i < site.call.count; ++i) {
    if (nulls[site.first + i]) return;
  }
  ArrayView view(values[site.first]);
  int dimensions = site.call.count - 1;
  if (view.dimensions() != dimensions) return;
  int offset = 0;
  for (int d = 0; d < dimensions; ++d) {
    int index = datum_to_int32(values[site.first + 1 + d]) - view.lower_bound(d);
    if (index < 0 || index >= view.length(d)) return;
    offset = offset * view.length(d) + index;
  }
  ArrayReader reader(view, layout_of(*find_type(site.source_type->element_oid)));
  Datum value = 0;
  bool is_null = true;
  for (int i = 0; i <= offset; ++i) reader.next(value, is_null);
  values[step.out] = value;
  nulls[step.out] = is_null;
}

[[gnu::noinline]] void slice(const Step& step, Execution& ex) {
  const CallSite& site = *step.site;
  ex.nulls[step.out] = true;
  if (ex.nulls[site.first]) return;
  for (int i = 1; i < site.call.count; ++i) {
    if (site.present[static_cast<size_t>(i)] && ex.nulls[site.first + i]) return;
  }
  ex.nulls[step.out] = false;
  const BuiltinType& element = *find_type(site.source_type->element_oid);
  ArrayView view(ex.values[site.first]);
  int given = (site.call.count - 1) / 2;
  int lower[kMostDimensions], upper[kMostDimensions];
  bool empty = view.dimensions() == 0 || given > view.dimensions();
  ArrayShape shape;
  shape.dimensions = view.dimensions();
  for (int d = 0; d < view.dimensions() && !empty; ++d) {
    lower[d] = view.lower_bound(d);
    upper[d] = view.lower_bound(d) + view.length(d) - 1;
    auto at = static_cast<size_t>(1 + 2 * d);
    if (d < given && site.present[at]) {
      lower[d] = std::max(lower[d], datum_to_int32(ex.values[site.first + 1 + 2 * d]));
    }
    if (d < given && site.present[at + 1]) {
      upper[d] = std::min(upper[d], datum_to_int32(ex.values[site.first + 2 + 2 * d]));
    }
    empty = lower[d] > upper[d];
    shape.lengths[d] = upper[d] - lower[d] + 1;
    shape.lower_bounds[d] = 1;
  }
  std::vector<Datum> kept;
  std::vector<char> kept_nulls;
  if (!empty) {
    ArrayReader reader(view, layout_of(element));
    int index[kMostDimensions] = {};
    Datum value = 0;
    bool is_null = false;
    while (reader.next(value, is_null)) {
      bool inside = true;
      for (int d = 0; d < view.dimensions(); ++d) {
        int at = index[d] + view.lower_bound(d);
        inside &= at >= lower[d] && at <= upper[d];
      }
      if (inside) {
        kept.push_back(value);
        kept_nulls.push_back(is_null ? 1 : 0);
      }
      for (int d = view.dimensions() - 1; d >= 0 && ++index[d] == view.length(d); --d) index[d] = 0;
    }
  } else {
    shape = ArrayShape{};
  }
  ex.values[step.out] = build_array(*ex.context.arena, element.oid, layout_of(element), shape, kept,
                                    reinterpret_cast<const bool*>(kept_nulls.data()));
}

[[gnu::noinline]] void io_cast(const Step& step, Execution& ex) {
  const CallSite& site = *step.site;
  ex.nulls[step.out] = ex.nulls[site.first];
  if (ex.nulls[site.first]) return;
  ex.scratch.clear();
  site.source_type->to_text(ex.context, ex.values[site.first], ex.scratch);
  ex.values[step.out] = site.type->from_text(ex.context, ex.scratch);
}

[[gnu::noinline]] void array_cast(const Step& step, Execution& ex) {
  const CallSite& site = *step.site;
  ex.nulls[step.out] = ex.nulls[site.first];
  if (ex.nulls[site.first]) return;
  const BuiltinType& from = *find_type(site.source_type->element_oid);
  const BuiltinType& to = *find_type(site.type->element_oid);
  ArrayView view(ex.values[site.first]);
  ArrayReader reader(view, layout_of(from));
  std::vector<Datum> cast;
  std::vector<char> cast_nulls;
  Datum value = 0;
  bool is_null = false;
  int in = site.call.position;
  Arena& arena = *ex.context.arena;
  while (reader.next(value, is_null)) {
    ex.values[in] = value;
    ex.nulls[in] = is_null;
    site.element->run(ex, arena);
    cast.push_back(ex.values[site.element->result]);
    cast_nulls.push_back(is_null || ex.nulls[site.element->result] ? 1 : 0);
  }
  ex.values[step.out] = build_array(arena, to.oid, layout_of(to), ArrayShape::of(view), cast,
                                    reinterpret_cast<const bool*>(cast_nulls.data()));
}

[[gnu::noinline]] void array_compare(const Step& step, Execution& ex) {
  const CallSite& site = *step.site;
  int left = site.first, item = site.first + 1, array = site.first + 2;
  bool any = site.flag;
  ex.nulls[step.out] = ex.nulls[array];
  if (ex.nulls[array]) return;
  ex.values[step.out] = datum_from_bool(!any);
  ArrayView view(ex.values[array]);
  if (view.count() == 0) return;
  bool strict = site.call.function->strict;
  if (strict && ex.nulls[left]) {
    ex.nulls[step.out] = true;
    return;
  }
  ArrayReader reader(view, layout_of(*site.source_type));
  FunctionCall& call = step.site->call;
  bool saw_null = false;
  while (reader.next(ex.values[item], ex.nulls[item])) {
    bool is_null = strict && ex.nulls[item];
    bool result = false;
    if (!is_null) {
      call.result_is_null = false;
      result = datum_to_bool(site.function(call));
      is_null = call.result_is_null;
    }
    if (is_null) {
      saw_null = true;
    } else if (result == any) {
      ex.values[step.out] = datum_from_bool(any);
      return;
    }
  }
  ex.nulls[step.out] = saw_null;
}

bool boolean_test(BoolTest test, bool value, bool is_null) {
  switch (test) {
    case BoolTest::kTrue:
      return !is_null && value;
    case BoolTest::kNotTrue:
      return is_null || !value;
    case BoolTest::kFalse:
      return !is_null && !value;
    case BoolTest::kNotFalse:
      return is_null || value;
    case BoolTest::kUnknown:
      return is_null;
    case BoolTest::kNotUnknown:
      return !is_null;
  }
  return false;
}

[[gnu::noinline]] void distinct(const Step& step, Datum* values, bool* nulls) {
  CallSite& site = *step.site;
  bool left_null = nulls[site.first], right_null = nulls[site.first + 1];
  nulls[step.out] = false;
  if (left_null || right_null) {
    values[step.out] = datum_from_bool(left_null != right_null);
    return;
  }
  site.call.result_is_null = false;
  values[step.out] = datum_from_bool(!datum_to_bool(site.function(site.call)));
}

void null_if(const Step& step, Datum* values, bool* nulls) {
  CallSite& site = *step.site;
  int left = site.first;
  bool equal = false;
  if (!nulls[left] && !nulls[left + 1]) {
    site.call.result_is_null = false;
    equal = datum_to_bool(site.function(site.call)) && !site.call.result_is_null;
  }
  values[step.out] = values[left];
  nulls[step.out] = nulls[left] || equal;
}

[[gnu::noinline]] void row_null_test(const Step& step, Datum* values, bool* nulls) {
  const CallSite& site = *step.site;
  bool wanted_null = step.b == 0;
  bool all = true;
  for (int i = 0; i < site.call.count; ++i) all &= nulls[site.first + i] == wanted_null;
  values[step.out] = datum_from_bool(all);
  nulls[step.out] = false;
}

[[gnu::noinline]] void grouping(const Step& step, Datum* values, bool* nulls) {
  const CallSite& site = *step.site;
  auto mask = static_cast<uint64_t>(values[site.first]);
  int32_t bits = 0;
  for (size_t arg = 0; arg * 64 < site.present.size(); ++arg) {
    bits <<= 1;
    for (size_t g = 0; g < 64; ++g) {
      if (site.present[arg * 64 + g]) bits |= static_cast<int32_t>(mask >> g & 1);
    }
  }
  values[step.out] = datum_from_int32(bits);
  nulls[step.out] = false;
}

}  // namespace

bool Program::test(Execution& execution, Arena& arena) const {
  run(execution, arena);
  return !execution.nulls[result] && datum_to_bool(execution.values[result]);
}

void Program::run(Execution& ex, Arena& arena) const {
  ex.context.arena = &arena;
  Datum* values = ex.values;
  bool* nulls = ex.nulls;
  const Step* first = steps.data();
  const Step* end = first + steps.size();
  for (const Step* step = first; step != end; ++step) {
    int out = step->out, a = step->a;
    switch (step->op) {
      case Op::kCopy:
        values[out] = values[a];
        nulls[out] = nulls[a];
        break;
      case Op::kSetNull:
        nulls[out] = true;
        break;
      case Op::kSetBool:
        values[out] = datum_from_bool(step->b != 0);
        nulls[out] = false;
        break;
      case Op::kCallStrict1:
        if (nulls[step->site->first]) {
          nulls[out] = true;
          break;
        }
        call(*step, values, nulls);
        break;
      case Op::kCallStrict2:
        if (nulls[step->site->first] | nulls[step->site->first + 1]) {
          nulls[out] = true;
          break;
        }
        call(*step, values, nulls);
        break;
      case Op::kCallStrict: {
        bool any_null = false;
        for (int i = 0; i < step->site->call.count; ++i) any_null |= nulls[step->site->first + i];
        if (any_null) {
          nulls[out] = true;
          break;
        }
        call(*step, values, nulls);
        break;
      }
      case Op::kCall:
        call(*step, values, nulls);
        break;
      case Op::kJump:
        step = first + step->target - 1;
        break;
      case Op::kJumpNotTrue:
        if (nulls[a] || !datum_to_bool(values[a])) step = first + step->target - 1;
        break;
      case Op::kJumpNotNull:
        if (!nulls[a]) step = first + step->target - 1;
        break;
      case Op::kAndNext:
        if (nulls[a]) {
          nulls[out] = true;
        } else if (!datum_to_bool(values[a])) {
          values[out] = datum_from_bool(false);
          nulls[out] = false;
          step = first + step->target - 1;
        }
        break;
      case Op::kOrNext:
        if (nulls[a]) {
          nulls[out] = true;
        } else if (datum_to_bool(values[a])) {
          values[out] = datum_from_bool(true);
          nulls[out] = false;
          step = first + step->target - 1;
        }
        break;
      case Op::kNot:
        values[out] = datum_from_bool(!datum_to_bool(values[a]));
        nulls[out] = nulls[a];
        break;
      case Op::kNullTest:
        values[out] = datum_from_bool(nulls[a] == (step->b == 0));
        nulls[out] = false;
        break;
      case Op::kBoolTest:
        values[out] = datum_from_bool(
            boolean_test(static_cast<BoolTest>(step->b), datum_to_bool(values[a]), nulls[a]));
        nulls[out] = false;
        break;
      case Op::kDistinct:
        distinct(*step, values, nulls);
        break;
      case Op::kNullIf:
        null_if(*step, values, nulls);
        break;
      case Op::kMinMax:
        min_max(*step, values, nulls);
        break;
      case Op::kArray:
        make_array(*step, ex);
        break;
      case Op::kRow:
        values[out] = build_record(arena, step->site->types, values + step->site->first,
                                   nulls + step->site->first);
        nulls[out] = false;
        break;
      case Op::kRowNullTest:
        row_null_test(*step, values, nulls);
        break;
      case Op::kRowCompare:
        row_compare(*step, values, nulls);
        break;
      case Op::kSubscript:
        subscript(*step, values, nulls);
        break;
      case Op::kSlice:
        slice(*step, ex);
        break;
      case Op::kIoCast:
        io_cast(*step, ex);
        break;
      case Op::kArrayCast:
        array_cast(*step, ex);
        break;
      case Op::kArrayCompare:
        array_compare(*step, ex);
        break;
      case Op::kSubLink:
        step->site->sub_plan->evaluate(ex, out, arena);
        ex.context.arena = &arena;
        break;
      case Op::kGrouping:
        grouping(*step, values, nulls);
        break;
    }
  }
}

}  // namespace cofork
