// What one task keeps about storage in its own memory: inside storage/ only.
#pragma once

#include <memory>

#include "model/task.h"

namespace cofork {

class BufferAccess;
class PendingSyncs;

struct StorageTask {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kStorage;
  StorageTask();
  ~StorageTask();

  std::unique_ptr<BufferAccess> buffers;  ///< pins and counters; made at first use
  PendingSyncs* pending_syncs = nullptr;  ///< only the checkpointer has one
};

/// Made at first use, freed before the task lets go of shared memory.
StorageTask& storage_task();

}  // namespace cofork
