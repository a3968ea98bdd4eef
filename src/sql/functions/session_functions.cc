// Functions about the session: who, where, which settings (miscadmin, guc_funcs.c, name.c …).
#include "sql/functions/session_functions.h"

#include "catalog/functions/wrap.h"
#include "settings/encodings.h"
#include "settings/hooks.h"
#include "settings/settings.h"
#include "sql/session.h"
#include "support/error.h"
#include "support/version.h"
#include "types/array.h"

namespace cofork {
namespace {

using namespace type_oid;

Session& session_of(EvalContext& context) {
  if (context.session == nullptr) {
    throw Error(sqlstate::kInternalError, "there is no session");
  }
  return *context.session;
}

int32_t backend_pid(EvalContext& context) {
  return static_cast<int32_t>(session_of(context).task.pid());
}
Name current_user(EvalContext& context) {
  return {session_of(context).current_user};
}
Name session_user(EvalContext& context) {
  return {session_of(context).session_user};
}
Name current_database(EvalContext& context) {
  return {session_of(context).database_name};
}

std::string version() {
  return version_text();
}
bool is_in_recovery() {
  return false;
}

// --- search path

/// The schemas of search_path that exist, in order.
std::vector<std::string_view> existing_schemas() {
  std::vector<std::string_view> found;
  const auto* path = settings().derived<NameList>(setting::kSearchPath);
  if (path == nullptr) return found;
  for (const std::string& name : path->names) {
    if (name == "public" || name == "pg_catalog" || name == "information_schema") {
      found.push_back(name);
    }
  }
  return found;
}

std::optional<Name> current_schema() {
  std::vector<std::string_view> schemas = existing_schemas();
  if (schemas.empty()) return std::nullopt;
  return Name{schemas[0]};
}

Datum current_schemas(Arena& arena, bool implicit) {
  std::vector<std::string_view> schemas = existing_schemas();
  if (implicit && std::ranges::find(schemas, "pg_catalog") == schemas.end()) {
    schemas.insert(schemas.begin(), "pg_catalog");
  }
  std::vector<Datum> names;
  for (std::string_view name : schemas) names.push_back(name_from(arena, name));
  auto shape =
      names.empty() ? ArrayShape{} : ArrayShape::one_dimension(static_cast<int>(names.size()));
  return build_array(arena, kName, {64, false, 'c'}, shape, names, nullptr);
}

// --- settings

std::string current_setting(std::string_view name) {
  return *settings().show(name);
}

std::optional<std::string> current_setting_or_null(std::string_view name, bool missing_ok) {
  return settings().show(name, missing_ok);
}

Datum set_config(FunctionCall& call) {
  if (call.nulls[0]) {
    throw Error(sqlstate::kNullValueNotAllowed, "SET requires parameter name");
  }
  Session& session = session_of(call.context);
  std::string name(varlena_view(call.args[0]));
  std::optional<std::string_view> value;
  if (!call.nulls[1]) value = varlena_view(call.args[1]);
  bool local = !call.nulls[2] && datum_to_bool(call.args[2]);
  settings().set(name, value,
                 session.is_superuser ? SettingContext::kSuperuser : SettingContext::kUser,
                 SettingSource::kSession, local ? SetAction::kLocal : SetAction::kSet);
  return varlena_from(call.arena(), *settings().show(name));
}

// --- where

Datum address(FunctionCall& call, const std::string& text) {
  const BuiltinType* inet = find_type(kInet);
  if (text.empty() || inet == nullptr) return call.null();
  return inet->from_text(call.context, text);
}
Datum client_address(FunctionCall& call) {
  return address(call, session_of(call.context).peer.client_address);
}
Datum server_address(FunctionCall& call) {
  return address(call, session_of(call.context).peer.server_address);
}
std::optional<int32_t> port(int value) {
  if (value < 0) return std::nullopt;
  return value;
}
std::optional<int32_t> client_port(EvalContext& context) {
  return port(session_of(context).peer.client_port);
}
std::optional<int32_t> server_port(EvalContext& context) {
  return port(session_of(context).peer.server_port);
}

Name encoding_to_char(int32_t encoding) {
  return {encoding_of_number(encoding)};
}
int32_t char_to_encoding(Name name) {
  return encoding_number(name.text);
}
Name client_encoding() {
  return {settings().get(setting::kClientEncoding)};
}
Name database_encoding() {
  return {settings().get(setting::kServerEncoding)};
}

constexpr BuiltinFunction kSessionFunctions[] = {
    BuiltinFunction{2026, "pg_backend_pid", kInt4, {}, fn<backend_pid>}.stable(),
    BuiltinFunction{745, "current_user", kName, {}, fn<current_user>}.stable(),
    BuiltinFunction{710, "getpgusername", kName, {}, fn<current_user>}.stable(),
    BuiltinFunction{746, "session_user", kName, {}, fn<session_user>}.stable(),
    BuiltinFunction{861, "current_database", kName, {}, fn<current_database>}.stable(),
    BuiltinFunction{89, "version", kText, {}, fn<version>}.stable(),
    BuiltinFunction{3810, "pg_is_in_recovery", kBool, {}, fn<is_in_recovery>}.changing(),
    BuiltinFunction{1402, "current_schema", kName, {}, fn<current_schema>}.stable(),
    BuiltinFunction{1403, "current_schemas", kNameArray, {kBool}, fn<current_schemas>}.stable(),
    BuiltinFunction{2077, "current_setting", kText, {kText}, fn<current_setting>}.stable(),
    BuiltinFunction{3294, "current_setting", kText, {kText, kBool}, fn<current_setting_or_null>}
        .stable(),
    BuiltinFunction{2078, "set_config", kText, {kText, kText, kBool}, set_config}
        .on_null()
        .changing(),
    BuiltinFunction{2196, "inet_client_addr", kInet, {}, client_address}.on_null().stable(),
    BuiltinFunction{2197, "inet_client_port", kInt4, {}, fn<client_port>}.on_null().stable(),
    BuiltinFunction{2198, "inet_server_addr", kInet, {}, server_address}.on_null().stable(),
    BuiltinFunction{2199, "inet_server_port", kInt4, {}, fn<server_port>}.on_null().stable(),
    BuiltinFunction{1597, "pg_encoding_to_char", kName, {kInt4}, fn<encoding_to_char>}.stable(),
    BuiltinFunction{1264, "pg_char_to_encoding", kInt4, {kName}, fn<char_to_encoding>}.stable(),
    BuiltinFunction{810, "pg_client_encoding", kName, {}, fn<client_encoding>}.stable(),
    BuiltinFunction{1039, "getdatabaseencoding", kName, {}, fn<database_encoding>}.stable(),
};

}  // namespace

std::span<const BuiltinFunction> session_functions() {
  return kSessionFunctions;
}

}  // namespace cofork
