// Inside plan_from.cc and plan_joins.cc only: which conditions belong where, and how a join is
// made.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "sql/analyze.h"
#include "sql/planner.h"

namespace cofork {

/// The entries of this query level (or of queries within) that `expr` reads.
template <typename F>
void for_each_entry(const Expr& expr, F&& use) {
  walk(&expr, 0, [&](const Expr& part, int depth) {
    if (part.kind == ExprKind::kVar && part.levels_up == depth) use(part.entry);
    return true;
  });
}

inline bool contains(std::span<const RangeEntry* const> entries, const RangeEntry* entry) {
  return std::ranges::find(entries, entry) != entries.end();
}

/// Takes the conditions that `wanted` accepts out of `from`.
std::vector<Expr*> take(std::vector<Expr*>& from, auto&& wanted) {
  std::vector<Expr*> taken;
  std::erase_if(from, [&](Expr* e) {
    if (!wanted(*e)) return false;
    taken.push_back(e);
    return true;
  });
  return taken;
}

void add_conjuncts(Expr* condition, std::vector<Expr*>& to);
/// The type to hash when a = b joins: null when it cannot be hashed.
const BuiltinType* hash_type(Oid a, Oid b);
void collect_entries(const FromTree& tree, std::vector<const RangeEntry*>& entries);

/// From a = 3 and a = b follows b = 3: calls `found` with it, and with the number of "a = b" among
/// `joins`. The new conditions live in `arena`. (equivclass.c, 15, a part of it)
void imply_constants(std::span<Expr* const> known, std::span<Expr* const> joins, Arena& arena,
                     const std::function<void(Expr*, size_t)>& found);

/// A way to join two inputs.
struct Planner::JoinChoice {
  enum class Method : uint8_t {
    kHash,
    kNestedLoop,
    kMaterialized,  ///< a nested loop over rows kept of the inner side
    kLookup,        ///< a nested loop that looks the inner side's rows up, by `path`
  };
  Method method = Method::kNestedLoop;
  JoinKind kind = JoinKind::kInner;
  bool is_exchanged = false;  ///< a left join that hashes its left side: the inputs change places
  TablePath path;
  RangeEntry* table = nullptr;          ///< of `path`
  std::vector<Expr*> table_conditions;  ///< kLookup: what the table's own scan tested
  PlanEstimate estimate;
  PlanEstimate kept;  ///< of kMaterialized's inner side
};

/// A condition a = b to hash by: its sides, in the order of the join's, and the type of the hash.
struct HashKey {
  Expr* left = nullptr;
  Expr* right = nullptr;
  const BuiltinType* type = nullptr;
};

}  // namespace cofork
