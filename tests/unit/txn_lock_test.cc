// Locks between tasks, in every model: who waits for whom, and what becomes of deadlocks.
#include <algorithm>

#include "in_transactions.h"
#include "txn/lock_manager.h"

namespace cofork {
namespace {

struct Shared {
  std::atomic<int> stage{0}, ready{0}, deadlocks{0}, done{0};
  std::atomic<Pid> pids[4];
  char detail[512] = {};
};

class LockTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void(TransactionServer&, Shared&)>& body,
           const Limits& limits = small_limits()) {
    auto* shared = shared_block<Shared>();
    EXPECT_EQ(run_with_transactions(
                  GetParam(), [&](TransactionServer& server) { body(server, *shared); }, limits),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, LockTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

LockTag relation(uint32_t oid) {
  return LockTag::relation(kTestDatabase, oid);
}
void reach(Shared& shared, int stage) {
  EXPECT_IN_MODEL(eventually([&] { return shared.stage >= stage; }));
}
/// Is somebody queued for this lock?
bool is_awaited(const LockTag& tag) {
  std::vector<LockRow> rows = read_locks();
  return std::any_of(rows.begin(), rows.end(),
                     [&](const LockRow& row) { return row.tag == tag && !row.granted; });
}

TEST_P(LockTest, AConflictingRequestWaitsForTheEndOfTheTransaction) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        lock_acquire(relation(100), LockMode::kExclusive);
        shared.stage = 1;
        EXPECT_IN_MODEL(eventually([] { return is_awaited(relation(100)); }));
        shared.done = 1;
      });
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      in_transaction([&] {
        EXPECT_IN_MODEL(lock_acquire(relation(100), LockMode::kAccessShare) ==
                        LockOutcome::kGranted);
        EXPECT_IN_MODEL(lock_acquire(relation(100), LockMode::kShare, LockWait::kNoWait) ==
                            LockOutcome::kNotAvailable ||
                        shared.done == 1);
        lock_acquire(relation(100), LockMode::kShare);
        EXPECT_IN_MODEL(shared.done == 1);
      });
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, OneOfTwoThatWaitForEachOtherIsTheVictim) {
  run([](TransactionServer& server, Shared& shared) {
    for (int i = 0; i < 2; ++i) {
      server.spawn([&, i](Task& task) {
        shared.pids[i] = task.pid();
        ErrorData error = error_of([&] {
          in_transaction([&] {
            lock_acquire(relation(static_cast<uint32_t>(200 + i)), LockMode::kExclusive);
            ++shared.ready;
            EXPECT_IN_MODEL(eventually([&] { return shared.ready == 2; }));
            lock_acquire(relation(static_cast<uint32_t>(201 - i)), LockMode::kRowExclusive);
          });
        });
        if (!error.message.empty()) {
          ++shared.deadlocks;
          EXPECT_IN_MODEL(error.sqlstate == sqlstate::kTRDeadlockDetected);
          EXPECT_IN_MODEL(error.message == "deadlock detected");
          EXPECT_IN_MODEL(error.hint == "See server log for query details.");
          std::string detail = fmt::format(
              "Process {} waits for RowExclusiveLock on relation {} of database 5; blocked by "
              "process {}.\nProcess {} waits for RowExclusiveLock on relation {} of database 5; "
              "blocked by process {}.",
              task.pid(), 201 - i, shared.pids[1 - i].load(), shared.pids[1 - i].load(), 200 + i,
              task.pid());
          EXPECT_IN_MODEL(error.detail == detail);
          EXPECT_IN_MODEL(error.detail_log.starts_with(detail + "\nProcess "));
        }
        ++shared.done;
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.deadlocks == 1 && shared.done == 2);
  });
}

TEST_P(LockTest, TwoSharersWhoBothWantMoreNeedNoTimeoutToFindOut) {
  run([](TransactionServer& server, Shared& shared) {
    for (int i = 0; i < 2; ++i) {
      server.spawn([&](Task&) {
        settings().set("deadlock_timeout", "1h", SettingContext::kSuperuser,
                       SettingSource::kSession, SetAction::kSet);
        ErrorData error = error_of([&] {
          in_transaction([&] {
            lock_acquire(relation(300), LockMode::kShare);
            ++shared.ready;
            EXPECT_IN_MODEL(eventually([&] { return shared.ready == 2; }));
            lock_acquire(relation(300), LockMode::kAccessExclusive);
          });
        });
        if (!error.message.empty()) ++shared.deadlocks;
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.deadlocks == 1);
  });
}

TEST_P(LockTest, ACycleThatGoesAwayWithAnotherOrderOfTheQueueHasNoVictim) {
  run([](TransactionServer& server, Shared& shared) {
    auto waiters = [](const LockTag& tag) {
      std::vector<LockRow> rows = read_locks();
      return std::count_if(rows.begin(), rows.end(),
                           [&](const LockRow& row) { return row.tag == tag && !row.granted; });
    };
    // The first holds 310; the second waits to have it alone; the third, who has 311, wants to
    // share 310 and stands behind the second; then the first wants 311.
    server.spawn([&](Task&) {
      in_transaction([&] {
        lock_acquire(relation(310), LockMode::kShare);
        shared.stage = 1;
        EXPECT_IN_MODEL(eventually([&] { return waiters(relation(310)) == 2; }));
        lock_acquire(relation(311), LockMode::kShare);
        EXPECT_IN_MODEL(shared.done == 1);
      });
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      in_transaction([&] {
        lock_acquire(relation(310), LockMode::kAccessExclusive);
        EXPECT_IN_MODEL(shared.done == 1);
      });
    });
    server.spawn([&](Task&) {
      in_transaction([&] {
        lock_acquire(relation(311), LockMode::kExclusive);
        EXPECT_IN_MODEL(eventually([&] { return waiters(relation(310)) == 1; }));
        lock_acquire(relation(310), LockMode::kShare);
        shared.done = 1;
      });
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, AStrongLockMovesWeakOnesOutOfTheFastPath) {
  run([](TransactionServer& server, Shared& shared) {
    auto is_fast = [] {
      std::vector<LockRow> rows = read_locks();
      auto held = std::find_if(rows.begin(), rows.end(), [](const LockRow& row) {
        return row.tag == relation(400) && row.granted;
      });
      return held != rows.end() && held->fast_path;
    };
    server.spawn([&](Task&) {
      in_transaction([&] {
        lock_acquire(relation(400), LockMode::kAccessShare);
        EXPECT_IN_MODEL(is_fast());
        shared.stage = 1;
        EXPECT_IN_MODEL(eventually([&] { return is_awaited(relation(400)); }));
        EXPECT_IN_MODEL(!is_fast());
      });
      shared.stage = 2;
      // While the strong lock is there, weak ones go through the table, and wait.
      in_transaction([&] {
        EXPECT_IN_MODEL(eventually([&] { return shared.done == 1; }));
        EXPECT_IN_MODEL(lock_acquire(relation(400), LockMode::kAccessShare, LockWait::kNoWait) ==
                        LockOutcome::kNotAvailable);
        shared.stage = 3;
        lock_acquire(relation(400), LockMode::kAccessShare);
      });
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      in_transaction([&] {
        lock_acquire(relation(400), LockMode::kAccessExclusive);
        shared.done = 1;
        reach(shared, 3);
      });
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, TheSeventeenthRelationGoesToTheTable) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      in_transaction([] {
        for (uint32_t i = 0; i < 17; ++i) lock_acquire(relation(500 + i), LockMode::kRowShare);
        std::vector<LockRow> rows = read_locks();
        auto fast = std::count_if(rows.begin(), rows.end(), [](const LockRow& row) {
          return row.tag.type == LockTagType::kRelation && row.fast_path;
        });
        EXPECT_IN_MODEL(fast == 16);
        EXPECT_IN_MODEL(rows.size() == 18);  // and the own virtual xid
      });
      EXPECT_IN_MODEL(read_locks().empty());
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, ALevelThatIsRolledBackGivesItsLocksBack) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      in_transaction([] {
        Transaction& mine = my_transaction();
        lock_acquire(relation(600), LockMode::kShare);
        mine.begin_subtransaction();
        lock_acquire(relation(600), LockMode::kShare);
        lock_acquire(relation(601), LockMode::kShare);
        mine.rollback_to(1);
        EXPECT_IN_MODEL(lock_is_held(relation(600), LockMode::kShare));
        EXPECT_IN_MODEL(!lock_is_held(relation(601), LockMode::kShare));
        mine.begin_subtransaction();
        lock_acquire(relation(602), LockMode::kShare);
        mine.release_to(1);
        EXPECT_IN_MODEL(lock_is_held(relation(602), LockMode::kShare));
      });
      EXPECT_IN_MODEL(!lock_is_held(relation(602), LockMode::kShare));
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, SessionLocksOutliveTransactionsAndAreCounted) {
  run([](TransactionServer& server, Shared& shared) {
    LockTag tag = LockTag::advisory(kTestDatabase, int64_t{77});
    server.spawn([&, tag](Task&) {
      in_transaction([&] {
        lock_acquire(tag, LockMode::kExclusive, LockWait::kWait, LockOwner::kSession);
        lock_acquire(tag, LockMode::kExclusive, LockWait::kWait, LockOwner::kSession);
      });
      EXPECT_IN_MODEL(lock_release(tag, LockMode::kExclusive, LockOwner::kSession));
      EXPECT_IN_MODEL(lock_is_held(tag, LockMode::kExclusive));
      shared.stage = 1;
      reach(shared, 2);  // and then goes with the task
    });
    server.spawn([&, tag](Task&) {
      reach(shared, 1);
      in_transaction([&] {
        EXPECT_IN_MODEL(lock_acquire(tag, LockMode::kShare, LockWait::kNoWait) ==
                        LockOutcome::kNotAvailable);
        shared.stage = 2;
        lock_acquire(tag, LockMode::kShare);
      });
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, LockTimeoutEndsAWaitAndLeavesTheQueue) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        lock_acquire(relation(700), LockMode::kAccessExclusive);
        shared.stage = 1;
        reach(shared, 2);
        EXPECT_IN_MODEL(!is_awaited(relation(700)));
      });
    });
    server.spawn([&](Task&) {
      settings().set("lock_timeout", "30ms", SettingContext::kUser, SettingSource::kSession,
                     SetAction::kSet);
      reach(shared, 1);
      ErrorData error = error_of(
          [] { in_transaction([] { lock_acquire(relation(700), LockMode::kAccessShare); }); });
      EXPECT_IN_MODEL(error.sqlstate == sqlstate::kLockNotAvailable);
      EXPECT_IN_MODEL(error.message == "canceling statement due to lock timeout");
      shared.stage = 2;
    });
    server.wait_for_all();
  });
}

TEST_P(LockTest, TheTableCanBeFull) {
  Limits limits = small_limits();
  limits.max_locks_per_transaction = 10;
  run(
      [](TransactionServer& server, Shared&) {
        server.spawn([](Task&) {
          ErrorData error = error_of([] {
            in_transaction([] {
              for (uint32_t i = 0; i < 100'000; ++i) {
                lock_acquire(relation(1000 + i), LockMode::kShare);
              }
            });
          });
          EXPECT_IN_MODEL(error.sqlstate == sqlstate::kOutOfMemory);
          EXPECT_IN_MODEL(error.message == "out of shared memory");
          EXPECT_IN_MODEL(error.hint == "You might need to increase max_locks_per_transaction.");
          EXPECT_IN_MODEL(read_locks().empty());
          in_transaction([] { lock_acquire(relation(1000), LockMode::kShare); });
        });
        server.wait_for_all();
      },
      limits);
}

TEST_P(LockTest, ManyTasksOnFewLocksLoseNobody) {
  run([](TransactionServer& server, Shared& shared) {
    for (int i = 0; i < 6; ++i) {
      server.spawn([&, i](Task&) {
        for (int round = 0; round < 60; ++round) {
          auto mode = static_cast<LockMode>(1 + (i * 7 + round * 3) % kLockModes);
          auto oid = static_cast<uint32_t>(800 + (i + round) % 2);
          in_transaction([&] { lock_acquire(relation(oid), mode); });
        }
        ++shared.done;
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(shared.done == 6);
    server.spawn([](Task&) {
      EXPECT_IN_MODEL(read_locks().empty());
      LockTable& table = shared_memory().area<LockTable>();
      for (uint32_t b = 0; b <= table.bucket_mask; ++b) EXPECT_IN_MODEL(table.buckets()[b] == 0);
      for (auto& count : shared_memory().area<StrongLocks>().count) EXPECT_IN_MODEL(count == 0);
    });
    server.wait_for_all();
  });
}

}  // namespace
}  // namespace cofork
