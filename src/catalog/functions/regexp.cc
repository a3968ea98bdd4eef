// ~, SIMILAR TO and the regexp_ functions. As regexp.c, PostgreSQL 15.
#include <algorithm>

#include "catalog/array_access.h"
#include "catalog/array_element.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "model/stack.h"
#include "support/error.h"
#include "types/regex.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

// Boost compiles by recursion, up to some hundred frames for nested groups, and a match recurses
// for lookahead: more than a fiber's own stack may hold.
constexpr size_t kCompileStackBytes = size_t{1} << 20;
constexpr size_t kMatchStackBytes = size_t{128} << 10;

/// A compiled pattern: the session's, or one of this call alone.
class Pattern {
 public:
  Pattern(EvalContext& context, std::string_view pattern, RegexFlags flags) {
    RegexCache* cache = context.regex_cache;
    regex_ = cache != nullptr ? cache->find(pattern, flags) : nullptr;
    if (regex_ != nullptr) return;
    run_with_stack(kCompileStackBytes, [&] {
      regex_ = cache != nullptr ? cache->compile(pattern, flags) : &own_.emplace(pattern, flags);
    });
  }
  int groups() const { return regex_->groups(); }
  bool search(std::string_view text, size_t start, std::vector<RegexSpan>& spans) const {
    bool found = false;
    run_with_stack(kMatchStackBytes, [&] { found = regex_->search(text, start, spans); });
    return found;
  }

 private:
  std::optional<Regex> own_;
  const Regex* regex_;
};

bool matches(EvalContext& context, std::string_view text, std::string_view pattern,
             bool ignore_case = false) {
  std::vector<RegexSpan> spans;
  RegexFlags flags;
  flags.ignore_case = ignore_case;
  return Pattern(context, pattern, flags).search(text, 0, spans);
}
bool match(EvalContext& c, std::string_view text, std::string_view pattern) {
  return matches(c, text, pattern);
}
bool no_match(EvalContext& c, std::string_view text, std::string_view pattern) {
  return !matches(c, text, pattern);
}
bool imatch(EvalContext& c, std::string_view text, std::string_view pattern) {
  return matches(c, text, pattern, true);
}
bool no_imatch(EvalContext& c, std::string_view text, std::string_view pattern) {
  return !matches(c, text, pattern, true);
}
bool name_match(EvalContext& c, Name name, std::string_view pattern) {
  return matches(c, name.text, pattern);
}
bool name_no_match(EvalContext& c, Name name, std::string_view pattern) {
  return !matches(c, name.text, pattern);
}
bool name_imatch(EvalContext& c, Name name, std::string_view pattern) {
  return matches(c, name.text, pattern, true);
}
bool name_no_imatch(EvalContext& c, Name name, std::string_view pattern) {
  return !matches(c, name.text, pattern, true);
}

std::string similar_to(std::string_view pattern) {
  return similar_to_regex(pattern, "\\");
}
std::string similar_to_with(std::string_view pattern, std::string_view escape) {
  return similar_to_regex(pattern, escape);
}
/// similar_escape, which old views use: a NULL escape means the default one.
Datum similar_escape(FunctionCall& call) {
  if (call.nulls[0]) return call.null();
  std::string_view escape = call.nulls[1] ? "\\" : varlena_view(call.args[1]);
  return varlena_from(call.arena(), similar_to_regex(varlena_view(call.args[0]), escape));
}

[[noreturn]] void throw_bad_argument(const char* name, int value) {
  throw Error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": {}", name,
              value);
}
RegexFlags flags_without_global(std::string_view text, const char* function) {
  RegexFlags flags = parse_regex_flags(text);
  if (flags.global) {
    throw Error(sqlstate::kInvalidParameterValue, "{} does not support the \"global\" option",
                function);
  }
  return flags;
}

/// All matches from a character position on, as many as wanted.
class MatchIterator {
 public:
  MatchIterator(EvalContext& context, std::string_view text, std::string_view pattern,
                RegexFlags flags, int32_t start = 1)
      : pattern_(context, pattern, flags),
        text_(text),
        at_(utf8_offset(text, static_cast<size_t>(start - 1))),
        ended_(start > 1 && static_cast<size_t>(start - 1) > utf8_length(text)) {}

