// Catalogs whose rows are tables of the binary: access methods, collations, languages, operators,
// casts, functions, operator classes (pg_proc.dat and its neighbours, 15).
#include "catalog/names.h"
#include "catalog/opclasses.h"
#include "catalog/shared_objects.h"
#include "catalog/views/list.h"
#include "catalog/window_functions.h"
#include "types/array.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr Oid kOwner = kBootstrapSuperuserOid;
constexpr Oid kInternalLanguage = 12;

// --- pg_am

constexpr ViewColumn kAmColumns[] = {
    {"oid", kOid}, {"amname", kName}, {"amhandler", kRegproc}, {"amtype", kChar}};

void emit_access_methods(EvalContext& context, const Viewer&, ViewSink& sink) {
  ViewRow row(*context.arena);
  row.oid(2).name("heap").oid(3).character('t').emit(sink);
  row.oid(403).name("btree").oid(330).character('i').emit(sink);
}

// --- pg_collation

constexpr ViewColumn kCollationColumns[] = {{"oid", kOid},           {"collname", kName},
                                            {"collnamespace", kOid}, {"collowner", kOid},
                                            {"collprovider", kChar}, {"collisdeterministic", kBool},
                                            {"collencoding", kInt4}, {"collcollate", kText},
                                            {"collctype", kText},    {"colliculocale", kText},
                                            {"collversion", kText}};

void emit_collations(EvalContext& context, const Viewer&, ViewSink& sink) {
  struct Collation {
    Oid oid;
    const char* name;
    char provider;
    int32_t encoding;
    const char* locale;
  };
  constexpr Collation kRows[] = {{100, "default", 'd', -1, ""},
                                 {950, "C", 'c', -1, "C"},
                                 {951, "POSIX", 'c', -1, "POSIX"},
                                 {12340, "ucs_basic", 'c', 6, "C"}};
  for (const Collation& collation : kRows) {
    ViewRow row(*context.arena);
    row.oid(collation.oid).name(collation.name).oid(kPgCatalogOid).oid(kOwner);
    row.character(collation.provider).boolean(true).int4(collation.encoding);
    row.text_or_null(collation.locale).text_or_null(collation.locale).null().null().emit(sink);
  }
}

// --- pg_language, pg_extension

constexpr ViewColumn kLanguageColumns[] = {
    {"oid", kOid},       {"lanname", kName},      {"lanowner", kOid},
    {"lanispl", kBool},  {"lanpltrusted", kBool}, {"lanplcallfoid", kOid},
    {"laninline", kOid}, {"lanvalidator", kOid},  {"lanacl", kAclitemArray}};

void emit_languages(EvalContext& context, const Viewer&, ViewSink& sink) {
  ViewRow row(*context.arena);
  row.oid(kInternalLanguage).name("internal").oid(kOwner).boolean(false).boolean(false);
  row.oid(0).oid(0).oid(2246).null().emit(sink);
}

constexpr ViewColumn kExtensionColumns[] = {{"oid", kOid},
                                            {"extname", kName},
                                            {"extowner", kOid},
                                            {"extnamespace", kOid},
                                            {"extrelocatable", kBool},
                                            {"extversion", kText},
                                            {"extconfig", kOidArray},
                                            {"extcondition", kTextArray}};

void emit_extensions(EvalContext&, const Viewer&, ViewSink&) {}

// --- pg_cast

constexpr ViewColumn kCastColumns[] = {{"oid", kOid},          {"castsource", kOid},
                                       {"casttarget", kOid},   {"castfunc", kOid},
                                       {"castcontext", kChar}, {"castmethod", kChar}};

void emit_casts(EvalContext& context, const Viewer&, ViewSink& sink) {
  Oid oid = 10100;  // as initdb numbers them, from some number on
  for (const BuiltinCast& cast : all_casts()) {
    ViewRow row(*context.arena);
    char method = cast.via_io ? 'i' : cast.function == kInvalidOid ? 'b' : 'f';
    row.oid(oid++).oid(cast.source).oid(cast.target).oid(cast.function);
    row.character(static_cast<char>(cast.context)).character(method).emit(sink);
  }
}

// --- pg_operator

constexpr ViewColumn kOperatorColumns[] = {
    {"oid", kOid},         {"oprname", kName},     {"oprnamespace", kOid}, {"oprowner", kOid},
    {"oprkind", kChar},    {"oprcanmerge", kBool}, {"oprcanhash", kBool},  {"oprleft", kOid},
    {"oprright", kOid},    {"oprresult", kOid},    {"oprcom", kOid},       {"oprnegate", kOid},
    {"oprcode", kRegproc}, {"oprrest", kRegproc},  {"oprjoin", kRegproc}};

void emit_operators(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const BuiltinOperator& op : all_operators()) {
    ViewRow row(*context.arena);
    bool equality = std::string_view(op.name) == "=";
    row.oid(op.oid).name(op.name).oid(kPgCatalogOid).oid(kOwner);
    row.character(op.left == kInvalidOid ? 'l' : 'b').boolean(equality).boolean(equality);
    row.oid(op.left).oid(op.right).oid(op.result).oid(op.commutator).oid(op.negator);
    row.oid(op.function).oid(0).oid(0).emit(sink);
  }
}

// --- pg_opclass, pg_opfamily

constexpr ViewColumn kOpclassColumns[] = {
    {"oid", kOid},          {"opcmethod", kOid},   {"opcname", kName},
    {"opcnamespace", kOid}, {"opcowner", kOid},    {"opcfamily", kOid},
    {"opcintype", kOid},    {"opcdefault", kBool}, {"opckeytype", kOid}};
