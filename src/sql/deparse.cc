// See deparse.h.
#include "sql/deparse.h"

#include "catalog/names.h"
#include "model/stack.h"
#include "support/error.h"

namespace cofork {
namespace {

using namespace type_oid;

class Deparser {
 public:
  Deparser(const EvalContext& context, const DeparseOptions& options)
      : context_(context), options_(options) {
    context_.arena = &arena_;
  }

  /// `shows_implicit`: casts nobody wrote are shown, as inside operators and calls.
  void write(const Expr& e, bool shows_implicit) {
    with_stack([&] { write_here(e, shows_implicit); });
  }
  std::string text;

 private:
  void write_here(const Expr& e, bool shows_implicit);
  void write_const(const Expr& e);
  void write_call(const Expr& e, bool shows_implicit);
  void write_cast(const Expr& e, bool shows_implicit, bool is_implicit);
  void write_case(const Expr& e);
  void write_row_compare(const Expr& e);
  void write_aggregate(const Expr& e);
  void list(std::span<Expr* const> args, std::string_view between) {
    for (size_t i = 0; i < args.size(); ++i) {
      if (i > 0) text += between;
      write(*args[i], true);
    }
  }
  /// An operand: atoms as they are; operators bring their own parentheses.
  void call(std::string_view name, std::span<Expr* const> args) {
    text += name;
    text += '(';
    list(args, ", ");
    text += ')';
  }

