// Statements that are not queries: which function runs which, and what is refused (utility.c).
#include "settings/settings.h"
#include "shmem/proc.h"
#include "sql/copy.h"
#include "sql/definition_commands.h"
#include "sql/engine_state.h"
#include "txn/lock_manager.h"
#include "txn/transaction.h"

namespace cofork {

/// What a statement on a table says about a table that is not there.
void check_relation(const ParsedQuery& parsed, const Node* relation) {
  if (relation == nullptr) return;
  std::string_view schema = relation->string("schemaname"), name = relation->string("relname");
  if (find_view(schema, name) != nullptr) return;
  std::string full = schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
  throw Error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", full)
      .position(character_position(parsed.text, relation->location()));
}

ExecuteResult Engine::State::run_utility(Portal& portal, int64_t max_rows, RowReceiver& receiver) {
  const Node& node = *portal.statement->statement->node;
  bool returns_rows = !portal.statement->columns.empty();
  if (max_rows <= 0 || !returns_rows) {
    if (portal.state == Portal::State::kDone) {
      throw Error(sqlstate::kObjectNotInPrerequisiteState, "portal \"{}\" cannot be run",
                  portal.name);
    }
    portal.state = Portal::State::kDone;
    tag = utility(portal, node, receiver);
    if (my_or_null() != nullptr && my_transaction().in_progress()) {
      my_transaction().command_counter_increment();
    }
    return {ExecuteOutcome::kComplete, tag};
  }
  // Rows in portions: all are made first, then handed out.
  if (portal.buffer == nullptr) {
    portal.buffer = std::make_unique<RowBuffer>();
    BufferReceiver buffer(*portal.buffer);
    portal.tag = utility(portal, node, buffer);
  }
  return give_buffered(portal, max_rows, receiver);
}

ExecuteResult Engine::State::give_buffered(Portal& portal, int64_t max_rows,
                                           RowReceiver& receiver) {
  receiver.begin_rows(portal.buffer->columns, portal.formats);
  EvalContext output = context();
  output.arena = &scratch;
  for (int64_t count = 0; portal.position < static_cast<int64_t>(portal.buffer->rows.size());) {
    if (max_rows > 0 && count++ == max_rows) return {ExecuteOutcome::kSuspended, {}};
    const StoredRow& row = portal.buffer->rows[static_cast<size_t>(portal.position++)];
    receiver.row(output, row.values, row.nulls);
  }
  tag = portal.tag;
  return {ExecuteOutcome::kComplete, tag};
}

std::string_view Engine::State::utility(Portal& portal, const Node& node, RowReceiver& receiver) {
  scratch.reset();
  check_where_allowed(node, portal.statement->tag());
  if (my_or_null() != nullptr) {
    if (node.kind_name == "CopyStmt") {
      int64_t rows = CopyCommand(*this, portal.statement->parsed->text).run(node, receiver);
      foreign_keys.fire_immediate();
      tag = fmt::format("COPY {}", rows);
      return tag;
    }
    DefinitionCommands definitions(*this, portal.statement->parsed->text);
    if (auto done = definitions.run(node, portal.statement->tag())) {
      tag = *done;
      return tag;
    }
  }
  if (node.kind_name == "DropStmt") return drop_command(node);
  if (node.kind_name == "DropdbStmt") return drop_database_command(node);
  if (node.kind_name == "DropRoleStmt") return drop_role_command(node);
  if (node.kind_name == "ConstraintsSetStmt" && my_or_null() != nullptr) {
    if (!node.list("constraints").empty()) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "SET CONSTRAINTS of one constraint is not supported");
    }
    foreign_keys.set_all_deferred(node.flag("deferred"));
    if (!node.flag("deferred")) foreign_keys.fire_all();
    return "SET CONSTRAINTS";
  }
  switch (node.kind) {
    case NodeKind::kTransactionStmt:
      return transaction_command(node);
    case NodeKind::kVariableSetStmt:
      return set_command(node);
    case NodeKind::kVariableShowStmt:
      return show_command(node, receiver);
    case NodeKind::kAlterSystemStmt:
      return alter_system_command(node);
    case NodeKind::kPrepareStmt:
      return prepare_command(portal, node);
    case NodeKind::kExecuteStmt:
      return execute_command(portal, node, receiver);
    case NodeKind::kDeallocateStmt:
      return deallocate_command(node);
    case NodeKind::kDiscardStmt:
      return discard_command(node);
    case NodeKind::kDeclareCursorStmt:
      return declare_command(portal, node);
    case NodeKind::kFetchStmt:
      return fetch_command(node, receiver);
    case NodeKind::kClosePortalStmt:
      return close_command(node);
    case NodeKind::kExplainStmt:
      return explain_command(portal, node, receiver);
    case NodeKind::kCheckPointStmt:
      if (!session.is_superuser) {
        throw Error(sqlstate::kInsufficientPrivilege,
                    "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
      }
      if (session.request_checkpoint == nullptr) {
        throw Error(sqlstate::kFeatureNotSupported, "CHECKPOINT is not supported");
      }
      session.request_checkpoint(session.task);
      return "CHECKPOINT";
    default:
      break;
  }
  refuse_unsupported(portal, node);
}

