// LIKE, ILIKE and their escapes.
//
// The matcher is MatchText of like_match.c in spirit: only % needs backtracking, and one level of
// it is enough.
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/text.h"

namespace cofork {

using namespace type_oid;

namespace {

[[noreturn]] void throw_pattern_ends_in_escape() {
  throw Error(sqlstate::kInvalidEscapeSequence, "LIKE pattern must not end with escape character");
}

/// Whole text against a LIKE pattern. Bytes suffice: only _ has to know where a character ends.
bool like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0;
  size_t star_p = std::string_view::npos, star_t = 0;  // where the last % continues
  for (;;) {
    bool matched;
    if (p < pattern.size() && pattern[p] == '%') {
      star_p = ++p;
      star_t = t;
      continue;
    }
    if (t >= text.size()) {
      if (p < pattern.size() && pattern[p] == '\\' && p + 1 == pattern.size())
        throw_pattern_ends_in_escape();
      return p >= pattern.size();
    }
    size_t p_size = 1, t_size = 1;
    if (p >= pattern.size()) {
      matched = false;
    } else if (pattern[p] == '_') {
      t_size = utf8_char_bytes(text[t]);
      matched = true;
    } else if (pattern[p] == '\\') {
      if (p + 1 >= pattern.size()) throw_pattern_ends_in_escape();
      p_size = 2;
      matched = pattern[p + 1] == text[t];
    } else {
      matched = pattern[p] == text[t];
    }
    if (matched) {
      p += p_size;
      t += t_size;
    } else if (star_p != std::string_view::npos) {
      star_t += utf8_char_bytes(text[star_t]);
      t = star_t;
      p = star_p;
    } else {
      return false;
    }
  }
}

std::string lowered(std::string_view text) {
  std::string out;
  while (!text.empty()) utf8_append(out, to_lower(utf8_take(text)));
  return out;
}

bool not_like(std::string_view text, std::string_view pattern) {
  return !like(text, pattern);
}
bool ilike(std::string_view text, std::string_view pattern) {
  return like(lowered(text), lowered(pattern));
}
bool not_ilike(std::string_view text, std::string_view pattern) {
  return !ilike(text, pattern);
}
bool name_like(Name name, std::string_view pattern) {
  return like(name.text, pattern);
}
bool name_not_like(Name name, std::string_view pattern) {
  return !like(name.text, pattern);
}
bool name_ilike(Name name, std::string_view pattern) {
  return ilike(name.text, pattern);
}
bool name_not_ilike(Name name, std::string_view pattern) {
  return !ilike(name.text, pattern);
}

/// LIKE … ESCAPE c: the pattern with \ in c's place.
std::string like_escape(std::string_view pattern, std::string_view escape) {
  if (utf8_length(escape) > 1) {
    throw Error(sqlstate::kInvalidEscapeSequence, "invalid escape string")
        .hint("Escape string must be empty or one character.");
  }
  std::string out;
  if (escape == "\\") return std::string(pattern);
  while (!pattern.empty()) {
    std::string_view character = pattern.substr(0, utf8_char_bytes(pattern[0]));
    pattern.remove_prefix(character.size());
    if (!escape.empty() && character == escape) {
      out += '\\';
      // What is escaped is copied as it is, so that it is not looked at again.
      if (pattern.empty()) break;
      character = pattern.substr(0, utf8_char_bytes(pattern[0]));
      pattern.remove_prefix(character.size());
    } else if (character == "\\") {
      out += '\\';
    }
    out += character;
  }
  return out;
}

constexpr BuiltinFunction kRows[] = {
    {850, "textlike", kBool, {kText, kText}, fn<like>},
    {1569, "like", kBool, {kText, kText}, fn<like>},
    {1631, "bpcharlike", kBool, {kBpchar, kText}, fn<like>},
    {851, "textnlike", kBool, {kText, kText}, fn<not_like>},
    {1570, "notlike", kBool, {kText, kText}, fn<not_like>},
    {1632, "bpcharnlike", kBool, {kBpchar, kText}, fn<not_like>},
    {1633, "texticlike", kBool, {kText, kText}, fn<ilike>},
    {1660, "bpchariclike", kBool, {kBpchar, kText}, fn<ilike>},
    {1634, "texticnlike", kBool, {kText, kText}, fn<not_ilike>},
    {1661, "bpcharicnlike", kBool, {kBpchar, kText}, fn<not_ilike>},
    {858, "namelike", kBool, {kName, kText}, fn<name_like>},
    {1571, "like", kBool, {kName, kText}, fn<name_like>},
    {859, "namenlike", kBool, {kName, kText}, fn<name_not_like>},
    {1572, "notlike", kBool, {kName, kText}, fn<name_not_like>},
    {1635, "nameiclike", kBool, {kName, kText}, fn<name_ilike>},
    {1636, "nameicnlike", kBool, {kName, kText}, fn<name_not_ilike>},
    {2005, "bytealike", kBool, {kBytea, kBytea}, fn<like>},
    {2007, "like", kBool, {kBytea, kBytea}, fn<like>},
    {2006, "byteanlike", kBool, {kBytea, kBytea}, fn<not_like>},
    {2008, "notlike", kBool, {kBytea, kBytea}, fn<not_like>},
    {1637, "like_escape", kText, {kText, kText}, fn<like_escape>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kTextMatchFunctions = kRows;

}  // namespace cofork
