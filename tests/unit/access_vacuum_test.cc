// A table with an index, changed and vacuumed by several at once, under both models.
#include <gtest/gtest.h>

#include <set>

#include "access/btree_build.h"
#include "access/btree_heap.h"
#include "access/btree_scan.h"
#include "access/heap_vacuum.h"
#include "access_in_heap.h"

namespace cofork {
namespace {

constexpr RelationFile kIndexFile{kDefaultTablespaceOid, kTestDatabase, 16390};

int compare_int4(Datum a, Datum b) {
  int32_t x = datum_to_int32(a);
  int32_t y = datum_to_int32(b);
  return x < y ? -1 : x > y;
}

/// The table of access_in_heap.h with a unique index on id.
class IndexedTestTable {
 public:
  explicit IndexedTestTable(Relation& relation) : heap_(relation), behind_(relation) {
    shape_.tuple = TupleShape(
        {{.type = type_oid::kInt4, .length = 4, .by_value = true, .align = 'i', .storage = 'p'}});
    shape_.keys = {{.compare = compare_int4}};
    shape_.unique = true;
    index_relation_.oid = 16390;
    index_relation_.name = "t_pkey";
    index_relation_.file = kIndexFile;
    index_relation_.shape = &shape_.tuple;
    index_relation_.fillfactor = 90;
    index_.emplace(index_relation_, shape_);
  }

  static void make_index(Relation& relation) {
    create_relation_file(kIndexFile, ForkNumber::kMain);
    IndexedTestTable table(relation);
    BtreeBuild(*table.index_, 1 << 20).finish();
  }

  void insert(int32_t id, int32_t val) {
    ItemPointer tid = insert_row(heap_, id, val, std::string(50, 'p'));
    enter(id, tid);
  }
  /// Through the index; false when there is no such row.
  bool change(int32_t id, int32_t new_id, int32_t val) {
    std::optional<ItemPointer> tid = find(id);
    if (!tid) return false;
    Updated updated = update_row(heap_, *tid, new_id, val, std::string(50, 'q'));
    if (updated.result != TmResult::kOk) return false;
    if (updated.outcome.needs_index_entries) enter(new_id, updated.tid);
    return true;
  }
  bool remove(int32_t id) {
    std::optional<ItemPointer> tid = find(id);
    return tid && delete_row(heap_, *tid) == TmResult::kOk;
  }
  std::optional<ItemPointer> find(int32_t id) {
    RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
    BtreeScan scan(*index_, {});
    BtreeCondition condition;
    condition.value = datum_from_int32(id);
    scan.rescan({&condition, 1});
    HeapIndexFetch fetch(heap_);
    while (scan.next()) {
      if (fetch.fetch(scan.tid(), *snapshot)) return fetch.tuple().self;
    }
    return std::nullopt;
  }
  VacuumResult vacuum() {
    VacuumResult result;
    my_proc().status_flags = kProcInVacuum;
    in_transaction([&] {
      TableFacts facts;
      facts.frozen_xid = kFirstNormalXid;
      facts.min_multi = kFirstMultiXactId;
      BtreeIndex* indexes[] = {&*index_};
      VacuumOptions options;
      options.index_cleanup = VacuumOptions::IndexCleanup::kOn;
      options.truncate = false;
      result = heap_vacuum(heap_, facts, indexes, options);
    });
    return result;
  }
  /// Entries in the index, dead ones too.
  int entries() {
    BtreeScan scan(*index_, {.ignore_killed = false});
    scan.rescan({});
    int count = 0;
    while (scan.next()) ++count;
    return count;
  }

 private:
  void enter(int32_t id, const ItemPointer& tid) {
    Datum key = datum_from_int32(id);
    bool null = false;
    EXPECT_IN_MODEL(btree_insert(*index_, &key, &null, tid, UniqueCheck::kYes, behind_).is_unique);
  }

