// The real implementations behind os/os.h: thin wrappers of system calls, without state.
#pragma once

#include "os/os.h"

namespace cofork {

class RealClock final : public Clock {
 public:
  int64_t realtime_us() const override;
  int64_t monotonic_ns() const override;
};

class RealEntropy final : public Entropy {
 public:
  void fill(void* bytes, size_t count) override;
};

class RealFileSystem final : public FileSystem {
 public:
  int open(const std::string& path, int flags, mode_t mode) override;
  int close(int fd) override;
  ssize_t pread(int fd, void* bytes, size_t count, off_t offset) override;
  ssize_t pread_cached(int fd, void* bytes, size_t count, off_t offset) override;
  ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) override;
  ssize_t write(int fd, const void* bytes, size_t count) override;
  ssize_t read(int fd, void* bytes, size_t count) override;
  ssize_t write_without_waiting(int fd, const void* bytes, size_t count) override;
  int make_pipe(int& read_fd, int& write_fd) override;
  int replace_descriptor(int from, int to) override;
  int reopen_pipe_for_reading(int fd) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int prefetch(int fd, off_t offset, off_t bytes) override;
  int start_writeback(int fd, off_t offset, off_t bytes) override;
  int sync_file_system(int fd) override;
  int ftruncate(int fd, off_t size) override;
  int fstat(int fd, struct stat& st) override;
  int stat(const std::string& path, struct stat& st) override;
  int lstat(const std::string& path, struct stat& st) override;
  int unlink(const std::string& path) override;
  int rename(const std::string& from, const std::string& to) override;
  int mkdir(const std::string& path, mode_t mode) override;
  int rmdir(const std::string& path) override;
  int chmod(const std::string& path, mode_t mode) override;
  int symlink(const std::string& target, const std::string& path) override;
  int utime_now(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;
  std::string real_path(const std::string& path) override;
  int change_directory(const std::string& path) override;
};

class RealSockets final : public Sockets {
 public:
  std::string resolve(const std::string& host, int port, std::vector<ListenAddress>& out) override;
  ListenAddress unix_address(const std::string& path) override;
  int bind(const ListenAddress& address, const char*& step) override;
  int listen(int fd, int backlog) override;
  int accept(int listen_fd, PeerAddress& peer) override;
  ssize_t recv(int fd, void* bytes, size_t count) override;
  ssize_t send(int fd, const void* bytes, size_t count) override;
  bool peer_closed(int fd) override;
  int close(int fd) override;
  std::vector<InterfaceAddress> interfaces() override;
  std::string name_of(const PeerAddress& peer) override;
};

}  // namespace cofork
