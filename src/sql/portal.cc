// Prepared statements and portals: making, binding, running (prepare.c, portalmem.c, pquery.c).
#include "catalog/names.h"
#include "settings/hooks.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "sql/engine_state.h"
#include "txn/transaction.h"

namespace cofork {

// --- statements

std::shared_ptr<PreparedStatement> Engine::State::prepare(std::shared_ptr<const ParsedQuery> parsed,
                                                          const ParsedStatement* statement,
                                                          std::span<const Oid> types,
                                                          bool variable) {
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->parsed = std::move(parsed);
  prepared->statement = statement;
  prepared->parameters.assign(types.begin(), types.end());
  if (statement == nullptr) return prepared;
  prepared->text = prepared->parsed->text_of(*statement);
  prepared->statement_class = class_of(statement->tag);
  refuse_in_failed_block(*prepared);
  if (is_query(*statement->node)) analyse(*prepared, *statement->node, variable);
  fill_columns(*prepared);
  return prepared;
}

bool is_query(const Node& node) {
  return node.is(NodeKind::kSelectStmt) || node.kind_name == "InsertStmt" ||
         node.kind_name == "UpdateStmt" || node.kind_name == "DeleteStmt";
}

void Engine::State::analyse(PreparedStatement& prepared, const Node& node, bool variable) {
  bool has_tables = my_or_null() != nullptr;
  prepared.dependencies.clear();
  if (has_tables) prepared.dependencies.names_generation = names_generation();
  EvalContext literals = context();
  literals.arena = &prepared.arena;
  AnalyzeInput input{&session,
                     prepared.parsed->text,
                     &prepared.arena,
                     &prepared.parameters,
                     variable,
                     &literals,
                     has_tables ? &prepared.dependencies : nullptr};
  Analyzer analyzer(input);
  prepared.query = analyzer.analyze(node);
  analyzer.check_parameters();
  prepared.is_fresh = true;
}

void Engine::State::revalidate(PreparedStatement& prepared) {
  Dependencies& known = prepared.dependencies;
  if (known.relations.empty() || prepared.is_fresh) {
    prepared.is_fresh = false;
    return;
  }
  bool is_valid = known.names_generation == names_generation();
  for (const Dependencies::Relation& relation : known.relations) {
    const RelationDesc* now = try_open_relation(relation.oid, relation.mode);
    is_valid &= now != nullptr && now->version == relation.version;
  }
  if (is_valid) return;
  prepared.idle.reset();
  std::vector<ResultColumn> before = std::move(prepared.columns);
  std::vector<std::string> names;
  for (const ResultColumn& column : before) names.emplace_back(column.name);
  prepared.columns.clear();
  prepared.arena.reset();
  prepared.query = nullptr;
  analyse(prepared, *prepared.statement->node, false);
  prepared.is_fresh = false;
  fill_columns(prepared);
  bool same = before.size() == prepared.columns.size();
  for (size_t i = 0; same && i < before.size(); ++i) {
    const ResultColumn& now = prepared.columns[i];
    same = now.type == before[i].type && now.typmod == before[i].typmod && now.name == names[i];
  }
  if (!same) {
    throw Error(sqlstate::kFeatureNotSupported, "cached plan must not change result type");
  }
}

namespace {

/// Which table's or view's column `expr` is, also through sub-selects and WITH; nothing when it is
/// computed (markTargetListOrigin in parse_target.c).
void set_origin(const Expr* expr, ResultColumn& result) {
  while (expr->kind == ExprKind::kVar && expr->column >= 0) {
    const RangeEntry& entry = *expr->entry;
    int beyond = expr->column - static_cast<int>(entry.columns.size());
    if (entry.relation != nullptr || entry.view != nullptr) {
      result.table = entry.relation != nullptr ? entry.relation->oid : entry.view->oid;
      // System columns are numbered downwards from -1.
      result.number = static_cast<int16_t>(beyond < 0 ? expr->column + 1 : -1 - beyond);
      return;
    }
    const Query* source = entry.kind == RangeKind::kSubquery      ? entry.subquery
                          : entry.kind == RangeKind::kCommonTable ? entry.table->query
                                                                  : nullptr;
    if (source == nullptr) return;
    int wanted = expr->column;
    const Expr* below = nullptr;
    for (const Target& target : source->targets) {
      if (!target.junk && wanted-- == 0) below = target.expr;
    }
    if (below == nullptr) return;
    expr = below;
  }
}

}  // namespace

void Engine::State::fill_columns(PreparedStatement& prepared) {
  if (prepared.query == nullptr) {
    prepared.columns = utility_columns(*prepared.statement->node);
    return;
  }
  const Query& query = *prepared.query;
  const List<Target>& targets =
      query.modification == nullptr ? query.targets : query.modification->returning;
  for (const Target& target : targets) {
    if (target.junk) continue;
    prepared.columns.push_back(
        {target.name, kInvalidOid, 0, find_type(target.expr->type), target.expr->typmod});
    set_origin(target.expr, prepared.columns.back());
  }
}

std::shared_ptr<PreparedStatement>& Engine::State::find_statement(std::string_view name) {
  if (name.empty()) {
    if (unnamed_statement != nullptr) return unnamed_statement;
    throw Error(sqlstate::kUndefinedPstatement, "unnamed prepared statement does not exist");
  }
  auto at = statements.find(name);
  if (at != statements.end()) return at->second;
  throw Error(sqlstate::kUndefinedPstatement, "prepared statement \"{}\" does not exist", name);
}

void Engine::State::refuse_in_failed_block(const PreparedStatement& prepared) const {
  if (!session.transaction.has_failed() || prepared.statement == nullptr) return;
  const Node& node = *prepared.statement->node;
  if (node.is(NodeKind::kTransactionStmt)) {
    std::string_view kind = node.string("kind");
    if (kind == "TRANS_STMT_COMMIT" || kind == "TRANS_STMT_ROLLBACK" ||
        kind == "TRANS_STMT_ROLLBACK_TO" || kind == "TRANS_STMT_PREPARE") {
      return;
    }
  }
  throw Error(sqlstate::kInFailedSqlTransaction,
              "current transaction is aborted, commands ignored until end of transaction block");
}

// --- portals

Portal& Engine::State::find_portal(std::string_view name) {
  if (name.empty() && unnamed_portal->statement != nullptr) return *unnamed_portal;
  auto at = portals.find(name);
  if (at != portals.end()) return *at->second;
  throw Error(sqlstate::kUndefinedCursor, "portal \"{}\" does not exist", name);
}

Portal& Engine::State::make_portal(std::string_view name,
                                   std::shared_ptr<PreparedStatement> statement) {
  Portal* portal = unnamed_portal.get();
  if (name.empty()) {
    drop_portal(name);
  } else {
    auto [at, fresh] = portals.try_emplace(std::string(name));
    if (!fresh) {
      throw Error(sqlstate::kDuplicateCursor, "cursor \"{}\" already exists", name);
    }
    at->second = std::make_unique<Portal>();
    portal = at->second.get();
    portal->name = name;
  }
  portal->statement = std::move(statement);
  portal->state = Portal::State::kReady;
  portal->created_us = session.statement_start_us;
  portal->position = 0;
  portal->at_end = false;
  portal->values.clear();
  portal->nulls.clear();
  return *portal;
}

namespace {

Datum read_parameter(EvalContext& context, const BuiltinType& type, const ParameterValue& given) {
  if (given.is_null) return 0;
  if (given.format == 0) return type.from_text(context, given.bytes);
  if (given.format == 1) return type.from_binary(context, given.bytes);
  throw Error(sqlstate::kInvalidParameterValue, "unsupported format code: {}", given.format);
}

/// As bind_param_error_callback(): which parameter it was, without its value.
std::string parameter_context(std::string_view portal, size_t number, bool is_text) {
  std::string name = portal.empty() ? "unnamed portal" : fmt::format("portal \"{}\"", portal);
  return fmt::format("{} parameter ${}{}", name, number, is_text ? " = '...'" : "");
}

}  // namespace

void Engine::State::bind_values(Portal& portal, std::span<const ParameterValue> values) {
  portal.parameter_arena.reset();
  EvalContext reading = context();
  reading.arena = &portal.parameter_arena;
  for (size_t i = 0; i < values.size(); ++i) {
    const ParameterValue& given = values[i];
    try {
      portal.values.push_back(
          read_parameter(reading, *find_type(portal.statement->parameters[i]), given));
    } catch (Error& error) {
      error.data().context = parameter_context(portal.name, i + 1, given.format == 0);
      throw;
    }
    portal.nulls.push_back(given.is_null ? 1 : 0);
  }
}

void Engine::State::set_formats(Portal& portal, std::span<const int16_t> formats) {
  size_t columns = portal.statement->columns.size();
  if (formats.size() > 1 && formats.size() != columns) {
    throw Error(sqlstate::kProtocolViolation,
                "bind message has {} result formats but query has {} columns", formats.size(),
                columns);
  }
  portal.formats.assign(columns, formats.size() == 1 ? formats[0] : int16_t{0});
  if (formats.size() > 1) portal.formats.assign(formats.begin(), formats.end());
}

void Engine::State::plan(Portal& portal) {
  PreparedStatement& prepared = *portal.statement;
  revalidate(prepared);
  portal.execution = std::move(prepared.idle);
  if (portal.execution != nullptr) return;
  portal.execution =
      plan_statement(*prepared.query, prepared.arena, prepared.parameters, session.task, context());
}

void Engine::State::start_execution(Portal& portal) {
  if (portal.execution == nullptr) plan(portal);
  Execution& execution = *portal.execution;
  Arena* arena = &execution.arena;
  execution.context = context();
  execution.context.arena = arena;
  for (size_t i = 0; i < portal.values.size(); ++i) {
    execution.set_parameter(static_cast<int>(i + 1), portal.values[i], portal.nulls[i] != 0);
  }
  const PreparedStatement& statement = *portal.statement;
  check_read_only(*statement.query, statement.tag());
  session.transaction.note_query();
  if (!statement.dependencies.relations.empty()) {
    execution.snapshot = register_snapshot(take_snapshot());
  }
  execution.start();
  portal.state = Portal::State::kRunning;
}

void Engine::State::check_read_only(const Query& query, std::string_view command_tag) const {
  if (query.command == CommandKind::kSelect && !query.locks_rows) return;
  if (!settings().get(setting::kTransactionReadOnly)) return;
  std::string_view name = query.locks_rows ? "SELECT FOR UPDATE" : command_tag;
  throw Error(sqlstate::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
              name);
}

void Engine::State::finish_execution(Portal& portal) {
  if (portal.execution != nullptr) portal.execution->finish();
  // A statement that will run again keeps what was built for it.
  if (portal.execution != nullptr && portal.statement != nullptr &&
      portal.statement.use_count() > 1) {
    portal.statement->idle = std::move(portal.execution);
  }
  portal.execution.reset();
}

ExecuteResult Engine::State::run(Portal& portal, int64_t max_rows, RowReceiver& receiver) {
  if (portal.statement->query != nullptr) return run_query(portal, max_rows, receiver);
  return run_utility(portal, max_rows, receiver);
}

ExecuteResult Engine::State::run_query(Portal& portal, int64_t max_rows, RowReceiver& receiver) {
  if (portal.state == Portal::State::kDone && portal.statement->columns.empty() &&
      portal.statement->query->modification != nullptr) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState, "portal \"{}\" cannot be run",
                portal.name);
  }
  if (portal.state == Portal::State::kReady) start_execution(portal);
  if (portal.statement->query->modification != nullptr) {
    // What is changed is changed at once, however few rows are asked for (PORTAL_ONE_RETURNING).
    if (portal.buffer != nullptr || (max_rows > 0 && !portal.statement->columns.empty())) {
      return run_buffered(portal, max_rows, receiver);
    }
    max_rows = 0;
  }
  if (portal.statement->query->modification == nullptr || !portal.statement->columns.empty()) {
    receiver.begin_rows(portal.statement->columns, portal.formats);
  }
  int64_t count = 0;
  bool ended = portal.state == Portal::State::kDone;
  if (!ended) {
    Execution& execution = *portal.execution;
    while (max_rows <= 0 || count < max_rows) {
      session.task.check_interrupts();
      if (!execution.next()) {
        ended = true;
        break;
      }
      receiver.row(execution.context, execution.row_values(), execution.row_nulls());
      ++count;
    }
  }
  if (!ended) return {ExecuteOutcome::kSuspended, {}};
  const char* verb = "SELECT ";
  if (portal.statement->query->modification != nullptr && portal.execution != nullptr) {
    count = portal.execution->processed;
  }
  switch (portal.statement->query->command) {
    case CommandKind::kSelect:
      break;
    case CommandKind::kInsert:
      verb = "INSERT 0 ";
      break;
    case CommandKind::kUpdate:
      verb = "UPDATE ";
      break;
    case CommandKind::kDelete:
      verb = "DELETE ";
      break;
  }
  if (portal.state != Portal::State::kDone) {
    portal.state = Portal::State::kDone;
    finish_execution(portal);
    if (my_or_null() != nullptr) my_transaction().command_counter_increment();
    if (portal.statement->query->modification != nullptr) foreign_keys.fire_immediate();
  }
  tag.assign(verb);
  char digits[24];
  auto end = fmt::format_to(digits, "{}", count);
  tag.append(digits, end);
  return {ExecuteOutcome::kComplete, tag};
}

