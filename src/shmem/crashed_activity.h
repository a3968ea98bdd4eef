// What a task that has just crashed was doing, for the postmaster's log (as
// pgstat_get_crashed_backend_activity in backend_status.c, 15).
//
// The postmaster asks while shared memory may be damaged: it believes nothing it reads there beyond
// the bounds it knows itself, and prints nothing that is not plain ASCII.
#pragma once

#include <string>

#include "model/cells.h"
#include "shmem/segment.h"

namespace cofork {

/// The last statement of the task `pid`; "" when it has no status entry or had no statement.
std::string crashed_backend_activity(SharedMemory& memory, Pid pid);

}  // namespace cofork
