// What an LWLock costs: taken and given back by one task alone, and by several that want it at
// once.
//
//   lwlock_bench fork|coroutine [Google Benchmark's options]
//
// In the coroutine model with one thread nobody can get in the way of a task that does not wait, so
// the contended figure there is the price of the same instructions without contention; with two
// threads (`coroutine2`) the cache line travels as between processes.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "model/model.h"
#include "shmem/proc.h"
#include "shmem/task_table.h"

namespace cofork {
namespace {

constexpr AreaSpec kAreas[] = {area_spec<LwLockArea>(), area_spec<ProcHeader>(), area_spec<Procs>(),
                               area_spec<TaskTable>()};

LwLock& bench_lock() {
  return main_lwlock(LwTranche::kAddinShmemInit);
}

void take_and_release(benchmark::State& state, LwMode mode) {
  LwLock& lock = bench_lock();
  for (auto _ : state) {
    lock.acquire(mode);
    lock.release();
  }
}
void exclusive_alone(benchmark::State& state) {
  take_and_release(state, LwMode::kExclusive);
}
void shared_alone(benchmark::State& state) {
  take_and_release(state, LwMode::kShared);
}

/// A task that takes and releases the lock until it is told to end.
void rival(Task& task) {
  task.on_signal(SIGTERM, Task::handle_die);
  task.unblock_signals();
  init_process(BackendType::kClientBackend, ProcPool::kOrdinary, 0);
  while ((task.interrupts() & kInterruptDie) == 0) {
    LwLockGuard guard(bench_lock(), LwMode::kExclusive);
    guard.release();
    task.check_interrupts();
  }
}

void exclusive_against(benchmark::State& state) {
  Task& self = this_task();
  Pid pids[8];
  for (int64_t i = 0; i < state.range(0); ++i) {
    pids[i] = self.model().spawn(self, {"rival", rival, {}, true});
  }
  LwLock& lock = bench_lock();
  for (auto _ : state) {
    lock.acquire(LwMode::kExclusive);
    lock.release();
    self.check_interrupts();
  }
  for (int64_t i = 0; i < state.range(0); ++i) self.model().kill(pids[i], SIGTERM);
  for (int64_t left = state.range(0); left > 0;) {
    if (self.model().reap()) {
      --left;
    } else {
      self.model().pause_us(self, 1000);
    }
  }
}

BENCHMARK(exclusive_alone);
BENCHMARK(shared_alone);
BENCHMARK(exclusive_against)->Arg(1)->Arg(3)->UseRealTime();

void run_benchmarks(Task& task) {
  Limits limits;
  size_t bytes = segment_size(kAreas, limits);
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  lay_out_segment(base, bytes, kAreas, limits, task.pid(), 0, 0);
  static SharedMemory memory(base);
  task.set_slot(&memory);
  task.unblock_signals();
  init_process(BackendType::kClientBackend, ProcPool::kOrdinary, 0);
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace cofork

int main(int argc, char** argv) {
  using namespace cofork;
  std::string model = argc > 1 ? argv[1] : "";
  benchmark::Initialize(&argc, argv);
  if (model == "fork") return run_under_fork_model(real_operating_system(), run_benchmarks);
  if (model == "coroutine" || model == "coroutine2") {
    CoroutineOptions options;
    options.scheduler_threads = model == "coroutine" ? 1 : 2;
    return run_under_coroutine_model(real_operating_system(), options, run_benchmarks);
  }
  std::fprintf(stderr, "usage: %s fork|coroutine|coroutine2 [options]\n", argv[0]);
  return 2;
}
