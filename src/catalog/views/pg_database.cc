// pg_database: the databases of the cluster.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"oid", kOid},           {"datname", kName},        {"datdba", kOid},
    {"encoding", kInt4},     {"datlocprovider", kChar}, {"datistemplate", kBool},
    {"datallowconn", kBool}, {"datconnlimit", kInt4},   {"datfrozenxid", kXid},
    {"datminmxid", kXid},    {"dattablespace", kOid},   {"datcollate", kText},
    {"datctype", kText},     {"daticulocale", kText},   {"datcollversion", kText},
    {"datacl", kAclitemArray},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  constexpr Oid kDefaultTablespace = 1663;
  constexpr uint32_t kFirstXid = 3, kFirstMultiXid = 1;
  for (const DatabaseDesc& database : all_databases()) {
    ViewRow row(*context.arena);
    row.oid(database.oid).name(database.name).oid(database.owner).int4(database.encoding);
    row.character('c').boolean(database.is_template).boolean(database.allow_connections);
    row.int4(database.connection_limit).oid(kFirstXid).oid(kFirstMultiXid);
    row.oid(kDefaultTablespace).text(database.collate).text(database.ctype);
    row.null().null().null().emit(sink);
  }
}

}  // namespace

const BuiltinView kPgDatabase{1262, "pg_database", kColumns, emit};

}  // namespace cofork
