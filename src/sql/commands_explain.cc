// EXPLAIN [ANALYZE]: options, and the statement it is about (ExplainQuery, ExplainOneQuery in
// explain.c, 15).
#include <fmt/format.h>

#include "os/os.h"
#include "sql/engine_state.h"
#include "sql/explain.h"
#include "sql/table_definition.h"
#include "storage/buffer_pool.h"
#include "support/error.h"

namespace cofork {
namespace {

bool explain_flag(const Node& option, std::string_view name) {
  const Node* argument = option.node("arg");
  if (argument == nullptr) return true;
  std::string value = option_text(option);
  for (std::string_view yes : {"true", "on", "1"}) {
    if (value == yes) return true;
  }
  for (std::string_view no : {"false", "off", "0"}) {
    if (value == no) return false;
  }
  throw Error(sqlstate::kSyntaxError, "{} requires a Boolean value", name);
}

ExplainFormat explain_format(const Node& option, std::string_view text) {
  std::string value = option_text(option);
  if (value == "text") return ExplainFormat::kText;
  if (value == "json") return ExplainFormat::kJson;
  if (value == "yaml") return ExplainFormat::kYaml;
  if (value == "xml") {
    throw Error(sqlstate::kFeatureNotSupported, "EXPLAIN option FORMAT XML is not supported");
  }
  throw Error(sqlstate::kInvalidParameterValue,
              "unrecognized value for EXPLAIN option \"format\": \"{}\"", value)
      .position(character_position(text, option.location()));
}

ExplainOptions read_explain_options(const Node& node, std::string_view text) {
  ExplainOptions options;
  bool has_timing = false, has_summary = false;
  for (const Node* option : node.list("options")) {
    std::string_view name = option->string("defname");
    if (name == "analyze") {
      options.analyze = explain_flag(*option, name);
    } else if (name == "verbose") {
      options.verbose = explain_flag(*option, name);
    } else if (name == "costs") {
      options.costs = explain_flag(*option, name);
    } else if (name == "buffers") {
      options.buffers = explain_flag(*option, name);
    } else if (name == "timing") {
      has_timing = true;
      options.timing = explain_flag(*option, name);
    } else if (name == "summary") {
      has_summary = true;
      options.summary = explain_flag(*option, name);
    } else if (name == "format") {
      options.format = explain_format(*option, text);
    } else if (name == "wal" || name == "settings") {
      if (explain_flag(*option, name)) {
        throw Error(sqlstate::kFeatureNotSupported, "EXPLAIN option {} is not supported",
                    name == "wal" ? "WAL" : "SETTINGS");
      }
    } else {
      throw Error(sqlstate::kSyntaxError, "unrecognized EXPLAIN option \"{}\"", name)
          .position(character_position(text, option->location()));
    }
  }
  if (!has_timing) options.timing = options.analyze;
  if (options.timing && !options.analyze) {
    throw Error(sqlstate::kInvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE");
  }
  if (!has_summary) options.summary = options.analyze;
  return options;
}

BufferUsage buffer_usage_since(const BufferUsage& before) {
  const BufferUsage& now = buffer_usage();
  return {now.hit - before.hit, now.read - before.read, now.dirtied - before.dirtied,
          now.written - before.written};
}

/// The rows of a statement that only is measured.
class RowsToNobody final : public RowReceiver {
 public:
  void begin_rows(std::span<const ResultColumn>, std::span<const int16_t>) override {}
  void row(EvalContext&, const Datum*, const bool*) override {}
  void complete(std::string_view) override {}
  void empty_query() override {}
};

}  // namespace

/// What is explained, analysed for this once.
std::shared_ptr<PreparedStatement> Engine::State::prepare_explained(Portal& portal,
                                                                    const Node& query,
                                                                    ParsedStatement& inner) {
  auto explained = std::make_shared<PreparedStatement>();
  explained->parsed = portal.statement->parsed;
  const Node* body = &query;
  Portal arguments;
  if (query.is(NodeKind::kExecuteStmt)) {
    PreparedStatement& prepared = *find_statement(query.string("name"));
    evaluate_arguments(portal, query, arguments);
    explained->parsed = prepared.parsed;
    explained->parameters = prepared.parameters;
    body = prepared.statement->node;
  } else if (query.kind_name == "CreateTableAsStmt" || query.is(NodeKind::kDeclareCursorStmt)) {
    body = query.node("query");
  }
  if (body == nullptr || !is_query(*body)) {
    check_relation(*portal.statement->parsed, query.node("relation"));
    throw Error(sqlstate::kFeatureNotSupported, "EXPLAIN of {} is not supported",
                command_tag_of(query));
  }
  inner.node = body;
  inner.tag = command_tag_of(*body);
  explained->statement = &inner;
  analyse(*explained, *body, false);
  fill_columns(*explained);
  if (!arguments.values.empty()) set_constants(*explained, arguments);
  return explained;
}

/// The parameters' values in their places: a plan for these alone (a custom plan).
void Engine::State::set_constants(PreparedStatement& explained, const Portal& arguments) {
  walk_query(*explained.query, 0, [&](const Expr& part, int) {
    if (part.kind != ExprKind::kParam) return true;
    auto number = static_cast<size_t>(part.column - 1);
    Expr& constant = const_cast<Expr&>(part);
    constant.kind = ExprKind::kConst;
    constant.is_null = arguments.nulls[number] != 0;
    const BuiltinType* type = find_type(part.type);
    constant.value =
        constant.is_null ? 0 : copy_datum(*type, arguments.values[number], explained.arena);
    return true;
  });
}

std::string_view Engine::State::explain_command(Portal& portal, const Node& node,
                                                RowReceiver& receiver) {
  ExplainOptions options = read_explain_options(node, portal.statement->parsed->text);
  ParsedStatement inner;
  std::shared_ptr<PreparedStatement> explained =
      prepare_explained(portal, *node.node("query"), inner);
  Clock& clock = session.task.os().clock;
  ExplainSummary summary;
  BufferUsage before;
  if (options.buffers) before = buffer_usage();
  int64_t started = clock.monotonic_ns();
  Portal runner;
  runner.statement = explained;
  runner.execution = plan_statement(*explained->query, explained->arena, explained->parameters,
                                    session.task, context(), options.analyze);
  summary.planning_ms = static_cast<double>(clock.monotonic_ns() - started) / 1e6;
  if (options.buffers) summary.planning_buffers = buffer_usage_since(before);
  std::unique_ptr<Execution> execution;
  if (options.analyze) {
    started = clock.monotonic_ns();
    RowsToNobody nobody;
    runner.formats.assign(explained->columns.size(), 0);
    run(runner, 0, nobody);
    summary.execution_ms = static_cast<double>(clock.monotonic_ns() - started) / 1e6;
    // Having run it, the portal has given it back to the statement.
    execution = std::move(explained->idle);
  } else {
    execution = std::move(runner.execution);
  }
  ExplainContext shown(*explained->query, *execution, options, context());
  std::unique_ptr<ExplainNode> plan = shown.plan();
  receiver.begin_rows(portal.statement->columns, portal.formats);
  EvalContext output = context();
  output.arena = &scratch;
  for (const std::string& line : write_explained(*plan, options, summary)) {
    Datum value = varlena_from(scratch, line);
    bool is_null = false;
    receiver.row(output, &value, &is_null);
  }
  return "EXPLAIN";
}

}  // namespace cofork
