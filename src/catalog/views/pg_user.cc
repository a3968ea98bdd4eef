// pg_user: the roles that can log in.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"usename", kName},  {"usesysid", kOid},         {"usecreatedb", kBool},
    {"usesuper", kBool}, {"userepl", kBool},         {"usebypassrls", kBool},
    {"passwd", kText},   {"valuntil", kTimestampTz}, {"useconfig", kTextArray},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const RoleDesc& role : all_roles()) {
    if (!role.login) continue;
    ViewRow row(*context.arena);
    row.name(role.name).oid(role.oid).boolean(role.create_database).boolean(role.superuser);
    row.boolean(role.replication).boolean(role.bypass_row_security).text("********");
    row.null().null().emit(sink);
  }
}

}  // namespace

const BuiltinView kPgUser{12014, "pg_user", kColumns, emit};

}  // namespace cofork
