// concat(), format(), quoting, string_to_array and array_to_string: text of values of any type.
#include <algorithm>
#include <vector>

#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/scalar.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

/// The arguments of a VARIADIC "any" function from number `first` on.
struct AnyArguments {
  std::vector<Datum> values;
  std::vector<bool> nulls;
  std::vector<Oid> types;

  AnyArguments(FunctionCall& call, int first) {
    for (int i = first; i < call.count; ++i) {
      values.push_back(call.args[i]);
      nulls.push_back(call.nulls[i]);
      types.push_back(call.arg_types[i]);
    }
  }
  size_t size() const { return values.size(); }
  void append_text(EvalContext& context, size_t i, std::string& out) const {
    // concat and format show bool as its output function does: t and f.
    element_type_of(types[i]).to_text(context, values[i], out);
  }
};

std::string concat_all(FunctionCall& call, const AnyArguments& args, std::string_view separator) {
  std::string out;
  bool first = true;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args.nulls[i]) continue;
    if (!first) out += separator;
    first = false;
    args.append_text(call.context, i, out);
  }
  return out;
}

Datum concat(FunctionCall& call) {
  return varlena_from(call.arena(), concat_all(call, AnyArguments(call, 0), ""));
}
Datum concat_with(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  return varlena_from(call.arena(),
                      concat_all(call, AnyArguments(call, 1), varlena_view(call.args[0])));
}

// text || any and any || text.
std::string text_and_any(FunctionCall& call, Datum text, Datum value, int value_at) {
  std::string out(varlena_view(text));
  element_type_of(call.arg_types[value_at]).to_text(call.context, value, out);
  return out;
}
std::string append_any(FunctionCall& call, Datum text, Datum value) {
  return text_and_any(call, text, value, 1);
}
std::string prepend_any(FunctionCall& call, Datum value, Datum text) {
  std::string out;
  element_type_of(call.arg_types[0]).to_text(call.context, value, out);
  return out.append(varlena_view(text));
}

std::string quote_literal_text(std::string_view text) {
  bool backslash = text.find('\\') != std::string_view::npos;
  std::string out = backslash ? "E'" : "'";
  for (char c : text) out.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return out + '\'';
}
std::string quote_ident(std::string_view text) {
  return quote_identifier(text);
}
std::string quote_literal(std::string_view text) {
  return quote_literal_text(text);
}
std::string quote_literal_of_any(FunctionCall& call, Datum value) {
  std::string text;
  element_type_of(call.arg_types[0]).to_text(call.context, value, text);
  return quote_literal_text(text);
}
Datum quote_nullable(FunctionCall& call) {
  if (call.nulls[0]) return varlena_from(call.arena(), "NULL");
  return varlena_from(call.arena(), quote_literal_text(varlena_view(call.args[0])));
}
Datum quote_nullable_any(FunctionCall& call) {
  if (call.nulls[0]) return varlena_from(call.arena(), "NULL");
  return varlena_from(call.arena(), quote_literal_of_any(call, call.args[0]));
}

/// format(): %[position$][-][width]type with type s, I, L or %.
class Formatter {
 public:
  explicit Formatter(FunctionCall& call)
      : call_(call), args_(call, 1), rest_(varlena_view(call.args[0])) {}

  std::string run() {
    while (!rest_.empty()) {
      char c = take();
      if (c != '%') {
        out_ += c;
      } else if (rest_.empty()) {
        throw unterminated();
      } else if (rest_[0] == '%') {
        out_ += take();
      } else {
        directive();
      }
    }
    return std::move(out_);
  }

