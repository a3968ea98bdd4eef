// Rows in a running server: changed, seen, locked and cleaned up after, under both models.
#include <gtest/gtest.h>

#include "access/heap_vacuum.h"
#include "access/unlogged.h"
#include "access/visibility.h"
#include "access_heap_replay.h"
#include "access_in_heap.h"
#include "storage/visibility_map.h"
#include "wal/write.h"

namespace cofork {
namespace {

VacuumResult vacuum(Relation& t, const VacuumOptions& options = {}) {
  VacuumResult result;
  in_transaction([&] {
    TableFacts facts;
    facts.frozen_xid = kTestFirstXid;
    facts.min_multi = kFirstMultiXactId;
    result = heap_vacuum(t, facts, {}, options);
  });
  return result;
}

class Heap : public testing::TestWithParam<TestedModel> {
 protected:
  void run_server(const std::function<void(HeapServer&)>& body) {
    EXPECT_EQ(run_in_heap(GetParam(), body), 0);
  }
  void run(const std::function<void(Relation&)>& body) {
    run_server([&](HeapServer& server) { server.run(body); });
  }
};

TEST_P(Heap, CommittedRowsAreSeenAndAbortedOnesAreNot) {
  run([](Relation& t) {
    in_transaction([&] {
      for (int i = 0; i < 300; ++i) insert_row(t, i, i * 2);
      EXPECT_IN_MODEL(scan_now(t).empty());  // the running command does not see its own rows
      my_transaction().command_counter_increment();
      EXPECT_IN_MODEL(scan_now(t).size() == 300);
    });
    Transaction& transaction = my_transaction();
    transaction.begin(0);
    insert_row(t, 1000, 0);
    transaction.abort();
    in_transaction([&] {
      std::vector<SeenRow> rows = scan_now(t);
      EXPECT_IN_MODEL(rows.size() == 300);
      EXPECT_IN_MODEL(rows[299].id == 299 && rows[299].val == 598);
      EXPECT_IN_MODEL(rows[0].tid == ItemPointer(0, 1));
    });
  });
}

TEST_P(Heap, ASnapshotKeepsWhatItSaw) {
  run([](Relation& t) {
    ItemPointer tid;
    in_transaction([&] { tid = insert_row(t, 1, 1); });
    my_transaction().begin(0);
    RegisteredSnapshot before = register_snapshot(take_snapshot());
    Updated updated = update_row(t, tid, 1, 2);
    EXPECT_IN_MODEL(updated.result == TmResult::kOk);
    EXPECT_IN_MODEL(!updated.outcome.needs_index_entries);  // HOT: id has not changed
    EXPECT_IN_MODEL(updated.outcome.lock_mode == LockTupleMode::kNoKeyExclusive);
    EXPECT_IN_MODEL(scan_rows(t, *before)[0].val == 1);
    my_transaction().command_counter_increment();
    EXPECT_IN_MODEL(scan_now(t)[0].val == 2);
    EXPECT_IN_MODEL(scan_rows(t, *before)[0].val == 1);
    // The index entry still points at the first version.
    RegisteredSnapshot now = register_snapshot(take_snapshot());
    HeapIndexFetch fetch(t);
    EXPECT_IN_MODEL(fetch.fetch(tid, *now));
    EXPECT_IN_MODEL(fetch.tuple().self == updated.tid && fetch.tuple().header->is_heap_only());
    EXPECT_IN_MODEL(fetch.fetch(tid, *before));
    EXPECT_IN_MODEL(fetch.tuple().self == tid);
    fetch.release();
    before.reset();
    now.reset();
    my_transaction().commit();
  });
}

TEST_P(Heap, AnUpdateOfTheKeyIsNotHot) {
  run([](Relation& t) {
    in_transaction([&] {
      ItemPointer tid = insert_row(t, 1, 1);
      my_transaction().command_counter_increment();
      Updated updated = update_row(t, tid, 2, 1);
      EXPECT_IN_MODEL(updated.result == TmResult::kOk && updated.outcome.needs_index_entries);
      EXPECT_IN_MODEL(updated.outcome.lock_mode == LockTupleMode::kExclusive);
    });
  });
}

TEST_P(Heap, ARowThatDoesNotFitItsPageMovesToAnother) {
  run([](Relation& t) {
    std::string wide(3000, 'w');
    std::vector<ItemPointer> tids;
    in_transaction([&] {
      for (int i = 0; i < 4; ++i) tids.push_back(insert_row(t, i, 0, wide));
    });
    EXPECT_IN_MODEL(tids[1].block() == 0 && tids[2].block() == 1);
    in_transaction([&] {
      Updated updated = update_row(t, tids[0], 0, 1, std::string(5000, 'x'));
      EXPECT_IN_MODEL(updated.result == TmResult::kOk && updated.outcome.needs_index_entries);
      EXPECT_IN_MODEL(updated.tid.block() == 2);
    });
    in_transaction([&] { EXPECT_IN_MODEL(scan_now(t).size() == 4); });
  });
}

TEST_P(Heap, ARowThatFitsNoPageIsRefused) {
  run([](Relation& t) {
    my_transaction().begin(0);
    std::string message = message_of([&] { insert_row(t, 1, 1, std::string(9000, 'x')); });
    EXPECT_IN_MODEL(message.starts_with("row is too big: size 9040, maximum size 8160"));
    my_transaction().abort();
  });
}

TEST_P(Heap, DeletedRowsAreGoneAndSelfModifiedOnesSaySo) {
  run([](Relation& t) {
    ItemPointer tid;
    in_transaction([&] { tid = insert_row(t, 1, 1); });
    my_transaction().begin(0);
    EXPECT_IN_MODEL(delete_row(t, tid) == TmResult::kOk);
    TmFailure failure;
    CommandId command = my_transaction().current_command(false);
    EXPECT_IN_MODEL(heap_delete(t, tid, command, nullptr, true, failure) ==
                    TmResult::kSelfModified);
    EXPECT_IN_MODEL(failure.cmax == command);
    my_transaction().command_counter_increment();
    EXPECT_IN_MODEL(scan_now(t).empty());
    my_transaction().abort();
    in_transaction([&] { EXPECT_IN_MODEL(scan_now(t).size() == 1); });
  });
}

TEST_P(Heap, InsertedAndDeletedByOneTransactionNeedsTwoCommands) {
  run([](Relation& t) {
    in_transaction([&] {
      ItemPointer tid = insert_row(t, 1, 1);
      my_transaction().command_counter_increment();
      RegisteredSnapshot between = register_snapshot(take_snapshot());
      EXPECT_IN_MODEL(delete_row(t, tid) == TmResult::kOk);
      EXPECT_IN_MODEL(scan_rows(t, *between).size() == 1);
      my_transaction().command_counter_increment();
      EXPECT_IN_MODEL(scan_now(t).empty());
      EXPECT_IN_MODEL(scan_rows(t, *between).size() == 1);
      between.reset();
    });
  });
}

TEST_P(Heap, ARolledBackSubtransactionLeavesTheRow) {
  run([](Relation& t) {
    ItemPointer tid;
    in_transaction([&] { tid = insert_row(t, 1, 1); });
    in_transaction([&] {
      my_transaction().begin_subtransaction();
      EXPECT_IN_MODEL(delete_row(t, tid) == TmResult::kOk);
      my_transaction().rollback_to(1);
      my_transaction().command_counter_increment();
      EXPECT_IN_MODEL(scan_now(t).size() == 1);
      EXPECT_IN_MODEL(delete_row(t, tid) == TmResult::kOk);
    });
    in_transaction([&] { EXPECT_IN_MODEL(scan_now(t).empty()); });
  });
}

/// Steps that tasks tell each other about.
struct Stage {
  std::atomic<int> step{0};
  void reach(int n) { step = n; }
  void wait_for(int n) {
    EXPECT_IN_MODEL(eventually([&] { return step >= n; }));
  }
};

bool somebody_waits_for_a_transaction() {
  for (const LockRow& row : read_locks()) {
    if (row.tag.type == LockTagType::kTransaction && !row.granted) return true;
  }
  return false;
}

TEST_P(Heap, TheSecondUpdaterWaitsAndLearnsOfTheNewVersion) {
  run_server([](HeapServer& server) {
    auto* stage = shared_block<Stage>();
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 1); }); });
    server.spawn([stage](Relation& t) {
      in_transaction([&] {
        Updated updated = update_row(t, {0, 1}, 1, 2);
        EXPECT_IN_MODEL(updated.result == TmResult::kOk);
        stage->reach(1);
        EXPECT_IN_MODEL(eventually(somebody_waits_for_a_transaction));
      });
    });
    server.spawn([stage](Relation& t) {
      stage->wait_for(1);
      in_transaction([&] {
        Updated updated = update_row(t, {0, 1}, 1, 3);
        EXPECT_IN_MODEL(updated.result == TmResult::kUpdated);
        EXPECT_IN_MODEL(updated.failure.ctid == ItemPointer(0, 2));
        updated = update_row(t, updated.failure.ctid, 1, 3);
        EXPECT_IN_MODEL(updated.result == TmResult::kOk);
      });
    });
    server.wait_for_all();
    server.run(
        [](Relation& t) { in_transaction([&] { EXPECT_IN_MODEL(scan_now(t)[0].val == 3); }); });
  });
}

