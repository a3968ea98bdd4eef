// See file.h.
#include "io/file.h"

#include <cerrno>
#include <utility>

#include "model/model.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr int kReservedDescriptors = 10;  // NUM_RESERVED_FDS
constexpr int kDescriptorsMin = 48;       // FD_MINFREE
constexpr mode_t kGroupBits = 0070;

SettingsView* settings_or_null() {
  Task* task = this_task_or_null();
  return task == nullptr ? nullptr : task->slot<SettingsView>();
}

bool calls_in_place() {
  SettingsView* view = settings_or_null();
  return view != nullptr && view->get(setting::kCoforkIoMethod) == setting::IoMethod::kSync;
}

bool group_may_read() {
  SettingsView* view = settings_or_null();
  return view != nullptr &&
         (static_cast<mode_t>(view->get(setting::kDataDirectoryMode)) & kGroupBits) != 0;
}

}  // namespace

void wait_for_io(WaitEventId event, const std::function<void()>& work) {
  Task* task = this_task_or_null();
  if (task == nullptr) {
    work();
    return;
  }
  task->wait_begins(static_cast<uint32_t>(event));
  if (calls_in_place()) {
    work();
  } else {
    task->model().run_blocking(*task, work);
  }
  task->wait_ends();
}

OperatingSystem& task_os() {
  Task* task = this_task_or_null();
  return task == nullptr ? real_operating_system() : task->os();
}

bool fsync_is_enabled() {
  SettingsView* view = settings_or_null();
  return view == nullptr || view->get(setting::kFsync);
}

mode_t file_create_mode() {
  return group_may_read() ? 0640 : 0600;
}

mode_t directory_create_mode() {
  return group_may_read() ? 0750 : 0700;
}

int DescriptorBudget::usable(int64_t system_limit, int64_t max_files_per_process, int64_t in_use) {
  int64_t allowed = max_files_per_process;
  if (system_limit >= 0 && system_limit - in_use < allowed) allowed = system_limit - in_use;
  allowed -= kReservedDescriptors;
  if (allowed < kDescriptorsMin) {
    throw Error(sqlstate::kInsufficientResources,
                "insufficient file descriptors available to start server process")
        .detail("System allows {}, server needs at least {}.", allowed + kReservedDescriptors,
                kDescriptorsMin + kReservedDescriptors)
        .fatal();
  }
  return static_cast<int>(allowed);
}

bool DescriptorBudget::take() {
  if (open_.fetch_add(1, std::memory_order_relaxed) < files_max_) return true;
  give_back();
  return false;
}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  owner_ = other.owner_;
  files_ = other.files_;
  budget_ = other.budget_;
  path_ = std::move(other.path_);
  return *this;
}

int File::open(const std::string& path, int flags) {
  return open(path, flags, file_create_mode());
}

int File::open(const std::string& path, int flags, mode_t mode) {
  close();
  owner_ = this_task_or_null();
  files_ = &task_files();
  budget_ = owner_ == nullptr ? nullptr : owner_->slot<DescriptorBudget>();
  if (budget_ != nullptr && !budget_->take()) return -EMFILE;
  int fd = files_->open(path, flags, mode);
  if (fd < 0) {
    if (budget_ != nullptr) budget_->give_back();
    return fd;
  }
  fd_ = fd;
  path_ = path;
  if (owner_ != nullptr) owner_->adopt_fd(fd_);
  return 0;
}

int File::close() {
  if (fd_ < 0) return 0;
  if (owner_ != nullptr) owner_->forget_fd(fd_);
  if (budget_ != nullptr) budget_->give_back();
  return files_->close(std::exchange(fd_, -1));
}

ssize_t File::read_fully(FileSystem& files, int fd, void* bytes, size_t count, off_t offset) {
  size_t done = 0;
  while (done < count) {
    ssize_t n = files.pread(fd, static_cast<char*>(bytes) + done, count - done,
                            offset + static_cast<off_t>(done));
    if (n < 0) return n;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

ssize_t File::write_fully(FileSystem& files, int fd, const void* bytes, size_t count,
                          off_t offset) {
  size_t done = 0;
  while (done < count) {
    ssize_t n = files.pwrite(fd, static_cast<const char*>(bytes) + done, count - done,
                             offset + static_cast<off_t>(done));
    if (n < 0) return n;
    if (n == 0) return -ENOSPC;
    done += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

ssize_t read_descriptor(FileSystem& files, int fd, void* bytes, size_t count, off_t offset,
                        WaitEventId event) {
  if (!calls_in_place()) {
    ssize_t cached = files.pread_cached(fd, bytes, count, offset);
    if (cached == static_cast<ssize_t>(count)) return cached;
  }
  ssize_t result = 0;
  wait_for_io(event, [&] { result = File::read_fully(files, fd, bytes, count, offset); });
  return result;
}

ssize_t write_descriptor(FileSystem& files, int fd, const void* bytes, size_t count, off_t offset,
                         WaitEventId event) {
  ssize_t result = 0;
  wait_for_io(event, [&] { result = File::write_fully(files, fd, bytes, count, offset); });
  return result;
}

ssize_t File::read_at(void* bytes, size_t count, off_t offset, WaitEventId event) const {
  return read_descriptor(*files_, fd_, bytes, count, offset, event);
}

ssize_t File::write_at(const void* bytes, size_t count, off_t offset, WaitEventId event) const {
  return write_descriptor(*files_, fd_, bytes, count, offset, event);
}

int File::sync(WaitEventId event) const {
  if (!fsync_is_enabled()) return 0;
  int result = 0;
  wait_for_io(event, [&] { result = files_->fsync(fd_); });
  return result;
}

int File::sync_data(WaitEventId event) const {
  if (!fsync_is_enabled()) return 0;
  int result = 0;
  wait_for_io(event, [&] { result = files_->fdatasync(fd_); });
  return result;
}

int File::truncate(off_t size) const {
  return files_->ftruncate(fd_, size);
}

off_t File::size() const {
  struct stat st;
  int error = files_->fstat(fd_, st);
  return error < 0 ? error : st.st_size;
}

}  // namespace cofork
