// How a table is read: from end to end, by one of its indexes, or by the addresses an index gives,
// sorted; whichever the cost model (cost.h) rates cheapest. (indxpath.c, costsize.c, plancat.c, 15)
#include <algorithm>
#include <cmath>

#include "catalog/column_statistics.h"
#include "model/stack.h"
#include "settings/settings.h"
#include "sql/analyze.h"
#include "sql/nodes_join.h"
#include "sql/nodes_lock.h"
#include "sql/nodes_table.h"
#include "sql/planner.h"
#include "sql/selectivity.h"
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

namespace {

/// Bytes of a row, as far as types and statistics tell.
int data_width(const RangeEntry& entry) {
  int width = 0;
  for (size_t i = 0; i < entry.columns.size(); ++i) {
    if (entry.columns[i].type != kInvalidOid) width += column_width(entry, static_cast<int>(i));
  }
  return width;
}

}  // namespace

/// Rows and pages of a table as they are now, by the density VACUUM found or a guess
/// (estimate_rel_size).
void Planner::estimate_size(RangeEntry& entry, TableSize& size) {
  const RelationDesc& relation = *entry.relation;
  size.pages = relation_blocks(relation.access.file, ForkNumber::kMain);
  if (relation.pages > 0) {
    size.all_visible =
        std::min(1.0, static_cast<double>(relation.all_visible) / std::max(size.pages, 1.0));
  }
  double density = 0;
  if (relation.tuples >= 0 && relation.pages > 0) {
    density = relation.tuples / relation.pages;
  } else {
    if (relation.tuples < 0) size.pages = std::max(size.pages, 10.0);
    density = std::floor((8192 - 24) / (std::ceil(data_width(entry) / 8.0) * 8 + 28));
  }
  size.tuples = std::rint(density * size.pages);
  entry.tuples = size.tuples;
}

/// May the scan take everything it needs out of the index? (check_index_only)
bool Planner::covers(const RangeEntry& entry, const IndexDesc& index) const {
  if (!settings().get(setting::kEnableIndexonlyscan)) return false;
  size_t columns = entry.columns.size();
  for (size_t i = 0; i < kSystemColumns; ++i) {
    if (entry.used[columns + i]) return false;
  }
  for (size_t i = 0; i < columns; ++i) {
    if (!entry.used[i]) continue;
    // An index keeps a name without its padding.
    if (entry.columns[i].type == kName) return false;
    if (std::ranges::find(index.columns, static_cast<int16_t>(i + 1)) == index.columns.end()) {
      return false;
    }
  }
  return true;
}

/// What searching the index by these conditions costs, and which of them it answers.
bool Planner::rate_index(const RangeEntry& entry, IndexDesc& index,
                         std::span<TableCondition> conditions, const TableSize& size, double loops,
                         TablePath& path, IndexAccess& access) {
  path.index = &index;
  std::vector<Expr*> all, bounding;
  double argument_cost = 0, searches = 1;
  int equal_columns = 0;
  bool bounds = true, has_array = false;
  for (int key = 0; key < index.key_count; ++key) {
    int column = index.columns[static_cast<size_t>(key)] - 1;
    bool is_equal = false;
    for (size_t i = 0; i < conditions.size(); ++i) {
      const TableCondition& condition = conditions[i];
      bool is_array = condition.kind == BtreeCondition::Kind::kAnyOf;
      if (column < 0 || condition.column != column || (is_array && !bounds)) continue;
      path.keys.emplace_back(key, i);
      all.push_back(condition.conjunct);
      if (bounds) bounding.push_back(condition.conjunct);
      if (condition.value != nullptr) argument_cost += cost_.of(condition.value);
      has_array |= is_array;
      if (is_array) searches *= std::max(1.0, condition.elements);
      is_equal |= is_array || condition.kind == BtreeCondition::Kind::kIsNull ||
                  (condition.kind == BtreeCondition::Kind::kValue &&
                   condition.strategy == BtreeStrategy::kEqual);
    }
    if (is_equal && bounds) ++equal_columns;
    bounds &= is_equal;
    if (key == 0 && path.keys.empty()) break;
  }
  path.order = order_of_index(entry, index, conditions);
  access = {};
  access.selectivity = selectivity(std::span<Expr* const>(all), &entry);
  double entries = 1;
  if (!index.unique || equal_columns < index.key_count || has_array) {
    entries = selectivity(std::span<Expr* const>(bounding), &entry) * size.tuples / searches;
  }
  IndexSizes sizes;
  sizes.index_pages = relation_blocks(index.access.file, ForkNumber::kMain);
  sizes.index_tuples = size.tuples;
  sizes.height = btree_height(index.btree);
  double part = access.selectivity;
  access = cost_.index_access(sizes, entries, searches, all.size(), argument_cost, loops);
  access.selectivity = part;
  int first = index.columns[0];
  if (first > 0) {
    const ColumnStatistics* known = column_statistics(*entry.relation, static_cast<int16_t>(first));
    if (known != nullptr && known->correlation) {
      access.correlation = *known->correlation;
      if (index.shape.keys[0].descending) access.correlation = -access.correlation;
      if (index.key_count > 1) access.correlation *= 0.75;
    }
  }
  return true;
}