TEST_P(Heap, TheSecondUpdaterGoesOnWhenTheFirstAborts) {
  run_server([](HeapServer& server) {
    auto* stage = shared_block<Stage>();
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 1); }); });
    server.spawn([stage](Relation& t) {
      my_transaction().begin(0);
      EXPECT_IN_MODEL(update_row(t, {0, 1}, 1, 2).result == TmResult::kOk);
      stage->reach(1);
      EXPECT_IN_MODEL(eventually(somebody_waits_for_a_transaction));
      my_transaction().abort();
    });
    server.spawn([stage](Relation& t) {
      stage->wait_for(1);
      in_transaction([&] { EXPECT_IN_MODEL(update_row(t, {0, 1}, 1, 3).result == TmResult::kOk); });
    });
    server.wait_for_all();
    server.run(
        [](Relation& t) { in_transaction([&] { EXPECT_IN_MODEL(scan_now(t)[0].val == 3); }); });
  });
}

TmResult lock_row(Relation& t, const ItemPointer& tid, LockTupleMode mode, LockWaitPolicy policy) {
  HeapTuple tuple;
  tuple.self = tid;
  Buffer buffer;
  TmFailure failure;
  return heap_lock(t, tuple, my_transaction().current_command(false), mode, policy, true, buffer,
                   failure);
}

