// DROP of what does not exist: as long as nothing can be created, that is all there is to drop
// (does_not_exist_skipping in dropcmds.c).
#include "catalog/shared_objects.h"
#include "log/log.h"
#include "sql/engine_state.h"

namespace cofork {
namespace {

struct Kind {
  std::string_view object;  ///< of removeType
  std::string_view name;    ///< in messages
  std::string_view tag;
  SqlState missing;
};

const Kind kKinds[] = {
    {"OBJECT_TABLE", "table", "DROP TABLE", sqlstate::kUndefinedTable},
    {"OBJECT_VIEW", "view", "DROP VIEW", sqlstate::kUndefinedTable},
    {"OBJECT_MATVIEW", "materialized view", "DROP MATERIALIZED VIEW", sqlstate::kUndefinedTable},
    {"OBJECT_INDEX", "index", "DROP INDEX", sqlstate::kUndefinedObject},
    {"OBJECT_SEQUENCE", "sequence", "DROP SEQUENCE", sqlstate::kUndefinedTable},
    {"OBJECT_FOREIGN_TABLE", "foreign table", "DROP FOREIGN TABLE", sqlstate::kUndefinedTable},
    {"OBJECT_SCHEMA", "schema", "DROP SCHEMA", sqlstate::kInvalidSchemaName},
    {"OBJECT_EXTENSION", "extension", "DROP EXTENSION", sqlstate::kUndefinedObject},
    {"OBJECT_TYPE", "type", "DROP TYPE", sqlstate::kUndefinedObject},
    {"OBJECT_DOMAIN", "type", "DROP DOMAIN", sqlstate::kUndefinedObject},
    {"OBJECT_PUBLICATION", "publication", "DROP PUBLICATION", sqlstate::kUndefinedObject},
};

std::string spelled(const Node& object) {
  if (object.is(NodeKind::kString)) return std::string(object.text());
  std::string text;
  NodeList parts = object.is(NodeKind::kTypeName) ? object.list("names") : object.list("items");
  for (const Node* part : parts) {
    if (!text.empty()) text += '.';
    text += part->text();
  }
  return text;
}

void notice(std::string message) {
  ErrorData data;
  data.severity = Severity::kNotice;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = std::move(message);
  report(data);
}

bool exists(std::string_view object, const std::string& name) {
  if (object == "OBJECT_SCHEMA") {
    return name == "public" || name == "pg_catalog" || name == "information_schema";
  }
  if (object == "OBJECT_TYPE" || object == "OBJECT_DOMAIN") return find_type(name) != nullptr;
  size_t dot = name.find('.');
  return dot == name.npos ? find_view("", name) != nullptr
                          : find_view(name.substr(0, dot), name.substr(dot + 1)) != nullptr;
}

}  // namespace

std::string_view Engine::State::drop_command(const Node& node) {
  std::string_view object = node.string("removeType");
  for (const Kind& kind : kKinds) {
    if (kind.object != object) continue;
    for (const Node* item : node.list("objects")) {
      std::string name = spelled(*item);
      if (exists(object, name)) {
        throw Error(sqlstate::kInsufficientPrivilege,
                    "permission denied: \"{}\" is a system catalog", name);
      }
      if (!node.flag("missing_ok")) {
        throw Error(kind.missing, "{} \"{}\" does not exist", kind.name, name);
      }
      notice(fmt::format("{} \"{}\" does not exist, skipping", kind.name, name));
    }
    return kind.tag;
  }
  throw Error(sqlstate::kFeatureNotSupported, "DROP of this kind of object is not supported");
}

std::string_view Engine::State::drop_database_command(const Node& node) {
  session.transaction.prevent_in_block("DROP DATABASE");
  std::string_view name = node.string("dbname");
  if (find_database(name)) {
    throw Error(sqlstate::kFeatureNotSupported, "DROP DATABASE is not supported");
  }
  if (!node.flag("missing_ok")) {
    throw Error(sqlstate::kUndefinedDatabase, "database \"{}\" does not exist", name);
  }
  notice(fmt::format("database \"{}\" does not exist, skipping", name));
  return "DROP DATABASE";
}

std::string_view Engine::State::drop_role_command(const Node& node) {
  for (const Node* role : node.list("roles")) {
    std::string_view name = role->string("rolename");
    if (find_role(name)) {
      throw Error(sqlstate::kFeatureNotSupported, "DROP ROLE is not supported");
    }
    if (!node.flag("missing_ok")) {
      throw Error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", name);
    }
    notice(fmt::format("role \"{}\" does not exist, skipping", name));
  }
  return "DROP ROLE";
}

}  // namespace cofork
