// Walks over analyzed expressions: equality, visiting, and the names of result columns.
#include <functional>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {

std::string_view type_name(Oid type) {
  const BuiltinType* found = find_type(type);
  return found == nullptr ? "???" : found->sql_name;
}

namespace {

bool same_list(std::span<Expr* const> a, std::span<Expr* const> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_expr);
}

bool same_const(const Expr& a, const Expr& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  if (a.value == b.value) return true;
  const BuiltinType* type = find_type(a.type);
  return type != nullptr && type->compare != nullptr && !type->by_value &&
         type->compare(a.value, b.value) == 0;
}

// Not inlined: twenty copies of walk() would make walk_query()'s frame ten times as large.
[[gnu::noinline]] void walk_list(std::span<Expr* const> list, int depth,
                                 const std::function<bool(const Expr&, int)>& visit) {
  for (const Expr* e : list) walk(e, depth, visit);
}

[[gnu::noinline]] void walk_from(const FromTree* tree, int depth,
                                 const std::function<bool(const Expr&, int)>& visit) {
  if (tree == nullptr) return;
  with_stack([&] {
    walk_from(tree->left, depth, visit);
    walk_from(tree->right, depth, visit);
    walk(tree->condition, depth, visit);
  });
}

[[gnu::noinline]] void walk_modification(const Modification& modification, int depth,
                                         const std::function<bool(const Expr&, int)>& visit) {
  for (const Target& target : modification.returning) walk(target.expr, depth, visit);
  for (const Target& target : modification.generated) walk(target.expr, depth, visit);
  for (const CheckedConstraint& check : modification.checks) walk(check.condition, depth, visit);
  for (const IndexedExpressions& index : modification.indexed) {
    walk_list(index.expressions, depth, visit);
    walk(index.predicate, depth, visit);
  }
  if (const ConflictAction* conflict = modification.conflict) {
    for (const Target& target : conflict->assignments) walk(target.expr, depth, visit);
    walk(conflict->where, depth, visit);
  }
}

}  // namespace

bool same_expr(const Expr* a, const Expr* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr || a->kind != b->kind || a->type != b->type) return false;
  switch (a->kind) {
    case ExprKind::kConst:
      return same_const(*a, *b);
    case ExprKind::kVar:
      return a->entry == b->entry && a->column == b->column;
    case ExprKind::kParam:
      return a->column == b->column;
    case ExprKind::kSubLink:
      return false;
    default:
      break;
  }
  return with_stack([&] {
    return a->function == b->function && a->aggregate == b->aggregate && a->flag == b->flag &&
           a->test == b->test && a->typmod == b->typmod && a->name == b->name &&
           a->distinct == b->distinct && a->window == b->window &&
           a->order.size() == b->order.size() && same_expr(a->filter, b->filter) &&
           same_list(a->args, b->args);
  });
}

[[gnu::noinline]] void walk(const Expr* expr, int depth,
                            const std::function<bool(const Expr&, int)>& visit) {
  if (expr == nullptr || !visit(*expr, depth)) return;
  with_stack([&] {
    walk_list(expr->args, depth, visit);
    walk(expr->filter, depth, visit);
    for (const SortKey& key : expr->order) walk(key.expr, depth, visit);
    if (expr->subquery != nullptr) walk_query(*expr->subquery, depth + 1, visit);
  });
}

namespace {

void walk_query_here(const Query& query, int depth,
                     const std::function<bool(const Expr&, int)>& visit) {
  for (const Target& target : query.targets) walk(target.expr, depth, visit);
  walk_from(query.from, depth, visit);
  walk(query.where, depth, visit);
  walk(query.having, depth, visit);
  walk(query.limit, depth, visit);
  walk(query.offset, depth, visit);
  for (const RangeEntry* entry : query.entries) {
    for (const Expr* call : entry->functions) walk(call, depth, visit);
    for (const auto& row : entry->rows) {
      walk_list(std::span<Expr* const>(row.begin(), row.size()), depth, visit);
    }
    if (entry->subquery != nullptr) walk_query(*entry->subquery, depth + 1, visit);
  }
  for (const CommonTable* table : query.tables) {
    if (table->query != nullptr) walk_query(*table->query, depth + 1, visit);
  }
  for (const Window* window : query.windows) {
    for (const SortKey& key : window->partition) walk(key.expr, depth, visit);
    for (const SortKey& key : window->order) walk(key.expr, depth, visit);
    walk(window->start_offset, depth, visit);
    walk(window->end_offset, depth, visit);
  }
  if (query.modification != nullptr) walk_modification(*query.modification, depth, visit);
  if (query.left != nullptr) walk_query(*query.left, depth + 1, visit);
  if (query.right != nullptr) walk_query(*query.right, depth + 1, visit);
}

}  // namespace

