// pg_namespace: the schemas. The built-in ones; there is no CREATE SCHEMA yet.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"oid", kOid},
    {"nspname", kName},
    {"nspowner", kOid},
    {"nspacl", kAclitemArray},
};

struct Schema {
  Oid oid;
  const char* name;
  Oid owner;
};
constexpr Oid kPgDatabaseOwner = 6171;
constexpr Schema kSchemas[] = {
    {99, "pg_toast", kBootstrapSuperuserOid},
    {11, "pg_catalog", kBootstrapSuperuserOid},
    {2200, "public", kPgDatabaseOwner},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const Schema& schema : kSchemas) {
    ViewRow row(*context.arena);
    row.oid(schema.oid).name(schema.name).oid(schema.owner).null().emit(sink);
  }
}

}  // namespace

const BuiltinView kPgNamespace{2615, "pg_namespace", kColumns, emit};

}  // namespace cofork
