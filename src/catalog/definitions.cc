// See definitions.h.
#include "catalog/definitions.h"

#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/relation_cache.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_index.h"
#include "catalog/views/view.h"
#include "types/scalar.h"

namespace cofork {

namespace {

/// A relation is described without a lock: it may go at any time, and then there is nothing to say.
RelationDesc* look_at(Oid oid) {
  if (oid < kFirstNormalOid && find_view(oid) != nullptr) return nullptr;
  return try_open_relation(oid, LockMode::kNone);
}

/// Where the parenthesis that opens at `at` is closed; npos: nowhere.
size_t closing_parenthesis(std::string_view text, size_t at) {
  int depth = 0;
  char quote = '\0';
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return at;
    }
  }
  return text.npos;
}

/// "lower(b)": a call needs no parentheses of its own in an index.
bool looks_like_call(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && (is_alnum(text[at]) || text[at] == '_' || text[at] == '.')) ++at;
  if (at == 0 || at >= text.size() || text[at] != '(') return false;
  return closing_parenthesis(text, at) == text.size() - 1;
}

std::string index_part(const RelationDesc& table, const IndexDesc& index, size_t i, bool pretty) {
  int16_t column = index.columns[i];
  if (column != 0) {
    return quote_identifier(table.columns[static_cast<size_t>(column - 1)].name);
  }
  size_t expression = 0;
  for (size_t before = 0; before < i; ++before) expression += index.columns[before] == 0;
  const std::string& text = index.expressions[expression];
  if (looks_like_call(text)) return text;
  return fmt::format("({})", pretty ? without_parentheses(text) : std::string_view(text));
}

std::string ordering(int16_t option) {
  constexpr int16_t kDescending = 1, kNullsFirst = 2;
  if ((option & kDescending) != 0)
    return (option & kNullsFirst) != 0 ? " DESC" : " DESC NULLS LAST";
  return (option & kNullsFirst) != 0 ? " NULLS FIRST" : "";
}

std::string columns_of_index(const RelationDesc& table, const IndexDesc& index, bool pretty) {
  std::string text = "(";
  for (size_t i = 0; i < index.columns.size(); ++i) {
    bool is_key = static_cast<int>(i) < index.key_count;
    if (static_cast<int>(i) == index.key_count) text += ") INCLUDE (";
    if (i > 0 && static_cast<int>(i) != index.key_count) text += ", ";
    text += index_part(table, index, i, pretty);
    if (is_key) text += ordering(index.options[i]);
  }
  return text + ")";
}

std::string shown_name(const RelationDesc& relation, bool pretty) {
  return pretty ? relation_display_name(relation.oid).value_or(relation.name)
                : qualified_name(relation.schema_name, relation.name);
}

std::string with_options(const RelationDesc& relation) {
  std::string text;
  for (const auto& [name, value] : relation.options) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, quote_literal(value));
  }
  return text.empty() ? text : " WITH (" + text + ")";
}

}  // namespace

std::string_view without_parentheses(std::string_view expression) {
  bool enclosed = !expression.empty() && expression.front() == '(' &&
                  closing_parenthesis(expression, 0) == expression.size() - 1;
  return enclosed ? expression.substr(1, expression.size() - 2) : expression;
}

std::optional<std::string> index_definition(Oid oid, int column, bool pretty) {
  RelationDesc* relation = look_at(oid);
  if (relation == nullptr || relation->kind != 'i') return std::nullopt;
  RelationDesc* table = look_at(relation->indexed_table);
  const IndexDesc* index = table == nullptr ? nullptr : table->find_index(oid);
  if (index == nullptr) return std::nullopt;
  if (column > 0) {
    if (static_cast<size_t>(column) > index->columns.size()) return "";
    return index_part(*table, *index, static_cast<size_t>(column - 1), pretty);
  }
  std::string text =
      fmt::format("CREATE {}INDEX {} ON {} USING btree {}", index->unique ? "UNIQUE " : "",
                  quote_identifier(index->name), shown_name(*table, pretty),
                  columns_of_index(*table, *index, pretty));
  if (index->nulls_not_distinct) text += " NULLS NOT DISTINCT";
  text += with_options(*relation);
  if (!index->predicate.empty()) {
    text += " WHERE ";
    text += pretty ? without_parentheses(index->predicate) : std::string_view(index->predicate);
  }
  return text;
}

