// SET, RESET, SHOW and ALTER SYSTEM (guc.c, variable.c).
#include "settings/server_settings.h"
#include "settings/settings.h"
#include "sql/engine_state.h"

namespace cofork {
namespace {

SettingContext context_of(const Session& session) {
  return session.is_superuser ? SettingContext::kSuperuser : SettingContext::kUser;
}

/// The text of one argument of SET.
std::string argument_text(const Node& node) {
  if (node.is(NodeKind::kTypeCast)) return argument_text(*node.node("arg"));
  if (const Node* ival = node.node("ival")) return std::to_string(ival->number("ival"));
  if (const Node* fval = node.node("fval")) return std::string(fval->string("fval"));
  if (const Node* boolval = node.node("boolval")) return boolval->flag("boolval") ? "on" : "off";
  const Node* sval = node.node("sval");
  return sval == nullptr ? std::string() : std::string(sval->text());
}

std::optional<std::string> value_of(const Node& set, std::string_view name) {
  if (set.string("kind") != "VAR_SET_VALUE") return std::nullopt;
  std::vector<std::string> elements;
  for (const Node* argument : set.list("args")) elements.push_back(argument_text(*argument));
  return settings().flatten_list(name, elements);
}

}  // namespace

std::string_view Engine::State::settings_name(std::string_view name) {
  SettingIndex known = find_setting(name);
  return known == SettingIndex::kCount ? name : std::string_view(setting_info(known).name);
}

void Engine::State::set_transaction_option(const Node& option, bool as_default) {
  std::string name(option.string("defname"));
  const Node& argument = *option.node("arg");
  std::string value = argument_text(argument);
  if (name != "transaction_isolation") value = value == "0" ? "off" : "on";
  if (name == "transaction_isolation" && value == "serializable") {
    throw Error(sqlstate::kFeatureNotSupported,
                "transaction isolation level SERIALIZABLE is not supported")
        .hint("Use REPEATABLE READ.");
  }
  bool changes = !as_default && value != settings().show(name);
  if (changes && name == "transaction_isolation" && session.transaction.has_run_query()) {
    throw Error(sqlstate::kActiveSqlTransaction,
                "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (changes && name == "transaction_read_only" && value == "off" &&
      session.transaction.has_run_query()) {
    throw Error(sqlstate::kActiveSqlTransaction,
                "transaction read-write mode must be set before any query");
  }
  settings().set(as_default ? "default_" + name : name, value, context_of(session),
                 SettingSource::kSession, as_default ? SetAction::kSet : SetAction::kLocal);
}

std::string_view Engine::State::set_command(const Node& node) {
  std::string_view kind = node.string("kind");
  std::string_view name = node.string("name");
  bool local = node.flag("is_local");
  if (local) session.transaction.warn_outside_block("SET LOCAL");
  if (kind == "VAR_RESET_ALL") {
    settings().reset_all(context_of(session));
    return "RESET";
  }
  if (kind == "VAR_SET_MULTI") {
    bool as_default = name == "SESSION CHARACTERISTICS";
    if (name == "TRANSACTION SNAPSHOT") {
      throw Error(sqlstate::kFeatureNotSupported, "SET TRANSACTION SNAPSHOT is not supported");
    }
    if (!as_default) session.transaction.warn_outside_block("SET TRANSACTION");
    for (const Node* option : node.list("args")) set_transaction_option(*option, as_default);
    return "SET";
  }
  std::optional<std::string> value = value_of(node, name);
  settings().set(name, value, context_of(session), SettingSource::kSession,
                 local ? SetAction::kLocal : SetAction::kSet);
  return kind == "VAR_RESET" ? "RESET" : "SET";
}

std::string_view Engine::State::show_command(const Node& node, RowReceiver& receiver) {
  std::string_view name = node.string("name");
  const BuiltinType* text = find_type(type_oid::kText);
  EvalContext output = context();
  output.arena = &scratch;
  if (name != "all") {
    ResultColumn column{settings_name(name), 0, 0, text};
    int16_t format = 0;
    std::optional<std::string> value = settings().show(name);
    receiver.begin_rows({&column, 1}, {&format, 1});
    Datum datum = varlena_from(scratch, value.value_or(""));
    bool is_null = false;
    receiver.row(output, &datum, &is_null);
    return "SHOW";
  }
  std::vector<ResultColumn> columns = utility_columns(node);
  int16_t formats[3] = {0, 0, 0};
  receiver.begin_rows(columns, formats);
  for (const SettingRow& row : settings().rows()) {
    scratch.reset();
    std::optional<std::string> shown = settings().show(row.name, true);
    Datum values[3] = {varlena_from(scratch, row.name), varlena_from(scratch, shown.value_or("")),
                       varlena_from(scratch, row.short_desc)};
    bool nulls[3] = {false, !shown.has_value(), false};
    receiver.row(output, values, nulls);
  }
  return "SHOW";
}

std::string_view Engine::State::alter_system_command(const Node& node) {
  session.transaction.prevent_in_block("ALTER SYSTEM");
  if (!session.is_superuser) {
    throw Error(sqlstate::kInsufficientPrivilege,
                "must be superuser to execute ALTER SYSTEM command");
  }
  const Node& set = *node.node("setstmt");
  if (set.string("kind") == "VAR_RESET_ALL") {
    alter_system_reset_all(settings());
    return "ALTER SYSTEM";
  }
  std::string_view name = set.string("name");
  alter_system(settings(), name, value_of(set, name));
  return "ALTER SYSTEM";
}

}  // namespace cofork
