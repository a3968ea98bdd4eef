// See command_line.h.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>

namespace cofork {

struct CommandLine::Parser {
  CLI::App app;
};

CommandLine::CommandLine(const std::string& program, const std::string& description,
                         const std::string& footer)
    : parser_(new Parser{CLI::App{description, program}}) {
  parser_->app.footer(footer);
}

CommandLine::~CommandLine() = default;

void CommandLine::option(const std::string& names, std::string& value, const std::string& help) {
  parser_->app.add_option(names, value, help);
}

void CommandLine::flag(const std::string& names, bool& value, const std::string& help) {
  parser_->app.add_flag(names, value, help);
}

void CommandLine::arguments(const std::string& name, std::vector<std::string>& values,
                            const std::string& help) {
  parser_->app.add_option(name, values, help);
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser_->app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace cofork
