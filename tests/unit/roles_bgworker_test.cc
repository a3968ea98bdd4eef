// A background worker's life, with the wait sampler as the worker.
#include "in_server.h"
#include "log/log.h"
#include "roles/bgworker.h"
#include "roles/wait_sampler.h"
#include "settings/server_settings.h"
#include "shmem/worker_registry.h"

namespace cofork {
namespace {

class BgWorkerTest : public testing::TestWithParam<TestedModel> {};
INSTANTIATE_TEST_SUITE_P(Models, BgWorkerTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

TEST_P(BgWorkerTest, SamplesUntilItIsToldToEnd) {
  auto body = [](TestServer& server) {
    Task& self = server.postmaster();
    ServerSettings server_settings(self.os().files);
    server_settings.set("cofork.wait_sampling_interval", "2ms", SettingSource::kCommandLine);
    SettingsView view(server_settings);
    LogIdentity identity;
    self.set_slot(&view);
    self.set_slot(&identity);
    enter_task_table(kPostmasterRow, BackendType::kPostmaster);

    WorkerRegistry registry;
    registry.register_static(wait_sampler_registration(), 2);
    registry.publish(server.memory());
    auto* worker = registry.next_to_start(self, WorkerStart::kRecoveryFinished, 1);
    int32_t slot = worker->slot;
    int32_t child_slot = server.child_slots().assign();
    Pid pid = server.spawn_role(
        [slot, child_slot](Task& task) { background_worker_main(task, slot, child_slot); });
    registry.started(self, *worker, pid);
    // Somebody to be seen: it waits for its client, so to speak.
    Pid idle = server.spawn([](Task& task) {
      enter_task_table(task_row_of_child(2), BackendType::kClientBackend);
      my_task_row()->proc_number = my_proc_number();
      while ((task.interrupts() & kInterruptDie) == 0) {
        wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, WaitEventId::kClientRead);
        reset_latch(task.latch());
      }
    });

    auto seen_idle = [] {
      for (const WaitProfileRow& row : read_wait_profile()) {
        if (row.type == BackendType::kClientBackend && row.seen >= 3 &&
            row.wait_event_info == static_cast<uint32_t>(WaitEventId::kClientRead)) {
          return true;
        }
        EXPECT_IN_MODEL(row.type != BackendType::kBackgroundWorker);  // it leaves itself out
      }
      return false;
    };
    EXPECT_IN_MODEL(eventually(seen_idle));
    std::vector<StatusRow> rows = read_backend_status();
    EXPECT_IN_MODEL(rows.size() == 1 && rows[0].fields.pid == pid);
    EXPECT_IN_MODEL(std::string(rows[0].fields.worker_type) == "cofork wait sampler");
    std::vector<TaskInfo> tasks = read_task_table(server.memory());
    EXPECT_IN_MODEL(tasks.size() == 3 && tasks[1].title == "postgres: cofork wait sampler ");

    self.model().kill(pid, SIGTERM);
    Death death = server.wait_for_one();
    EXPECT_IN_MODEL(death.pid == pid && death.status.is_exit(1));
    EXPECT_IN_MODEL(server.child_slots().release(child_slot));  // it left in order
    EXPECT_IN_MODEL(read_backend_status().empty());
    registry.exited(self, *registry.find(pid), death.status, 1'000'000);
    EXPECT_IN_MODEL(registry.next_restart_at() == 2'000'000);
    self.model().kill(idle, SIGTERM);
    server.wait_for_all();
  };
  EXPECT_EQ(run_in_server(GetParam(), small_limits(), body), 0);
}

}  // namespace
}  // namespace cofork
