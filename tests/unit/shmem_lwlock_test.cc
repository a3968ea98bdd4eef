// LWLocks and condition variables: what they promise, under every model.
#include <vector>

#include "in_server.h"
#include "shmem/condition_variable.h"

namespace cofork {
namespace {

struct Shared {
  PaddedLwLock padded;
  LwLock& lock() { return padded.lock; }
  long first = 0, second = 0;  ///< guarded by the lock
  std::atomic<uint64_t> variable{0};
  std::atomic<int> holding{0}, queued{0}, passed{0}, stage{0};
  ConditionVariable condition;
};

class LwLockTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void(TestServer&, Shared&)>& body) {
    auto* shared = shared_block<Shared>();
    shared->lock().init(LwTranche::kBufferContent);
    EXPECT_EQ(run_in_server(GetParam(), small_limits(),
                            [&](TestServer& server) { body(server, *shared); }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, LwLockTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

/// True when the Proc sleeps in the lock's queue.
bool is_queued(TestServer& server, int32_t number) {
  return server.memory().area<Procs>().all()[number].lw_waiting == LwWaiting::kWaiting;
}

/// Takes the lock and holds it until the stage is reached.
void hold_until(Shared& shared, LwMode mode, int stage) {
  LwLockGuard guard(shared.lock(), mode);
  ++shared.holding;
  EXPECT_IN_MODEL(eventually([&] { return shared.stage >= stage; }));
  --shared.holding;
}

/// A child that queues for the lock; returns when it does.
void spawn_waiter(TestServer& server, std::function<void(Task&)> body, Shared& shared) {
  shared.queued = kNoProc;
  server.spawn([body = std::move(body), &shared](Task& task) {
    shared.queued = my_proc_number();
    body(task);
  });
  EXPECT_IN_MODEL(eventually([&] { return shared.queued != kNoProc; }));
  EXPECT_IN_MODEL(eventually([&] { return is_queued(server, shared.queued); }));
}

TEST_P(LwLockTest, StateWordAndCounts) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      LwLock& lock = shared.lock();
      EXPECT_IN_MODEL(lock.acquire(LwMode::kShared));
      EXPECT_IN_MODEL(lock.try_acquire(LwMode::kShared));
      EXPECT_IN_MODEL(lock.state() == (LwLock::kReleaseOk | 2));
      EXPECT_IN_MODEL(!lock.try_acquire(LwMode::kExclusive));
      EXPECT_IN_MODEL(task.lwlocks_held == 2 && task.interrupt_holdoff == 2);
      lock.release();
      lock.release();
      EXPECT_IN_MODEL(lock.acquire(LwMode::kExclusive));
      EXPECT_IN_MODEL(lock.state() == (LwLock::kReleaseOk | LwLock::kExclusive));
      EXPECT_IN_MODEL(lock.held_by_me(LwMode::kExclusive) && !lock.held_by_me(LwMode::kShared));
      EXPECT_IN_MODEL(!lock.try_acquire(LwMode::kShared));
      lock.release();
      EXPECT_IN_MODEL(lock.state() == LwLock::kReleaseOk && !lock.held_by_me());
      EXPECT_IN_MODEL(task.lwlocks_held == 0 && task.interrupt_holdoff == 0);
    });
    server.wait_for_all();
  });
}

TEST_P(LwLockTest, SharedReadersNeverSeeHalfOfAnExclusiveSection) {
  constexpr int kWriters = 4, kReaders = 3, kRounds = 3000;
  run([](TestServer& server, Shared& shared) {
    for (int w = 0; w < kWriters; ++w) {
      server.spawn([&, w](Task& task) {
        for (int i = 0; i < kRounds; ++i) {
          LwLockGuard guard(shared.lock(), LwMode::kExclusive);
          ++shared.first;
          // Now and then the holder waits, so that others must queue (a fiber would never be
          // interrupted otherwise).
          if (i % 64 == w) task.model().pause_us(task, 20);
          ++shared.second;
        }
      });
    }
    for (int r = 0; r < kReaders; ++r) {
      server.spawn([&, r](Task& task) {
        for (int i = 0; i < kRounds; ++i) {
          LwLockGuard guard(shared.lock(), LwMode::kShared);
          EXPECT_IN_MODEL(shared.first == shared.second);
          if (i % 64 == r) task.model().pause_us(task, 20);
          EXPECT_IN_MODEL(shared.first == shared.second);
        }
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.first == kWriters * kRounds && shared.second == shared.first);
    EXPECT_IN_MODEL(shared.lock().state() == LwLock::kReleaseOk);
  });
}

/// Looks again at once, so that both sides meet within a few instructions; gives way when the other
/// side has no CPU of its own.
void spin_until(Task& task, const std::function<bool()>& condition) {
  for (int looks = 1; !condition(); ++looks) {
    if (looks % 1000 == 0) task.model().pause_us(task, 10);
  }
}

TEST_P(LwLockTest, AReleaseThatMeetsAQueueingWaiterWakesIt) {
  constexpr int kRounds = 5000;
  // One release a round and nobody else: a wake-up lost between "busy" and "queued" would hang.
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      for (int i = 1; i <= kRounds; ++i) {
        shared.lock().acquire(LwMode::kExclusive);
        shared.stage = i;
        shared.lock().release();
        spin_until(task, [&] { return shared.passed == i; });
      }
    });
    server.spawn([&](Task& task) {
      for (int i = 1; i <= kRounds; ++i) {
        spin_until(task, [&] { return shared.stage == i; });
        shared.lock().acquire(LwMode::kExclusive);
        shared.lock().release();
        shared.passed = i;
      }
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.passed == kRounds);
  });
}

