// See lwlock.h.
#include "shmem/lwlock.h"

#include <cassert>
#include <new>

#include "model/model.h"
#include "shmem/proc.h"
#include "support/error.h"

namespace cofork {

namespace {

using WaitList = ProcListView<Proc, &Proc::lw_link>;

/// Makes room in the list of held locks before anything is taken: afterwards nothing may fail.
MyProc& prepare_to_hold() {
  MyProc& me = my();
  if (me.held.size() >= LwLock::kHeldMax) {
    throw Error(sqlstate::kInternalError, "too many LWLocks taken");
  }
  if (me.held.size() == me.held.capacity()) me.held.reserve(2 * me.held.capacity());
  return me;
}

void remember(MyProc& me, LwLock* lock, LwMode mode) {
  me.held.push_back({lock, mode});
  ++this_task().lwlocks_held;
}

/// Posts that were meant for another wait of this task: given back when the lock is settled.
void repost(MyProc& me, int count) {
  for (; count > 0; --count) this_task().model().semaphore_post(me.proc->semaphore);
}

/// Sleeps until a waker has taken this task off the list. Returns the posts absorbed beside its
/// own.
int absorb_wakeup(MyProc& me) {
  Task& task = this_task();
  for (int others = 0;; ++others) {
    task.model().semaphore_wait(task, me.proc->semaphore);
    if (me.proc->lw_waiting.load(std::memory_order_acquire) == LwWaiting::kNo) return others;
  }
}

int sleep_for(MyProc& me, LwTranche tranche) {
  Task& task = this_task();
  task.wait_begins(lwlock_wait_event(static_cast<uint16_t>(tranche)));
  int others = absorb_wakeup(me);
  task.wait_ends();
  return others;
}

/// Wakes a private list of tasks that were taken off the wait list.
void wake_all(ProcList& woken, Proc* procs) {
  WaitList list(woken, procs);
  Model& model = this_task().model();
  while (!list.empty()) {
    Proc& proc = procs[list.pop_head()];
    // The link must be free before the waiter can see that it is awake: it may queue again at once.
    proc.lw_waiting.store(LwWaiting::kNo, std::memory_order_release);
    model.semaphore_post(proc.semaphore);
  }
}

}  // namespace

void LwLock::init(LwTranche tranche) {
  new (this) LwLock{};
  state_.store(kReleaseOk, std::memory_order_relaxed);
  tranche_ = static_cast<uint16_t>(tranche);
}

void LwLockArea::init(void* memory, const Limits&) {
  auto* area = static_cast<LwLockArea*>(memory);
  for (size_t i = 0; i < kIndividual; ++i) area->locks[i].lock.init(static_cast<LwTranche>(i));
}

// --- the state word

/// Takes the lock if nobody is in the way. Issued as a compare-and-swap even when the lock is seen
/// busy: callers that queue rely on the barrier.
bool LwLock::attempt(LwMode mode) {
  uint32_t old = state_.load(std::memory_order_relaxed);
  for (;;) {
    bool free = (old & (mode == LwMode::kExclusive ? kLockMask : kExclusive)) == 0;
    uint32_t wanted = old;
    if (free) wanted += mode == LwMode::kExclusive ? kExclusive : 1;
    if (state_.compare_exchange_weak(old, wanted, std::memory_order_seq_cst)) return free;
  }
}

void LwLock::lock_wait_list() {
  if ((state_.fetch_or(kListLocked, std::memory_order_acquire) & kListLocked) == 0) return;
  SpinDelay delay(CodePlace::here());
  do {
    while ((state() & kListLocked) != 0) delay.pause();
  } while ((state_.fetch_or(kListLocked, std::memory_order_acquire) & kListLocked) != 0);
  delay.finish();
}

// --- the wait list

void LwLock::enqueue_self(LwMode mode) {
  MyProc& me = my();
  assert(me.proc->lw_waiting.load() == LwWaiting::kNo);
  lock_wait_list();
  state_.fetch_or(kHasWaiters, std::memory_order_relaxed);
  me.proc->lw_waiting.store(LwWaiting::kWaiting, std::memory_order_relaxed);
  me.proc->lw_wait_mode = mode;
  WaitList list(waiters_, me.procs);
  if (mode == LwMode::kWaitUntilFree) {
    list.push_head(me.number);
  } else {
    list.push_tail(me.number);
  }
  unlock_wait_list();
}

void LwLock::dequeue_self() {
  MyProc& me = my();
  lock_wait_list();
  WaitList list(waiters_, me.procs);
  bool still_queued = me.proc->lw_waiting.load(std::memory_order_relaxed) == LwWaiting::kWaiting;
  if (still_queued) list.remove(me.number);
  if (list.empty()) state_.fetch_and(~kHasWaiters, std::memory_order_relaxed);
  unlock_wait_list();
  if (still_queued) {
    me.proc->lw_waiting.store(LwWaiting::kNo, std::memory_order_relaxed);
    return;
  }
  // Somebody is waking us and has counted on us to go on waking: let others do it again, and take
  // the post that is on its way, or our next sleep would end early.
  state_.fetch_or(kReleaseOk, std::memory_order_seq_cst);
  repost(me, absorb_wakeup(me));
}

void LwLock::wake_waiters() {
  Proc* procs = my().procs;
  ProcList woken;
  WaitList to_wake(woken, procs);
  bool release_ok = true;
  bool woke_locker = false;
  lock_wait_list();
  WaitList list(waiters_, procs);
  for (int32_t n = list.head(); n != kNoProc;) {
    int32_t next = list.next(n);
    Proc& proc = procs[n];
    if (!woke_locker || proc.lw_wait_mode != LwMode::kExclusive) {
      list.remove(n);
      to_wake.push_tail(n);
      proc.lw_waiting.store(LwWaiting::kPendingWakeup, std::memory_order_relaxed);
      if (proc.lw_wait_mode != LwMode::kWaitUntilFree) {
        // One that will take the lock: no further wake-ups until it has run.
        release_ok = false;
        woke_locker = true;
      }
      if (proc.lw_wait_mode == LwMode::kExclusive) break;
    }
    n = next;
  }
  uint32_t old = state_.load(std::memory_order_relaxed);
  uint32_t wanted;
  do {
    wanted = release_ok ? old | kReleaseOk : old & ~kReleaseOk;
    if (list.empty()) wanted &= ~kHasWaiters;
    wanted &= ~kListLocked;
  } while (!state_.compare_exchange_weak(old, wanted, std::memory_order_seq_cst));
  wake_all(woken, procs);
}

// --- taking

bool LwLock::acquire(LwMode mode) {
  MyProc& me = prepare_to_hold();
  ++this_task().interrupt_holdoff;
  bool slept = false;
  int others = 0;
  while (!attempt(mode)) {
    // Queue first, then try again: a release between the first try and the queueing would have
    // seen no waiter.
    enqueue_self(mode);
    if (attempt(mode)) {
      dequeue_self();
      break;
    }
    others += sleep_for(me, tranche());
    state_.fetch_or(kReleaseOk, std::memory_order_seq_cst);
    slept = true;
  }
  remember(me, this, mode);
  repost(me, others);
  return !slept;
}

bool LwLock::try_acquire(LwMode mode) {
  MyProc& me = prepare_to_hold();
  if (!attempt(mode)) return false;
  ++this_task().interrupt_holdoff;
  remember(me, this, mode);
  return true;
}

bool LwLock::acquire_or_wait(LwMode mode) {
  MyProc& me = prepare_to_hold();
  Task& task = this_task();
  ++task.interrupt_holdoff;
  bool got = attempt(mode);
  if (!got) {
    enqueue_self(LwMode::kWaitUntilFree);
    got = attempt(mode);
    if (got) {
      dequeue_self();
    } else {
      repost(me, sleep_for(me, tranche()));
    }
  }
  if (got) {
    remember(me, this, mode);
  } else {
    --task.interrupt_holdoff;
  }
  return got;
}

bool LwLock::variable_differs(const std::atomic<uint64_t>& variable, uint64_t old_value,
                              uint64_t& new_value, bool& free) const {
  free = (state_.load(std::memory_order_seq_cst) & kExclusive) == 0;
  if (free) return true;
  uint64_t value = variable.load(std::memory_order_seq_cst);
  if (value == old_value) return false;
  new_value = value;
  return true;
}

bool LwLock::wait_for_variable(const std::atomic<uint64_t>& variable, uint64_t old_value,
                               uint64_t& new_value) {
  MyProc& me = my();
  Task& task = this_task();
  bool free = false;
  int others = 0;
  ++task.interrupt_holdoff;
  while (!variable_differs(variable, old_value, new_value, free)) {
    enqueue_self(LwMode::kWaitUntilFree);
    // The holder may release between our look and our queueing: it must find RELEASE_OK.
    state_.fetch_or(kReleaseOk, std::memory_order_seq_cst);
    if (variable_differs(variable, old_value, new_value, free)) {
      dequeue_self();
      break;
    }
    others += sleep_for(me, tranche());
  }
  repost(me, others);
  --task.interrupt_holdoff;
  return free;
}

void LwLock::update_variable(std::atomic<uint64_t>& variable, uint64_t value) {
  assert(held_by_me(LwMode::kExclusive));
  variable.store(value, std::memory_order_seq_cst);
  // In one order with the store: either we see the waiter, or it sees the new value.
  if ((state_.load(std::memory_order_seq_cst) & kHasWaiters) == 0) return;
  Proc* procs = my().procs;
  ProcList woken;
  WaitList to_wake(woken, procs);
  lock_wait_list();
  WaitList list(waiters_, procs);
  // Those who wait for a value stand at the head; whoever wants the lock itself goes on waiting.
  while (!list.empty() && procs[list.head()].lw_wait_mode == LwMode::kWaitUntilFree) {
    int32_t n = list.pop_head();
    to_wake.push_tail(n);
    procs[n].lw_waiting.store(LwWaiting::kPendingWakeup, std::memory_order_relaxed);
  }
  unlock_wait_list();
  wake_all(woken, procs);
}

// --- giving back

void LwLock::release() {
  MyProc& me = my();
  auto held = me.held.end();
  do {
    assert(held != me.held.begin());
    --held;
  } while (held->lock != this);
  uint32_t share = held->mode == LwMode::kExclusive ? kExclusive : 1;
  me.held.erase(held);
  Task& task = this_task();
  --task.lwlocks_held;
  uint32_t now = state_.fetch_sub(share, std::memory_order_seq_cst) - share;
  constexpr uint32_t kWake = kHasWaiters | kReleaseOk;
  if ((now & kWake) == kWake && (now & kLockMask) == 0) wake_waiters();
  --task.interrupt_holdoff;
}

void LwLock::release_and_set(std::atomic<uint64_t>& variable, uint64_t value) {
  // Before the release: whoever takes the lock next writes the variable itself.
  variable.store(value, std::memory_order_seq_cst);
  release();
}

void release_all_lwlocks() {
  MyProc* me = my_or_null();
  if (me == nullptr) return;
  while (!me->held.empty()) me->held.back().lock->release();
}

bool LwLock::held_by_me() const {
  for (const MyProc::HeldLwLock& held : my().held) {
    if (held.lock == this) return true;
  }
  return false;
}

bool LwLock::held_by_me(LwMode mode) const {
  for (const MyProc::HeldLwLock& held : my().held) {
    if (held.lock == this && held.mode == mode) return true;
  }
  return false;
}

// --- names

const char* lwlock_tranche_name(uint16_t tranche) {
  switch (static_cast<LwTranche>(tranche)) {
#define COFORK_LWLOCK(symbol, number, name) \
  case LwTranche::symbol:                   \
    return name;
#include "shmem/lwlock_list.h"
#undef COFORK_LWLOCK
  }
  return "extension";
}

const char* full_wait_event_name(uint32_t word) {
  if (static_cast<WaitClass>(word >> 24) == WaitClass::kLWLock) {
    return lwlock_tranche_name(static_cast<uint16_t>(word));
  }
  return wait_event_name(word);
}

}  // namespace cofork
