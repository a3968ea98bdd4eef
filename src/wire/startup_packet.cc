// See startup_packet.h.
#include "wire/startup_packet.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>

#include "settings/value.h"
#include "wire/protocol.h"

namespace cofork {

namespace {

constexpr size_t kNameBytes = 63;  // NAMEDATALEN - 1

/// What may be put into a log line without harm (pg_clean_ascii).
std::string clean_ascii(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    if (c < 32 || c > 126) c = '?';
  }
  return clean;
}

void take_parameter(StartupPacket& packet, std::string_view name, std::string_view value) {
  if (name == "database") {
    packet.database = value;
  } else if (name == "user") {
    packet.user = value;
  } else if (name == "options") {
    packet.options = value;
  } else if (name == "replication") {
    if (value == "database") {
      packet.replication = true;
    } else if (std::optional<bool> wanted = parse_boolean(value)) {
      packet.replication = *wanted;
    } else {
      throw Error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"",
                  "replication", value)
          .hint("Valid values are: \"false\", 0, \"true\", 1, \"database\".")
          .fatal();
    }
  } else if (name.starts_with("_pq_.")) {
    packet.unknown_protocol_options.emplace_back(name);
  } else {
    packet.settings.emplace_back(name, value);
    if (name == "application_name") packet.application_name = clean_ascii(value);
  }
}

}  // namespace

bool StartupPacket::must_negotiate() const {
  return protocol_minor(protocol) > protocol_minor(kProtocolVersion3) ||
         !unknown_protocol_options.empty();
}

void check_protocol_version(uint32_t protocol) {
  if (protocol_major(protocol) == protocol_major(kProtocolVersion3)) return;
  throw Error(sqlstate::kFeatureNotSupported,
              "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0",
              protocol_major(protocol), protocol_minor(protocol))
      .fatal();
}

void parse_startup_packet(std::string_view body, StartupPacket& packet) {
  size_t offset = 0;
  while (offset < body.size() && body[offset] != '\0') {
    size_t name_end = body.find('\0', offset);
    if (name_end == std::string_view::npos || name_end + 1 >= body.size()) break;
    size_t value_end = std::min(body.find('\0', name_end + 1), body.size());
    take_parameter(packet, body.substr(offset, name_end - offset),
                   body.substr(name_end + 1, value_end - name_end - 1));
    offset = value_end + 1;
  }
  if (offset + 1 != body.size()) {
    throw Error(sqlstate::kProtocolViolation,
                "invalid startup packet layout: expected terminator as last byte")
        .fatal();
  }
}

void complete_startup_packet(StartupPacket& packet) {
  if (packet.user.empty()) {
    throw Error(sqlstate::kInvalidAuthorizationSpecification,
                "no PostgreSQL user name specified in startup packet")
        .fatal();
  }
  if (packet.database.empty()) packet.database = packet.user;
  if (packet.user.size() > kNameBytes) packet.user.resize(kNameBytes);
  if (packet.database.size() > kNameBytes) packet.database.resize(kNameBytes);
}

std::vector<std::string> split_options(std::string_view options) {
  auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  std::vector<std::string> arguments;
  size_t i = 0;
  while (true) {
    while (i < options.size() && is_blank(options[i])) ++i;
    if (i >= options.size()) return arguments;
    std::string argument;
    while (i < options.size() && !is_blank(options[i])) {
      if (options[i] == '\\' && i + 1 < options.size()) ++i;
      argument.push_back(options[i++]);
    }
    arguments.push_back(std::move(argument));
  }
}

namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void refuse_argument(const std::string& argument) {
  throw Error(sqlstate::kSyntaxError, "invalid command-line argument for server process: {}",
              argument)
      .hint("Try \"postgres --help\" for more information.");
}