/// Costs as the query sees them: with a sort if the order is wanted and not given, and only as far
/// as LIMIT lets it run.
double Planner::seen_cost(const TablePath& path, double loops) const {
  PlanEstimate e = path.estimate;
  if (loops == 1 && !wanted_order_.empty() && path.order == 0) {
    e = cost_.sort(e, wanted_order_.size(), wanted_rows_);
  }
  if (loops == 1 && wanted_rows_ >= 0) e = cost_.limit(e, 0, wanted_rows_);
  return e.total;
}

Planner::TablePath Planner::choose_path(RangeEntry& entry, std::span<Expr* const> conjuncts,
                                        double loops) {
  TableSize size;
  estimate_size(entry, size);
  std::vector<TableCondition> conditions;
  for (Expr* conjunct : conjuncts) {
    TableCondition condition;
    if (table_condition(entry, *conjunct, condition)) conditions.push_back(condition);
  }
  SettingsView& view = settings();
  double rows = clamp_rows(size.tuples * selectivity(conjuncts, &entry));
  int width = 0;
  for (size_t i = 0; i < entry.columns.size(); ++i) {
    if (entry.used[i]) width += column_width(entry, static_cast<int>(i));
  }
  double filter_cost = cost_.of(conjuncts);
  TablePath best;
  best.estimate = cost_.sequential_scan(size.pages, size.tuples, rows, filter_cost);
  if (!view.get(setting::kEnableSeqscan)) {
    best.estimate.startup += kDisabledCost;
    best.estimate.total += kDisabledCost;
  }
  double best_cost = seen_cost(best, loops);
  auto consider = [&](TablePath& path) {
    double cost = seen_cost(path, loops);
    if (cost >= best_cost) return;
    best_cost = cost;
    best = path;
  };
  for (const auto& index : entry.relation->indexes) {
    if (!index->valid || !index->predicate.empty()) continue;
    bool is_covered = covers(entry, *index);
    TablePath path;
    IndexAccess access;
    rate_index(entry, *index, conditions, size, loops, path, access);
    if (path.keys.empty() && path.order == 0 && !is_covered) continue;
    double rest_cost = filter_cost;
    for (auto [key, number] : path.keys) rest_cost -= cost_.of(conditions[number].conjunct);
    path.kind = is_covered ? TablePath::Kind::kIndexOnly : TablePath::Kind::kIndex;
    path.estimate =
        cost_.index_scan(access, size.pages, size.tuples, rows, std::max(rest_cost, 0.0), loops,
                         is_covered ? size.all_visible : 0);
    if (!view.get(setting::kEnableIndexscan)) {
      path.estimate.startup += kDisabledCost;
      path.estimate.total += kDisabledCost;
    }
    consider(path);
    if (path.keys.empty()) continue;
    path.kind = TablePath::Kind::kBitmap;
    path.order = 0;
    path.bitmap = cost_.bitmap_index(access, size.tuples);
    path.estimate = cost_.bitmap_heap(access, size.pages, size.tuples, rows, filter_cost, loops);
    if (!view.get(setting::kEnableBitmapscan)) {
      path.estimate.startup += kDisabledCost;
      path.estimate.total += kDisabledCost;
    }
    consider(path);
  }
  best.estimate.width = width;
  for (auto [key, number] : best.keys) best.conditions.push_back(conditions[number]);
  return best;
}

namespace {

/// How many columns of the table, from the first on, the conditions need; 0 when that is not
/// enough: system columns, and values that may have to be unpacked, are shown with the whole row.
int columns_looked_at(const RangeEntry& entry, std::span<Expr* const> conditions) {
  int count = 0;
  bool is_enough = true;
  for (const Expr* condition : conditions) {
    walk(condition, 0, [&](const Expr& part, int) {
      if (part.kind != ExprKind::kVar || part.entry != &entry) return true;
      count = std::max(count, part.column + 1);
      const BuiltinType* type = find_type(part.type);
      is_enough &= type != nullptr && type->length > 0;
      return true;
    });
  }
  is_enough &= count <= static_cast<int>(entry.columns.size());
  return is_enough ? count : 0;
}

}  // namespace