ExecuteResult Engine::State::run_buffered(Portal& portal, int64_t max_rows, RowReceiver& receiver) {
  if (portal.buffer == nullptr) {
    portal.buffer = std::make_unique<RowBuffer>();
    portal.buffer->arenas.push_back(std::make_unique<Arena>());
    BufferReceiver all(*portal.buffer);
    run_query(portal, 0, all);
    portal.tag = tag;
  }
  return give_buffered(portal, max_rows, receiver);
}

void Engine::State::release_portals(bool commit) {
  if (unnamed_portal->statement != nullptr) finish_execution(*unnamed_portal);
  for (auto& [name, portal] : portals) {
    if (portal->execution == nullptr) continue;
    if (commit && portal->is_holdable) {
      while (fetch_row(*portal, static_cast<int64_t>(portal->buffer->rows.size()) + 1)) {
        session.task.check_interrupts();
      }
    }
    finish_execution(*portal);
    portal->at_end = true;
  }
}

void Engine::State::drop_portal(std::string_view name) {
  if (!name.empty()) {
    auto at = portals.find(name);
    if (at == portals.end()) return;
    finish_execution(*at->second);
    portals.erase(at);
    return;
  }
  Portal& portal = *unnamed_portal;
  if (portal.statement == nullptr) return;
  finish_execution(portal);
  portal.buffer.reset();
  portal.statement.reset();
}

