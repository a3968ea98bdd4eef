// VACUUM, ANALYZE and REINDEX (vacuum.c, analyze.c, indexcmds.c, 15).
#include <algorithm>

#include "access/heap_vacuum.h"
#include "catalog/ddl.h"
#include "catalog/names.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "sql/definition_commands.h"
#include "sql/internal_query.h"
#include "sql/table_definition.h"
#include "sql/table_sample.h"
#include "storage/buffer_pool.h"
#include "storage/visibility_map.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

struct VacuumRequest {
  bool vacuum = false;
  bool analyze = false;
  bool full = false;
  bool skip_locked = false;
  VacuumOptions options;
};

bool option_is_on(const Node& option) {
  std::string value = option_text(option);
  return value != "false" && value != "off" && value != "0" && value != "no";
}

VacuumRequest read_request(const Node& node, std::string_view text) {
  VacuumRequest request;
  request.vacuum = node.flag("is_vacuumcmd");
  request.analyze = !request.vacuum;
  for (const Node* option : node.list("options")) {
    std::string_view name = option->string("defname");
    bool on = option_is_on(*option);
    if (name == "verbose") {
      request.options.verbose = on;
    } else if (name == "skip_locked") {
      request.skip_locked = on;
    } else if (request.vacuum && name == "analyze") {
      request.analyze = on;
    } else if (request.vacuum && name == "freeze") {
      request.options.freeze = on;
    } else if (request.vacuum && name == "full") {
      request.full = on;
    } else if (request.vacuum && name == "disable_page_skipping") {
      request.options.disable_page_skipping = on;
    } else if (request.vacuum && name == "truncate") {
      request.options.truncate = on;
    } else if (request.vacuum && name == "index_cleanup") {
      using Cleanup = VacuumOptions::IndexCleanup;
      request.options.index_cleanup = option_text(*option) == "auto" ? Cleanup::kAuto
                                      : on                           ? Cleanup::kOn
                                                                     : Cleanup::kOff;
    } else if (!request.vacuum || (name != "parallel" && name != "process_toast")) {
      throw Error(sqlstate::kSyntaxError, "unrecognized {} option \"{}\"",
                  request.vacuum ? "VACUUM" : "ANALYZE", name)
          .position(character_position(text, option->location()));
    }
  }
  if (request.full) {
    throw Error(sqlstate::kFeatureNotSupported, "VACUUM FULL is not supported");
  }
  return request;
}

/// Marks the task as one whose own snapshot nobody's row versions wait for.
class InVacuum {
 public:
  InVacuum() { my_proc().status_flags.fetch_or(kProcInVacuum); }
  ~InVacuum() { my_proc().status_flags.fetch_and(static_cast<uint8_t>(~kProcInVacuum)); }
  InVacuum(const InVacuum&) = delete;
};

void warn_skipped(std::string_view command, const RelationDesc& relation) {
  ErrorData data;
  data.severity = Severity::kWarning;
  data.sqlstate = sqlstate::kWarning;
  data.message = fmt::format("skipping \"{}\" --- cannot {} non-tables or special system tables",
                             relation.name, command);
  report(data);
}

