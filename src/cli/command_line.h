// The options of cofork's own commands: what --help shows, and how they are read.
//
//   CommandLine line("cofork ps", "Shows the tasks of a running server.", "Examples:\n  …");
//   line.option("-D,--pgdata", directory, "the server's data directory (default: PGDATA)");
//   line.flag("--json", json, "print JSON instead of a table");
//   if (auto status = line.parse(argc, argv)) return *status;
//
// The parser is CLI11; its header, which takes longer to compile than most of this floor, is known
// to command_line.cc alone. The programs of PostgreSQL have option rules of their own
// (getopt_long's) and do not come here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cofork {

class CommandLine {
 public:
  /// `footer` stands below the options in --help.
  CommandLine(const std::string& program, const std::string& description,
              const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // What is set here must live until parse() has returned.
  void option(const std::string& names, std::string& value, const std::string& help);
  void flag(const std::string& names, bool& value, const std::string& help);
  /// All words that are no options.
  void arguments(const std::string& name, std::vector<std::string>& values,
                 const std::string& help);

  /// Empty: go on. Otherwise the exit status: 0 after --help, 2 after a complaint on stderr.
  std::optional<int> parse(int argc, char** argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace cofork
