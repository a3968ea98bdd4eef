// See task_table.h.
#include "shmem/task_table.h"

#include <cstddef>

#include "os/shared_bytes.h"
#include "shmem/backend_status.h"
#include "shmem/proc.h"

namespace cofork {

namespace {

/// The header takes a full alignment unit, so that the rows begin on one.
constexpr size_t kHeaderBytes = kAreaAlignment;
static_assert(sizeof(TaskTable) <= kHeaderBytes);

void free_row(TaskRow& row) {
  row.pid.store(0, std::memory_order_release);
  row.proc_number.store(kNoProc, std::memory_order_relaxed);
}

}  // namespace

TaskRow* TaskTable::rows() {
  return reinterpret_cast<TaskRow*>(reinterpret_cast<char*>(this) + kHeaderBytes);
}

size_t TaskTable::size(const Limits& limits) {
  return kHeaderBytes + sizeof(TaskRow) * static_cast<size_t>(limits.task_rows());
}

void TaskTable::init(void* memory, const Limits&) {
  new (memory) TaskTable{};
}

TaskRow* my_task_row() {
  TaskCard* card = this_task().card();
  if (card == nullptr) return nullptr;
  return reinterpret_cast<TaskRow*>(reinterpret_cast<char*>(card) - offsetof(TaskRow, card));
}

namespace {

void fill_row(int32_t row_number, BackendType type) {
  Task& task = this_task();
  TaskTable& table = shared_memory().area<TaskTable>();
  TaskRow& row = table.rows()[row_number];
  row.proc_number.store(kNoProc, std::memory_order_relaxed);
  row.type.store(type, std::memory_order_relaxed);
  row.started_at.store(now_timestamp(), std::memory_order_relaxed);
  row.card.cpu_ns.store(0, std::memory_order_relaxed);
  row.card.memory_bytes.store(0, std::memory_order_relaxed);
  row.card.switches.store(0, std::memory_order_relaxed);
  row.card.set_title("");
  row.pid.store(task.pid(), std::memory_order_release);
  int32_t used = table.rows_used.load(std::memory_order_relaxed);
  while (used <= row_number && !table.rows_used.compare_exchange_weak(used, row_number + 1)) {
  }
  task.publish_card_to(&row.card);
}

}  // namespace

void enter_task_table(int32_t row_number, BackendType type) {
  fill_row(row_number, type);
  // Last of all: while it still runs, it is to be seen.
  this_task().on_proc_exit([](Task& ending, int) {
    if (TaskRow* mine = my_task_row()) {
      ending.publish_card_to(nullptr);
      free_row(*mine);
    }
  });
}

bool enter_task_table_again(int32_t row_number, BackendType type) {
  if (my_task_row()->pid.load(std::memory_order_relaxed) == this_task().pid()) return false;
  fill_row(row_number, type);
  return true;
}

void set_task_type(BackendType type) {
  if (TaskRow* row = my_task_row()) row->type.store(type, std::memory_order_relaxed);
}

void clear_task_row(int32_t row_number, Pid pid) {
  TaskRow& row = shared_memory().area<TaskTable>().rows()[row_number];
  if (row.pid.load(std::memory_order_relaxed) == pid) free_row(row);
}

std::vector<TaskInfo> read_task_table(const SharedMemory& memory) {
  std::vector<TaskInfo> tasks;
  TaskTable& table = memory.area<TaskTable>();
  Proc* procs = memory.area<Procs>().all();
  int32_t used = table.rows_used.load(std::memory_order_acquire);
  for (int32_t i = 0; i < used; ++i) {
    TaskRow& row = table.rows()[i];
    TaskInfo info{};
    info.row = i;
    info.pid = row.pid.load(std::memory_order_acquire);
    if (info.pid == 0) continue;
    info.proc_number = row.proc_number.load(std::memory_order_relaxed);
    info.type = row.type.load(std::memory_order_relaxed);
    info.started_at = row.started_at.load(std::memory_order_relaxed);
    char title[sizeof row.card.title];
    bool consistent = read_consistently(
        row.card.change_count, [&] { copy_from_shared(title, row.card.title, sizeof title); });
    if (consistent) info.title = std::string(title, strnlen(title, sizeof title));
    info.cpu_ns = row.card.cpu_ns.load(std::memory_order_relaxed);
    info.memory_bytes = row.card.memory_bytes.load(std::memory_order_relaxed);
    info.switches = row.card.switches.load(std::memory_order_relaxed);
    if (info.proc_number != kNoProc) {
      info.wait_event_info =
          procs[info.proc_number].wait_event_info.load(std::memory_order_relaxed);
    }
    tasks.push_back(std::move(info));
  }
  return tasks;
}

}  // namespace cofork
