// Parser bridge: query text → raw parse trees, by PostgreSQL's own grammar (libpg_query).
//
// The text runs through pg_query_parse on the thread's big stack (its recursion has no guard of its
// own), and one pass over the JSON it returns builds our tree. As raw_parser() in parser.c.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "support/arena.h"

namespace cofork {

struct ParsedStatement {
  const Node* node;      ///< never null
  int location;          ///< byte offset of its text in the query
  int length;            ///< bytes
  std::string_view tag;  ///< "SELECT", "CREATE TABLE", … (as CreateCommandTag)
};

/// The statements of one query string; immutable, shared between the cache and whoever uses it.
struct ParsedQuery {
  std::string text;
  std::vector<ParsedStatement> statements;
  Arena arena;

  std::string_view text_of(const ParsedStatement& s) const {
    return std::string_view(text).substr(static_cast<size_t>(s.location),
                                         static_cast<size_t>(s.length));
  }
};

/// Throws 42601 (or what the scanner raises) with the position in characters.
std::shared_ptr<const ParsedQuery> parse_query(std::string_view text);

/// Builds the tree of `json`, pg_query_parse's answer for query.text, into `query`.
void read_parse_tree(std::string_view json, ParsedQuery& query);

/// The command tag of a raw statement, "???" for none that is known.
std::string_view command_tag_of(const Node& statement);

/// 1-based position in characters of a byte offset in UTF-8 text; 0 for a negative offset.
int character_position(std::string_view text, int byte_offset);

/// Parse trees of recent query strings, by exact text: a repeated statement of the simple protocol
/// is not parsed again. Holds at most kEntries; the oldest goes first.
class ParseCache {
 public:
  std::shared_ptr<const ParsedQuery> parse(std::string_view text);

 private:
  static constexpr size_t kEntries = 32;
  static constexpr size_t kLongestText = 8192;
  std::vector<std::shared_ptr<const ParsedQuery>> entries_;
  size_t next_ = 0;
};

}  // namespace cofork
