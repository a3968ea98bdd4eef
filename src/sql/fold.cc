// Constant folding: see fold.h.
#include "sql/fold.h"

#include <algorithm>

#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/planner.h"

namespace cofork {
namespace {

using namespace type_oid;

bool is_const(const Expr* e) {
  return e->kind == ExprKind::kConst;
}

bool is_true(const Expr* e) {
  return is_const(e) && !e->is_null && datum_to_bool(e->value);
}

bool is_false(const Expr* e) {
  return is_const(e) && !e->is_null && !datum_to_bool(e->value);
}

bool is_false_or_null(const Expr* e) {
  return is_const(e) && !is_true(e);
}

/// Whether a type's input (or output) function may give another answer in another session: those
/// that look at DateStyle, TimeZone or the catalogs (provolatile of date_in … in pg_proc).
bool text_form_is_stable(Oid type, bool input) {
  switch (type) {
    case kDate:
    case kTimestamp:
    case kTimestampTz:
    case kRegclass:
    case kRegtype:
    case kRegproc:
    case kRecord:
      return true;
    case kTime:
    case kTimeTz:
    case kInterval:
      return input;
    default: {
      const BuiltinType* found = find_type(type);
      return found == nullptr || found->is_array();
    }
  }
}

bool cast_is_immutable(Oid source, Oid target) {
  return !text_form_is_stable(source, false) && !text_form_is_stable(target, true);
}

/// The element cast of an array cast: no part of it may change (contain_mutable_functions).
bool is_immutable(const Expr* expr) {
  bool immutable = true;
  walk(expr, 0, [&](const Expr& part, int) {
    if (part.function != nullptr && part.function->volatility != Volatility::kImmutable) {
      immutable = false;
    }
    if (part.kind == ExprKind::kIoCast) {
      immutable = immutable && cast_is_immutable(part.args[0]->type, part.type);
    }
    return immutable;
  });
  return immutable;
}

bool has_set_call(const Expr* expr) {
  bool found = false;
  walk(expr, 0, [&](const Expr& part, int depth) {
    found |= depth == 0 && part.kind == ExprKind::kSetCall;
    return depth == 0 && !found;
  });
  return found;
}

class Folder {
 public:
  Folder(Arena& arena, Task& task, const EvalContext& context)
      : arena_(arena), task_(task), context_(context) {
    context_.arena = &scratch_;
  }

  void fold_query(Query& query);
  void fold_query_here(Query& query);

 private:
  Expr* fold(Expr* e);
  Expr* fold_here(Expr* e);
  Expr* fold_call(Expr* e);
  Expr* fold_logic(Expr* e);
  Expr* fold_case(Expr* e);
  Expr* fold_coalesce(Expr* e);
  Expr* fold_generic(Expr* e, bool immutable);
  void fold_tree(FromTree* tree);
  void fold_modification(Modification& modification);
  void fold_keys(std::span<SortKey> keys);
  bool fold_args(Expr* e);
  Expr* evaluate(Expr* e);
  Expr* make_const(const Expr& of, Datum value, bool is_null);
  void keep(Expr* e, const std::vector<Expr*>& args);

