// The startup packet of a client backend, and what may come instead of it: a request for
// encryption, a request to cancel another backend's statement, or rubbish (as BackendInitialize and
// ProcessStartupPacket in postmaster.c, 15).
#include <csignal>

#include "model/model.h"
#include "roles/client_backend.h"
#include "shmem/proc_signal.h"
#include "support/bytes.h"

namespace cofork {

namespace {

/// For the server log only, severity LOG (COMMERROR).
void log_protocol_problem(const char* message) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate::kProtocolViolation;
  data.message = message;
  data.log_only = true;
  report(data);
}

}  // namespace

// --- signals

void ClientBackend::on_startup_signal(Task& task, int) {
  Task::handle_die(task, SIGTERM);
}
void ClientBackend::on_startup_timeout(Task& task) {
  Task::handle_die(task, SIGTERM);
}

void ClientBackend::install_startup_handlers() {
  task_.on_signal(SIGTERM, on_startup_signal);
  task_.on_signal(SIGQUIT, quick_die);
  task_.on_signal(SIGHUP, Task::handle_reload);
  for (int signo : {SIGINT, SIGUSR1, SIGUSR2, SIGPIPE}) task_.on_signal(signo, Task::ignore_signal);
  task_.unblock_signals();
  task_.timeouts().set_handler(TimeoutId::kStartupPacket, on_startup_timeout);
}

void ClientBackend::log_connection_received() {
  if (settings_.get(setting::kLogHostname) && start_.peer.family != PeerAddress::Family::kUnix) {
    std::string name;
    Sockets& sockets = task_.os().sockets;
    task_.model().run_blocking(task_, [&] { name = sockets.name_of(start_.peer); });
    if (!name.empty()) log_identity_.remote_host = remote_host_ = name;
  }
  if (!settings_.get(setting::kLogConnections)) return;
  if (remote_port_.empty()) {
    log(Severity::kLog, "connection received: host={}", remote_host_);
  } else {
    log(Severity::kLog, "connection received: host={} port={}", remote_host_, remote_port_);
  }
}

// --- packets

bool ClientBackend::read_startup_packet() {
  int64_t patience_ms = settings_.get(setting::kAuthenticationTimeout) * int64_t{1000};
  task_.timeouts().enable_after_ms(TimeoutId::kStartupPacket, patience_ms);
  bool ssl_refused = false;
  bool gss_refused = false;
  while (true) {
    std::optional<RawPacket> packet = read_raw_packet(ssl_refused || gss_refused);
    if (!packet) return false;
    if (packet->code == kCancelRequestCode) {
      serve_cancel(packet->body);
      return false;
    }
    if (packet->code == kSslRequestCode && !ssl_refused) {
      refuse_encryption("SSL");
      ssl_refused = true;
      gss_refused = false;
    } else if (packet->code == kGssEncRequestCode && !gss_refused) {
      refuse_encryption("GSSAPI encryption");
      gss_refused = true;
      ssl_refused = false;
    } else {
      task_.timeouts().disable(TimeoutId::kStartupPacket);
      accept_startup_packet(packet->code, packet->body);
      return true;
    }
  }
}

std::optional<ClientBackend::RawPacket> ClientBackend::read_raw_packet(bool encryption_refused) {
  // No byte at all is no reason to complain: load balancers look whether somebody answers, and a
  // client that wanted encryption goes away.
  if (!connection_.need(1)) return std::nullopt;
  if (!connection_.need(4)) {
    if (!encryption_refused) log_protocol_problem("incomplete startup packet");
    return std::nullopt;
  }
  auto length = load_be<uint32_t>(connection_.data());
  if (length < 8 || length - 4 > kMaxStartupPacketBytes) {
    log_protocol_problem("invalid length of startup packet");
    return std::nullopt;
  }
  if (!connection_.need(length)) {
    log_protocol_problem("incomplete startup packet");
    return std::nullopt;
  }
  std::string_view bytes(connection_.data(), length);
  connection_.consume(length);
  return RawPacket{load_be<uint32_t>(bytes.data() + 4), bytes.substr(8)};
}

void ClientBackend::refuse_encryption(const char* kind) {
  connection_.out().add_raw("N");
  connection_.flush();
  // What came along with the request was sent before the client knew the answer: nobody may take
  // it for something that was said on an encrypted connection.
  if (connection_.available() == 0) return;
  throw Error(sqlstate::kProtocolViolation, "received unencrypted data after {} request", kind)
      .detail(
          "This could be either a client-software bug or evidence of an attempted "
          "man-in-the-middle attack.")
      .fatal();
}

void ClientBackend::serve_cancel(std::string_view body) {
  if (body.size() != 8) {
    log_protocol_problem("invalid length of startup packet");
    return;
  }
  serve_cancel_request(load_be<Pid>(body.data()), load_be<int32_t>(body.data() + 4));
}

void ClientBackend::accept_startup_packet(uint32_t protocol, std::string_view body) {
  packet_.protocol = protocol;
  check_protocol_version(protocol);
  parse_startup_packet(body, packet_);
  if (packet_.must_negotiate()) negotiate_protocol();
  complete_startup_packet(packet_);
  log_identity_.user_name = packet_.user;
  log_identity_.database_name = packet_.database;
  refuse_by_verdict();
  if (packet_.replication) {
    throw Error(sqlstate::kFeatureNotSupported, "replication connections are not supported")
        .fatal();
  }
}

void ClientBackend::negotiate_protocol() {
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kNegotiateProtocolVersion);
  out.add_int32(kProtocolVersion3);
  out.add_int32(static_cast<uint32_t>(packet_.unknown_protocol_options.size()));
  for (const std::string& name : packet_.unknown_protocol_options) out.add_string(name);
  out.end();
}

void ClientBackend::refuse_by_verdict() {
  constexpr SqlState kNow = sqlstate::kCannotConnectNow;
  switch (start_.verdict) {
    case AcceptVerdict::kOk:
      return;
    case AcceptVerdict::kStartup:
      throw Error(kNow, "the database system is starting up").fatal();
    case AcceptVerdict::kNotConsistent:
      throw Error(kNow, "the database system is not yet accepting connections")
          .detail("Consistent recovery state has not been yet reached.")
          .fatal();
    case AcceptVerdict::kHotStandbyDisabled:
      throw Error(kNow, "the database system is not accepting connections")
          .detail("Hot standby mode is disabled.")
          .fatal();
    case AcceptVerdict::kShutdown:
      throw Error(kNow, "the database system is shutting down").fatal();
    case AcceptVerdict::kRecovery:
      throw Error(kNow, "the database system is in recovery mode").fatal();
    case AcceptVerdict::kTooMany:
      throw Error(sqlstate::kTooManyConnections, "sorry, too many clients already").fatal();
  }
}

}  // namespace cofork