  EvalContext context_;
  DeparseOptions options_;
  Arena arena_;
};

void Deparser::write_const(const Expr& e) {
  const BuiltinType* type = find_type(e.type);
  std::string label = format_type(e.type, e.typmod);
  if (e.is_null) {
    text += "NULL::";
    text += label;
    return;
  }
  std::string value;
  type->to_text(context_, e.value, value);
  bool is_number = !value.empty() && value.find_first_not_of("0123456789.") == value.npos;
  switch (e.type) {
    case kInt4:
      if (is_number) {
        text += value;
        return;
      }
      break;
    case kNumeric:
      if (is_number && value.find('.') != value.npos) {
        text += value;
        return;
      }
      break;
    case kBool:
      text += value == "t" ? "true" : "false";
      return;
    case kUnknown:
      text += quote_literal(datum_to_pointer(e.value));
      return;
    default:
      break;
  }
  text += quote_literal(value);
  text += "::";
  text += label;
}

void Deparser::write_cast(const Expr& e, bool shows_implicit, bool is_implicit) {
  const Expr& arg = *e.args[0];
  if (is_implicit && !shows_implicit) {
    write(arg, shows_implicit);
    return;
  }
  if (arg.kind == ExprKind::kConst) {
    write(arg, true);
  } else {
    text += '(';
    write(arg, false);
    text += ')';
  }
  text += "::";
  text += format_type(e.type, e.typmod);
}

void Deparser::write_call(const Expr& e, bool shows_implicit) {
  if (e.is_operator) {
    text += '(';
    if (e.args.size() == 2) {
      write(*e.args[0], true);
      text += ' ';
    }
    text += e.name;
    text += ' ';
    write(*e.args.back(), true);
    text += ')';
    return;
  }
  if (!e.args.empty()) {
    const BuiltinCast* cast = find_cast(e.args[0]->type, e.type);
    if (cast != nullptr && cast->function == e.function->oid) {
      write_cast(e, shows_implicit, e.implicit);
      return;
    }
  }
  if (e.function->name == std::string_view("now") && e.args.empty() &&
      e.name == "current_timestamp") {
    text += "CURRENT_TIMESTAMP";
    return;
  }
  call(quote_identifier(e.function->name), e.args);
}

void Deparser::write_case(const Expr& e) {
  text += "CASE";
  bool has_operand = !e.subquery_columns.empty();
  if (has_operand) {
    text += ' ';
    write(*e.subquery_columns[0]->args[0], true);
  }
  size_t i = 0;
  for (; i + 1 < e.args.size(); i += 2) {
    text += " WHEN ";
    const Expr& condition = *e.args[i];
    // The condition is "operand = value".
    write(has_operand && condition.args.size() == 2 ? *condition.args[1] : condition, false);
    text += " THEN ";
    write(*e.args[i + 1], true);
  }
  text += " ELSE ";
  write(*e.args[i], true);
  text += " END";
}

void Deparser::write_here(const Expr& e, bool shows_implicit) {
  switch (e.kind) {
    case ExprKind::kConst:
      write_const(e);
      return;
    case ExprKind::kVar: {
      static constexpr std::string_view kSystem[] = {"ctid", "xmin", "cmin",
                                                     "xmax", "cmax", "tableoid"};
      bool foreign = options_.own != nullptr && e.entry != options_.own;
      if (options_.qualified || foreign) {
        text +=
            quote_identifier(options_.entry_name ? options_.entry_name(*e.entry) : e.entry->name);
        text += '.';
      }
      auto column = static_cast<size_t>(e.column);
      size_t columns = e.entry->columns.size();
      text += column < columns ? quote_identifier(e.entry->columns[column].name)
                               : std::string(kSystem[column - columns]);
      return;
    }
    case ExprKind::kParam:
      text += fmt::format("${}", e.column);
      return;
    case ExprKind::kCall:
      write_call(e, shows_implicit);
      return;
    case ExprKind::kRelabel:
      write_cast(e, shows_implicit, true);
      return;
    case ExprKind::kIoCast:
    case ExprKind::kArrayCast:
      write_cast(e, shows_implicit, false);
      return;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      text += '(';
      list(e.args, e.kind == ExprKind::kAnd ? " AND " : " OR ");
      text += ')';
      return;
    case ExprKind::kNot:
      text += "(NOT ";
      write(*e.args[0], true);
      text += ')';
      return;
    case ExprKind::kCase:
      write_case(e);
      return;
    case ExprKind::kCoalesce:
      call("COALESCE", e.args);
      return;
    case ExprKind::kMinMax:
      call(e.flag ? "GREATEST" : "LEAST", e.args);
      return;
    case ExprKind::kNullIf:
      call("NULLIF", e.args);
      return;
    case ExprKind::kNullTest:
      text += '(';
      write(*e.args[0], true);
      text += e.flag ? " IS NOT NULL)" : " IS NULL)";
      return;
    case ExprKind::kBoolTest: {
      static constexpr std::string_view kTests[] = {"TRUE",      "NOT TRUE", "FALSE",
                                                    "NOT FALSE", "UNKNOWN",  "NOT UNKNOWN"};
      text += '(';
      write(*e.args[0], true);
      text += " IS ";
      text += kTests[static_cast<size_t>(e.test)];
      text += ')';
      return;
    }
    case ExprKind::kDistinct:
      text += '(';
      write(*e.args[0], true);
      text += " IS DISTINCT FROM ";
      write(*e.args[1], true);
      text += ')';
      return;
    case ExprKind::kArrayCompare:
      text += '(';
      write(*e.args[0], true);
      text += fmt::format(" {} {} (", e.name, e.flag ? "ANY" : "ALL");
      write(*e.args[1], true);
      text += "))";
      return;
    case ExprKind::kArray:
      text += "ARRAY[";
      list(e.args, ", ");
      text += ']';
      return;
    case ExprKind::kRow:
      call("ROW", e.args);
      return;
    case ExprKind::kSubscript:
      write(*e.args[0], true);
      for (const Expr* index : e.args.subspan(1)) {
        text += '[';
        write(*index, false);
        text += ']';
      }
      return;
    case ExprKind::kSlice:
      write(*e.args[0], true);
      for (size_t i = 1; i + 1 < e.args.size(); i += 2) {
        text += '[';
        if (e.args[i] != nullptr) write(*e.args[i], false);
        text += ':';
        if (e.args[i + 1] != nullptr) write(*e.args[i + 1], false);
        text += ']';
      }
      return;
    case ExprKind::kRowCompare:
      write_row_compare(e);
      return;
    case ExprKind::kAggregate:
      write_aggregate(e);
      return;
    case ExprKind::kWindow:
      write_aggregate(e);
      text += " OVER (?)";
      return;
    case ExprKind::kGrouping:
      call("GROUPING", e.args);
      return;
    case ExprKind::kSetCall:
      call(quote_identifier(e.function->name), e.args);
      return;
    case ExprKind::kSubLink:
      if (!options_.sub_link) break;
      text += options_.sub_link(e);
      return;
    case ExprKind::kCaseValue:
      break;
  }
  throw Error(sqlstate::kFeatureNotSupported,
              "this kind of expression cannot be stored in the catalog");
}

/// args are a, c, b, d.
void Deparser::write_row_compare(const Expr& e) {
  std::vector<Expr*> sides[2];
  for (size_t i = 0; i < e.args.size(); ++i) sides[i % 2].push_back(e.args[i]);
  text += '(';
  call("ROW", sides[0]);
  text += fmt::format(" {} ", e.name);
  call("ROW", sides[1]);
  text += ')';
}

void Deparser::write_aggregate(const Expr& e) {
  text += quote_identifier(e.aggregate != nullptr ? e.aggregate->name : e.function->name);
  text += '(';
  if (e.distinct) text += "DISTINCT ";
  if (e.args.empty() && e.aggregate != nullptr) {
    text += '*';
  } else {
    list(e.args, ", ");
  }
  for (size_t i = 0; i < e.order.size(); ++i) {
    text += i == 0 ? " ORDER BY " : ", ";
    write(*e.order[i].expr, true);
    if (e.order[i].descending) text += " DESC";
    if (e.order[i].nulls_first != e.order[i].descending) {
      text += e.order[i].nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
  }
  text += ')';
  if (e.filter == nullptr) return;
  text += " FILTER (WHERE ";
  write(*e.filter, false);
  text += ')';
}

}  // namespace

std::string deparse(const Expr& expr, const EvalContext& context, const DeparseOptions& options) {
  Deparser deparser(context, options);
  deparser.write(expr, false);
  return std::move(deparser.text);
}

}  // namespace cofork