  Arena& arena_;
  Task& task_;
  EvalContext context_;
  Arena scratch_;
};

Expr* Folder::make_const(const Expr& of, Datum value, bool is_null) {
  Expr* e = arena_.make<Expr>();
  e->type = of.type;
  e->typmod = of.typmod;
  e->location = of.location;
  e->name = of.name;  // a function scan shows it
  e->is_null = is_null;
  if (!is_null) e->value = copy_datum(*find_type(of.type), value, arena_);
  return e;
}

void Folder::keep(Expr* e, const std::vector<Expr*>& args) {
  std::copy(args.begin(), args.end(), e->args.begin());
  e->args = e->args.first(args.size());
}

/// Folds the arguments in place; true when all are constants.
bool Folder::fold_args(Expr* e) {
  bool all = true;
  for (Expr*& arg : e->args) {
    if (arg == nullptr) continue;  // a bound that a slice leaves out
    arg = fold(arg);
    all &= is_const(arg);
  }
  return all;
}

/// Computes an expression over constants, as the executor would.
Expr* Folder::evaluate(Expr* e) {
  const BuiltinType* type = find_type(e->type);
  if (type == nullptr || type->is_pseudo()) return e;
  Execution execution(task_, context_);
  Planner planner(execution, 0);
  const Program* program = planner.compile(*e);
  planner.finish();
  program->run(execution, scratch_);
  auto slot = program->result;
  Expr* folded = make_const(*e, execution.values[slot], execution.nulls[slot]);
  scratch_.reset();
  return folded;
}

Expr* Folder::fold(Expr* e) {
  switch (e->kind) {
    case ExprKind::kConst:
    case ExprKind::kVar:
    case ExprKind::kParam:
      return e;
    case ExprKind::kCaseValue:
      // CASE 1 WHEN …: the operand may be known.
      return !e->args.empty() && is_const(e->args[0]) ? e->args[0] : e;
    default:
      return with_stack([&] { return fold_here(e); });
  }
}

Expr* Folder::fold_here(Expr* e) {
  switch (e->kind) {
    case ExprKind::kCall:
      return fold_call(e);
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return fold_logic(e);
    case ExprKind::kCase:
      return fold_case(e);
    case ExprKind::kCoalesce:
      return fold_coalesce(e);
    case ExprKind::kNot:
    case ExprKind::kNullTest:
    case ExprKind::kBoolTest:
    case ExprKind::kMinMax:
    case ExprKind::kArray:
    case ExprKind::kSubscript:
    case ExprKind::kSlice:
      return fold_generic(e, true);
    case ExprKind::kDistinct:
    case ExprKind::kNullIf:
    case ExprKind::kArrayCompare:
      return fold_generic(e, e->function->volatility == Volatility::kImmutable);
    case ExprKind::kIoCast:
      return fold_generic(e, cast_is_immutable(e->args[0]->type, e->type));
    case ExprKind::kArrayCast:
      e->subquery_columns[1] = fold(e->subquery_columns[1]);
      return fold_generic(e, is_immutable(e->subquery_columns[1]));
    case ExprKind::kRelabel:
      return fold_args(e) ? make_const(*e, e->args[0]->value, e->args[0]->is_null) : e;
    case ExprKind::kSubLink:
      fold_args(e);
      fold_query(*e->subquery);
      return e;
    default:
      fold_args(e);
      if (e->filter != nullptr) e->filter = fold(e->filter);
      fold_keys(e->order);
      return e;
  }
}

Expr* Folder::fold_generic(Expr* e, bool immutable) {
  return fold_args(e) && immutable ? evaluate(e) : e;
}

Expr* Folder::fold_call(Expr* e) {
  bool all = fold_args(e);
  const BuiltinFunction& function = *e->function;
  auto is_null = [](const Expr* arg) { return is_const(arg) && arg->is_null; };
  if (function.strict && std::ranges::any_of(e->args, is_null)) return make_const(*e, 0, true);
  return all && function.volatility == Volatility::kImmutable ? evaluate(e) : e;
}

Expr* Folder::fold_logic(Expr* e) {
  bool is_and = e->kind == ExprKind::kAnd;
  std::vector<Expr*> kept;
  Expr* null = nullptr;
  for (Expr* arg : e->args) {
    arg = fold(arg);
    if (is_and ? is_false(arg) : is_true(arg)) return arg;  // what follows is never computed
    if (!is_const(arg)) {
      kept.push_back(arg);
    } else if (arg->is_null) {
      null = arg;
    }
  }
  if (kept.empty()) return null != nullptr ? null : make_const(*e, datum_from_bool(is_and), false);
  if (null != nullptr) kept.push_back(null);
  if (kept.size() == 1) return kept[0];
  keep(e, kept);
  return e;
}

Expr* Folder::fold_case(Expr* e) {
  if (!e->subquery_columns.empty()) fold_args(e->subquery_columns[0]);
  std::vector<Expr*> kept;
  size_t last = e->args.size() - 1;
  Expr* otherwise = nullptr;
  for (size_t i = 0; i < last && otherwise == nullptr; i += 2) {
    Expr* condition = fold(e->args[i]);
    if (is_false_or_null(condition)) continue;
    Expr* result = fold(e->args[i + 1]);
    if (is_true(condition)) {
      otherwise = result;
    } else {
      kept.insert(kept.end(), {condition, result});
    }
  }
  if (otherwise == nullptr) otherwise = fold(e->args[last]);
  if (kept.empty()) return otherwise;
  kept.push_back(otherwise);
  keep(e, kept);
  return e;
}

Expr* Folder::fold_coalesce(Expr* e) {
  std::vector<Expr*> kept;
  for (Expr* arg : e->args) {
    arg = fold(arg);
    if (is_const(arg) && arg->is_null) continue;
    kept.push_back(arg);
    if (is_const(arg)) break;
  }
  if (kept.empty()) return make_const(*e, 0, true);
  if (is_const(kept[0])) return kept[0];
  keep(e, kept);
  return e;
}

// --- queries

void Folder::fold_keys(std::span<SortKey> keys) {
  for (SortKey& key : keys) {
    if (key.expr != nullptr) key.expr = fold(key.expr);
  }
}

void Folder::fold_tree(FromTree* tree) {
  if (tree == nullptr) return;
  with_stack([&] {
    fold_tree(tree->left);
    fold_tree(tree->right);
    if (tree->condition != nullptr) tree->condition = fold(tree->condition);
  });
}

void Folder::fold_modification(Modification& modification) {
  auto fold_targets = [&](List<Target>& targets) {
    for (Target& target : targets) target.expr = fold(target.expr);
  };
  fold_targets(modification.returning);
  fold_targets(modification.generated);
  for (CheckedConstraint& check : modification.checks) check.condition = fold(check.condition);
  for (IndexedExpressions& index : modification.indexed) {
    for (Expr*& e : index.expressions) e = fold(e);
    if (index.predicate != nullptr) index.predicate = fold(index.predicate);
  }
  if (ConflictAction* conflict = modification.conflict) {
    fold_targets(conflict->assignments);
    if (conflict->where != nullptr) conflict->where = fold(conflict->where);
  }
}

void Folder::fold_query(Query& query) {
  if (!query.is_folded) with_stack([&] { fold_query_here(query); });
}

void Folder::fold_query_here(Query& query) {
  auto fold_if = [&](Expr*& e) {
    if (e != nullptr) e = fold(e);
  };
  for (CommonTable* table : query.tables) {
    if (table->query != nullptr && table->references > 0) fold_query(*table->query);
  }
  for (Target& target : query.targets) target.expr = fold(target.expr);
  if (query.has_set_calls) {
    // They may all have stood in branches that are gone.
    query.has_set_calls = std::ranges::any_of(
        query.targets, [](const Target& target) { return has_set_call(target.expr); });
  }
  fold_tree(query.from);
  fold_if(query.where);
  fold_if(query.having);
  for (Window* window : query.windows) {
    fold_keys(window->partition);
    fold_keys(window->order);
    fold_if(window->start_offset);
    fold_if(window->end_offset);
    fold_if(window->range_key);
    fold_if(window->range_start);
    fold_if(window->range_end);
  }
  fold_if(query.limit);
  fold_if(query.offset);
  for (RangeEntry* entry : query.entries) {
    for (Expr*& call : entry->functions) call = fold(call);
    for (auto& row : entry->rows) {
      for (Expr*& value : row) value = fold(value);
    }
    if (entry->subquery != nullptr) fold_query(*entry->subquery);
  }
  if (query.modification != nullptr) fold_modification(*query.modification);
  if (query.left != nullptr) fold_query(*query.left);
  if (query.right != nullptr) fold_query(*query.right);
  query.is_folded = true;
}

}  // namespace

void fold_constants(Query& query, Arena& arena, Task& task, const EvalContext& context) {
  Folder(arena, task, context).fold_query(query);
}

}  // namespace cofork
