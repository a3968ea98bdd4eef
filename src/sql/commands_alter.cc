// ALTER TABLE (tablecmds.c, 15). Each action is done before the next is looked at.
#include "catalog/ddl.h"
#include "catalog/names.h"
#include "sql/definition_commands.h"
#include "sql/internal_query.h"
#include "sql/table_definition.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

std::string full_name(const RelationDesc& relation) {
  return qualified_name(relation.schema_name, relation.name);
}

Error& at_table(Error& error, const RelationDesc& relation) {
  error.data().schema_name = relation.schema_name;
  error.data().table_name = relation.name;
  return error;
}

}  // namespace

std::string_view DefinitionCommands::alter_table_command(const Node& node, std::string_view tag) {
  const Node& relation = *node.node("relation");
  std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
  if (node.flag("missing_ok") && !find_relation(schema, name)) {
    notice(sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return tag;
  }
  FoundRelation found = lock_target(relation, LockMode::kAccessExclusive);
  for (const Node* command : node.list("cmds")) alter_table(found.oid, *command);
  return tag;
}

void DefinitionCommands::alter_table(Oid table, const Node& command) {
  std::string_view kind = command.string("subtype");
  std::string_view name = command.string("name");
  const Node* definition = command.node("def");
  bool missing_ok = command.flag("missing_ok");
  if (kind == "AT_AddColumn") return add_column_command(table, command);
  if (kind == "AT_AddConstraint") return add_constraint_command(table, *definition);
  if (kind == "AT_DropColumn") return drop_column(table, name, behavior_of(command), missing_ok);
  if (kind == "AT_DropConstraint") {
    return drop_constraint(table, name, behavior_of(command), missing_ok);
  }
  if (kind == "AT_ValidateConstraint") return validate_constraint(table, name);
  if (kind == "AT_AlterColumnType") return change_type(table, command);
  if (kind == "AT_DropNotNull") return set_not_null(table, name, false);
  if (kind == "AT_SetNotNull") {
    RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
    if (relation.find_column(name) != nullptr &&
        query_finds_row(state_, fmt::format("SELECT 1 FROM ONLY {} WHERE {} IS NULL",
                                            full_name(relation), quote_identifier(name)))) {
      Error error(sqlstate::kNotNullViolation,
                  "column \"{}\" of relation \"{}\" contains null values", name, relation.name);
      error.data().column_name = name;
      throw std::move(at_table(error, relation));
    }
    return set_not_null(table, name, true);
  }
  if (kind == "AT_ColumnDefault") {
    if (definition == nullptr) return set_default(table, name, {});
    RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
    const ColumnDesc* column = relation.find_column(name);
    ColumnDefinition like;
    like.name = name;
    if (column != nullptr) {
      like.type = column->type;
      like.typmod = column->typmod;
    } else {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                  name, relation.name);
    }
    DefinitionReader reader(state_, text_);
    return set_default(table, name, reader.default_expression(*definition, like));
  }
  if (kind == "AT_SetRelOptions" || kind == "AT_ResetRelOptions") {
    return set_relation_options(table, read_options(command.list("def")),
                                kind == "AT_ResetRelOptions");
  }
  if (kind == "AT_ChangeOwner") {
    return set_relation_owner(table, command.node("newowner")->string("rolename"));
  }
  if (kind == "AT_SetStatistics") {
    return set_column_statistics(table, name, static_cast<int32_t>(definition->number("ival")));
  }
  if (kind == "AT_DropIdentity") return set_column_identity(table, name, '\0');
  if (kind == "AT_ClusterOn" || kind == "AT_DropCluster") return;
  throw Error(sqlstate::kFeatureNotSupported, "this form of ALTER TABLE is not supported");
}