  Relation& heap_;
  HeapBehindIndex behind_;
  IndexShape shape_;
  Relation index_relation_;
  std::optional<BtreeIndex> index_;
};

class HeapVacuumTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run_server(const std::function<void(HeapServer&)>& body) {
    EXPECT_EQ(run_in_heap(GetParam(), body), 0);
  }
};

TEST_P(HeapVacuumTest, DeadRowsLeaveTheIndexAndTheTable) {
  run_server([](HeapServer& server) {
    server.run([](Relation& t) {
      IndexedTestTable::make_index(t);
      IndexedTestTable table(t);
      in_transaction([&] {
        for (int i = 0; i < 1000; ++i) table.insert(i, i);
      });
      in_transaction([&] {
        for (int i = 0; i < 1000; i += 2) EXPECT_IN_MODEL(table.remove(i));
      });
      BlockNumber before = relation_blocks(t.file, ForkNumber::kMain);
      VacuumResult result = table.vacuum();
      EXPECT_IN_MODEL(result.live_tuples == 500);
      EXPECT_IN_MODEL(result.indexes[0].entries_removed == 500);
      in_transaction([&] {
        EXPECT_IN_MODEL(table.entries() == 500);
        EXPECT_IN_MODEL(!table.find(0) && table.find(1));
        // The room is used again, and so are the items.
        for (int i = 0; i < 1000; i += 2) table.insert(i, -i);
      });
      EXPECT_IN_MODEL(relation_blocks(t.file, ForkNumber::kMain) == before);
      in_transaction([&] { EXPECT_IN_MODEL(scan_now(t).size() == 1000); });
    });
  });
}

TEST_P(HeapVacuumTest, WritersAndVacuumDoNotDisturbEachOther) {
  run_server([](HeapServer& server) {
    constexpr int kWriters = 3;
    constexpr int kRows = 30;
    constexpr int kRounds = 4;
    auto* running = shared_block<std::atomic<int>>();
    server.run([](Relation& t) { IndexedTestTable::make_index(t); });
    *running = kWriters;
    for (int w = 0; w < kWriters; ++w) {
      server.spawn([w, running](Relation& t) {
        IndexedTestTable table(t);
        int first = w * 10000;
        in_transaction([&] {
          for (int i = 0; i < kRows; ++i) table.insert(first + i, 0);
        });
        for (int round = 1; round <= kRounds; ++round) {
          for (int i = 0; i < kRows; ++i) {
            int id = first + i;
            in_transaction([&] {
              if (i % 4 == 0) {
                EXPECT_IN_MODEL(table.remove(id));
                my_transaction().command_counter_increment();
                table.insert(id, round);
              } else {
                EXPECT_IN_MODEL(table.change(id, id, round));
              }
            });
          }
        }
        --*running;
      });
    }
    server.spawn([running](Relation& t) {
      IndexedTestTable table(t);
      while (*running > 0) {
        table.vacuum();
        this_task().check_interrupts();
      }
      my_proc().status_flags = 0;
    });
    server.wait_for_all();
    server.run([](Relation& t) {
      IndexedTestTable table(t);
      VacuumResult result = table.vacuum();
      EXPECT_IN_MODEL(result.live_tuples == kWriters * kRows && result.dead_tuples == 0);
      in_transaction([&] {
        std::vector<SeenRow> rows = scan_now(t);
        EXPECT_IN_MODEL(rows.size() == static_cast<size_t>(kWriters * kRows));
        std::set<int> ids;
        for (const SeenRow& row : rows) {
          EXPECT_IN_MODEL(row.val == kRounds);
          EXPECT_IN_MODEL(ids.insert(row.id).second);
          EXPECT_IN_MODEL(table.find(row.id) == row.tid);
        }
        EXPECT_IN_MODEL(table.entries() == kWriters * kRows);
      });
    });
  });
}

INSTANTIATE_TEST_SUITE_P(BothModels, HeapVacuumTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

}  // namespace
}  // namespace cofork