  bool next() {
    if (ended_ || !pattern_.search(text_, at_, spans)) {
      ended_ = true;
      return false;
    }
    // After an empty match the search goes on one character further.
    at_ = spans[0].end;
    if (spans[0].begin == spans[0].end) {
      ended_ = at_ >= text_.size();
      if (!ended_) at_ += utf8_char_bytes(text_[at_]);
    }
    return true;
  }
  int groups() const { return pattern_.groups(); }
  std::string_view text_of(size_t group) const {
    return text_.substr(spans[group].begin, spans[group].end - spans[group].begin);
  }

  std::vector<RegexSpan> spans;

 private:
  Pattern pattern_;
  std::string_view text_;
  size_t at_;
  bool ended_;
};

/// Replaces the n-th match, or all from the first on (n = 0). \1 … \9 and \& stand for groups.
std::string replace(EvalContext& context, std::string_view text, std::string_view pattern,
                    std::string_view replacement, RegexFlags flags, int32_t start, int32_t n) {
  std::string out;
  size_t copied = 0;
  int32_t count = 0;
  for (MatchIterator it(context, text, pattern, flags, start); it.next();) {
    if (n > 0 && ++count != n) continue;
    out += text.substr(copied, it.spans[0].begin - copied);
    for (size_t i = 0; i < replacement.size(); ++i) {
      char c = replacement[i];
      if (c != '\\' || i + 1 == replacement.size()) {
        out += c;
        continue;
      }
      char next = replacement[++i];
      size_t group = next == '&' ? 0 : static_cast<size_t>(next - '0');
      if (next == '&' || (is_digit(next) && next != '0')) {
        if (group < it.spans.size() && it.spans[group].matched) out += it.text_of(group);
      } else {
        if (next != '\\') out += '\\';
        out += next;
      }
    }
    copied = it.spans[0].end;
    if (n > 0) break;
  }
  return out.append(text.substr(copied));
}
std::string replace_first(EvalContext& c, std::string_view text, std::string_view pattern,
                          std::string_view to) {
  return replace(c, text, pattern, to, {}, 1, 1);
}
std::string replace_flags(EvalContext& c, std::string_view text, std::string_view pattern,
                          std::string_view to, std::string_view flags) {
  if (!flags.empty() && is_digit(flags[0])) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid regular expression option: \"{}\"",
                flags.substr(0, 1))
        .hint(
            "If you meant to use regexp_replace() with a start parameter, cast the fourth argument "
            "to integer explicitly.");
  }
  RegexFlags parsed = parse_regex_flags(flags);
  return replace(c, text, pattern, to, parsed, 1, parsed.global ? 0 : 1);
}
std::string replace_from(EvalContext& c, std::string_view text, std::string_view pattern,
                         std::string_view to, int32_t start, int32_t n, std::string_view flags) {
  if (start <= 0) throw_bad_argument("start", start);
  if (n < 0) throw_bad_argument("n", n);
  return replace(c, text, pattern, to, parse_regex_flags(flags), start, n);
}
std::string replace_from_n(EvalContext& c, std::string_view text, std::string_view pattern,
                           std::string_view to, int32_t start, int32_t n) {
  return replace_from(c, text, pattern, to, start, n, "");
}
std::string replace_from_start(EvalContext& c, std::string_view text, std::string_view pattern,
                               std::string_view to, int32_t start) {
  return replace_from(c, text, pattern, to, start, 1, "");
}

