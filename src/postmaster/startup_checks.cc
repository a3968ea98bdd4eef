// See startup_checks.h.
#include "postmaster/startup_checks.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "os/user.h"
#include "support/error.h"
#include "support/version.h"

namespace cofork {

std::optional<Refusal> check_user(const std::string& program_name) {
  if (effective_user_id() == 0) {
    return Refusal{
        "\"root\" execution of the PostgreSQL server is not permitted.\n"
        "The server must be started under an unprivileged user ID to prevent\n"
        "possible system security compromise.  See the documentation for\n"
        "more information on how to properly start the server.\n"};
  }
  if (real_user_id() != effective_user_id()) {
    return Refusal{program_name + ": real and effective user IDs must match\n"};
  }
  return std::nullopt;
}

DirectoryMode check_data_directory(FileSystem& files, const std::string& directory) {
  struct stat st {};
  int error = -files.stat(directory, st);
  if (error == ENOENT) {
    throw Error(sqlstate_for_file_errno(error), "data directory \"{}\" does not exist", directory)
        .fatal();
  }
  if (error != 0) {
    throw Error(sqlstate_for_file_errno(error),
                "could not read permissions of directory \"{}\": {}", directory, errno_text(error))
        .fatal();
  }
  if (!S_ISDIR(st.st_mode)) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "specified data directory \"{}\" is not a directory", directory)
        .fatal();
  }
  if (st.st_uid != effective_user_id()) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "data directory \"{}\" has wrong ownership", directory)
        .hint("The server must be started by the user that owns the data directory.")
        .fatal();
  }
  // The group may read and search; anything more, and anything for others, is too much.
  constexpr mode_t kTooOpen = S_IWGRP | S_IRWXO;
  if ((st.st_mode & kTooOpen) != 0) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "data directory \"{}\" has invalid permissions", directory)
        .detail("Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).")
        .fatal();
  }
  check_version_file(files, directory);
  DirectoryMode mode;
  mode.group_access = (st.st_mode & (S_IRGRP | S_IXGRP)) == (S_IRGRP | S_IXGRP);
  return mode;
}

void check_version_file(FileSystem& files, const std::string& directory) {
  std::string path = directory + "/PG_VERSION";
  int fd = files.open(path, O_RDONLY);
  if (fd == -ENOENT) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState, "\"{}\" is not a valid data directory",
                directory)
        .detail("File \"{}\" is missing.", path)
        .fatal();
  }
  if (fd < 0) {
    throw Error(sqlstate_for_file_errno(-fd), "could not open file \"{}\": {}", path,
                errno_text(-fd))
        .fatal();
  }
  char text[64] = "";
  ssize_t got = files.pread(fd, text, sizeof text - 1, 0);
  files.close(fd);
  if (got >= 0) text[got] = '\0';
  char* end = text;
  long major = std::strtol(text, &end, 10);
  if (end == text) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState, "\"{}\" is not a valid data directory",
                directory)
        .detail("File \"{}\" does not contain valid data.", path)
        .hint("You might need to initdb.")
        .fatal();
  }
  if (major != kPgMajorVersion) {
    std::string found(text);
    found.erase(found.find_last_not_of(" \r\n\t") + 1);
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "database files are incompatible with server")
        .detail(
            "The data directory was initialized by PostgreSQL version {}, which is not compatible "
            "with this version {}.",
            found, kVersionText)
        .fatal();
  }
}

std::optional<Refusal> check_control_file_exists(FileSystem& files, const std::string& directory,
                                                 const std::string& program_name) {
  std::string path = directory + "/global/pg_control";
  int fd = files.open(path, O_RDONLY);
  if (fd >= 0) {
    files.close(fd);
    return std::nullopt;
  }
  return Refusal{fmt::format("{}: could not find the database system\n"
                             "Expected to find it in the directory \"{}\",\n"
                             "but could not open file \"{}\": {}\n",
                             program_name, directory, path, errno_text(-fd)),
                 2};
}

}  // namespace cofork
