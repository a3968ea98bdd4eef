// A server whose tasks can run transactions: WAL, the logs of transactions and locks, in a fresh
// data directory, recovery over. The next xid is 3.
//
//   run_with_transactions(model, [](TransactionServer& server) {
//     server.spawn([](Task&) { in_transaction([] { …my_transaction()… }); });
//     server.wait_for_all();
//   });
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "in_server.h"
#include "log/log.h"
#include "settings/server_settings.h"
#include "txn/lock_table.h"
#include "txn/log_areas.h"
#include "txn/multixact_pages.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/checkpoint_request.h"
#include "wal/insert.h"
#include "wal/shared.h"

namespace cofork {

inline std::vector<AreaSpec> transaction_test_areas() {
  std::vector<AreaSpec> areas(std::begin(kTestAreas), std::end(kTestAreas));
  for (const AreaSpec& spec :
       {area_spec<WalShared>(), area_spec<CheckpointerShared>(), area_spec<VariableCache>(),
        area_spec<CommitLogArea>(), area_spec<SubtransArea>(), area_spec<MultiXactOffsetArea>(),
        area_spec<MultiXactMemberArea>(), area_spec<MultiXactShared>(), area_spec<LockTable>(),
        area_spec<LockHolders>(), area_spec<StrongLocks>(), area_spec<LockProcs>()}) {
    areas.push_back(spec);
  }
  return areas;
}

inline constexpr uint32_t kTestDatabase = 5;

class TransactionServer {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  TransactionServer(Task& postmaster, const Limits& limits, const Settings& more)
      : settings_(postmaster.os().files) {
    settings_.set("fsync", "off", SettingSource::kCommandLine);
    settings_.set("deadlock_timeout", "20ms", SettingSource::kCommandLine);
    for (const auto& [name, value] : more) {
      settings_.set(name, value, SettingSource::kCommandLine);
    }
    view_.emplace(settings_);
    postmaster.set_slot(&*view_);
    postmaster.set_slot(&identity_);
    server_.emplace(postmaster, limits, transaction_test_areas());
    WalShared& wal = server_->memory().area<WalShared>();
    wal.segment_bytes = kWalSegmentBytesMin;
    wal.timeline = 1;
    wal.system_identifier = 42;
    // What start-up does for a new cluster.
    server_->spawn_bare([](Task& task) {
      ChildContext context(task, "startup");
      init_auxiliary_process(AuxiliaryKind::kStartup);
      wal_resume({kWalSegmentBytesMin}, {}, nullptr);
      variable_cache().next_xid = kFirstNormalXid;
      variable_cache().next_oid = kFirstNormalOid;
      variable_cache().oldest_clog_xid = kFirstNormalXid;
      set_multixact_counters({kFirstMultiXactId, 0, kFirstMultiXactId, 1});
      shared_memory().area<ProcArray>().latest_completed_xid = kFirstNormalXid - 1;
      wal_shared().recovery_state = RecoveryState::kDone;
      set_xid_limits(kFirstNormalXid, 1);
    });
    server_->wait_for_all();
  }

  /// A task as a client's backend: in the ProcArray, connected to kTestDatabase.
  Pid spawn(std::function<void(Task&)> body) {
    return server_->spawn([body = std::move(body)](Task& task) {
      ChildContext context(task, "test");
      my_proc().database_id = kTestDatabase;
      proc_array_join();
      body(task);
      if (auto* left = task.slot<Transaction>()) left->abort();
    });
  }
  void wait_for_one() { EXPECT_IN_MODEL(server_->wait_for_one().status.is_exit(0)); }
  void wait_for_all() { server_->wait_for_all(); }
  TestServer& server() { return *server_; }

 private:
  ServerSettings settings_;
  std::optional<SettingsView> view_;
  LogIdentity identity_;
  std::optional<TestServer> server_;
};

inline int run_with_transactions(TestedModel model,
                                 const std::function<void(TransactionServer&)>& body,
                                 const Limits& limits = small_limits(),
                                 const TransactionServer::Settings& settings = {}) {
  char directory[] = "/tmp/cofork_txn_XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  int code = run_in_model(model, [&](Task& postmaster) {
    EXPECT_IN_MODEL(chdir(directory) == 0);
    for (const char* folder : {"pg_wal/archive_status", "pg_xact", "pg_subtrans",
                               "pg_multixact/offsets", "pg_multixact/members", "base/5"}) {
      std::filesystem::create_directories(folder);
    }
    TransactionServer server(postmaster, limits, settings);
    body(server);
  });
  std::filesystem::remove_all(directory);
  return code;
}

/// Runs `body` in a transaction and commits it. An Error aborts it and goes on.
inline void in_transaction(const std::function<void()>& body) {
  my_transaction().begin(1);
  std::optional<ErrorData> failure;
  try {
    body();
    my_transaction().commit();
  } catch (Error& error) {
    failure = std::move(error.data());
  }
  if (!failure) return;
  release_all_lwlocks();
  my_transaction().abort();
  throw Error(std::move(*failure));
}

/// The Error that `action` throws; with an empty message when it throws none.
inline ErrorData error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (Error& error) {
    return error.data();
  }
  return {};
}

}  // namespace cofork
