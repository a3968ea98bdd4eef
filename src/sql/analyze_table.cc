// Tables and views in FROM, system columns, expressions that the catalog keeps as SQL text, and
// FOR UPDATE (addRangeTableEntry in parse_relation.c, transformLockingClause in analyze.c, 15).
//
// Whatever is read from the catalog is noted in the statement's Dependencies: before it runs again,
// the engine takes the same locks and compares versions, and analyses anew if any has moved.
#include <algorithm>

#include "catalog/names.h"
#include "catalog/sequence.h"
#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/engine_state.h"

namespace cofork {
namespace {

struct SystemColumnRow {
  std::string_view name;
  Oid type;
};
// In the order of SystemColumn.
constexpr SystemColumnRow kSystemColumnRows[kSystemColumns] = {
    {"ctid", type_oid::kTid}, {"xmin", type_oid::kXid}, {"cmin", type_oid::kCid},
    {"xmax", type_oid::kXid}, {"cmax", type_oid::kCid}, {"tableoid", type_oid::kOid},
};

std::string_view lock_words(RowLockStrength strength) {
  switch (strength) {
    case RowLockStrength::kKeyShare:
      return "FOR KEY SHARE";
    case RowLockStrength::kShare:
      return "FOR SHARE";
    case RowLockStrength::kNoKeyUpdate:
      return "FOR NO KEY UPDATE";
    default:
      return "FOR UPDATE";
  }
}

RowLockStrength lock_strength(std::string_view word) {
  if (word == "LCS_FORKEYSHARE") return RowLockStrength::kKeyShare;
  if (word == "LCS_FORSHARE") return RowLockStrength::kShare;
  if (word == "LCS_FORNOKEYUPDATE") return RowLockStrength::kNoKeyUpdate;
  return RowLockStrength::kUpdate;
}

}  // namespace

// --- relations

RelationDesc& Analyzer::use_relation(Oid oid, LockMode mode) {
  RelationDesc& relation = open_relation(oid, mode);
  Dependencies& all = *in_.dependencies;
  for (Dependencies::Relation& known : all.relations) {
    if (known.oid != oid) continue;
    known.mode = std::max(known.mode, mode);
    return relation;
  }
  all.relations.push_back({oid, mode, relation.version});
  return relation;
}

RangeEntry* Analyzer::table_entry(const Node& node, Scope& scope, LockMode mode) {
  std::string_view schema = node.string("schemaname");
  std::string_view name = node.string("relname");
  FoundRelation found;
  try {
    found = lock_relation(schema, name, mode);
  } catch (const Error& error) {
    if (error.data().sqlstate != sqlstate::kUndefinedTable) throw;
  }
  if (!found) no_such_relation(node, schema, name, scope);
  if (found.view != nullptr) {
    RangeEntry* entry = new_entry(RangeKind::kView, scope);
    entry->view = found.view;
    for (const ViewColumn& column : found.view->columns) {
      entry->columns.push(arena_, {column.name, column.type, -1});
    }
    return entry;
  }
  RelationDesc& relation = use_relation(found.oid, mode);
  if (relation.kind == 'i' || relation.kind == 'I') {
    throw Error(sqlstate::kWrongObjectType, "cannot open relation \"{}\"", relation.name)
        .detail("This operation is not supported for indexes.")
        .position(position(node.location()));
  }
  return relation.kind == 'v' ? range_view(relation, scope) : range_table(relation, scope);
}

void Analyzer::add_table_columns(RangeEntry& entry, const RelationDesc& relation) {
  // The statement may outlive the catalog's entry, so names are copied.
  for (const ColumnDesc& column : relation.columns) {
    entry.columns.push(arena_, column.dropped
                                   ? Column{}
                                   : Column{arena_.copy(column.name), column.type, column.typmod});
  }
}

RangeEntry* Analyzer::range_table(RelationDesc& relation, Scope& scope) {
  RangeEntry* entry = new_entry(RangeKind::kTable, scope);
  entry->relation = &relation;
  add_table_columns(*entry, relation);
  return entry;
}

RangeEntry* Analyzer::range_view(RelationDesc& relation, Scope& scope) {
  auto parsed = parse_query(relation.view_text);
  in_.dependencies->trees.push_back(parsed);
  AnalyzeInput input = in_;
  input.text = parsed->text;
  Analyzer inner(input);
  // A view's body sees nothing of the query around it.
  Query* query = inner.select_statement(*parsed->statements.at(0).node, nullptr, Place::kNone);
  query->parent = scope.query;
  RangeEntry* entry = new_entry(RangeKind::kSubquery, scope);
  entry->subquery = query;
  entry->relation = &relation;
  size_t at = 0;
  for (const Target& target : query->targets) {
    if (target.junk) continue;
    std::string_view name =
        at < relation.columns.size() ? arena_.copy(relation.columns[at].name) : target.name;
    entry->columns.push(arena_, {name, target.expr->type, target.expr->typmod});
    ++at;
  }
  return entry;
}

Expr* Analyzer::system_column(RangeEntry& entry, std::string_view name, int location) {
  for (int i = 0; i < kSystemColumns; ++i) {
    if (kSystemColumnRows[i].name != name) continue;
    Expr* var = make(ExprKind::kVar, kSystemColumnRows[i].type, location);
    var->entry = &entry;
    var->column = static_cast<int>(entry.columns.size()) + i;
    return var;
  }
  return nullptr;
}

// --- expressions from the catalog

RangeEntry* Analyzer::row_of(RelationDesc& relation, std::string_view alias) {
  RangeEntry* entry = arena_.make<RangeEntry>();
  entry->kind = RangeKind::kTable;
  entry->relation = &relation;
  entry->name = alias;
  add_table_columns(*entry, relation);
  return entry;
}

Expr* Analyzer::table_expression(const Node& node, RangeEntry* row, Place place) {
  Query query;
  Scope scope;
  scope.query = &query;
  if (row != nullptr) {
    query.entries.push(arena_, row);
    scope.items.push(arena_, name_space_of(*row));
  }
  return expression(node, scope, place);
}

Expr* Analyzer::coerce_default(Expr* expr, std::string_view column, Oid type, int32_t typmod) {
  Oid source = expr->type;
  Expr* e = coerce_or_null(expr, type, typmod, CastContext::kAssignment);
  if (e != nullptr) return e;
  throw Error(sqlstate::kDatatypeMismatch,
              "column \"{}\" is of type {} but default expression is of type {}", column,
              type_name(type), type_name(source))
      .hint("You will need to rewrite or cast the expression.");
}

Expr* Analyzer::stored_expression(std::string_view text, RangeEntry* row, Oid type, int32_t typmod,
                                  Place place) {
  // Kept by the session's cache, so that a statement of the simple protocol seldom parses it.
  std::string statement = fmt::format("SELECT {}", text);
  Engine* engine = in_.session == nullptr ? nullptr : in_.session->engine;
  auto parsed = engine == nullptr ? parse_query(statement) : engine->state().cache.parse(statement);
  in_.dependencies->trees.push_back(parsed);
  AnalyzeInput input = in_;
  input.text = parsed->text;
  Analyzer inner(input);
  NodeList targets = parsed->statements.at(0).node->list("targetList");
  Expr* e = inner.table_expression(*targets[0]->node("val"), row, place);
  if (type != kInvalidOid) e = inner.coerce_default(e, {}, type, typmod);
  // Its places are those of another text than the statement's.
  walk(e, 0, [](const Expr& part, int) {
    const_cast<Expr&>(part).location = -1;
    return true;
  });
  return e;
}

Expr* Analyzer::column_default(const RelationDesc& relation, const ColumnDesc& column) {
  if (column.identity != '\0') {
    Oid sequence = sequence_of_column(relation.oid, column.number);
    Expr* oid = make_const(type_oid::kRegclass, datum_from_oid(sequence), -1);
    Expr* next = make_call(*functions_named("nextval")[0], span_of({oid}), type_oid::kInt8, -1);
    return coerce(next, column.type, -1, CastContext::kAssignment);
  }
  if (column.default_text.empty() || column.generated != '\0') {
    return make_null(column.type, -1);
  }
  return stored_expression(column.default_text, nullptr, column.type, column.typmod,
                           Place::kColumnDefault);
}

// --- FOR UPDATE

void Analyzer::refuse_row_locks(const Node& select, const Query& query) {
  RowLockStrength strength = lock_strength(select.list("lockingClause")[0]->string("strength"));
  std::string_view with;
  if (query.operation != SetOperation::kNone) {
    throw Error(sqlstate::kFeatureNotSupported, "{} is not allowed with UNION/INTERSECT/EXCEPT",
                lock_words(strength));
  }
  if (query.distinct || !query.distinct_on.empty()) with = "DISTINCT clause";
  if (!query.group.empty() || !query.grouping_sets.empty()) with = "GROUP BY clause";
  if (query.having != nullptr) with = "HAVING clause";
  if (query.has_aggregates) with = "aggregate functions";
  if (query.has_windows) with = "window functions";
  if (query.has_set_calls) with = "set-returning functions in the target list";
  if (with.empty()) return;
  throw Error(sqlstate::kFeatureNotSupported, "{} is not allowed with {}", lock_words(strength),
              with);
}

void Analyzer::locking_clause(const Node& clause, Scope& scope) {
  RowLockStrength strength = lock_strength(clause.string("strength"));
  std::string_view policy = clause.string("waitPolicy");
  RowLockWait wait = policy == "LockWaitSkip"    ? RowLockWait::kSkip
                     : policy == "LockWaitError" ? RowLockWait::kError
                                                 : RowLockWait::kBlock;
  auto lock = [&](RangeEntry& entry) {
    if (entry.kind != RangeKind::kTable) return;
    entry.row_lock = std::max(entry.row_lock, strength);
    entry.row_lock_wait = std::max(entry.row_lock_wait, wait);
    scope.query->locks_rows = true;
    use_relation(entry.relation->oid, LockMode::kRowShare);
  };
  NodeList names = clause.list("lockedRels");
  if (names.empty()) {
    for (RangeEntry* entry : scope.query->entries) lock(*entry);
    return;
  }
  for (const Node* name : names) {
    int at = position(name->location());
    if (!name->string("schemaname").empty()) {
      throw Error(sqlstate::kSyntaxError, "{} must specify unqualified relation names",
                  lock_words(strength))
          .position(at);
    }
    bool found = false;
    for (RangeEntry* entry : scope.query->entries) {
      if (entry->name != name->string("relname")) continue;
      found = true;
      std::string_view what = entry->kind == RangeKind::kFunction      ? "a function"
                              : entry->kind == RangeKind::kValues      ? "VALUES"
                              : entry->kind == RangeKind::kCommonTable ? "a WITH query"
                                                                       : "";
      if (!what.empty()) {
        throw Error(sqlstate::kFeatureNotSupported, "{} cannot be applied to {}",
                    lock_words(strength), what)
            .position(at);
      }
      lock(*entry);
    }
    if (!found) {
      throw Error(sqlstate::kUndefinedTable,
                  "relation \"{}\" in {} clause not found in FROM clause", name->string("relname"),
                  lock_words(strength))
          .position(at);
    }
  }
}

}  // namespace cofork
