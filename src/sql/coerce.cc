// Casts: which ones there are, which apply by themselves, and the common type of several
// expressions (parse_coerce.c).
#include "sql/analyze.h"

namespace cofork {
namespace {

bool is_polymorphic(Oid type) {
  switch (type) {
    case type_oid::kAnyElement:
    case type_oid::kAnyArray:
    case type_oid::kAnyNonArray:
    case type_oid::kAnyEnum:
    case type_oid::kAnyRange:
    case type_oid::kAnyCompatible:
    case type_oid::kAnyCompatibleArray:
    case type_oid::kAnyCompatibleNonArray:
      return true;
    default:
      return false;
  }
}

}  // namespace

char Analyzer::category(Oid type) const {
  const BuiltinType* found = find_type(type);
  return found == nullptr ? 'X' : found->category;
}

bool Analyzer::is_preferred(Oid type) const {
  const BuiltinType* found = find_type(type);
  return found != nullptr && found->preferred;
}

Analyzer::Pathway Analyzer::find_pathway(Oid source, Oid target, CastContext context,
                                         const BuiltinFunction** function) {
  *function = nullptr;
  if (source == target) return Pathway::kRelabel;
  auto allows = [context](CastContext needed) {
    auto rank = [](CastContext c) {
      return c == CastContext::kImplicit ? 0 : c == CastContext::kAssignment ? 1 : 2;
    };
    return rank(context) >= rank(needed);
  };
  if (const BuiltinCast* cast = find_cast(source, target)) {
    if (!allows(cast->context)) return Pathway::kNone;
    if (cast->via_io) return Pathway::kIo;
    if (cast->function == kInvalidOid) return Pathway::kRelabel;
    *function = find_function(cast->function);
    return *function == nullptr ? Pathway::kNone : Pathway::kFunction;
  }
  const BuiltinType* from = find_type(source);
  const BuiltinType* to = find_type(target);
  if (from == nullptr || to == nullptr) return Pathway::kNone;
  if (from->is_array() && to->is_array()) {
    const BuiltinFunction* element = nullptr;
    Pathway path = find_pathway(from->element_oid, to->element_oid, context, &element);
    if (path == Pathway::kNone) return Pathway::kNone;
    *function = element;
    return path == Pathway::kRelabel && find_cast(to->element_oid, to->element_oid) == nullptr
               ? Pathway::kRelabel
               : Pathway::kArray;
  }
  // Everything can be written as text by assignment, and read from text when asked to.
  if (context != CastContext::kImplicit && to->category == 'S') return Pathway::kIo;
  if (context == CastContext::kExplicit && from->category == 'S') return Pathway::kIo;
  return Pathway::kNone;
}

bool Analyzer::can_coerce(Oid source, Oid target, CastContext context) {
  if (source == target || target == type_oid::kAny) return true;
  if (is_polymorphic(target)) return true;  // whether they agree is seen later
  if (source == type_oid::kUnknown) return true;
  const BuiltinFunction* function = nullptr;
  return find_pathway(source, target, context, &function) != Pathway::kNone;
}

Expr* Analyzer::coerce_unknown(Expr* expr, Oid target, int32_t typmod) {
  if (expr->type != type_oid::kUnknown) return expr;
  const BuiltinType* type = find_type(target);
  if (expr->kind == ExprKind::kParam) {
    Oid& slot = (*in_.parameter_types)[static_cast<size_t>(expr->column - 1)];
    if (slot != type_oid::kUnknown && slot != target) {
      throw Error(sqlstate::kAmbiguousParameter, "inconsistent types deduced for parameter ${}",
                  expr->column)
          .detail("{} versus {}", type_name(slot), type_name(target))
          .position(position(expr->location));
    }
    slot = target;
    Expr* e = make(ExprKind::kParam, target, expr->location);
    e->column = expr->column;
    return e;
  }
  if (expr->kind != ExprKind::kConst) {
    Expr* e = make(ExprKind::kIoCast, target, expr->location);
    e->args = span_of({expr});
    return e;
  }
  Expr* e = make(ExprKind::kConst, target, expr->location);
  if (expr->is_null) {
    e->is_null = true;
    return e;
  }
  if (type->input == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot accept a value of type {}", type->sql_name)
        .position(position(expr->location));
  }
  // Only interval's input looks at the modifier; others take all and are cut to length after.
  int32_t input_typmod = target == type_oid::kInterval ? typmod : -1;
  e->typmod = input_typmod;
  std::optional<ErrorData> failure;
  try {
    e->value = type->from_text(*in_.context, datum_to_pointer(expr->value), input_typmod);
  } catch (const Error& error) {
    failure = error.data();
  }
  if (failure) {
    if (failure->position == 0) failure->position = position(expr->location);
    throw Error(std::move(*failure));
  }
  e->value = copy_datum(*type, e->value, arena_);
  return e;
}

Expr* Analyzer::coerce(Expr* expr, Oid target, int32_t typmod, CastContext context) {
  Oid source = expr->type;
  if (source == target || target == type_oid::kAny || is_polymorphic(target)) return expr;
  if (source == type_oid::kUnknown) return coerce_unknown(expr, target, typmod);
  const BuiltinFunction* function = nullptr;
  switch (find_pathway(source, target, context, &function)) {
    case Pathway::kFunction: {
      std::vector<Expr*> args = {expr};
      if (function->args.size() > 1) {
        args.push_back(make_const(type_oid::kInt4, datum_from_int32(typmod), -1));
      }
      if (function->args.size() > 2) {
        args.push_back(
            make_const(type_oid::kBool, datum_from_bool(context == CastContext::kExplicit), -1));
      }
      Expr* e = make_call(*function, span_of(args), target, expr->location);
      e->implicit = context == CastContext::kImplicit;
      if (function->args.size() > 1) e->typmod = typmod;
      return e;
    }
    case Pathway::kRelabel: {
      Expr* e = make(ExprKind::kRelabel, target, expr->location);
      e->args = span_of({expr});
      return e;
    }
    case Pathway::kIo: {
      Expr* e = make(ExprKind::kIoCast, target, expr->location);
      e->args = span_of({expr});
      return e;
    }
    case Pathway::kArray: {
      // The element cast is compiled over a stand-in for one element.
      Expr* e = make(ExprKind::kArrayCast, target, expr->location);
      Expr* element = make(ExprKind::kCaseValue, find_type(source)->element_oid, expr->location);
      Expr* cast = coerce(element, find_type(target)->element_oid, typmod, context);
      cast = apply_typmod(cast, typmod, context);
      e->args = span_of({expr});
      e->typmod = typmod;
      e->subquery_columns = span_of({element, cast});
      return e;
    }
    case Pathway::kNone:
      break;
  }
  throw Error(sqlstate::kInternalError, "failed to find conversion function from {} to {}",
              type_name(source), type_name(target));
}

Expr* Analyzer::apply_typmod(Expr* expr, int32_t typmod, CastContext context) {
  if (typmod < 0 || typmod == expr->typmod) return expr;
  const BuiltinType* type = find_type(expr->type);
  if (type->is_array()) {
    if (find_cast(type->element_oid, type->element_oid) == nullptr) return expr;
    Expr* e = make(ExprKind::kArrayCast, expr->type, expr->location);
    Expr* element = make(ExprKind::kCaseValue, type->element_oid, expr->location);
    e->args = span_of({expr});
    e->typmod = typmod;
    e->subquery_columns = span_of({element, apply_typmod(element, typmod, context)});
    return e;
  }
  const BuiltinCast* cast = find_cast(expr->type, expr->type);
  if (cast == nullptr || cast->function == kInvalidOid) return expr;
  const BuiltinFunction& function = *find_function(cast->function);
  std::vector<Expr*> args = {expr, make_const(type_oid::kInt4, datum_from_int32(typmod), -1)};
  if (function.args.size() > 2) {
    args.push_back(
        make_const(type_oid::kBool, datum_from_bool(context == CastContext::kExplicit), -1));
  }
  Expr* e = make_call(function, span_of(args), expr->type, expr->location);
  e->typmod = typmod;
  e->implicit = context == CastContext::kImplicit;
  return e;
}

Expr* Analyzer::coerce_or_null(Expr* expr, Oid target, int32_t typmod, CastContext context) {
  if (expr->kind == ExprKind::kRow && find_type(target)->category == 'S') {
    Expr* e = make(ExprKind::kIoCast, target, expr->location);
    e->args = span_of({expr});
    return e;
  }
  if (!can_coerce(expr->type, target, context)) return nullptr;
  Expr* e = coerce(expr, target, typmod, context);
  return apply_typmod(e, typmod, context);
}

Expr* Analyzer::to_boolean(Expr* expr, std::string_view what) {
  if (expr->type == type_oid::kBool) return expr;
  Expr* e = coerce_or_null(expr, type_oid::kBool, -1, CastContext::kAssignment);
  if (e == nullptr) {
    throw Error(sqlstate::kDatatypeMismatch, "argument of {} must be type {}, not type {}", what,
                "boolean", type_name(expr->type))
        .position(position(expr->location));
  }
  return e;
}

Oid Analyzer::common_type(std::span<Expr*> exprs, std::string_view what, Expr** which) {
  Expr* best = exprs[0];
  Oid type = best->type;
  bool all_same = type != type_oid::kUnknown;
  for (Expr* e : exprs) all_same &= e->type == type;
  if (which != nullptr) *which = best;
  if (all_same) return type;
  for (Expr* e : exprs.subspan(1)) {
    Oid next = e->type;
    if (next == type_oid::kUnknown || next == type) continue;
    if (type == type_oid::kUnknown) {
      best = e;
      type = next;
    } else if (category(next) != category(type)) {
      if (what.empty()) return kInvalidOid;
      throw Error(sqlstate::kDatatypeMismatch, "{} types {} and {} cannot be matched", what,
                  type_name(type), type_name(next))
          .position(position(e->location));
    } else if (!is_preferred(type) && can_coerce(type, next, CastContext::kImplicit) &&
               !can_coerce(next, type, CastContext::kImplicit)) {
      best = e;
      type = next;
    }
  }
  if (which != nullptr) *which = best;
  return type == type_oid::kUnknown ? type_oid::kText : type;
}

Expr* Analyzer::to_common_type(Expr* expr, Oid type, std::string_view what) {
  if (expr->type == type) return expr;
  if (!can_coerce(expr->type, type, CastContext::kImplicit)) {
    throw Error(sqlstate::kCannotCoerce, "{} could not convert type {} to {}", what,
                type_name(expr->type), type_name(type))
        .position(position(expr->location));
  }
  return coerce(expr, type, -1, CastContext::kImplicit);
}

int32_t Analyzer::common_typmod(std::span<Expr*> exprs, Oid type) const {
  int32_t typmod = exprs[0]->typmod;
  for (const Expr* e : exprs) {
    if (e->type != type || e->typmod != typmod) return -1;
  }
  return typmod;
}

}  // namespace cofork
