// Reading configuration files: names and values, with includes followed (as guc-file.l).
//
//   name = value      # the equals sign may be missing; values are words, numbers or 'quoted'
//   include 'file'    include_if_exists 'file'    include_dir 'folder'
//
// Nothing here knows what settings exist; that is server_settings.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "support/error.h"

namespace cofork {

struct ConfigItem {
  std::string name;
  std::string value;
  std::shared_ptr<const std::string> file;
  int line = 0;
};

struct ConfigItems {
  std::vector<ConfigItem> items;    ///< in the order they were met
  std::vector<ErrorData> messages;  ///< LOG lines: syntax errors, files that cannot be opened
  std::string file_with_error;      ///< the last file that was in trouble
  bool ok = true;
};

/// Appends what `path` and the files it includes hold. `strict`: a missing file is an error, else
/// "skipping missing configuration file".
void read_config_file(FileSystem& files, const std::string& path, bool strict, ConfigItems& out);

/// The same for text at hand, without following includes: `cofork.auto.conf` is rewritten so.
void parse_config_text(std::string_view text, const std::shared_ptr<const std::string>& file,
                       ConfigItems& out);

/// Value in single quotes, quotes doubled and backslashes too: what the reader takes back.
std::string quote_config_value(std::string_view value);

/// A path against the folder `base` unless it is absolute; "." and ".." and doubled slashes
/// removed.
std::string absolute_path(std::string_view path, std::string_view base);

/// A whole file; -errno when it cannot be read.
int read_whole_file(FileSystem& files, const std::string& path, std::string& text);

}  // namespace cofork
