// The server's shared memory: which areas there are, how large they become, and the life of the
// mapping: made before the first child, made again in place after a crash, removed at the end.
//
// This is the only place that knows all areas (as CreateSharedMemoryAndSemaphores in ipci.c, 15).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "os/os.h"
#include "os/shared_mapping.h"
#include "settings/settings.h"
#include "shmem/segment.h"

namespace cofork {

/// Every area of the segment.
std::span<const AreaSpec> all_areas();
/// What the settings make of it. Throws ERROR when more backends are asked for than can be
/// numbered.
Limits limits_from(const SettingsView& settings);
/// shared_memory_size in megabytes, rounded up.
int shared_memory_size_mb(const Limits& limits);
/// In huge pages of `page_kb`, or for 0 of the size the kernel prefers; -1 where it has none
/// (InitializeShmemGUCs).
int shared_memory_size_in_huge_pages(const Limits& limits, int page_kb);

class ServerMemory {
 public:
  explicit ServerMemory(FileSystem& files) : files_(files) {}
  ServerMemory(const ServerMemory&) = delete;
  ServerMemory& operator=(const ServerMemory&) = delete;

  /// Maps the segment and makes all areas. The current directory is the data directory.
  /// Throws FATAL when there is not enough memory.
  void create(const Limits& limits, Pid postmaster);
  /// After a crash, when every child is gone: the same mapping, as new.
  void create_again();
  /// The interlock that keeps a second server out of this directory. Throws FATAL.
  void create_interlock(Pid postmaster);
  /// Takes over the interlock of the previous image of this process.
  void adopt_interlock(const Interlock& interlock);
  void remove();

  SharedMemory& segment() { return segment_; }
  const Interlock& interlock() const { return interlock_; }
  /// Line 7 of postmaster.pid.
  std::string lock_file_line() const;

 private:
  FileSystem& files_;
  SharedMemory segment_{nullptr};
  size_t bytes_ = 0;
  Limits limits_;
  Pid postmaster_ = 0;
  Interlock interlock_;
};

}  // namespace cofork
