// See durable.h.
#include "io/durable.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "settings/setting.h"
#include "settings/settings.h"

namespace cofork {

Error file_error(std::string_view verb, const std::string& path, int error) {
  int number = std::abs(error);
  return Error(sqlstate_for_file_errno(number), "could not {} file \"{}\": {}", verb, path,
               errno_text(number));
}

Severity data_sync_severity(Severity severity) {
  Task* task = this_task_or_null();
  auto* view = task == nullptr ? nullptr : task->slot<SettingsView>();
  return view != nullptr && view->get(setting::kDataSyncRetry) ? severity : Severity::kPanic;
}

void sync_path(const std::string& path, bool is_directory) {
  if (!fsync_is_enabled()) return;
  File file;
  // Directories can be opened for reading only; some systems refuse to sync a file opened so.
  int error = file.open(path, is_directory ? O_RDONLY : O_RDWR);
  if (is_directory && (error == -EISDIR || error == -EACCES)) return;
  if (error < 0) throw file_error("open", path, error);
  error = file.sync(WaitEventId::kDataFileSync);
  if (is_directory && (error == -EBADF || error == -EINVAL)) return;
  if (error < 0) {
    throw file_error("fsync", path, error).severity(data_sync_severity(Severity::kError));
  }
}

void sync_parent(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  sync_path(parent.empty() ? "/" : parent, true);
}

void durable_rename(const std::string& from, const std::string& to) {
  // First the content: after the rename nobody could tell an empty file from the real one.
  sync_path(from, false);
  FileSystem& files = task_files();
  struct stat st;
  if (files.stat(to, st) == 0) sync_path(to, false);
  int error = 0;
  wait_for_io(WaitEventId::kDataFileSync, [&] { error = files.rename(from, to); });
  if (error < 0) {
    throw Error(sqlstate_for_file_errno(-error), "could not rename file \"{}\" to \"{}\": {}", from,
                to, errno_text(-error));
  }
  sync_path(to, false);
  sync_parent(to);
}

void durable_unlink(const std::string& path) {
  FileSystem& files = task_files();
  int error = 0;
  wait_for_io(WaitEventId::kDataFileSync, [&] { error = files.unlink(path); });
  if (error < 0) throw file_error("remove", path, error);
  sync_parent(path);
}

void write_file(const std::string& path, std::string_view content, mode_t mode) {
  File file;
  int error = file.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (error < 0) throw file_error("create", path, error);
  ssize_t written = file.write_at(content.data(), content.size(), 0, WaitEventId::kDataFileWrite);
  if (written < 0) throw file_error("write", path, static_cast<int>(written));
  error = file.close();
  if (error < 0) throw file_error("close", path, error);
}

std::string read_whole_file(const std::string& path, WaitEventId event) {
  File file;
  int error = file.open(path, O_RDONLY);
  if (error < 0) throw file_error("open", path, error);
  std::string content;
  char chunk[8192];
  for (;;) {
    ssize_t n = file.read_at(chunk, sizeof chunk, static_cast<off_t>(content.size()), event);
    if (n < 0) throw file_error("read", path, static_cast<int>(n));
    content.append(chunk, static_cast<size_t>(n));
    if (n < static_cast<ssize_t>(sizeof chunk)) return content;
  }
}

}  // namespace cofork