void vacuum_table(Oid oid, const VacuumRequest& request) {
  RelationDesc* relation = try_open_relation(oid, LockMode::kShareUpdateExclusive);
  if (relation == nullptr) return;
  if (relation->kind != 'r' && relation->kind != 't') {
    warn_skipped("vacuum", *relation);
    return;
  }
  TableFacts facts;
  facts.pages = static_cast<BlockNumber>(relation->pages);
  facts.tuples = relation->tuples;
  facts.frozen_xid = relation->frozen_xid;
  facts.min_multi = relation->min_multi;
  std::vector<BtreeIndex*> indexes;
  std::vector<Oid> index_oids;
  for (const auto& index : relation->indexes) {
    if (!index->ready) continue;
    open_index(index->oid, LockMode::kRowExclusive);
    indexes.push_back(&index->btree);
    index_oids.push_back(index->oid);
  }
  VacuumResult result;
  {
    InVacuum marked;
    result = heap_vacuum(relation->access, facts, indexes, request.options);
  }
  RelationStatistics statistics;
  statistics.pages = static_cast<int32_t>(result.pages);
  statistics.tuples = static_cast<float>(result.tuples);
  statistics.all_visible = static_cast<int32_t>(result.all_visible);
  statistics.has_index = !indexes.empty();
  statistics.frozen_xid = result.frozen_xid;
  statistics.min_multi = result.min_multi;
  update_relation_statistics(oid, statistics);
  for (size_t i = 0; i < index_oids.size(); ++i) {
    const IndexVacuumResult& index = result.indexes[i];
    if (index.pages == 0) continue;
    RelationStatistics of_index;
    of_index.pages = static_cast<int32_t>(index.pages);
    of_index.tuples = static_cast<float>(index.entries);
    update_relation_statistics(index_oids[i], of_index);
  }
}

Oid toast_table_of(Oid oid) {
  RelationDesc* relation = try_open_relation(oid, LockMode::kAccessShare);
  return relation == nullptr ? kInvalidOid : relation->toast;
}

/// The columns ANALYZE is asked for, or all that are there.
std::vector<int> analyzed_columns(const RelationDesc& relation,
                                  std::span<const std::string> names) {
  std::vector<int> columns;
  for (const std::string& name : names) {
    const ColumnDesc* column = relation.find_column(name);
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                  name, relation.name);
    }
    if (std::ranges::find(columns, column->number - 1) != columns.end()) {
      throw Error(sqlstate::kDuplicateColumn,
                  "column \"{}\" of relation \"{}\" appears more than once", name, relation.name);
    }
    columns.push_back(column->number - 1);
  }
  if (!names.empty()) return columns;
  for (const ColumnDesc& column : relation.columns) {
    if (!column.dropped && column.statistics_target != 0) columns.push_back(column.number - 1);
  }
  return columns;
}

/// Takes a sample of the rows, and keeps what it tells of the table and of each column
/// (do_analyze_rel).
void analyze_table(Oid oid, std::span<const std::string> names) {
  RelationDesc* relation = try_open_relation(oid, LockMode::kShareUpdateExclusive);
  if (relation == nullptr) return;
  if (relation->kind != 'r' && relation->kind != 'm') {
    if (relation->kind != 't') warn_skipped("analyze", *relation);
    return;
  }
  int default_target = settings().get(setting::kDefaultStatisticsTarget);
  TableSample sample;
  sample.columns = analyzed_columns(*relation, names);
  auto target_of = [&](int column) {
    int own = relation->columns[static_cast<size_t>(column)].statistics_target;
    return own >= 0 ? own : default_target;
  };
  // 300 rows for each bin of the histogram (std_typanalyze).
  int most = sample.columns.empty() ? default_target : 1;
  for (int column : sample.columns) most = std::max(most, target_of(column));
  {
    RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
    take_sample(*relation, *snapshot, static_cast<size_t>(most) * 300, sample);
  }
  RelationStatistics statistics;
  statistics.pages = static_cast<int32_t>(sample.pages);
  statistics.tuples = static_cast<float>(sample.total_rows);
  statistics.all_visible =
      static_cast<int32_t>(visibility_map_count(relation->access.file).all_visible);
  statistics.has_index = !relation->indexes.empty();
  std::vector<std::pair<Oid, RelationFile>> indexes;
  for (const auto& index : relation->indexes) indexes.emplace_back(index->oid, index->access.file);
  std::vector<ColumnStatistics> columns;
  for (size_t i = 0; sample.rows > 0 && i < sample.columns.size(); ++i) {
    int column = sample.columns[i];
    const BuiltinType& type = *find_type(relation->columns[static_cast<size_t>(column)].type);
    columns.push_back(summarize_column(sample, i, type, target_of(column)));
  }
  store_column_statistics(oid, columns);
  update_relation_statistics(oid, statistics);
  for (const auto& [index, file] : indexes) {
    RelationStatistics of_index;
    of_index.pages = static_cast<int32_t>(relation_blocks(file, ForkNumber::kMain));
    of_index.tuples = statistics.tuples;
    update_relation_statistics(index, of_index);
  }
}

