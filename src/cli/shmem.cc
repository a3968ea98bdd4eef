// cofork shmem: the map of a running server's shared memory, as pg_shmem_allocations shows it from
// inside: which area lies where, and how large it is. The map is the same in both modes.
#include <fmt/core.h>

#include <string>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/server_memory.h"

namespace cofork {
namespace {

void print_table(const SharedMemory& memory) {
  const SegmentHeader& header = memory.header();
  fmt::print("{:<36} {:>12} {:>12} {:>12}\n", "AREA", "OFFSET", "SIZE", "ALLOCATED");
  fmt::print("{:<36} {:>12} {:>12} {:>12}\n", "(header)", 0, sizeof(SegmentHeader),
             memory.areas().empty() ? 0 : memory.areas().front().offset);
  for (const AreaInfo& area : memory.areas()) {
    fmt::print("{:<36} {:>12} {:>12} {:>12}\n", area.name, area.offset, area.size,
               area.allocated_size);
  }
  if (header.free_offset < header.total_size) {
    fmt::print("{:<36} {:>12} {:>12} {:>12}\n", "(free)", header.free_offset,
               header.total_size - header.free_offset, header.total_size - header.free_offset);
  }
  fmt::print("{:<36} {:>12} {:>12} {:>12}\n", "total", "", "", header.total_size);
}

void print_json(const SharedMemory& memory) {
  fmt::print("[\n");
  bool first = true;
  for (const AreaInfo& area : memory.areas()) {
    fmt::print("{}  {{\"name\": {}, \"offset\": {}, \"size\": {}, \"allocated_size\": {}}}",
               first ? "" : ",\n", json_string(area.name), area.offset, area.size,
               area.allocated_size);
    first = false;
  }
  fmt::print("\n]\n");
}

}  // namespace

int shmem_command(int argc, char** argv) {
  const std::string program = "cofork shmem";
  CommandLine line(program, "Shows the map of a running server's shared memory.",
                   "It is the same map in both modes, and the one pg_shmem_allocations shows.\n\n"
                   "Examples:\n"
                   "  cofork shmem -D ~/data\n"
                   "  cofork shmem -D ~/data --json\n");
  std::string directory;
  bool json = false;
  line.option("-D,--pgdata", directory, "the server's data directory (default: PGDATA)");
  line.flag("--json", json, "print JSON instead of a table");
  if (const auto status = line.parse(argc, argv)) return *status;
  const auto server = find_running_server(program, directory);
  if (!server) return 1;
  const auto memory = find_server_memory(program, static_cast<pid_t>(server->pid));
  if (!memory) return 1;
  json ? print_json(*memory) : print_table(*memory);
  return 0;
}

}  // namespace cofork
