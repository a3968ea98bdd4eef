// pg_stat_activity: one row a task that has introduced itself (pg_stat_get_activity in
// pgstatfuncs.c, 15).
#include <map>
#include <optional>

#include "catalog/shared_objects.h"
#include "catalog/views/list.h"
#include "model/wait_event.h"
#include "shmem/backend_status.h"
#include "shmem/lwlock.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"datid", kOid},
    {"datname", kName},
    {"pid", kInt4},
    {"leader_pid", kInt4},
    {"usesysid", kOid},
    {"usename", kName},
    {"application_name", kText},
    {"client_addr", kInet},
    {"client_hostname", kText},
    {"client_port", kInt4},
    {"backend_start", kTimestampTz},
    {"xact_start", kTimestampTz},
    {"query_start", kTimestampTz},
    {"state_change", kTimestampTz},
    {"wait_event_type", kText},
    {"wait_event", kText},
    {"state", kText},
    {"backend_xid", kXid},
    {"backend_xmin", kXid},
    {"query_id", kInt8},
    {"query", kText},
    {"backend_type", kText},
};

void wait_columns(ViewRow& row, uint32_t event) {
  const char* type = wait_class_name(event);
  if (type == nullptr) {
    row.null().null();
    return;
  }
  const char* name = wait_event_name(event);
  if (name == nullptr) name = lwlock_tranche_name(static_cast<uint16_t>(event & 0xFFFF));
  row.text(type).text(name);
}

void client_columns(EvalContext& context, ViewRow& row, const StatusRow& status) {
  const BackendStatusFields& fields = status.fields;
  if (!fields.has_client) {
    row.null().null().null();
    return;
  }
  if (fields.client_family == PeerAddress::Family::kUnix) {
    row.null().null().int4(-1);
    return;
  }
  PeerAddress peer;
  peer.family = fields.client_family;
  std::memcpy(peer.bytes, fields.client_address, sizeof peer.bytes);
  row.datum(find_type(kInet)->from_text(context, peer.host()));
  row.text_or_null(status.client_hostname).int4(fields.client_port);
}

std::string_view backend_type_of(const BackendStatusFields& fields) {
  if (fields.type == BackendType::kBackgroundWorker && fields.worker_type[0] != '\0') {
    return fields.worker_type;
  }
  return backend_type_name(fields.type);
}

/// Names of roles and databases, each looked up once.
struct SharedNames {
  std::map<Oid, std::optional<std::string>> roles, databases;

  const std::optional<std::string>& role(Oid oid) {
    auto [found, is_new] = roles.try_emplace(oid);
    if (is_new && oid != kInvalidOid) {
      if (auto role = find_role(oid)) found->second = std::move(role->name);
    }
    return found->second;
  }
  const std::optional<std::string>& database(Oid oid) {
    auto [found, is_new] = databases.try_emplace(oid);
    if (is_new && oid != kInvalidOid) {
      if (auto database = find_database(oid)) found->second = std::move(database->name);
    }
    return found->second;
  }
};

void emit_row(EvalContext& context, const Viewer& viewer, SharedNames& names,
              const StatusRow& status, ViewSink& sink) {
  const BackendStatusFields& fields = status.fields;
  ViewRow row(*context.arena);
  const std::optional<std::string>& database = names.database(fields.database_id);
  const std::optional<std::string>& role = names.role(fields.role_id);
  row.oid_or_null(fields.database_id);
  database ? row.name(*database) : row.null();
  row.int4(static_cast<int32_t>(fields.pid)).null().oid_or_null(fields.role_id);
  role ? row.name(*role) : row.null();
  row.text(status.application_name);
  if (!viewer.is_superuser && viewer.role != fields.role_id) {
    // Others' rows: who it is, not what it does.
    for (int i = row.count(); i < 20; ++i) row.null();
    row.text("<insufficient privilege>").null().emit(sink);
    return;
  }
  client_columns(context, row, status);
  row.timestamptz(fields.backend_start).timestamptz(fields.transaction_start);
  row.timestamptz(fields.query_start).timestamptz(fields.state_change);
  wait_columns(row, status.wait_event_info);
  const char* state = backend_state_name(fields.state);
  state == nullptr ? row.null() : row.text(state);
  row.oid_or_null(status.xid).oid_or_null(status.xmin);
  fields.query_id == 0 ? row.null() : row.int8(static_cast<int64_t>(fields.query_id));
  row.text(status.activity).text(backend_type_of(fields)).emit(sink);
}

void emit(EvalContext& context, const Viewer& viewer, ViewSink& sink) {
  SharedNames names;
  for (const StatusRow& status : read_backend_status()) {
    emit_row(context, viewer, names, status, sink);
  }
}

}  // namespace

const BuiltinView kPgStatActivity{12222, "pg_stat_activity", kColumns, emit};

}  // namespace cofork
