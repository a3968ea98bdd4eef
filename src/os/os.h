// The operating system as the server sees it: four small interfaces and a bundle of them.
//
// Nothing above os/ and model/ calls the kernel itself. Every task reaches the same bundle through
// this_task().os(), so that a simulated clock, disk and network can stand under the very same
// roles.
//
// Conventions: a call that can fail returns its result, or the negated errno; nothing here throws,
// logs or retries (except EINTR). File calls block; io/ decides how a task waits for them. Sockets
// are always non-blocking: EAGAIN comes back as -EAGAIN and the caller waits on a WaitSet.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cofork {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 00:00:00 UTC.
  virtual int64_t realtime_us() const = 0;
  /// Nanoseconds of a clock that never jumps; only differences mean anything.
  virtual int64_t monotonic_ns() const = 0;
};

class Entropy {
 public:
  virtual ~Entropy() = default;
  /// Fills with unpredictable bytes (as pg_strong_random); cannot fail after boot.
  virtual void fill(void* bytes, size_t count) = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int open(const std::string& path, int flags,
                   mode_t mode = 0600) = 0;  ///< O_CLOEXEC added
  virtual int close(int fd) = 0;
  virtual ssize_t pread(int fd, void* bytes, size_t count, off_t offset) = 0;
  /// What of it the page cache has, without touching the disk; -EAGAIN when nothing of it
  /// (preadv2 with RWF_NOWAIT).
  virtual ssize_t pread_cached(int fd, void* bytes, size_t count, off_t offset) = 0;
  virtual ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) = 0;
  virtual ssize_t write(int fd, const void* bytes,
                        size_t count) = 0;                      ///< at the file's own position
  virtual ssize_t read(int fd, void* bytes, size_t count) = 0;  ///< the same; pipes
  /// As write(), but -EAGAIN where it would have to wait for a reader (pipes).
  virtual ssize_t write_without_waiting(int fd, const void* bytes, size_t count) = 0;
  /// Both ends of a pipe, closed on exec: 0 or -errno.
  virtual int make_pipe(int& read_fd, int& write_fd) = 0;
  /// Makes `to` another name of what `from` is (dup2), kept open on exec.
  virtual int replace_descriptor(int from, int to) = 0;
  /// Opens the reading end of a pipe once more, non-blocking: the kernel sees an open file of its
  /// own, which can be watched and closed without regard to the other. Closed on exec; or -errno.
  virtual int reopen_pipe_for_reading(int fd) = 0;
  virtual int fsync(int fd) = 0;
  virtual int fdatasync(int fd) = 0;
  /// Has the kernel read a part of a file ahead, or begin to write it out; neither waits for the
  /// disk (posix_fadvise, sync_file_range).
  virtual int prefetch(int fd, off_t offset, off_t bytes) = 0;
  virtual int start_writeback(int fd, off_t offset, off_t bytes) = 0;
  virtual int sync_file_system(int fd) = 0;  ///< syncfs(2): all of the file system `fd` lies on
  virtual int ftruncate(int fd, off_t size) = 0;
  virtual int fstat(int fd, struct stat& st) = 0;
  virtual int stat(const std::string& path, struct stat& st) = 0;
  virtual int lstat(const std::string& path, struct stat& st) = 0;
  virtual int unlink(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int mkdir(const std::string& path, mode_t mode) = 0;
  virtual int rmdir(const std::string& path) = 0;
  virtual int chmod(const std::string& path, mode_t mode) = 0;
  virtual int symlink(const std::string& target, const std::string& path) = 0;
  virtual int utime_now(const std::string& path) = 0;
  /// Names in a directory without "." and "..", in no particular order.
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
  /// Absolute path without links, or "" when it cannot be resolved.
  virtual std::string real_path(const std::string& path) = 0;
  virtual int change_directory(const std::string& path) = 0;  ///< once, at start-up
};

/// A peer as pg_stat_activity, the log and pg_hba.conf show it.
struct PeerAddress {
  enum class Family : uint8_t { kUnix, kIpv4, kIpv6 };
  Family family = Family::kUnix;
  uint8_t bytes[16] = {};  ///< network order; 4 of them for IPv4
  uint16_t port = 0;
  std::string host() const;  ///< "127.0.0.1", "::1" or "[local]"
};

/// One address to listen on, after name resolution.
struct ListenAddress {
  PeerAddress::Family family;
  std::string text;  ///< "127.0.0.1", "::1", or the socket's path
  std::string raw;   ///< the sockaddr
};

/// An address of one of this machine's network interfaces, with its mask.
struct InterfaceAddress {
  PeerAddress address;  ///< no port
  uint8_t mask[16] = {};
};

class Sockets {
 public:
  virtual ~Sockets() = default;
  /// Resolves "localhost", "*", an address …; "" on success, else the resolver's text.
  virtual std::string resolve(const std::string& host, int port,
                              std::vector<ListenAddress>& out) = 0;
  virtual ListenAddress unix_address(const std::string& path) = 0;
  /// socket(), options and bind(); the fd or -errno. `step` names the call that failed.
  virtual int bind(const ListenAddress& address, const char*& step) = 0;
  virtual int listen(int fd, int backlog) = 0;
  /// Accepts one connection, non-blocking and close-on-exec, TCP_NODELAY and SO_KEEPALIVE set.
  virtual int accept(int listen_fd, PeerAddress& peer) = 0;
  virtual ssize_t recv(int fd, void* bytes, size_t count) = 0;
  virtual ssize_t send(int fd, const void* bytes, size_t count) = 0;  ///< MSG_NOSIGNAL
  /// True when the peer has closed its end and nothing is left to read.
  virtual bool peer_closed(int fd) = 0;
  virtual int close(int fd) = 0;
  /// All addresses of this machine, for samehost and samenet in pg_hba.conf.
  virtual std::vector<InterfaceAddress> interfaces() = 0;
  /// The name of an address, or "" (blocking).
  virtual std::string name_of(const PeerAddress& peer) = 0;
};

struct OperatingSystem {
  Clock& clock;
  Entropy& entropy;
  FileSystem& files;
  Sockets& sockets;
};

/// The real ones. Objects without state; one bundle serves every task of the process.
OperatingSystem& real_operating_system();

}  // namespace cofork