void Engine::State::drop_portals(bool all) {
  // After an error an execution may be in any state: it is not kept for the next time.
  if (all) unnamed_portal->execution.reset();
  drop_portal("");
  // A holdable cursor outlives the transaction that made it, if that one commits.
  std::erase_if(portals, [&](const auto& item) {
    Portal& portal = *item.second;
    if (!all && portal.is_holdable) portal.is_held = true;
    return !portal.is_held;
  });
}

// --- names

std::optional<Oid> RelationNames::find_relation(std::string_view schema, std::string_view name) {
  if (my_or_null() == nullptr) {
    const BuiltinView* view = find_view(schema, name);
    if (view == nullptr) return std::nullopt;
    return view->oid;
  }
  FoundRelation found = cofork::find_relation(schema, name);
  if (!found) return std::nullopt;
  return found.oid;
}

std::optional<std::string> RelationNames::relation_name(Oid oid) {
  if (my_or_null() != nullptr) return relation_display_name(oid);
  const BuiltinView* view = find_view(oid);
  if (view == nullptr) return std::nullopt;
  return view->name;
}

// --- statement boundaries

int64_t Engine::State::now_us() const {
  constexpr int64_t kEpochUs = 946'684'800'000'000;
  return session.task.os().clock.realtime_us() - kEpochUs;
}

