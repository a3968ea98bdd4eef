// The simple protocol, and the entry points of engine.h.
#include "sql/engine.h"

#include "settings/settings.h"
#include "sql/engine_state.h"

namespace cofork {

Engine::Engine(Session& session)
    : session_(session), settings_(settings()), state_(std::make_unique<State>(session)) {
  session.engine = this;
  session.transaction.set_before_end([this](bool commit) {
    state_->release_portals(commit);
    if (commit) state_->foreign_keys.fire_all();
  });
  session.login_is_superuser = session.is_superuser;
  settings_.set_host(&state_->host);
}

Engine::~Engine() {
  session_.transaction.set_before_end(nullptr);
  settings_.set_host(nullptr);
  session_.engine = nullptr;
}

StatementClass class_of(std::string_view tag) {
  for (std::string_view word : {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE TABLE", "COPY"}) {
    if (tag == word) return StatementClass::kModification;
  }
  for (std::string_view word : {"CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT", "SECURITY",
                                "IMPORT", "REASSIGN"}) {
    if (tag.starts_with(word) && tag != "ALTER SYSTEM") return StatementClass::kDefinition;
  }
  return tag == "ALTER SYSTEM" ? StatementClass::kDefinition : StatementClass::kOther;
}

void Engine::simple_query(std::string_view text, RowReceiver& receiver) {
  State& state = *state_;
  state.statement_arrived();
  state.unnamed_statement.reset();
  std::shared_ptr<const ParsedQuery> parsed = state.cache.parse(text);
  StatementClass strongest = StatementClass::kOther;
  for (const ParsedStatement& statement : parsed->statements) {
    strongest = std::max(strongest, class_of(statement.tag));
  }
  receiver.parsed(strongest);
  bool several = parsed->statements.size() > 1;
  for (size_t i = 0; i < parsed->statements.size(); ++i) {
    const ParsedStatement& statement = parsed->statements[i];
    bool is_last = i + 1 == parsed->statements.size();
    state.running_tag = statement.tag;
    receiver.begin_statement(statement.tag);
    state.start_statement();
    if (several) session_.transaction.begin_implicit();
    auto prepared = state.prepare(parsed, &statement, {}, false);
    session_.task.check_interrupts();
    Portal& portal = state.make_portal("", std::move(prepared));
    state.set_formats(portal, {});
    ExecuteResult result = state.run(portal, 0, receiver);
    state.drop_portal("");
    if (is_last) session_.transaction.end_implicit();
    if (is_last || statement.node->is(NodeKind::kTransactionStmt)) state.finish_statement();
    receiver.complete(result.tag);
  }
  if (parsed->statements.empty()) {
    receiver.empty_query();
    state.finish_statement();
  }
  state.running_tag = {};
}

void Engine::parse(std::string_view name, std::string_view text, std::span<const Oid> types) {
  State& state = *state_;
  state.statement_arrived();
  if (name.empty()) {
    state.unnamed_statement.reset();
  } else if (state.statements.contains(name)) {
    throw Error(sqlstate::kDuplicatePstatement, "prepared statement \"{}\" already exists", name);
  }
  std::shared_ptr<const ParsedQuery> parsed = state.cache.parse(text);
  if (parsed->statements.size() > 1) {
    throw Error(sqlstate::kSyntaxError,
                "cannot insert multiple commands into a prepared statement");
  }
  const ParsedStatement* statement = parsed->statements.empty() ? nullptr : &parsed->statements[0];
  auto prepared = state.prepare(parsed, statement, types, true);
  prepared->is_fresh = false;
  prepared->name = name;
  prepared->text = parsed->text;
  prepared->prepared_us = session_.statement_start_us;
  if (name.empty()) {
    state.unnamed_statement = std::move(prepared);
  } else {
    state.statements.emplace(name, std::move(prepared));
  }
}

void Engine::bind(std::string_view portal_name, std::string_view statement_name,
                  std::span<const ParameterValue> values, std::span<const int16_t> result_formats) {
  State& state = *state_;
  state.statement_arrived();
  std::shared_ptr<PreparedStatement>& statement = state.find_statement(statement_name);
  PreparedStatement& prepared = *statement;
  if (values.size() != prepared.parameters.size()) {
    throw Error(sqlstate::kProtocolViolation,
                "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                values.size(), statement_name, prepared.parameters.size());
  }
  state.refuse_in_failed_block(prepared);
  Portal& portal = state.make_portal(portal_name, statement);
  state.bind_values(portal, values);
  if (prepared.query != nullptr) state.plan(portal);
  state.set_formats(portal, result_formats);
}

ExecuteResult Engine::execute(std::string_view portal_name, int64_t max_rows,
                              RowReceiver& receiver) {
  State& state = *state_;
  Portal& portal = state.find_portal(portal_name);
  if (portal.statement->statement == nullptr) return {ExecuteOutcome::kEmpty, {}};
  state.statement_arrived();
  state.refuse_in_failed_block(*portal.statement);
  state.running_tag = portal.statement->tag();
  // The portal may be gone after a command that ends the transaction.
  bool ends_transaction = portal.statement->statement->node->is(NodeKind::kTransactionStmt);
  ExecuteResult result = state.run(portal, max_rows, receiver);
  if (ends_transaction) state.finish_statement();
  state.running_tag = {};
  return result;
}

void Engine::close_statement(std::string_view name) {
  if (name.empty()) {
    state_->unnamed_statement.reset();
  } else if (auto at = state_->statements.find(name); at != state_->statements.end()) {
    state_->statements.erase(at);
  }
}

void Engine::close_portal(std::string_view name) {
  state_->drop_portal(name);
}

void Engine::sync() {
  session_.transaction.end_implicit();
  state_->finish_statement();
}

std::span<const Oid> Engine::statement_parameters(std::string_view name) {
  return state_->find_statement(name)->parameters;
}

std::span<const ResultColumn> Engine::statement_columns(std::string_view name) {
  PreparedStatement& statement = *state_->find_statement(name);
  state_->refuse_in_failed_block(statement);
  return statement.columns;
}

std::span<const ResultColumn> Engine::portal_columns(std::string_view name,
                                                     std::span<const int16_t>* formats) {
  Portal& portal = state_->find_portal(name);
  state_->refuse_in_failed_block(*portal.statement);
  if (formats != nullptr) *formats = portal.formats;
  return portal.statement->columns;
}

void Engine::failed() {
  state_->drop_portals(true);
  session_.transaction.fail();
  if (!session_.transaction.has_failed() || session_.transaction.nesting_level() == 1) {
    state_->foreign_keys.clear();
  }
  state_->running_tag = {};
}

EvalContext Engine::evaluation_context(Arena& arena) {
  EvalContext context = state_->context();
  context.arena = &arena;
  return context;
}

std::string_view Engine::command_tag() const {
  return state_->running_tag;
}

std::string_view Engine::statement_text(std::string_view name) {
  return state_->find_statement(name)->text;
}

Engine::PortalInfo Engine::portal_info(std::string_view name) {
  Portal& portal = state_->find_portal(name);
  const PreparedStatement& statement = *portal.statement;
  return {statement.text, statement.name, statement.tag(), statement.statement_class,
          portal.state != Portal::State::kReady};
}

std::string Engine::portal_parameters(std::string_view name) {
  Portal& portal = state_->find_portal(name);
  std::string text;
  for (size_t i = 0; i < portal.values.size(); ++i) {
    if (i > 0) text += ", ";
    text += fmt::format("${} = ", i + 1);
    if (portal.nulls[i] != 0) {
      text += "NULL";
      continue;
    }
    std::string value;
    EvalContext context = state_->context();
    context.arena = &portal.parameter_arena;
    find_type(portal.statement->parameters[i])->to_text(context, portal.values[i], value);
    text += '\'';
    for (char c : value) {
      if (c == '\'') text += c;
      text += c;
    }
    text += '\'';
  }
  return text;
}

}  // namespace cofork
