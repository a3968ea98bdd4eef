// The task table: every task of the server with its pid, title and cost, readable from outside.
//
// PostgreSQL leaves this to the kernel: `ps` and `top` see its processes. In the coroutine model
// the kernel sees one process, so each task also stands here, in both models alike, and `cofork ps`
// reads the table out of the mapped segment. cofork's own area; there is no counterpart in
// PostgreSQL.
//
// Each task has a fixed row: the postmaster, the logger, each auxiliary kind, each child slot. The
// task writes its row; the postmaster clears it when it has reaped the child.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/cells.h"
#include "shmem/backend_type.h"
#include "shmem/segment.h"

namespace cofork {

struct alignas(kAreaAlignment) TaskRow {
  std::atomic<Pid> pid;              ///< 0: free
  std::atomic<int32_t> proc_number;  ///< kNoProc until it has a Proc
  std::atomic<BackendType> type;
  std::atomic<int64_t> started_at;  ///< microseconds since 2000-01-01 UTC
  TaskCard card;                    ///< title and cost, written by the model
};

struct TaskTable {
  static constexpr Area kArea = Area::kTaskTable;
  static constexpr const char* kName = "cofork Task Table";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits&);
  /// No row at or above this one was ever used: readers stop here.
  std::atomic<int32_t> rows_used;
  TaskRow* rows();
};

inline constexpr int32_t kPostmasterRow = 0;
inline constexpr int32_t kLoggerRow = 1;
constexpr int32_t task_row_of(AuxiliaryKind kind) {
  return 2 + static_cast<int32_t>(kind);
}
constexpr int32_t task_row_of_child(int32_t child_slot) {
  return 2 + kAuxiliaryKinds + child_slot - 1;
}

/// The running task takes its row: first thing in its body. Free again at its end.
void enter_task_table(int32_t row, BackendType type);
/// For the one that lives on when the postmaster makes the memory anew, the logger: takes the row
/// again if it has become empty. True when it had to.
bool enter_task_table_again(int32_t row, BackendType type);
/// The running task's row; null before it has entered.
TaskRow* my_task_row();
/// The task knows better now what it is (a client that turned out to be a WAL sender).
void set_task_type(BackendType type);
/// The postmaster, after it has reaped `pid`: frees the row if that task still holds it.
void clear_task_row(int32_t row, Pid pid);

struct TaskInfo {
  int32_t row;
  Pid pid;
  int32_t proc_number;
  BackendType type;
  int64_t started_at;
  std::string title;
  int64_t cpu_ns;
  int64_t memory_bytes;
  uint64_t switches;
  uint32_t wait_event_info;  ///< 0 while it has no Proc
};
/// All tasks there are, in row order. Works on a segment mapped read-only by another process.
std::vector<TaskInfo> read_task_table(const SharedMemory& memory);

}  // namespace cofork