/// The groups of a match, or the whole match when there are none, as text[].
Datum groups_of(Arena& arena, const MatchIterator& it) {
  int groups = it.groups();
  ArrayElements elements = make_elements(arena, std::max(groups, 1));
  for (int i = 0; i < elements.count; ++i) {
    auto group = static_cast<size_t>(groups > 0 ? i + 1 : 0);
    elements.nulls[i] = !it.spans[group].matched;
    if (!elements.nulls[i]) elements.values[i] = varlena_from(arena, it.text_of(group));
  }
  return make_array(arena, kText, ArrayShape::one_dimension(elements.count), elements);
}
std::optional<Datum> first_match(EvalContext& c, std::string_view text, std::string_view pattern,
                                 RegexFlags flags) {
  MatchIterator it(c, text, pattern, flags);
  if (!it.next()) return std::nullopt;
  return groups_of(*c.arena, it);
}
std::optional<Datum> regexp_match(EvalContext& c, std::string_view text, std::string_view pattern) {
  return first_match(c, text, pattern, {});
}
std::optional<Datum> regexp_match_flags(EvalContext& c, std::string_view text,
                                        std::string_view pattern, std::string_view flags) {
  RegexFlags parsed = parse_regex_flags(flags);
  if (parsed.global) {
    throw Error(sqlstate::kInvalidParameterValue,
                "regexp_match() does not support the \"global\" option")
        .hint("Use the regexp_matches function instead.");
  }
  return first_match(c, text, pattern, parsed);
}

/// Rows made at once and given out one by one.
struct Rows {
  Datum* values;
  size_t count;
  size_t next;
};
bool next_of(SetCall& set, Rows* rows) {
  if (rows->next == rows->count) return false;
  set.values[0] = rows->values[rows->next++];
  return true;
}
Rows* keep_rows(SetCall& set, const std::vector<Datum>& values) {
  auto* kept = set.state_arena.make_array<Datum>(values.size());
  std::copy(values.begin(), values.end(), kept);
  auto* rows = set.state_arena.make<Rows>(kept, values.size(), size_t{0});
  set.state = rows;
  return rows;
}
RegexFlags flags_argument(const FunctionCall& call) {
  return call.count > 2 ? parse_regex_flags(varlena_view(call.args[2])) : RegexFlags{};
}

bool regexp_matches(SetCall& set) {
  if (set.state != nullptr) return next_of(set, static_cast<Rows*>(set.state));
  const FunctionCall& call = set.call;
  RegexFlags flags = flags_argument(call);
  std::vector<Datum> found;
  for (MatchIterator it(call.context, varlena_view(call.args[0]), varlena_view(call.args[1]),
                        flags);
       it.next();) {
    found.push_back(groups_of(set.state_arena, it));
    if (!flags.global) break;
  }
  return next_of(set, keep_rows(set, found));
}

/// The pieces between matches; empty matches at the ends split nothing.
std::vector<std::string_view> split(const FunctionCall& call, const char* function) {
  std::string_view text = varlena_view(call.args[0]);
  RegexFlags flags =
      call.count > 2 ? flags_without_global(varlena_view(call.args[2]), function) : RegexFlags{};
  std::vector<std::string_view> pieces;
  size_t start = 0;
  for (MatchIterator it(call.context, text, varlena_view(call.args[1]), flags); it.next();) {
    size_t begin = it.spans[0].begin, end = it.spans[0].end;
    if (begin == end && (begin == start || begin >= text.size())) continue;
    pieces.push_back(text.substr(start, begin - start));
    start = end;
  }
  pieces.push_back(text.substr(start));
  return pieces;
}
Datum split_to_array(FunctionCall& call) {
  std::vector<std::string_view> pieces = split(call, "regexp_split_to_array()");
  ArrayElements elements = make_elements(call.arena(), static_cast<int>(pieces.size()));
  for (size_t i = 0; i < pieces.size(); ++i)
    elements.values[i] = varlena_from(call.arena(), pieces[i]);
  return make_array(call.arena(), kText, ArrayShape::one_dimension(elements.count), elements);
}
bool split_to_table(SetCall& set) {
  if (set.state != nullptr) return next_of(set, static_cast<Rows*>(set.state));
  std::vector<Datum> values;
  for (std::string_view piece : split(set.call, "regexp_split_to_table()")) {
    values.push_back(varlena_from(set.state_arena, piece));
  }
  return next_of(set, keep_rows(set, values));
}