/// "name=value" of -c and of --: dashes in the name stand for underscores (ParseLongOption).
void add_long_option(Settings& settings, std::string_view text, bool after_dash_c,
                     const std::string& argument) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    if (after_dash_c) throw Error(sqlstate::kSyntaxError, "-c {} requires a value", text);
    throw Error(sqlstate::kSyntaxError, "--{} requires a value", text);
  }
  if (equals == 0) refuse_argument(argument);
  std::string name(text.substr(0, equals));
  std::replace(name.begin(), name.end(), '-', '_');
  settings.emplace_back(std::move(name), text.substr(equals + 1));
}

struct ShortOption {
  char letter;
  const char* setting;
  const char* value;  ///< null: the option's argument
};
constexpr ShortOption kShortOptions[] = {
    {'B', "shared_buffers", nullptr},
    {'e', "datestyle", "euro"},
    {'F', "fsync", "false"},
    {'h', "listen_addresses", nullptr},
    {'i', "listen_addresses", "*"},
    {'k', "unix_socket_directories", nullptr},
    {'l', "ssl", "true"},
    {'N', "max_connections", nullptr},
    {'O', "allow_system_table_mods", "true"},
    {'P', "ignore_system_indexes", "true"},
    {'p', "port", nullptr},
    {'S', "work_mem", nullptr},
    {'s', "log_statement_stats", "true"},
    {'W', "post_auth_delay", nullptr},
};

/// -f s: the planner's method switches off.
const char* planner_switch(std::string_view method) {
  if (method == "s") return "enable_seqscan";
  if (method == "i") return "enable_indexscan";
  if (method == "o") return "enable_indexonlyscan";
  if (method == "b") return "enable_bitmapscan";
  if (method == "t") return "enable_tidscan";
  if (method == "n") return "enable_nestloop";
  if (method == "m") return "enable_mergejoin";
  if (method == "h") return "enable_hashjoin";
  return nullptr;
}

const char* statistics_switch(std::string_view phase) {
  if (phase.starts_with("pa")) return "log_parser_stats";
  if (phase.starts_with("pl")) return "log_planner_stats";
  if (phase.starts_with("e")) return "log_executor_stats";
  return nullptr;
}

void add_debug_level(Settings& settings, const std::string& level) {
  int number = std::atoi(level.c_str());
  settings.emplace_back("log_min_messages",
                        number > 0 ? "debug" + std::to_string(number) : "notice");
  if (number >= 2) settings.emplace_back("log_statement", "all");
  if (number >= 3) settings.emplace_back("debug_print_parse", "true");
  if (number >= 4) settings.emplace_back("debug_print_plan", "true");
  if (number >= 5) settings.emplace_back("debug_print_rewritten", "true");
}

}  // namespace

Settings settings_of_options(const std::vector<std::string>& arguments) {
  Settings settings;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.starts_with("--")) {
      add_long_option(settings, std::string_view(argument).substr(2), false, argument);
      continue;
    }
    if (argument.size() < 2 || argument[0] != '-') refuse_argument(argument);
    char letter = argument[1];
    // An argument stands right behind the letter or is the next word, as getopt() has it.
    auto value = [&]() -> std::string {
      if (argument.size() > 2) return argument.substr(2);
      if (i + 1 >= arguments.size()) refuse_argument(argument);
      return arguments[++i];
    };
    if (letter == 'c') {
      add_long_option(settings, value(), true, argument);
    } else if (letter == 'd') {
      add_debug_level(settings, value());
    } else if (letter == 'f') {
      const char* name = planner_switch(value());
      if (name == nullptr) refuse_argument(argument);
      settings.emplace_back(name, "false");
    } else if (letter == 't') {
      const char* name = statistics_switch(value());
      if (name == nullptr) refuse_argument(argument);
      settings.emplace_back(name, "true");
    } else {
      auto* option = std::find_if(std::begin(kShortOptions), std::end(kShortOptions),
                                  [&](const ShortOption& o) { return o.letter == letter; });
      if (option == std::end(kShortOptions)) refuse_argument(argument);
      if (option->value != nullptr && argument.size() > 2) refuse_argument(argument);
      settings.emplace_back(option->setting, option->value ? option->value : value());
    }
  }
  return settings;
}

}  // namespace cofork
