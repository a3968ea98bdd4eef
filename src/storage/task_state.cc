// See task_state.h.
#include "storage/task_state.h"

#include "storage/buffer_access.h"

namespace cofork {

StorageTask::StorageTask() = default;
StorageTask::~StorageTask() = default;

StorageTask& storage_task() {
  Task& task = this_task();
  if (auto* mine = task.slot<StorageTask>()) return *mine;
  auto* mine = std::make_unique<StorageTask>().release();
  task.set_slot(mine);
  // Before the Proc is given back: letting go of a pin may have to wake somebody.
  task.on_shmem_exit([mine](Task& ending, int) {
    ending.set_slot<StorageTask>(nullptr);
    delete mine;
  });
  return *mine;
}

}  // namespace cofork
