// What a server checks before it touches anything: who starts it, and whether the data directory is
// one it may and can use. The checks run in the order of PostmasterMain (postmaster.c, 15), so that
// of several mistakes a user is told the same one first.
//
// Two kinds of refusal, as in PostgreSQL: plain sentences on standard error before the log exists,
// and FATAL messages afterwards.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "os/os.h"

namespace cofork {

/// A refusal in plain words: what to print on standard error, and the exit code.
struct Refusal {
  std::string text;
  int exit_code = 1;
};

/// The superuser of the machine may not run a server; nor may a set-uid program.
std::optional<Refusal> check_user(const std::string& program_name);

/// File modes that follow from the data directory's own mode.
struct DirectoryMode {
  bool group_access = false;
  mode_t file_mode() const { return group_access ? 0640 : 0600; }
  mode_t directory_mode() const { return group_access ? 0750 : 0700; }
  mode_t creation_mask() const { return group_access ? 0027 : 0077; }
};

/// Exists, is a directory, is ours, is not open to others; PG_VERSION is there and says 15.
/// Throws FATAL 55000 and friends (checkDataDir, ValidatePgVersion).
DirectoryMode check_data_directory(FileSystem& files, const std::string& directory);

/// PG_VERSION of the directory is ours. Throws FATAL 55000.
void check_version_file(FileSystem& files, const std::string& directory);

/// global/pg_control can be opened (checkControlFile).
std::optional<Refusal> check_control_file_exists(FileSystem& files, const std::string& directory,
                                                 const std::string& program_name);

}  // namespace cofork