void DefinitionCommands::add_column_command(Oid table, const Node& command) {
  const Node& node = *command.node("def");
  RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
  bool missing_ok = command.flag("missing_ok");
  if (missing_ok && relation.find_column(node.string("colname")) != nullptr) {
    notice(sqlstate::kDuplicateColumn,
           fmt::format("column \"{}\" of relation \"{}\" already exists, skipping",
                       node.string("colname"), relation.name));
    return;
  }
  std::string target = full_name(relation), table_name = relation.name;
  DefinitionReader reader(state_, text_);
  ColumnDefinition column = reader.column(node);
  reader.set_row(relation);
  reader.add_to_row(column);
  std::vector<ConstraintDefinition> constraints;
  reader.column_constraints(node, relation.schema_name, relation.name, column, constraints);

  // What rows already there have: a default that never changes is kept with the column, and no row
  // is touched; any other is computed for each row.
  std::optional<Datum> missing;
  Arena arena;
  bool computes = column.generated != '\0' || column.identity != '\0';
  if (!column.default_value.empty() && !computes) {
    Expr* analysed = reader.analyzer().stored_expression(
        column.default_value.text, nullptr, column.type, column.typmod, Place::kColumnDefault);
    walk(analysed, 0, [&](const Expr& part, int) {
      computes |= part.function != nullptr && part.function->volatility == Volatility::kVolatile;
      return true;
    });
    if (!computes) {
      bool is_null = false;
      Datum value = reader.evaluate(analysed, is_null, arena);
      if (!is_null) missing = value;
    }
  }
  bool not_null = column.not_null;
  column.not_null = false;
  add_column(table, column, missing, missing_ok);
  finish_sequences(reader, table);
  std::string name = quote_identifier(column.name);
  if (computes) {
    InternalQuery(state_, fmt::format("UPDATE ONLY {} SET {} = DEFAULT", target, name)).run();
  }
  if (not_null) {
    if (query_finds_row(state_,
                        fmt::format("SELECT 1 FROM ONLY {} WHERE {} IS NULL", target, name))) {
      RelationDesc& now = open_relation(table, LockMode::kNone);
      Error error(sqlstate::kNotNullViolation,
                  "column \"{}\" of relation \"{}\" contains null values", column.name, table_name);
      error.data().column_name = column.name;
      throw std::move(at_table(error, now));
    }
    set_not_null(table, column.name, true);
  }
  for (const ConstraintDefinition& constraint : constraints) {
    Oid oid = add_constraint(table, constraint);
    if (constraint.type != 'c' && constraint.type != 'f') continue;
    for (const ConstraintDesc& made : open_relation(table, LockMode::kNone).constraints) {
      if (made.oid == oid) {
        validate_constraint(table, std::string(made.name));
        break;
      }
    }
  }
}

void DefinitionCommands::add_constraint_command(Oid table, const Node& node) {
  RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
  std::string target = full_name(relation);
  DefinitionReader reader(state_, text_);
  reader.set_row(relation);
  ConstraintDefinition constraint = reader.constraint(node, {});
  if (constraint.type == 'p' && constraint.existing_index == kInvalidOid) {
    for (const std::string& column : constraint.columns) {
      const ColumnDesc* desc = relation.find_column(column);
      if (desc == nullptr || desc->not_null) continue;
      if (query_finds_row(state_, fmt::format("SELECT 1 FROM ONLY {} WHERE {} IS NULL", target,
                                              quote_identifier(column)))) {
        Error error(sqlstate::kNotNullViolation,
                    "column \"{}\" of relation \"{}\" contains null values", column, relation.name);
        error.data().column_name = column;
        throw std::move(at_table(error, relation));
      }
    }
  }
  if (constraint.type == 'c' && !constraint.not_valid &&
      query_finds_row(state_, fmt::format("SELECT 1 FROM ONLY {} WHERE NOT ({})", target,
                                          constraint.check.text))) {
    std::string name = constraint.name;
    if (name.empty()) {
      name = make_object_name(relation.name,
                              constraint.columns.size() == 1 ? constraint.columns[0] : "", "check");
    }
    Error error(sqlstate::kCheckViolation,
                "check constraint \"{}\" of relation \"{}\" is violated by some row", name,
                relation.name);
    error.data().constraint_name = name;
    throw std::move(at_table(error, relation));
  }
  Oid oid = add_constraint(table, constraint);
  if (constraint.type != 'f' || constraint.not_valid) return;
  for (const ConstraintDesc& made : open_relation(table, LockMode::kNone).constraints) {
    if (made.oid != oid) continue;
    check_foreign_key(table, std::string(made.name));
    return;
  }
}

