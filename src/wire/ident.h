// pg_ident.conf: which database user an outside identity may become (as load_ident in hba.c, 15).
//
// Read by the methods that bring an identity of their own (ident, peer, cert, gss …). The file is
// parsed and its mistakes are told, regular expressions included; maps are looked up when one of
// those methods is there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "support/error.h"
#include "wire/hba_tokens.h"

namespace cofork {

struct IdentLine {
  int number = 0;
  std::string map_name;
  std::string system_user;    ///< a leading "/" makes it a regular expression
  std::string database_user;  ///< "\1" stands for the expression's first group
};

struct IdentConfig {
  std::string file_name;
  std::vector<IdentLine> lines;
};

/// Null when there was a mistake; an empty file is none.
std::shared_ptr<const IdentConfig> parse_ident(std::string_view text, const std::string& file_name,
                                               const FileReader& read_included,
                                               std::vector<ErrorData>& reports);
std::shared_ptr<const IdentConfig> load_ident(FileSystem& files, const std::string& file_name,
                                              std::vector<ErrorData>& reports);

}  // namespace cofork
