// The real file system: each method is one system call, EINTR retried, errors as negated errno.
#include "os/real_os.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace cofork {

namespace {

/// Runs a system call again while a signal interrupts it; gives -errno for its -1.
template <typename Call>
auto retrying(Call call) -> decltype(call()) {
  for (;;) {
    auto result = call();
    if (result != -1) return result;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

int RealFileSystem::open(const std::string& path, int flags, mode_t mode) {
  return retrying([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
}

int RealFileSystem::close(int fd) {
  // Never retried: Linux has released the descriptor even when it says EINTR.
  return ::close(fd) == 0 ? 0 : -errno;
}

ssize_t RealFileSystem::pread(int fd, void* bytes, size_t count, off_t offset) {
  return retrying([&] { return ::pread(fd, bytes, count, offset); });
}
ssize_t RealFileSystem::pread_cached(int fd, void* bytes, size_t count, off_t offset) {
  iovec into{bytes, count};
  return retrying([&] { return ::preadv2(fd, &into, 1, offset, RWF_NOWAIT); });
}
ssize_t RealFileSystem::pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  return retrying([&] { return ::pwrite(fd, bytes, count, offset); });
}
ssize_t RealFileSystem::write(int fd, const void* bytes, size_t count) {
  return retrying([&] { return ::write(fd, bytes, count); });
}
ssize_t RealFileSystem::read(int fd, void* bytes, size_t count) {
  return retrying([&] { return ::read(fd, bytes, count); });
}
ssize_t RealFileSystem::write_without_waiting(int fd, const void* bytes, size_t count) {
  iovec part{const_cast<void*>(bytes), count};
  ssize_t written = retrying([&] { return ::pwritev2(fd, &part, 1, -1, RWF_NOWAIT); });
  // A file system that cannot tell says so; then waiting is the only way to find out.
  return written == -EOPNOTSUPP ? -EAGAIN : written;
}
int RealFileSystem::make_pipe(int& read_fd, int& write_fd) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -errno;
  read_fd = ends[0];
  write_fd = ends[1];
  return 0;
}
int RealFileSystem::replace_descriptor(int from, int to) {
  return retrying([&] { return ::dup2(from, to); });
}
int RealFileSystem::reopen_pipe_for_reading(int fd) {
  return open("/proc/self/fd/" + std::to_string(fd), O_RDONLY | O_NONBLOCK, 0);
}
int RealFileSystem::fsync(int fd) {
  return retrying([&] { return ::fsync(fd); });
}
int RealFileSystem::fdatasync(int fd) {
  return retrying([&] { return ::fdatasync(fd); });
}
int RealFileSystem::prefetch(int fd, off_t offset, off_t bytes) {
  return -::posix_fadvise(fd, offset, bytes, POSIX_FADV_WILLNEED);
}
int RealFileSystem::start_writeback(int fd, off_t offset, off_t bytes) {
  return retrying([&] { return ::sync_file_range(fd, offset, bytes, SYNC_FILE_RANGE_WRITE); });
}
int RealFileSystem::sync_file_system(int fd) {
  return retrying([&] { return ::syncfs(fd); });
}
int RealFileSystem::ftruncate(int fd, off_t size) {
  return retrying([&] { return ::ftruncate(fd, size); });
}
int RealFileSystem::fstat(int fd, struct stat& st) {
  return retrying([&] { return ::fstat(fd, &st); });
}
int RealFileSystem::stat(const std::string& path, struct stat& st) {
  return retrying([&] { return ::stat(path.c_str(), &st); });
}
int RealFileSystem::lstat(const std::string& path, struct stat& st) {
  return retrying([&] { return ::lstat(path.c_str(), &st); });
}
int RealFileSystem::unlink(const std::string& path) {
  return retrying([&] { return ::unlink(path.c_str()); });
}
int RealFileSystem::rename(const std::string& from, const std::string& to) {
  return retrying([&] { return ::rename(from.c_str(), to.c_str()); });
}
int RealFileSystem::mkdir(const std::string& path, mode_t mode) {
  return retrying([&] { return ::mkdir(path.c_str(), mode); });
}
int RealFileSystem::rmdir(const std::string& path) {
  return retrying([&] { return ::rmdir(path.c_str()); });
}
int RealFileSystem::chmod(const std::string& path, mode_t mode) {
  return retrying([&] { return ::chmod(path.c_str(), mode); });
}
int RealFileSystem::symlink(const std::string& target, const std::string& path) {
  return retrying([&] { return ::symlink(target.c_str(), path.c_str()); });
}
int RealFileSystem::utime_now(const std::string& path) {
  return retrying([&] { return ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); });
}

int RealFileSystem::list(const std::string& path, std::vector<std::string>& names) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return -errno;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
    errno = 0;
  }
  int error = errno;
  ::closedir(directory);
  return -error;
}

std::string RealFileSystem::real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return "";
  std::string result = resolved;
  std::free(resolved);
  return result;
}

int RealFileSystem::change_directory(const std::string& path) {
  return retrying([&] { return ::chdir(path.c_str()); });
}

}  // namespace cofork