void Engine::State::check_where_allowed(const Node& node, std::string_view command_tag) const {
  for (std::string_view kind : {"VacuumStmt", "CreatedbStmt", "CreateTableSpaceStmt"}) {
    if (node.kind_name != kind || command_tag == "ANALYZE") continue;
    session.transaction.prevent_in_block(command_tag);
  }
  if (class_of(command_tag) != StatementClass::kOther && command_tag != "ALTER SYSTEM" &&
      settings().get(setting::kTransactionReadOnly)) {
    throw Error(sqlstate::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                command_tag);
  }
}

void Engine::State::refuse_unsupported(const Portal& portal, const Node& node) const {
  // That a relation does not exist is said before that the statement is not supported.
  const ParsedQuery& parsed = *portal.statement->parsed;
  for (std::string_view kind : {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt",
                                "AlterTableStmt", "IndexStmt"}) {
    if (node.kind_name != kind) continue;
    if (kind == "AlterTableStmt" && node.flag("missing_ok")) break;
    check_relation(parsed, node.node("relation"));
  }
  for (const Node* target : node.list("rels")) {
    check_relation(parsed, target->node("relation"));  // VACUUM
  }
  for (std::string_view kind : {"TruncateStmt", "LockStmt"}) {
    if (node.kind_name != kind) continue;
    for (const Node* relation : node.list("relations")) check_relation(parsed, relation);
  }
  throw Error(sqlstate::kFeatureNotSupported, "{} is not supported", portal.statement->tag());
}

std::vector<ResultColumn> Engine::State::utility_columns(const Node& node) {
  const BuiltinType* text = find_type(type_oid::kText);
  switch (node.kind) {
    case NodeKind::kVariableShowStmt: {
      std::string_view name = node.string("name");
      if (name == "all") {
        return {{"name", 0, 0, text}, {"setting", 0, 0, text}, {"description", 0, 0, text}};
      }
      return {{settings_name(name), 0, 0, text}};
    }
    case NodeKind::kExplainStmt:
      return {{"QUERY PLAN", 0, 0, text}};
    case NodeKind::kExecuteStmt: {
      auto at = statements.find(node.string("name"));
      return at == statements.end() ? std::vector<ResultColumn>{} : at->second->columns;
    }
    case NodeKind::kFetchStmt: {
      auto at = portals.find(node.string("portalname"));
      if (at == portals.end() || node.flag("ismove")) return {};
      return at->second->statement->columns;
    }
    default:
      return {};
  }
}

// --- transactions

std::string_view Engine::State::transaction_command(const Node& node) {
  TransactionBlock& block = session.transaction;
  std::string_view kind = node.string("kind");
  bool chain = node.flag("chain");
  std::string_view savepoint = node.string("savepoint_name");
  if (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START") {
    block.begin();
    for (const Node* option : node.list("options")) set_transaction_option(*option, false);
    return kind == "TRANS_STMT_BEGIN" ? "BEGIN" : "START TRANSACTION";
  }
  if (kind == "TRANS_STMT_COMMIT") {
    return block.commit(chain) ? "COMMIT" : "ROLLBACK";
  }
  if (kind == "TRANS_STMT_ROLLBACK") {
    block.rollback(chain);
    return "ROLLBACK";
  }
  if (kind == "TRANS_STMT_SAVEPOINT") {
    block.savepoint(savepoint);
    return "SAVEPOINT";
  }
  if (kind == "TRANS_STMT_RELEASE") {
    block.release(savepoint);
    return "RELEASE";
  }
  if (kind == "TRANS_STMT_ROLLBACK_TO") {
    block.rollback_to(savepoint);
    return "ROLLBACK";
  }
  if (kind != "TRANS_STMT_PREPARE") {
    throw Error(sqlstate::kUndefinedObject,
                "prepared transaction with identifier \"{}\" does not exist", node.string("gid"));
  }
  throw Error(sqlstate::kObjectNotInPrerequisiteState, "prepared transactions are disabled")
      .hint("Set max_prepared_transactions to a nonzero value.");
}

// --- prepared statements