constexpr ViewColumn kOpfamilyColumns[] = {{"oid", kOid},
                                           {"opfmethod", kOid},
                                           {"opfname", kName},
                                           {"opfnamespace", kOid},
                                           {"opfowner", kOid}};
constexpr Oid kBtree = 403;

/// One row a class: a class that serves several types is listed for the first alone.
template <typename Key, typename Emit>
void for_each_opclass(Key&& key, Emit&& emit_one) {
  std::span<const Opclass> all = btree_opclasses();
  for (size_t i = 0; i < all.size(); ++i) {
    bool is_first = true;
    for (size_t before = 0; before < i; ++before) is_first &= key(all[before]) != key(all[i]);
    if (is_first) emit_one(all[i]);
  }
}

void emit_opclasses(EvalContext& context, const Viewer&, ViewSink& sink) {
  for_each_opclass([](const Opclass& c) { return c.oid; },
                   [&](const Opclass& c) {
                     ViewRow row(*context.arena);
                     row.oid(c.oid).oid(kBtree).name(c.name).oid(kPgCatalogOid).oid(kOwner);
                     row.oid(c.family).oid(c.type).boolean(true);
                     row.oid(c.type == kName ? kCstring : kInvalidOid).emit(sink);
                   });
}

void emit_opfamilies(EvalContext& context, const Viewer&, ViewSink& sink) {
  for_each_opclass([](const Opclass& c) { return c.family; },
                   [&](const Opclass& c) {
                     ViewRow row(*context.arena);
                     row.oid(c.family).oid(kBtree).name(c.name).oid(kPgCatalogOid).oid(kOwner);
                     row.emit(sink);
                   });
}

// --- pg_proc, pg_aggregate

constexpr ViewColumn kProcColumns[] = {{"oid", kOid},
                                       {"proname", kName},
                                       {"pronamespace", kOid},
                                       {"proowner", kOid},
                                       {"prolang", kOid},
                                       {"procost", kFloat4},
                                       {"prorows", kFloat4},
                                       {"provariadic", kOid},
                                       {"prosupport", kRegproc},
                                       {"prokind", kChar},
                                       {"prosecdef", kBool},
                                       {"proleakproof", kBool},
                                       {"proisstrict", kBool},
                                       {"proretset", kBool},
                                       {"provolatile", kChar},
                                       {"proparallel", kChar},
                                       {"pronargs", kInt2},
                                       {"pronargdefaults", kInt2},
                                       {"prorettype", kOid},
                                       {"proargtypes", kOidVector},
                                       {"proallargtypes", kOidArray},
                                       {"proargmodes", kCharArray},
                                       {"proargnames", kTextArray},
                                       {"proargdefaults", kPgNodeTree},
                                       {"protrftypes", kOidArray},
                                       {"prosrc", kText},
                                       {"probin", kText},
                                       {"prosqlbody", kPgNodeTree},
                                       {"proconfig", kTextArray},
                                       {"proacl", kAclitemArray}};

Datum type_vector(Arena& arena, std::span<const Oid> types) {
  std::vector<Datum> values(types.begin(), types.end());
  return build_array(arena, kOid, {4, true, 'i'},
                     ArrayShape::one_dimension(static_cast<int>(values.size()), 0), values,
                     nullptr);
}

struct ProcFields {
  Oid oid;
  const char* name;
  char kind;
  bool strict, returns_set;
  char volatility;
  Oid variadic, result;
  std::span<const Oid> args;
  size_t defaults;
};

void emit_function(EvalContext& context, const ProcFields& function, ViewSink& sink) {
  ViewRow row(*context.arena);
  row.oid(function.oid).name(function.name).oid(kPgCatalogOid).oid(kOwner).oid(kInternalLanguage);
  row.datum(datum_from_float4(1)).datum(datum_from_float4(function.returns_set ? 1000 : 0));
  row.oid(function.variadic).oid(0).character(function.kind).boolean(false).boolean(false);
  row.boolean(function.strict).boolean(function.returns_set).character(function.volatility);
  row.character('s').int2(static_cast<int16_t>(function.args.size()));
  row.int2(static_cast<int16_t>(function.defaults)).oid(function.result);
  row.datum(type_vector(*context.arena, function.args));
  row.null().null().null().null().null().text(function.name).null().null().null().null();
  row.emit(sink);
}

void emit_functions(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const BuiltinFunction* function : all_functions()) {
    emit_function(
        context,
        {function->oid, function->name, is_window_function(*function) ? 'w' : 'f', function->strict,
         function->returns_set(), static_cast<char>(function->volatility), function->variadic,
         function->result, function->args, function->defaults.size()},
        sink);
  }
  for (const BuiltinAggregate& aggregate : all_aggregates()) {
    emit_function(context,
                  {aggregate.oid, aggregate.name, 'a', false, false, 'i', kInvalidOid,
                   aggregate.result, aggregate.args, 0},
                  sink);
  }
}

constexpr BuiltinView kRows[] = {
    {2601, "pg_am", kAmColumns, emit_access_methods},
    {3456, "pg_collation", kCollationColumns, emit_collations},
    {2612, "pg_language", kLanguageColumns, emit_languages},
    {3079, "pg_extension", kExtensionColumns, emit_extensions},
    {2605, "pg_cast", kCastColumns, emit_casts},
    {2617, "pg_operator", kOperatorColumns, emit_operators},
    {2616, "pg_opclass", kOpclassColumns, emit_opclasses},
    {2753, "pg_opfamily", kOpfamilyColumns, emit_opfamilies},
    {1255, "pg_proc", kProcColumns, emit_functions},
};

}  // namespace

constinit const std::span<const BuiltinView> kBinaryCatalogs = kRows;

}  // namespace cofork
