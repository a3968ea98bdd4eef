// SELECT, VALUES, UNION and WITH (transformSelectStmt and its siblings in analyze.c, parse_cte.c).
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {
namespace {

std::string_view operation_name(SetOperation operation) {
  switch (operation) {
    case SetOperation::kIntersect:
      return "INTERSECT";
    case SetOperation::kExcept:
      return "EXCEPT";
    default:
      return "UNION";
  }
}

/// The RangeVar that mentions `name` somewhere below `node`, or null.
const Node* find_mention(const Node* node, std::string_view name) {
  if (node == nullptr) return nullptr;
  if (node->is(NodeKind::kRangeVar) && node->string("schemaname").empty() &&
      node->string("relname") == name) {
    return node;
  }
  return with_stack([&]() -> const Node* {
    for (const Field& field : node->fields) {
      if (const Node* found = find_mention(field.node, name)) return found;
      for (const Node* item : field.list) {
        if (const Node* found = find_mention(item, name)) return found;
      }
    }
    return nullptr;
  });
}

int leftmost_location(const Node& select) {
  const Node* node = &select;
  while (node->node("larg") != nullptr) node = node->node("larg");
  NodeList targets = node->list("targetList");
  if (!targets.empty()) return targets[0]->location();
  NodeList rows = node->list("valuesLists");
  if (!rows.empty()) return rows[0]->list("items")[0]->location();
  return -1;
}

}  // namespace

Query* Analyzer::analyze(const Node& statement) {
  if (statement.kind_name == "InsertStmt") return insert_statement(statement, nullptr);
  if (statement.kind_name == "UpdateStmt") return update_statement(statement, nullptr);
  if (statement.kind_name == "DeleteStmt") return delete_statement(statement, nullptr);
  return select_statement(statement, nullptr, Place::kNone);
}

Expr* Analyzer::analyze_standalone(const Node& node, Oid type, std::string_view what, int number) {
  Query query;
  Scope scope;
  scope.query = &query;
  Expr* e = expression(node, scope, Place::kExecute);
  Oid source = e->type;
  Expr* value = coerce_or_null(e, type, -1, CastContext::kAssignment);
  if (value != nullptr) return value;
  throw Error(sqlstate::kDatatypeMismatch,
              "{} ${} of type {} cannot be coerced to the expected type {}", what, number,
              type_name(source), type_name(type))
      .hint("You will need to rewrite or cast the expression.")
      .position(position(e->location));
}

Query* Analyzer::select_statement(const Node& node, Scope* parent, Place place, bool is_set_leaf) {
  return with_stack([&] {
    (void)place;
    Query* query = arena_.make<Query>();
    Scope scope;
    scope.parent = parent;
    scope.query = query;
    if (parent != nullptr) query->parent = parent->query;
    if (node.node("intoClause") != nullptr) {
      throw Error(sqlstate::kFeatureNotSupported, "SELECT INTO is not supported");
    }
    if (const Node* with = node.node("withClause")) with_clause(*with, scope);
    if (node.find("valuesLists") != nullptr) {
      values_select(node, scope);
    } else if (node.string("op") != "SETOP_NONE" && !node.string("op").empty()) {
      set_operation(node, scope);
    } else {
      plain_select(node, scope);
    }
    constexpr size_t kMostTargets = 1664;  // MaxTupleAttributeNumber
    if (query->targets.size() > kMostTargets) {
      throw Error(sqlstate::kTooManyColumns, "target lists can have at most {} entries",
                  kMostTargets);
    }
    if (!is_set_leaf) set_output_unknowns_to_text(*query);
    if (NodeList clauses = node.list("lockingClause"); !clauses.empty()) {
      refuse_row_locks(node, *query);
      for (const Node* clause : clauses) locking_clause(*clause, scope);
    }
    return query;
  });
}

void Analyzer::set_output_unknowns_to_text(Query& query) {
  for (Target& target : query.targets) {
    if (target.expr->type == type_oid::kUnknown) {
      target.expr = coerce_unknown(target.expr, type_oid::kText, -1);
    }
  }
}

void Analyzer::plain_select(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  from_clause(node.list("fromClause"), scope);
  window_clause(node, scope);
  target_list(node.list("targetList"), scope);
  if (const Node* where = node.node("whereClause")) {
    query.where = to_boolean(expression(*where, scope, Place::kWhere), "WHERE");
  }
  if (const Node* having = node.node("havingClause")) {
    query.having = to_boolean(expression(*having, scope, Place::kHaving), "HAVING");
  }
  order_clause(node.list("sortClause"), scope);
  group_clause(node, scope);
  distinct_clause(node, scope);
  limit_clause(node, scope);
  for (const Target& target : query.targets) {
    walk(target.expr, 0, [&](const Expr& part, int depth) {
      if (depth == 0 && part.kind == ExprKind::kSetCall) query.has_set_calls = true;
      return depth == 0;
    });
  }
  check_groups(query);
}

// --- VALUES

void Analyzer::values_select(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  std::vector<std::vector<Expr*>> rows;
  for (const Node* raw_row : node.list("valuesLists")) {
    std::vector<Expr*> row;
    for (const Node* item : raw_row->list("items")) {
      row.push_back(expression(*item, scope, Place::kValues));
    }
    if (!rows.empty() && row.size() != rows[0].size()) {
      throw Error(sqlstate::kSyntaxError, "VALUES lists must all be the same length")
          .position(position(row.empty() ? -1 : raw_row->list("items")[0]->location()));
    }
    rows.push_back(std::move(row));
  }
  RangeEntry* entry = new_entry(RangeKind::kValues, scope);
  entry->name = "*VALUES*";
  for (size_t c = 0; c < rows[0].size(); ++c) {
    std::vector<Expr*> column;
    for (const auto& row : rows) column.push_back(row[c]);
    Oid type = common_type(span_of(column), "VALUES");
    for (auto& row : rows) row[c] = to_common_type(row[c], type, "VALUES");
    for (size_t r = 0; r < rows.size(); ++r) column[r] = rows[r][c];
    std::string name = fmt::format("column{}", c + 1);
    entry->columns.push(arena_, {arena_.copy(name), type, common_typmod(span_of(column), type)});
  }
  for (const auto& row : rows) {
    List<Expr*> list;
    for (Expr* e : row) list.push(arena_, e);
    entry->rows.push(arena_, list);
  }
  FromTree* leaf = arena_.make<FromTree>();
  leaf->entry = entry;
  query.from = leaf;
  NameSpaceItem* item = name_space_of(*entry);
  scope.items.push(arena_, item);
  expand_star(scope, {}, -1, query.targets);
  order_clause(node.list("sortClause"), scope);
  limit_clause(node, scope);
}

// --- set operations

Query* Analyzer::set_operand(const Node& node, Scope& scope) {
  // A nested operation without clauses of its own is part of this one; all see the same WITH.
  return select_statement(node, &scope, Place::kNone, true);
}

void Analyzer::set_operation(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  std::string_view op = node.string("op");
  query.operation = op == "SETOP_INTERSECT" ? SetOperation::kIntersect
                    : op == "SETOP_EXCEPT"  ? SetOperation::kExcept
                                            : SetOperation::kUnion;
  query.all = node.flag("all");
  query.left = set_operand(*node.node("larg"), scope);
  if (scope.recursive_table != nullptr) {
    set_output_unknowns_to_text(*query.left);
    name_columns(*scope.recursive_table, *query.left);
    scope.tables.push(arena_, scope.recursive_table);
  }
  query.right = set_operand(*node.node("rarg"), scope);
  unify_columns(node, query);
  finish_set_operation(node, scope);
}

void Analyzer::unify_columns(const Node& node, Query& query) {
  std::string_view name = operation_name(query.operation);
  auto columns = [](Query& side) {
    std::vector<Target*> list;
    for (Target& target : side.targets) {
      if (!target.junk) list.push_back(&target);
    }
    return list;
  };
  std::vector<Target*> left = columns(*query.left);
  std::vector<Target*> right = columns(*query.right);
  if (left.size() != right.size()) {
    throw Error(sqlstate::kSyntaxError, "each {} query must have the same number of columns", name)
        .position(position(leftmost_location(*node.node("rarg"))));
  }
  RangeEntry* result = arena_.make<RangeEntry>();
  result->kind = RangeKind::kSetResult;
  result->name = "*SELECT* 1";
  for (size_t i = 0; i < left.size(); ++i) {
    Expr* a = left[i]->expr;
    Expr* b = right[i]->expr;
    std::vector<Expr*> pair = {a, b};
    Oid type = common_type(span_of(pair), name);
    if (!query.all || query.operation != SetOperation::kUnion) require_equality(type, a->location);
    left[i]->expr = to_common_type(a, type, name);
    right[i]->expr = to_common_type(b, type, name);
    std::vector<Expr*> converted = {left[i]->expr, right[i]->expr};
    result->columns.push(arena_, {left[i]->name, type, common_typmod(span_of(converted), type)});
  }
  query.set_result = result;
}

void Analyzer::finish_set_operation(const Node& node, Scope& scope) {
  Query& query = *scope.query;
  query.entries.push(arena_, query.set_result);
  NameSpaceItem* item = name_space_of(*query.set_result);
  item->relation_visible = false;
  scope.items.truncate(0);
  scope.items.push(arena_, item);
  for (const auto& column : item->columns) {
    Target target;
    target.name = column.name;
    target.expr = column.expr;
    query.targets.push(arena_, target);
  }
  size_t columns = query.targets.size();
  NodeList order = node.list("sortClause");
  order_clause(order, scope);
  if (query.targets.size() > columns) {
    throw Error(sqlstate::kFeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        .detail("Only result column names can be used, not expressions or functions.")
        .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
        .position(position(query.targets[columns].expr->location));
  }
  limit_clause(node, scope);
}

// --- WITH

void Analyzer::name_columns(CommonTable& table, const Query& query) {
  size_t named = table.columns.size();  // the names of WITH t(a, b)
  size_t i = 0;
  for (const Target& target : query.targets) {
    if (target.junk) continue;
    Column column{target.name, target.expr->type, target.expr->typmod};
    if (i < named) {
      column.name = table.columns[i].name;
      table.columns[i] = column;
    } else {
      table.columns.push(arena_, column);
    }
    ++i;
  }
  if (named > i) {
    throw Error(sqlstate::kInvalidColumnReference,
                "WITH query \"{}\" has {} columns available but {} columns specified", table.name,
                i, named);
  }
}

void Analyzer::with_clause(const Node& with, Scope& scope) {
  NodeList ctes = with.list("ctes");
  bool recursive = with.flag("recursive");
  std::vector<std::string_view> names;
  for (const Node* cte : ctes) {
    std::string_view name = cte->string("ctename");
    if (std::ranges::find(names, name) != names.end()) {
      throw Error(sqlstate::kDuplicateAlias, "WITH query name \"{}\" specified more than once",
                  name)
          .position(position(cte->location()));
    }
    names.push_back(name);
  }
  for (size_t i = 0; i < ctes.size(); ++i) {
    scope.later_tables.truncate(0);
    for (size_t later = i; later < ctes.size(); ++later) {
      scope.later_tables.push(arena_, names[later]);
    }
    common_table(*ctes[i], scope, recursive);
  }
  scope.later_tables.truncate(0);
}

void Analyzer::check_recursive_shape(const Node& cte, const Node& select) {
  std::string_view name = cte.string("ctename");
  if (select.string("op") != "SETOP_UNION") {
    throw Error(sqlstate::kInvalidRecursion,
                "recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] "
                "recursive-term",
                name)
        .position(position(cte.location()));
  }
  if (const Node* mention = find_mention(select.node("larg"), name)) {
    throw Error(sqlstate::kInvalidRecursion,
                "recursive reference to query \"{}\" must not appear within its non-recursive term",
                name)
        .position(position(mention->location()));
  }
  for (std::string_view clause : {"sortClause", "limitOffset", "limitCount"}) {
    if (select.find(clause) == nullptr) continue;
    throw Error(sqlstate::kFeatureNotSupported, "{} in a recursive query is not implemented",
                clause == "sortClause"    ? "ORDER BY"
                : clause == "limitOffset" ? "OFFSET"
                                          : "LIMIT");
  }
}

void Analyzer::common_table(const Node& cte, Scope& scope, bool recursive) {
  CommonTable* table = arena_.make<CommonTable>();
  table->name = cte.string("ctename");
  const Node& select = *cte.node("ctequery");
  if (!select.is(NodeKind::kSelectStmt)) {
    throw Error(sqlstate::kFeatureNotSupported,
                "data-modifying statements in WITH are not supported");
  }
  if (cte.node("search_clause") != nullptr || cte.node("cycle_clause") != nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "SEARCH and CYCLE clauses are not supported");
  }
  for (const Node* name : cte.list("aliascolnames")) {
    table->columns.push(arena_, {name->text(), kInvalidOid, -1});
  }
  scope.query->tables.push(arena_, table);
  if (!recursive || find_mention(&select, table->name) == nullptr) {
    Query* query = select_statement(select, &scope, Place::kNone);
    table->query = query;
    name_columns(*table, *query);
    scope.tables.push(arena_, table);
    return;
  }
  check_recursive_shape(cte, select);
  Query* query = arena_.make<Query>();
  Scope inner;
  inner.parent = &scope;
  inner.query = query;
  inner.recursive_table = table;
  query->parent = scope.query;
  if (const Node* with = select.node("withClause")) {
    with_stack([&] { with_clause(*with, inner); });
  }
  set_operation(select, inner);
  for (size_t i = 0; i < table->columns.size(); ++i) {
    const Column& first = table->columns[i];
    const Column& overall = query->set_result->columns[i];
    if (first.type == overall.type) continue;
    int location = -1;
    size_t at = 0;
    for (const Target& target : query->left->targets) {
      if (!target.junk && at++ == i) location = target.expr->location;
    }
    throw Error(sqlstate::kDatatypeMismatch,
                "recursive query \"{}\" column {} has type {} in non-recursive term but type {} "
                "overall",
                table->name, i + 1, type_name(first.type), type_name(overall.type))
        .hint("Cast the output of the non-recursive term to the correct type.")
        .position(position(location));
  }
  table->recursive = true;
  table->query = query;
  scope.tables.push(arena_, table);
}

}  // namespace cofork
