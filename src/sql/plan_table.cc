// How a table is read: from end to end or by one of its indexes, by simple guesses of what each
// costs; and joins that look the other side's rows up in an index.
//
// The guesses are PostgreSQL's when it knows nothing of the values: an equality keeps 1 row in 200,
// an inequality a third, a unique key one row; a random page costs 4 sequential ones. (costsize.c,
// selfuncs.c, indxpath.c, 15)
#include <algorithm>
#include <cmath>

#include "model/stack.h"
#include "settings/settings.h"
#include "sql/analyze.h"
#include "sql/nodes_join.h"
#include "sql/nodes_lock.h"
#include "sql/nodes_table.h"
#include "sql/planner.h"
#include "storage/buffer_pool.h"
#include "types/array.h"

namespace cofork {

using namespace type_oid;

void mark_used_columns(Query& query, Arena& arena) {
  auto prepare = [&](RangeEntry& entry) {
    while (entry.used.size() < entry.columns.size() + kSystemColumns) entry.used.push(arena, false);
  };
  auto mark_all = [&](RangeEntry& entry) {
    prepare(entry);
    for (size_t i = 0; i < entry.columns.size(); ++i) {
      entry.used[i] = entry.columns[i].type != kInvalidOid;
    }
  };
  auto mark_place = [&](RangeEntry& entry) {
    prepare(entry);
    entry.used[entry.columns.size()] = true;
  };
  std::vector<Query*> pending;
  auto visit_level = [&](Query& level) {
    for (RangeEntry* entry : level.entries) {
      if (entry->kind == RangeKind::kTable) prepare(*entry);
      if (entry->row_lock != RowLockStrength::kNone) {
        mark_all(*entry);  // a newer version is shown as a whole
        mark_place(*entry);
      }
      if (entry->subquery != nullptr) pending.push_back(entry->subquery);
    }
    if (Modification* modification = level.modification) {
      for (RangeEntry* entry : {modification->old_row, modification->row}) {
        if (entry != nullptr) mark_all(*entry);
      }
      if (modification->old_row != nullptr) mark_place(*modification->old_row);
      if (modification->conflict != nullptr && modification->conflict->existing != nullptr) {
        mark_all(*modification->conflict->existing);
      }
    }
    for (CommonTable* table : level.tables) {
      if (table->query != nullptr) pending.push_back(table->query);
    }
    if (level.left != nullptr) pending.push_back(level.left);
    if (level.right != nullptr) pending.push_back(level.right);
  };
  auto visit_entries = [&](Query* top) {
    pending.push_back(top);
    while (!pending.empty()) {
      Query* level = pending.back();
      pending.pop_back();
      visit_level(*level);
    }
  };
  visit_entries(&query);
  walk_query(query, 0, [&](const Expr& part, int) {
    if (part.subquery != nullptr) visit_entries(part.subquery);
    if (part.kind == ExprKind::kVar && part.entry->kind == RangeKind::kTable) {
      prepare(*part.entry);
      part.entry->used[static_cast<size_t>(part.column)] = true;
    }
    return true;
  });
}

// --- conditions
// -----------------------------------------------------------------------------------

/// A conjunct of the form an index can answer.
struct Planner::TableCondition {
  Expr* conjunct = nullptr;
  int column = 0;  ///< of the table, from 0
  BtreeStrategy strategy = BtreeStrategy::kEqual;
  BtreeCondition::Kind kind = BtreeCondition::Kind::kValue;
  Expr* value = nullptr;
  int (*compare)(Datum, Datum) = nullptr;
  double elements = 1;  ///< of = ANY
};

struct Planner::IndexChoice {
  IndexDesc* index = nullptr;
  std::vector<std::pair<int, size_t>> keys;  ///< column of the index, number of the condition
  double cost = 0;
  double rows = 0;
  int order = 0;  ///< 1 or -1: gives the wanted order, going that way
};

namespace {

bool is_integer(Oid type) {
  return type == kInt2 || type == kInt4 || type == kInt8;
}

bool is_text(Oid type) {
  return type == kText || type == kVarchar;
}

/// Integers of any width are the same word in a Datum.
int compare_integers(Datum a, Datum b) {
  int64_t x = datum_to_int64(a), y = datum_to_int64(b);
  return x < y ? -1 : x > y;
}

const Expr* without_relabel(const Expr* e) {
  while (e->kind == ExprKind::kRelabel) e = e->args[0];
  return e;
}

bool is_column_of(const Expr* e, const RangeEntry& entry) {
  e = without_relabel(e);
  return e->kind == ExprKind::kVar && e->entry == &entry &&
         e->column < static_cast<int>(entry.columns.size());
}

bool mentions(const Expr* e, const RangeEntry& entry) {
  bool found = false;
  walk(e, 0, [&](const Expr& part, int) {
    found |= part.kind == ExprKind::kVar && part.entry == &entry;
    return !found;
  });
  return found;
}

bool is_volatile(const Expr* e) {
  bool found = false;
  walk(e, 0, [&](const Expr& part, int) {
    found |= part.function != nullptr && part.function->volatility == Volatility::kVolatile;
    return !found;
  });
  return found;
}

BtreeStrategy turned(BtreeStrategy strategy) {
  return static_cast<BtreeStrategy>(6 - static_cast<int>(strategy));
}

bool strategy_of(std::string_view name, BtreeStrategy& strategy) {
  constexpr std::pair<std::string_view, BtreeStrategy> kNames[] = {
      {"<", BtreeStrategy::kLess},    {"<=", BtreeStrategy::kLessEqual},
      {"=", BtreeStrategy::kEqual},   {">=", BtreeStrategy::kGreaterEqual},
      {">", BtreeStrategy::kGreater},
  };
  for (auto& [text, number] : kNames) {
    if (text != name) continue;
    strategy = number;
    return true;
  }
  return false;
}

}  // namespace

bool Planner::table_condition(const RangeEntry& entry, Expr& conjunct, TableCondition& condition) {
  condition = {};
  condition.conjunct = &conjunct;
  const Expr* column = nullptr;
  Oid value_type = kInvalidOid;
  if (conjunct.kind == ExprKind::kNullTest && is_column_of(conjunct.args[0], entry)) {
    condition.kind =
        conjunct.flag ? BtreeCondition::Kind::kIsNotNull : BtreeCondition::Kind::kIsNull;
    condition.column = without_relabel(conjunct.args[0])->column;
    return true;
  }
  if (conjunct.kind == ExprKind::kArrayCompare && conjunct.flag && conjunct.name == "=" &&
      is_column_of(conjunct.args[0], entry)) {
    condition.kind = BtreeCondition::Kind::kAnyOf;
    column = without_relabel(conjunct.args[0]);
    condition.value = conjunct.args[1];
    value_type = find_type(condition.value->type)->element_oid;
    condition.elements = 10;
    if (condition.value->kind == ExprKind::kArray) {
      condition.elements = static_cast<double>(condition.value->args.size());
    } else if (condition.value->kind == ExprKind::kConst && !condition.value->is_null) {
      condition.elements = ArrayView(condition.value->value).count();
    }
  } else if (conjunct.kind == ExprKind::kCall && conjunct.is_operator &&
             conjunct.args.size() == 2 && strategy_of(conjunct.name, condition.strategy)) {
    Expr* left = conjunct.args[0];
    Expr* right = conjunct.args[1];
    if (!is_column_of(left, entry)) {
      std::swap(left, right);
      condition.strategy = turned(condition.strategy);
    }
    if (!is_column_of(left, entry)) return false;
    column = without_relabel(left);
    condition.value = right;
    value_type = right->type;
  }
  if (column == nullptr || mentions(condition.value, entry) || is_volatile(condition.value)) {
    return false;
  }
  condition.column = column->column;
  Oid type = entry.columns[static_cast<size_t>(column->column)].type;
  if (type == value_type || (is_text(type) && is_text(value_type))) return true;
  if (!is_integer(type) || !is_integer(value_type)) return false;
  condition.compare = compare_integers;
  return condition.kind == BtreeCondition::Kind::kValue;
}

// --- indexes
// --------------------------------------------------------------------------------------

int Planner::order_of_index(const RangeEntry& entry, const IndexDesc& index,
                            std::span<const TableCondition> conditions) const {
  if (wanted_order_.empty()) return 0;
  int direction = 0;
  size_t matched = 0;
  for (int key = 0; key < index.key_count && matched < wanted_order_.size(); ++key) {
    int column = index.columns[static_cast<size_t>(key)] - 1;
    const WantedOrder& wanted = wanted_order_[matched];
    if (wanted.entry != &entry) return 0;
    if (column != wanted.column) {
      // A column that is one value only does not matter.
      bool fixed = std::ranges::any_of(conditions, [&](const TableCondition& c) {
        return c.column == column && c.strategy == BtreeStrategy::kEqual &&
               c.kind == BtreeCondition::Kind::kValue;
      });
      if (!fixed) return 0;
      continue;
    }
    const IndexKey& order = index.shape.keys[static_cast<size_t>(key)];
    bool forward = order.descending == wanted.descending && order.nulls_first == wanted.nulls_first;
    bool backward =
        order.descending != wanted.descending && order.nulls_first != wanted.nulls_first;
    int way = forward ? 1 : backward ? -1 : 0;
    if (way == 0 || (direction != 0 && way != direction)) return 0;
    direction = way;
    ++matched;
  }
  return matched == wanted_order_.size() ? direction : 0;
}

Planner::IndexChoice Planner::rate_index(const RangeEntry& entry, IndexDesc& index,
                                         std::span<TableCondition> conditions, double tuples,
                                         double pages) {
  IndexChoice choice;
  double selectivity = 1;
  int equal_columns = 0;
  bool is_prefix = true;
  double searches = 1;
  for (int key = 0; key < index.key_count; ++key) {
    int column = index.columns[static_cast<size_t>(key)] - 1;
    bool is_equal = false;
    int ranges = 0;
    for (size_t i = 0; i < conditions.size(); ++i) {
      const TableCondition& condition = conditions[i];
      if (column < 0 || condition.column != column) continue;
      if (condition.kind == BtreeCondition::Kind::kAnyOf && !is_prefix) continue;
      choice.keys.emplace_back(key, i);
      switch (condition.kind) {
        case BtreeCondition::Kind::kValue:
          if (condition.strategy == BtreeStrategy::kEqual) {
            is_equal = true;
            selectivity *= 0.005;
          } else {
            ++ranges;
          }
          break;
        case BtreeCondition::Kind::kAnyOf:
          is_equal = true;
          searches *= std::max(1.0, condition.elements);
          selectivity *= std::min(1.0, 0.005 * condition.elements);
          break;
        case BtreeCondition::Kind::kIsNull:
          selectivity *= 0.005;
          break;
        case BtreeCondition::Kind::kIsNotNull:
          selectivity *= 0.995;
          break;
      }
    }
    if (ranges == 1) selectivity *= 1.0 / 3;
    if (ranges > 1) selectivity *= 0.005;
    if (is_equal && is_prefix) ++equal_columns;
    is_prefix &= is_equal;
    if (key == 0 && choice.keys.empty()) break;
  }
  choice.order = order_of_index(entry, index, conditions);
  if (choice.keys.empty() && choice.order == 0) return choice;
  choice.index = &index;
  choice.rows = std::max(1.0, tuples * selectivity);
  if (index.unique && equal_columns == index.key_count) choice.rows = std::min(tuples, searches);
  double fraction = tuples > 0 ? std::min(1.0, choice.rows / tuples) : 1;
  SettingsView& view = settings();
  double random_cost = view.get(setting::kRandomPageCost);
  double index_pages = std::max(1.0, std::ceil(std::max(1.0, pages / 4) * fraction));
  double heap_pages = std::min(choice.rows, pages);
  choice.cost = index_pages * random_cost + heap_pages * random_cost +
                choice.rows * (0.005 + 0.0025 * static_cast<double>(choice.keys.size()) + 0.01);
  if (choice.order != 0 && wanted_rows_ >= 0 && wanted_rows_ < choice.rows) {
    choice.cost *= std::max(wanted_rows_, 1.0) / choice.rows;
  }
  if (!view.get(setting::kEnableIndexscan)) choice.cost += 1e10;
  return choice;
}

namespace {

/// Rows and pages of a table as they are now, by the density VACUUM found or a guess
/// (estimate_rel_size).
void estimate_size(const RelationDesc& relation, double& tuples, double& pages) {
  pages = relation_blocks(relation.access.file, ForkNumber::kMain);
  double density = 0;
  if (relation.tuples >= 0 && relation.pages > 0) {
    density = relation.tuples / relation.pages;
  } else {
    if (relation.tuples < 0) pages = std::max(pages, 10.0);
    double width = 0;
    for (const Attribute& attribute : relation.shape.attributes()) {
      width += attribute.length > 0 ? attribute.length : 32;
    }
    density = std::floor((8192 - 24) / (std::ceil(width / 8) * 8 + 28));
  }
  tuples = std::rint(density * pages);
}

double keep_fraction(const Expr& conjunct) {
  if (conjunct.kind == ExprKind::kCall && conjunct.name == "=") return 0.005;
  if (conjunct.kind == ExprKind::kNullTest) return conjunct.flag ? 0.995 : 0.005;
  return 1.0 / 3;
}

}  // namespace

PlanNode* Planner::plan_table(RangeEntry& entry, std::vector<Expr*>& conjuncts, double& rows) {
  RelationDesc& relation = *entry.relation;
  double tuples = 0, pages = 0;
  estimate_size(relation, tuples, pages);
  std::vector<TableCondition> conditions;
  for (Expr* conjunct : conjuncts) {
    TableCondition condition;
    if (table_condition(entry, *conjunct, condition)) conditions.push_back(condition);
  }
  SettingsView& view = settings();
  IndexChoice best;
  best.cost = pages * view.get(setting::kSeqPageCost) +
              tuples * (0.01 + 0.0025 * static_cast<double>(conjuncts.size()));
  if (!wanted_order_.empty() && tuples > 1) best.cost += tuples * std::log2(tuples) * 0.005;
  if (!view.get(setting::kEnableSeqscan)) best.cost += 1e10;
  best.rows = tuples;
  for (const auto& index : relation.indexes) {
    if (!index->valid || !index->predicate.empty()) continue;
    IndexChoice choice = rate_index(entry, *index, conditions, tuples, pages);
    if (choice.index != nullptr && choice.cost < best.cost) best = std::move(choice);
  }
  rows = best.rows;
  if (best.index == nullptr) {
    for (const Expr* conjunct : conjuncts) rows *= keep_fraction(*conjunct);
    rows = std::max(rows, 1.0);
    return make_node<SeqScanNode>(relation, entry, entry.name);
  }
  std::vector<IndexKeyPlan> keys;
  for (auto [column, number] : best.keys) {
    const TableCondition& condition = conditions[number];
    IndexKeyPlan key;
    key.column = column;
    key.strategy = condition.strategy;
    key.kind = condition.kind;
    key.compare = condition.compare;
    key.condition = condition.conjunct;
    if (condition.value != nullptr) key.value = compile(*condition.value);
    keys.push_back(key);
    std::erase(conjuncts, condition.conjunct);
  }
  if (best.order != 0) has_order_ = true;
  auto direction = best.order < 0 ? ScanDirection::kBackward : ScanDirection::kForward;
  return make_node<IndexScanNode>(relation, entry, entry.name, *best.index, std::move(keys),
                                  direction);
}

// --- joins
// ----------------------------------------------------------------------------------------

bool Planner::join_by_index(const FromTree& right, const Input& left,
                            std::vector<Expr*>& conditions, Input& joined) {
  if (right.entry == nullptr || right.entry->kind != RangeKind::kTable) return false;
  if (!settings().get(setting::kEnableNestloop)) return false;
  RangeEntry& entry = *right.entry;
  double tuples = 0, pages = 0;
  estimate_size(*entry.relation, tuples, pages);
  std::vector<TableCondition> usable;
  const RangeEntry* only[] = {&entry};
  bool any_join = false;
  for (Expr* e : conditions) {
    TableCondition condition;
    if (!table_condition(entry, *e, condition)) continue;
    any_join |= condition.value != nullptr && !refers_only_to(*e, only);
    usable.push_back(condition);
  }
  if (!any_join) return false;
  double scan_cost = pages + tuples * 0.0175;
  bool worth = false;
  for (const auto& index : entry.relation->indexes) {
    if (!index->valid || !index->predicate.empty()) continue;
    IndexChoice choice = rate_index(entry, *index, usable, tuples, pages);
    worth |= choice.index != nullptr && !choice.keys.empty() && choice.cost * left.rows < scan_cost;
  }
  if (!worth) return false;
  joined.entries.push_back(&entry);
  entry.first_slot = new_slots(entry.columns.size() + kSystemColumns);
  joined.node = plan_table(entry, conditions, joined.rows);
  return true;
}

// --- order
// ----------------------------------------------------------------------------------------

void Planner::want_order(const Query& query) {
  wanted_order_.clear();
  wanted_rows_ = -1;
  has_order_ = false;
  if (query.from == nullptr || query.from->entry == nullptr ||
      query.from->entry->kind != RangeKind::kTable || query.distinct ||
      !query.distinct_on.empty() || query.has_windows || query.has_set_calls) {
    return;
  }
  for (const SortKey& key : query.order) {
    const Expr* e = without_relabel(query.targets[static_cast<size_t>(key.target)].expr);
    if (!is_column_of(e, *query.from->entry)) {
      wanted_order_.clear();
      return;
    }
    wanted_order_.push_back({e->entry, e->column, key.descending, key.nulls_first});
  }
  if (query.limit != nullptr && query.limit->kind == ExprKind::kConst && !query.limit->is_null) {
    wanted_rows_ = static_cast<double>(datum_to_int64(query.limit->value));
  }
}

// --- row locks
// ------------------------------------------------------------------------------------

namespace {

void collect_conditions(const FromTree* tree, std::vector<Expr*>& all) {
  if (tree == nullptr || tree->entry != nullptr) return;
  if (tree->condition != nullptr && tree->join == JoinKind::kInner) all.push_back(tree->condition);
  with_stack([&] {
    collect_conditions(tree->left, all);
    collect_conditions(tree->right, all);
  });
}

}  // namespace

Program* Planner::compile_recheck(const Query& query) {
  std::vector<Expr*> all;
  collect_conditions(query.from, all);
  if (query.where != nullptr) all.push_back(query.where);
  return all.empty() ? nullptr : compile_all(all);
}

PlanNode* Planner::lock_rows(Query& query, PlanNode* child, Program* projection) {
  auto* node = make_node<LockRowsNode>(child);
  for (RangeEntry* entry : query.entries) {
    if (entry->row_lock != RowLockStrength::kNone) node->add(*entry->relation, *entry);
  }
  node->recheck = compile_recheck(query);
  node->projection = projection;
  return node;
}

}  // namespace cofork