 private:
  static Error unterminated() {
    return Error(sqlstate::kInvalidParameterValue, "unterminated format() type specifier")
        .hint("For a single \"%\" use \"%%\".");
  }
  char take() {
    char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  bool take_if(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  int take_number() {
    int64_t number = 0;
    while (!rest_.empty() && is_digit(rest_[0])) {
      number = number * 10 + (take() - '0');
      if (number > INT32_MAX) {
        throw Error(sqlstate::kNumericValueOutOfRange, "number is out of range");
      }
    }
    return static_cast<int>(number);
  }

  void directive() {
    int position = 0, width = 0;
    bool left = false;
    if (!rest_.empty() && is_digit(rest_[0])) {
      int number = take_number();
      if (take_if('$')) {
        if (number == 0) {
          throw Error(sqlstate::kInvalidParameterValue,
                      "format specifies argument 0, but arguments are numbered from 1");
        }
        position = number;
      } else {
        width = number;
      }
    }
    if (width == 0) {
      while (take_if('-')) left = true;
      if (take_if('*')) {
        width = width_argument();
      } else {
        width = take_number();
      }
    }
    if (width < 0) {
      left = true;
      width = -width;
    }
    if (rest_.empty()) throw unterminated();
    std::string_view type = rest_.substr(0, utf8_char_bytes(rest_[0]));
    rest_.remove_prefix(type.size());
    if (type != "s" && type != "I" && type != "L") {
      throw Error(sqlstate::kInvalidParameterValue, "unrecognized format() type specifier \"{}\"",
                  type)
          .hint("For a single \"%\" use \"%%\".");
    }
    append_padded(value_text(argument(position), type[0]), width, left);
  }

  size_t argument(int position) {
    if (position > 0) next_ = static_cast<size_t>(position) - 1;
    if (next_ >= args_.size()) {
      throw Error(sqlstate::kInvalidParameterValue, "too few arguments for format()");
    }
    return next_++;
  }

  int width_argument() {
    int position = 0;
    if (!rest_.empty() && is_digit(rest_[0])) {
      position = take_number();
      if (!take_if('$')) {
        throw Error(sqlstate::kInvalidParameterValue,
                    "width argument position must be ended by \"$\"");
      }
    }
    size_t i = argument(position);
    if (args_.nulls[i]) return 0;
    std::string text;
    args_.append_text(call_.context, i, text);
    return parse_int4(text);
  }

  std::string value_text(size_t i, char type) {
    if (args_.nulls[i]) {
      if (type == 'I') {
        throw Error(sqlstate::kNullValueNotAllowed,
                    "null values cannot be formatted as an SQL identifier");
      }
      return type == 'L' ? "NULL" : "";
    }
    std::string text;
    args_.append_text(call_.context, i, text);
    return type == 'I' ? quote_identifier(text) : type == 'L' ? quote_literal_text(text) : text;
  }

  void append_padded(const std::string& text, int width, bool left) {
    size_t length = utf8_length(text);
    size_t padding = length < static_cast<size_t>(width) ? static_cast<size_t>(width) - length : 0;
    if (!left) out_.append(padding, ' ');
    out_ += text;
    if (left) out_.append(padding, ' ');
  }

  FunctionCall& call_;
  AnyArguments args_;
  std::string_view rest_;
  size_t next_ = 0;
  std::string out_;
};

Datum format(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  return varlena_from(call.arena(), Formatter(call).run());
}

/// The pieces of a text between delimiters; no delimiter (NULL): its characters; an empty one: the
/// whole text.
std::vector<std::string_view> split(std::string_view text, const std::string_view* delimiter) {
  std::vector<std::string_view> pieces;
  if (text.empty()) return pieces;
  if (delimiter == nullptr) {
    for (; !text.empty(); text.remove_prefix(pieces.back().size())) {
      pieces.push_back(text.substr(0, utf8_char_bytes(text[0])));
    }
    return pieces;
  }
  if (!delimiter->empty()) {
    for (size_t at; (at = text.find(*delimiter)) != std::string_view::npos;) {
      pieces.push_back(text.substr(0, at));
      text.remove_prefix(at + delimiter->size());
    }
  }
  pieces.push_back(text);
  return pieces;
}

std::vector<std::string_view> split_arguments(const FunctionCall& call) {
  std::string_view delimiter;
  if (!call.nulls[1]) delimiter = varlena_view(call.args[1]);
  return split(varlena_view(call.args[0]), call.nulls[1] ? nullptr : &delimiter);
}
bool is_null_string(const FunctionCall& call, std::string_view piece) {
  return call.count > 2 && !call.nulls[2] && varlena_view(call.args[2]) == piece;
}

Datum string_to_array(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  std::vector<std::string_view> pieces = split_arguments(call);
  std::vector<Datum> values;
  auto nulls = std::make_unique<bool[]>(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    nulls[i] = is_null_string(call, pieces[i]);
    values.push_back(nulls[i] ? 0 : varlena_from(call.arena(), pieces[i]));
  }
  return build_array(call.arena(), kText, layout_of(*find_type(kText)),
                     ArrayShape::one_dimension(static_cast<int>(pieces.size())), values,
                     nulls.get());
}

bool string_to_table(SetCall& set) {
  struct State {
    std::string_view* pieces;
    size_t count;
    size_t next;
  };
  const FunctionCall& call = set.call;
  auto* state = static_cast<State*>(set.state);
  if (state == nullptr) {
    std::vector<std::string_view> pieces;
    if (!call.nulls[0]) pieces = split_arguments(call);
    auto* kept = set.state_arena.make_array<std::string_view>(pieces.size());
    for (size_t i = 0; i < pieces.size(); ++i) kept[i] = set.state_arena.copy(pieces[i]);
    state = set.state_arena.make<State>(kept, pieces.size(), size_t{0});
    set.state = state;
  }
  if (state->next == state->count) return false;
  std::string_view piece = state->pieces[state->next++];
  set.nulls[0] = is_null_string(call, piece);
  if (!set.nulls[0]) set.values[0] = varlena_from(call.arena(), piece);
  return true;
}

Datum array_to_string(FunctionCall& call) {
  if (call.nulls[0] || call.nulls[1]) return call.null();
  ArrayView array(call.args[0]);
  const BuiltinType& element = element_type_of(array.element_type());
  ArrayReader reader(array, layout_of(element));
  std::string_view delimiter = varlena_view(call.args[1]);
  bool shows_null = call.count > 2 && !call.nulls[2];
  std::string out;
  bool first = true, is_null;
  Datum value;
  while (reader.next(value, is_null)) {
    if (is_null && !shows_null) continue;
    if (!first) out += delimiter;
    first = false;
    if (is_null) {
      out += varlena_view(call.args[2]);
    } else {
      element.to_text(call.context, value, out);
    }
  }
  return varlena_from(call.arena(), out);
}

constexpr BuiltinFunction kRows[] = {
    BuiltinFunction{3058, "concat", kText, {kAny}, concat}.on_null().stable().variadic_of(kAny),
    BuiltinFunction{3059, "concat_ws", kText, {kText, kAny}, concat_with}
        .on_null()
        .stable()
        .variadic_of(kAny),
    BuiltinFunction{3539, "format", kText, {kText, kAny}, format}.on_null().stable().variadic_of(
        kAny),
    BuiltinFunction{3540, "format", kText, {kText}, format}.on_null().stable(),
    BuiltinFunction{2003, "textanycat", kText, {kText, kAnyNonArray}, fn<append_any>}.stable(),
    BuiltinFunction{2004, "anytextcat", kText, {kAnyNonArray, kText}, fn<prepend_any>}.stable(),
    {1282, "quote_ident", kText, {kText}, fn<quote_ident>},
    {1283, "quote_literal", kText, {kText}, fn<quote_literal>},
    BuiltinFunction{1285, "quote_literal", kText, {kAnyElement}, fn<quote_literal_of_any>}.stable(),
    BuiltinFunction{1289, "quote_nullable", kText, {kText}, quote_nullable}.on_null(),
    BuiltinFunction{1290, "quote_nullable", kText, {kAnyElement}, quote_nullable_any}
        .on_null()
        .stable(),
    BuiltinFunction{394, "string_to_array", kTextArray, {kText, kText}, string_to_array}.on_null(),
    BuiltinFunction{376, "string_to_array", kTextArray, {kText, kText, kText}, string_to_array}
        .on_null(),
    BuiltinFunction{6160, "string_to_table", kText, {kText, kText}, nullptr, string_to_table}
        .on_null(),
    BuiltinFunction{6161, "string_to_table", kText, {kText, kText, kText}, nullptr, string_to_table}
        .on_null(),
    BuiltinFunction{395, "array_to_string", kText, {kAnyArray, kText}, array_to_string}.stable(),
    BuiltinFunction{384, "array_to_string", kText, {kAnyArray, kText, kText}, array_to_string}
        .on_null()
        .stable(),
};

}  // namespace

constinit const std::span<const BuiltinFunction> kTextFormatFunctions = kRows;

}  // namespace cofork
