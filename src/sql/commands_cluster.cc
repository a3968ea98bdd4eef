// CREATE and DROP DATABASE, and roles (dbcommands.c, user.c, 15).
#include <charconv>

#include "catalog/ddl.h"
#include "sql/definition_commands.h"
#include "sql/table_definition.h"

namespace cofork {
namespace {

bool is_on(const Node& option) {
  std::string value = option_text(option);
  return value == "true" || value == "on" || value == "1";
}

int32_t number_of(const Node& option) {
  std::string text = option_text(option);
  int32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string_view DefinitionCommands::create_database_command(const Node& node) {
  DatabaseDefinition database;
  database.name = node.string("dbname");
  for (const Node* option : node.list("options")) {
    std::string_view name = option->string("defname");
    std::string value = option_text(*option);
    if (name == "owner") {
      database.owner = value;
    } else if (name == "template") {
      database.template_name = value;
    } else if (name == "encoding") {
      if (value != "UTF8" && value != "utf8" && value != "UTF-8" && value != "utf-8") {
        throw Error(sqlstate::kFeatureNotSupported, "encoding \"{}\" is not supported", value);
      }
      database.encoding = 6;
    } else if (name == "lc_collate" || name == "locale") {
      database.collate = value;
      if (name == "locale") database.ctype = value;
    } else if (name == "lc_ctype") {
      database.ctype = value;
    } else if (name == "is_template") {
      database.is_template = is_on(*option);
    } else if (name == "allow_connections") {
      database.allow_connections = is_on(*option);
    } else if (name == "connection_limit") {
      database.connection_limit = number_of(*option);
    } else if (name != "tablespace" && name != "strategy") {
      throw Error(sqlstate::kSyntaxError, "option \"{}\" not recognized", name)
          .position(character_position(text_, option->location()));
    }
  }
  create_database(database);
  return "CREATE DATABASE";
}

std::string_view DefinitionCommands::drop_database_command(const Node& node) {
  state_.session.transaction.prevent_in_block("DROP DATABASE");
  drop_database(node.string("dbname"), node.flag("missing_ok"));
  return "DROP DATABASE";
}

namespace {

RoleChange read_role_options(NodeList options, std::string_view text) {
  RoleChange change;
  for (const Node* option : options) {
    std::string_view name = option->string("defname");
    bool on = is_on(*option);
    if (name == "superuser") {
      change.superuser = on;
    } else if (name == "inherit") {
      change.inherit = on;
    } else if (name == "createrole") {
      change.create_role = on;
    } else if (name == "createdb") {
      change.create_database = on;
    } else if (name == "canlogin") {
      change.login = on;
    } else if (name == "isreplication") {
      change.replication = on;
    } else if (name == "bypassrls") {
      change.bypass_row_security = on;
    } else if (name == "connectionlimit") {
      change.connection_limit = number_of(*option);
    } else {
      throw Error(sqlstate::kFeatureNotSupported, "role option \"{}\" is not supported", name)
          .position(character_position(text, option->location()));
    }
  }
  return change;
}

}  // namespace

std::string_view DefinitionCommands::create_role_command(const Node& node) {
  RoleChange attributes = read_role_options(node.list("options"), text_);
  if (node.string("stmt_type") == "ROLESTMT_USER" && !attributes.login) attributes.login = true;
  create_role(std::string(node.string("role")), attributes);
  return "CREATE ROLE";
}

std::string_view DefinitionCommands::alter_role_command(const Node& node) {
  alter_role(node.node("role")->string("rolename"), read_role_options(node.list("options"), text_));
  return "ALTER ROLE";
}

std::string_view DefinitionCommands::drop_role_command(const Node& node) {
  for (const Node* role : node.list("roles")) {
    drop_role(role->string("rolename"), node.flag("missing_ok"));
  }
  return "DROP ROLE";
}

}  // namespace cofork
