// CREATE VIEW, CREATE TABLE AS, COMMENT and LOCK TABLE (view.c, createas.c, comment.c, lockcmds.c,
// 15).
#include <algorithm>
#include <cctype>

#include "catalog/ddl.h"
#include "catalog/names.h"
#include "sql/definition_commands.h"
#include "sql/internal_query.h"
#include "sql/table_definition.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

/// Skips what can hide a keyword: quoted text, comments, parentheses. Returns the place after it.
size_t skip_quoted(std::string_view text, size_t at) {
  char c = text[at];
  if (c == '\'' || c == '"') {
    size_t end = text.find(c, at + 1);
    return end == text.npos ? text.size() : end + 1;
  }
  if (text.substr(at, 2) == "--") {
    size_t end = text.find('\n', at);
    return end == text.npos ? text.size() : end;
  }
  if (text.substr(at, 2) == "/*") {
    size_t end = text.find("*/", at);
    return end == text.npos ? text.size() : end + 2;
  }
  return at;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<uint8_t>(c) >= 0x80;
}

/// What stands behind the first AS outside of parentheses and quotes: the query of CREATE VIEW.
std::string_view query_text(std::string_view text) {
  int depth = 0;
  for (size_t at = 0; at < text.size();) {
    if (size_t after = skip_quoted(text, at); after != at) {
      at = after;
      continue;
    }
    if (text[at] == '(') ++depth;
    if (text[at] == ')') --depth;
    if (depth == 0 && is_word(text[at])) {
      size_t end = at;
      while (end < text.size() && is_word(text[end])) ++end;
      if (end - at == 2 && (text[at] | 0x20) == 'a' && (text[at + 1] | 0x20) == 's') {
        std::string_view query = text.substr(end);
        while (!query.empty() && std::isspace(static_cast<unsigned char>(query.front())) != 0) {
          query.remove_prefix(1);
        }
        while (!query.empty() && (std::isspace(static_cast<unsigned char>(query.back())) != 0 ||
                                  query.back() == ';')) {
          query.remove_suffix(1);
        }
        return query;
      }
      at = end;
      continue;
    }
    ++at;
  }
  throw Error(sqlstate::kInternalError, "could not find the query of the view");
}

/// The relations a statement was analysed from.
std::vector<ObjectAddress> relations_of(const PreparedStatement& statement) {
  std::vector<ObjectAddress> uses;
  for (const Dependencies::Relation& relation : statement.dependencies.relations) {
    uses.push_back(ObjectAddress::relation(relation.oid));
  }
  return uses;
}

std::vector<ColumnDefinition> columns_of(const PreparedStatement& statement, NodeList aliases,
                                         std::string_view what) {
  std::vector<ColumnDefinition> columns;
  if (aliases.size() > statement.columns.size()) {
    throw Error(sqlstate::kSyntaxError, "{} specifies more column names than columns", what);
  }
  for (size_t i = 0; i < statement.columns.size(); ++i) {
    const ResultColumn& column = statement.columns[i];
    ColumnDefinition definition;
    definition.name = i < aliases.size() ? aliases[i]->text() : column.name;
    definition.type = column.type->oid;
    definition.typmod = column.typmod;
    columns.push_back(std::move(definition));
  }
  return columns;
}

}  // namespace

std::string_view DefinitionCommands::create_view_command(const Node& node) {
  const Node& relation = *node.node("view");
  std::string_view query = query_text(text_);
  if (std::string_view check = node.string("withCheckOption");
      !check.empty() && check != "NO_CHECK_OPTION") {
    throw Error(sqlstate::kFeatureNotSupported, "WITH CHECK OPTION is not supported");
  }
  ViewDefinition view;
  view.schema = relation.string("schemaname");
  view.name = relation.string("relname");
  if (relation.string("relpersistence") == "t") view.schema = "pg_temp";
  view.or_replace = node.flag("replace");
  view.options = read_options(node.list("options"));
  // Analysed in its place in the statement first, so that errors point there.
  PreparedStatement here;
  here.parsed = state_.cache.parse(text_);
  state_.analyse(here, *node.node("query"), false);
  here.statement = &here.parsed->statements[0];
  state_.fill_columns(here);
  view.columns = columns_of(here, node.list("aliases"), "CREATE VIEW");
  view.query.text = query;
  view.query.uses = relations_of(here);
  create_view(view);
  return "CREATE VIEW";
}

