// Regular expressions over Boost.Regex. See regex.h.
#include "types/regex.h"

#include <algorithm>
#include <boost/regex.hpp>
#include <locale>

#include "support/error.h"
#include "types/text.h"

namespace cofork {

RegexFlags parse_regex_flags(std::string_view flags) {
  RegexFlags out;
  for (char c : flags) {
    switch (c) {
      case 'g':
        out.global = true;
        break;
      case 'i':
        out.ignore_case = true;
        break;
      case 'c':
        out.ignore_case = false;
        break;
      case 'q':
        out.literal = true;
        break;
      case 'x':
        out.expanded = true;
        break;
      case 't':
        out.expanded = false;
        break;
      case 'n':
      case 'm':
        out.newline_stops_dot = out.newline_splits_lines = true;
        break;
      case 'p':
        out.newline_stops_dot = true;
        break;
      case 'w':
        out.newline_splits_lines = true;
        break;
      case 's':
        out.newline_stops_dot = out.newline_splits_lines = false;
        break;
      case 'a':
      case 'b':
      case 'e':
        break;
      default:
        throw Error(sqlstate::kInvalidParameterValue, "invalid regular expression option: \"{}\"",
                    c);
    }
  }
  return out;
}

namespace {

[[noreturn]] void throw_invalid(std::string_view why) {
  throw Error(sqlstate::kInvalidRegularExpression, "invalid regular expression: {}", why);
}

/// PostgreSQL's words for what can be wrong (regerrs.h).
std::string_view reason(boost::regex_constants::error_type code) {
  switch (code) {
    case boost::regex_constants::error_collate:
      return "invalid collating element";
    case boost::regex_constants::error_ctype:
      return "invalid character class";
    case boost::regex_constants::error_escape:
      return "invalid escape \\ sequence";
    case boost::regex_constants::error_backref:
      return "invalid backreference number";
    case boost::regex_constants::error_brack:
      return "brackets [] not balanced";
    case boost::regex_constants::error_paren:
      return "parentheses () not balanced";
    case boost::regex_constants::error_brace:
      return "braces {} not balanced";
    case boost::regex_constants::error_badbrace:
      return "invalid repetition count(s)";
    case boost::regex_constants::error_range:
      return "invalid character range";
    case boost::regex_constants::error_space:
      return "out of memory";
    case boost::regex_constants::error_badrepeat:
      return "quantifier operand invalid";
    case boost::regex_constants::error_complexity:
    case boost::regex_constants::error_stack:
      return "regular expression is too complex";
    default:
      return "invalid argument to regex function";
  }
}

/// Letters and digits of all of Unicode, where the system has its tables; else of ASCII.
const std::locale& regex_locale() {
  static const std::locale locale = [] {
    try {
      return std::locale("C.UTF-8");
    } catch (const std::runtime_error&) {
      return std::locale::classic();
    }
  }();
  return locale;
}

std::wstring to_wide(std::string_view text) {
  std::wstring wide;
  wide.reserve(text.size());
  while (!text.empty()) wide += static_cast<wchar_t>(utf8_take(text));
  return wide;
}

/// What the pattern asks for besides itself: "(?i)", "***=" and the like at its front.
void take_prefixes(std::string_view& pattern, RegexFlags& flags) {
  if (pattern.starts_with("***=")) {
    flags.literal = true;
    pattern.remove_prefix(4);
    return;
  }
  if (pattern.starts_with("***:")) pattern.remove_prefix(4);
  if (!pattern.starts_with("(?")) return;
  size_t end = pattern.find_first_not_of("abceimnpqstwx", 2);
  if (end == std::string_view::npos || end == 2 || pattern[end] != ')') return;
  RegexFlags more = parse_regex_flags(pattern.substr(2, end - 2));
  flags.ignore_case |= more.ignore_case;
  flags.literal |= more.literal;
  flags.expanded |= more.expanded;
  flags.newline_stops_dot |= more.newline_stops_dot;
  flags.newline_splits_lines |= more.newline_splits_lines;
  pattern.remove_prefix(end + 1);
}

/// The pattern in Boost's spelling, and whether it has a non-greedy quantifier.
class Translator {
 public:
  explicit Translator(std::wstring_view pattern) : rest_(pattern) {}

