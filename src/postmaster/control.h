// How a command reaches a task that is not a process: `cofork ctl kill SIGNAL PID` with a virtual
// pid.
//
// The kernel cannot deliver such a signal, only the server can. So the command leaves a request in
// the data directory and rings SIGUSR1 at the postmaster, as pg_ctl promote and logrotate do:
//
//   1  the command creates DIR/cofork.kill (O_EXCL; one request at a time) with "SIGNO PID\n",
//   keeps it
//      open, and sends SIGUSR1 to the postmaster;
//   2  the postmaster reads it, signals the task, appends "ERRNO\n" (0: delivered) and removes it;
//   3  the command sees that its open file has no name any more and reads the answer.
//
// Who may write into the data directory owns the server anyway; no other permission is asked for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "model/cells.h"
#include "os/os.h"

namespace cofork {

inline constexpr const char* kKillRequestFile = "cofork.kill";

struct KillRequest {
  int signo = 0;
  Pid pid = 0;
};

/// The command's side. Signals task `request.pid` of the server `postmaster`, whose data directory
/// is `directory`. Returns 0, or -errno: -ESRCH when there is no such task or no such server,
/// -ETIMEDOUT when the server did not answer in `timeout_ms`.
int request_kill(OperatingSystem& os, const std::string& directory, pid_t postmaster,
                 KillRequest request, int timeout_ms);

/// The server's side: the request that lies in the current directory, if it is complete.
std::optional<KillRequest> find_kill_request(FileSystem& files);
/// Leaves the answer (0 or a negated errno) and removes the request.
void answer_kill_request(FileSystem& files, int result);
/// Removes what a command left that gave up.
void forget_kill_request(FileSystem& files);

/// "9 4194310\n" → {9, 4194310}; nothing when the line is not complete or not two numbers.
std::optional<KillRequest> parse_kill_request(std::string_view content);

}  // namespace cofork
