// See sync_tree.h.
#include "io/sync_tree.h"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "io/file.h"
#include "support/error.h"

namespace cofork {

namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

void complain(const SyncTreeEvents& events, const char* verb, const char* what,
              const std::string& path, int error) {
  if (events.failed) {
    events.failed(fmt::format("could not {} {} \"{}\": {}", verb, what, path, errno_text(-error)));
  }
}

void sync_one(const std::string& path, bool is_directory, const SyncTreeEvents& events) {
  if (events.visiting) events.visiting(path);
  File file;
  int error = file.open(path, is_directory ? O_RDONLY : O_RDWR);
  // A file of somebody else's, or one that has gone meanwhile, is not ours to worry about.
  if (error == -EACCES || error == -ENOENT || error == -ETXTBSY) return;
  if (is_directory && error == -EISDIR) return;
  if (error < 0) return complain(events, "open", "file", path, error);
  error = file.sync(WaitEventId::kDataFileSync);
  if (is_directory && (error == -EBADF || error == -EINVAL)) return;
  if (error < 0) complain(events, "fsync", "file", path, error);
}

void walk(const std::string& directory, bool follow_links, const SyncTreeEvents& events) {
  FileSystem& files = task_files();
  std::vector<std::string> names;
  int error = 0;
  wait_for_io(WaitEventId::kDataFileRead, [&] { error = files.list(directory, names); });
  if (error < 0) return complain(events, "open", "directory", directory, error);
  for (const std::string& name : names) {
    if (Task* task = this_task_or_null()) task->check_interrupts();
    std::string path = joined(directory, name);
    struct stat st;
    error = follow_links ? files.stat(path, st) : files.lstat(path, st);
    if (error < 0) {
      complain(events, "stat", "file", path, error);
    } else if (S_ISREG(st.st_mode)) {
      sync_one(path, false, events);
    } else if (S_ISDIR(st.st_mode)) {
      walk(path, false, events);
    }
  }
  // The directory last: its entries are durable only with it.
  sync_one(directory, true, events);
}

bool is_link(const std::string& path) {
  struct stat st;
  return task_files().lstat(path, st) == 0 && S_ISLNK(st.st_mode);
}

void sync_file_system(const std::string& path, const SyncTreeEvents& events) {
  if (events.visiting) events.visiting(path);
  File file;
  int error = file.open(path, O_RDONLY);
  if (error < 0) return complain(events, "open", "file", path, error);
  FileSystem& files = task_files();
  wait_for_io(WaitEventId::kDataFileSync,
              [&] { error = files.sync_file_system(file.descriptor()); });
  if (error < 0) complain(events, "synchronize file system for", "file", path, error);
}

}  // namespace

void sync_tree(const std::string& root, const SyncTreeEvents& events) {
  if (!fsync_is_enabled()) return;
  walk(root, false, events);
  std::string wal = joined(root, "pg_wal");
  if (is_link(wal)) walk(wal, false, events);
  walk(joined(root, "pg_tblspc"), true, events);
}

void sync_tree_file_systems(const std::string& root, const SyncTreeEvents& events) {
  if (!fsync_is_enabled()) return;
  sync_file_system(root, events);
  std::string wal = joined(root, "pg_wal");
  if (is_link(wal)) sync_file_system(wal, events);
  std::string tablespaces = joined(root, "pg_tblspc");
  std::vector<std::string> names;
  int error = task_files().list(tablespaces, names);
  if (error < 0) return complain(events, "open", "directory", tablespaces, error);
  for (const std::string& name : names) sync_file_system(joined(tablespaces, name), events);
}

}  // namespace cofork