// --- constraints

namespace {

std::string column_list(const RelationDesc& table, std::span<const int16_t> columns) {
  std::string text;
  for (int16_t column : columns) {
    if (!text.empty()) text += ", ";
    text += quote_identifier(table.columns[static_cast<size_t>(column - 1)].name);
  }
  return text;
}

const char* action_words(char action) {
  switch (action) {
    case 'r':
      return "RESTRICT";
    case 'c':
      return "CASCADE";
    case 'n':
      return "SET NULL";
    case 'd':
      return "SET DEFAULT";
    default:
      return "";
  }
}

std::string foreign_key_text(const RelationDesc& table, const ConstraintDesc& key) {
  RelationDesc* referenced = look_at(key.referenced);
  if (referenced == nullptr) return "";
  std::string text =
      fmt::format("FOREIGN KEY ({}) REFERENCES {}({})", column_list(table, key.columns),
                  shown_name(*referenced, true), column_list(*referenced, key.referenced_columns));
  if (key.match == 'f') text += " MATCH FULL";
  if (key.on_update != 'a') text += fmt::format(" ON UPDATE {}", action_words(key.on_update));
  if (key.on_delete != 'a') text += fmt::format(" ON DELETE {}", action_words(key.on_delete));
  if (!key.set_columns.empty()) {
    text += fmt::format(" ({})", column_list(table, key.set_columns));
  }
  return text;
}

std::string key_text(const RelationDesc& table, const ConstraintDesc& key) {
  const IndexDesc* index = table.find_index(key.index);
  std::string text = key.type == 'p' ? "PRIMARY KEY " : "UNIQUE ";
  if (index == nullptr) return text;
  if (index->nulls_not_distinct) text += "NULLS NOT DISTINCT ";
  text += "(" + column_list(table, key.columns) + ")";
  auto included = std::span(index->columns).subspan(static_cast<size_t>(index->key_count));
  if (!included.empty()) text += fmt::format(" INCLUDE ({})", column_list(table, included));
  if (RelationDesc* relation = look_at(key.index)) text += with_options(*relation);
  return text;
}

}  // namespace

std::optional<std::string> constraint_definition(Oid oid, bool pretty) {
  Oid table_oid = kInvalidOid;
  {
    CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kOidIndex, {key_of(oid)});
    if (!scan.next()) return std::nullopt;
    table_oid = scan.row().oid(pg_constraint::conrelid);
  }
  RelationDesc* table = look_at(table_oid);
  if (table == nullptr) return std::nullopt;
  for (const ConstraintDesc& constraint : table->constraints) {
    if (constraint.oid != oid) continue;
    std::string text;
    if (constraint.type == 'c') {
      std::string_view check = constraint.check_text;
      text = fmt::format("CHECK ({})", pretty ? without_parentheses(check) : check);
      if (constraint.no_inherit) text += " NO INHERIT";
    } else if (constraint.type == 'f') {
      text = foreign_key_text(*table, constraint);
    } else {
      text = key_text(*table, constraint);
    }
    if (constraint.deferrable) text += " DEFERRABLE";
    if (constraint.deferred) text += " INITIALLY DEFERRED";
    if (!constraint.validated) text += " NOT VALID";
    return text;
  }
  return std::nullopt;
}

std::optional<std::string> view_definition(Oid view) {
  RelationDesc* relation = look_at(view);
  if (relation == nullptr || relation->kind != 'v' || relation->view_text.empty()) {
    return std::nullopt;
  }
  return " " + relation->view_text + ";";
}

}  // namespace cofork
