// Joins the tables into indexes and answers look-ups. See builtin.h.
#include "catalog/builtin.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "catalog/function_tables.h"
#include "catalog/procedures.h"
#include "catalog/window_functions.h"
#include "types/array.h"
#include "types/scalar.h"

namespace cofork {

namespace {

/// Rows of one kind by name, each list in table order.
template <typename Row>
using ByName = std::unordered_map<std::string_view, std::vector<const Row*>>;

/// Rows of one kind by oid: a sorted list and binary search.
template <typename Row>
const Row* find_by_oid(std::span<const Row* const> sorted, Oid oid) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), oid,
                             [](const Row* row, Oid o) { return row->oid < o; });
  return at != sorted.end() && (*at)->oid == oid ? *at : nullptr;
}

/// Everything the look-ups read; made once, never changed.
class Builtins {
 public:
  explicit Builtins(std::initializer_list<BuiltinTables> more) {
    for (auto table : {kNumberTypes, kNumericTypes, kDatetimeTypes, kBitTypes, kNetworkTypes,
                       kRegTypes, kSnapshotTypes, kTextTypes, kPseudoTypes, kCatalogTypes})
      add_types(table);
    finish_types();
    for (auto table :
         {kIntegerFunctions, kFloatFunctions, kNumericFunctions, kDatetimeConvertFunctions,
          kDatetimeMathFunctions, kDatetimeFieldFunctions, kComparisonFunctions, kTextFunctions,
          kTextFormatFunctions, kTextMatchFunctions, kArrayFunctions, kBitFunctions,
          kRegexpFunctions, kByteaFunctions, kFormatFunctions, kNetworkFunctions, kMiscFunctions,
          kObjectInfoFunctions, kWindowFunctions})
      add_functions(table);
    for (const BuiltinTables& tables : more) add_functions(tables.functions);
    sort_by_oid(functions);
    for (const BuiltinOperator& op : kOperators) operators_by_name[op.name].push_back(&op);
    for (const BuiltinAggregate& a : kAggregates) aggregates_by_name[a.name].push_back(&a);
  }

  std::vector<BuiltinType> types;  ///< by oid
  std::unordered_map<std::string_view, const BuiltinType*> types_by_name;
  std::vector<const BuiltinFunction*> functions;  ///< by oid
  ByName<BuiltinFunction> functions_by_name;
  ByName<BuiltinOperator> operators_by_name;
  ByName<BuiltinAggregate> aggregates_by_name;

  const BuiltinType* type(Oid oid) const {
    return oid < kDirectTypes   ? direct_types_[oid]
           : oid == kInvalidOid ? nullptr
                                : find_high_type(oid);
  }

 private:
  static constexpr Oid kDirectTypes = 2304;

  template <typename Row>
  static void sort_by_oid(std::vector<const Row*>& rows) {
    std::sort(rows.begin(), rows.end(), [](auto* a, auto* b) { return a->oid < b->oid; });
  }

  void add_types(std::span<const BuiltinType> table) {
    for (const BuiltinType& type : table) {
      types.push_back(type);
      if (type.array_oid == kInvalidOid) continue;
      names_.push_back(fmt::format("_{}", type.name));
      const char* name = names_.back().c_str();
      names_.push_back(fmt::format("{}[]", type.sql_name));
      types.push_back(array_type_over(type, name, names_.back().c_str()));
    }
  }

  void finish_types() {
    std::sort(types.begin(), types.end(), [](auto& a, auto& b) { return a.oid < b.oid; });
    for (const BuiltinType& type : types) {
      if (type.oid < kDirectTypes) direct_types_[type.oid] = &type;
    }
    // typname wins over an SQL spelling: char is "char", not character.
    for (const BuiltinType& type : types) types_by_name.emplace(type.name, &type);
    for (const BuiltinType& type : types) types_by_name.emplace(type.sql_name, &type);
    static constexpr std::pair<const char*, const char*> kSpellings[] = {
        {"int", "int4"}, {"decimal", "numeric"}, {"dec", "numeric"}, {"float", "float8"}};
    for (auto [spelling, name] : kSpellings)
      types_by_name.emplace(spelling, types_by_name.at(name));
  }

  void add_functions(std::span<const BuiltinFunction> table) {
    for (const BuiltinFunction& function : table) {
      functions.push_back(&function);
      functions_by_name[function.name].push_back(&function);
    }
  }

  const BuiltinType* find_high_type(Oid oid) const {
    auto at = std::lower_bound(types.begin(), types.end(), oid,
                               [](const BuiltinType& type, Oid o) { return type.oid < o; });
    return at != types.end() && at->oid == oid ? &*at : nullptr;
  }

