// The lexical form that pg_hba.conf and pg_ident.conf share (as tokenize_auth_file in hba.c, 15).
//
// A line is a sequence of fields divided by blanks; a field is a list of tokens divided by commas;
// a token may be quoted, which takes away the meaning of keywords and of a leading "+". "#" begins
// a comment, a backslash at the end of a line continues it, and an unquoted token @file stands for
// the tokens of that file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "support/error.h"

namespace cofork {

struct ConfigToken {
  std::string text;
  bool quoted = false;

  /// Is it this keyword? A quoted token never is.
  bool is_keyword(std::string_view keyword) const { return !quoted && text == keyword; }
};

using ConfigField = std::vector<ConfigToken>;

struct ConfigLine {
  int number = 0;  ///< of its first physical line, from 1
  std::vector<ConfigField> fields;
};

/// Contents of a file, or nullopt with errno in `error_number`.
using FileReader =
    std::function<std::optional<std::string>(const std::string& path, int& error_number)>;

/// Reads whole files through the operating system.
FileReader file_reader(FileSystem& files);
/// The file's text, or nullopt and a report that it could not be opened.
std::optional<std::string> read_config_file(const FileReader& read, const std::string& file_name,
                                            std::vector<ErrorData>& reports);

/// The lines with at least one field, in order. Mistakes are appended to `reports`, each with the
/// line as its CONTEXT; a line with one is left out.
std::vector<ConfigLine> tokenize_config(std::string_view text, const std::string& file_name,
                                        const FileReader& read_included,
                                        std::vector<ErrorData>& reports);

/// A report about one line: severity LOG, SQLSTATE F0000, CONTEXT `line N of configuration file
/// "F"`.
ErrorData config_file_report(std::string message, int line, const std::string& file_name);

}  // namespace cofork
