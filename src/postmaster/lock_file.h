// Lock files: postmaster.pid, which makes a data directory belong to one server, and a `.lock`
// beside each unix socket, which makes a port in a socket directory belong to one server.
//
// postmaster.pid is also how tools find a server; its lines, one fact each (LOCK_FILE_LINE_…, 15):
//   1 pid · 2 data directory · 3 start time (Unix epoch, seconds) · 4 port · 5 first socket
//   directory 6 first listen address · 7 key and id of the interlock · 8 status, padded to eight
//   characters
// Lines 1–5 are written at once when the file is made, the others as their facts become known.
//
// Rules: a file is made with O_EXCL, never by overwriting. The pid in a file that is there already
// counts as alive unless the kernel says that no such process exists; our own pid, our parent's and
// our grandparent's are false matches (after a reboot they are often the same numbers as before).
// Even when the postmaster of line 1 is dead, an orphan of it that is still attached to the
// interlock of line 7 keeps the directory locked.
//
// As CreateLockFile, AddToDataDirLockFile and RecheckDataDirLockFile in miscinit.c, 15.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/cells.h"
#include "os/os.h"

namespace cofork {

enum class LockFileLine : int {
  kPid = 1,
  kDataDirectory,
  kStartTime,
  kPort,
  kSocketDirectory,
  kListenAddress,
  kSharedMemoryKey,
  kStatus,
};

/// Line 8. pg_ctl compares all eight characters.
inline constexpr std::string_view kStatusStarting = "starting";
inline constexpr std::string_view kStatusReady = "ready   ";
inline constexpr std::string_view kStatusStandby = "standby ";
inline constexpr std::string_view kStatusStopping = "stopping";

/// Who asks for the lock.
struct LockFileOwner {
  Pid pid = 0;
  std::vector<Pid> kin;  ///< parent and grandparent: never the holder of a lock
  std::string data_directory;
  int64_t start_time_s = 0;  ///< Unix epoch
  int port = 0;
  mode_t file_mode = 0600;
};

class LockFiles {
 public:
  static constexpr const char* kDataDirectoryLock = "postmaster.pid";

  LockFiles(FileSystem& files, LockFileOwner owner) : files_(files), owner_(std::move(owner)) {}
  LockFiles(const LockFiles&) = delete;
  LockFiles& operator=(const LockFiles&) = delete;

  /// Makes postmaster.pid in the current directory. Throws FATAL F0001 when it belongs to somebody.
  void lock_data_directory();
  /// Makes `<socket_path>.lock`. Throws FATAL F0001 when it belongs to somebody.
  void lock_socket(const std::string& socket_path, const std::string& socket_directory);
  /// Takes over files that this same process has made before it was born again.
  void adopt(const std::vector<std::string>& paths) { paths_ = paths; }
  const std::vector<std::string>& paths() const { return paths_; }

  /// Writes one line of postmaster.pid; missing lines before it become empty. A failure is only
  /// logged: the server works without.
  void set_line(LockFileLine line, std::string_view text);

  /// False when postmaster.pid has gone or holds another pid: another server may be starting here.
  bool data_directory_lock_is_valid();
  /// Keeps /tmp cleaners from removing the socket lock files.
  void touch_socket_locks();
  /// Removes them all, the newest first.
  void remove_all();

 private:
  struct Kind {
    bool data_directory;
    std::string socket_path;
    std::string socket_directory;
  };
  void create(const std::string& path, const Kind& kind);
  /// Throws unless the existing file is a leftover, which is then removed.
  void clear_leftover(const std::string& path, const Kind& kind);
  void check_interlock(const std::string& content);

  FileSystem& files_;
  LockFileOwner owner_;
  std::vector<std::string> paths_;
};

/// `content` with its line `number` (from 1) replaced, as set_line() writes it.
std::string with_line(std::string_view content, int number, std::string_view text);

}  // namespace cofork
