// Statements that change what exists, and those that look after tables: each parse tree becomes
// calls of catalog/ddl.h, and the rows that have to be looked at for them are looked at here.
//
//   commands_table.cc     CREATE TABLE, INDEX, SEQUENCE, SCHEMA; DROP, TRUNCATE, RENAME
//   commands_alter.cc     ALTER TABLE
//   commands_view.cc      CREATE VIEW, CREATE TABLE AS, COMMENT, LOCK
//   commands_cluster.cc   databases and roles
//   commands_vacuum.cc    VACUUM, ANALYZE, REINDEX
//
// As utility.c and the files of src/backend/commands, PostgreSQL 15.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/ddl.h"
#include "catalog/names.h"
#include "sql/engine_state.h"

namespace cofork {

class DefinitionReader;

class DefinitionCommands {
 public:
  /// `text`: the query string that locations count in.
  DefinitionCommands(Engine::State& state, std::string_view text) : state_(state), text_(text) {}

  /// The command tag; nothing for a statement that is none of these.
  std::optional<std::string_view> run(const Node& node, std::string_view tag);

 private:
  std::string_view create_table_command(const Node& node);
  std::string_view create_index_command(const Node& node);
  std::string_view create_sequence_command(const Node& node);
  std::string_view alter_sequence_command(const Node& node);
  std::string_view create_schema_command(const Node& node);
  std::optional<std::string_view> drop_command(const Node& node);
  std::string_view truncate_command(const Node& node);
  std::string_view rename_command(const Node& node);
  void set_owner(Oid sequence, const Node& option);
  FoundRelation lock_target(const Node& relation, LockMode mode);

  std::string_view alter_table_command(const Node& node, std::string_view tag);
  void alter_table(Oid table, const Node& command);
  void add_column_command(Oid table, const Node& command);
  void add_constraint_command(Oid table, const Node& node);
  void validate_constraint(Oid table, std::string_view name);
  void check_foreign_key(Oid table, std::string_view name);
  void change_type(Oid table, const Node& command);

  std::string_view create_view_command(const Node& node);
  std::string_view create_table_as_command(const Node& node);
  int64_t fill_table(Oid table, PreparedStatement& source);
  std::string_view comment_command(const Node& node);
  std::string_view lock_command(const Node& node);

  std::string_view create_database_command(const Node& node);
  std::string_view drop_database_command(const Node& node);
  std::string_view create_role_command(const Node& node);
  std::string_view alter_role_command(const Node& node);
  std::string_view drop_role_command(const Node& node);

  std::string_view reindex_command(const Node& node);
  std::string_view vacuum_command(const Node& node);

  Engine::State& state_;
  std::string_view text_;
  std::string tag_;
};

/// For create_index() and rebuild_index(): computes the rows of indexes with expressions.
IndexRowFactory index_rows(Engine::State& state);
/// Makes identity sequences, and hands serial ones to their columns, once the table is there.
void finish_sequences(DefinitionReader& reader, Oid table);
/// CASCADE or RESTRICT, of a statement or of one action of ALTER TABLE.
DropBehavior behavior_of(const Node& node);
/// Reports a NOTICE.
void notice(SqlState state, std::string message);

}  // namespace cofork