TEST_P(Heap, TwoShareARowAndAThirdMayNotHaveIt) {
  run_server([](HeapServer& server) {
    auto* stage = shared_block<Stage>();
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 1); }); });
    for (int i = 0; i < 2; ++i) {
      server.spawn([stage, i](Relation& t) {
        in_transaction([&] {
          stage->wait_for(i);
          TmResult result = lock_row(t, {0, 1}, LockTupleMode::kShare, LockWaitPolicy::kBlock);
          EXPECT_IN_MODEL(result == TmResult::kOk);
          stage->reach(i + 1);
          stage->wait_for(3);
        });
      });
    }
    server.spawn([stage](Relation& t) {
      stage->wait_for(2);
      in_transaction([&] {
        EXPECT_IN_MODEL(lock_row(t, {0, 1}, LockTupleMode::kKeyShare, LockWaitPolicy::kSkip) ==
                        TmResult::kOk);
      });
      in_transaction([&] {
        EXPECT_IN_MODEL(lock_row(t, {0, 1}, LockTupleMode::kExclusive, LockWaitPolicy::kSkip) ==
                        TmResult::kWouldBlock);
      });
      my_transaction().begin(0);
      EXPECT_IN_MODEL(message_of([&] {
                        lock_row(t, {0, 1}, LockTupleMode::kExclusive, LockWaitPolicy::kError);
                      }) == "could not obtain lock on row in relation \"t\"");
      my_transaction().abort();
      stage->reach(3);
      // Both end: whoever waits gets it, and the row can be updated.
      in_transaction([&] { EXPECT_IN_MODEL(update_row(t, {0, 1}, 2, 9).result == TmResult::kOk); });
    });
    server.wait_for_all();
  });
}