/// substring(text from pattern): the first group, or the whole match.
std::optional<std::string> substring(EvalContext& c, std::string_view text,
                                     std::string_view pattern) {
  MatchIterator it(c, text, pattern, {});
  if (!it.next()) return std::nullopt;
  size_t group = it.groups() > 0 ? 1 : 0;
  if (!it.spans[group].matched) return std::nullopt;
  return std::string(it.text_of(group));
}
std::optional<std::string> substring_similar(EvalContext& c, std::string_view text,
                                             std::string_view pattern, std::string_view escape) {
  return substring(c, text, similar_to_regex(pattern, escape));
}

// regexp_count, _instr, _like, _substr: trailing arguments may be left out.
int32_t integer_argument(const FunctionCall& call, int i, int32_t otherwise) {
  return call.count > i ? datum_to_int32(call.args[i]) : otherwise;
}
std::string_view text_argument(const FunctionCall& call, int i) {
  return call.count > i ? varlena_view(call.args[i]) : std::string_view();
}
int32_t start_argument(const FunctionCall& call) {
  int32_t start = integer_argument(call, 2, 1);
  if (start <= 0) throw_bad_argument("start", start);
  return start;
}

Datum regexp_count(FunctionCall& call) {
  RegexFlags flags = flags_without_global(text_argument(call, 3), "regexp_count()");
  int32_t count = 0;
  MatchIterator it(call.context, varlena_view(call.args[0]), varlena_view(call.args[1]), flags,
                   start_argument(call));
  while (it.next()) ++count;
  return datum_from_int32(count);
}
Datum regexp_like(FunctionCall& call) {
  RegexFlags flags = flags_without_global(text_argument(call, 2), "regexp_like()");
  MatchIterator it(call.context, varlena_view(call.args[0]), varlena_view(call.args[1]), flags);
  return datum_from_bool(it.next());
}

/// Moves to match number n; false when there are fewer.
bool advance_to(MatchIterator& it, int32_t n) {
  while (n > 0 && it.next()) --n;
  return n == 0;
}
Datum regexp_instr(FunctionCall& call) {
  int32_t start = start_argument(call), n = integer_argument(call, 3, 1),
          end_option = integer_argument(call, 4, 0);
  if (n <= 0) throw_bad_argument("n", n);
  if (end_option != 0 && end_option != 1) throw_bad_argument("endoption", end_option);
  RegexFlags flags = flags_without_global(text_argument(call, 5), "regexp_instr()");
  int32_t group = integer_argument(call, 6, 0);
  if (group < 0) throw_bad_argument("subexpr", group);
  std::string_view text = varlena_view(call.args[0]);
  MatchIterator it(call.context, text, varlena_view(call.args[1]), flags, start);
  if (!advance_to(it, n) || group > it.groups() || !it.spans[static_cast<size_t>(group)].matched) {
    return datum_from_int32(0);
  }
  const RegexSpan& span = it.spans[static_cast<size_t>(group)];
  size_t at = end_option == 1 ? span.end : span.begin;
  return datum_from_int32(static_cast<int32_t>(utf8_length(text.substr(0, at))) + 1);
}
Datum regexp_substr(FunctionCall& call) {
  int32_t start = start_argument(call), n = integer_argument(call, 3, 1);
  if (n <= 0) throw_bad_argument("n", n);
  RegexFlags flags = flags_without_global(text_argument(call, 4), "regexp_substr()");
  int32_t group = integer_argument(call, 5, 0);
  if (group < 0) throw_bad_argument("subexpr", group);
  MatchIterator it(call.context, varlena_view(call.args[0]), varlena_view(call.args[1]), flags,
                   start);
  if (!advance_to(it, n) || group > it.groups() || !it.spans[static_cast<size_t>(group)].matched)
    return call.null();
  return varlena_from(call.arena(), it.text_of(static_cast<size_t>(group)));
}

