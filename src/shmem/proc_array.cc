// See proc_array.h.
#include "shmem/proc_array.h"

#include <algorithm>
#include <cassert>
#include <new>

#include "model/model.h"
#include "shmem/backend_status.h"
#include "support/error.h"

namespace cofork {

namespace {

/// Status flags that describe one transaction and end with it (PROC_VACUUM_STATE_MASK).
constexpr uint8_t kTransactionFlags =
    kProcInVacuum | kProcInSafeIndexCreation | kProcVacuumForWraparound;

ProcArray& proc_array() {
  return shared_memory().area<ProcArray>();
}

/// Newer by the circular order of 32-bit xids.
bool follows(TransactionId a, TransactionId b) {
  return static_cast<int32_t>(a - b) > 0;
}

/// Takes a Proc's entry out of the running arrays. ProcArrayLock is held exclusively.
void remove_running(ProcArray& array, Proc* procs, Proc& proc) {
  if (proc.running_index < 0) return;
  SpinGuard guard(array.mutex);
  int32_t hole = proc.running_index;
  int32_t last = array.running_count.load(std::memory_order_relaxed) - 1;
  if (hole != last) {
    TransactionId xid = array.running_xids()[last].load(std::memory_order_relaxed);
    uint8_t flags = array.running_flags()[last].load(std::memory_order_relaxed);
    array.running_xids()[hole].store(xid, std::memory_order_relaxed);
    array.running_flags()[hole].store(flags, std::memory_order_relaxed);
    const SubxidStatus& subxids = array.running_subxids()[last];
    array.running_subxids()[hole].set(subxids.count.load(std::memory_order_relaxed),
                                      subxids.overflowed.load(std::memory_order_relaxed));
    int32_t moved = array.running_procs()[last];
    array.running_procs()[hole] = moved;
    procs[moved].running_index = hole;
  }
  array.running_count.store(last, std::memory_order_release);
  proc.running_index = -1;
}

void clear_transaction(Proc& proc) {
  proc.local_xid.store(0, std::memory_order_relaxed);
  proc.xmin.store(0, std::memory_order_relaxed);
  proc.recovery_conflict_pending.store(false, std::memory_order_relaxed);
}

void note_completed(ProcArray& array, TransactionId latest_xid) {
  uint64_t completed = array.latest_completed_xid.load(std::memory_order_relaxed);
  auto ahead = static_cast<int32_t>(latest_xid - static_cast<TransactionId>(completed));
  if (ahead > 0) {
    array.latest_completed_xid.store(completed + static_cast<uint64_t>(ahead),
                                     std::memory_order_relaxed);
  }
  array.completion_count.fetch_add(1, std::memory_order_relaxed);
}

/// Ends one transaction that had an xid. ProcArrayLock is held exclusively.
void end_running(ProcArray& array, Proc* procs, Proc& proc, TransactionId latest_xid) {
  remove_running(array, procs, proc);
  proc.xid.store(0, std::memory_order_relaxed);
  clear_transaction(proc);
  proc.status_flags.fetch_and(static_cast<uint8_t>(~kTransactionFlags), std::memory_order_relaxed);
  note_completed(array, latest_xid);
}

/// The lock is busy: join those who wait to end theirs too. Whoever finds the group empty leads it
/// and ends all, so that one acquisition of the lock serves many.
void end_running_in_group(Task& task, MyProc& me, TransactionId latest_xid) {
  ProcArray& array = proc_array();
  std::atomic<int32_t>& first = shared_memory().area<ProcHeader>().clear_group_first;
  Proc& proc = *me.proc;
  proc.clear_is_member.store(true, std::memory_order_relaxed);
  proc.clear_latest_xid = latest_xid;
  int32_t next = first.load(std::memory_order_relaxed);
  do {
    proc.clear_next.store(next, std::memory_order_relaxed);
  } while (!first.compare_exchange_weak(next, me.number, std::memory_order_acq_rel));

  if (next != kNoProc) {
    task.wait_begins(static_cast<uint32_t>(WaitEventId::kProcArrayGroupUpdate));
    int others = -1;
    do {
      task.model().semaphore_wait(task, proc.semaphore);
      ++others;
    } while (proc.clear_is_member.load(std::memory_order_acquire));
    task.wait_ends();
    for (; others > 0; --others) task.model().semaphore_post(proc.semaphore);
    return;
  }

  int32_t group;
  {
    LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
    group = first.exchange(kNoProc, std::memory_order_acq_rel);
    for (int32_t n = group; n != kNoProc;) {
      Proc& member = me.procs[n];
      end_running(array, me.procs, member, member.clear_latest_xid);
      n = member.clear_next.load(std::memory_order_relaxed);
    }
  }
  while (group != kNoProc) {
    Proc& member = me.procs[group];
    group = member.clear_next.exchange(kNoProc, std::memory_order_relaxed);
    // Last: a member that sees this goes on, and may join another group at once.
    member.clear_is_member.store(false, std::memory_order_release);
    if (&member != &proc) task.model().semaphore_post(member.semaphore);
  }
}

void leave() {
  MyProc& me = my();
  ProcArray& array = proc_array();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
  if (TransactionId xid = me.proc->xid.load(std::memory_order_relaxed); xid != 0) {
    end_running(array, me.procs, *me.proc, xid);
  }
  int32_t last = array.count.load(std::memory_order_relaxed) - 1;
  int32_t moved = array.numbers()[last];
  array.numbers()[me.proc->proc_array_index] = moved;
  me.procs[moved].proc_array_index = me.proc->proc_array_index;
  me.proc->proc_array_index = -1;
  array.count.store(last, std::memory_order_relaxed);
}

/// Calls f(Proc&, number) for each Proc in the array until it returns true.
template <typename F>
void find_in_array(F&& f) {
  ProcArray& array = proc_array();
  Proc* procs = all_procs();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  int32_t count = array.count.load(std::memory_order_relaxed);
  for (int32_t i = 0; i < count; ++i) {
    int32_t n = array.numbers()[i];
    if (f(procs[n], n)) return;
  }
}

}  // namespace

size_t ProcArray::size(const Limits& limits) {
  size_t entry = sizeof(int32_t) + sizeof(TransactionId) + sizeof(int32_t) + sizeof(SubxidStatus) +
                 sizeof(uint8_t);
  return sizeof(ProcArray) +
         entry * static_cast<size_t>(limits.max_backends() + limits.max_prepared_transactions);
}

size_t ProcSubxids::size(const Limits& limits) {
  return sizeof(List) * static_cast<size_t>(limits.procs());
}

void ProcArray::init(void* memory, const Limits& limits) {
  auto* array = new (memory) ProcArray{};
  array->capacity = limits.max_backends() + limits.max_prepared_transactions;
}

void proc_array_join() {
  Task& task = this_task();
  MyProc& me = my();
  ProcArray& array = proc_array();
  {
    LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
    int32_t count = array.count.load(std::memory_order_relaxed);
    if (count >= array.capacity) {
      throw Error(sqlstate::kTooManyConnections, "sorry, too many clients already").fatal();
    }
    array.numbers()[count] = me.number;
    me.proc->proc_array_index = count;
    array.count.store(count + 1, std::memory_order_relaxed);
  }
  task.on_shmem_exit([](Task&, int) { leave(); });
}

void proc_array_set_xid(TransactionId xid) {
  MyProc& me = my();
  assert(main_lwlock(LwTranche::kXidGen).held_by_me(LwMode::kExclusive));
  assert(me.proc->running_index < 0);
  ProcArray& array = proc_array();
  SpinGuard guard(array.mutex);
  int32_t index = array.running_count.load(std::memory_order_relaxed);
  array.running_xids()[index].store(xid, std::memory_order_relaxed);
  array.running_procs()[index] = me.number;
  array.running_subxids()[index].set(0, false);
  array.running_flags()[index].store(me.proc->status_flags.load(std::memory_order_relaxed),
                                     std::memory_order_relaxed);
  me.proc->running_index = index;
  me.proc->xid.store(xid, std::memory_order_relaxed);
  array.running_count.store(index + 1, std::memory_order_release);
}

void proc_array_add_subxid(TransactionId xid) {
  MyProc& me = my();
  assert(main_lwlock(LwTranche::kXidGen).held_by_me(LwMode::kExclusive));
  assert(me.proc->running_index >= 0);
  ProcArray& array = proc_array();
  ProcSubxids::List& list = shared_memory().area<ProcSubxids>().of(me.number);
  SpinGuard guard(array.mutex);
  SubxidStatus& status = array.running_subxids()[me.proc->running_index];
  uint8_t count = status.count.load(std::memory_order_relaxed);
  if (count == ProcSubxids::kMax) {
    status.overflowed.store(true, std::memory_order_relaxed);
    return;
  }
  // The xid is there before the count says so.
  list.xids[count].store(xid, std::memory_order_relaxed);
  status.count.store(static_cast<uint8_t>(count + 1), std::memory_order_release);
}

void proc_array_remove_subxids(TransactionId xid, std::span<const TransactionId> children,
                               TransactionId latest_xid) {
  MyProc& me = my();
  ProcArray& array = proc_array();
  ProcSubxids::List& list = shared_memory().area<ProcSubxids>().of(me.number);
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
  SubxidStatus& status = array.running_subxids()[me.proc->running_index];
  int count = status.count.load(std::memory_order_relaxed);
  // The newest go: search from the end. One that is not listed was added when the list was full.
  auto remove = [&](TransactionId gone) {
    for (int i = count - 1; i >= 0; --i) {
      if (list.xids[i].load(std::memory_order_relaxed) != gone) continue;
      --count;
      list.xids[i].store(list.xids[count].load(std::memory_order_relaxed),
                         std::memory_order_relaxed);
      return;
    }
  };
  for (size_t i = children.size(); i-- > 0;) remove(children[i]);
  remove(xid);
  status.count.store(static_cast<uint8_t>(count), std::memory_order_release);
  note_completed(array, latest_xid);
}

void proc_array_set_status(uint8_t flags) {
  Proc& proc = my_proc();
  ProcArray& array = proc_array();
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
  uint8_t now = proc.status_flags.load(std::memory_order_relaxed) | flags;
  proc.status_flags.store(now, std::memory_order_relaxed);
  if (proc.running_index >= 0) {
    array.running_flags()[proc.running_index].store(now, std::memory_order_relaxed);
  }
}

std::vector<DelayingTransaction> transactions_delaying_checkpoint() {
  std::vector<DelayingTransaction> delaying;
  find_in_array([&](Proc& proc, int32_t n) {
    if (proc.delays_checkpoint.load(std::memory_order_acquire)) {
      delaying.push_back({n, proc.local_xid.load(std::memory_order_relaxed)});
    }
    return false;
  });
  return delaying;
}

bool any_still_delays_checkpoint(std::span<const DelayingTransaction> seen) {
  Proc* procs = all_procs();
  for (const DelayingTransaction& one : seen) {
    Proc& proc = procs[one.proc_number];
    if (proc.delays_checkpoint.load(std::memory_order_acquire) &&
        proc.local_xid.load(std::memory_order_relaxed) == one.local_xid) {
      return true;
    }
  }
  return false;
}

void proc_array_end_transaction(TransactionId latest_xid) {
  MyProc& me = my();
  Proc& proc = *me.proc;
  if (latest_xid == 0) {
    assert(proc.xid.load(std::memory_order_relaxed) == 0);
    clear_transaction(proc);
    if ((proc.status_flags.load(std::memory_order_relaxed) & kTransactionFlags) != 0) {
      LwLockGuard lock(LwTranche::kProcArray, LwMode::kExclusive);
      proc.status_flags.fetch_and(static_cast<uint8_t>(~kTransactionFlags),
                                  std::memory_order_relaxed);
    }
    return;
  }
  LwLock& lock = main_lwlock(LwTranche::kProcArray);
  if (lock.try_acquire(LwMode::kExclusive)) {
    end_running(proc_array(), me.procs, proc, latest_xid);
    lock.release();
  } else {
    end_running_in_group(this_task(), me, latest_xid);
  }
}

void transaction_begins(int64_t start) {
  Proc& proc = my_proc();
  if (++proc.last_local_xid == 0) ++proc.last_local_xid;  // 0 means none
  proc.local_xid.store(proc.last_local_xid, std::memory_order_relaxed);
  report_transaction_start(start);
}

void transaction_ends(bool committed, TransactionId latest_xid) {
  PendingStats& stats = my().stats;
  ++(committed ? stats.commits : stats.rollbacks);
  report_transaction_start(0);
  proc_array_end_transaction(latest_xid);
}

std::vector<int32_t> proc_array_numbers() {
  std::vector<int32_t> numbers;
  find_in_array([&](Proc&, int32_t n) {
    numbers.push_back(n);
    return false;
  });
  return numbers;
}

std::vector<TransactionId> running_transactions() {
  ProcArray& array = proc_array();
  std::vector<TransactionId> xids;
  {
    LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
    int32_t count = array.running_count.load(std::memory_order_acquire);
    xids.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; ++i) {
      xids.push_back(array.running_xids()[i].load(std::memory_order_relaxed));
    }
  }
  std::sort(xids.begin(), xids.end(),
            [](TransactionId a, TransactionId b) { return follows(b, a); });
  return xids;
}

