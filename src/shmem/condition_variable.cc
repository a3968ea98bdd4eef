// See condition_variable.h.
#include "shmem/condition_variable.h"

#include "shmem/proc.h"

namespace cofork {

namespace {
using CvList = ProcListView<Proc, &Proc::cv_link>;
}

void ConditionVariable::prepare_to_sleep() {
  MyProc& me = my();
  // Only one at a time: the Proc has one link. A loop around another one will prepare again.
  if (me.sleep_target != nullptr) cancel_condition_sleep();
  me.sleep_target = this;
  SpinGuard guard(mutex);
  CvList(waiters, me.procs).push_tail(me.number);
}

bool ConditionVariable::timed_sleep(int64_t timeout_ms, WaitEventId event) {
  MyProc& me = my();
  if (me.sleep_target != this) {
    prepare_to_sleep();
    return false;
  }
  Task& task = this_task();
  int64_t start_ns = task.os().clock.monotonic_ns();
  int64_t left_ms = timeout_ms;
  for (;;) {
    uint32_t flags = kWaitLatch | kWaitExitOnPostmasterDeath;
    if (timeout_ms >= 0) flags |= kWaitTimeout;
    wait_latch(flags, left_ms, event);
    reset_latch(task.latch());
    bool woken = false;
    {
      // A signaller takes us off the list. Back on it at once: the caller tests its condition next
      // and must not miss the signal that comes meanwhile.
      SpinGuard guard(mutex);
      CvList list(waiters, me.procs);
      if (!list.contains(me.number)) {
        woken = true;
        list.push_tail(me.number);
      }
    }
    task.check_interrupts();
    if (woken || me.sleep_target != this) return false;
    if (timeout_ms >= 0) {
      left_ms = timeout_ms - (task.os().clock.monotonic_ns() - start_ns) / 1'000'000;
      if (left_ms <= 0) return true;
    }
  }
}

bool cancel_condition_sleep() {
  MyProc* me = my_or_null();
  if (me == nullptr || me->sleep_target == nullptr) return false;
  ConditionVariable* cv = me->sleep_target;
  me->sleep_target = nullptr;
  SpinGuard guard(cv->mutex);
  CvList list(cv->waiters, me->procs);
  bool signalled = !list.contains(me->number);
  if (!signalled) list.remove(me->number);
  return signalled;
}

void ConditionVariable::signal() {
  Proc* procs = all_procs();
  int32_t first = kNoProc;
  {
    SpinGuard guard(mutex);
    CvList list(waiters, procs);
    if (!list.empty()) first = list.pop_head();
  }
  if (first != kNoProc) set_latch(procs[first].latch);
}

void ConditionVariable::broadcast() {
  // We stand in the queue ourselves to mark where it ended when we came: a task that is woken and
  // sleeps again before we are through queues behind the mark, and we cannot loop for ever.
  cancel_condition_sleep();
  MyProc& me = my();
  bool marked = false;
  for (;;) {
    int32_t first = kNoProc;
    bool more;
    {
      SpinGuard guard(mutex);
      CvList list(waiters, me.procs);
      // Somebody else's signal may have taken the mark for a sleeper and woken us with it; then
      // whoever is left was queued after it, except that the signal itself is to be passed on.
      bool mark_lost = marked && !list.contains(me.number);
      if (!list.empty()) first = list.pop_head();
      if (first == me.number) {
        first = kNoProc;
        more = false;
      } else {
        more = !mark_lost && !list.empty();
        if (more && !marked) {
          list.push_tail(me.number);
          marked = true;
        }
      }
    }
    if (first != kNoProc) set_latch(me.procs[first].latch);
    if (!more) return;
  }
}

}  // namespace cofork