std::string_view Engine::State::prepare_command(Portal& portal, const Node& node) {
  std::string_view name = node.string("name");
  if (name.empty()) {
    throw Error(sqlstate::kInvalidPstatementDefinition,
                "invalid statement name: must not be empty");
  }
  const Node& query = *node.node("query");
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->name = name;
  prepared->by_command = true;
  prepared->prepared_us = session.statement_start_us;
  prepared->parsed = portal.statement->parsed;
  prepared->text = portal.statement->text;
  ParsedStatement* inner = prepared->arena.make<ParsedStatement>(*portal.statement->statement);
  inner->node = &query;
  inner->tag = command_tag_of(query);
  prepared->statement = inner;
  if (!is_query(query)) {
    check_relation(*prepared->parsed, query.node("relation"));
    throw Error(sqlstate::kFeatureNotSupported, "PREPARE of {} is not supported", inner->tag);
  }
  EvalContext literals = context();
  literals.arena = &prepared->arena;
  AnalyzeInput input{
      &session, prepared->parsed->text, &prepared->arena, &prepared->parameters, true, &literals};
  for (const Node* type : node.list("argtypes")) {
    prepared->parameters.push_back(Analyzer(input).resolve_type(*type).type->oid);
  }
  analyse(*prepared, query, true);
  prepared->is_fresh = false;
  fill_columns(*prepared);
  if (!statements.try_emplace(std::string(name), prepared).second) {
    throw Error(sqlstate::kDuplicatePstatement, "prepared statement \"{}\" already exists", name);
  }
  return "PREPARE";
}

std::string_view Engine::State::execute_command(Portal& portal, const Node& node,
                                                RowReceiver& receiver) {
  Portal inner;
  evaluate_arguments(portal, node, inner);
  const PreparedStatement& prepared = *inner.statement;
  inner.formats.assign(prepared.columns.size(), 0);
  if (portal.formats.size() == inner.formats.size()) inner.formats = portal.formats;
  run(inner, 0, receiver);
  return tag;
}

void Engine::State::evaluate_arguments(Portal& portal, const Node& node, Portal& inner) {
  std::string_view name = node.string("name");
  std::shared_ptr<PreparedStatement> statement = find_statement(name);
  PreparedStatement& prepared = *statement;
  NodeList params = node.list("params");
  if (params.size() != prepared.parameters.size()) {
    throw Error(sqlstate::kSyntaxError, "wrong number of parameters for prepared statement \"{}\"",
                name)
        .detail("Expected {} parameters but got {}.", prepared.parameters.size(), params.size());
  }
  inner.statement = std::move(statement);
  EvalContext evaluation = context();
  evaluation.arena = &inner.parameter_arena;
  std::vector<Oid> none;
  AnalyzeInput input{
      &session, portal.statement->parsed->text, &inner.parameter_arena, &none, false, &evaluation};
  Analyzer analyzer(input);
  for (size_t i = 0; i < params.size(); ++i) {
    Expr* value = analyzer.analyze_standalone(*params[i], prepared.parameters[i], "parameter",
                                              static_cast<int>(i + 1));
    Query query;
    Target target;
    target.expr = value;
    query.targets.push(inner.parameter_arena, target);
    auto execution = plan_statement(query, inner.parameter_arena, {}, session.task, evaluation);
    execution->start();
    execution->next();
    bool is_null = execution->row_nulls()[0];
    const BuiltinType* type = find_type(prepared.parameters[i]);
    inner.nulls.push_back(is_null ? 1 : 0);
    inner.values.push_back(
        is_null ? 0 : copy_datum(*type, execution->row_values()[0], inner.parameter_arena));
  }
}

std::string_view Engine::State::deallocate_command(const Node& node) {
  std::string_view name = node.string("name");
  if (name.empty()) {
    statements.clear();
    return "DEALLOCATE ALL";
  }
  find_statement(name);
  statements.erase(statements.find(name));
  return "DEALLOCATE";
}

std::string_view Engine::State::discard_command(const Node& node) {
  std::string_view target = node.string("target");
  if (target == "DISCARD_ALL") {
    session.transaction.prevent_in_block("DISCARD ALL");
    std::erase_if(portals, [](const auto&) { return true; });
    settings().reset_all(session.is_superuser ? SettingContext::kSuperuser : SettingContext::kUser);
    statements.clear();
    if (my_or_null() != nullptr) release_session_advisory_locks();
    return "DISCARD ALL";
  }
  if (target == "DISCARD_PLANS") return "DISCARD PLANS";
  return target == "DISCARD_TEMP" ? "DISCARD TEMP" : "DISCARD SEQUENCES";
}

}  // namespace cofork