void Engine::State::statement_arrived() {
  session.statement_start_us = now_us();
  start_statement();
}

void Engine::State::start_statement() {
  session.transaction.start_statement(session.statement_start_us);
}

void Engine::State::finish_statement() {
  session.transaction.end_statement();
  if (session.transaction.is_idle()) drop_portals(false);
}

const EvalContext& Engine::State::context() {
  SettingsView& view = settings();
  if (view.version() != context_version) {
    context_version = view.version();
    base.extra_float_digits = view.get(setting::kExtraFloatDigits);
    base.bytea_hex = view.get(setting::kByteaOutput) == setting::ByteaOutput::kHex;
    base.interval_style = static_cast<IntervalStyle>(view.get(setting::kIntervalStyle));
    if (auto zone = time_zone_from_setting(view.get(setting::kTimeZone))) time_zone = *zone;
    if (const auto* style = view.derived<DateStyleValue>(setting::kDateStyle)) {
      switch (style->style) {
        case DateStyleValue::Style::kPostgres:
          base.date_style = DateStyle::kPostgres;
          break;
        case DateStyleValue::Style::kIso:
          base.date_style = DateStyle::kIso;
          break;
        case DateStyleValue::Style::kSql:
          base.date_style = DateStyle::kSql;
          break;
        case DateStyleValue::Style::kGerman:
          base.date_style = DateStyle::kGerman;
          break;
      }
      base.date_order = style->order == DateStyleValue::Order::kYmd   ? DateOrder::kYmd
                        : style->order == DateStyleValue::Order::kDmy ? DateOrder::kDmy
                                                                      : DateOrder::kMdy;
    }
  }
  base.session = &session;
  base.time_zone = &time_zone;
  base.random = &random;
  base.regex_cache = &regexes;
  base.object_names = &relation_names;
  base.transaction_start_us = session.transaction.start_us();
  base.statement_start_us = session.statement_start_us;
  return base;
}

}  // namespace cofork
