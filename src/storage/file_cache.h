// Open segments of relation files, kept by the thread: inside storage/ only (as fd.c's virtual file
// descriptors and md.c's arrays of segments, 15).
//
// Opening a file costs as much as reading a page, so descriptors stay open until the limit
// (DescriptorBudget) asks for one back; the one not used for longest goes first. All tasks of a
// thread use the same ones: in the coroutine model a thousand sessions that read one table have it
// open once a thread, not a thousand times. No locks: a fiber never leaves its thread. But it may
// wait with a file in hand while another one runs, so an OpenSegment keeps its file from being
// closed.
//
// A file another task has removed must not be kept: CheckpointerShared::files_removed tells.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "io/file.h"
#include "wal/format.h"

namespace cofork {

struct SegmentKey {
  RelationFile file;
  ForkNumber fork = ForkNumber::kMain;
  uint32_t segment = 0;
  friend bool operator==(const SegmentKey&, const SegmentKey&) = default;
};

class FileCache {
 public:
  static constexpr ThreadSlot kThreadSlot = ThreadSlot::kOpenFiles;
  struct Entry {
    SegmentKey key;
    int fd = -1;
    int users = 0;       ///< OpenSegments
    bool stale = false;  ///< to be closed when the last user has gone
  };

  FileCache();
  ~FileCache();
  FileCache(const FileCache&) = delete;

  /// The open file; null and -errno when it cannot be opened. `flags` beside O_RDWR count only if
  /// it is not open yet.
  Entry* open(const SegmentKey& key, int flags, int& error);
  void leave(Entry& entry);
  /// Closes a relation's fork from `first_segment` on: it is about to be removed.
  void close_fork(const RelationFile& file, ForkNumber fork, uint32_t first_segment);
  void close_all();
  FileSystem& files() { return files_; }

 private:
  struct KeyHash {
    size_t operator()(const SegmentKey& key) const;
  };
  using Entries = std::list<Entry>;  ///< the one used last in front; addresses stay
  void forget_removed_files();
  bool close_oldest();
  Entries::iterator close(Entries::iterator entry);

  FileSystem& files_;
  Entries entries_;
  std::unordered_map<SegmentKey, Entries::iterator, KeyHash> by_key_;
  DescriptorBudget* budget_;
  uint32_t removed_seen_ = 0;
};

/// The running task's thread's.
FileCache& file_cache();

/// A file in use: it stays open as long as this lives.
class OpenSegment {
 public:
  OpenSegment() = default;
  /// Check is_open() afterwards; error() is -errno.
  explicit OpenSegment(const SegmentKey& key, int flags = O_RDWR)
      : cache_(&file_cache()), entry_(cache_->open(key, flags, error_)) {}
  ~OpenSegment() {
    if (entry_ != nullptr) cache_->leave(*entry_);
  }
  OpenSegment(OpenSegment&& other) noexcept { *this = std::move(other); }
  OpenSegment& operator=(OpenSegment&& other) noexcept {
    std::swap(cache_, other.cache_);
    std::swap(entry_, other.entry_);
    std::swap(error_, other.error_);
    return *this;
  }
  bool is_open() const { return entry_ != nullptr; }
  int error() const { return error_; }
  int fd() const { return entry_->fd; }
  FileSystem& files() const { return cache_->files(); }
  /// Bytes, or -errno.
  off_t size() const;

 private:
  FileCache* cache_ = nullptr;
  int error_ = 0;
  FileCache::Entry* entry_ = nullptr;
};

}  // namespace cofork