RunningTransactions running_transactions_and_children() {
  RunningTransactions running;
  ProcArray& array = proc_array();
  ProcSubxids& all = shared_memory().area<ProcSubxids>();
  // No new ones meanwhile either: the list goes with the next xid.
  LwLockGuard lock(LwTranche::kProcArray, LwMode::kShared);
  LwLockGuard no_new_xids(LwTranche::kXidGen, LwMode::kShared);
  running.latest_completed_xid =
      static_cast<TransactionId>(array.latest_completed_xid.load(std::memory_order_relaxed));
  int32_t count = array.running_count.load(std::memory_order_acquire);
  for (int32_t i = 0; i < count; ++i) {
    running.xids.push_back(array.running_xids()[i].load(std::memory_order_relaxed));
    const SubxidStatus& status = array.running_subxids()[i];
    running.overflowed |= status.overflowed.load(std::memory_order_relaxed);
    ProcSubxids::List& list = all.of(array.running_procs()[i]);
    for (int k = 0; k < status.count.load(std::memory_order_relaxed); ++k) {
      running.subxids.push_back(list.xids[k].load(std::memory_order_relaxed));
    }
  }
  if (running.overflowed) running.subxids.clear();
  return running;
}

int32_t proc_of_backend(Pid pid) {
  int32_t found = kNoProc;
  if (pid == 0) return found;
  find_in_array([&](Proc& proc, int32_t n) {
    if (proc.pid.load(std::memory_order_relaxed) != pid) return false;
    found = n;
    return true;
  });
  return found;
}

int32_t proc_of_auxiliary(Pid pid) {
  const Limits& limits = shared_memory().limits();
  Proc* procs = all_procs();
  for (int32_t n = limits.max_backends(); pid != 0 && n < limits.procs(); ++n) {
    if (procs[n].pid.load(std::memory_order_acquire) == pid) return n;
  }
  return kNoProc;
}

int32_t count_connections_to_database(uint32_t database_id) {
  int32_t count = 0;
  find_in_array([&](Proc& proc, int32_t) {
    count += !proc.is_background_worker.load(std::memory_order_relaxed) &&
             (database_id == 0 || proc.database_id.load(std::memory_order_relaxed) == database_id);
    return false;
  });
  return count;
}

int32_t count_connections_of_role(uint32_t role_id) {
  int32_t count = 0;
  find_in_array([&](Proc& proc, int32_t) {
    count += !proc.is_background_worker.load(std::memory_order_relaxed) &&
             proc.role_id.load(std::memory_order_relaxed) == role_id;
    return false;
  });
  return count;
}

}  // namespace cofork
