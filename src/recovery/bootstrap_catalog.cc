// See bootstrap_catalog.h. One line an object, fields separated by tabs:
//
//   role      oid  name  attribute,attribute,…                          connection limit
//   database  oid  name  owner  encoding  collate  ctype  attribute,…    connection limit
//
// Tab, newline and backslash in names are written as \t, \n and \\.
#include "recovery/bootstrap_catalog.h"

#include <charconv>
#include <span>
#include <utility>

#include "io/durable.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr std::string_view kHeading =
    "# The roles and databases of this cluster, until its catalogs are tables.\n"
    "# Written by \"cofork init\", read when the server starts.\n";

struct PredefinedRole {
  Oid oid;
  const char* name;
};
// pg_authid.dat of PostgreSQL 15.
constexpr PredefinedRole kPredefinedRoles[] = {
    {6171, "pg_database_owner"},     {6181, "pg_read_all_data"},
    {6182, "pg_write_all_data"},     {3373, "pg_monitor"},
    {3374, "pg_read_all_settings"},  {3375, "pg_read_all_stats"},
    {3377, "pg_stat_scan_tables"},   {4569, "pg_read_server_files"},
    {4570, "pg_write_server_files"}, {4571, "pg_execute_server_program"},
    {4200, "pg_signal_backend"},     {4544, "pg_checkpoint"},
};
constexpr Oid kFirstOidOfClusters = 16384;

struct RoleAttribute {
  const char* word;
  bool BootstrapRole::*member;
};
constexpr RoleAttribute kRoleAttributes[] = {
    {"superuser", &BootstrapRole::superuser},
    {"inherit", &BootstrapRole::inherit},
    {"createrole", &BootstrapRole::create_role},
    {"createdb", &BootstrapRole::create_database},
    {"login", &BootstrapRole::login},
    {"replication", &BootstrapRole::replication},
    {"bypassrls", &BootstrapRole::bypass_row_security},
};
struct DatabaseAttribute {
  const char* word;
  bool BootstrapDatabase::*member;
};
constexpr DatabaseAttribute kDatabaseAttributes[] = {
    {"template", &BootstrapDatabase::is_template},
    {"connect", &BootstrapDatabase::allow_connections},
};

