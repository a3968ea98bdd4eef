// A server with everything up to access/: transactions, locks, WAL, the buffer pool, in a fresh
// data directory.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "access/btree_vacuum_state.h"
#include "in_storage.h"
#include "settings/server_settings.h"
#include "settings/settings.h"
#include "storage/free_space.h"
#include "txn/commit_log.h"
#include "txn/lock_table.h"
#include "txn/log_areas.h"
#include "txn/multixact_pages.h"
#include "txn/subtrans.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"

namespace cofork {

inline constexpr Lsn kFirstLsn{0x1000000};

inline std::vector<AreaSpec> access_test_areas() {
  std::vector<AreaSpec> areas = storage_test_areas();
  std::erase_if(areas, [](const AreaSpec& spec) { return spec.area == kTestSlru.area; });
  areas.push_back(area_spec<VariableCache>());
  areas.push_back(area_spec<CommitLogArea>());
  areas.push_back(area_spec<SubtransArea>());
  areas.push_back(area_spec<MultiXactOffsetArea>());
  areas.push_back(area_spec<MultiXactMemberArea>());
  areas.push_back(area_spec<MultiXactShared>());
  areas.push_back(area_spec<LockTable>());
  areas.push_back(area_spec<LockHolders>());
  areas.push_back(area_spec<StrongLocks>());
  areas.push_back(area_spec<LockProcs>());
  areas.push_back(area_spec<BtreeVacuumArea>());
  return areas;
}

class AccessServer : public TestServer {
 public:
  AccessServer(Task& postmaster, const Limits& limits)
      : TestServer(postmaster, limits, access_test_areas()) {
    WalShared& wal = memory().area<WalShared>();
    wal.segment_bytes = kDefaultWalSegmentBytes;
    wal.timeline = 1;
    wal.system_identifier = 1;
    wal.page_checksums = true;
    wal.full_page_writes = true;
    wal.redo = kFirstLsn.value;
    wal.recovery_state = RecoveryState::kDone;
    VariableCache& variables = memory().area<VariableCache>();
    variables.next_xid = kFirstNormalXid;
    variables.next_oid = kFirstNormalOid;
    memory().area<ProcArray>().latest_completed_xid = kFrozenXid;
    spawn([](Task&) {
      wal_resume(kFirstLsn, {}, nullptr);
      set_xid_limits(kFirstNormalXid, 1);
    });
    wait_for_all();
  }

  /// A child in a transaction, which is its own checkpointer.
  void spawn_session(std::function<void(Task&)> body) {
    spawn([body = std::move(body)](Task& task) {
      PendingSyncs syncs;
      my_transaction().begin({});
      body(task);
      if (my_transaction().in_progress()) my_transaction().commit();
    });
  }
  void run_session(std::function<void(Task&)> body) {
    spawn_session(std::move(body));
    wait_for_all();
  }
};

inline int run_in_access(TestedModel model, const Limits& limits,
                         const std::function<void(AccessServer&)>& body) {
  char directory[] = "/tmp/cofork_access_XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  int code = run_in_model(model, [&](Task& postmaster) {
    EXPECT_IN_MODEL(chdir(directory) == 0);
    for (const char* folder : {"base/5", "base/pgsql_tmp", "global", "pg_xact", "pg_subtrans",
                               "pg_multixact/offsets", "pg_multixact/members",
                               "pg_wal/archive_status"}) {
      std::filesystem::create_directories(folder);
    }
    ServerSettings settings(postmaster.os().files);
    settings.set("fsync", "off", SettingSource::kCommandLine);
    SettingsView view(settings);
    postmaster.set_slot(&view);
    AccessServer server(postmaster, limits);
    body(server);
  });
  std::filesystem::remove_all(directory);
  return code;
}

}  // namespace cofork
