// VACUUM, ANALYZE and REINDEX (vacuum.c, analyze.c, indexcmds.c, 15).
#include <algorithm>

#include "access/heap_scan.h"
#include "access/heap_vacuum.h"
#include "catalog/ddl.h"
#include "catalog/names.h"
#include "shmem/proc.h"
#include "sql/definition_commands.h"
#include "sql/internal_query.h"
#include "sql/table_definition.h"
#include "storage/buffer_pool.h"
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

void vacuum_table(Oid oid, const VacuumRequest& request) {
  RelationDesc* relation = try_open_relation(oid, LockMode::kShareUpdateExclusive);
  if (relation == nullptr) return;
  if (relation->kind != 'r' && relation->kind != 't') {
    ErrorData data;
    data.severity = Severity::kWarning;
    data.sqlstate = sqlstate::kWarning;
    data.message = fmt::format(
        "skipping \"{}\" --- cannot vacuum non-tables or special system "
        "tables",
        relation->name);
    report(data);
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

/// Looks at a part of the pages, spread evenly, and estimates what is in the table.
void analyze_table(Oid oid) {
  RelationDesc* relation = try_open_relation(oid, LockMode::kShareUpdateExclusive);
  if (relation == nullptr || relation->kind != 'r') return;
  constexpr BlockNumber kPagesLookedAt = 30'000;
  RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
  BlockNumber pages = relation_blocks(relation->access.file, ForkNumber::kMain);
  BlockNumber sample = std::min(pages, kPagesLookedAt);
  double rows = 0;
  for (BlockNumber i = 0; i < sample; ++i) {
    HeapScan::Options options;
    options.first_block = static_cast<BlockNumber>(uint64_t{i} * pages / sample);
    options.blocks = sample == pages ? pages : 1;
    HeapScan scan(relation->access, *snapshot, options);
    while (scan.next()) ++rows;
    if (sample == pages) break;
  }
  RelationStatistics statistics;
  statistics.pages = static_cast<int32_t>(pages);
  statistics.tuples = static_cast<float>(sample == 0 ? 0 : rows * pages / sample);
  statistics.all_visible = relation->all_visible;
  statistics.has_index = !relation->indexes.empty();
  std::vector<Oid> indexes;
  for (const auto& index : relation->indexes) indexes.push_back(index->oid);
  std::vector<RelationFile> files;
  for (const auto& index : relation->indexes) files.push_back(index->access.file);
  update_relation_statistics(oid, statistics);
  for (size_t i = 0; i < indexes.size(); ++i) {
    RelationStatistics of_index;
    of_index.pages = static_cast<int32_t>(relation_blocks(files[i], ForkNumber::kMain));
    of_index.tuples = statistics.tuples;
    update_relation_statistics(indexes[i], of_index);
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
  std::vector<Oid> tables;
  for (const Node* target : node.list("rels")) {
    const Node& relation = *target->node("relation");
    std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
    FoundRelation found = find_relation(schema, name);
    if (!found) {
      std::string full = schema.empty() ? std::string(name) : fmt::format("{}.{}", schema, name);
      throw Error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", full);
    }
    if (found.view == nullptr) tables.push_back(found.oid);
  }
  if (node.list("rels").empty()) {
    InternalQuery all(state_,
                      "SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 't') "
                      "AND relpersistence <> 't'");
    all.run({}, {}, [&](const Datum* values, const bool*) {
      tables.push_back(datum_to_oid(values[0]));
      return true;
    });
  }
  bool own_transactions = !state_.session.transaction.in_block() &&
                          state_.session.transaction.state() != BlockState::kImplicit;
  for (Oid table : tables) {
    if (request.vacuum) {
      next_transaction();
      vacuum_table(table, request);
    }
    if (request.analyze) {
      if (own_transactions) next_transaction();
      analyze_table(table);
    }
  }
  if (own_transactions) next_transaction();
  return request.vacuum ? "VACUUM" : "ANALYZE";
}

// --- REINDEX
// --------------------------------------------------------------------------------------

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
