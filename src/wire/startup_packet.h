// The startup packet, taken apart: pure functions over its bytes (as ProcessStartupPacket in
// postmaster.c and pg_split_opts in postinit.c, 15). Reading it from the socket and answering is
// roles/backend_startup.cc's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/error.h"

namespace cofork {

struct StartupPacket {
  uint32_t protocol = 0;
  std::string user;
  std::string database;  ///< the user's name when the client gave none
  std::string options;   ///< command-line options for the session, not yet split
  /// Every other parameter, in the order of the packet: settings.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::string> unknown_protocol_options;  ///< names that begin with "_pq_."
  std::string application_name;  ///< as sent, for the log line "connection authorized"

  bool replication = false;  ///< wants to be a WAL sender

  /// The client asked for something newer: it must be told with NegotiateProtocolVersion.
  bool must_negotiate() const;
};

/// Takes apart what follows the protocol version. `packet` is filled as far as the bytes go, so
/// that the log can name user and database even when this throws: 08P01 no terminator where it must
/// be, 22023 replication= is no boolean.
void parse_startup_packet(std::string_view body, StartupPacket& packet);

/// Once the version is settled: 28000 when there is no user name; the database defaults to it, and
/// names longer than 63 bytes are cut, as everywhere.
void complete_startup_packet(StartupPacket& packet);

/// Throws 0A000 for a major version that is not 3 (NegotiateProtocolVersion settles the minor).
void check_protocol_version(uint32_t protocol);

/// Splits at blanks; a backslash takes the meaning from the character after it.
std::vector<std::string> split_options(std::string_view options);

/// The settings that a list of command-line options stands for: -c name=value, --name=value and
/// the short options of `postgres` (process_postgres_switches). Throws 42601 for others.
std::vector<std::pair<std::string, std::string>> settings_of_options(
    const std::vector<std::string>& arguments);

}  // namespace cofork
