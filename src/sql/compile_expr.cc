// Expressions become steps: arguments are computed straight into the slots their call reads, a
// constant is put there once and costs no step, a column costs none unless it is an argument.
#include "model/stack.h"
#include "sql/analyze.h"
#include "sql/planner.h"
#include "support/error.h"

namespace cofork {

Program* Planner::new_program() {
  ex_.programs.push_back(std::make_unique<Program>());
  return ex_.programs.back().get();
}

Step& Planner::add_step(Program& program, Op op, int out, int a, int b) {
  Step step{op, out, a, b, {}};
  program.steps.push_back(step);
  return program.steps.back();
}

CallSite* Planner::new_site(int first, size_t count) {
  CallSite* site = ex_.arena.make<CallSite>(
      CallSite{FunctionCall{ex_.context, nullptr, nullptr, static_cast<int>(count)}});
  site->first = first;
  sites_.push_back(site);
  return site;
}

Program* Planner::compile(const Expr& expr) {
  Program* program = new_program();
  program->result = emit_anywhere(expr, *program);
  return program;
}

Program* Planner::compile_into(std::span<Expr* const> exprs, int first_slot) {
  Program* program = new_program();
  int slot = first_slot;
  for (const Expr* expr : exprs) emit(*expr, slot++, *program);
  return program;
}

int Planner::emit_anywhere(const Expr& expr, Program& program) {
  switch (expr.kind) {
    case ExprKind::kVar:
      return expr.entry->first_slot + expr.column;
    case ExprKind::kParam:
      return expr.column - 1;
    case ExprKind::kConst: {
      int slot = new_slots(1);
      set_initial(slot, expr.value, expr.is_null);
      return slot;
    }
    case ExprKind::kAggregate:
    case ExprKind::kWindow:
    case ExprKind::kSetCall:
    case ExprKind::kCaseValue:
      if (expr.slot >= 0) return expr.slot;
      break;
    case ExprKind::kRelabel:
      return emit_anywhere(*expr.args[0], program);
    default:
      break;
  }
  int slot = new_slots(1);
  emit(expr, slot, program);
  return slot;
}

void Planner::place_argument(const Expr& expr, int slot, Program& program) {
  if (expr.kind == ExprKind::kConst) {
    set_initial(slot, expr.value, expr.is_null);
  } else if (expr.kind == ExprKind::kRelabel) {
    place_argument(*expr.args[0], slot, program);
  } else {
    emit(expr, slot, program);
  }
}

CallSite* Planner::make_site(std::span<Expr* const> args, Program& program) {
  int first = new_slots(args.size());
  int slot = first;
  for (const Expr* arg : args) place_argument(*arg, slot++, program);
  return new_site(first, args.size());
}

void Planner::emit(const Expr& expr, int out, Program& program) {
  with_stack([&] {
    for (const Replacement& done : replacements_) {
      if (same_expr(done.expr, &expr)) {
        add_step(program, Op::kCopy, out, done.slot);
        return;
      }
    }
    switch (expr.kind) {
      case ExprKind::kConst:
      case ExprKind::kVar:
      case ExprKind::kParam:
        add_step(program, Op::kCopy, out, emit_anywhere(expr, program));
        return;
      case ExprKind::kAggregate:
      case ExprKind::kWindow:
      case ExprKind::kSetCall:
      case ExprKind::kCaseValue:
        if (expr.slot < 0) throw Error(sqlstate::kInternalError, "expression was not planned");
        add_step(program, Op::kCopy, out, expr.slot);
        return;
      case ExprKind::kRelabel:
        emit(*expr.args[0], out, program);
        return;
      case ExprKind::kCall:
        emit_call(expr, out, program);
        return;
      case ExprKind::kAnd:
      case ExprKind::kOr:
        emit_logic(expr, out, program);
        return;
      case ExprKind::kNot:
        add_step(program, Op::kNot, out, emit_anywhere(*expr.args[0], program));
        return;
      case ExprKind::kCase:
        emit_case(expr, out, program);
        return;
      case ExprKind::kCoalesce:
        emit_coalesce(expr, out, program);
        return;
      case ExprKind::kNullTest:
        if (expr.args[0]->kind == ExprKind::kRow) {
          CallSite* site = make_site(expr.args[0]->args, program);
          add_step(program, Op::kRowNullTest, out, 0, expr.flag).site = site;
          return;
        }
        {
          int arg = emit_anywhere(*expr.args[0], program);
          add_step(program, Op::kNullTest, out, arg, expr.flag);
        }
        return;
      case ExprKind::kBoolTest: {
        int arg = emit_anywhere(*expr.args[0], program);
        add_step(program, Op::kBoolTest, out, arg, static_cast<int>(expr.test));
        return;
      }
      case ExprKind::kDistinct:
      case ExprKind::kNullIf: {
        CallSite* site = make_site(expr.args, program);
        site->function = expr.function->call;
        site->call.function = expr.function;
        site->call.arg_types = expr.arg_types.data();
        site->call.result_type = type_oid::kBool;
        add_step(program, expr.kind == ExprKind::kNullIf ? Op::kNullIf : Op::kDistinct, out).site =
            site;
        return;
      }
      case ExprKind::kMinMax:
      case ExprKind::kArray:
      case ExprKind::kRow:
      case ExprKind::kRowCompare:
      case ExprKind::kSubscript:
      case ExprKind::kSlice:
        emit_multiple(expr, out, program);
        return;
      case ExprKind::kIoCast:
      case ExprKind::kArrayCast:
        emit_cast(expr, out, program);
        return;
      case ExprKind::kArrayCompare:
        emit_array_compare(expr, out, program);
        return;
      case ExprKind::kSubLink:
        emit_sub_link(expr, out, program);
        return;
      case ExprKind::kGrouping:
        emit_grouping(expr, out, program);
        return;
    }
  });
}

void Planner::emit_call(const Expr& expr, int out, Program& program) {
  const BuiltinFunction& function = *expr.function;
  CallSite* site = make_site(expr.args, program);
  site->function = function.call;
  site->call.function = &function;
  site->call.arg_types = expr.arg_types.data();
  site->call.result_type = expr.type;
  site->call.position = expr.location;
  Op op = Op::kCall;
  if (function.strict && !expr.args.empty()) {
    op = expr.args.size() == 1   ? Op::kCallStrict1
         : expr.args.size() == 2 ? Op::kCallStrict2
                                 : Op::kCallStrict;
  }
  add_step(program, op, out).site = site;
}

void Planner::emit_logic(const Expr& expr, int out, Program& program) {
  bool is_and = expr.kind == ExprKind::kAnd;
  // Apart from `out`, which an argument may read when it is a slot of somebody else's.
  int value = new_slots(1);
  add_step(program, Op::kSetBool, value, 0, is_and);
  std::vector<size_t> exits;
  for (const Expr* arg : expr.args) {
    int slot = emit_anywhere(*arg, program);
    add_step(program, is_and ? Op::kAndNext : Op::kOrNext, value, slot);
    exits.push_back(program.steps.size() - 1);
  }
  for (size_t at : exits) program.steps[at].target = static_cast<int>(program.steps.size());
  add_step(program, Op::kCopy, out, value);
}

void Planner::emit_case(const Expr& expr, int out, Program& program) {
  if (!expr.subquery_columns.empty()) {
    Expr& value = *expr.subquery_columns[0];
    value.slot = new_slots(1);
    emit(*value.args[0], value.slot, program);
  }
  std::vector<size_t> exits;
  size_t i = 0;
  for (; i + 1 < expr.args.size(); i += 2) {
    int condition = emit_anywhere(*expr.args[i], program);
    add_step(program, Op::kJumpNotTrue, 0, condition);
    size_t skip = program.steps.size() - 1;
    emit(*expr.args[i + 1], out, program);
    add_step(program, Op::kJump, 0);
    exits.push_back(program.steps.size() - 1);
    program.steps[skip].target = static_cast<int>(program.steps.size());
  }
  emit(*expr.args[i], out, program);
  for (size_t at : exits) program.steps[at].target = static_cast<int>(program.steps.size());
}

void Planner::emit_coalesce(const Expr& expr, int out, Program& program) {
  std::vector<size_t> exits;
  for (size_t i = 0; i < expr.args.size(); ++i) {
    emit(*expr.args[i], out, program);
    if (i + 1 == expr.args.size()) break;
    add_step(program, Op::kJumpNotNull, 0, out);
    exits.push_back(program.steps.size() - 1);
  }
  for (size_t at : exits) program.steps[at].target = static_cast<int>(program.steps.size());
}

void Planner::emit_multiple(const Expr& expr, int out, Program& program) {
  CallSite* site = nullptr;
  if (expr.kind == ExprKind::kSlice) {
    // Bounds may be left out: a flag each says whether one is there.
    std::vector<Expr*> args;
    bool* present = ex_.arena.make_array<bool>(expr.args.size());
    Expr* filler = ex_.arena.make<Expr>();
    filler->is_null = true;
    for (size_t i = 0; i < expr.args.size(); ++i) {
      present[i] = expr.args[i] != nullptr;
      args.push_back(present[i] ? expr.args[i] : filler);
    }
    site = make_site(args, program);
    site->present = {present, args.size()};
  } else {
    site = make_site(expr.args, program);
  }
  site->type = find_type(expr.type);
  site->name = expr.name;
  auto** types = ex_.arena.make_array<const BuiltinType*>(expr.args.size());
  for (size_t i = 0; i < expr.args.size(); ++i) {
    types[i] = expr.args[i] == nullptr ? nullptr : find_type(expr.args[i]->type);
  }
  site->types = {types, expr.args.size()};
  switch (expr.kind) {
    case ExprKind::kMinMax:
      add_step(program, Op::kMinMax, out, 0, expr.flag).site = site;
      return;
    case ExprKind::kArray:
      site->source_type = find_type(site->type->element_oid);
      add_step(program, Op::kArray, out, 0, expr.flag).site = site;
      return;
    case ExprKind::kRow:
      add_step(program, Op::kRow, out).site = site;
      return;
    case ExprKind::kRowCompare:
      add_step(program, Op::kRowCompare, out).site = site;
      return;
    default:
      site->source_type = find_type(expr.args[0]->type);
      add_step(program, expr.kind == ExprKind::kSlice ? Op::kSlice : Op::kSubscript, out).site =
          site;
  }
}

void Planner::emit_cast(const Expr& expr, int out, Program& program) {
  CallSite* site = make_site(expr.args, program);
  site->type = find_type(expr.type);
  site->source_type = find_type(expr.args[0]->type);
  if (expr.kind == ExprKind::kArrayCast) {
    Expr& element = *expr.subquery_columns[0];
    element.slot = new_slots(1);
    site->element = compile(*expr.subquery_columns[1]);
    site->call.position = element.slot;
    add_step(program, Op::kArrayCast, out).site = site;
    return;
  }
  add_step(program, Op::kIoCast, out).site = site;
}

void Planner::emit_array_compare(const Expr& expr, int out, Program& program) {
  // Slots: left, element, array. The call reads the first two.
  int first = new_slots(3);
  place_argument(*expr.args[0], first, program);
  place_argument(*expr.args[1], first + 2, program);
  CallSite* site = new_site(first, 2);
  site->function = expr.function->call;
  site->call.function = expr.function;
  site->call.arg_types = expr.arg_types.data();
  site->call.result_type = type_oid::kBool;
  site->source_type = find_type(find_type(expr.args[1]->type)->element_oid);
  site->flag = expr.flag;
  add_step(program, Op::kArrayCompare, out).site = site;
}

void Planner::emit_grouping(const Expr& expr, int out, Program& program) {
  // The group node leaves a mask of the keys that are not grouped by in the current set.
  CallSite* site = new_site(grouping_slot_, 1);
  auto* order = ex_.arena.make_array<bool>(expr.args.size() * 64);
  for (size_t i = 0; i < expr.args.size(); ++i) {
    for (size_t g = 0; g < group_exprs_.size() && g < 64; ++g) {
      order[i * 64 + g] = same_expr(group_exprs_[g], expr.args[i]);
    }
  }
  site->present = {order, expr.args.size() * 64};
  add_step(program, Op::kGrouping, out).site = site;
}

void Planner::emit_sub_link(const Expr& expr, int out, Program& program) {
  auto owned = std::make_unique<SubPlan>(expr);
  SubPlan* sub = owned.get();
  ex_.sub_plans.push_back(std::move(owned));
  // What the outer query's nodes computed must not stand in for expressions inside.
  std::vector<Replacement> outer = std::move(replacements_);
  replacements_.clear();
  uint32_t beside = std::exchange(sub_plan_depth_, 0);
  PlannedQuery planned = plan_query(*expr.subquery);
  sub_plan_depth_ = std::max(beside, planned.root->depth + sub_plan_depth_ + 1);
  replacements_ = std::move(outer);
  sub->root = planned.root;
  sub->first_output = planned.first_output;
  sub->output = planned.output;
  sub->is_correlated = expr.subquery->is_correlated;
  if (!expr.args.empty()) {
    for (size_t i = 0; i < expr.subquery_columns.size(); ++i) {
      expr.subquery_columns[i]->slot = planned.output.slot(i);
    }
    const Expr& test = *expr.args[0];
    sub->test.result = emit_anywhere(test, sub->test);
    // x IN (SELECT …): one equality of one hashable type.
    const BuiltinType* type = test.args.empty() ? nullptr : find_type(test.args[0]->type);
    if (expr.sublink == SubLinkKind::kAny && !sub->is_correlated && test.kind == ExprKind::kCall &&
        test.name == "=" && test.args.size() == 2 && test.args[1] == expr.subquery_columns[0] &&
        test.args[0]->type == test.args[1]->type && type->hash != nullptr &&
        type->compare != nullptr) {
      sub->is_hashed = true;
      sub->left.result = new_slots(1);
      emit(*test.args[0], sub->left.result, sub->left);
      sub->left_key.add(sub->left.result, type);
    }
  }
  CallSite* site = new_site(0, 0);
  site->sub_plan = sub;
  add_step(program, Op::kSubLink, out).site = site;
}

void Planner::finish() {
  auto slots = static_cast<size_t>(slot_count_);
  ex_.values = ex_.arena.make_array<Datum>(slots);
  ex_.nulls = ex_.arena.make_array<bool>(slots);
  for (const Initial& initial : initial_) {
    ex_.values[initial.slot] = initial.value;
    ex_.nulls[initial.slot] = initial.is_null;
  }
  for (CallSite* site : sites_) {
    site->call.args = ex_.values + site->first;
    site->call.nulls = ex_.nulls + site->first;
  }
}

}  // namespace cofork