TEST_P(Heap, AForeignKeysLockDoesNotDisturbAnUpdateOfOtherColumns) {
  run_server([](HeapServer& server) {
    auto* stage = shared_block<Stage>();
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 1); }); });
    server.spawn([stage](Relation& t) {
      in_transaction([&] {
        EXPECT_IN_MODEL(lock_row(t, {0, 1}, LockTupleMode::kKeyShare, LockWaitPolicy::kBlock) ==
                        TmResult::kOk);
        stage->reach(1);
        stage->wait_for(2);
      });
    });
    server.spawn([stage](Relation& t) {
      stage->wait_for(1);
      in_transaction([&] { EXPECT_IN_MODEL(update_row(t, {0, 1}, 1, 2).result == TmResult::kOk); });
      in_transaction([&] {
        std::vector<SeenRow> rows = scan_now(t);
        EXPECT_IN_MODEL(rows.size() == 1 && rows[0].val == 2);
        // The lock has gone along to the new version.
        EXPECT_IN_MODEL(lock_row(t, rows[0].tid, LockTupleMode::kExclusive,
                                 LockWaitPolicy::kSkip) == TmResult::kWouldBlock);
      });
      stage->reach(2);
    });
    server.wait_for_all();
  });
}

TEST_P(Heap, ManyUpdatesOfOneRowStayOnOnePage) {
  run([](Relation& t) {
    in_transaction([&] { insert_row(t, 1, 0); });
    for (int i = 1; i <= 700; ++i) {
      in_transaction([&] {
        RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
        HeapIndexFetch fetch(t);
        EXPECT_IN_MODEL(fetch.fetch({0, 1}, *snapshot));
        ItemPointer tid = fetch.tuple().self;
        fetch.release();
        Updated updated = update_row(t, tid, 1, i);
        EXPECT_IN_MODEL(updated.result == TmResult::kOk);
        EXPECT_IN_MODEL(!updated.outcome.needs_index_entries);
      });
    }
    EXPECT_IN_MODEL(relation_blocks(t.file, ForkNumber::kMain) == 1);
    in_transaction([&] {
      std::vector<SeenRow> rows = scan_now(t);
      EXPECT_IN_MODEL(rows.size() == 1 && rows[0].val == 700);
    });
  });
}

TEST_P(Heap, VacuumFreesFreezesAndCuts) {
  run([](Relation& t) {
    in_transaction([&] {
      for (int i = 0; i < 1000; ++i) insert_row(t, i, i, std::string(100, 'p'));
    });
    BlockNumber before = relation_blocks(t.file, ForkNumber::kMain);
    in_transaction([&] {
      for (const SeenRow& row : scan_now(t)) {
        if (row.id >= 200) EXPECT_IN_MODEL(delete_row(t, row.tid) == TmResult::kOk);
      }
    });
    VacuumResult result = vacuum(t, {.freeze = true});
    EXPECT_IN_MODEL(result.live_tuples == 200 && result.dead_tuples == 0);
    EXPECT_IN_MODEL(result.pages < before / 2);
    EXPECT_IN_MODEL(result.pages == relation_blocks(t.file, ForkNumber::kMain));
    EXPECT_IN_MODEL(result.all_visible == result.pages);
    EXPECT_IN_MODEL(xid_precedes(kTestFirstXid, result.frozen_xid));
    Buffer map_page;
    EXPECT_IN_MODEL(visibility_map_status(t.file, 0, map_page) == kVmAllBits);
    map_page.release();
    in_transaction([&] { EXPECT_IN_MODEL(scan_now(t).size() == 200); });
    // A change takes the marks away again.
    in_transaction([&] { EXPECT_IN_MODEL(delete_row(t, {0, 1}) == TmResult::kOk); });
    EXPECT_IN_MODEL(visibility_map_status(t.file, 0, map_page) == 0);
    map_page.release();
  });
}