constexpr BuiltinFunction kRows[] = {
    {1254, "textregexeq", kBool, {kText, kText}, fn<match>},
    {1658, "bpcharregexeq", kBool, {kBpchar, kText}, fn<match>},
    {1256, "textregexne", kBool, {kText, kText}, fn<no_match>},
    {1659, "bpcharregexne", kBool, {kBpchar, kText}, fn<no_match>},
    {1238, "texticregexeq", kBool, {kText, kText}, fn<imatch>},
    {1656, "bpcharicregexeq", kBool, {kBpchar, kText}, fn<imatch>},
    {1239, "texticregexne", kBool, {kText, kText}, fn<no_imatch>},
    {1657, "bpcharicregexne", kBool, {kBpchar, kText}, fn<no_imatch>},
    {79, "nameregexeq", kBool, {kName, kText}, fn<name_match>},
    {1252, "nameregexne", kBool, {kName, kText}, fn<name_no_match>},
    {1240, "nameicregexeq", kBool, {kName, kText}, fn<name_imatch>},
    {1241, "nameicregexne", kBool, {kName, kText}, fn<name_no_imatch>},
    {1987, "similar_to_escape", kText, {kText}, fn<similar_to>},
    {1986, "similar_to_escape", kText, {kText, kText}, fn<similar_to_with>},
    BuiltinFunction{1623, "similar_escape", kText, {kText, kText}, similar_escape}.on_null(),
    {2284, "regexp_replace", kText, {kText, kText, kText}, fn<replace_first>},
    {2285, "regexp_replace", kText, {kText, kText, kText, kText}, fn<replace_flags>},
    {6251, "regexp_replace", kText, {kText, kText, kText, kInt4, kInt4, kText}, fn<replace_from>},
    {6252, "regexp_replace", kText, {kText, kText, kText, kInt4, kInt4}, fn<replace_from_n>},
    {6253, "regexp_replace", kText, {kText, kText, kText, kInt4}, fn<replace_from_start>},
    {3396, "regexp_match", kTextArray, {kText, kText}, fn<regexp_match>},
    {3397, "regexp_match", kTextArray, {kText, kText, kText}, fn<regexp_match_flags>},
    {2763, "regexp_matches", kTextArray, {kText, kText}, nullptr, regexp_matches},
    {2764, "regexp_matches", kTextArray, {kText, kText, kText}, nullptr, regexp_matches},
    {2767, "regexp_split_to_array", kTextArray, {kText, kText}, split_to_array},
    {2768, "regexp_split_to_array", kTextArray, {kText, kText, kText}, split_to_array},
    {2765, "regexp_split_to_table", kText, {kText, kText}, nullptr, split_to_table},
    {2766, "regexp_split_to_table", kText, {kText, kText, kText}, nullptr, split_to_table},
    {2073, "substring", kText, {kText, kText}, fn<substring>},
    {2074, "substring", kText, {kText, kText, kText}, fn<substring_similar>},
    {6254, "regexp_count", kInt4, {kText, kText}, regexp_count},
    {6255, "regexp_count", kInt4, {kText, kText, kInt4}, regexp_count},
    {6256, "regexp_count", kInt4, {kText, kText, kInt4, kText}, regexp_count},
    {6263, "regexp_like", kBool, {kText, kText}, regexp_like},
    {6264, "regexp_like", kBool, {kText, kText, kText}, regexp_like},
    {6257, "regexp_instr", kInt4, {kText, kText}, regexp_instr},
    {6258, "regexp_instr", kInt4, {kText, kText, kInt4}, regexp_instr},
    {6259, "regexp_instr", kInt4, {kText, kText, kInt4, kInt4}, regexp_instr},
    {6260, "regexp_instr", kInt4, {kText, kText, kInt4, kInt4, kInt4}, regexp_instr},
    {6261, "regexp_instr", kInt4, {kText, kText, kInt4, kInt4, kInt4, kText}, regexp_instr},
    {6262, "regexp_instr", kInt4, {kText, kText, kInt4, kInt4, kInt4, kText, kInt4}, regexp_instr},
    {6265, "regexp_substr", kText, {kText, kText}, regexp_substr},
    {6266, "regexp_substr", kText, {kText, kText, kInt4}, regexp_substr},
    {6267, "regexp_substr", kText, {kText, kText, kInt4, kInt4}, regexp_substr},
    {6268, "regexp_substr", kText, {kText, kText, kInt4, kInt4, kText}, regexp_substr},
    {6269, "regexp_substr", kText, {kText, kText, kInt4, kInt4, kText, kInt4}, regexp_substr},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kRegexpFunctions = kRows;

}  // namespace cofork