void walk_query(const Query& query, int depth, const std::function<bool(const Expr&, int)>& visit) {
  with_stack([&] { walk_query_here(query, depth, visit); });
}

namespace {

// How good a name is: a column's or function's beats a type's beats none (FigureColnameInternal).
int figure_name(const Node* node, std::string_view& name);

int figure_name_below(const Node* node, std::string_view& name) {
  return with_stack([&] { return figure_name(node, name); });
}

int figure_name(const Node* node, std::string_view& name) {
  if (node == nullptr) return 0;
  switch (node->kind) {
    case NodeKind::kColumnRef:
      for (const Node* field : node->list("fields")) {
        if (field != nullptr && field->is(NodeKind::kString)) name = field->text();
      }
      return name.empty() ? 0 : 2;
    case NodeKind::kAIndirection: {
      std::string_view field_name;
      for (const Node* item : node->list("indirection")) {
        if (item != nullptr && item->is(NodeKind::kString)) field_name = item->text();
      }
      if (field_name.empty()) return figure_name_below(node->node("arg"), name);
      name = field_name;
      return 2;
    }
    case NodeKind::kFuncCall:
      name = node->list("funcname").back()->text();
      return 2;
    case NodeKind::kAExpr:
      if (node->string("kind") != "AEXPR_NULLIF") return 0;
      name = "nullif";
      return 2;
    case NodeKind::kTypeCast: {
      int strength = figure_name_below(node->node("arg"), name);
      if (strength > 1) return strength;
      const Node* type = node->node("typeName");
      if (type == nullptr) return strength;
      name = type->list("names").back()->text();
      return 1;
    }
    case NodeKind::kCollateClause:
      return figure_name_below(node->node("arg"), name);
    case NodeKind::kGroupingFunc:
      name = "grouping";
      return 2;
    case NodeKind::kSubLink: {
      std::string_view kind = node->string("subLinkType");
      if (kind == "EXISTS_SUBLINK") name = "exists";
      if (kind == "ARRAY_SUBLINK") name = "array";
      if (kind == "EXPR_SUBLINK") {
        const Node* select = node->node("subselect");
        while (select->node("larg") != nullptr) select = select->node("larg");
        NodeList targets = select->list("targetList");
        if (targets.empty()) return 0;
        name = targets[0]->string("name");
        return name.empty() ? figure_name_below(targets[0]->node("val"), name) : 2;
      }
      return name.empty() ? 0 : 2;
    }
    case NodeKind::kCaseExpr: {
      int strength = figure_name_below(node->node("defresult"), name);
      if (strength > 1) return strength;
      name = "case";
      return 1;
    }
    case NodeKind::kAArrayExpr:
      name = "array";
      return 2;
    case NodeKind::kRowExpr:
      name = "row";
      return 2;
    case NodeKind::kCoalesceExpr:
      name = "coalesce";
      return 2;
    case NodeKind::kMinMaxExpr:
      name = node->string("op") == "IS_GREATEST" ? "greatest" : "least";
      return 2;
    case NodeKind::kSqlValueFunction: {
      std::string_view op = node->string("op");
      struct Row {
        std::string_view op, name;
      };
      static constexpr Row kNames[] = {
          {"SVFOP_CURRENT_DATE", "current_date"},
          {"SVFOP_CURRENT_TIME", "current_time"},
          {"SVFOP_CURRENT_TIME_N", "current_time"},
          {"SVFOP_CURRENT_TIMESTAMP", "current_timestamp"},
          {"SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp"},
          {"SVFOP_LOCALTIME", "localtime"},
          {"SVFOP_LOCALTIME_N", "localtime"},
          {"SVFOP_LOCALTIMESTAMP", "localtimestamp"},
          {"SVFOP_LOCALTIMESTAMP_N", "localtimestamp"},
          {"SVFOP_CURRENT_ROLE", "current_role"},
          {"SVFOP_CURRENT_USER", "current_user"},
          {"SVFOP_USER", "user"},
          {"SVFOP_SESSION_USER", "session_user"},
          {"SVFOP_CURRENT_CATALOG", "current_catalog"},
          {"SVFOP_CURRENT_SCHEMA", "current_schema"},
      };
      for (const Row& row : kNames) {
        if (row.op == op) name = row.name;
      }
      return 2;
    }
    default:
      return 0;
  }
}

}  // namespace

std::string_view figure_column_name(const Node& node) {
  std::string_view name;
  figure_name(&node, name);
  return name.empty() ? "?column?" : name;
}

}  // namespace cofork
