// See proc.h.
#include "shmem/proc.h"

#include <cassert>
#include <memory>
#include <new>

#include "shmem/condition_variable.h"
#include "shmem/pm_signal.h"
#include "shmem/task_table.h"
#include "support/error.h"

namespace cofork {

namespace {

using FreeList = ProcListView<Proc, &Proc::free_link>;

/// A Proc of the pool, or kNoProc. Given-back ones first: their memory is warm.
int32_t take_from_pool(ProcHeader& header, Proc* procs, ProcPool which) {
  ProcHeader::Pool& pool = header.pools[static_cast<size_t>(which)];
  FreeList list(pool.free, procs);
  if (!list.empty()) {
    --pool.free_count;
    return list.pop_head();
  }
  if (pool.next_fresh == pool.end) return kNoProc;
  --pool.free_count;
  return pool.next_fresh++;
}

/// Marks a free auxiliary Proc as the task's, or returns kNoProc.
int32_t take_auxiliary(Proc* procs, const Limits& limits, Pid pid) {
  for (int32_t n = limits.max_backends(); n < limits.procs(); ++n) {
    if (procs[n].pid.load(std::memory_order_relaxed) != 0) continue;
    procs[n].pid.store(pid, std::memory_order_relaxed);
    return n;
  }
  return kNoProc;
}

[[noreturn]] void refuse(ProcPool pool, const Limits& limits) {
  if (pool == ProcPool::kWalSender) {
    throw Error(sqlstate::kTooManyConnections,
                "number of requested standby connections exceeds max_wal_senders (currently {})",
                limits.max_wal_senders)
        .fatal();
  }
  throw Error(sqlstate::kTooManyConnections, "sorry, too many clients already").fatal();
}

/// A Proc as its owner finds it, whatever the last owner left behind.
void reset_proc(Proc& proc, Pid pid, BackendType type, ProcPool pool) {
  proc.wait_event_info.store(0, std::memory_order_relaxed);
  proc.database_id.store(0, std::memory_order_relaxed);
  proc.role_id.store(0, std::memory_order_relaxed);
  proc.xid.store(0, std::memory_order_relaxed);
  proc.xmin.store(0, std::memory_order_relaxed);
  proc.local_xid.store(0, std::memory_order_relaxed);
  proc.status_flags.store(type == BackendType::kAutovacuumWorker ? kProcIsAutovacuum : 0,
                          std::memory_order_relaxed);
  proc.is_background_worker.store(type == BackendType::kBackgroundWorker,
                                  std::memory_order_relaxed);
  proc.recovery_conflict_pending.store(false, std::memory_order_relaxed);
  proc.pool = pool;
  proc.type = type;
  // A post meant for the last owner may have come late; the next one would only wake for nothing.
  proc.semaphore.count.store(0, std::memory_order_relaxed);
  proc.semaphore.owner.store(pid, std::memory_order_relaxed);
  proc.lw_waiting.store(LwWaiting::kNo, std::memory_order_relaxed);
  proc.lw_link = ProcLink{};
  proc.cv_link = ProcLink{};
  proc.free_link = ProcLink{};
  proc.proc_array_index = -1;
  proc.running_index = -1;
  proc.clear_next.store(kNoProc, std::memory_order_relaxed);
  proc.clear_is_member.store(false, std::memory_order_relaxed);
  proc.delays_checkpoint.store(false, std::memory_order_relaxed);
  proc.pid.store(pid, std::memory_order_release);
}

/// Gives everything back, in the order of ProcKill and AuxiliaryProcKill.
void give_back(Task& task) {
  std::unique_ptr<MyProc> me(task.slot<MyProc>());
  task.publish_wait_event_to(nullptr);
  task.switch_to_private_latch();
  task.set_slot<MyProc>(nullptr);
  if (TaskRow* row = my_task_row()) row->proc_number.store(kNoProc, std::memory_order_relaxed);

  ProcHeader& header = shared_memory().area<ProcHeader>();
  const Limits& limits = shared_memory().limits();
  Proc& proc = *me->proc;
  {
    SpinGuard guard(header.mutex);
    proc.pid.store(0, std::memory_order_release);
    if (me->number < limits.max_backends()) {
      ProcHeader::Pool& pool = header.pools[static_cast<size_t>(proc.pool)];
      FreeList(pool.free, me->procs).push_head(me->number);
      ++pool.free_count;
    }
    int32_t shared = header.spins_per_delay.load(std::memory_order_relaxed);
    header.spins_per_delay.store((15 * shared + me->spins_per_delay) / 16,
                                 std::memory_order_relaxed);
  }
  if (me->child_slot != 0) mark_child_inactive(me->child_slot);
}

/// The private half, and the cells of the Proc in the task's hands.
void own(Task& task, int32_t number, int32_t status_slot, int32_t child_slot,
         int32_t spins_per_delay) {
  auto me = std::make_unique<MyProc>();
  me->procs = all_procs();
  me->proc = &me->procs[number];
  me->number = number;
  me->status_slot = status_slot;
  me->child_slot = child_slot;
  me->spins_per_delay = spins_per_delay;
  me->held.reserve(8);
  task.set_slot(me.release());
  task.on_shmem_exit([](Task& ending, int) { give_back(ending); });
  task.before_shmem_exit([](Task&, int) {
    // The callbacks after this one take locks themselves: what an error left held must go first.
    release_all_lwlocks();
    cancel_condition_sleep();
    report_stats(true);
  });
  if (child_slot != 0) mark_child_active(child_slot);
  task.switch_latch(my_proc().latch);
  task.publish_wait_event_to(&my_proc().wait_event_info);
  if (TaskRow* row = my_task_row()) row->proc_number.store(number, std::memory_order_relaxed);
}

}  // namespace

void ProcHeader::init(void* memory, const Limits& limits) {
  auto* header = new (memory) ProcHeader{};
  const int32_t sizes[kProcPools] = {limits.max_connections, limits.autovacuum_procs(),
                                     limits.max_worker_processes, limits.max_wal_senders};
  int32_t first = 0;
  for (int32_t i = 0; i < kProcPools; ++i) {
    header->pools[i].next_fresh = first;
    header->pools[i].end = first + sizes[i];
    header->pools[i].free_count = sizes[i];
    first += sizes[i];
  }
  assert(first == limits.max_backends());
  header->spins_per_delay.store(100, std::memory_order_relaxed);
  header->clear_group_first.store(kNoProc, std::memory_order_relaxed);
  header->checkpointer.store(kNoProc, std::memory_order_relaxed);
  header->wal_writer.store(kNoProc, std::memory_order_relaxed);
}

size_t Procs::size(const Limits& limits) {
  return sizeof(Proc) * (static_cast<size_t>(limits.procs()) +
                         static_cast<size_t>(limits.max_prepared_transactions));
}

void init_process(BackendType type, ProcPool pool, int32_t child_slot) {
  Task& task = this_task();
  assert(my_or_null() == nullptr);
  const Limits& limits = shared_memory().limits();
  ProcHeader& header = shared_memory().area<ProcHeader>();
  Proc* procs = all_procs();
  int32_t number;
  int32_t spins;
  {
    SpinGuard guard(header.mutex);
    number = take_from_pool(header, procs, pool);
    spins = header.spins_per_delay.load(std::memory_order_relaxed);
  }
  if (number == kNoProc) refuse(pool, limits);
  reset_proc(procs[number], task.pid(), type, pool);
  own(task, number, number, child_slot, spins);
}

void init_auxiliary_process(AuxiliaryKind kind) {
  Task& task = this_task();
  assert(my_or_null() == nullptr);
  const Limits& limits = shared_memory().limits();
  ProcHeader& header = shared_memory().area<ProcHeader>();
  Proc* procs = all_procs();
  int32_t number;
  int32_t spins;
  {
    SpinGuard guard(header.mutex);
    number = take_auxiliary(procs, limits, task.pid());
    spins = header.spins_per_delay.load(std::memory_order_relaxed);
  }
  if (number == kNoProc) {
    throw Error(sqlstate::kInternalError, "all AuxiliaryProcs are in use").fatal();
  }
  reset_proc(procs[number], task.pid(), backend_type_of(kind), ProcPool::kCount);
  own(task, number, limits.max_backends() + static_cast<int32_t>(kind), 0, spins);
}

bool have_free_procs(int32_t n) {
  ProcHeader& header = shared_memory().area<ProcHeader>();
  SpinGuard guard(header.mutex);
  return header.pools[static_cast<size_t>(ProcPool::kOrdinary)].free_count >= n;
}

void publish_proc_number(std::atomic<int32_t>& word) {
  word.store(my_proc_number(), std::memory_order_release);
  this_task().on_shmem_exit([&word](Task&, int) {
    int32_t mine = my_proc_number();
    word.compare_exchange_strong(mine, kNoProc, std::memory_order_acq_rel);
  });
}

}  // namespace cofork