bool is_predefined(const BootstrapRole& role) {
  return role.oid != kBootstrapSuperuserOid && role.oid < kFirstOidOfClusters;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view line, char separator) {
  std::vector<std::string> fields(1);
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == separator) {
      fields.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      char next = line[++i];
      fields.back() += next == 't' ? '\t' : next == 'n' ? '\n' : next;
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

template <typename Object, typename Attribute, size_t n>
std::string format_attributes(const Object& object, const Attribute (&attributes)[n]) {
  std::string out;
  for (const Attribute& attribute : attributes) {
    if (object.*attribute.member) out += (out.empty() ? "" : ",") + std::string(attribute.word);
  }
  return out.empty() ? "-" : out;
}

template <typename Object, typename Attribute, size_t n>
bool parse_attributes(const std::string& text, Object& object, const Attribute (&attributes)[n]) {
  for (const Attribute& attribute : attributes) object.*attribute.member = false;
  if (text == "-") return true;
  for (const std::string& word : split(text, ',')) {
    bool known = false;
    for (const Attribute& attribute : attributes) {
      if (word != attribute.word) continue;
      object.*attribute.member = true;
      known = true;
    }
    if (!known) return false;
  }
  return true;
}

template <typename Number>
bool parse_number(const std::string& text, Number& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_encoding(const std::string& text, int32_t& encoding) {
  for (int32_t number : {0, 6}) {
    if (text == encoding_name(number)) {
      encoding = number;
      return true;
    }
  }
  return false;
}

bool parse_role(const std::vector<std::string>& fields, BootstrapCatalog& catalog) {
  BootstrapRole role;
  if (fields.size() != 5 || !parse_number(fields[1], role.oid) ||
      !parse_attributes(fields[3], role, kRoleAttributes) ||
      !parse_number(fields[4], role.connection_limit)) {
    return false;
  }
  role.name = fields[2];
  catalog.roles.push_back(std::move(role));
  return true;
}

bool parse_database(const std::vector<std::string>& fields, BootstrapCatalog& catalog) {
  BootstrapDatabase database;
  if (fields.size() != 9 || !parse_number(fields[1], database.oid) ||
      !parse_number(fields[3], database.owner) || !parse_encoding(fields[4], database.encoding) ||
      !parse_attributes(fields[7], database, kDatabaseAttributes) ||
      !parse_number(fields[8], database.connection_limit)) {
    return false;
  }
  database.name = fields[2];
  database.collate = fields[5];
  database.ctype = fields[6];
  catalog.databases.push_back(std::move(database));
  return true;
}

void add_predefined_roles(BootstrapCatalog& catalog) {
  for (const PredefinedRole& predefined : kPredefinedRoles) {
    BootstrapRole role;
    role.oid = predefined.oid;
    role.name = predefined.name;
    catalog.roles.push_back(std::move(role));
  }
}

template <typename Object, typename Matches>
const Object* find_where(const std::vector<Object>& objects, Matches matches) {
  for (const Object& object : objects) {
    if (matches(object)) return &object;
  }
  return nullptr;
}

}  // namespace

const BootstrapRole* BootstrapCatalog::find_role(std::string_view name) const {
  return find_where(roles, [&](const BootstrapRole& role) { return role.name == name; });
}
const BootstrapRole* BootstrapCatalog::find_role(Oid oid) const {
  return find_where(roles, [&](const BootstrapRole& role) { return role.oid == oid; });
}
const BootstrapDatabase* BootstrapCatalog::find_database(std::string_view name) const {
  return find_where(databases, [&](const BootstrapDatabase& db) { return db.name == name; });
}
const BootstrapDatabase* BootstrapCatalog::find_database(Oid oid) const {
  return find_where(databases, [&](const BootstrapDatabase& db) { return db.oid == oid; });
}

const char* encoding_name(int32_t encoding) {
  return encoding == 6 ? "UTF8" : "SQL_ASCII";
}

BootstrapCatalog initial_catalog(std::string_view superuser, int32_t encoding,
                                 std::string_view collate, std::string_view ctype) {
  BootstrapCatalog catalog;
  BootstrapRole role;
  role.oid = kBootstrapSuperuserOid;
  role.name = superuser;
  for (const RoleAttribute& attribute : kRoleAttributes) role.*attribute.member = true;
  catalog.roles.push_back(std::move(role));
  add_predefined_roles(catalog);

  auto add_database = [&](Oid oid, const char* name, bool is_template, bool allow_connections) {
    BootstrapDatabase database;
    database.oid = oid;
    database.name = name;
    database.encoding = encoding;
    database.collate = collate;
    database.ctype = ctype;
    database.is_template = is_template;
    database.allow_connections = allow_connections;
    catalog.databases.push_back(std::move(database));
  };
  add_database(kTemplate1Oid, "template1", true, true);
  add_database(kTemplate0Oid, "template0", true, false);
  add_database(kPostgresOid, "postgres", false, true);
  return catalog;
}

std::string format_bootstrap_catalog(const BootstrapCatalog& catalog) {
  std::string text(kHeading);
  for (const BootstrapRole& role : catalog.roles) {
    if (is_predefined(role)) continue;
    text += fmt::format("role\t{}\t{}\t{}\t{}\n", role.oid, escaped(role.name),
                        format_attributes(role, kRoleAttributes), role.connection_limit);
  }
  for (const BootstrapDatabase& database : catalog.databases) {
    text +=
        fmt::format("database\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", database.oid,
                    escaped(database.name), database.owner, encoding_name(database.encoding),
                    escaped(database.collate), escaped(database.ctype),
                    format_attributes(database, kDatabaseAttributes), database.connection_limit);
  }
  return text;
}

BootstrapCatalog parse_bootstrap_catalog(std::string_view text) {
  BootstrapCatalog catalog;
  int number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields = split(line, '\t');
    bool good = (fields[0] == "role" && parse_role(fields, catalog)) ||
                (fields[0] == "database" && parse_database(fields, catalog));
    if (!good) {
      throw Error(sqlstate::kDataCorrupted, "invalid line {} in file \"{}\"", number,
                  kBootstrapCatalogPath)
          .fatal();
    }
  }
  add_predefined_roles(catalog);
  return catalog;
}

BootstrapCatalog read_bootstrap_catalog(const std::string& path) {
  return parse_bootstrap_catalog(read_whole_file(path, WaitEventId::kDataFileRead));
}

}  // namespace cofork
