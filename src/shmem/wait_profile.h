// The wait profile: how often tasks of each kind were seen waiting for what. Filled by the wait
// sampler (roles/wait_sampler.h), shown by the view cofork_wait_profile; cofork's own area.
//
// One writer, any number of readers, no lock: a row's key is set once, and then its count only
// grows.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "shmem/backend_type.h"
#include "shmem/segment.h"

namespace cofork {

struct WaitProfile {
  static constexpr Area kArea = Area::kWaitProfile;
  static constexpr const char* kName = "cofork Wait Profile";
  /// Pairs of kind and wait event. There are about 15 kinds, each with a handful of events.
  static constexpr size_t kRows = 512;
  static size_t size(const Limits&) { return sizeof(WaitProfile); }
  static void init(void* memory, const Limits&);

  struct Row {
    std::atomic<uint64_t> key;  ///< see row_key(); 0: unused
    std::atomic<uint64_t> seen;
  };
  std::atomic<uint64_t> samples;    ///< how often the sampler has looked
  std::atomic<uint64_t> dropped;    ///< tasks not counted because all rows were taken
  std::atomic<int64_t> started_at;  ///< of the first sample; microseconds since 2000-01-01, 0: none
  Row rows[kRows];
};

/// Looks once at every task that has a Proc, `skip` excepted, and counts what it waits for.
void sample_waits(WaitProfile& profile, int32_t skip_proc);

struct WaitProfileRow {
  BackendType type;
  uint32_t wait_event_info;  ///< 0: running, or ready to run
  uint64_t seen;
};
/// The profile so far, in no order.
std::vector<WaitProfileRow> read_wait_profile();

}  // namespace cofork