TEST_P(Heap, VacuumLeavesWhatSomebodyMayStillSee) {
  run_server([](HeapServer& server) {
    auto* stage = shared_block<Stage>();
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 1); }); });
    server.spawn([stage](Relation& t) {
      in_transaction([&] {
        RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
        stage->reach(1);
        stage->wait_for(2);
        EXPECT_IN_MODEL(scan_rows(t, *snapshot).size() == 1);
        snapshot.reset();
      });
    });
    server.spawn([stage](Relation& t) {
      stage->wait_for(1);
      in_transaction([&] { EXPECT_IN_MODEL(delete_row(t, {0, 1}) == TmResult::kOk); });
      VacuumResult result = vacuum(t);
      EXPECT_IN_MODEL(result.dead_tuples == 1 && result.pages == 1);
      stage->reach(2);
    });
    server.wait_for_all();
    server.run([](Relation& t) {
      VacuumResult result = vacuum(t);
      EXPECT_IN_MODEL(result.dead_tuples == 0 && result.pages == 0);
    });
  });
}

TEST_P(Heap, ManyWritersLoseNothing) {
  run_server([](HeapServer& server) {
    constexpr int kWriters = 4;
    constexpr int kRounds = 60;
    server.run([](Relation& t) { in_transaction([&] { insert_row(t, 1, 0); }); });
    for (int w = 0; w < kWriters; ++w) {
      server.spawn([](Relation& t) {
        for (int i = 0; i < kRounds; ++i) {
          in_transaction([&] {
            RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
            std::vector<SeenRow> rows = scan_rows(t, *snapshot);
            EXPECT_IN_MODEL(rows.size() == 1);
            ItemPointer tid = rows[0].tid;
            for (;;) {
              Arena arena;
              HeapTuple tuple;
              tuple.self = tid;
              Buffer buffer;
              TmFailure failure;
              TmResult result = heap_lock(t, tuple, my_transaction().current_command(false),
                                          LockTupleMode::kNoKeyExclusive, LockWaitPolicy::kBlock,
                                          false, buffer, failure);
              if (result == TmResult::kUpdated) {
                tid = failure.ctid;
                continue;
              }
              EXPECT_IN_MODEL(result == TmResult::kOk);
              bool is_null;
              int32_t val = datum_to_int32(tuple_column(tuple.header, test_shape(), 1, is_null));
              buffer.release();
              EXPECT_IN_MODEL(update_row(t, tid, 1, val + 1).result == TmResult::kOk);
              break;
            }
          });
        }
      });
    }
    server.wait_for_all();
    server.run([](Relation& t) {
      in_transaction([&] {
        std::vector<SeenRow> rows = scan_now(t);
        EXPECT_IN_MODEL(rows.size() == 1 && rows[0].val == kWriters * kRounds);
      });
    });
  });
}

TEST_P(Heap, ARememberedPageMayHaveBeenCutOff) {
  run([](Relation& t) {
    in_transaction([&] {
      for (int i = 0; i < 20; ++i) insert_row(t, i, i, std::string(1000, 'p'));
    });
    Relation other = test_relation();  // as another session knows it
    in_transaction([&] { insert_row(other, 20, 20, std::string(1000, 'p')); });
    EXPECT_IN_MODEL(other.target_block >= 2);
    in_transaction([&] {
      for (const SeenRow& row : scan_now(t)) {
        EXPECT_IN_MODEL(delete_row(t, row.tid) == TmResult::kOk);
      }
    });
    EXPECT_IN_MODEL(vacuum(t).pages == 0);
    in_transaction([&] { EXPECT_IN_MODEL(insert_row(other, 1, 1) == ItemPointer(0, 1)); });
  });
}

