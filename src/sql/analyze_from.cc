// FROM: tables, sub-selects, functions, joins, and which names each part may see
// (parse_clause.c and addRangeTableEntry… in parse_relation.c).
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {

RangeEntry* Analyzer::new_entry(RangeKind kind, Scope& scope) {
  RangeEntry* entry = arena_.make<RangeEntry>();
  entry->kind = kind;
  scope.query->entries.push(arena_, entry);
  return entry;
}

NameSpaceItem* Analyzer::name_space_of(RangeEntry& entry) {
  NameSpaceItem* item = arena_.make<NameSpaceItem>();
  item->name = entry.name;
  if (entry.kind == RangeKind::kTable) item->table = &entry;
  int index = -1;
  for (const Column& column : entry.columns) {
    ++index;
    if (column.type == kInvalidOid) continue;  // dropped
    Expr* var = make(ExprKind::kVar, column.type, -1);
    var->typmod = column.typmod;
    var->entry = &entry;
    var->column = index;
    item->columns.push(arena_, {column.name, var});
  }
  return item;
}

void Analyzer::set_lateral(List<NameSpaceItem*>& items, bool only, bool allowed) {
  for (NameSpaceItem* item : items) {
    item->lateral_only = only;
    item->lateral_allowed = allowed;
  }
}

void Analyzer::check_name_clash(std::span<NameSpaceItem*> have, std::span<NameSpaceItem*> more) {
  for (const NameSpaceItem* a : have) {
    if (!a->relation_visible || a->name.empty()) continue;
    for (const NameSpaceItem* b : more) {
      if (!b->relation_visible || a->name != b->name) continue;
      throw Error(sqlstate::kDuplicateAlias, "table name \"{}\" specified more than once", a->name);
    }
  }
}

void Analyzer::from_clause(NodeList from, Scope& scope) {
  for (const Node* raw : from) {
    List<NameSpaceItem*> names;
    FromTree* tree = from_item(*raw, scope, names);
    check_name_clash(scope.items, names);
    set_lateral(names, true, true);
    for (NameSpaceItem* item : names) scope.items.push(arena_, item);
    if (scope.query->from == nullptr) {
      scope.query->from = tree;
    } else {
      FromTree* cross = arena_.make<FromTree>();
      cross->left = scope.query->from;
      cross->right = tree;
      scope.query->from = cross;
    }
  }
  set_lateral(scope.items, false, true);
}

FromTree* Analyzer::from_item(const Node& item, Scope& scope, List<NameSpaceItem*>& names) {
  if (item.is(NodeKind::kJoinExpr)) {
    return with_stack([&] { return join(item, scope, names); });
  }
  RangeEntry* entry = nullptr;
  switch (item.kind) {
    case NodeKind::kRangeVar:
      entry = range_relation(item, scope);
      break;
    case NodeKind::kRangeSubselect:
      entry = range_subselect(item, scope);
      break;
    case NodeKind::kRangeFunction:
      entry = range_function(item, scope);
      break;
    default:
      if (item.kind_name == "RangeTableSample") {
        throw Error(sqlstate::kFeatureNotSupported,
                    "TABLESAMPLE clause can only be applied to tables and materialized views")
            .position(position(item.location()));
      }
      throw Error(sqlstate::kFeatureNotSupported, "{} is not supported", item.kind_name);
  }
  names.push(arena_, name_space_of(*entry));
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = entry;
  return leaf;
}

// --- joins

FromTree* Analyzer::join(const Node& item, Scope& scope, List<NameSpaceItem*>& names) {
  FromTree* tree = arena_.make<FromTree>();
  std::string_view kind = item.string("jointype");
  tree->join = kind == "JOIN_LEFT"    ? JoinKind::kLeft
               : kind == "JOIN_RIGHT" ? JoinKind::kRight
               : kind == "JOIN_FULL"  ? JoinKind::kFull
                                      : JoinKind::kInner;
  List<NameSpaceItem*> left, right;
  tree->left = from_item(*item.node("larg"), scope, left);
  // The right side may look at the left one if it is LATERAL.
  size_t before = scope.items.size();
  set_lateral(left, true, tree->join == JoinKind::kInner || tree->join == JoinKind::kLeft);
  for (NameSpaceItem* name : left) scope.items.push(arena_, name);
  tree->right = from_item(*item.node("rarg"), scope, right);
  scope.items.truncate(before);
  check_name_clash(left, right);
  set_lateral(left, false, true);
  set_lateral(right, false, true);

  NameSpaceItem* merged = arena_.make<NameSpaceItem>();
  join_using(item, scope, *tree, left, right, *merged);
  for (NameSpaceItem* name : left) names.push(arena_, name);
  for (NameSpaceItem* name : right) names.push(arena_, name);
  if (const Node* condition = item.node("quals")) {
    // ON sees the two sides of this join only.
    List<NameSpaceItem*> all = scope.items;
    scope.items = names;
    Expr* test = expression(*condition, scope, Place::kJoinOn);
    scope.items = all;
    tree->condition = to_boolean(test, "JOIN/ON");
  }
  const Node* alias = item.node("alias");
  if (alias != nullptr) {
    names.truncate(0);
    merged->name = alias->string("aliasname");
    NodeList colnames = alias->list("colnames");
    if (colnames.size() > merged->columns.size()) {
      throw Error(sqlstate::kSyntaxError, "column alias list for \"{}\" has too many entries",
                  merged->name);
    }
    for (size_t i = 0; i < colnames.size(); ++i) merged->columns[i].name = colnames[i]->text();
  } else {
    for (NameSpaceItem* name : names) name->columns_visible = false;
    merged->relation_visible = false;
  }
  names.push(arena_, merged);
  return tree;
}

namespace {

using Entries = List<NameSpaceItem::Entry>;

Entries visible_columns(Arena& arena, const List<NameSpaceItem*>& items) {
  Entries all;
  for (const NameSpaceItem* item : items) {
    if (!item->columns_visible) continue;
    for (const auto& column : item->columns) all.push(arena, column);
  }
  return all;
}

}  // namespace

void Analyzer::join_using(const Node& item, Scope&, FromTree& tree,
                          List<NameSpaceItem*>& left_items, List<NameSpaceItem*>& right_items,
                          NameSpaceItem& merged) {
  Entries left = visible_columns(arena_, left_items);
  Entries right = visible_columns(arena_, right_items);
  std::vector<std::string_view> names;
  if (item.flag("isNatural")) {
    for (const auto& column : left) {
      if (std::ranges::any_of(right, [&](const auto& r) { return r.name == column.name; })) {
        names.push_back(column.name);
      }
    }
  }
  for (const Node* name : item.list("usingClause")) {
    if (std::ranges::find(names, name->text()) != names.end()) {
      throw Error(sqlstate::kDuplicateColumn,
                  "column name \"{}\" appears more than once in USING clause", name->text());
    }
    names.push_back(name->text());
  }
  auto find = [&](Entries& side, std::string_view name, std::string_view which) {
    size_t found = side.size();
    for (size_t i = 0; i < side.size(); ++i) {
      if (side[i].name != name) continue;
      if (found != side.size()) {
        throw Error(sqlstate::kAmbiguousColumn,
                    "common column name \"{}\" appears more than once in {} table", name, which);
      }
      found = i;
    }
    if (found == side.size()) {
      throw Error(sqlstate::kUndefinedColumn,
                  "column \"{}\" specified in USING clause does not exist in {} table", name,
                  which);
    }
    return found;
  };
  std::vector<bool> left_used(left.size()), right_used(right.size());
  std::vector<Expr*> tests;
  for (std::string_view name : names) {
    size_t l = find(left, name, "left");
    size_t r = find(right, name, "right");
    left_used[l] = right_used[r] = true;
    Expr* a = left[l].expr;
    Expr* b = right[r].expr;
    tests.push_back(to_boolean(make_operator("=", a, b, -1), "JOIN/USING"));
    std::vector<Expr*> pair = {a, b};
    Oid type = common_type(span_of(pair), "JOIN/USING");
    a = to_common_type(a, type, "JOIN/USING");
    b = to_common_type(b, type, "JOIN/USING");
    Expr* column = a;
    if (tree.join == JoinKind::kRight) column = b;
    if (tree.join == JoinKind::kFull) {
      column = make(ExprKind::kCoalesce, type, -1);
      column->args = span_of({a, b});
    }
    merged.columns.push(arena_, {name, column});
  }
  if (tests.size() == 1) tree.condition = tests[0];
  if (tests.size() > 1) {
    tree.condition = make(ExprKind::kAnd, type_oid::kBool, -1);
    tree.condition->args = span_of(tests);
  }
  for (size_t i = 0; i < left.size(); ++i) {
    if (!left_used[i]) merged.columns.push(arena_, left[i]);
  }
  for (size_t i = 0; i < right.size(); ++i) {
    if (!right_used[i]) merged.columns.push(arena_, right[i]);
  }
}

// --- sources of rows

void Analyzer::apply_alias(RangeEntry& entry, const Node* alias, std::string_view what) {
  if (alias == nullptr) return;
  entry.name = alias->string("aliasname");
  entry.has_alias = true;
  NodeList names = alias->list("colnames");
  size_t at = 0;
  for (Column& column : entry.columns) {
    if (column.type == kInvalidOid) continue;  // dropped
    if (at < names.size()) column.name = names[at]->text();
    ++at;
  }
  if (names.size() > at) {
    throw Error(sqlstate::kInvalidColumnReference,
                "{} \"{}\" has {} columns available but {} columns specified", what, entry.name, at,
                names.size());
  }
}

CommonTable* Analyzer::find_common_table(std::string_view name, Scope& scope) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (size_t i = level->tables.size(); i-- > 0;) {
      if (level->tables[i]->name == name) return level->tables[i];
    }
  }
  return nullptr;
}

