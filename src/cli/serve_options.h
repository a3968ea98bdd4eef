// The options of `cofork serve` and `postgres`: each is a setting in short form (getopt string and
// meanings as process_postgres_switches and PostmasterMain, 15), but for a few that say what to do
// instead of serving.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cofork {

struct ServeOptions {
  enum class Action { kServe, kHelp, kVersion, kShowSetting };
  Action action = Action::kServe;
  std::string data_directory;  ///< -D
  std::string shown_setting;   ///< -C
  bool stop_on_crash = false;  ///< -T
  /// Name and value of settings, in the order given.
  std::vector<std::pair<std::string, std::string>> settings;
};

/// What is wrong with the command line.
struct OptionError {
  enum class Kind {
    kUsage,    ///< text for standard error as it stands
    kSyntax,   ///< FATAL 42601
    kRefused,  ///< FATAL 0A000
  };
  Kind kind;
  std::string text;
};

/// Throws OptionError. `program` is named in messages ("postgres").
ServeOptions parse_serve_options(const std::string& program, int argc, char** argv);

std::string serve_help(const std::string& program);

}  // namespace cofork
