// Functions about objects of the catalogs: is it visible, how large is it, what would make it,
// whose is it (ruleutils.c, dbsize.c, acl.c, namespace.c, 15). Most give NULL for what is not
// there.
#include "catalog/catalog_table.h"
#include "catalog/definitions.h"
#include "catalog/dependency.h"
#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/relation_cache.h"
#include "catalog/sequence.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_description.h"
#include "catalog/system/pg_shdescription.h"
#include "io/file.h"
#include "storage/buffer_pool.h"
#include "storage/relation_files.h"
#include "support/error.h"

namespace cofork {

using namespace type_oid;

namespace {

// --- what it is called

std::optional<bool> is_visible(Oid oid) {
  if (!relation_key(oid)) return std::nullopt;
  return relation_is_visible(oid);
}
bool always_visible(Oid) {
  return true;
}
Datum user_by_id(FunctionCall& call, Oid oid) {
  return name_from(call.arena(), role_name(oid));
}

// --- what would make it

std::string_view expression_text(std::string_view stored, Oid) {
  return stored;
}
std::string_view expression_text_pretty(std::string_view stored, Oid, bool pretty) {
  return pretty ? without_parentheses(stored) : stored;
}
std::optional<std::string> index_text(Oid index) {
  return index_definition(index, 0, false);
}
std::optional<std::string> index_text_pretty(Oid index, int32_t column, bool pretty) {
  return index_definition(index, column, pretty);
}
std::optional<std::string> constraint_text(Oid constraint) {
  return constraint_definition(constraint, false);
}
std::optional<std::string> constraint_text_pretty(Oid constraint, bool pretty) {
  return constraint_definition(constraint, pretty);
}
std::optional<std::string> view_text(Oid view) {
  return view_definition(view);
}
std::optional<std::string> view_text_pretty(Oid view, bool) {
  return view_definition(view);
}
std::optional<std::string> no_text(Oid) {
  return std::nullopt;
}
std::optional<std::string> no_text_pretty(Oid, bool) {
  return std::nullopt;
}
std::string object_text(Oid class_id, Oid object, int32_t sub) {
  return describe_object({class_id, object, sub});
}

// --- how large it is

constexpr ForkNumber kAllForks[] = {ForkNumber::kMain, ForkNumber::kFreeSpaceMap,
                                    ForkNumber::kVisibilityMap, ForkNumber::kInit};

int64_t fork_bytes(const RelationFile& file, ForkNumber fork) {
  if (!relation_file_exists(file, fork)) return 0;
  return int64_t{fork_blocks(file, fork)} * kPageBytes;
}

int64_t all_forks_bytes(const RelationFile& file) {
  int64_t bytes = 0;
  for (ForkNumber fork : kAllForks) bytes += fork_bytes(file, fork);
  return bytes;
}

/// A relation with files; null when there is none of this oid.
RelationDesc* with_files(Oid oid) {
  if (oid < kFirstNormalOid && find_system_catalog(oid) == nullptr &&
      find_system_index(oid) == nullptr) {
    return nullptr;
  }
  return try_open_relation(oid, LockMode::kAccessShare);
}

std::optional<int64_t> relation_size(Oid oid) {
  RelationDesc* relation = with_files(oid);
  if (relation == nullptr) return relation_key(oid) ? std::optional<int64_t>(0) : std::nullopt;
  return relation->kind == 'v' ? 0 : fork_bytes(relation->access.file, ForkNumber::kMain);
}

std::optional<int64_t> fork_size(Oid oid, std::string_view fork_text) {
  for (ForkNumber fork : kAllForks) {
    if (fork_text != fork_name(fork)) continue;
    RelationDesc* relation = with_files(oid);
    if (relation == nullptr || relation->kind == 'v') return std::nullopt;
    return fork_bytes(relation->access.file, fork);
  }
  throw Error(sqlstate::kInvalidParameterValue, "invalid fork name")
      .hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".");
}

std::optional<int64_t> table_size(Oid oid) {
  RelationDesc* relation = with_files(oid);
  if (relation == nullptr || relation->kind == 'v') return relation_size(oid);
  int64_t bytes = all_forks_bytes(relation->access.file);
  if (RelationDesc* toast =
          relation->toast == kInvalidOid ? nullptr : with_files(relation->toast)) {
    bytes += all_forks_bytes(toast->access.file);
    for (const auto& index : toast->indexes) bytes += all_forks_bytes(index->access.file);
  }
  return bytes;
}

std::optional<int64_t> indexes_size(Oid oid) {
  RelationDesc* relation = with_files(oid);
  if (relation == nullptr) return relation_size(oid);
  int64_t bytes = 0;
  for (const auto& index : relation->indexes) bytes += all_forks_bytes(index->access.file);
  return bytes;
}

std::optional<int64_t> total_size(Oid oid) {
  auto table = table_size(oid);
  if (!table) return std::nullopt;
  return *table + indexes_size(oid).value_or(0);
}

int64_t directory_bytes(const std::string& path) {
  int64_t bytes = 0;
  std::vector<std::string> names;
  task_files().list(path, names);
  for (const std::string& name : names) {
    struct stat st {};
    this_task().check_interrupts();
    if (task_files().stat(path + "/" + name, st) == 0) bytes += st.st_size;
  }
  return bytes;
}

std::optional<int64_t> database_size(Oid oid) {
  if (!find_database(oid)) return std::nullopt;
  return directory_bytes(database_path(oid, kDefaultTablespaceOid));
}
int64_t database_size_by_name(Datum name) {
  auto database = find_database(name_view(name));
  if (!database) {
    throw Error(sqlstate::kUndefinedDatabase, "database \"{}\" does not exist", name_view(name));
  }
  return database_size(database->oid).value_or(0);
}

std::optional<int64_t> tablespace_size(Oid oid) {
  if (oid == kGlobalTablespaceOid) return directory_bytes("global");
  if (oid != kDefaultTablespaceOid) return std::nullopt;
  int64_t bytes = 0;
  for (const DatabaseDesc& database : all_databases()) {
    bytes += directory_bytes(database_path(database.oid, oid));
  }
  return bytes;
}
std::string tablespace_location(Oid) {
  return "";  // both lie in the data directory
}

std::optional<std::string> file_path(Oid oid) {
  RelationDesc* relation = with_files(oid);
  if (relation == nullptr || relation->kind == 'v') return std::nullopt;
  return relation_path(relation->access.file, ForkNumber::kMain);
}
std::optional<Oid> file_node(Oid oid) {
  RelationDesc* relation = with_files(oid);
  if (relation == nullptr || relation->kind == 'v') return std::nullopt;
  return relation->access.file.number;
}

// --- what is said about it

std::optional<std::string> comment_of(Oid object, Oid class_id, int32_t sub) {
  CatalogScan scan(pg_description::kCatalog, pg_description::kOCOIndex,
                   {key_of(object), key_of(class_id), key_of(sub)});
  if (!scan.next()) return std::nullopt;
  return std::string(scan.row().text(pg_description::description));
}
std::optional<std::string> object_comment(Oid object, Datum catalog) {
  return comment_of(object, find_relation_in(kPgCatalogOid, name_view(catalog)), 0);
}
std::optional<std::string> column_comment(Oid relation, int32_t column) {
  return comment_of(relation, class_oid::kRelation, column);
}
std::optional<std::string> shared_comment(Oid object, Datum catalog) {
  Oid class_id = find_relation_in(kPgCatalogOid, name_view(catalog));
  CatalogScan scan(pg_shdescription::kCatalog, pg_shdescription::kOCIndex,
                   {key_of(object), key_of(class_id)});
  if (!scan.next()) return std::nullopt;
  return std::string(scan.row().text(pg_shdescription::description));
}

bool is_publishable(Oid oid) {
  auto key = relation_key(oid);
  return key && key->kind == 'r' && oid >= kFirstNormalOid;
}
/// No table is a partition, so none has ancestors.
bool no_rows(SetCall&) {
  return false;
}
bool never(Oid) {
  return false;
}

// --- sequences

std::optional<int64_t> last_sequence_value(Oid sequence) {
  SequenceState state = read_sequence(sequence);
  if (!state.is_called) return std::nullopt;
  return state.last_value;
}

#define COFORK_STABLE(...) BuiltinFunction{__VA_ARGS__}.stable()

constexpr BuiltinFunction kRows[] = {
    COFORK_STABLE(2079, "pg_table_is_visible", kBool, {kOid}, fn<is_visible>),
    COFORK_STABLE(2080, "pg_type_is_visible", kBool, {kOid}, fn<always_visible>),
    COFORK_STABLE(2081, "pg_function_is_visible", kBool, {kOid}, fn<always_visible>),
    COFORK_STABLE(2083, "pg_opclass_is_visible", kBool, {kOid}, fn<always_visible>),
    COFORK_STABLE(3815, "pg_collation_is_visible", kBool, {kOid}, fn<always_visible>),
    COFORK_STABLE(1642, "pg_get_userbyid", kName, {kOid}, fn<user_by_id>),
    COFORK_STABLE(1716, "pg_get_expr", kText, {kPgNodeTree, kOid}, fn<expression_text>),
    COFORK_STABLE(2509, "pg_get_expr", kText, {kPgNodeTree, kOid, kBool},
                  fn<expression_text_pretty>),
    COFORK_STABLE(1643, "pg_get_indexdef", kText, {kOid}, fn<index_text>),
    COFORK_STABLE(2507, "pg_get_indexdef", kText, {kOid, kInt4, kBool}, fn<index_text_pretty>),
    COFORK_STABLE(1387, "pg_get_constraintdef", kText, {kOid}, fn<constraint_text>),
    COFORK_STABLE(2508, "pg_get_constraintdef", kText, {kOid, kBool}, fn<constraint_text_pretty>),
    COFORK_STABLE(1641, "pg_get_viewdef", kText, {kOid}, fn<view_text>),
    COFORK_STABLE(2506, "pg_get_viewdef", kText, {kOid, kBool}, fn<view_text_pretty>),
    COFORK_STABLE(6174, "pg_get_statisticsobjdef_columns", kText, {kOid}, fn<no_text>),
    COFORK_STABLE(1662, "pg_get_triggerdef", kText, {kOid}, fn<no_text>),
    COFORK_STABLE(2730, "pg_get_triggerdef", kText, {kOid, kBool}, fn<no_text_pretty>),
    COFORK_STABLE(3352, "pg_get_partkeydef", kText, {kOid}, fn<no_text>),
    COFORK_STABLE(3537, "pg_describe_object", kText, {kOid, kOid, kInt4}, fn<object_text>),
    BuiltinFunction{2325, "pg_relation_size", kInt8, {kRegclass}, fn<relation_size>}.changing(),
    BuiltinFunction{2332, "pg_relation_size", kInt8, {kRegclass, kText}, fn<fork_size>}.changing(),
    BuiltinFunction{2286, "pg_total_relation_size", kInt8, {kRegclass}, fn<total_size>}.changing(),
    BuiltinFunction{2997, "pg_table_size", kInt8, {kRegclass}, fn<table_size>}.changing(),
    BuiltinFunction{2998, "pg_indexes_size", kInt8, {kRegclass}, fn<indexes_size>}.changing(),
    BuiltinFunction{2324, "pg_database_size", kInt8, {kOid}, fn<database_size>}.changing(),
    BuiltinFunction{2168, "pg_database_size", kInt8, {kName}, fn<database_size_by_name>}.changing(),
    BuiltinFunction{2322, "pg_tablespace_size", kInt8, {kOid}, fn<tablespace_size>}.changing(),
    COFORK_STABLE(3778, "pg_tablespace_location", kText, {kOid}, fn<tablespace_location>),
    COFORK_STABLE(3034, "pg_relation_filepath", kText, {kRegclass}, fn<file_path>),
    COFORK_STABLE(2999, "pg_relation_filenode", kOid, {kRegclass}, fn<file_node>),
    COFORK_STABLE(1215, "obj_description", kText, {kOid, kName}, fn<object_comment>),
    COFORK_STABLE(1216, "col_description", kText, {kOid, kInt4}, fn<column_comment>),
    COFORK_STABLE(1993, "shobj_description", kText, {kOid, kName}, fn<shared_comment>),
    COFORK_STABLE(6121, "pg_relation_is_publishable", kBool, {kRegclass}, fn<is_publishable>),
    BuiltinFunction{3425, "pg_partition_ancestors", kRegclass, {kRegclass}, nullptr, no_rows}
        .changing(),
    COFORK_STABLE(2855, "pg_is_other_temp_schema", kBool, {kOid}, fn<never>),
    COFORK_STABLE(3298, "row_security_active", kBool, {kOid}, fn<never>),
    BuiltinFunction{4032, "pg_sequence_last_value", kInt8, {kRegclass}, fn<last_sequence_value>}
        .changing(),
};
#undef COFORK_STABLE

}  // namespace

constinit const std::span<const BuiltinFunction> kObjectInfoFunctions = kRows;

}  // namespace cofork
