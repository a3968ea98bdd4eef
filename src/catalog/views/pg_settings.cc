// pg_settings: every setting and where its value comes from (show_all_settings in guc_funcs.c).
#include "catalog/views/list.h"
#include "settings/settings.h"
#include "types/array.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"name", kText},       {"setting", kText},         {"unit", kText},
    {"category", kText},   {"short_desc", kText},      {"extra_desc", kText},
    {"context", kText},    {"vartype", kText},         {"source", kText},
    {"min_val", kText},    {"max_val", kText},         {"enumvals", kTextArray},
    {"boot_val", kText},   {"reset_val", kText},       {"sourcefile", kText},
    {"sourceline", kInt4}, {"pending_restart", kBool},
};

void put(ViewRow& row, const std::optional<std::string>& value) {
  value ? row.text(*value) : row.null();
}

Datum text_array(Arena& arena, const std::vector<std::string>& texts) {
  std::vector<Datum> values;
  for (const std::string& text : texts) values.push_back(varlena_from(arena, text));
  return build_array(arena, kText, {-1, false, 'i'},
                     ArrayShape::one_dimension(static_cast<int>(values.size())), values, nullptr);
}

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const SettingRow& setting : settings().rows()) {
    ViewRow row(*context.arena);
    row.text(setting.name);
    put(row, setting.setting);
    put(row, setting.unit);
    row.text(setting.category).text(setting.short_desc);
    put(row, setting.extra_desc);
    row.text(setting.context).text(setting.vartype).text(setting.source);
    put(row, setting.min_val);
    put(row, setting.max_val);
    setting.enumvals ? row.datum(text_array(*context.arena, *setting.enumvals)) : row.null();
    put(row, setting.boot_val);
    put(row, setting.reset_val);
    put(row, setting.sourcefile);
    setting.sourceline ? row.int4(*setting.sourceline) : row.null();
    row.boolean(setting.pending_restart).emit(sink);
  }
}

}  // namespace

const BuiltinView kPgSettings{12104, "pg_settings", kColumns, emit};

}  // namespace cofork