/// Ends the running transaction and begins another, for commands that work in many.
void next_transaction() {
  Transaction& transaction = my_transaction();
  int64_t start_us = transaction.start_us();
  transaction.commit();
  transaction.begin(start_us);
}

}  // namespace

std::string_view DefinitionCommands::vacuum_command(const Node& node) {
  VacuumRequest request = read_request(node, text_);
  struct VacuumTarget {
    Oid oid;
    std::vector<std::string> columns;
  };
  std::vector<VacuumTarget> tables;
  for (const Node* target : node.list("rels")) {
    std::vector<std::string> columns;
    for (const Node* column : target->list("va_cols")) columns.emplace_back(column->text());
    if (!columns.empty() && !request.analyze) {
      throw Error(sqlstate::kFeatureNotSupported,
                  "ANALYZE option must be specified when a column list is provided");
    }
    const Node& relation = *target->node("relation");
    std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
    FoundRelation found = find_relation(schema, name);
    if (!found) {
      std::string full = schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
      throw Error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", full);
    }
    if (found.view == nullptr) tables.push_back({found.oid, std::move(columns)});
  }
  const bool covers_all = node.list("rels").empty();
  if (covers_all) {
    InternalQuery all(state_,
                      "SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 't') "
                      "AND relpersistence <> 't'");
    all.run({}, {}, [&](const Datum* values, const bool*) {
      tables.push_back({datum_to_oid(values[0]), {}});
      return true;
    });
  }
  bool own_transactions = !state_.session.transaction.in_block() &&
                          state_.session.transaction.state() != BlockState::kImplicit;
  for (const VacuumTarget& table : tables) {
    if (request.vacuum) {
      next_transaction();
      vacuum_table(table.oid, request);
      // Named or not: in a list of all tables they are their own items.
      if (Oid toast = toast_table_of(table.oid); toast != kInvalidOid && !covers_all) {
        next_transaction();
        vacuum_table(toast, request);
      }
    }
    if (request.analyze) {
      if (own_transactions) next_transaction();
      analyze_table(table.oid, table.columns);
    }
  }
  if (own_transactions) next_transaction();
  return request.vacuum ? "VACUUM" : "ANALYZE";
}

// --- REINDEX

std::string_view DefinitionCommands::reindex_command(const Node& node) {
  std::string_view kind = node.string("kind");
  if (kind == "REINDEX_OBJECT_INDEX") {
    Oid index = lock_target(*node.node("relation"), LockMode::kAccessExclusive).oid;
    rebuild_index(index, index_rows(state_));
    return "REINDEX";
  }
  std::vector<Oid> tables;
  if (kind == "REINDEX_OBJECT_TABLE") {
    tables.push_back(lock_target(*node.node("relation"), LockMode::kShare).oid);
  } else if (kind == "REINDEX_OBJECT_SCHEMA") {
    Oid schema = namespace_of(node.string("name"));
    InternalQuery all(state_, fmt::format("SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'r' "
                                          "AND relnamespace = {}",
                                          schema));
    all.run({}, {}, [&](const Datum* values, const bool*) {
      tables.push_back(datum_to_oid(values[0]));
      return true;
    });
  } else {
    throw Error(sqlstate::kFeatureNotSupported, "this form of REINDEX is not supported");
  }
  for (Oid table : tables) {
    std::vector<Oid> indexes;
    for (const auto& index : open_relation(table, LockMode::kShare).indexes) {
      indexes.push_back(index->oid);
    }
    for (Oid index : indexes) rebuild_index(index, index_rows(state_));
  }
  return "REINDEX";
}

}  // namespace cofork
