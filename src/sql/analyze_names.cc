// Column and relation names in expressions: what they mean, and what to say when they mean nothing
// (parse_relation.c, and transformColumnRef in parse_expr.c).
#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {
namespace {

/// Edit distance of two names, each insertion, deletion and substitution costing one.
int distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      int next = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = row[j];
      row[j] = next;
    }
  }
  return row[b.size()];
}

/// The columns of a statement whose names come closest to one that does not exist.
struct NearestColumns {
  int best = 4;  // farther than the three edits worth suggesting
  std::string first, second;
  bool several = false;

  void consider(std::string_view table, std::string_view column, std::string_view wanted,
                int penalty) {
    int d = distance(wanted, column);
    if (d > static_cast<int>(wanted.size()) / 2) return;
    d += penalty;
    if (d > best || d > 3) return;
    std::string full = fmt::format("{}.{}", table, column);
    if (d < best) {
      best = d;
      first = full;
      second.clear();
      several = false;
    } else if (second.empty()) {
      second = full;
    } else {
      several = true;
    }
  }
};

}  // namespace

Expr* Analyzer::clone_outer(const Expr* expr, int levels_up, int location) {
  Expr* e = arena_.make<Expr>(*expr);
  e->location = location;
  if (e->kind == ExprKind::kVar) e->levels_up += levels_up;
  if (!e->args.empty()) {
    std::vector<Expr*> args;
    for (const Expr* arg : e->args)
      args.push_back(with_stack([&] { return clone_outer(arg, levels_up, location); }));
    e->args = span_of(args);
  }
  return e;
}

Expr* Analyzer::outer(Expr* expr, Scope& scope, int levels_up, int location) {
  Scope* inner = &scope;
  for (int i = 0; i < levels_up; ++i) {
    inner->query->is_correlated = true;
    inner = inner->parent;
  }
  return clone_outer(expr, levels_up, location);
}

Expr* Analyzer::column_of(const NameSpaceItem& item, std::string_view name, int location) {
  Expr* found = nullptr;
  for (const NameSpaceItem::Entry& column : item.columns) {
    if (column.name != name) continue;
    if (found != nullptr) {
      throw Error(sqlstate::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name)
          .position(position(location));
    }
    found = column.expr;
  }
  if (found == nullptr && item.table != nullptr) return system_column(*item.table, name, location);
  return found;
}

Expr* Analyzer::find_column(std::string_view name, Scope& scope, int location) {
  int levels_up = 0;
  for (Scope* level = &scope; level != nullptr; level = level->parent, ++levels_up) {
    Expr* found = nullptr;
    for (NameSpaceItem* item : level->items) {
      if (!item->columns_visible) continue;
      if (item->lateral_only && !level->lateral_active) continue;
      Expr* column = column_of(*item, name, location);
      if (column == nullptr) continue;
      if (found != nullptr) {
        throw Error(sqlstate::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name)
            .position(position(location));
      }
      if (item->lateral_only && !item->lateral_allowed) {
        throw Error(sqlstate::kInvalidColumnReference,
                    "invalid reference to FROM-clause entry for table \"{}\"", item->name)
            .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
            .position(position(location));
      }
      found = column;
    }
    if (found != nullptr) return outer(found, scope, levels_up, location);
  }
  return nullptr;
}

NameSpaceItem* Analyzer::find_relation(std::string_view name, Scope& scope, int location,
                                       int& levels_up) {
  levels_up = 0;
  for (Scope* level = &scope; level != nullptr; level = level->parent, ++levels_up) {
    NameSpaceItem* found = nullptr;
    for (NameSpaceItem* item : level->items) {
      if (!item->relation_visible || item->name != name) continue;
      if (item->lateral_only && !level->lateral_active) continue;
      if (found != nullptr) {
        throw Error(sqlstate::kAmbiguousAlias, "table reference \"{}\" is ambiguous", name)
            .position(position(location));
      }
      if (item->lateral_only && !item->lateral_allowed) {
        throw Error(sqlstate::kInvalidColumnReference,
                    "invalid reference to FROM-clause entry for table \"{}\"", item->name)
            .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
            .position(position(location));
      }
      found = item;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

void Analyzer::missing_entry(std::string_view relation, Scope& scope, int location) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const RangeEntry* entry : level->query->entries) {
      bool by_alias = entry->name == relation;
      bool by_name = (entry->view != nullptr && entry->view->name == relation) ||
                     (entry->relation != nullptr && entry->relation->name == relation);
      bool by_table = entry->table != nullptr && entry->table->name == relation;
      if (!by_alias && !by_name && !by_table) continue;
      Error error(sqlstate::kUndefinedTable,
                  "invalid reference to FROM-clause entry for table \"{}\"", relation);
      if (by_alias) {
        throw std::move(error)
            .hint(
                "There is an entry for table \"{}\", but it cannot be referenced from this part "
                "of the query.",
                relation)
            .position(position(location));
      }
      throw std::move(error)
          .hint("Perhaps you meant to reference the table alias \"{}\".", entry->name)
          .position(position(location));
    }
  }
  throw Error(sqlstate::kUndefinedTable, "missing FROM-clause entry for table \"{}\"", relation)
      .position(position(location));
}

