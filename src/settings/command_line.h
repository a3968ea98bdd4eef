// The server program's command line as settings: -c name=value, --name=value, and the old letters
// (as PostmasterMain in postmaster.c and process_postgres_switches in postgres.c).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settings/server_settings.h"

namespace cofork {

struct ServerCommandLine {
  std::string data_directory;  ///< -D; "" when not given
  std::string show_setting;    ///< -C NAME: print its value and exit; "" when not given
  std::string stderr_text;     ///< not empty: bad usage; to standard error, exit code 1
};

/// Applies the options to `server` with source kCommandLine. Throws Error for a bad name or value
/// (the caller reports it as FATAL, exit code 1). `program`: "postgres", for the usage lines.
ServerCommandLine apply_command_line(ServerSettings& server, std::string_view program,
                                     const std::vector<std::string>& arguments);

/// Startup-packet options ("-c work_mem=8MB --geqo=off") into words: blanks separate, a backslash
/// protects (pg_split_opts).
std::vector<std::string> split_options(std::string_view options);

/// One name and value out of "name=value", dashes in the name as underscores (ParseLongOption).
/// Throws 42601 "--x requires a value" / "-c x requires a value".
struct NameValue {
  std::string name;
  std::string value;
};
NameValue split_assignment(std::string_view text, std::string_view dashes);

/// The settings that the options of a startup packet ask for, in order; the caller sets them with
/// source kClient. Throws 42601 `invalid command-line argument for server process: …`.
std::vector<NameValue> settings_of_options(const std::vector<std::string>& arguments);

}  // namespace cofork
