// cofork ps: who runs a server, the same table in both modes.
//
// In fork mode the kernel knows the tasks too, so `ps` and `top` show them; in coroutine mode it
// sees one process. This command reads the task table out of shared memory, where every task of
// either mode writes its title and its cost. What the kernel measures better, for a task that is a
// process, is asked of the kernel.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/server_memory.h"
#include "model/cells.h"
#include "model/wait_event.h"
#include "os/shared_bytes.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"
#include "shmem/task_table.h"

namespace cofork {
namespace {

struct Row {
  TaskInfo task;
  std::string role;
  std::string state;
  std::string wait;  ///< "Client/ClientRead"
  double cpu_seconds = 0;
  std::optional<int64_t> memory_kb;  ///< unknown for a coroutine
};

/// "LABEL:   123 kB" in a file of /proc.
std::optional<int64_t> kilobytes_of(const std::string& text, std::string_view label) {
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with(label)) return std::strtoll(line.c_str() + label.size(), nullptr, 10);
  }
  return std::nullopt;
}

/// CPU time and private memory, by the kernel's account, of a task that is a process.
void ask_kernel(Row& row) {
  const std::string process = "/proc/" + std::to_string(row.task.pid);
  if (const auto schedstat = read_small_file(process + "/schedstat")) {
    row.cpu_seconds = static_cast<double>(std::strtoll(schedstat->c_str(), nullptr, 10)) / 1e9;
  }
  if (const auto smaps = read_small_file(process + "/smaps_rollup")) {
    row.memory_kb = kilobytes_of(*smaps, "Private_Clean:").value_or(0) +
                    kilobytes_of(*smaps, "Private_Dirty:").value_or(0);
  }
}

/// "active", "idle" …: from the task's entry for pg_stat_activity.
std::string state_of(const SharedMemory& memory, const TaskInfo& task) {
  if (task.proc_number < 0 || task.proc_number >= memory.limits().max_backends()) return "";
  BackendStatus& status = memory.area<BackendStatusArray>().slots()[task.proc_number];
  BackendStatusFields fields;
  const bool consistent = read_consistently(status.change_count, [&] {
    copy_from_shared(reinterpret_cast<char*>(&fields), reinterpret_cast<char*>(&status.fields),
                     sizeof fields);
  });
  if (!consistent || fields.pid != task.pid) return "";
  const char* name = backend_state_name(fields.state);
  return name == nullptr ? "" : name;
}

std::string wait_of(uint32_t word) {
  const char* wait_class = wait_class_name(word);
  if (wait_class == nullptr) return "";
  const char* event = wait_event_name(word);
  if (event == nullptr) event = lwlock_tranche_name(static_cast<uint16_t>(word & 0xffff));
  return fmt::format("{}/{}", wait_class, event);
}

std::vector<Row> rows_of(const SharedMemory& memory, bool tasks_are_processes) {
  std::vector<Row> rows;
  for (TaskInfo& task : read_task_table(memory)) {
    Row row;
    row.role = backend_type_name(task.type);
    row.state = state_of(memory, task);
    row.wait = wait_of(task.wait_event_info);
    row.cpu_seconds = static_cast<double>(task.cpu_ns) / 1e9;
    if (task.memory_bytes != 0) row.memory_kb = task.memory_bytes / 1024;
    row.task = std::move(task);
    if (tasks_are_processes) ask_kernel(row);
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_table(const std::vector<Row>& rows) {
  fmt::print("{:>8} {:<20} {:<20} {:<28} {:>9} {:>9}\n", "PID", "ROLE", "STATE", "WAIT EVENT",
             "CPU s", "MEMORY kB");
  for (const Row& row : rows) {
    fmt::print("{:>8} {:<20.20} {:<20.20} {:<28.28} {:>9.3f} {:>9}\n", row.task.pid, row.role,
               row.state, row.wait, row.cpu_seconds,
               row.memory_kb ? std::to_string(*row.memory_kb) : "-");
  }
}

/// What the kernel sees of a server whose tasks it cannot tell apart.
void print_process(pid_t postmaster, size_t tasks) {
  const std::string process = "/proc/" + std::to_string(postmaster);
  const auto status = read_small_file(process + "/status");
  const auto schedstat = read_small_file(process + "/schedstat");
  if (!status || !schedstat) return;
  fmt::print("\n{} tasks in one process ({}): {} threads, {} kB resident\n", tasks, postmaster,
             kilobytes_of(*status, "Threads:").value_or(0),
             kilobytes_of(*status, "VmRSS:").value_or(0));
}

void print_json(const std::vector<Row>& rows) {
  fmt::print("[\n");
  bool first = true;
  for (const Row& row : rows) {
    fmt::print(
        "{}  {{\"pid\": {}, \"role\": {}, \"state\": {}, \"wait_event\": {}, \"cpu_seconds\": "
        "{:.6f}, \"memory_kb\": {}, \"title\": {}}}",
        first ? "" : ",\n", row.task.pid, json_string(row.role), json_string(row.state),
        json_string(row.wait), row.cpu_seconds,
        row.memory_kb ? std::to_string(*row.memory_kb) : "null", json_string(row.task.title));
    first = false;
  }
  fmt::print("\n]\n");
}

}  // namespace

int ps_command(int argc, char** argv) {
  const std::string program = "cofork ps";
  CommandLine line(
      program, "Shows the tasks of a running server, whether they are processes or coroutines.",
      "MEMORY is what a process has for itself; coroutines share one heap, so theirs is shown\n"
      "for the whole process below the table.\n\n"
      "Examples:\n"
      "  cofork ps -D ~/data\n"
      "  cofork ps -D ~/data --json\n");
  std::string directory;
  bool json = false;
  line.option("-D,--pgdata", directory, "the server's data directory (default: PGDATA)");
  line.flag("--json", json, "print JSON instead of a table");
  if (const auto status = line.parse(argc, argv)) return *status;
  const auto server = find_running_server(program, directory);
  if (!server) return 1;
  const auto postmaster = static_cast<pid_t>(server->pid);
  const auto memory = find_server_memory(program, postmaster);
  if (!memory) return 1;

  const std::vector<TaskInfo> tasks = read_task_table(*memory);
  const bool tasks_are_processes = std::none_of(
      tasks.begin(), tasks.end(), [](const auto& task) { return task.pid >= kFirstVirtualPid; });
  const std::vector<Row> rows = rows_of(*memory, tasks_are_processes);
  json ? print_json(rows) : print_table(rows);
  if (!json && !tasks_are_processes) print_process(postmaster, rows.size());
  return 0;
}

}  // namespace cofork
