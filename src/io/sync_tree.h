// Forcing a whole directory tree to disk: after `init`, and before recovery after a crash, when
// nobody knows what the kernel had not written yet (as SyncDataDirectory in fd.c, 15).
#pragma once

#include <functional>
#include <string>

namespace cofork {

struct SyncTreeEvents {
  /// Called before each file or directory with its path.
  std::function<void(const std::string& path)> visiting;
  /// Called for what could not be read or synced: the message, as PostgreSQL logs it.
  std::function<void(std::string message)> failed;
};

/// fsyncs every regular file and directory below `root`, following symbolic links only where
/// PostgreSQL puts them: pg_wal itself and the entries of pg_tblspc. Never throws for a file: it
/// reports and goes on. May wait.
void sync_tree(const std::string& root, const SyncTreeEvents& events);

/// The same with one syncfs(2) for each file system involved (recovery_init_sync_method = syncfs).
void sync_tree_file_systems(const std::string& root, const SyncTreeEvents& events);

}  // namespace cofork
