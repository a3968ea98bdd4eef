// The registry of background workers: when they start, start again, stop, and who is told.
#include <cstring>

#include "in_server.h"
#include "shmem/worker_registry.h"

namespace cofork {
namespace {

constexpr int64_t kSecond = 1'000'000;

BackgroundWorker make_worker(const char* name, int32_t restart_time_s = kNeverRestart,
                             WorkerStart start = WorkerStart::kRecoveryFinished) {
  BackgroundWorker worker{};
  std::strncpy(worker.name, name, sizeof worker.name - 1);
  worker.flags = kWorkerShmemAccess;
  worker.start = start;
  worker.restart_time_s = restart_time_s;
  return worker;
}

struct Shared {
  std::atomic<int> stage{0};
  std::atomic<Pid> started{0};
};

class WorkerTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void(TestServer&, WorkerRegistry&, Shared&)>& body) {
    auto* shared = shared_block<Shared>();
    EXPECT_EQ(run_in_server(GetParam(), small_limits(),
                            [&](TestServer& server) {
                              WorkerRegistry registry;
                              body(server, registry, *shared);
                            }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, WorkerTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

TEST(WorkerCheckTest, RefusesWhatPostgresRefuses) {
  BackgroundWorker worker = make_worker("w");
  EXPECT_EQ(check_worker(worker), nullptr);
  EXPECT_STREQ(worker.type, "w");
  worker.flags = 0;
  EXPECT_STREQ(check_worker(worker),
               "background workers without shared memory access are not supported");
  worker = make_worker("w", 1, WorkerStart::kPostmasterStart);
  worker.flags |= kWorkerDatabaseConnection;
  EXPECT_STREQ(check_worker(worker),
               "cannot request database access if starting at postmaster start");
  worker = make_worker("w", kWorkerRestartMax_s + 1);
  EXPECT_STREQ(check_worker(worker), "invalid restart interval");
  worker = make_worker("w", 1);
  worker.flags |= kWorkerClassParallel;
  EXPECT_STREQ(check_worker(worker), "parallel workers may not be configured for restart");
}

TEST_P(WorkerTest, StartsAtItsTimeAndAgainAfterItsInterval) {
  run([](TestServer& server, WorkerRegistry& registry, Shared&) {
    Task& self = server.postmaster();
    registry.register_static(make_worker("late", 5), 2);
    registry.register_static(make_worker("early", 5, WorkerStart::kPostmasterStart), 2);
    registry.register_static(make_worker("one too many", 5), 2);
    registry.publish(server.memory());
    EXPECT_IN_MODEL(registry.next_to_start(self, std::nullopt, 1) == nullptr);

    auto* early = registry.next_to_start(self, WorkerStart::kPostmasterStart, 1);
    EXPECT_IN_MODEL(early != nullptr && std::string(early->definition.name) == "early");
    registry.started(self, *early, 501);
    EXPECT_IN_MODEL(registry.next_to_start(self, WorkerStart::kConsistentState, 1) == nullptr);
    auto* late = registry.next_to_start(self, WorkerStart::kRecoveryFinished, 1);
    EXPECT_IN_MODEL(late != nullptr && std::string(late->definition.name) == "late");
    registry.started(self, *late, 502);
    EXPECT_IN_MODEL(registry.next_to_start(self, WorkerStart::kRecoveryFinished, 1) == nullptr);
    EXPECT_IN_MODEL(registry.find(502) == late && registry.find(503) == nullptr);

    registry.exited(self, *late, ExitStatus::exited(1), 100 * kSecond);
    EXPECT_IN_MODEL(registry.next_restart_at() == 105 * kSecond);
    EXPECT_IN_MODEL(registry.next_to_start(self, WorkerStart::kRecoveryFinished, 104 * kSecond) ==
                    nullptr);
    EXPECT_IN_MODEL(registry.next_to_start(self, WorkerStart::kRecoveryFinished, 105 * kSecond) ==
                    late);
    registry.started(self, *late, 504);
    EXPECT_IN_MODEL(registry.next_restart_at() == 0);
    // Exit status 0: done for good, and the slot is free.
    int32_t slot = late->slot;
    registry.exited(self, *late, ExitStatus::exited(0), 106 * kSecond);
    EXPECT_IN_MODEL(registry.find(504) == nullptr);
    EXPECT_IN_MODEL(!server.memory().area<WorkerArray>().slots()[slot].in_use);
  });
}

TEST_P(WorkerTest, ACrashRestartsSomeAtOnceAndForgetsTheOthers) {
  run([](TestServer& server, WorkerRegistry& registry, Shared&) {
    Task& self = server.postmaster();
    registry.register_static(make_worker("again", 60), 2);
    registry.register_static(make_worker("once"), 2);
    registry.publish(server.memory());
    Pid pid = 601;
    while (auto* worker = registry.next_to_start(self, WorkerStart::kRecoveryFinished, 1)) {
      registry.started(self, *worker, pid++);
    }
    EXPECT_IN_MODEL(pid == 603);
    for (Pid dead : {601, 602}) {
      registry.exited(self, *registry.find(dead), ExitStatus::exited(2), kSecond);
    }
    registry.reset_after_crash();
    auto* again = registry.next_to_start(self, WorkerStart::kRecoveryFinished, kSecond);
    EXPECT_IN_MODEL(again != nullptr && std::string(again->definition.name) == "again");
    registry.started(self, *again, 603);
    EXPECT_IN_MODEL(registry.next_to_start(self, WorkerStart::kRecoveryFinished, kSecond) ==
                    nullptr);
  });
}

/// The postmaster's part of a dynamic worker's life, until the one child that uses it is gone.
void serve(TestServer& server, WorkerRegistry& registry, Shared& shared) {
  Task& self = server.postmaster();
  for (;;) {
    wait_latch(kWaitLatch | kWaitTimeout | kWaitPostmasterDeath, 50, WaitEventId::kPostmasterMain);
    reset_latch(self.latch());
    if (take_postmaster_signal(PmSignal::kBackgroundWorkerChange)) registry.scan(self, true);
    while (auto* worker =
               registry.next_to_start(self, WorkerStart::kRecoveryFinished, now_timestamp())) {
      // Ends when it is told to, as a worker does.
      Pid pid = server.spawn_bare([](Task& task) {
        while ((task.interrupts() & kInterruptDie) == 0) {
          wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, WaitEventId::kExtension);
          reset_latch(task.latch());
        }
        throw TaskExit{1};
      });
      shared.started = pid;  // before those who wait for the worker are told
      registry.started(self, *worker, pid);
    }
    while (auto death = server.reap()) {
      auto* worker = registry.find(death->pid);
      if (worker == nullptr) {
        EXPECT_IN_MODEL(death->status.is_exit(0));
        return;
      }
      registry.exited(self, *worker, death->status, now_timestamp());
    }
  }
}

TEST_P(WorkerTest, ATaskRegistersWaitsForAndEndsAWorker) {
  run([](TestServer& server, WorkerRegistry& registry, Shared& shared) {
    registry.publish(server.memory());
    server.spawn([&](Task& task) {
      BackgroundWorker definition = make_worker("dynamic", 1);
      definition.notify_pid = task.pid();
      WorkerHandle handle{}, other{};
      Pid pid = 0;
      EXPECT_IN_MODEL(register_dynamic_worker(definition, handle));
      EXPECT_IN_MODEL(wait_for_worker_startup(handle, pid) == WorkerStatus::kStarted);
      EXPECT_IN_MODEL(pid == shared.started);
      // Two slots: one more fits, a third does not.
      EXPECT_IN_MODEL(register_dynamic_worker(definition, other));
      EXPECT_IN_MODEL(wait_for_worker_startup(other, pid) == WorkerStatus::kStarted);
      WorkerHandle third{};
      EXPECT_IN_MODEL(!register_dynamic_worker(definition, third));
      terminate_worker(other);
      EXPECT_IN_MODEL(wait_for_worker_shutdown(other) == WorkerStatus::kStopped);
      terminate_worker(handle);
      EXPECT_IN_MODEL(wait_for_worker_shutdown(handle) == WorkerStatus::kStopped);
      // The slot is free again, under another generation.
      EXPECT_IN_MODEL(register_dynamic_worker(definition, third));
      EXPECT_IN_MODEL(worker_status(third.slot == handle.slot ? handle : other, pid) ==
                      WorkerStatus::kStopped);
      terminate_worker(third);
      wait_for_worker_shutdown(third);
    });
    serve(server, registry, shared);
  });
}

}  // namespace
}  // namespace cofork