std::string_view DefinitionCommands::create_table_as_command(const Node& node) {
  const Node& into = *node.node("into");
  const Node& relation = *into.node("rel");
  bool is_matview = node.string("objtype") == "OBJECT_MATVIEW";
  if (is_matview) {
    throw Error(sqlstate::kFeatureNotSupported, "materialized views are not supported");
  }
  TableDefinition definition;
  definition.schema = relation.string("schemaname");
  definition.name = relation.string("relname");
  if (std::string_view persistence = relation.string("relpersistence"); !persistence.empty()) {
    definition.persistence = persistence[0];
  }
  definition.options = read_options(into.list("options"));
  definition.if_not_exists = node.flag("if_not_exists");
  const Node& query = *node.node("query");
  if (!is_query(query)) {
    throw Error(sqlstate::kFeatureNotSupported, "CREATE TABLE AS EXECUTE is not supported");
  }
  PreparedStatement source;
  source.parsed = state_.cache.parse(text_);
  source.statement = &source.parsed->statements[0];
  state_.analyse(source, query, false);
  state_.fill_columns(source);
  definition.columns = columns_of(source, into.list("colNames"), "CREATE TABLE AS");
  Oid table = create_table(definition);
  if (table == kInvalidOid) return "CREATE TABLE AS";
  int64_t rows = 0;
  if (!into.flag("skipData")) rows = fill_table(table, source);
  tag_ = fmt::format("SELECT {}", rows);
  return tag_;
}

int64_t DefinitionCommands::fill_table(Oid table, PreparedStatement& source) {
  RelationDesc& relation = open_relation(table, LockMode::kNone);
  EvalContext context = state_.context();
  context.arena = &source.arena;
  AnalyzeInput input{&state_.session, source.parsed->text, &source.arena, &source.parameters, false,
                     &context,        &source.dependencies};
  Query* insert = Analyzer(input).insert_from(relation, source.query);
  auto execution = plan_statement(*insert, source.arena, {}, state_.session.task, context);
  execution->snapshot = register_snapshot(take_snapshot());
  execution->start();
  execution->next();
  int64_t rows = execution->processed;
  execution->finish();
  return rows;
}

std::string_view DefinitionCommands::lock_command(const Node& node) {
  state_.session.transaction.require_block("LOCK TABLE");
  auto mode = static_cast<LockMode>(node.number("mode"));
  bool nowait = node.flag("nowait");
  for (const Node* relation : node.list("relations")) {
    if (!nowait) {
      lock_target(*relation, mode);
      continue;
    }
    std::string_view schema = relation->string("schemaname"), name = relation->string("relname");
    FoundRelation found = find_relation(schema, name);
    if (!found) lock_target(*relation, mode);
    if (lock_acquire(LockTag::relation(my_database(), found.oid), mode, LockWait::kNoWait) ==
        LockOutcome::kNotAvailable) {
      throw Error(sqlstate::kLockNotAvailable, "could not obtain lock on relation \"{}\"", name);
    }
  }
  return "LOCK TABLE";
}

std::string_view DefinitionCommands::comment_command(const Node& node) {
  std::string_view kind = node.string("objtype");
  std::optional<std::string> comment;
  if (std::string_view text = node.string("comment"); !text.empty()) comment = text;
  const Node& object = *node.node("object");
  NodeList names = object.list("items");
  auto relation_at = [&](size_t count) {
    std::string_view schema = count > 1 ? names[count - 2]->text() : "";
    return lock_relation(schema, names[count - 1]->text(), LockMode::kShareUpdateExclusive).oid;
  };
  if (kind == "OBJECT_TABLE" || kind == "OBJECT_VIEW" || kind == "OBJECT_INDEX" ||
      kind == "OBJECT_SEQUENCE") {
    set_comment(ObjectAddress::relation(relation_at(names.size())), comment);
  } else if (kind == "OBJECT_COLUMN") {
    Oid table = relation_at(names.size() - 1);
    RelationDesc& desc = open_relation(table, LockMode::kNone);
    const ColumnDesc* column = desc.find_column(names.back()->text());
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                  names.back()->text(), desc.name);
    }
    set_comment(ObjectAddress::relation(table, column->number), comment);
  } else if (kind == "OBJECT_SCHEMA") {
    set_comment({class_oid::kNamespace, namespace_of(object.text()), 0}, comment);
  } else {
    throw Error(sqlstate::kFeatureNotSupported, "COMMENT ON this kind of object is not supported");
  }
  return "COMMENT";
}

}  // namespace cofork
