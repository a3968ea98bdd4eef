// The client backend: one task per connection, from the accepted socket to the disconnection line.
//
// The postmaster accepts, decides on a verdict, picks a cancel key and a child slot, and spawns a
// task whose body is backend_main(). Everything a client can wait for happens in the child: the
// startup packet, authentication, the session. A verdict other than kOk is told to the client only
// after its startup packet has been read, so that a cancel request works even when the server is
// full (as BackendStartup and ProcessStartupPacket in postmaster.c, PostgresMain in postgres.c,
// 15).
//
// Exit status: 0 after Terminate, a closed connection or a refused startup packet; 1 after FATAL;
// 2 after SIGQUIT.
#pragma once

#include <cstdint>
#include <memory>

#include "model/task.h"
#include "os/os.h"

namespace cofork {

struct HbaConfig;    // wire/hba.h
struct IdentConfig;  // wire/ident.h

/// What the postmaster's state allows this connection (canAcceptConnections; CAC_state).
enum class AcceptVerdict : uint8_t {
  kOk,
  kStartup,             ///< 57P03 the database system is starting up
  kNotConsistent,       ///< 57P03 … not yet accepting connections
  kHotStandbyDisabled,  ///< 57P03 … not accepting connections; DETAIL Hot standby mode is disabled.
  kShutdown,            ///< 57P03 the database system is shutting down
  kRecovery,            ///< 57P03 the database system is in recovery mode
  kTooMany,             ///< 53300 sorry, too many clients already
};

/// All the postmaster hands to a new backend. Copied into the child's birth.
struct BackendStart {
  int socket = -1;  ///< accepted, non-blocking; the child owns it (also listed in Birth::fds)
  PeerAddress peer;
  AcceptVerdict verdict = AcceptVerdict::kOk;
  uint32_t cancel_key = 0;
  int child_slot = 0;          ///< in PMSignal's child flags, from 1; 0: a dead-end child
  int64_t accept_time_us = 0;  ///< Unix epoch, microseconds
  /// Parsed by the postmaster at start-up and at SIGHUP; a session keeps the generation it was
  /// born with until it is authenticated, then lets go of it.
  std::shared_ptr<const HbaConfig> hba;
  std::shared_ptr<const IdentConfig> ident;
};

/// Builds what backends read and never change, once and in the postmaster: built at first use, a
/// forked child would do it again for every connection.
void prepare_for_backends();

/// The whole life of a client backend; ends by returning or by TaskExit.
void backend_main(Task& task, BackendStart start);

}  // namespace cofork