  std::wstring run() {
    while (!rest_.empty()) {
      wchar_t c = take();
      if (c == L'\\') {
        escape();
      } else if (c == L'[') {
        bracket();
      } else {
        out_ += c;
        bool quantifier = c == L'*' || c == L'+' || c == L'?' || c == L'}';
        bool group_opening = c == L'?' && out_.size() >= 2 && out_[out_.size() - 2] == L'(';
        if (quantifier && !group_opening && rest_.starts_with(L'?')) non_greedy_ = true;
        if (quantifier && !group_opening && rest_.starts_with(L'+'))
          throw_invalid("quantifier operand invalid");
      }
    }
    return std::move(out_);
  }
  bool non_greedy() const { return non_greedy_; }

 private:
  wchar_t take() {
    wchar_t c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  void escape() {
    if (rest_.empty()) throw_invalid("invalid escape \\ sequence");
    wchar_t c = take();
    switch (c) {
      case L'm':
        out_ += L"\\<";
        break;
      case L'M':
        out_ += L"\\>";
        break;
      case L'y':
        out_ += L"\\b";
        break;
      case L'Y':
        out_ += L"\\B";
        break;
      case L'Z':
        out_ += L"\\z";
        break;
      case L'<':
      case L'>':
      case L'`':
      case L'\'':
        out_ += c;  // plain characters there, anchors to Boost
        break;
      default:
        out_ += L'\\';
        out_ += c;
    }
  }

  /// A bracket expression, whole: a backslash inside keeps its meaning.
  void bracket() {
    out_ += L'[';
    if (rest_.starts_with(L'^')) out_ += take();
    if (rest_.starts_with(L']')) {
      out_ += L"\\]";
      take();
    }
    while (!rest_.empty() && rest_[0] != L']') {
      wchar_t c = take();
      if (c == L'[' && !rest_.empty() &&
          (rest_[0] == L':' || rest_[0] == L'.' || rest_[0] == L'=')) {
        wchar_t kind = rest_[0];
        out_ += L'[';
        do {
          out_ += take();
        } while (!rest_.empty() &&
                 !(out_.back() == kind && rest_[0] == L']' && out_[out_.size() - 2] != L'['));
        if (!rest_.empty()) out_ += take();
      } else if (c == L'[') {
        out_ += L"\\[";
      } else {
        out_ += c;
        if (c == L'\\' && !rest_.empty()) out_ += take();
      }
    }
    if (rest_.empty()) throw_invalid("brackets [] not balanced");
    out_ += take();
  }

  std::wstring_view rest_;
  std::wstring out_;
  bool non_greedy_ = false;
};

}  // namespace

struct Regex::Compiled {
  boost::wregex regex;
  boost::regex_constants::match_flag_type match_flags = boost::regex_constants::match_default;
  int groups = 0;
};

Regex::Regex(std::string_view pattern, RegexFlags flags) : compiled_(std::make_unique<Compiled>()) {
  take_prefixes(pattern, flags);
  boost::regex_constants::syntax_option_type syntax = boost::regex_constants::perl;
  std::wstring text = to_wide(pattern);
  bool longest = true;
  if (flags.literal) {
    syntax = boost::regex_constants::literal;
  } else {
    Translator translator(text);
    text = translator.run();
    longest = !translator.non_greedy();
    syntax |= flags.newline_splits_lines ? boost::regex_constants::perl
                                         : boost::regex_constants::no_mod_m;
    if (flags.expanded) syntax |= boost::regex_constants::mod_x;
    syntax |=
        flags.newline_stops_dot ? boost::regex_constants::no_mod_s : boost::regex_constants::mod_s;
  }
  if (flags.ignore_case) syntax |= boost::regex_constants::icase;
  std::optional<boost::regex_constants::error_type> failure;
  try {
    compiled_->regex.imbue(regex_locale());
    compiled_->regex.assign(text, syntax);
  } catch (const boost::regex_error& error) {
    failure = error.code();
  }
  if (failure) throw_invalid(reason(*failure));
  if (longest) compiled_->match_flags |= boost::regex_constants::match_posix;
  compiled_->groups = static_cast<int>(compiled_->regex.mark_count());
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

int Regex::groups() const {
  return compiled_->groups;
}

bool Regex::search(std::string_view text, size_t start, std::vector<RegexSpan>& spans) const {
  const std::wstring wide = to_wide(text);
  size_t wide_start = utf8_length(text.substr(0, start));
  boost::wcmatch match;
  auto flags = compiled_->match_flags;
  if (wide_start > 0) flags |= boost::regex_constants::match_prev_avail;
  bool too_complex = false, found = false;
  try {
    found = boost::regex_search(wide.data() + wide_start, wide.data() + wide.size(), match,
                                compiled_->regex, flags, wide.data());
  } catch (const std::runtime_error&) {
    too_complex = true;
  }
  if (too_complex) {
    throw Error(sqlstate::kInvalidRegularExpression, "regular expression failed: {}",
                "regular expression is too complex");
  }
  if (!found) return false;
  // Offsets go back to bytes in one pass: an ASCII text has them for nothing.
  auto to_bytes = [&](size_t character) {
    return wide.size() == text.size() ? character : utf8_offset(text, character);
  };
  spans.assign(match.size(), {});
  for (size_t i = 0; i < match.size(); ++i) {
    if (!match[i].matched) continue;
    spans[i] = {to_bytes(static_cast<size_t>(match[i].first - wide.data())),
                to_bytes(static_cast<size_t>(match[i].second - wide.data())), true};
  }
  return true;
}

const Regex* RegexCache::find(std::string_view pattern, RegexFlags flags) {
  auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.pattern == pattern && entry.flags == flags;
  });
  if (found == entries_.end()) return nullptr;
  std::rotate(entries_.begin(), found, found + 1);
  return &entries_.front().regex;
}

const Regex* RegexCache::compile(std::string_view pattern, RegexFlags flags) {
  Regex regex(pattern, flags);
  if (entries_.size() == kMost) entries_.pop_back();
  entries_.insert(entries_.begin(), Entry{std::string(pattern), flags, std::move(regex)});
  return &entries_.front().regex;
}

std::string similar_to_regex(std::string_view pattern, std::string_view escape) {
  if (utf8_length(escape) > 1) {
    throw Error(sqlstate::kInvalidEscapeSequence, "invalid escape string")
        .hint("Escape string must be empty or one character.");
  }
  std::string out = "^(?:";
  bool in_bracket = false;
  int separators = 0;
  while (!pattern.empty()) {
    std::string_view character = pattern.substr(0, utf8_char_bytes(pattern[0]));
    pattern.remove_prefix(character.size());
    char c = character.size() == 1 ? character[0] : '\0';
    if (!escape.empty() && character == escape) {
      if (pattern.starts_with('"') && !in_bracket) {
        // escape-double-quote separates the parts of substring(… SIMILAR … ESCAPE …).
        pattern.remove_prefix(1);
        out += ++separators == 1 ? "){1,1}?(" : "){1,1}(?:";
        if (separators > 2) {
          throw Error(sqlstate::kInvalidUseOfEscapeCharacter,
                      "SQL regular expression may not contain more than two escape-double-quote "
                      "separators");
        }
        continue;
      }
      if (pattern.empty()) {
        out += '\\';
        continue;
      }
      std::string_view escaped = pattern.substr(0, utf8_char_bytes(pattern[0]));
      pattern.remove_prefix(escaped.size());
      out.append("\\").append(escaped);
    } else if (in_bracket) {
      if (c == '\\') out += '\\';
      out += character;
      in_bracket = c != ']';
    } else if (c == '[') {
      out += c;
      in_bracket = true;
    } else if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += '.';
    } else if (c == '(') {
      out += "(?:";
    } else {
      if (c == '\\' || c == '.' || c == '^' || c == '$') out += '\\';
      out += character;
    }
  }
  return out + ")$";
}

}  // namespace cofork
