// See segments.h.
#include "wal/segments.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <vector>

#include "io/durable.h"
#include "log/log.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "support/error.h"
#include "wal/shared.h"
#include "wal/write.h"

namespace cofork {

namespace {

constexpr size_t kZeroChunkBytes = 1u << 20;
constexpr const char* kTemporaryPrefix = "xlogtemp.";

int open_flags() {
  if (!fsync_is_enabled()) return O_RDWR;
  switch (settings().get(setting::kWalSyncMethod)) {
    case setting::WalSyncMethod::kOpenSync:
      return O_RDWR | O_SYNC;
    case setting::WalSyncMethod::kOpenDatasync:
      return O_RDWR | O_DSYNC;
    default:
      return O_RDWR;
  }
}

std::string in_wal_directory(const std::string& name) {
  return std::string(kWalDirectory) + "/" + name;
}

/// A file of zeros, as long as a segment, on disk.
void fill_with_zeros(const File& file, uint32_t bytes, bool all_of_it) {
  ssize_t written = 0;
  FileSystem& files = task_files();
  wait_for_io(WaitEventId::kWalInitWrite, [&] {
    const std::vector<char> zeros(kZeroChunkBytes);
    if (!all_of_it) {
      // Only its length (wal_init_zero = off): for file systems where new blocks cost nothing.
      written = File::write_fully(files, file.descriptor(), zeros.data(), 1, bytes - 1);
      return;
    }
    for (uint32_t at = 0; at < bytes && written >= 0; at += kZeroChunkBytes) {
      written = File::write_fully(files, file.descriptor(), zeros.data(), zeros.size(), at);
    }
  });
  if (written < 0) throw file_error("write to", file.path(), static_cast<int>(written));
}

std::string make_temporary_segment(uint32_t segment_bytes) {
  std::string path = in_wal_directory(fmt::format("{}{}", kTemporaryPrefix, this_task().pid()));
  task_files().unlink(path);
  File file;
  int error = file.open(path, O_RDWR | O_CREAT | O_EXCL);
  if (error < 0) throw file_error("create", path, error);
  try {
    fill_with_zeros(file, segment_bytes, settings().get(setting::kWalInitZero));
  } catch (const Error&) {
    // A full disk: give the space back before anybody hears of it.
    task_files().unlink(path);
    throw;
  }
  error = file.sync(WaitEventId::kWalInitSync);
  if (error < 0) throw file_error("fsync", path, error);
  return path;
}

/// Gives a finished file its number, or with `find_free` the next free one up to `limit`.
/// False when there is no place for it.
bool install_segment(WalSegmentNo& segment, const std::string& from, bool find_free,
                     WalSegmentNo limit, TimelineId timeline) {
  LwLockGuard guard(LwTranche::kControlFile, LwMode::kExclusive);
  struct stat st;
  std::string path = wal_segment_path(timeline, segment);
  if (!find_free) {
    task_files().unlink(path);
  } else {
    while (task_files().stat(path, st) == 0) {
      if (segment >= limit) return false;
      path = wal_segment_path(timeline, ++segment);
    }
  }
  durable_rename(from, path);
  return true;
}

/// "could not remove file" is a line in the log, never the end of a checkpoint.
bool unlink_durably(const std::string& path) {
  ErrorData failed;
  try {
    durable_unlink(path);
    return true;
  } catch (const Error& error) {
    failed = error.data();
  }
  failed.severity = Severity::kLog;
  report(failed);
  return false;
}

enum class Fate : uint8_t { kRecycled, kRemoved, kKept };

Fate recycle_or_remove(const std::string& name, TimelineId timeline, WalSegmentNo& free_from,
                       WalSegmentNo limit) {
  std::string path = in_wal_directory(name);
  struct stat st;
  bool regular = task_files().lstat(path, st) == 0 && S_ISREG(st.st_mode);
  if (settings().get(setting::kWalRecycle) && regular && free_from <= limit &&
      install_segment(free_from, path, true, limit, timeline)) {
    log(Severity::kDebug2, "recycled write-ahead log file \"{}\"", name);
    ++free_from;
    return Fate::kRecycled;
  }
  log(Severity::kDebug2, "removing write-ahead log file \"{}\"", name);
  return unlink_durably(path) ? Fate::kRemoved : Fate::kKept;
}

}  // namespace

std::string wal_segment_path(TimelineId timeline, WalSegmentNo segment) {
  return in_wal_directory(wal_shared().geometry().segment_name(timeline, segment));
}

WalSyncCall wal_sync_call() {
  if (!fsync_is_enabled()) return WalSyncCall::kNone;
  switch (settings().get(setting::kWalSyncMethod)) {
    case setting::WalSyncMethod::kFsync:
      return WalSyncCall::kFsync;
    case setting::WalSyncMethod::kFdatasync:
      return WalSyncCall::kFdatasync;
    default:
      return WalSyncCall::kNone;  // every write has been synchronous
  }
}

File open_wal_segment(TimelineId timeline, WalSegmentNo segment, bool* added) {
  std::string path = wal_segment_path(timeline, segment);
  File file;
  int error = file.open(path, open_flags());
  if (error == 0) return file;
  if (error != -ENOENT) throw file_error("open", path, error);

  std::string temporary = make_temporary_segment(wal_shared().segment_bytes);
  // Somebody may have been faster: then ours becomes a later one, if one is wanted.
  WalSegmentNo installed = segment;
  WalSegmentNo limit = segment + static_cast<WalSegmentNo>(wal_checkpoint_segments());
  if (!install_segment(installed, temporary, true, limit, timeline)) {
    task_files().unlink(temporary);
  } else if (added != nullptr) {
    *added = true;
  }
  error = file.open(path, open_flags());
  if (error < 0) throw file_error("open", path, error);
  return file;
}

int preallocate_wal(Lsn end, TimelineId timeline) {
  WalGeometry geometry = wal_shared().geometry();
  WalSegmentNo segment = geometry.segment_before(end);
  uint32_t offset = geometry.offset_in_segment(end - 1);
  if (offset < geometry.segment_bytes() / 4 * 3) return 0;
  bool added = false;
  open_wal_segment(timeline, segment + 1, &added);
  return added ? 1 : 0;
}

WalSegmentNo wal_recycle_limit(Lsn redo, double distance_estimate, uint32_t segment_bytes,
                               int64_t min_wal_size_mb, int64_t max_wal_size_mb,
                               double completion_target) {
  int64_t per_mb = int64_t{1} << 20;
  WalSegmentNo redo_segment = redo.value / segment_bytes;
  auto lowest = redo_segment + static_cast<uint64_t>(min_wal_size_mb * per_mb / segment_bytes) - 1;
  auto highest = redo_segment + static_cast<uint64_t>(max_wal_size_mb * per_mb / segment_bytes) - 1;
  // Where the next checkpoint but one is expected to begin, and a tenth for luck.
  double distance = (1.0 + completion_target) * distance_estimate * 1.10;
  auto wanted = static_cast<WalSegmentNo>(
      std::ceil((static_cast<double>(redo.value) + distance) / segment_bytes));
  return std::clamp(wanted, lowest, std::max(lowest, highest));
}

WalSegmentNo oldest_wal_to_keep(WalSegmentNo redo_segment, Lsn record) {
  WalGeometry geometry = wal_shared().geometry();
  WalSegmentNo current = geometry.segment_of(record);
  auto keep = static_cast<WalSegmentNo>(settings().get(setting::kWalKeepSize)) * (1u << 20) /
              geometry.segment_bytes();
  if (keep == 0 || current - std::min(current, redo_segment) >= keep) return redo_segment;
  return current <= keep ? 1 : current - keep;
}

RemovedSegments remove_old_wal(WalSegmentNo keep_from, Lsn redo, Lsn end, TimelineId timeline,
                               double distance_estimate) {
  WalShared& wal = wal_shared();
  WalGeometry geometry = wal.geometry();
  SettingsView& view = settings();
  WalSegmentNo limit = wal_recycle_limit(
      redo, distance_estimate, geometry.segment_bytes(), view.get(setting::kMinWalSize),
      view.get(setting::kMaxWalSize), view.get(setting::kCheckpointCompletionTarget));
  WalSegmentNo free_from = geometry.segment_of(end);

  std::vector<std::string> names;
  int error = 0;
  wait_for_io(WaitEventId::kDataFileRead, [&] { error = task_files().list(kWalDirectory, names); });
  if (error < 0) {
    throw Error(sqlstate_for_file_errno(-error), "could not open directory \"{}\": {}",
                kWalDirectory, errno_text(-error));
  }
  RemovedSegments result;
  for (const std::string& name : names) {
    this_task().check_interrupts();
    if (!is_wal_segment_name(name) && !is_wal_partial_segment_name(name)) continue;
    // The timeline does not matter for age: an old segment of any timeline is old.
    auto parsed = geometry.parse_segment_name(name.substr(0, 24));
    if (parsed->segment >= keep_from) continue;
    if (parsed->segment > wal.last_removed_segment.load(std::memory_order_relaxed)) {
      wal.last_removed_segment.store(parsed->segment, std::memory_order_relaxed);
    }
    switch (recycle_or_remove(name, timeline, free_from, limit)) {
      case Fate::kRecycled:
        ++result.recycled;
        break;
      case Fate::kRemoved:
        ++result.removed;
        break;
      case Fate::kKept:
        break;
    }
  }
  return result;
}

void remove_temporary_wal() {
  std::vector<std::string> names;
  task_files().list(kWalDirectory, names);
  for (const std::string& name : names) {
    if (!name.starts_with(kTemporaryPrefix)) continue;
    task_files().unlink(in_wal_directory(name));
    log(Severity::kDebug2, "removed temporary WAL segment \"{}\"", in_wal_directory(name));
  }
}

}  // namespace cofork
