// pg_tables, pg_indexes, pg_views, pg_sequences: the catalogs in words (system_views.sql, 15).
#include "catalog/catalog_table.h"
#include "catalog/definitions.h"
#include "catalog/names.h"
#include "catalog/sequence.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_index.h"
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

/// The relations of a kind, by what pg_class says of them.
struct Listed {
  Oid oid, schema, owner;
  std::string name;
  bool has_index, has_rules, has_triggers, is_shared;
};

std::vector<Listed> relations_of_kind(char kind) {
  std::vector<Listed> found;
  CatalogHeapScan scan(pg_class::kCatalog);
  while (scan.next()) {
    CatalogRow& row = scan.row();
    if (row.character(pg_class::relkind) != kind) continue;
    found.push_back({row.oid(pg_class::oid), row.oid(pg_class::relnamespace),
                     row.oid(pg_class::relowner), std::string(row.name(pg_class::relname)),
                     row.boolean(pg_class::relhasindex), row.boolean(pg_class::relhasrules),
                     row.boolean(pg_class::relhastriggers), row.boolean(pg_class::relisshared)});
  }
  return found;
}

constexpr ViewColumn kTablesColumns[] = {
    {"schemaname", kName}, {"tablename", kName}, {"tableowner", kName},  {"tablespace", kName},
    {"hasindexes", kBool}, {"hasrules", kBool},  {"hastriggers", kBool}, {"rowsecurity", kBool}};

void emit_tables(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const Listed& table : relations_of_kind('r')) {
    ViewRow row(*context.arena);
    row.name(namespace_name(table.schema)).name(table.name).name(role_name(table.owner));
    table.is_shared ? row.name("pg_global") : row.null();
    row.boolean(table.has_index).boolean(table.has_rules).boolean(table.has_triggers);
    row.boolean(false).emit(sink);
  }
}

constexpr ViewColumn kIndexesColumns[] = {{"schemaname", kName},
                                          {"tablename", kName},
                                          {"indexname", kName},
                                          {"tablespace", kName},
                                          {"indexdef", kText}};

void emit_indexes(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const Listed& index : relations_of_kind('i')) {
    CatalogScan scan(pg_index::kCatalog, pg_index::kIndexrelidIndex, {key_of(index.oid)});
    if (!scan.next()) continue;
    auto table = relation_key(scan.row().oid(pg_index::indrelid));
    if (!table) continue;
    ViewRow row(*context.arena);
    row.name(namespace_name(index.schema)).name(table->name).name(index.name);
    index.is_shared ? row.name("pg_global") : row.null();
    row.text_or_null(index_definition(index.oid, 0, false).value_or("")).emit(sink);
  }
}

constexpr ViewColumn kViewsColumns[] = {
    {"schemaname", kName}, {"viewname", kName}, {"viewowner", kName}, {"definition", kText}};

void emit_views(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const Listed& view : relations_of_kind('v')) {
    ViewRow row(*context.arena);
    row.name(namespace_name(view.schema)).name(view.name).name(role_name(view.owner));
    row.text_or_null(view_definition(view.oid).value_or("")).emit(sink);
  }
}

constexpr ViewColumn kSequencesColumns[] = {
    {"schemaname", kName},   {"sequencename", kName}, {"sequenceowner", kName},
    {"data_type", kRegtype}, {"start_value", kInt8},  {"min_value", kInt8},
    {"max_value", kInt8},    {"increment_by", kInt8}, {"cycle", kBool},
    {"cache_size", kInt8},   {"last_value", kInt8}};

void emit_sequences(EvalContext& context, const Viewer&, ViewSink& sink) {
  for (const Listed& listed : relations_of_kind('S')) {
    RelationDesc* relation = try_open_relation(listed.oid, LockMode::kAccessShare);
    if (relation == nullptr || !relation->sequence) continue;
    const SequenceDesc& sequence = *relation->sequence;
    SequenceState state = read_sequence(listed.oid);
    ViewRow row(*context.arena);
    row.name(relation->schema_name).name(listed.name).name(role_name(listed.owner));
    row.oid(sequence.type).int8(sequence.start).int8(sequence.minimum).int8(sequence.maximum);
    row.int8(sequence.increment).boolean(sequence.cycle).int8(sequence.cache);
    state.is_called ? row.int8(state.last_value) : row.null();
    row.emit(sink);
  }
}

constexpr BuiltinView kRows[] = {
    {12033, "pg_tables", kTablesColumns, emit_tables},
    {12043, "pg_indexes", kIndexesColumns, emit_indexes},
    {12028, "pg_views", kViewsColumns, emit_views},
    {12048, "pg_sequences", kSequencesColumns, emit_sequences},
};

}  // namespace

constinit const std::span<const BuiltinView> kCatalogViews = kRows;

}  // namespace cofork
