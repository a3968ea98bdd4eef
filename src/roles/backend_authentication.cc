// Who the client is and whether it may come in: pg_hba.conf, role, reserved slots, database (as
// InitPostgres in postinit.c, ClientAuthentication in auth.c, 15).
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "model/model.h"
#include "roles/client_backend.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "shmem/proc_signal.h"
#include "wire/hba.h"
#include "wire/network.h"

namespace cofork {

void ClientBackend::join_server() {
  phase_ = Phase::kAuthentication;
  install_session_handlers();
  init_process(BackendType::kClientBackend, ProcPool::kOrdinary, start_.child_slot);
  connection_.latch_changed();
  proc_array_join();
  proc_signal_init();
  set_cancel_key(static_cast<int32_t>(start_.cancel_key));
  task_.before_shmem_exit([this](Task&, int) {
    if (engine_ && !session_.transaction.is_idle()) engine_->failed();
  });
}

void ClientBackend::authenticate() {
  set_title("authentication");
  int64_t patience_ms = settings_.get(setting::kAuthenticationTimeout) * int64_t{1000};
  task_.timeouts().set_handler(TimeoutId::kStartupPacket, on_startup_timeout);
  task_.timeouts().enable_after_ms(TimeoutId::kStartupPacket, patience_ms);
  apply_hba();
  task_.timeouts().disable(TimeoutId::kStartupPacket);
  start_.hba.reset();
  start_.ident.reset();
  log_connection_authorized();
  set_title("startup");
  phase_ = Phase::kSession;
}

void ClientBackend::apply_hba() {
  HbaRequest request;
  request.peer = start_.peer;
  request.database = packet_.database;
  request.user = packet_.user;
  // No role has members yet, so a role's only member is itself.
  request.is_member = [this](std::string_view role) { return role == packet_.user; };
  request.interfaces = [this] { return networks_of(task_.os().sockets.interfaces()); };
  request.has_host_name = [this](const std::string& name) { return client_has_host_name(name); };
  const HbaLine* line = find_hba_line(*start_.hba, request);

  if (line == nullptr || line->method == AuthMethod::kReject) {
    throw Error(sqlstate::kInvalidAuthorizationSpecification,
                "{} host \"{}\", user \"{}\", database \"{}\", no encryption",
                line == nullptr ? "no pg_hba.conf entry for" : "pg_hba.conf rejects connection for",
                start_.peer.host(), packet_.user, packet_.database)
        .fatal();
  }
  if (line->method != AuthMethod::kTrust) {
    throw Error(sqlstate::kFeatureNotSupported, "authentication method \"{}\" is not supported",
                auth_method_name(line->method))
        .detail("Connection matched line {} of configuration file \"{}\".", line->number,
                start_.hba->file_name)
        .hint("Only \"trust\" and \"reject\" are.")
        .fatal();
  }
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kAuthentication);
  out.add_int32(0);  // AuthenticationOk
  out.end();
}

// The name the peer's address has must match, and have this address among its own: whoever runs
// the reverse zone could claim any name.
bool ClientBackend::client_has_host_name(const std::string& host_name) {
  std::string peer_name;
  std::vector<ListenAddress> addresses;
  Sockets& sockets = task_.os().sockets;
  task_.model().run_blocking(task_, [&] {
    peer_name = sockets.name_of(start_.peer);
    if (!peer_name.empty()) sockets.resolve(peer_name, 0, addresses);
  });
  if (!host_name_matches(host_name, peer_name)) return false;
  std::string address = start_.peer.host();
  for (const ListenAddress& candidate : addresses) {
    if (candidate.text == address) return true;
  }
  return false;
}

void ClientBackend::log_connection_authorized() {
  if (!settings_.get(setting::kLogConnections)) return;
  std::string application;
  if (!packet_.application_name.empty()) {
    application = " application_name=" + packet_.application_name;
  }
  log(Severity::kLog, "connection authorized: user={} database={}{}", packet_.user,
      packet_.database, application);
}

void ClientBackend::check_role() {
  std::optional<RoleDesc> role = find_role(packet_.user);
  if (!role) {
    throw Error(sqlstate::kInvalidAuthorizationSpecification, "role \"{}\" does not exist",
                packet_.user)
        .fatal();
  }
  if (!role->login) {
    throw Error(sqlstate::kInvalidAuthorizationSpecification,
                "role \"{}\" is not permitted to log in", packet_.user)
        .fatal();
  }
  my_proc().role_id.store(role->oid);
  if (role->connection_limit >= 0 && !role->superuser &&
      count_connections_of_role(role->oid) > role->connection_limit) {
    throw Error(sqlstate::kTooManyConnections, "too many connections for role \"{}\"", packet_.user)
        .fatal();
  }
  int reserved = settings_.get(setting::kSuperuserReservedConnections);
  if (!role->superuser && reserved > 0 && !have_free_procs(reserved)) {
    throw Error(sqlstate::kTooManyConnections,
                "remaining connection slots are reserved for non-replication superuser connections")
        .fatal();
  }
  session_.session_user = session_.current_user = role->name;
  session_.session_user_oid = session_.current_user_oid = role->oid;
  session_.is_superuser = role->superuser;
  set_catalog_user({role->oid, role->name, role->superuser});
}

void ClientBackend::check_database() {
  std::optional<DatabaseDesc> database = find_database(packet_.database);
  if (!database) {
    throw Error(sqlstate::kUndefinedDatabase, "database \"{}\" does not exist", packet_.database)
        .fatal();
  }
  my_proc().database_id.store(database->oid);
  if (!database->allow_connections) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "database \"{}\" is not currently accepting connections", packet_.database)
        .fatal();
  }
  if (database->connection_limit >= 0 && !session_.is_superuser &&
      count_connections_to_database(database->oid) > database->connection_limit) {
    throw Error(sqlstate::kTooManyConnections, "too many connections for database \"{}\"",
                packet_.database)
        .fatal();
  }
  session_.database_name = database->name;
  session_.database_oid = database->oid;
}

}  // namespace cofork
