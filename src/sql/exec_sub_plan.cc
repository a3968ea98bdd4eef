// Sub-selects in expressions (nodeSubplan.c). A sub-select that refers to nothing outside runs once
// a statement; x IN (SELECT …) over one hashes its rows.
#include "sql/exec.h"
#include "support/error.h"
#include "types/array.h"

namespace cofork {

void SubPlan::evaluate(Execution& ex, int out, Arena& arena) {
  if (is_hashed) {
    run_hashed(ex, out, arena);
    return;
  }
  bool depends_on_row = is_correlated || !link_.args.empty();
  if (depends_on_row) {
    run(ex, out, arena);
    return;
  }
  if (!is_done_) {
    arena_.reset();
    run(ex, out, arena_);
    value_ = ex.values[out];
    is_null_ = ex.nulls[out];
    is_done_ = true;
  }
  ex.values[out] = value_;
  ex.nulls[out] = is_null_;
}

void SubPlan::run(Execution& ex, int out, Arena& arena) {
  if (link_.sublink == SubLinkKind::kArray) {
    build_array(ex, out, arena);
    return;
  }
  if (link_.sublink == SubLinkKind::kAny || link_.sublink == SubLinkKind::kAll) {
    run_quantified(ex, out, arena);
    return;
  }
  root->open(ex);
  bool found = root->next(ex);
  if (link_.sublink == SubLinkKind::kExists) {
    ex.values[out] = datum_from_bool(found);
    ex.nulls[out] = false;
    return;
  }
  bool is_null = !found;
  Datum value = 0;
  if (found && !link_.args.empty()) {
    test.run(ex, arena);
    value = ex.values[test.result];
    is_null = ex.nulls[test.result];
  } else if (found) {
    value = ex.values[first_output];
    is_null = ex.nulls[first_output];
    if (!is_null) value = copy_datum(*output.type(0), value, arena);
  }
  if (found && root->next(ex)) {
    throw Error(sqlstate::kCardinalityViolation,
                "more than one row returned by a subquery used as an expression");
  }
  ex.values[out] = value;
  ex.nulls[out] = is_null;
}

void SubPlan::run_quantified(Execution& ex, int out, Arena& arena) {
  bool any = link_.sublink == SubLinkKind::kAny;
  bool saw_null = false;
  root->open(ex);
  while (root->next(ex)) {
    test.run(ex, arena);
    if (ex.nulls[test.result]) {
      saw_null = true;
    } else if (datum_to_bool(ex.values[test.result]) == any) {
      ex.values[out] = datum_from_bool(any);
      ex.nulls[out] = false;
      return;
    }
  }
  ex.values[out] = datum_from_bool(!any);
  ex.nulls[out] = saw_null;
}

void SubPlan::load_hash(Execution& ex) {
  table_ = std::make_unique<RowTable>(left_key);
  has_null_ = false;
  root->open(ex);
  while (root->next(ex)) {
    if (ex.nulls[first_output]) {
      has_null_ = true;
      continue;
    }
    uint64_t hash = output.hash(ex);
    table_->add(hash, output.save(ex, table_->arena()));
  }
  is_done_ = true;
}

void SubPlan::run_hashed(Execution& ex, int out, Arena& arena) {
  if (!is_done_) load_hash(ex);
  bool is_empty = table_->entries().empty() && !has_null_;
  ex.values[out] = datum_from_bool(false);
  ex.nulls[out] = false;
  if (is_empty) return;
  left.run(ex, arena);
  if (ex.nulls[left.result]) {
    ex.nulls[out] = true;
    return;
  }
  bool found = table_->find(ex, left_key.hash(ex)) != nullptr;
  ex.values[out] = datum_from_bool(found);
  ex.nulls[out] = !found && has_null_;
}

void SubPlan::build_array(Execution& ex, int out, Arena& arena) {
  const BuiltinType& type = *output.type(0);
  if (type.is_array()) {
    throw Error(sqlstate::kFeatureNotSupported, "ARRAY(SELECT …) of arrays is not supported");
  }
  row_arena_.reset();
  std::vector<Datum> values;
  std::vector<char> nulls;
  root->open(ex);
  while (root->next(ex)) {
    bool is_null = ex.nulls[first_output];
    nulls.push_back(is_null ? 1 : 0);
    values.push_back(is_null ? 0 : copy_datum(type, ex.values[first_output], row_arena_));
  }
  ArrayShape shape =
      values.empty() ? ArrayShape{} : ArrayShape::one_dimension(static_cast<int>(values.size()));
  ex.values[out] = cofork::build_array(arena, type.oid, {type.length, type.by_value, type.align},
                                       shape, values, reinterpret_cast<const bool*>(nulls.data()));
  ex.nulls[out] = false;
}

}  // namespace cofork
