// See lock_file.h.
#include "postmaster/lock_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "log/log.h"
#include "os/process.h"
#include "os/shared_mapping.h"

namespace cofork {

namespace {

constexpr int kCreateTriesMax = 100;
constexpr size_t kLockFileBytesMax = 8192;

Error file_error(int error, const char* what, const std::string& path) {
  return Error(sqlstate_for_file_errno(error), "could not {} lock file \"{}\": {}", what, path,
               errno_text(error))
      .fatal();
}

/// The whole file; -errno when it cannot be read.
int read_whole(FileSystem& files, int fd, std::string& content) {
  content.resize(kLockFileBytesMax);
  ssize_t got = files.pread(fd, content.data(), content.size(), 0);
  content.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return got < 0 ? static_cast<int>(got) : 0;
}

/// The text after the first `skipped` lines; empty when there are fewer.
std::string_view after_lines(std::string_view content, int skipped) {
  for (; skipped > 0; --skipped) {
    size_t end = content.find('\n');
    if (end == std::string_view::npos) return {};
    content.remove_prefix(end + 1);
  }
  return content;
}

}  // namespace

std::string with_line(std::string_view content, int number, std::string_view text) {
  std::string result;
  std::string_view rest = content;
  for (int line = 1; line < number; ++line) {
    size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      result += rest;
      rest = {};
      result += '\n';
    } else {
      result += rest.substr(0, end + 1);
      rest.remove_prefix(end + 1);
    }
  }
  result += text;
  result += '\n';
  result += after_lines(rest, 1);
  return result;
}

void LockFiles::lock_data_directory() {
  create(kDataDirectoryLock, {true, "", ""});
}

void LockFiles::lock_socket(const std::string& socket_path, const std::string& socket_directory) {
  create(socket_path + ".lock", {false, socket_path, socket_directory});
}

void LockFiles::create(const std::string& path, const Kind& kind) {
  int fd;
  for (int tries = 0;; ++tries) {
    fd = files_.open(path, O_RDWR | O_CREAT | O_EXCL, owner_.file_mode);
    if (fd >= 0) break;
    // EACCES: the file may exist under another user; reading it gives the better message.
    if ((fd != -EEXIST && fd != -EACCES) || tries > kCreateTriesMax) {
      throw file_error(-fd, "create", path);
    }
    clear_leftover(path, kind);
  }
  std::string content = fmt::format("{}\n{}\n{}\n{}\n{}\n", owner_.pid, owner_.data_directory,
                                    owner_.start_time_s, owner_.port, kind.socket_directory);
  ssize_t written = files_.pwrite(fd, content.data(), content.size(), 0);
  int error = 0;
  if (written != static_cast<ssize_t>(content.size())) {
    error = written < 0 ? static_cast<int>(-written) : ENOSPC;
  } else {
    error = -files_.fsync(fd);
  }
  files_.close(fd);
  if (error != 0) {
    files_.unlink(path);
    throw file_error(error, "write", path);
  }
  paths_.push_back(path);
}

void LockFiles::clear_leftover(const std::string& path, const Kind& kind) {
  int fd = files_.open(path, O_RDONLY);
  if (fd == -ENOENT) return;  // its owner removed it meanwhile: try again
  if (fd < 0) throw file_error(-fd, "open", path);
  std::string content;
  int error = read_whole(files_, fd, content);
  files_.close(fd);
  if (error < 0) throw file_error(-error, "read", path);
  if (content.empty()) {
    throw Error(sqlstate::kLockFileExists, "lock file \"{}\" is empty", path)
        .hint(
            "Either another server is starting, or the lock file is the remnant of a previous "
            "server startup crash.")
        .fatal();
  }

  long encoded = std::strtol(content.c_str(), nullptr, 10);
  Pid other = static_cast<Pid>(encoded < 0 ? -encoded : encoded);
  if (other <= 0) {
    throw Error(sqlstate::kInternalError, "bogus data in lock file \"{}\": \"{}\"", path, content)
        .fatal();
  }
  bool false_match = other == owner_.pid ||
                     std::find(owner_.kin.begin(), owner_.kin.end(), other) != owner_.kin.end();
  if (!false_match) {
    // EPERM: a process of another user cannot be a server that could write here.
    int asked = signal_process(other, 0);
    if (asked != -ESRCH && asked != -EPERM) {
      const char* program = encoded < 0 ? "postgres" : "postmaster";
      Error exists(sqlstate::kLockFileExists, "lock file \"{}\" already exists", path);
      if (kind.data_directory) {
        throw std::move(exists)
            .hint("Is another {} (PID {}) running in data directory \"{}\"?", program, other,
                  owner_.data_directory)
            .fatal();
      }
      throw std::move(exists)
          .hint("Is another {} (PID {}) using socket file \"{}\"?", program, other,
                kind.socket_path)
          .fatal();
    }
  }
  if (kind.data_directory) check_interlock(content);

  int removed = files_.unlink(path);
  if (removed < 0) {
    throw Error(sqlstate_for_file_errno(-removed), "could not remove old lock file \"{}\": {}",
                path, errno_text(-removed))
        .hint(
            "The file seems accidentally left over, but it could not be removed. Please remove the "
            "file by hand and try again.")
        .fatal();
  }
}

