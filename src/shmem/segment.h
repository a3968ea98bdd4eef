// The segment: one mapping, made before any child exists, cut into named areas.
//
// Every area is a plain struct (no pointers to private memory, no virtual functions); a floor that
// owns one declares it like this and finds it in O(1) afterwards:
//
//   struct PmSignalState {
//     static constexpr Area kArea = Area::kPmSignalState;
//     static constexpr const char* kName = "PMSignalState";
//     static size_t size(const Limits&);               // bytes
//     static void init(void* memory, const Limits&);   // `memory` reads as zero, 128-byte aligned
//     …
//   };
//   auto& state = shared_memory().area<PmSignalState>();
//
// postmaster/shared_memory.cc is the only place that knows all areas: it lists them with
// area_spec<T>() and calls segment_size(), then lay_out_segment(). Names are PostgreSQL's, shown by
// pg_shmem_allocations; the order of Area is the order in memory. After a crash the same code that
// made an area makes it again (see Model::reinitialize).
//
// The memory reads as zero at first, and an init() should leave it alone where zero will do: pages
// nobody touched cost nothing, so that max_connections = 262143 costs what is connected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model/task.h"
#include "shmem/segment_limits.h"

namespace cofork {

enum class Area : uint8_t {
  kXlogCtl,
  kControlFile,
  kXlogRecoveryCtl,
  kVariableCache,
  kXact,
  kSubtrans,
  kMultiXactOffset,
  kMultiXactMember,
  kMultiXactState,
  kBufferDescriptors,
  kBufferBlocks,
  kBufferIoConditions,
  kCheckpointBuffers,
  kBufferMap,
  kBufferStrategy,
  kLwLocks,
  kProcHeader,
  kProcs,
  kProcArray,
  kProcSubxids,
  kLockTable,
  kLockHolders,
  kStrongLocks,
  kLockProcs,
  kBackendStatus,
  kBackendApplicationName,
  kBackendClientHostname,
  kBackendActivity,
  kBackgroundWorkers,
  kPmSignalState,
  kProcSignal,
  kInvalidations,
  kCheckpointer,
  kSharedStats,
  kTaskTable,
  kWaitProfile,
  kBtreeVacuum,
  kCount,
};

inline constexpr size_t kAreaCount = static_cast<size_t>(Area::kCount);
inline constexpr size_t kAreaAlignment = 128;  ///< PG_CACHE_LINE_SIZE

/// One line of pg_shmem_allocations.
struct AreaInfo {
  char name[48];
  uint64_t offset;
  uint64_t size;
  uint64_t allocated_size;  ///< rounded up to kAreaAlignment
  /// PostgreSQL 15 allocates this one without a name: its view shows the sum as <anonymous>.
  bool anonymous;
};

struct SegmentHeader {
  static constexpr uint32_t kMagic = 679834894;  // as PGShmemMagic
  uint32_t magic;
  Pid creator;  ///< the postmaster: send_postmaster_signal() goes there
  uint64_t total_size;
  uint64_t free_offset;  ///< from here to total_size nothing lies
  uint64_t data_directory_device;
  uint64_t data_directory_inode;
  Limits limits;
  uint32_t area_count;
  AreaInfo areas[kAreaCount];
};
static_assert(std::is_trivially_copyable_v<SegmentHeader>);

class SharedMemory {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kCluster;

  explicit SharedMemory(void* base) : base_(static_cast<char*>(base)) {}
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(base_); }
  const Limits& limits() const { return header().limits; }
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
inline SharedMemory& shared_memory() {
  return *this_task().slot<SharedMemory>();
}
/// The same, or null in a task that is not attached (the logger; unit tests of lower floors).
inline SharedMemory* shared_memory_or_null() {
  return this_task().slot<SharedMemory>();
}

/// One row of pg_shmem_allocations (pg_get_shmem_allocations in shmem.c).
struct AllocationRow {
  std::string_view name;  ///< "" with has_name false: NULL, the unused tail
  bool has_name;
  bool has_offset;  ///< false for "<anonymous>", which is a sum
  uint64_t offset;
  uint64_t size;
  uint64_t allocated_size;
};
/// Named areas in memory order, then the sum of everything without a name (the segment's header
/// included), then what is free.
std::vector<AllocationRow> segment_allocations(const SharedMemory& memory);

/// How an area is made.
struct AreaSpec {
  Area area;
  const char* name;
  bool anonymous;
  size_t (*size)(const Limits&);
  void (*init)(void* memory, const Limits&);
};

template <typename T>
constexpr bool area_is_anonymous() {
  if constexpr (requires { T::kAnonymous; }) return T::kAnonymous;
  return false;
}

template <typename T>
constexpr AreaSpec area_spec() {
  return {T::kArea, T::kName, area_is_anonymous<T>(), &T::size, &T::init};
}

/// Bytes of a segment with these areas: the sum, 100 kB to spare, rounded up to 8 kB (as
/// CalculateShmemSize in ipci.c).
size_t segment_size(std::span<const AreaSpec> specs, const Limits& limits);

/// Writes the header and makes every area. `specs` hold each Area at most once, in any order; the
/// memory must read as zero. An Area without a spec has size 0 and must not be used.
void lay_out_segment(void* base, size_t bytes, std::span<const AreaSpec> specs,
                     const Limits& limits, Pid creator, uint64_t data_directory_device,
                     uint64_t data_directory_inode);

}  // namespace cofork
