// A server with everything below access/ running, in a fresh data directory with one empty table.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "access/btree_vacuum_state.h"
#include "access/heap_scan.h"
#include "access/relation_storage.h"
#include "in_storage.h"
#include "log/log.h"
#include "settings/server_settings.h"
#include "shmem/proc_array.h"
#include "txn/commit_log.h"
#include "txn/lock_manager.h"
#include "txn/lock_table.h"
#include "txn/log_areas.h"
#include "txn/multixact.h"
#include "txn/multixact_pages.h"
#include "txn/snapshot.h"
#include "txn/subtrans.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "types/type_oids.h"
#include "wal/insert.h"

namespace cofork {

inline constexpr TransactionId kTestFirstXid = 100;
inline constexpr Lsn kTestWalStart{0x1000000};
inline constexpr uint32_t kTestDatabase = 5;
inline constexpr RelationFile kTestTable{kDefaultTablespaceOid, kTestDatabase, 16384};

inline std::vector<AreaSpec> heap_test_areas() {
  std::vector<AreaSpec> areas = storage_test_areas();
  std::erase_if(areas, [](const AreaSpec& spec) { return spec.area == kTestSlru.area; });
  for (AreaSpec spec :
       {area_spec<VariableCache>(), area_spec<CommitLogArea>(), area_spec<SubtransArea>(),
        area_spec<MultiXactOffsetArea>(), area_spec<MultiXactMemberArea>(),
        area_spec<MultiXactShared>(), area_spec<ProcSubxids>(), area_spec<LockTable>(),
        area_spec<LockHolders>(), area_spec<StrongLocks>(), area_spec<LockProcs>(),
        area_spec<BtreeVacuumArea>()}) {
    auto is_there = [&](const AreaSpec& other) { return other.area == spec.area; };
    if (std::none_of(areas.begin(), areas.end(), is_there)) areas.push_back(spec);
  }
  return areas;
}

/// create table t (id int4, val int4, pad text), with an index on id as far as HOT is concerned.
inline const TupleShape& test_shape() {
  static const TupleShape shape(
      {{.type = type_oid::kInt4, .length = 4, .by_value = true, .align = 'i', .storage = 'p'},
       {.type = type_oid::kInt4, .length = 4, .by_value = true, .align = 'i', .storage = 'p'},
       {.type = type_oid::kText, .length = -1, .align = 'i', .storage = 'x'}});
  return shape;
}

inline Relation test_relation() {
  Relation relation;
  relation.oid = 16384;
  relation.name = "t";
  relation.schema_name = "public";
  relation.database_name = "postgres";
  relation.file = kTestTable;
  relation.shape = &test_shape();
  relation.indexed_columns = {0};
  relation.key_columns = {0};
  return relation;
}

/// What start-up does for the floors below.
inline void start_test_server() {
  WalShared& wal = wal_shared();
  wal.timeline = 1;
  wal.system_identifier = 42;
  wal.full_page_writes = true;
  wal_resume(kTestWalStart, Lsn{kTestWalStart.value - 64}, nullptr);
  VariableCache& cache = variable_cache();
  cache.next_xid = kTestFirstXid;
  cache.next_oid = kFirstNormalOid;
  cache.oldest_clog_xid = kFirstNormalXid;
  set_xid_limits(kFirstNormalXid, kTestDatabase);
  shared_memory().area<ProcArray>().latest_completed_xid = kTestFirstXid - 1;
  auto& multixacts = shared_memory().area<MultiXactShared>();
  multixacts.next = kFirstMultiXactId;
  multixacts.oldest = kFirstMultiXactId;
  multixacts.oldest_database = kTestDatabase;
  clog_startup(kTestFirstXid);
  subtrans_startup(kTestFirstXid, kTestFirstXid);
  multixact_startup();
}

class HeapServer {
 public:
  explicit HeapServer(TestServer& server) : server_(server) {
    server.spawn([](Task& task) {
      ChildContext context(task, "startup");
      start_test_server();
      create_relation_file(kTestTable, ForkNumber::kMain);
    });
    server.wait_for_all();
  }
  /// A backend connected to the database.
  void spawn(std::function<void(Relation&)> body) {
    server_.spawn([body = std::move(body)](Task& task) {
      ChildContext context(task, "client backend");
      my_proc().database_id = kTestDatabase;
      proc_array_join();
      Relation relation = test_relation();
      body(relation);
    });
  }
  void run(std::function<void(Relation&)> body) {
    spawn(std::move(body));
    server_.wait_for_all();
  }
  void wait_for_all() { server_.wait_for_all(); }