void LockFiles::check_interlock(const std::string& content) {
  std::string_view line =
      after_lines(content, static_cast<int>(LockFileLine::kSharedMemoryKey) - 1);
  unsigned long key = 0, id = 0;
  std::string text(line.substr(0, line.find('\n')));
  if (std::sscanf(text.c_str(), "%lu %lu", &key, &id) != 2) return;
  struct stat directory {};
  if (files_.stat(".", directory) != 0) return;
  if (interlock_use(static_cast<int>(id), directory.st_dev, directory.st_ino) !=
      InterlockUse::kAttached) {
    return;
  }
  throw Error(sqlstate::kLockFileExists,
              "pre-existing shared memory block (key {}, ID {}) is still in use", key, id)
      .hint("Terminate any old server processes associated with data directory \"{}\".",
            owner_.data_directory)
      .fatal();
}

void LockFiles::set_line(LockFileLine line, std::string_view text) {
  int fd = files_.open(kDataDirectoryLock, O_RDWR);
  if (fd < 0) {
    log(Severity::kLog, "could not open file \"{}\": {}", kDataDirectoryLock, errno_text(-fd));
    return;
  }
  std::string before;
  int error = read_whole(files_, fd, before);
  if (error < 0) {
    log(Severity::kLog, "could not read from file \"{}\": {}", kDataDirectoryLock,
        errno_text(-error));
    files_.close(fd);
    return;
  }
  // In place, in one write: a reader finds the old line or the new one, never a file without.
  std::string after = with_line(before, static_cast<int>(line), text);
  ssize_t written = files_.pwrite(fd, after.data(), after.size(), 0);
  if (written == static_cast<ssize_t>(after.size()) && after.size() < before.size()) {
    written = files_.ftruncate(fd, static_cast<off_t>(after.size()));
  }
  if (written >= 0) written = files_.fsync(fd);
  if (written < 0) {
    log(Severity::kLog, "could not write to file \"{}\": {}", kDataDirectoryLock,
        errno_text(static_cast<int>(-written)));
  }
  files_.close(fd);
}

bool LockFiles::data_directory_lock_is_valid() {
  int fd = files_.open(kDataDirectoryLock, O_RDWR);
  if (fd == -ENOENT || fd == -ENOTDIR) {
    log(Severity::kLog, "could not open file \"{}\": {}", kDataDirectoryLock, errno_text(-fd));
    return false;
  }
  if (fd < 0) {
    log(Severity::kLog, "could not open file \"{}\": {}; continuing anyway", kDataDirectoryLock,
        errno_text(-fd));
    return true;
  }
  std::string content;
  int error = read_whole(files_, fd, content);
  files_.close(fd);
  if (error < 0) {
    log(Severity::kLog, "could not read from file \"{}\": {}", kDataDirectoryLock,
        errno_text(-error));
    return true;
  }
  long found = std::strtol(content.c_str(), nullptr, 10);
  if (found == owner_.pid) return true;
  log(Severity::kLog, "lock file \"{}\" contains wrong PID: {} instead of {}", kDataDirectoryLock,
      found, owner_.pid);
  return false;
}

void LockFiles::touch_socket_locks() {
  for (const std::string& path : paths_) {
    if (path != kDataDirectoryLock) files_.utime_now(path);
  }
}

void LockFiles::remove_all() {
  for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) files_.unlink(*path);
  paths_.clear();
}

}  // namespace cofork
