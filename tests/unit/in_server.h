// A segment with the areas of shmem/, and tasks with Procs on it, under either model.
//
//   run_in_server(model, limits, [](TestServer& server) {
//     server.spawn([](Task& task) { …this_task() has a Proc… });
//     server.wait_for_all();        // every child must have exited with 0
//   });
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>

#include <csignal>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "in_model.h"
#include "shmem/backend_status.h"
#include "shmem/background_worker.h"
#include "shmem/pm_signal.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "shmem/proc_signal.h"
#include "shmem/stats.h"
#include "shmem/task_table.h"
#include "shmem/wait_profile.h"
#include "support/error.h"

namespace cofork {

inline constexpr AreaSpec kTestAreas[] = {
    area_spec<LwLockArea>(),
    area_spec<ProcHeader>(),
    area_spec<Procs>(),
    area_spec<ProcArray>(),
    area_spec<ProcSubxids>(),
    area_spec<BackendStatusArray>(),
    area_spec<StatusApplicationName>(),
    area_spec<StatusClientHostname>(),
    area_spec<StatusActivity>(),
    area_spec<WorkerArray>(),
    area_spec<PmSignalState>(),
    area_spec<ProcSignalHeader>(),
    area_spec<SharedStats>(),
    area_spec<TaskTable>(),
    area_spec<WaitProfile>(),
};

inline int64_t deadline_after_ms(Task& task, int64_t ms) {
  return task.os().clock.monotonic_ns() + ms * 1'000'000;
}

/// Waits until something is true, ten seconds at most (longer under a sanitizer).
template <typename Condition>
bool eventually(Condition&& condition) {
  Task& task = this_task();
  int64_t deadline_ns = deadline_after_ms(task, 10'000 * kSlowness);
  while (!condition()) {
    if (task.os().clock.monotonic_ns() > deadline_ns) return false;
    task.model().pause_us(task, 500);
  }
  return true;
}

class TestServer {
 public:
  TestServer(Task& postmaster, const Limits& limits, std::span<const AreaSpec> areas = kTestAreas)
      : postmaster_(postmaster) {
    size_t bytes = segment_size(areas, limits);
    void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT_IN_MODEL(base != MAP_FAILED);
    lay_out_segment(base, bytes, areas, limits, postmaster.pid(), 1, 2);
    memory_.emplace(base);
    postmaster.set_slot(&*memory_);
    child_slots_.emplace(*memory_);
    postmaster.on_signal(SIGCHLD, wake_up);
    postmaster.on_signal(SIGUSR1, wake_up);
    postmaster.unblock_signals();
  }

  Task& postmaster() { return postmaster_; }
  SharedMemory& memory() { return *memory_; }
  ChildSlots& child_slots() { return *child_slots_; }

  /// A child as it is born, without a Proc: all signals still blocked, none handled. For roles,
  /// which install their handlers first. Exits with 1 after an Error.
  Pid spawn_role(std::function<void(Task&)> role) {
    Birth birth;
    birth.name = "test";
    birth.is_session = true;
    birth.body = [role = std::move(role)](Task& task) {
      // A test that fails leaves nobody behind: children end with the process that made them.
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::optional<ErrorData> failure;
      try {
        role(task);
      } catch (Error& error) {
        failure = std::move(error.data());
      }
      if (!failure) return;
      std::fprintf(stderr, "task failed: %s\n", failure->message.c_str());
      throw TaskExit{1};
    };
    Pid pid = postmaster_.model().spawn(postmaster_, std::move(birth));
    EXPECT_IN_MODEL(pid > 0);
    ++living_;
    return pid;
  }
  /// A child that handles what every child does, without a Proc.
  Pid spawn_bare(std::function<void(Task&)> body) {
    return spawn_role([body = std::move(body)](Task& task) {
      task.on_signal(SIGUSR1, Task::handle_proc_signal);
      task.on_signal(SIGTERM, Task::handle_die);
      task.unblock_signals();
      body(task);
    });
  }
  /// A child with an ordinary Proc.
  Pid spawn(std::function<void(Task&)> body) {
    return spawn_bare([body = std::move(body)](Task& task) {
      init_process(BackendType::kClientBackend, ProcPool::kOrdinary, 0);
      body(task);
    });
  }

  std::optional<Death> reap() {
    auto death = postmaster_.model().reap();
    if (death) --living_;
    return death;
  }
  Death wait_for_one() {
    int64_t deadline_ns = deadline_after_ms(postmaster_, 30'000 * kSlowness);
    while (postmaster_.os().clock.monotonic_ns() < deadline_ns) {
      if (auto death = reap()) return *death;
      wait_latch(kWaitLatch | kWaitTimeout | kWaitPostmasterDeath, 100,
                 WaitEventId::kPostmasterMain);
      reset_latch(postmaster_.latch());
    }
    EXPECT_IN_MODEL(!"a child never ended");
    return {0, ExitStatus::exited(0)};
  }
  void wait_for_all() {
    while (living_ > 0) EXPECT_IN_MODEL(wait_for_one().status.is_exit(0));
  }

 private:
  static void wake_up(Task& task, int) { set_latch(task.latch()); }

  Task& postmaster_;
  std::optional<SharedMemory> memory_;
  std::optional<ChildSlots> child_slots_;
  int living_ = 0;
};

inline int run_in_server(TestedModel model, const Limits& limits,
                         const std::function<void(TestServer&)>& body) {
  return run_in_model(model, [&](Task& postmaster) {
    TestServer server(postmaster, limits);
    body(server);
  });
}

/// A few connections: tests that exhaust them stay small.
inline Limits small_limits() {
  Limits limits;
  limits.max_connections = 12;
  limits.max_worker_processes = 2;
  limits.max_wal_senders = 1;
  return limits;
}

/// Memory that a test and its tasks share, zeroed.
template <typename T>
T* shared_block() {
  void* memory =
      mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (memory) T{};
}

}  // namespace cofork