void Analyzer::no_such_column(std::string_view relation, std::string_view name, Scope& scope,
                              int location) {
  Error error =
      relation.empty()
          ? Error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", name)
          : Error(sqlstate::kUndefinedColumn, "column {}.{} does not exist", relation, name);
  NearestColumns nearest;
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const RangeEntry* entry : level->query->entries) {
      for (const Column& column : entry->columns) {
        if (relation.empty() && column.name == name) {
          throw std::move(error)
              .hint(
                  "There is a column named \"{}\" in table \"{}\", but it cannot be referenced "
                  "from this part of the query.",
                  name, entry->name)
              .position(position(location));
        }
        int penalty = relation.empty() ? 0 : distance(relation, entry->name);
        nearest.consider(entry->name, column.name, name, penalty);
      }
    }
  }
  if (!nearest.first.empty() && !nearest.several) {
    if (nearest.second.empty()) {
      throw std::move(error)
          .hint("Perhaps you meant to reference the column \"{}\".", nearest.first)
          .position(position(location));
    }
    throw std::move(error)
        .hint("Perhaps you meant to reference the column \"{}\" or the column \"{}\".",
              nearest.first, nearest.second)
        .position(position(location));
  }
  throw std::move(error).position(position(location));
}

Expr* Analyzer::whole_row(const NameSpaceItem& item, int location) {
  Expr* e = make(ExprKind::kRow, type_oid::kRecord, location);
  std::vector<Expr*> args;
  for (const NameSpaceItem::Entry& column : item.columns) args.push_back(column.expr);
  e->args = span_of(args);
  return e;
}

Expr* Analyzer::qualified_column(std::string_view schema, std::string_view relation,
                                 std::string_view column, Scope& scope, int location) {
  int levels_up = 0;
  NameSpaceItem* item = find_relation(relation, scope, location, levels_up);
  if (item == nullptr) {
    if (!schema.empty()) {
      missing_entry(relation, scope, location);
    }
    missing_entry(relation, scope, location);
  }
  if (column.empty()) return outer(whole_row(*item, location), scope, levels_up, location);
  Expr* found = column_of(*item, column, location);
  if (found == nullptr) no_such_column(relation, column, scope, location);
  return outer(found, scope, levels_up, location);
}

Expr* Analyzer::column_reference(const Node& node, Scope& scope) {
  NodeList fields = node.list("fields");
  int location = node.location();
  bool star = fields.back()->is(NodeKind::kAStar);
  if (fields.size() == 1) {
    if (star) {
      throw Error(sqlstate::kSyntaxError, "row expansion via \"*\" is not supported here")
          .position(position(location));
    }
    std::string_view name = fields[0]->text();
    if (Expr* column = find_column(name, scope, location)) return column;
    int levels_up = 0;
    NameSpaceItem* item = find_relation(name, scope, location, levels_up);
    if (item != nullptr) return outer(whole_row(*item, location), scope, levels_up, location);
    no_such_column({}, name, scope, location);
  }
  std::string_view column = star ? std::string_view{} : fields.back()->text();
  std::string_view relation = fields[fields.size() - 2]->text();
  std::string_view schema =
      fields.size() > 2 ? fields[fields.size() - 3]->text() : std::string_view{};
  if (fields.size() > 4) {
    std::string full;
    for (const Node* field : fields) {
      if (!full.empty()) full += '.';
      full += field->text();
    }
    throw Error(sqlstate::kSyntaxError, "improper qualified name (too many dotted names): {}", full)
        .position(position(location));
  }
  return qualified_column(schema, relation, column, scope, location);
}

}  // namespace cofork