TEST_P(Heap, UnloggedContentsGoInACrash) {
  run([](Relation&) {
    PendingSyncs syncs;  // as the checkpointer has: forgetting files waits for one
    Relation unlogged = test_relation();
    unlogged.persistence = 'u';
    unlogged.file.number = 16400;
    in_transaction([&] {
      create_relation_storage(unlogged.file, 'u');
      create_init_fork(unlogged.file);
      insert_row(unlogged, 1, 1);
    });
    flush_relation_buffers(unlogged.file);
    EXPECT_IN_MODEL(relation_blocks(unlogged.file, ForkNumber::kMain) == 1);
    drop_relation_buffers(unlogged.file, ForkNumber::kMain, 0);
    remove_unlogged_contents();
    EXPECT_IN_MODEL(!relation_file_exists(unlogged.file, ForkNumber::kMain));
    EXPECT_IN_MODEL(relation_file_exists(unlogged.file, ForkNumber::kInit));
    recreate_unlogged_relations();
    EXPECT_IN_MODEL(relation_blocks(unlogged.file, ForkNumber::kMain) == 0);
    EXPECT_IN_MODEL(relation_file_exists(kTestTable, ForkNumber::kMain));
  });
}

TEST_P(Heap, ARowChangedInPlaceIsSeenByEverybody) {
  run([](Relation& t) {
    ItemPointer tid;
    in_transaction([&] { tid = insert_row(t, 1, 1); });
    my_transaction().begin(0);
    Arena arena;
    HeapTuple changed = make_row(arena, 1, 77);
    changed.self = tid;
    heap_inplace_update(t, changed);
    HeapTuple longer = make_row(arena, 1, 78, "a longer pad");
    longer.self = tid;
    EXPECT_IN_MODEL(message_of([&] { heap_inplace_update(t, longer); }) == "wrong tuple length");
    my_transaction().abort();
    in_transaction([&] { EXPECT_IN_MODEL(scan_now(t)[0].val == 77); });
  });
}

TEST_P(Heap, RedoGivesTheSamePages) {
  run([](Relation& t) {
    for (int round = 0; round < 12; ++round) {
      in_transaction([&] {
        Arena arena;
        std::vector<HeapTuple> rows;
        for (int i = 0; i < 40; ++i) rows.push_back(make_row(arena, round * 100 + i, i));
        heap_multi_insert(t, rows, my_transaction().current_command(true));
        insert_row(t, round * 100 + 50, 1, std::string(static_cast<size_t>(round) * 50, 'y'));
      });
      in_transaction([&] {
        for (const SeenRow& row : scan_now(t)) {
          if (row.id % 7 == 0) EXPECT_IN_MODEL(delete_row(t, row.tid) == TmResult::kOk);
          if (row.id % 7 == 1) update_row(t, row.tid, row.id, row.val + 1);
          if (row.id % 7 == 2) update_row(t, row.tid, row.id + 7, row.val, std::string(60, 'z'));
          if (row.id % 7 == 3) {
            lock_row(t, row.tid, LockTupleMode::kShare, LockWaitPolicy::kBlock);
          }
        }
      });
      if (round % 4 == 3) vacuum(t, {.freeze = round == 11});
    }
    Lsn end = wal_insert_position();
    wal_flush(end);
    std::string segment = testing_support::read_file("pg_wal/000000010000000000000001");
    testing_support::MemoryPages source(segment, kTestWalStart);
    HeapReplay replay;
    replay.run(source, kTestWalStart);
    EXPECT_IN_MODEL(replay.end == end);
    BlockNumber blocks = relation_blocks(t.file, ForkNumber::kMain);
    EXPECT_IN_MODEL(blocks >= 3);
    for (BlockNumber block = 0; block < blocks; ++block) {
      Buffer buffer = read_buffer(t.file, ForkNumber::kMain, block);
      EXPECT_IN_MODEL(replay.has_page(t.file, block));
      EXPECT_IN_MODEL(replay.difference(t.file, block, buffer.page()) == -1);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(BothModels, Heap,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

}  // namespace
}  // namespace cofork
