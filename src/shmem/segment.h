// The shared memory segment: one mapping, made before any child exists, cut into named areas.
//
// Every area is a plain struct (no pointers to private memory, no virtual functions); a floor that
// owns one declares it like this and finds it in O(1) afterwards:
//
//   struct PmSignalState {
//     static constexpr Area kArea = Area::kPmSignalState;
//     …
//   };
//   auto& state = shared_memory().area<PmSignalState>();
//
// Sizes that depend on settings (max_connections …) are computed once by the layout function in
// postmaster/shared_memory.cc, the only place that knows all areas. Names are PostgreSQL's, shown by
// pg_shmem_allocations; the order of Area is the order in memory. After a crash the same code that
// made an area makes it again (see Model::reinitialize).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/task.h"

namespace cofork {

enum class Area : uint8_t {
  kXlogCtl,
  kControlFile,
  kXlogRecoveryCtl,
  kLwLocks,
  kProcHeader,
  kProcs,
  kProcArray,
  kBackendStatus,
  kBackendApplicationName,
  kBackendClientHostname,
  kBackendActivity,
  kBackgroundWorkers,
  kPmSignalState,
  kProcSignal,
  kCheckpointer,
  kSharedStats,
  kTaskTable,
  kCount,
};

/// One line of pg_shmem_allocations.
struct AreaInfo {
  char name[48];
  uint64_t offset;
  uint64_t size;
  uint64_t allocated_size;  ///< rounded up to the cache line (128)
};

struct SegmentHeader {
  static constexpr uint32_t kMagic = 679834894;  // as PGShmemMagic
  uint32_t magic;
  Pid creator;
  uint64_t total_size;
  uint64_t free_offset;
  uint64_t data_directory_device;
  uint64_t data_directory_inode;
  uint32_t area_count;
  AreaInfo areas[static_cast<size_t>(Area::kCount)];
};

class SharedMemory {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kCluster;

  explicit SharedMemory(void* base) : base_(static_cast<char*>(base)) {}
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(base_); }
  void* at(Area area) const { return base_ + header().areas[static_cast<size_t>(area)].offset; }
  uint64_t size_of(Area area) const { return header().areas[static_cast<size_t>(area)].size; }
  template <typename T>
  T& area() const {
    return *static_cast<T*>(at(T::kArea));
  }
  std::span<const AreaInfo> areas() const { return {header().areas, header().area_count}; }
  char* base() const { return base_; }

 private:
  char* base_;
};

/// The segment of the running task's server.
inline SharedMemory& shared_memory() { return *this_task().slot<SharedMemory>(); }

}  // namespace cofork