void DefinitionCommands::check_foreign_key(Oid table, std::string_view name) {
  RelationDesc& relation = open_relation(table, LockMode::kNone);
  for (const ConstraintDesc& key : relation.constraints) {
    if (key.name != name || key.type != 'f') continue;
    RelationDesc& referenced = open_relation(key.referenced, LockMode::kAccessShare);
    std::string columns, join, not_null, names;
    for (size_t i = 0; i < key.columns.size(); ++i) {
      std::string own =
          quote_identifier(relation.columns[static_cast<size_t>(key.columns[i] - 1)].name);
      std::string other = quote_identifier(
          referenced.columns[static_cast<size_t>(key.referenced_columns[i] - 1)].name);
      columns += fmt::format("{}f.{}::text", i > 0 ? ", " : "", own);
      names += fmt::format("{}{}", i > 0 ? ", " : "", own);
      join += fmt::format("{}f.{} = p.{}", i > 0 ? " AND " : "", own, other);
      not_null += fmt::format(" AND f.{} IS NOT NULL", own);
    }
    std::string first = quote_identifier(
        referenced.columns[static_cast<size_t>(key.referenced_columns[0] - 1)].name);
    InternalQuery orphans(state_, fmt::format("SELECT {} FROM ONLY {} f LEFT JOIN ONLY {} p ON {} "
                                              "WHERE p.{} IS NULL{}",
                                              columns, full_name(relation), full_name(referenced),
                                              join, first, not_null));
    std::string values;
    bool found = false;
    orphans.run({}, {}, [&](const Datum* row, const bool* nulls) {
      found = true;
      for (size_t i = 0; i < key.columns.size(); ++i) {
        if (i > 0) values += ", ";
        values += nulls[i] ? std::string_view("null") : varlena_view(row[i]);
      }
      return false;
    });
    if (!found) return;
    Error error(sqlstate::kForeignKeyViolation,
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                relation.name, key.name);
    error.data().detail = fmt::format("Key ({})=({}) is not present in table \"{}\".", names,
                                      values, referenced.name);
    error.data().constraint_name = key.name;
    throw std::move(at_table(error, relation));
  }
}

void DefinitionCommands::validate_constraint(Oid table, std::string_view name) {
  RelationDesc& relation = open_relation(table, LockMode::kShareUpdateExclusive);
  for (const ConstraintDesc& constraint : relation.constraints) {
    if (constraint.name != name) continue;
    Oid oid = constraint.oid;
    if (constraint.type == 'c' &&
        query_finds_row(state_, fmt::format("SELECT 1 FROM ONLY {} WHERE NOT ({})",
                                            full_name(relation), constraint.check_text))) {
      Error error(sqlstate::kCheckViolation,
                  "check constraint \"{}\" of relation \"{}\" is violated by some row", name,
                  relation.name);
      error.data().constraint_name = name;
      throw std::move(at_table(error, relation));
    }
    if (constraint.type == 'f') check_foreign_key(table, name);
    mark_constraint_valid(oid);
    return;
  }
  throw Error(sqlstate::kUndefinedObject, "constraint \"{}\" of relation \"{}\" does not exist",
              name, relation.name);
}

// --- ALTER COLUMN TYPE

void DefinitionCommands::change_type(Oid table, const Node& command) {
  std::string name(command.string("name"));
  const Node& node = *command.node("def");
  RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
  const ColumnDesc* column = relation.find_column(name);
  if (column == nullptr) {
    throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                relation.name);
  }
  DefinitionReader reader(state_, text_);
  Analyzer::TypeRef type = reader.analyzer().resolve_type(*node.node("typeName"));
  (void)type;
  throw Error(sqlstate::kFeatureNotSupported, "ALTER COLUMN TYPE is not supported");
}

}  // namespace cofork