TEST_P(LwLockTest, ReleaseWakesAllSharedWaitersPastAnExclusiveOne) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) { hold_until(shared, LwMode::kExclusive, 1); });
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 1; }));
    auto share = [&](Task&) { hold_until(shared, LwMode::kShared, 2); };
    spawn_waiter(server, share, shared);
    spawn_waiter(
        server,
        [&](Task&) {
          LwLockGuard guard(shared.lock(), LwMode::kExclusive);
          shared.passed = shared.holding + 1;
        },
        shared);
    int exclusive_waiter = shared.queued;
    spawn_waiter(server, share, shared);
    spawn_waiter(server, share, shared);

    shared.stage = 1;
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 3; }));
    EXPECT_IN_MODEL(shared.passed == 0 && is_queued(server, exclusive_waiter));
    shared.stage = 2;
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.passed == 1);  // alone
  });
}

TEST_P(LwLockTest, AnExclusiveWaiterAtTheHeadIsWokenAlone) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) { hold_until(shared, LwMode::kExclusive, 1); });
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 1; }));
    spawn_waiter(
        server, [&](Task&) { hold_until(shared, LwMode::kExclusive, 2); }, shared);
    spawn_waiter(
        server, [&](Task&) { hold_until(shared, LwMode::kShared, 3); }, shared);
    int shared_waiter = shared.queued;
    shared.stage = 1;
    EXPECT_IN_MODEL(eventually([&] {
      return shared.lock().state() ==
             (LwLock::kExclusive | LwLock::kReleaseOk | LwLock::kHasWaiters);
    }));
    EXPECT_IN_MODEL(is_queued(server, shared_waiter));
    shared.stage = 3;
    server.wait_for_all();
  });
}

TEST_P(LwLockTest, AcquireOrWaitComesBackEmptyHandedAfterOneRelease) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) { hold_until(shared, LwMode::kExclusive, 1); });
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 1; }));
    // An exclusive waiter is queued first; the one that only waits for the release is woken with
    // it.
    spawn_waiter(
        server, [&](Task&) { hold_until(shared, LwMode::kExclusive, 2); }, shared);
    spawn_waiter(
        server,
        [&](Task& task) {
          EXPECT_IN_MODEL(!shared.lock().acquire_or_wait(LwMode::kExclusive));
          EXPECT_IN_MODEL(!shared.lock().held_by_me() && task.interrupt_holdoff == 0);
          shared.passed = 1;
        },
        shared);
    shared.stage = 1;
    EXPECT_IN_MODEL(eventually([&] { return shared.passed == 1; }));
    shared.stage = 2;
    server.wait_for_all();
    server.spawn([&](Task&) {
      EXPECT_IN_MODEL(shared.lock().acquire_or_wait(LwMode::kExclusive));
      shared.lock().release();
    });
    server.wait_for_all();
  });
}

TEST_P(LwLockTest, WaitersForAVariableSeeEachChangeAndTheRelease) {
  run([](TestServer& server, Shared& shared) {
    shared.variable = 10;
    server.spawn([&](Task&) {
      LwLock& lock = shared.lock();
      lock.acquire(LwMode::kExclusive);
      shared.holding = 1;
      EXPECT_IN_MODEL(eventually([&] { return shared.stage >= 1; }));
      lock.update_variable(shared.variable, 11);
      EXPECT_IN_MODEL(eventually([&] { return shared.stage >= 2; }));
      lock.release_and_set(shared.variable, 0);
    });
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 1; }));
    spawn_waiter(
        server,
        [&](Task&) {
          uint64_t value = 0;
          EXPECT_IN_MODEL(!shared.lock().wait_for_variable(shared.variable, 10, value));
          EXPECT_IN_MODEL(value == 11);
          shared.passed = 1;
          EXPECT_IN_MODEL(shared.lock().wait_for_variable(shared.variable, 11, value));
          EXPECT_IN_MODEL(shared.variable == 0);
        },
        shared);
    int waiter = shared.queued;
    shared.stage = 1;
    EXPECT_IN_MODEL(eventually([&] { return shared.passed == 1 && is_queued(server, waiter); }));
    shared.stage = 2;
    server.wait_for_all();
  });
}

