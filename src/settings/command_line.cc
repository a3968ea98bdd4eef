#include "settings/command_line.h"

#include <cstdlib>

#include "support/error.h"

namespace cofork {
namespace {

/// A letter and the setting behind it. `value` null: the option's argument is the value.
struct Letter {
  char letter;
  const char* name;
  const char* value;
};

constexpr Letter kLetters[] = {
    {'B', "shared_buffers", nullptr},
    {'e', "datestyle", "euro"},
    {'F', "fsync", "false"},
    {'h', "listen_addresses", nullptr},
    {'i', "listen_addresses", "*"},
    {'k', "unix_socket_directories", nullptr},
    {'l', "ssl", "true"},
    {'N', "max_connections", nullptr},
    {'O', "allow_system_table_mods", "true"},
    {'p', "port", nullptr},
    {'P', "ignore_system_indexes", "true"},
    {'s', "log_statement_stats", "true"},
    {'S', "work_mem", nullptr},
    {'W', "post_auth_delay", nullptr},
};

const Letter* find_letter(char letter) {
  for (const Letter& known : kLetters) {
    if (known.letter == letter) return &known;
  }
  return nullptr;
}

/// -f: which plan methods to forbid (set_plan_disabling_options).
const char* plan_switch(std::string_view argument) {
  if (argument.empty()) return nullptr;
  switch (argument[0]) {
    case 's':
      return "enable_seqscan";
    case 'i':
      return "enable_indexscan";
    case 'o':
      return "enable_indexonlyscan";
    case 'b':
      return "enable_bitmapscan";
    case 't':
      return "enable_tidscan";
    case 'n':
      return "enable_nestloop";
    case 'm':
      return "enable_mergejoin";
    case 'h':
      return "enable_hashjoin";
    default:
      return nullptr;
  }
}

/// -t: which statistics to log (get_stats_option_name).
const char* statistics_switch(std::string_view argument) {
  if (argument.starts_with("pa")) return "log_parser_stats";
  if (argument.starts_with("pl")) return "log_planner_stats";
  if (argument.starts_with("e")) return "log_executor_stats";
  return nullptr;
}

/// Takes options one by one, letters bundled as getopt(3) allows: "-ip5433".
class Options {
 public:
  explicit Options(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  bool at_end() const { return at_ == arguments_.size(); }
  const std::string& word() const { return arguments_[at_]; }
  bool is_option() const { return word().size() > 1 && word()[0] == '-'; }
  bool is_long() const { return word().starts_with("--"); }
  void skip_word() { ++at_; }
  /// The next letter; moves on.
  char take_letter() {
    char letter = word()[++letter_];
    if (letter_ + 1 == word().size()) next_word();
    return letter;
  }
  bool inside_word() const { return letter_ != 0; }
  /// The rest of the word, or the next word; false when there is none.
  bool take_argument(std::string& argument) {
    if (inside_word()) {
      argument = word().substr(letter_ + 1);
    } else if (!at_end()) {
      argument = word();
    } else {
      return false;
    }
    next_word();
    return true;
  }

 private:
  void next_word() {
    ++at_;
    letter_ = 0;
  }
  const std::vector<std::string>& arguments_;
  size_t at_ = 0;
  size_t letter_ = 0;  ///< of the word, the last one taken; 0: at the word's start
};

constexpr std::string_view kWithArgument = "BcCdDfhkNprStvW";
constexpr std::string_view kWithout = "eEFijlnOPsT";

/// -d N: messages down to DEBUGn (set_debug_options).
void debug_options(const std::string& level, std::vector<NameValue>& out) {
  int n = std::atoi(level.c_str());
  out.push_back({"log_min_messages", n > 0 ? "debug" + std::to_string(n) : "notice"});
  if (n >= 1) {
    out.push_back({"log_connections", "true"});
    out.push_back({"log_disconnections", "true"});
  }
  if (n >= 2) out.push_back({"log_statement", "all"});
  if (n >= 3) out.push_back({"debug_print_parse", "true"});
  if (n >= 4) out.push_back({"debug_print_plan", "true"});
  if (n >= 5) out.push_back({"debug_print_rewritten", "true"});
}

/// One letter with its argument as settings; false when it means nothing.
bool settings_of_letter(char letter, const std::string& argument, std::vector<NameValue>& out) {
  if (const Letter* known = find_letter(letter)) {
    out.push_back({known->name, known->value != nullptr ? known->value : argument});
    return true;
  }
  const char* name = nullptr;
  switch (letter) {
    case 'c':
      out.push_back(split_assignment(argument, "-c "));
      return true;
    case 'd':
      debug_options(argument, out);
      return true;
    case 'f':
      name = plan_switch(argument);
      if (name != nullptr) out.push_back({name, "false"});
      return name != nullptr;
    case 't':
      name = statistics_switch(argument);
      if (name != nullptr) out.push_back({name, "true"});
      return name != nullptr;
    default:
      // -n, -T, -j, -E, -r, -v steer debugging and single-user mode: nothing to set.
      return kWithArgument.find(letter) != std::string_view::npos ||
             kWithout.find(letter) != std::string_view::npos;
  }
}

std::string try_help(std::string_view program) {
  return fmt::format("Try \"{} --help\" for more information.\n", program);
}

}  // namespace

NameValue split_assignment(std::string_view text, std::string_view dashes) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw Error(sqlstate::kSyntaxError, "{}{} requires a value", dashes, text);
  }
  NameValue assignment{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
  for (char& c : assignment.name) {
    if (c == '-') c = '_';
  }
  return assignment;
}

ServerCommandLine apply_command_line(ServerSettings& server, std::string_view program,
                                     const std::vector<std::string>& arguments) {
  ServerCommandLine result;
  Options options(arguments);
  std::vector<NameValue> wanted;
  while (!options.at_end()) {
    if (!options.inside_word() && options.word() == "--") {
      options.skip_word();
      break;
    }
    if (!options.inside_word() && !options.is_option()) break;
    if (!options.inside_word() && options.is_long()) {
      wanted.push_back(split_assignment(std::string_view(options.word()).substr(2), "--"));
      options.skip_word();
      continue;
    }
    char letter = options.take_letter();
    std::string argument;
    bool takes_argument = kWithArgument.find(letter) != std::string_view::npos;
    if (takes_argument && !options.take_argument(argument)) {
      result.stderr_text =
          fmt::format("{}: option requires an argument -- '{}'\n", program, letter) +
          try_help(program);
      return result;
    }
    if (letter == 'D') {
      result.data_directory = argument;
    } else if (letter == 'C') {
      result.show_setting = argument;
    } else if (!settings_of_letter(letter, argument, wanted)) {
      result.stderr_text =
          fmt::format("{}: invalid option -- '{}'\n", program, letter) + try_help(program);
      return result;
    }
  }
  if (!options.at_end()) {
    result.stderr_text =
        fmt::format("{}: invalid argument: \"{}\"\n", program, options.word()) + try_help(program);
    return result;
  }
  for (const NameValue& w : wanted) server.set(w.name, w.value, SettingSource::kCommandLine);
  return result;
}

std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  size_t at = 0;
  auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (at < options.size()) {
    while (at < options.size() && is_blank(options[at])) ++at;
    if (at == options.size()) break;
    std::string word;
    while (at < options.size() && !is_blank(options[at])) {
      if (options[at] == '\\' && at + 1 < options.size()) ++at;
      word += options[at++];
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::vector<NameValue> settings_of_options(const std::vector<std::string>& arguments) {
  std::vector<NameValue> wanted;
  Options options(arguments);
  while (!options.at_end()) {
    std::string word = options.word();
    bool good = options.inside_word() || options.is_option();
    if (good && !options.inside_word() && options.is_long()) {
      wanted.push_back(split_assignment(std::string_view(word).substr(2), "--"));
      options.skip_word();
      continue;
    }
    std::string argument;
    if (good) {
      char letter = options.take_letter();
      bool takes_argument = kWithArgument.find(letter) != std::string_view::npos;
      // Where the data is and what to print are the server's to decide, not a client's.
      good = letter != 'D' && letter != 'C' &&
             (!takes_argument || options.take_argument(argument)) &&
             settings_of_letter(letter, argument, wanted);
    }
    if (!good) {
      throw Error(sqlstate::kSyntaxError, "invalid command-line argument for server process: {}",
                  word)
          .hint("Try \"{} --help\" for more information.", "postgres");
    }
  }
  return wanted;
}

}  // namespace cofork
