// WaitSet: the one place where a task waits for several things at once (as WaitEventSet, latch.c).
//
// A set is built once and waited on often; it belongs to the task that built it and to one thread.
// `exit_on_postmaster_death` in the fork model watches the death pipe and ends the task with exit
// status 1; in the coroutine model the postmaster shares the process and there is nothing to watch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "model/cells.h"
#include "model/wait_event.h"

namespace cofork {

enum WaitFlag : uint32_t {
  kWaitLatch = 1u << 0,
  kWaitReadable = 1u << 1,
  kWaitWriteable = 1u << 2,
  kWaitTimeout = 1u << 3,
  kWaitPostmasterDeath = 1u << 4,        ///< reported to the caller
  kWaitExitOnPostmasterDeath = 1u << 5,  ///< throws TaskExit{1}
  kWaitClosed = 1u << 7,                 ///< the peer has gone (WL_SOCKET_CLOSED)
};

struct WaitOccurred {
  int position;    ///< as returned by add_*
  uint32_t flags;  ///< what happened there
};

class WaitSet {
 public:
  virtual ~WaitSet() = default;
  virtual int add_latch(Latch& latch) = 0;
  virtual int add_socket(int fd, uint32_t flags) = 0;
  /// kWaitPostmasterDeath or kWaitExitOnPostmasterDeath.
  virtual int add_postmaster_death(uint32_t flag) = 0;
  virtual void modify_socket(int position, uint32_t flags) = 0;
  virtual void modify_latch(int position, Latch& latch) = 0;
  virtual void remove_socket(int position) = 0;
  /// The caller has read the socket until there was no more (a short read, or EAGAIN): a model that
  /// hears of changes only need not ask the kernel before the next sleep. Never required.
  virtual void drained(int /*position*/) {}
  /// Sleeps until something occurred or `timeout_ms` (-1: no limit) is over. Number of entries
  /// filled; 0 on timeout. Does not look at interrupts: the caller does, after each return.
  virtual int wait(int64_t timeout_ms, std::span<WaitOccurred> occurred, WaitEventId event) = 0;
};

}  // namespace cofork
