// Transactions, snapshots, the commit log and multixacts between tasks, in every model.
#include <algorithm>

#include "in_transactions.h"
#include "txn/commit_log.h"
#include "txn/lock_manager.h"
#include "txn/multixact.h"
#include "txn/snapshot.h"
#include "txn/subtrans.h"

namespace cofork {
namespace {

struct Shared {
  std::atomic<int> stage{0}, done{0};
  std::atomic<TransactionId> xids[4];
};

class TransactionTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void(TransactionServer&, Shared&)>& body) {
    auto* shared = shared_block<Shared>();
    EXPECT_EQ(run_with_transactions(GetParam(),
                                    [&](TransactionServer& server) { body(server, *shared); }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, TransactionTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

void reach(Shared& shared, int stage) {
  EXPECT_IN_MODEL(eventually([&] { return shared.stage >= stage; }));
}

TEST_P(TransactionTest, XidsAreGivenOutWhenNeededAndKeepTheirEnd) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      Transaction& mine = my_transaction();
      in_transaction([&] { EXPECT_IN_MODEL(mine.top_xid_if_any() == 0); });
      EXPECT_IN_MODEL(next_full_xid().xid() == kFirstNormalXid);
      TransactionId committed = 0;
      in_transaction([&] {
        committed = mine.current_xid();
        EXPECT_IN_MODEL(committed == kFirstNormalXid && mine.current_xid() == committed);
        EXPECT_IN_MODEL(mine.is_current_xid(committed));
        EXPECT_IN_MODEL(my_proc().xid == committed);
        EXPECT_IN_MODEL(!xid_did_commit(committed) && !xid_did_abort(committed));
      });
      EXPECT_IN_MODEL(!mine.is_current_xid(committed) && my_proc().xid == 0);
      EXPECT_IN_MODEL(xid_did_commit(committed) && !xid_in_progress(committed));
      mine.begin(1);
      TransactionId aborted = mine.current_xid();
      mine.abort();
      EXPECT_IN_MODEL(xid_did_abort(aborted) && !xid_did_commit(aborted));
      EXPECT_IN_MODEL(xid_status(kFrozenXid) == XidStatus::kCommitted);
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, LevelsEndEachInItsOwnWay) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      Transaction& mine = my_transaction();
      TransactionId top = 0, released = 0, undone = 0, inner = 0;
      std::string said;
      in_transaction([&] {
        mine.on_commit([&] { said += "c"; });
        mine.begin_subtransaction();
        released = mine.current_xid();  // the parent gets its id first
        mine.on_commit([&] { said += "C"; });
        mine.release_to(1);
        top = mine.top_xid_if_any();
        EXPECT_IN_MODEL(xid_precedes(top, released) && mine.is_current_xid(released));
        mine.begin_subtransaction();
        undone = mine.current_xid();
        mine.on_commit([&] { said += "never"; });
        mine.on_abort([&] { said += "a"; });
        mine.begin_subtransaction();
        inner = mine.current_xid();
        mine.release_to(2);
        EXPECT_IN_MODEL(subtrans_parent(inner) == undone && subtrans_parent(undone) == top);
        EXPECT_IN_MODEL(subtrans_topmost(inner, kFirstNormalXid) == top);
        mine.rollback_to(1);
        EXPECT_IN_MODEL(said == "a" && !mine.is_current_xid(inner));
        EXPECT_IN_MODEL(xid_did_abort(undone) && xid_did_abort(inner));
        EXPECT_IN_MODEL(!xid_in_progress(inner));
      });
      EXPECT_IN_MODEL(said == "acC");
      EXPECT_IN_MODEL(xid_did_commit(top) && xid_did_commit(released));
      EXPECT_IN_MODEL(xid_did_abort(inner));
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, ASnapshotDoesNotSeeWhatEndsLater) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        my_transaction().begin_subtransaction();
        shared.xids[1] = my_transaction().current_xid();
        shared.xids[0] = my_transaction().top_xid_if_any();
        shared.stage = 1;
        reach(shared, 2);
      });
      shared.stage = 3;
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      in_transaction([&] {
        RegisteredSnapshot before = register_snapshot(take_snapshot());
        EXPECT_IN_MODEL(my_proc().xmin == before->xmin);
        for (int i = 0; i < 2; ++i) {
          EXPECT_IN_MODEL(xid_in_progress(shared.xids[i]));
          EXPECT_IN_MODEL(xid_in_snapshot(shared.xids[i], *before));
        }
        // Nobody has ended since: the same again.
        EXPECT_IN_MODEL(take_snapshot().xmax == before->xmax);
        shared.stage = 2;
        reach(shared, 3);
        RegisteredSnapshot after = register_snapshot(take_snapshot());
        for (int i = 0; i < 2; ++i) {
          EXPECT_IN_MODEL(xid_in_snapshot(shared.xids[i], *before));
          EXPECT_IN_MODEL(!xid_in_snapshot(shared.xids[i], *after));
          EXPECT_IN_MODEL(xid_did_commit(shared.xids[i]) && !xid_in_progress(shared.xids[i]));
        }
        // The old one holds back what may be removed, until it is let go of.
        EXPECT_IN_MODEL(oldest_removable_xid(HorizonKind::kData) == shared.xids[0]);
        EXPECT_IN_MODEL(!xid_is_removable(shared.xids[0], HorizonKind::kData));
        before.reset();
        EXPECT_IN_MODEL(my_proc().xmin == after->xmin);
        EXPECT_IN_MODEL(xid_follows(oldest_removable_xid(HorizonKind::kData), shared.xids[1]));
        EXPECT_IN_MODEL(xid_is_removable(shared.xids[0], HorizonKind::kData));
        after.reset();
        EXPECT_IN_MODEL(my_proc().xmin == 0);
      });
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, RepeatableReadKeepsItsFirstSnapshot) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      settings().set_internal(setting::kTransactionIsolation.index, "repeatable read");
      in_transaction([&] {
        TransactionId xmax = take_snapshot().xmax;
        shared.stage = 1;
        reach(shared, 2);
        EXPECT_IN_MODEL(take_snapshot().xmax == xmax);
        EXPECT_IN_MODEL(xid_in_snapshot(shared.xids[0], take_snapshot()));
        EXPECT_IN_MODEL(!xid_in_snapshot(shared.xids[0], take_latest_snapshot()));
      });
      settings().set_internal(setting::kTransactionIsolation.index, "serializable");
      ErrorData error = error_of([] { in_transaction([] { take_snapshot(); }); });
      EXPECT_IN_MODEL(error.sqlstate == sqlstate::kFeatureNotSupported);
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      in_transaction([&] { shared.xids[0] = my_transaction().current_xid(); });
      shared.stage = 2;
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, MoreChildrenThanTheListHolds) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        Transaction& mine = my_transaction();
        shared.xids[0] = mine.current_xid();
        for (int i = 0; i < ProcSubxids::kMax + 10; ++i) {
          mine.begin_subtransaction();
          shared.xids[1] = mine.current_xid();
          mine.release_to(1);
        }
        shared.stage = 1;
        reach(shared, 2);
      });
      EXPECT_IN_MODEL(xid_did_commit(shared.xids[1]));
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      // One that ends after them: a snapshot lists what is older than the newest that has ended.
      in_transaction([] { my_transaction().current_xid(); });
      in_transaction([&] {
        const Snapshot& snapshot = take_snapshot();
        EXPECT_IN_MODEL(snapshot.overflowed);
        EXPECT_IN_MODEL(xid_in_snapshot(shared.xids[1], snapshot));
        EXPECT_IN_MODEL(xid_in_progress(shared.xids[1]));
        shared.stage = 2;
        // Waiting for the child is waiting for its parent.
        xact_lock_wait(shared.xids[1]);
        EXPECT_IN_MODEL(!xid_in_progress(shared.xids[0]));
      });
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, WhoWaitsForATransactionSaysWhatFor) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        shared.xids[0] = my_transaction().current_xid();
        shared.stage = 1;
        reach(shared, 2);
      });
    });
    server.spawn([&](Task&) {
      settings().set("lock_timeout", "30ms", SettingContext::kUser, SettingSource::kSession,
                     SetAction::kSet);
      reach(shared, 1);
      EXPECT_IN_MODEL(error_of([&] {
                        in_transaction([&] {
                          EXPECT_IN_MODEL(!xact_lock_try(shared.xids[0]));
                          xact_lock_wait(shared.xids[0],
                                         {.operation = XactWaitContext::Operation::kUpdate,
                                          .relation = "accounts",
                                          .block = 0,
                                          .offset = 3});
                        });
                      }).context == "while updating tuple (0,3) in relation \"accounts\"");
      shared.stage = 2;
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, AVirtualTransactionCanBeWaitedFor) {
  run([](TransactionServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      in_transaction([&] {
        shared.xids[0] = static_cast<uint32_t>(my_proc_number() + 1);
        shared.xids[1] = my_proc().local_xid.load();
        shared.stage = 1;
        EXPECT_IN_MODEL(eventually([] {
          std::vector<LockRow> rows = read_locks();
          return std::any_of(rows.begin(), rows.end(),
                             [](const LockRow& row) { return !row.granted; });
        }));
        shared.done = 1;
      });
    });
    server.spawn([&](Task&) {
      reach(shared, 1);
      VirtualXid other{static_cast<int32_t>(shared.xids[0].load()), shared.xids[1]};
      in_transaction([&] {
        EXPECT_IN_MODEL(!virtual_xact_wait(other, LockWait::kNoWait));
        EXPECT_IN_MODEL(virtual_xact_wait(other));
        EXPECT_IN_MODEL(shared.done == 1);
        EXPECT_IN_MODEL(virtual_xact_wait(other, LockWait::kNoWait));
      });
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, MultixactsKnowTheirMembers) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      TransactionId first = 0, second = 0;
      in_transaction([&] { first = my_transaction().current_xid(); });
      in_transaction([&] {
        second = my_transaction().current_xid();
        multixact_set_oldest_member();
        MultiXactMember a{first, MultiXactStatus::kNoKeyUpdate};
        MultiXactMember b{second, MultiXactStatus::kForKeyShare};
        MultiXactId multi = multixact_create(a, b);
        EXPECT_IN_MODEL(multi == kFirstMultiXactId);
        EXPECT_IN_MODEL(multixact_create(b, a) == multi);
        EXPECT_IN_MODEL(multixact_is_running(multi, false));
        MultiXactId more = multixact_expand(multi, second, MultiXactStatus::kForShare);
        EXPECT_IN_MODEL(more == multi + 1 && multixact_members(more, false).size() == 3);
        EXPECT_IN_MODEL(oldest_multixact() == multi);
        EXPECT_IN_MODEL(error_of([&] {
                          multixact_create({first, MultiXactStatus::kUpdate},
                                           {second, MultiXactStatus::kUpdate});
                        }).message == fmt::format("new multixact has more than one updating "
                                                  "member: {} (upd), {} (upd)",
                                                  first, second));
      });
      // Read back from the pages, by a transaction that has not made them.
      in_transaction([&] {
        std::vector<MultiXactMember> members = multixact_members(kFirstMultiXactId, false);
        EXPECT_IN_MODEL(members.size() == 2 && members[0].xid == first &&
                        members[0].status == MultiXactStatus::kNoKeyUpdate &&
                        members[1].xid == second);
        EXPECT_IN_MODEL(!multixact_is_running(kFirstMultiXactId, false));
        EXPECT_IN_MODEL(error_of([] { multixact_members(99, false); }).message ==
                        "MultiXactId 99 has not been created yet -- apparent wraparound");
      });
      // Nobody who only locks can be running in one that old.
      in_transaction([] { EXPECT_IN_MODEL(multixact_members(kFirstMultiXactId, true).empty()); });
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, TasksThatEndInATransactionAbortIt) {
  run([](TransactionServer& server, Shared& shared) {
    server.server().spawn([&](Task& task) {
      ChildContext context(task, "test");
      proc_array_join();
      my_transaction().begin(1);
      shared.xids[0] = my_transaction().current_xid();
    });
    server.wait_for_all();
    server.spawn([&](Task&) {
      EXPECT_IN_MODEL(xid_did_abort(shared.xids[0]) && !xid_in_progress(shared.xids[0]));
      EXPECT_IN_MODEL(read_locks().empty());
    });
    server.wait_for_all();
  });
}

TEST_P(TransactionTest, OidsComeOneAfterTheOther) {
  run([](TransactionServer& server, Shared&) {
    server.spawn([](Task&) {
      in_transaction([] {
        for (uint32_t i = 0; i < 9000; ++i) EXPECT_IN_MODEL(new_oid() == kFirstNormalOid + i);
      });
    });
    server.wait_for_all();
  });
}

}  // namespace
}  // namespace cofork
