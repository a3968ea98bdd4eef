// pg_type: the built-in types. Functions are shown as 0 where the type has none of its own here.
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"oid", kOid},           {"typname", kName},     {"typnamespace", kOid},
    {"typowner", kOid},      {"typlen", kInt2},      {"typbyval", kBool},
    {"typtype", kChar},      {"typcategory", kChar}, {"typispreferred", kBool},
    {"typisdefined", kBool}, {"typdelim", kChar},    {"typrelid", kOid},
    {"typelem", kOid},       {"typarray", kOid},     {"typalign", kChar},
    {"typnotnull", kBool},   {"typbasetype", kOid},  {"typtypmod", kInt4},
    {"typndims", kInt4},     {"typcollation", kOid},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  constexpr Oid kPgCatalog = 11, kDefaultCollation = 100;
  for (const BuiltinType& type : all_types()) {
    ViewRow row(*context.arena);
    row.oid(type.oid).name(type.name).oid(kPgCatalog).oid(kBootstrapSuperuserOid);
    row.int2(type.length).boolean(type.by_value).character(type.is_pseudo() ? 'p' : 'b');
    row.character(type.category).boolean(type.preferred).boolean(true).character(',').oid(0);
    row.oid(type.element_oid).oid(type.array_oid).character(type.align).boolean(false).oid(0);
    row.int4(-1).int4(0).oid(type.category == 'S' ? kDefaultCollation : 0).emit(sink);
  }
}

}  // namespace

const BuiltinView kPgType{1247, "pg_type", kColumns, emit};

}  // namespace cofork
