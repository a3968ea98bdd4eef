// See server_memory.h.
#include "cli/server_memory.h"

#include <fmt/core.h>

#include <cerrno>

#include "os/shared_mapping.h"
#include "support/error.h"

namespace cofork {

std::optional<SharedMemory> find_server_memory(const std::string& program, pid_t postmaster) {
  size_t bytes = 0;
  int error = 0;
  const void* base = find_shared_memory(postmaster, bytes, error);
  if (base == nullptr) {
    fmt::print(stderr, "{}: could not map the shared memory of process {}: {}\n", program,
               postmaster, errno_text(error));
    if (error == EACCES || error == EPERM) {
      fmt::print(stderr, "{}: hint: Run this as the user that runs the server.\n", program);
    }
    return std::nullopt;
  }
  // SharedMemory has no read-only twin; the pages themselves refuse to be written.
  SharedMemory memory(const_cast<void*>(base));
  if (bytes < sizeof(SegmentHeader) || memory.header().magic != SegmentHeader::kMagic ||
      memory.header().total_size > bytes) {
    fmt::print(stderr, "{}: process {} has other shared memory than this program expects\n",
               program, postmaster);
    return std::nullopt;
  }
  return memory;
}

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace cofork
