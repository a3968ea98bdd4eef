// A running server's shared memory, seen from a tool: mapped read-only through /proc, so that
// looking disturbs nobody and works in both modes alike, even on a server that answers no
// connection.
#pragma once

#include <optional>
#include <string>

#include "shmem/segment.h"

namespace cofork {

/// The segment of the server whose postmaster is `postmaster`. On failure says why on standard
/// error, after "PROGRAM: ", and gives nothing. The mapping stays until the program ends.
std::optional<SharedMemory> find_server_memory(const std::string& program, pid_t postmaster);

/// A JSON string with its quotes.
std::string json_string(std::string_view text);

}  // namespace cofork