PlanNode* Planner::build_path(RangeEntry& entry, const TablePath& path,
                              std::vector<Expr*>& conjuncts) {
  RelationDesc& relation = *entry.relation;
  std::vector<IndexKeyPlan> keys;
  for (size_t i = 0; i < path.keys.size(); ++i) {
    const TableCondition& condition = path.conditions[i];
    IndexKeyPlan key;
    key.column = path.keys[i].first;
    key.strategy = condition.strategy;
    key.kind = condition.kind;
    key.compare = condition.compare;
    key.condition = condition.conjunct;
    if (condition.value != nullptr) key.value = compile(*condition.value);
    keys.push_back(key);
    std::erase(conjuncts, condition.conjunct);
  }
  auto direction = path.order < 0 ? ScanDirection::kBackward : ScanDirection::kForward;
  PlanNode* node = nullptr;
  switch (path.kind) {
    case TablePath::Kind::kSequential:
      node = make_node<SeqScanNode>(relation, entry);
      break;
    case TablePath::Kind::kIndex:
      node = make_node<IndexScanNode>(relation, entry, *path.index, std::move(keys), direction);
      break;
    case TablePath::Kind::kIndexOnly:
      node = make_node<IndexOnlyScanNode>(relation, entry, *path.index, std::move(keys), direction);
      break;
    case TablePath::Kind::kBitmap: {
      BitmapIndexScanNode* index = make_node<BitmapIndexScanNode>(*path.index, std::move(keys));
      index->estimate = path.bitmap;
      node = make_node<BitmapHeapScanNode>(relation, entry, index);
      break;
    }
  }
  node->estimate = path.estimate;
  if (!conjuncts.empty()) {
    node->show_first(columns_looked_at(entry, conjuncts));
    node = make_filter(node, conjuncts, &entry, path.estimate);
  }
  // At the end: compiling conditions may plan sub-selects, which note their own.
  if (path.order != 0) has_order_ = true;
  return node;
}

// --- order

void Planner::want_order(const Query& query) {
  wanted_order_.clear();
  wanted_rows_ = -1;
  has_order_ = false;
  if (query.from == nullptr || query.from->entry == nullptr ||
      query.from->entry->kind != RangeKind::kTable || query.distinct ||
      !query.distinct_on.empty() || query.has_set_calls) {
    return;
  }
  if (query.has_windows) {
    want_window_order(query);
    return;
  }
  if (query.limit != nullptr && query.limit->kind == ExprKind::kConst && !query.limit->is_null) {
    wanted_rows_ = std::max(1.0, static_cast<double>(datum_to_int64(query.limit->value)));
    if (query.offset != nullptr && query.offset->kind == ExprKind::kConst &&
        !query.offset->is_null) {
      wanted_rows_ += std::max(0.0, static_cast<double>(datum_to_int64(query.offset->value)));
    }
  }
  for (const SortKey& key : query.order) {
    const Expr* e = without_relabel(query.targets[static_cast<size_t>(key.target)].expr);
    if (!is_column_of(e, *query.from->entry)) {
      wanted_order_.clear();
      wanted_rows_ = -1;  // everything is read before the first row comes out
      return;
    }
    wanted_order_.push_back({e->entry, e->column, key.descending, key.nulls_first});
  }
}

/// The order of the one window a query has: then the index saves its sort.
void Planner::want_window_order(const Query& query) {
  if (query.windows.size() != 1) return;
  auto add = [&](const SortKey& key) {
    const Expr* e = without_relabel(key.expr);
    if (!is_column_of(e, *query.from->entry)) return false;
    wanted_order_.push_back({e->entry, e->column, key.descending, key.nulls_first});
    return true;
  };
  bool all = true;
  for (const SortKey& key : query.windows[0]->partition) all = all && add(key);
  for (const SortKey& key : query.windows[0]->order) all = all && add(key);
  if (!all) wanted_order_.clear();
}

// --- row locks

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
  node->estimate = child->estimate;
  node->estimate.total += cost_.per_tuple() * child->estimate.rows;
  for (RangeEntry* entry : query.entries) {
    if (entry->row_lock != RowLockStrength::kNone) node->add(*entry->relation, *entry);
  }
  node->recheck = compile_recheck(query);
  node->projection = projection;
  return node;
}

}  // namespace cofork
