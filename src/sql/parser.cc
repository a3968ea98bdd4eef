// Calls libpg_query and turns its errors into ours.
#include "sql/parser.h"

#include <pg_query.h>

#include <algorithm>

#include "model/stack.h"
#include "support/error.h"

namespace cofork {
namespace {

struct MessageRule {
  std::string_view start;
  SqlState sqlstate;
  std::string_view detail;
  std::string_view hint;
};

// libpg_query reports a message and a position only. These are the scanner's and grammar's messages
// whose SQLSTATE is not 42601, or that come with a DETAIL or HINT.
constexpr MessageRule kMessageRules[] = {
    {"invalid Unicode escape value", sqlstate::kSyntaxError, "", ""},
    {"invalid Unicode escape", sqlstate::kInvalidEscapeSequence, "",
     "Unicode escapes must be \\uXXXX or \\UXXXXXXXX."},
    {"unsafe use of \\' in a string literal", sqlstate::kNonstandardUseOfEscapeCharacter, "",
     "Use '' to write quotes in strings. \\' is insecure in client-only encodings."},
    {"subquery in FROM must have an alias", sqlstate::kSyntaxError, "",
     "For example, FROM (SELECT ...) [AS] foo."},
    {"VALUES in FROM must have an alias", sqlstate::kSyntaxError, "",
     "For example, FROM (VALUES ...) [AS] foo."},
    {"precision for type float must be", sqlstate::kInvalidParameterValue, "", ""},
    {"LIMIT #,# syntax is not supported", sqlstate::kSyntaxError, "",
     "Use separate LIMIT and OFFSET clauses."},
};

/// PostgreSQL 15.18 names all of "123abc" where libpg_query's older scanner names "123a".
void complete_junk(std::string_view text, ErrorData& data) {
  constexpr std::string_view kStart = "trailing junk after numeric literal at or near \"";
  if (!data.message.starts_with(kStart)) return;
  size_t begin = 0;
  for (int characters = 1; begin < text.size() && characters < data.position; ++characters) {
    do ++begin;
    while (begin < text.size() && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80);
  }
  size_t end = begin;
  while (end < text.size() &&
         (std::isalnum(static_cast<uint8_t>(text[end])) != 0 || text[end] == '_' ||
          text[end] == '$' || text[end] == '.' || static_cast<uint8_t>(text[end]) >= 0x80)) {
    ++end;
  }
  data.message = fmt::format("{}{}\"", kStart, text.substr(begin, end - begin));
}

ErrorData error_from(std::string_view text, const PgQueryError& failure) {
  ErrorData data;
  data.sqlstate = sqlstate::kSyntaxError;
  data.message = failure.message;
  data.position = std::max(failure.cursorpos, 0);
  data.file = __FILE__;
  data.line = __LINE__;
  data.function = __func__;
  if (data.message.find("not implemented") != std::string::npos ||
      data.message.find("not supported") != std::string::npos) {
    data.sqlstate = sqlstate::kFeatureNotSupported;
  }
  complete_junk(text, data);
  for (const MessageRule& rule : kMessageRules) {
    if (!data.message.starts_with(rule.start)) continue;
    data.sqlstate = rule.sqlstate;
    data.detail = rule.detail;
    data.hint = rule.hint;
    if (data.message == "invalid Unicode escape" &&
        text.substr(0, static_cast<size_t>(data.position)).find("&") != text.npos) {
      data.sqlstate = sqlstate::kSyntaxError;
      data.hint = "Unicode escapes must be \\XXXX or \\+XXXXXX.";  // of U&'…', not E'…'
    }
    break;
  }
  return data;
}

}  // namespace

std::shared_ptr<const ParsedQuery> parse_query(std::string_view text) {
  auto query = std::make_shared<ParsedQuery>();
  query->text = text;
  PgQueryParseResult result{};
  run_with_stack(kBigStackBytes, [&] { result = pg_query_parse(query->text.c_str()); });
  // Nothing may throw before the result is freed; the errors are carried out of the scope.
  struct Free {
    PgQueryParseResult& result;
    ~Free() { pg_query_free_parse_result(result); }
  } free_at_end{result};
  if (result.error != nullptr) throw Error(error_from(query->text, *result.error));
  read_parse_tree(result.parse_tree, *query);
  return query;
}

int character_position(std::string_view text, int byte_offset) {
  if (byte_offset < 0) return 0;
  auto before = text.substr(0, static_cast<size_t>(byte_offset));
  auto continuation = [](char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; };
  return static_cast<int>(before.size() -
                          static_cast<size_t>(std::ranges::count_if(before, continuation))) +
         1;
}

std::shared_ptr<const ParsedQuery> ParseCache::parse(std::string_view text) {
  for (const auto& entry : entries_) {
    if (entry->text == text) return entry;
  }
  auto parsed = parse_query(text);
  if (text.size() > kLongestText) return parsed;
  if (entries_.size() < kEntries) {
    entries_.push_back(parsed);
  } else {
    entries_[next_] = parsed;
    next_ = (next_ + 1) % kEntries;
  }
  return parsed;
}

}  // namespace cofork
