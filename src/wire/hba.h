// pg_hba.conf: who may connect from where, and how he proves who he is (as hba.c, 15).
//
// The postmaster parses the file once, at start-up and at SIGHUP; children share the immutable
// result. The whole grammar is read (quotes, lists, @file inclusion, line continuation, every
// address form, every method with its options) and every mistake is told as PostgreSQL tells it.
// Of the methods `trust` and `reject` are there; a connection that matches a line with another one
// is refused with a message that says so (wire/authentication.h).
//
// A file with any mistake is rejected as a whole: parse_hba() gives the messages to report and no
// configuration, and the caller keeps the one it has.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/os.h"
#include "support/error.h"
#include "wire/hba_tokens.h"

namespace cofork {

enum class HbaConnection : uint8_t { kLocal, kHost, kHostSsl, kHostNoSsl, kHostGss, kHostNoGss };

enum class AuthMethod : uint8_t {
  kReject,
  kTrust,
  kIdent,
  kPassword,
  kMd5,
  kScramSha256,
  kGss,
  kSspi,
  kPeer,
  kPam,
  kBsd,
  kLdap,
  kCert,
  kRadius,
};

/// "trust", "scram-sha-256", … as in the file.
const char* auth_method_name(AuthMethod method);

/// An IPv4 or IPv6 network: an address and a mask of the same family.
struct HbaNetwork {
  PeerAddress::Family family = PeerAddress::Family::kIpv4;
  std::array<uint8_t, 16> address{};
  std::array<uint8_t, 16> mask{};
  bool contains(const PeerAddress& peer) const;
};

enum class HbaAddress : uint8_t { kNetwork, kHostName, kAll, kSameHost, kSameNet };

struct HbaLine {
  int number = 0;  ///< of its first physical line, from 1
  HbaConnection connection = HbaConnection::kLocal;
  std::vector<ConfigToken> databases;
  std::vector<ConfigToken> roles;
  HbaAddress address = HbaAddress::kAll;
  HbaNetwork network;     ///< kNetwork
  std::string host_name;  ///< kHostName; a leading dot matches a suffix
  AuthMethod method = AuthMethod::kReject;
  std::vector<std::pair<std::string, std::string>> options;  ///< as written, names checked
};

struct HbaConfig {
  std::string file_name;
  std::vector<HbaLine> lines;
};

/// Parses `text`. Every mistake is appended to `reports` (severity LOG, SQLSTATE F0000, CONTEXT
/// with line and file); warnings too. Null when there was a mistake, or no entry at all.
std::shared_ptr<const HbaConfig> parse_hba(std::string_view text, const std::string& file_name,
                                           const FileReader& read_included,
                                           std::vector<ErrorData>& reports);

/// Reads and parses a file; a file that cannot be read is one report more.
std::shared_ptr<const HbaConfig> load_hba(FileSystem& files, const std::string& file_name,
                                          std::vector<ErrorData>& reports);

/// What a connection is compared by. The callbacks answer what only upper floors know; each is
/// asked only when a line needs it.
struct HbaRequest {
  PeerAddress peer;
  std::string_view database;
  std::string_view user;
  /// Is `user` a member of this role, directly or not? False when there is no such role.
  std::function<bool(std::string_view role)> is_member;
  /// The networks of this machine's own interfaces (samehost: their addresses alone).
  std::function<std::vector<HbaNetwork>()> interfaces;
  /// Does the peer's address belong to this host name, checked forward and backward?
  std::function<bool(const std::string& host_name)> has_host_name;
};

/// The first line that matches, or nullptr.
const HbaLine* find_hba_line(const HbaConfig& config, const HbaRequest& request);

}  // namespace cofork