void Analyzer::no_such_relation(const Node& node, std::string_view schema, std::string_view name,
                                Scope& scope) {
  int at = position(node.location());
  if (!schema.empty()) {
    throw Error(sqlstate::kUndefinedTable, "relation \"{}.{}\" does not exist", schema, name)
        .position(at);
  }
  Error error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", name);
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (std::string_view later : level->later_tables) {
      if (later != name) continue;
      throw std::move(error)
          .detail(
              "There is a WITH item named \"{}\", but it cannot be referenced from this part "
              "of the query.",
              name)
          .hint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.")
          .position(at);
    }
  }
  throw std::move(error).position(at);
}

RangeEntry* Analyzer::range_relation(const Node& node, Scope& scope) {
  std::string_view schema = node.string("schemaname");
  std::string_view name = node.string("relname");
  RangeEntry* entry = nullptr;
  CommonTable* table = schema.empty() ? find_common_table(name, scope) : nullptr;
  if (table != nullptr) {
    entry = new_entry(RangeKind::kCommonTable, scope);
    entry->table = table;
    ++table->references;
    // Inside its own recursive term a table is what the last round made.
    entry->self_reference = table->query == nullptr;
    if (entry->self_reference) table->recursive = true;
    entry->columns = table->columns;
    List<Column> own;
    for (const Column& column : table->columns) own.push(arena_, column);
    entry->columns = own;
  } else if (in_.dependencies != nullptr) {
    entry = table_entry(node, scope, LockMode::kAccessShare);
  } else {
    const BuiltinView* view = find_view(schema, name);
    if (view == nullptr) no_such_relation(node, schema, name, scope);
    entry = new_entry(RangeKind::kView, scope);
    entry->view = view;
    for (const ViewColumn& column : view->columns) {
      entry->columns.push(arena_, {column.name, column.type, -1});
    }
  }
  entry->name = name;
  apply_alias(*entry, node.node("alias"), "table");
  return entry;
}

