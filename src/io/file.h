// Files as tasks see them: the same calls as os/, but a task waits for the disk instead of blocking
// its thread, and the wait has a name.
//
//   File file;
//   int error = file.open("pg_wal/…", O_RDWR);            // 0, or a negated errno
//   ssize_t n = file.read_at(bytes, 8192, 0, WaitEventId::kWalRead);
//
// How it waits is the setting cofork.io_method: `sync` calls the kernel where it stands; `worker`
// hands the call to Model::run_blocking, which in the coroutine model suspends the fiber while a
// worker thread makes it, and in the fork model is the plain call. Reads first ask the page cache,
// where a hit costs a microsecond instead of a trip to another thread.
//
// Nothing here throws or logs, but io/durable.h, which knows what each failure means. Everything
// goes through the FileSystem of the task, so that a simulated disk can stand below. Outside a task
// (the `init` command, blocking work) calls are made in place.
//
// As fd.c of PostgreSQL 15. Relation files, of which many are open, are kept by storage/file_cache.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <string>

#include "model/task.h"
#include "os/os.h"

namespace cofork {

/// Runs something that may block in the kernel, as cofork.io_method says, with the wait event
/// shown. Inside, this_task() may be null and nothing may throw.
void wait_for_io(WaitEventId event, const std::function<void()>& work);

/// The operating system and the files of the running task, or the real ones outside of any.
OperatingSystem& task_os();
inline FileSystem& task_files() {
  return task_os().files;
}

/// Does this task's server force files to disk (setting fsync)? True where there are no settings.
bool fsync_is_enabled();

/// Modes of what the server creates: 0600 and 0700, or group-readable when the data directory is
/// (setting data_directory_mode; as pg_file_create_mode).
mode_t file_create_mode();
mode_t directory_create_mode();

/// How many files the tasks of one process may hold open together (max_safe_fds of fd.c). One
/// object for all tasks, made before the first child; without one there is no limit.
class DescriptorBudget {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kIo;

  /// What is left of min(RLIMIT_NOFILE, max_files_per_process) after `in_use` descriptors and a
  /// reserve of 10 for libraries. Throws FATAL 53000 when fewer than 48 remain.
  static int usable(int64_t system_limit, int64_t max_files_per_process, int64_t in_use);

  explicit DescriptorBudget(int files_max) : files_max_(files_max) {}
  bool take();
  /// Beyond the limit if need be: for who has nothing that could be closed instead.
  void take_anyway() { open_.fetch_add(1, std::memory_order_relaxed); }
  void give_back() { open_.fetch_sub(1, std::memory_order_relaxed); }
  int open() const { return open_.load(std::memory_order_relaxed); }

 private:
  int files_max_;
  std::atomic<int> open_{0};
};

/// On an open descriptor: reads until `count` bytes are there or the file ends, writes all of it.
/// Bytes, or -errno (-ENOSPC when the kernel takes fewer without saying why).
ssize_t read_descriptor(FileSystem& files, int fd, void* bytes, size_t count, off_t offset,
                        WaitEventId event);
ssize_t write_descriptor(FileSystem& files, int fd, const void* bytes, size_t count, off_t offset,
                         WaitEventId event);

/// An open file. Closing releases a descriptor and does not wait.
class File {
 public:
  File() = default;
  ~File() { close(); }
  File(File&& other) noexcept { *this = std::move(other); }
  File& operator=(File&& other) noexcept;

  /// `flags` as open(2), O_CLOEXEC added. 0 or -errno (-EMFILE when the budget is used up).
  int open(const std::string& path, int flags);
  int open(const std::string& path, int flags, mode_t mode);
  int close();
  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

  /// Reads until `count` bytes are there or the file ends: bytes read, or -errno.
  ssize_t read_at(void* bytes, size_t count, off_t offset, WaitEventId event) const;
  /// Writes all of it: `count`, or -errno (-ENOSPC when the kernel takes fewer without saying why).
  ssize_t write_at(const void* bytes, size_t count, off_t offset, WaitEventId event) const;
  /// fsync(2) and fdatasync(2); nothing with fsync = off. 0 or -errno.
  int sync(WaitEventId event) const;
  int sync_data(WaitEventId event) const;
  int truncate(off_t size) const;
  /// Size in bytes, or -errno.
  off_t size() const;

  // Inside blocking work: the plain loops, on a descriptor.
  int descriptor() const { return fd_; }
  static ssize_t read_fully(FileSystem& files, int fd, void* bytes, size_t count, off_t offset);
  static ssize_t write_fully(FileSystem& files, int fd, const void* bytes, size_t count,
                             off_t offset);

 private:
  int fd_ = -1;
  Task* owner_ = nullptr;  ///< whose descriptor it is, should the task be dropped
  FileSystem* files_ = nullptr;
  DescriptorBudget* budget_ = nullptr;
  std::string path_;
};

}  // namespace cofork
