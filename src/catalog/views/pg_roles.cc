// pg_roles: the roles of the cluster, passwords blanked out.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"rolname", kName},
    {"rolsuper", kBool},
    {"rolinherit", kBool},
    {"rolcreaterole", kBool},
    {"rolcreatedb", kBool},
    {"rolcanlogin", kBool},
    {"rolreplication", kBool},
    {"rolconnlimit", kInt4},
    {"rolpassword", kText},
    {"rolvaliduntil", kTimestampTz},
    {"rolbypassrls", kBool},
    {"rolconfig", kTextArray},
    {"oid", kOid},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const RoleDesc& role : all_roles()) {
    ViewRow row(*context.arena);
    row.name(role.name).boolean(role.superuser).boolean(role.inherit).boolean(role.create_role);
    row.boolean(role.create_database).boolean(role.login).boolean(role.replication);
    row.int4(role.connection_limit).text("********").null().boolean(role.bypass_row_security);
    row.null().oid(role.oid).emit(sink);
  }
}

}  // namespace

const BuiltinView kPgRoles{12000, "pg_roles", kColumns, emit};

}  // namespace cofork