RangeEntry* Analyzer::range_subselect(const Node& node, Scope& scope) {
  bool outer = scope.lateral_active;
  scope.lateral_active = node.flag("lateral");
  Query* query = select_statement(*node.node("subquery"), &scope, Place::kFromSubquery);
  scope.lateral_active = outer;
  RangeEntry* entry = new_entry(RangeKind::kSubquery, scope);
  entry->subquery = query;
  for (const Target& target : query->targets) {
    if (target.junk) continue;
    entry->columns.push(arena_, {target.name, target.expr->type, target.expr->typmod});
  }
  apply_alias(*entry, node.node("alias"), "table");
  return entry;
}

void Analyzer::function_columns(RangeEntry& entry, Expr& call, const Node& node,
                                bool only_function) {
  const BuiltinFunction* function = call.function;
  bool is_record = function != nullptr && !function->columns.empty();
  if (is_record) {
    for (size_t i = 0; i < function->columns.size(); ++i) {
      entry.columns.push(arena_, {function->columns[i], function->column_types[i], -1});
    }
    return;
  }
  if (call.type == type_oid::kRecord) {
    throw Error(sqlstate::kSyntaxError,
                "a column definition list is required for functions returning \"record\"")
        .position(position(call.location));
  }
  // FROM f() AS x: the one column is called x too.
  std::string_view name = figure_column_name(node);
  (void)only_function;
  entry.columns.push(arena_, {name, call.type, call.typmod});
}

RangeEntry* Analyzer::range_function(const Node& node, Scope& scope) {
  if (!node.list("coldeflist").empty()) {
    throw Error(sqlstate::kSyntaxError,
                "a column definition list is only allowed for functions returning \"record\"");
  }
  bool outer = scope.lateral_active;
  scope.lateral_active = true;
  NodeList functions = node.list("functions");
  std::vector<Expr*> calls;
  std::vector<const Node*> raw_calls;
  for (const Node* pair : functions) {
    const Node* raw = pair->list("items")[0];
    Expr* call = expression(*raw, scope, Place::kFromFunction);
    if (call->type == type_oid::kUnknown) call = coerce_unknown(call, type_oid::kText, -1);
    calls.push_back(call);
    raw_calls.push_back(raw);
  }
  scope.lateral_active = outer;
  RangeEntry* entry = new_entry(RangeKind::kFunction, scope);
  entry->name = figure_column_name(*raw_calls[0]);
  for (size_t i = 0; i < calls.size(); ++i) {
    entry->functions.push(arena_, calls[i]);
    function_columns(*entry, *calls[i], *raw_calls[i], calls.size() == 1);
  }
  bool single = entry->columns.size() == 1;
  entry->ordinality = node.flag("ordinality");
  if (entry->ordinality) entry->columns.push(arena_, {"ordinality", type_oid::kInt8, -1});
  const Node* alias = node.node("alias");
  if (single && alias != nullptr && calls[0]->function != nullptr &&
      calls[0]->function->columns.empty()) {
    entry->columns[0].name = alias->string("aliasname");
  }
  apply_alias(*entry, alias, "table");
  return entry;
}

}  // namespace cofork