  std::deque<std::string> names_;  // a deque: its strings never move
  const BuiltinType* direct_types_[kDirectTypes] = {};
};

/// The one instance. It is set once, by main() or by the first look-up, before there is a second
/// task that could look.
const Builtins& builtins(const std::initializer_list<BuiltinTables>* more = nullptr) {
  static const Builtins instance(more != nullptr ? *more : std::initializer_list<BuiltinTables>{});
  return instance;
}

template <typename Row>
std::span<const Row* const> rows_named(const ByName<Row>& rows, std::string_view name) {
  auto at = rows.find(name);
  if (at == rows.end()) return {};
  return at->second;
}

template <typename Row>
const Row* find_sorted(std::span<const Row> rows, Oid oid) {
  auto at = std::lower_bound(rows.begin(), rows.end(), oid,
                             [](const Row& row, Oid o) { return row.oid < o; });
  return at != rows.end() && at->oid == oid ? &*at : nullptr;
}

}  // namespace

void load_builtins(std::initializer_list<BuiltinTables> more) {
  builtins(&more);
}

const BuiltinType* find_type(Oid oid) {
  return builtins().type(oid);
}

const BuiltinType* find_type(std::string_view name) {
  const auto& types = builtins().types_by_name;
  auto at = types.find(name);
  if (at != types.end()) return at->second;
  if (!name.ends_with("[]")) return nullptr;
  const BuiltinType* element = find_type(trim_spaces(name.substr(0, name.size() - 2)));
  return element == nullptr ? nullptr : find_type(element->array_oid);
}

std::span<const BuiltinType> all_types() {
  return builtins().types;
}

std::string format_type(Oid oid, int32_t typmod) {
  if (oid == kInvalidOid) return "-";
  const BuiltinType* type = find_type(oid);
  if (type == nullptr) return "???";
  if (type->is_array() && type->array_oid == kInvalidOid && type->name[0] == '_') {
    return format_type(type->element_oid, typmod) + "[]";
  }
  if (typmod < 0 || type->typmod_out == nullptr) return type->sql_name;
  // "timestamp(3) without time zone": the modifier stands after the first word of those four.
  std::string name = type->sql_name;
  size_t at = type->category == 'D' ? name.find(' ') : std::string::npos;
  return name.insert(at == std::string::npos ? name.size() : at, type->typmod_out(typmod));
}

Datum copy_datum(const BuiltinType& type, Datum value, Arena& arena) {
  if (type.by_value) return value;
  size_t bytes = stored_bytes(value, type.length);
  void* copy = arena.allocate(bytes, type.length == -1 ? 8 : align_for(1, type.align));
  std::memcpy(copy, datum_to_pointer(value), bytes);
  return datum_from_pointer(copy);
}

const BuiltinFunction* find_function(Oid oid) {
  return find_by_oid<BuiltinFunction>(builtins().functions, oid);
}
std::span<const BuiltinFunction* const> functions_named(std::string_view name) {
  return rows_named(builtins().functions_by_name, name);
}
std::span<const BuiltinFunction* const> all_functions() {
  return builtins().functions;
}

const BuiltinOperator* find_operator(Oid oid) {
  return find_sorted(kOperators, oid);
}
std::span<const BuiltinOperator* const> operators_named(std::string_view name) {
  return rows_named(builtins().operators_by_name, name);
}
std::span<const BuiltinOperator> all_operators() {
  return kOperators;
}

const BuiltinCast* find_cast(Oid source, Oid target) {
  auto at = std::lower_bound(kCasts.begin(), kCasts.end(), std::pair(source, target),
                             [](const BuiltinCast& cast, std::pair<Oid, Oid> key) {
                               return std::pair(cast.source, cast.target) < key;
                             });
  if (at == kCasts.end() || at->source != source || at->target != target) return nullptr;
  return &*at;
}
std::span<const BuiltinCast> all_casts() {
  return kCasts;
}

std::span<const BuiltinAggregate* const> aggregates_named(std::string_view name) {
  return rows_named(builtins().aggregates_by_name, name);
}
std::vector<Oid> procedures_named(std::string_view name) {
  std::vector<Oid> oids;
  for (const BuiltinFunction* function : functions_named(name)) oids.push_back(function->oid);
  for (const BuiltinAggregate* aggregate : aggregates_named(name)) oids.push_back(aggregate->oid);
  return oids;
}

const BuiltinAggregate* find_aggregate(Oid oid) {
  return find_sorted(kAggregates, oid);
}
std::span<const BuiltinAggregate> all_aggregates() {
  return kAggregates;
}

}  // namespace cofork
