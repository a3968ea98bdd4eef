// pg_authid: the roles of the cluster, for superusers.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"oid", kOid},           {"rolname", kName},        {"rolsuper", kBool},
    {"rolinherit", kBool},   {"rolcreaterole", kBool},  {"rolcreatedb", kBool},
    {"rolcanlogin", kBool},  {"rolreplication", kBool}, {"rolbypassrls", kBool},
    {"rolconnlimit", kInt4}, {"rolpassword", kText},    {"rolvaliduntil", kTimestampTz},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const RoleDesc& role : all_roles()) {
    ViewRow row(*context.arena);
    row.oid(role.oid).name(role.name).boolean(role.superuser).boolean(role.inherit);
    row.boolean(role.create_role).boolean(role.create_database).boolean(role.login);
    row.boolean(role.replication).boolean(role.bypass_row_security);
    row.int4(role.connection_limit).null().null().emit(sink);
  }
}

}  // namespace

const BuiltinView kPgAuthid{1260, "pg_authid", kColumns, emit, false};

}  // namespace cofork
