// Regular expressions: PostgreSQL's "advanced" ones, over Boost.Regex.
//
// The languages are near relatives: (?:…), lookahead, back references, \d \w \s, non-greedy
// quantifiers mean the same in both. Where they differ this file translates (\m, \M, \y, \A, \Z,
// *** prefixes) and chooses the rule for which match wins: the longest, as POSIX wants and
// PostgreSQL does, or the first found, when the pattern has non-greedy quantifiers.
//
// Patterns and texts are UTF-8 outside; offsets are bytes of the text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cofork {

/// What the flags argument of the regexp_ functions says; 2201B for anything else.
struct RegexFlags {
  bool ignore_case = false;
  bool global = false;  ///< g: the functions' own business
  bool literal = false;
  bool expanded = false;
  bool newline_stops_dot = false;     ///< n, m, p
  bool newline_splits_lines = false;  ///< n, m, w
  bool operator==(const RegexFlags&) const = default;
};
RegexFlags parse_regex_flags(std::string_view flags);

struct RegexSpan {
  size_t begin = 0;
  size_t end = 0;
  bool matched = false;
};

class Regex {
 public:
  /// 2201B "invalid regular expression: …".
  Regex(std::string_view pattern, RegexFlags flags);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  int groups() const;
  /// The first match at or after byte `start`; spans[0] is the whole, then one a group.
  bool search(std::string_view text, size_t start, std::vector<RegexSpan>& spans) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

/// The last few patterns a session used, compiled.
class RegexCache {
 public:
  /// Null when it is not there; compiling is then the caller's, where there is stack for it.
  const Regex* find(std::string_view pattern, RegexFlags flags);
  const Regex* compile(std::string_view pattern, RegexFlags flags);

 private:
  static constexpr size_t kMost = 32;
  struct Entry {
    std::string pattern;
    RegexFlags flags;
    Regex regex;
  };
  std::vector<Entry> entries_;  ///< the most recently used first
};

/// SIMILAR TO's pattern as a regular expression (similar_to_escape); `escape` empty: none.
std::string similar_to_regex(std::string_view pattern, std::string_view escape);

}  // namespace cofork
