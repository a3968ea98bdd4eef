// Conditions of tables: see selectivity.h. Joins: selectivity_join.cc.
#include "sql/selectivity.h"

#include <algorithm>
#include <cmath>

#include "catalog/array_element.h"
#include "catalog/column_statistics.h"
#include "catalog/relation_cache.h"
#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/selectivity_parts.h"
#include "types/array.h"
#include "types/numeric.h"

namespace cofork {

using namespace type_oid;

namespace {

constexpr double kEqual = 0.005;         ///< DEFAULT_EQ_SEL
constexpr double kInequality = 1.0 / 3;  ///< DEFAULT_INEQ_SEL
constexpr double kRange = 0.005;         ///< DEFAULT_RANGE_INEQ_SEL
constexpr double kMatch = 0.005;         ///< DEFAULT_MATCH_SEL
constexpr double kDistinctGuess = 200;   ///< DEFAULT_NUM_DISTINCT
constexpr double kUnknownTest = 0.005;   ///< DEFAULT_UNK_SEL

double at_least_one(double count) {
  return std::max(1.0, std::rint(count));
}

double clamp(double probability) {
  return std::clamp(probability, 0.0, 1.0);
}

const Expr* unlabelled(const Expr* e) {
  while (e->kind == ExprKind::kRelabel) e = e->args[0];
  return e;
}

}  // namespace

// --- columns

EstimatedColumn examine_column(const Expr& expr) {
  EstimatedColumn found;
  const Expr* e = unlabelled(&expr);
  found.is_bool = e->type == kBool;
  if (e->kind != ExprKind::kVar || e->entry->kind != RangeKind::kTable ||
      e->column >= static_cast<int>(e->entry->columns.size())) {
    return found;
  }
  found.entry = e->entry;
  found.column = e->column;
  found.rows = std::max(e->entry->tuples, 0.0);
  RelationDesc& relation = *e->entry->relation;
  auto number = static_cast<int16_t>(e->column + 1);
  found.is_unique = std::ranges::any_of(relation.indexes, [&](const auto& index) {
    return index->unique && index->key_count == 1 && index->columns[0] == number &&
           index->immediate && index->predicate.empty();
  });
  found.statistics = column_statistics(relation, number);
  return found;
}

double EstimatedColumn::null_fraction() const {
  return statistics == nullptr ? 0 : statistics->null_fraction;
}

double EstimatedColumn::distinct(bool& is_guess) const {
  is_guess = false;
  double known = 0;
  if (statistics != nullptr) {
    known = statistics->distinct;
  } else if (is_bool) {
    known = 2;
  }
  if (is_unique) known = -1 * (1 - null_fraction());
  if (known > 0) return at_least_one(known);
  if (rows <= 0 || known == 0) {
    is_guess = true;
    if (rows > 0 && rows < kDistinctGuess) return at_least_one(rows);
    return kDistinctGuess;
  }
  return at_least_one(-known * rows);
}

// --- equality

double equal_selectivity(const EstimatedColumn& column, const Expr& value,
                         int (*compare)(Datum, Datum)) {
  if (value.kind == ExprKind::kConst && value.is_null) return 0;
  double null_fraction = column.null_fraction();
  if (column.is_unique && column.rows >= 1) return clamp(1 / column.rows);
  bool is_guess = false;
  const ColumnStatistics* known = column.statistics;
  double distinct = column.distinct(is_guess);
  if (known == nullptr) return clamp(1 / distinct);
  if (value.kind != ExprKind::kConst) {
    double part = (1 - null_fraction) / distinct;
    if (!known->common_fractions.empty()) {
      part = std::min(part, static_cast<double>(known->common_fractions[0]));
    }
    return clamp(part);
  }
  double common = 0;
  for (size_t i = 0; i < known->common_values.size(); ++i) {
    if (compare != nullptr && compare(known->common_values[i], value.value) == 0) {
      return clamp(known->common_fractions[i]);
    }
    common += known->common_fractions[i];
  }
  double rest = clamp(1 - common - null_fraction);
  double others = distinct - static_cast<double>(known->common_values.size());
  if (others > 1) rest /= others;
  if (!known->common_fractions.empty()) {
    rest = std::min(rest, static_cast<double>(known->common_fractions.back()));
  }
  return clamp(rest);
}

// --- inequalities

namespace {

/// A value as a number that is ordered as the values are; false when there is none
/// (convert_to_scalar).
bool as_number(Oid type, Datum value, double& number) {
  switch (type) {
    case kBool:
      number = datum_to_bool(value) ? 1 : 0;
      return true;
    case kInt2:
    case kInt4:
    case kInt8:
    case kDate:
    case kTime:
    case kTimestamp:
    case kTimestampTz:
      number = static_cast<double>(datum_to_int64(value));
      return true;
    case kOid:
      number = datum_to_oid(value);
      return true;
    case kFloat4:
      number = datum_to_float4(value);
      return !std::isnan(number);
    case kFloat8:
      number = datum_to_float8(value);
      return !std::isnan(number);
    case kNumeric:
      number = numeric_to_double(value);
      return !std::isnan(number);
    default:
      return false;
  }
}

/// Where `value` lies between two strings, by their first bytes after what all have in common
/// (convert_string_to_scalar).
double string_position(std::string_view low, std::string_view high, std::string_view value) {
  size_t common = 0;
  while (common < low.size() && common < high.size() && common < value.size() &&
         low[common] == high[common] && low[common] == value[common]) {
    ++common;
  }
  unsigned least = 255, most = 0;
  for (std::string_view text : {low, high}) {
    for (char c : text.substr(common)) {
      least = std::min(least, static_cast<unsigned>(static_cast<unsigned char>(c)));
      most = std::max(most, static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  auto widen = [&](unsigned from, unsigned to) {
    if (least <= to && most >= from) {
      least = std::min(least, from);
      most = std::max(most, to);
    }
  };
  widen('A', 'Z');
  widen('a', 'z');
  widen('0', '9');
  if (most <= least) {
    least = ' ';
    most = 127;
  }
  auto number = [&](std::string_view text) {
    double base = most - least + 1, unit = base, sum = 0;
    for (char c : text.substr(common, 12)) {
      double digit = static_cast<unsigned char>(c);
      sum += (std::clamp(digit, least - 1.0, most + 1.0) - least) / unit;
      unit *= base;
    }
    return sum;
  };
  double from = number(low), to = number(high), at = number(value);
  return to > from ? (at - from) / (to - from) : 0.5;
}

bool is_string(Oid type) {
  return type == kText || type == kVarchar || type == kBpchar;
}

/// Part of the values between two neighbours of the histogram that are below `value`.
double position_in_bin(Oid type, Datum low, Datum high, Datum value) {
  double from = 0, to = 0, at = 0;
  if (is_string(type)) {
    at = string_position(varlena_view(low), varlena_view(high), varlena_view(value));
  } else if (as_number(type, low, from) && as_number(type, high, to) &&
             as_number(type, value, at)) {
    if (to <= from) return 0.5;
    at = at <= from ? 0 : at >= to ? 1 : (at - from) / (to - from);
  } else {
    return 0.5;
  }
  return std::isnan(at) || at < 0 || at > 1 ? 0.5 : at;
}

/// Part of the values in the histogram that are below `value`; -1: there is none
/// (ineq_histogram_selectivity).
double part_below(const ColumnStatistics& known, Oid type, int (*compare)(Datum, Datum),
                  Datum value) {
  const std::vector<Datum>& bounds = known.histogram;
  if (bounds.size() < 2) return -1;
  size_t at = static_cast<size_t>(
      std::ranges::partition_point(bounds, [&](Datum b) { return compare(b, value) < 0; }) -
      bounds.begin());
  if (at == 0) return 0;
  if (at == bounds.size()) return 1;
  double bins = static_cast<double>(bounds.size() - 1);
  return (static_cast<double>(at - 1) + position_in_bin(type, bounds[at - 1], bounds[at], value)) /
         bins;
}

}  // namespace

double less_selectivity(const EstimatedColumn& column, Oid type, const Expr& value, bool greater,
                        bool or_equal, int (*compare)(Datum, Datum)) {
  if (value.kind != ExprKind::kConst || column.statistics == nullptr || compare == nullptr) {
    return value.kind == ExprKind::kConst && value.is_null ? 0 : kInequality;
  }
  if (value.is_null) return 0;
  const ColumnStatistics& known = *column.statistics;
  double common = 0, kept = 0;
  for (size_t i = 0; i < known.common_values.size(); ++i) {
    int order = compare(known.common_values[i], value.value);
    bool fits = (greater ? order > 0 : order < 0) || (or_equal && order == 0);
    if (fits) kept += known.common_fractions[i];
    common += known.common_fractions[i];
  }
  double rest = 1 - known.null_fraction - common;
  double below = part_below(known, type, compare, value.value);
  if (below >= 0) {
    // What the histogram tells is nearest to "<=": one value less for "<" (and ">=" keeps it). The
    // first bin has both its ends.
    bool is_guess = false;
    double others = column.distinct(is_guess) - static_cast<double>(known.common_values.size());
    double one = others > 1 ? 1 / others : 0;
    if (below > 0 && below < 1) {
      double bins = static_cast<double>(known.histogram.size() - 1);
      if (below * bins < 1) below += one * (1 - below * bins);
      if (greater == or_equal) below -= one;
    }
    double part = greater ? 1 - below : below;
    // The tails hold more than nothing: the statistics are of a sample, and of the past.
    double least = 0.01 / static_cast<double>(known.histogram.size() - 1);
    kept += rest * std::clamp(part, least, 1 - least);
  } else {
    kept += rest * 0.5;
  }
  return clamp(kept);
}

// --- patterns

namespace {

struct LikePattern {
  std::string prefix;     ///< what every match begins with
  bool is_exact = false;  ///< nothing but the prefix
  double rest = 1;        ///< selectivity of what comes after it (like_selectivity)
};

LikePattern read_pattern(std::string_view pattern) {
  constexpr double kFixed = 0.2, kFullWildcard = 5, kAny = 0.9;
  LikePattern read;
  size_t i = 0;
  for (; i < pattern.size() && pattern[i] != '%' && pattern[i] != '_'; ++i) {
    if (pattern[i] == '\\' && ++i == pattern.size()) break;
    read.prefix += pattern[i];
  }
  read.is_exact = i >= pattern.size();
  while (i < pattern.size() && (pattern[i] == '%' || pattern[i] == '_')) ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '%') {
      read.rest *= kFullWildcard;
    } else if (pattern[i] == '_') {
      read.rest *= kAny;
    } else {
      if (pattern[i] == '\\' && ++i == pattern.size()) break;
      read.rest *= kFixed;
    }
  }
  read.rest = std::min(read.rest, 1.0);
  return read;
}

double like_selectivity(const EstimatedColumn& column, Oid type, const Expr& value,
                        bool ignores_case) {
  if (value.kind != ExprKind::kConst || !is_string(value.type)) return kMatch;
  if (value.is_null) return 0;
  LikePattern pattern = read_pattern(varlena_view(value.value));
  const BuiltinType* order = find_type(is_string(type) ? kText : type);
  if (column.statistics == nullptr || order == nullptr || !is_string(type) || ignores_case) {
    bool is_guess = false;
    if (pattern.is_exact && !ignores_case) return clamp(1 / column.distinct(is_guess));
    return kMatch;
  }
  Arena arena(256);
  auto constant = [&](const std::string& text) {
    Expr e;
    e.type = kText;
    e.value = varlena_from(arena, text);
    return e;
  };
  Expr from = constant(pattern.prefix);
  if (pattern.is_exact) return equal_selectivity(column, from, order->compare);
  const ColumnStatistics& known = *column.statistics;
  double common = 0, kept = 0;
  for (size_t i = 0; i < known.common_values.size(); ++i) {
    common += known.common_fractions[i];
    if (varlena_view(known.common_values[i]).starts_with(pattern.prefix)) {
      kept += known.common_fractions[i];
    }
  }
  double part = 1;
  if (!pattern.prefix.empty()) {
    std::string next = pattern.prefix;
    next.back() = static_cast<char>(next.back() + 1);
    Expr to = constant(next);
    double low = part_below(known, kText, order->compare, from.value);
    double high = part_below(known, kText, order->compare, to.value);
    part = low < 0 ? kRange : std::max(high - low, 0.0);
    part = std::max(part, equal_selectivity(column, from, order->compare));
  }
  double rest = 1 - known.null_fraction - common;
  return clamp(kept * pattern.rest + rest * std::clamp(part * pattern.rest, 0.0001, 0.9999));
}

// --- conditions

/// A condition on one column, turned so that the column stands on the left.
struct ColumnCondition {
  const Expr* column = nullptr;
  const Expr* value = nullptr;
  bool is_turned = false;
};

bool mentions_entry(const Expr& e, const RangeEntry* entry) {
  bool found = false;
  walk(&e, 0, [&](const Expr& part, int) {
    found |= part.kind == ExprKind::kVar && part.entry == entry;
    return !found;
  });
  return found;
}

bool is_variable(const Expr* e, const RangeEntry* scan) {
  e = unlabelled(e);
  return e->kind == ExprKind::kVar && (scan == nullptr || e->entry == scan);
}

/// The form "column op value", where the value has nothing of the scanned table.
bool split_condition(const Expr& e, const RangeEntry* scan, ColumnCondition& split) {
  const Expr* left = e.args[0];
  const Expr* right = e.args[1];
  auto fixed = [&](const Expr* x) {
    if (scan != nullptr) return !mentions_entry(*x, scan);
    bool has_column = false;
    walk(x, 0, [&](const Expr& part, int) {
      has_column |= part.kind == ExprKind::kVar;
      return !has_column;
    });
    return !has_column;
  };
  if (is_variable(left, scan) && fixed(right)) {
    split = {left, right, false};
    return true;
  }
  if (is_variable(right, scan) && fixed(left)) {
    split = {right, left, true};
    return true;
  }
  return false;
}

/// How values of the two types compare, when they can be.
int (*comparison_of(Oid a, Oid b))(Datum, Datum) {
  auto is_integer = [](Oid t) { return t == kInt2 || t == kInt4 || t == kInt8; };
  if (is_integer(a) && is_integer(b)) return find_type(kInt8)->compare;
  if (a != b && !(is_string(a) && is_string(b))) return nullptr;
  const BuiltinType* type = find_type(a);
  return type == nullptr ? nullptr : type->compare;
}

double operator_selectivity(const Expr& e, const RangeEntry* scan) {
  std::string_view name = e.name;
  if (e.args.size() != 2) return 0.5;
  ColumnCondition split;
  if (!split_condition(e, scan, split)) {
    if (scan == nullptr && (name == "=" || name == "<>")) {
      double equal = join_selectivity(e);
      return name == "=" ? equal : 1 - equal;
    }
    if (name == "=") return kEqual;
    if (name == "<>") return 1 - kEqual;
    return name == "<" || name == "<=" || name == ">" || name == ">=" ? kInequality : 0.5;
  }
  EstimatedColumn column = examine_column(*split.column);
  Oid type = unlabelled(split.column)->type;
  auto compare = comparison_of(type, split.value->type);
  if (name == "=") return equal_selectivity(column, *split.value, compare);
  if (name == "<>") {
    return clamp(1 - equal_selectivity(column, *split.value, compare) - column.null_fraction());
  }
  if (name == "<" || name == "<=" || name == ">" || name == ">=") {
    bool greater = (name[0] == '>') != split.is_turned;
    return less_selectivity(column, type, *split.value, greater, name.size() == 2, compare);
  }
  bool negated = name.starts_with("!");
  if (name == "~~" || name == "!~~" || name == "~~*" || name == "!~~*") {
    double kept = like_selectivity(column, type, *split.value, name.ends_with("*"));
    return negated ? clamp(1 - kept - column.null_fraction()) : kept;
  }
  if (name == "~" || name == "~*" || name == "!~" || name == "!~*") {
    return negated ? 1 - kMatch : kMatch;
  }
  if (name == "@>" || name == "<@" || name == "&&") return 0.001;
  return 0.5;
}

double array_selectivity(const Expr& e, const RangeEntry* scan) {
  if (e.name != "=" && e.name != "<>") return 0.5;
  const Expr& array = *e.args[1];
  bool is_any = e.flag, is_equal = e.name == "=";
  Arena arena(1024);
  std::vector<Expr> values;
  if (array.kind == ExprKind::kConst) {
    if (array.is_null) return 0;
    ArrayView view(array.value);
    ArrayReader reader(view, layout_of(element_type_of(view.element_type())));
    Datum item;
    bool is_null;
    while (reader.next(item, is_null)) {
      Expr value;
      value.type = view.element_type();
      value.value = item;
      value.is_null = is_null;
      values.push_back(value);
    }
  } else if (array.kind == ExprKind::kArray) {
    for (const Expr* item : array.args) values.push_back(*item);
  } else {
    Expr unknown;
    unknown.kind = ExprKind::kParam;
    const BuiltinType* type = find_type(array.type);
    unknown.type = type == nullptr ? kInvalidOid : type->element_oid;
    values.assign(10, unknown);
  }
  EstimatedColumn column = examine_column(*e.args[0]);
  auto compare =
      values.empty() ? nullptr : comparison_of(unlabelled(e.args[0])->type, values[0].type);
  double part = is_any ? 0 : 1, sum = is_any ? 0 : 1;
  for (const Expr& value : values) {
    double one = is_variable(e.args[0], scan) ? equal_selectivity(column, value, compare) : kEqual;
    if (!is_equal) one = clamp(1 - one - column.null_fraction());
    if (is_any) {
      part += one - part * one;
      sum += one;
    } else {
      part *= one;
      sum += one - 1;
    }
  }
  // The elements are most likely different: then the parts add up.
  return is_any == is_equal && sum >= 0 && sum <= 1 ? sum : clamp(part);
}

double boolean_column(const Expr& e) {
  EstimatedColumn column = examine_column(e);
  if (column.statistics == nullptr) return 0.5;
  Expr yes;
  yes.type = kBool;
  yes.value = datum_from_bool(true);
  return equal_selectivity(column, yes, find_type(kBool)->compare);
}

double test_selectivity(const Expr& e, const RangeEntry* scan) {
  double nulls = examine_column(*e.args[0]).null_fraction();
  double yes = selectivity(*e.args[0], scan);
  switch (e.test) {
    case BoolTest::kTrue:
      return yes;
    case BoolTest::kNotTrue:
      return 1 - yes;
    case BoolTest::kFalse:
      return clamp(1 - yes - nulls);
    case BoolTest::kNotFalse:
      return clamp(yes + nulls);
    case BoolTest::kUnknown:
      return nulls > 0 ? nulls : kUnknownTest;
    case BoolTest::kNotUnknown:
      return nulls > 0 ? 1 - nulls : 1 - kUnknownTest;
  }
  return 0.5;
}

double any_of(std::span<Expr* const> conditions, const RangeEntry* scan) {
  double part = 0;
  for (const Expr* e : conditions) {
    double one = selectivity(*e, scan);
    part += one - part * one;
  }
  return clamp(part);
}

double condition_selectivity(const Expr& e, const RangeEntry* scan) {
  switch (e.kind) {
    case ExprKind::kConst:
      return !e.is_null && datum_to_bool(e.value) ? 1 : 0;
    case ExprKind::kVar:
      return boolean_column(e);
    case ExprKind::kAnd:
      return selectivity(std::span<Expr* const>(e.args), scan);
    case ExprKind::kOr:
      return any_of(e.args, scan);
    case ExprKind::kNot:
      return clamp(1 - selectivity(*e.args[0], scan));
    case ExprKind::kCall:
      return e.is_operator ? operator_selectivity(e, scan) : kInequality;
    case ExprKind::kArrayCompare:
      return array_selectivity(e, scan);
    case ExprKind::kNullTest: {
      EstimatedColumn column = examine_column(*e.args[0]);
      double nulls = column.statistics == nullptr ? kUnknownTest : column.null_fraction();
      return e.flag ? 1 - nulls : nulls;
    }
    case ExprKind::kBoolTest:
      return test_selectivity(e, scan);
    case ExprKind::kDistinct:
      return 1 - kEqual;
    case ExprKind::kRelabel:
      return selectivity(*e.args[0], scan);
    default:
      return 0.5;
  }
}

}  // namespace

double selectivity(const Expr& condition, const RangeEntry* scan) {
  return with_stack([&] { return condition_selectivity(condition, scan); });
}

namespace {

/// The two ends of a range on one column, as far as they have been met.
struct FoundRange {
  const Expr* column;
  double above = -1;  ///< selectivity of column > …; -1: none yet
  double below = -1;
};

/// x > a AND x < b keep what neither refuses (addRangeClause).
double range_selectivity(const FoundRange& range) {
  if (range.above < 0) return range.below;
  if (range.below < 0) return range.above;
  if (range.above == kInequality || range.below == kInequality) return kRange;
  double part = range.above + range.below - 1 + examine_column(*range.column).null_fraction();
  if (part > 0) return part;
  return part < -0.01 ? kRange : 1e-10;
}

}  // namespace

double selectivity(std::span<Expr* const> conditions, const RangeEntry* scan) {
  double part = 1;
  std::vector<FoundRange> ranges;
  for (const Expr* e : conditions) {
    double one = selectivity(*e, scan);
    bool is_inequality = e->kind == ExprKind::kCall && e->is_operator && e->args.size() == 2 &&
                         (e->name == "<" || e->name == "<=" || e->name == ">" || e->name == ">=");
    ColumnCondition split;
    if (!is_inequality || !split_condition(*e, scan, split)) {
      part *= one;
      continue;
    }
    auto same = std::ranges::find_if(
        ranges, [&](const FoundRange& r) { return same_expr(r.column, split.column); });
    if (same == ranges.end()) same = ranges.insert(ranges.end(), {split.column});
    bool greater = (e->name[0] == '>') != split.is_turned;
    double& side = greater ? same->above : same->below;
    side = side < 0 ? one : std::min(side, one);
  }
  for (const FoundRange& range : ranges) part *= range_selectivity(range);
  return clamp(part);
}

}  // namespace cofork