TEST_P(LwLockTest, WhatATaskStillHoldsIsReleasedAtItsEnd) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      shared.lock().acquire(LwMode::kExclusive);
      main_lwlock(LwTranche::kControlFile).acquire(LwMode::kShared);
      release_all_lwlocks();
      EXPECT_IN_MODEL(task.lwlocks_held == 0 && task.interrupt_holdoff == 0);
      shared.lock().acquire(LwMode::kExclusive);
      proc_exit(0);
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.lock().state() == LwLock::kReleaseOk);
  });
}

TEST_P(LwLockTest, TwoHundredLocksAreEnough) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      for (int i = 0; i < LwLock::kHeldMax; ++i) shared.lock().acquire(LwMode::kShared);
      std::string message;
      try {
        shared.lock().acquire(LwMode::kShared);
      } catch (const Error& error) {
        message = error.data().message;
      }
      EXPECT_IN_MODEL(message == "too many LWLocks taken");
      release_all_lwlocks();
      EXPECT_IN_MODEL(task.interrupt_holdoff == 0);
    });
    server.wait_for_all();
  });
}

TEST_P(LwLockTest, AWaitHasTheTrancheAsItsName) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) { hold_until(shared, LwMode::kExclusive, 1); });
    EXPECT_IN_MODEL(eventually([&] { return shared.holding == 1; }));
    spawn_waiter(
        server, [&](Task&) { hold_until(shared, LwMode::kShared, 1); }, shared);
    Proc& waiter = server.memory().area<Procs>().all()[shared.queued];
    EXPECT_IN_MODEL(eventually([&] { return waiter.wait_event_info != 0; }));
    EXPECT_IN_MODEL(std::string(wait_class_name(waiter.wait_event_info)) == "LWLock");
    EXPECT_IN_MODEL(std::string(full_wait_event_name(waiter.wait_event_info)) == "BufferContent");
    shared.stage = 1;
    server.wait_for_all();
    EXPECT_IN_MODEL(waiter.wait_event_info == 0);
  });
}

// --- condition variables

void sleep_on(Shared& shared, int until) {
  while (shared.stage < until) shared.condition.sleep(WaitEventId::kCheckpointDone);
  cancel_condition_sleep();
  ++shared.passed;
}

int sleepers(Shared& shared, TestServer& server) {
  int count = 0;
  Proc* procs = server.memory().area<Procs>().all();
  SpinGuard guard(shared.condition.mutex);
  ProcListView<Proc, &Proc::cv_link> list(shared.condition.waiters, procs);
  for (int32_t n = list.head(); n != kNoProc; n = list.next(n)) ++count;
  return count;
}

TEST_P(LwLockTest, SignalWakesOneSleeperAndBroadcastAll) {
  run([](TestServer& server, Shared& shared) {
    for (int i = 0; i < 5; ++i) server.spawn([&](Task&) { sleep_on(shared, 1); });
    EXPECT_IN_MODEL(eventually([&] { return sleepers(shared, server) == 5; }));
    server.spawn([&](Task&) {
      shared.condition.broadcast();  // nothing has happened: all sleep again, and it must end
      shared.stage = 1;
      shared.condition.signal();
    });
    EXPECT_IN_MODEL(eventually([&] { return shared.passed >= 1; }));
    server.spawn([&](Task&) { shared.condition.broadcast(); });
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.passed == 5 && shared.condition.waiters.empty());
  });
}

TEST_P(LwLockTest, ATimedSleepEndsByItselfAndNoSignalIsLost) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      shared.condition.prepare_to_sleep();
      EXPECT_IN_MODEL(shared.condition.timed_sleep(5, WaitEventId::kCheckpointDone));
      // Signalled between the test of the condition and the sleep.
      shared.condition.signal();
      shared.condition.sleep(WaitEventId::kCheckpointDone);
      shared.condition.signal();
      EXPECT_IN_MODEL(cancel_condition_sleep());   // used up by us
      EXPECT_IN_MODEL(!cancel_condition_sleep());  // not prepared
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.condition.waiters.empty());
  });
}

TEST_P(LwLockTest, HandshakesNeverHang) {
  constexpr int kRounds = 300;
  run([](TestServer& server, Shared& shared) {
    for (int side = 0; side < 2; ++side) {
      server.spawn([&, side](Task&) {
        for (int i = 0; i < kRounds; ++i) {
          while (shared.stage % 2 != side) shared.condition.sleep(WaitEventId::kCheckpointStart);
          cancel_condition_sleep();
          ++shared.stage;
          shared.condition.broadcast();
        }
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.stage == 2 * kRounds);
  });
}

}  // namespace
}  // namespace cofork