 private:
  TestServer& server_;
};

inline int run_in_heap(TestedModel model, const std::function<void(HeapServer&)>& body) {
  Limits limits = small_limits();
  limits.shared_buffers = 256;
  char directory[] = "/tmp/cofork_heap_XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  int code = run_in_model(model, [&](Task& postmaster) {
    EXPECT_IN_MODEL(chdir(directory) == 0);
    for (const char* folder : {"base/5", "global", "pg_wal", "pg_xact", "pg_subtrans",
                               "pg_multixact/offsets", "pg_multixact/members"}) {
      std::filesystem::create_directories(folder);
    }
    for (const char* log : {"pg_xact", "pg_multixact/offsets", "pg_multixact/members"}) {
      std::ofstream(std::string(log) + "/0000", std::ios::binary) << std::string(8192, '\0');
    }
    ServerSettings server_settings(postmaster.os().files);
    server_settings.set("fsync", "off", SettingSource::kCommandLine);
    SettingsView view(server_settings);
    LogIdentity identity;
    postmaster.set_slot(&view);
    postmaster.set_slot(&identity);
    TestServer server(postmaster, limits, heap_test_areas());
    WalShared& wal = server.memory().area<WalShared>();
    wal.recovery_state = RecoveryState::kDone;
    wal.page_checksums = true;
    HeapServer heap(server);
    body(heap);
  });
  std::filesystem::remove_all(directory);
  return code;
}

// --- working with the table

inline void in_transaction(const std::function<void()>& body) {
  Transaction& transaction = my_transaction();
  transaction.begin(0);
  body();
  transaction.commit();
}

inline HeapTuple make_row(Arena& arena, int32_t id, int32_t val, std::string_view pad = "pad") {
  Datum values[3] = {datum_from_int32(id), datum_from_int32(val), varlena_from(arena, pad)};
  bool nulls[3] = {};
  return form_tuple(test_shape(), values, nulls, arena);
}

inline ItemPointer insert_row(Relation& relation, int32_t id, int32_t val,
                              std::string_view pad = "pad") {
  Arena arena;
  HeapTuple tuple = make_row(arena, id, val, pad);
  heap_insert(relation, tuple, my_transaction().current_command(true));
  return tuple.self;
}

struct SeenRow {
  int32_t id;
  int32_t val;
  ItemPointer tid;
};
inline std::vector<SeenRow> scan_rows(Relation& relation, const Snapshot& snapshot) {
  std::vector<SeenRow> rows;
  Datum values[3];
  bool nulls[3];
  HeapScan scan(relation, snapshot);
  while (scan.next()) {
    deform_tuple(scan.tuple().header, test_shape(), 2, values, nulls);
    rows.push_back({datum_to_int32(values[0]), datum_to_int32(values[1]), scan.tuple().self});
  }
  return rows;
}
inline std::vector<SeenRow> scan_now(Relation& relation) {
  RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
  return scan_rows(relation, *snapshot);
}

struct Updated {
  TmResult result;
  ItemPointer tid;
  TmFailure failure;
  UpdateOutcome outcome;
};
inline Updated update_row(Relation& relation, const ItemPointer& tid, int32_t id, int32_t val,
                          std::string_view pad = "pad") {
  Arena arena;
  HeapTuple tuple = make_row(arena, id, val, pad);
  Updated updated{};
  updated.result = heap_update(relation, tid, tuple, my_transaction().current_command(true),
                               nullptr, true, updated.failure, updated.outcome);
  updated.tid = tuple.self;
  return updated;
}
inline TmResult delete_row(Relation& relation, const ItemPointer& tid) {
  TmFailure failure;
  return heap_delete(relation, tid, my_transaction().current_command(true), nullptr, true, failure);
}

}  // namespace cofork
