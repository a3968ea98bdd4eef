// Background worker: a task that runs one registered function (as StartBackgroundWorker,
// bgworker.c).
//
// The registry is shmem/background_worker.h, its postmaster side shmem/worker_registry.h. Adding a
// worker is one row in the table of bgworker.cc and one function.
#pragma once

#include <cstdint>

#include "model/task.h"
#include "shmem/background_worker.h"

namespace cofork {

/// The functions a registration may name. Shared memory holds the number, never an address.
enum class WorkerFunction : uint32_t {
  kWaitSampler,  ///< roles/wait_sampler.h
  kCount,
};

/// The whole life of a worker: the body the postmaster spawns. `slot` is its place in the registry,
/// `child_slot` the PMChildFlags slot. Ends with 0 when the function returns (never started again),
/// 1 after an error (started again after its restart time).
void background_worker_main(Task& task, int32_t slot, int32_t child_slot);

}  // namespace cofork
