// Whole B-trees: what goes in comes out again, in order, whatever splits, vacuums and neighbours do
// meanwhile; a checker of its own looks at every page.
#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "access/btree.h"
#include "access/btree_build.h"
#include "access/btree_records.h"
#include "access/btree_scan.h"
#include "access/btree_vacuum.h"
#include "access_btree_checker.h"
#include "access_server.h"
#include "txn/snapshot.h"
#include "types/type_oids.h"
#include "wal/file_pages.h"
#include "wal/write.h"

namespace cofork {
namespace {

using testing_support::BtreeChecker;

int compare_int4(Datum a, Datum b) {
  int32_t x = datum_to_int32(a), y = datum_to_int32(b);
  return x < y ? -1 : (x > y ? 1 : 0);
}
int compare_text(Datum a, Datum b) {
  return varlena_view(a).compare(varlena_view(b));
}

Attribute int4_column() {
  return {.type = type_oid::kInt4, .length = 4, .by_value = true, .align = 'i', .storage = 'p'};
}
Attribute text_column() {
  return {.type = type_oid::kText, .length = -1, .align = 'i', .storage = 'x'};
}

/// Rows that exist by being said to. What index entries mean by "address" is their number.
class FakeTable : public IndexedTable {
 public:
  std::set<ItemPointer> rows;
  Row look_at(const ItemPointer& tid) override {
    bool live = rows.contains(tid);
    return {.live = live, .dead_to_all = !live};
  }
  bool is_alive(const ItemPointer&) override { return true; }
  TransactionId latest_removed_xid(std::span<const ItemPointer>) override { return 0; }
};

ItemPointer tid_of(int number) {
  return {static_cast<BlockNumber>(number / 100), static_cast<OffsetNumber>(1 + number % 100)};
}

/// An index of this task over a file all tasks share.
struct TestIndex {
  TestIndex(IndexShape index_shape, uint32_t number = 20000)
      : shape(std::move(index_shape)), index(relation, shape) {
    relation.oid = number;
    relation.name = "t_idx";
    relation.file = {kDefaultTablespaceOid, 5, number};
    relation.shape = &shape.tuple;
    relation.fillfactor = 90;
  }
  void create() {
    create_relation_file(relation.file, ForkNumber::kMain);
    btree_create_empty(index, ForkNumber::kMain);
  }
  BtreeInserted insert(Datum key, int row, UniqueCheck check = UniqueCheck::kNo) {
    bool null = false;
    return btree_insert(index, &key, &null, tid_of(row), check, table);
  }
  BtreeInserted insert(int key, int row, UniqueCheck check = UniqueCheck::kNo) {
    return insert(datum_from_int32(key), row, check);
  }
  BlockNumber blocks() const { return relation_blocks(relation.file, ForkNumber::kMain); }
  /// Copies the pages and has them looked at.
  BtreeChecker check() {
    copies.resize(blocks());
    for (BlockNumber block = 0; block < copies.size(); ++block) {
      Buffer buffer = read_buffer(relation.file, ForkNumber::kMain, block);
      buffer.lock_shared();
      copies[block].assign(buffer.page(), buffer.page() + kPageBytes);
    }
    BtreeChecker checker(shape, blocks(),
                         [this](BlockNumber block) { return copies[block].data(); });
    std::string complaint = checker.check();
    if (!complaint.empty()) std::fprintf(stderr, "%s\n", complaint.c_str());
    EXPECT_IN_MODEL(complaint.empty());
    return checker;
  }
  std::vector<ItemPointer> scan(std::vector<BtreeCondition> conditions,
                                ScanDirection direction = ScanDirection::kForward) {
    BtreeScan scan(index, {});
    scan.rescan(conditions);
    std::vector<ItemPointer> found;
    while (scan.next(direction)) found.push_back(scan.tid());
    return found;
  }

  Relation relation;
  IndexShape shape;
  BtreeIndex index;
  FakeTable table;
  std::vector<std::vector<char>> copies;
};

IndexShape int4_shape() {
  return {.tuple = TupleShape({int4_column()}), .keys = {{.compare = compare_int4}}};
}

BtreeCondition condition(BtreeStrategy strategy, int value, int column = 0) {
  return {.column = column, .strategy = strategy, .value = datum_from_int32(value)};
}

class Btree : public testing::TestWithParam<TestedModel> {
 protected:
  void run_server(const std::function<void(AccessServer&)>& body) {
    Limits limits = small_limits();
    limits.shared_buffers = 512;
    EXPECT_EQ(run_in_access(GetParam(), limits, body), 0);
  }
  void run(const std::function<void(Task&)>& body) {
    run_server([&](AccessServer& server) { server.run_session(body); });
  }
};
INSTANTIATE_TEST_SUITE_P(Models, Btree,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

/// The entries of a model of the index, in order.
using Model = std::set<std::pair<int, ItemPointer>>;

void expect_same(TestIndex& index, const Model& model) {
  BtreeChecker checker = index.check();
  EXPECT_IN_MODEL(checker.entries().size() == model.size());
  auto expected = model.begin();
  for (const BtreeChecker::Entry& entry : checker.entries()) {
    bool is_null;
    Datum key = index_attribute(*entry.tuple, index.shape, 0, is_null);
    EXPECT_IN_MODEL(datum_to_int32(key) == expected->first && entry.tid == expected->second);
    ++expected;
  }
}

/// Forward and backward between two random keys.
void expect_ranges(TestIndex& index, const Model& model, std::mt19937& random, int keys) {
  for (int i = 0; i < 20; ++i) {
    int low = static_cast<int>(random() % static_cast<unsigned>(keys));
    int high = low + static_cast<int>(random() % 300);
    std::vector<ItemPointer> expected;
    for (auto it = model.lower_bound({low + 1, ItemPointer(0, 0)});
         it != model.end() && it->first <= high; ++it) {
      expected.push_back(it->second);
    }
    std::vector<BtreeCondition> range = {condition(BtreeStrategy::kGreater, low),
                                         condition(BtreeStrategy::kLessEqual, high)};
    EXPECT_IN_MODEL(index.scan(range) == expected);
    std::reverse(expected.begin(), expected.end());
    EXPECT_IN_MODEL(index.scan(range, ScanDirection::kBackward) == expected);
  }
}

TEST_P(Btree, KeepsWhatRandomInsertsAndVacuumsLeave) {
  run([](Task&) {
    TestIndex index(int4_shape());
    index.create();
    Model model;
    std::mt19937 random(7);
    constexpr int kKeys = 4000;
    int row = 0;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 8000; ++i, ++row) {
        int key = static_cast<int>(random() % kKeys);
        index.insert(key, row);
        model.insert({key, tid_of(row)});
      }
      expect_same(index, model);
      expect_ranges(index, model, random, kKeys);
      std::set<ItemPointer> dead;
      for (const auto& [key, tid] : model) {
        if (random() % 2 == 0) dead.insert(tid);
      }
      IndexVacuumResult result;
      btree_bulk_delete(
          index.index, {}, [&](const ItemPointer& tid) { return dead.contains(tid); }, result);
      std::erase_if(model, [&](const auto& entry) { return dead.contains(entry.second); });
      EXPECT_IN_MODEL(result.entries_removed == static_cast<double>(dead.size()));
      EXPECT_IN_MODEL(result.entries == static_cast<double>(model.size()));
      expect_same(index, model);
    }
    expect_ranges(index, model, random, kKeys);
  });
}

TEST_P(Btree, EmptyPagesLeaveTheTreeAndComeBack) {
  run_server([](AccessServer& server) {
    server.run_session([](Task&) {
      TestIndex index(int4_shape());
      index.create();
      for (int i = 0; i < 40000; ++i) index.insert(i, i);
      EXPECT_IN_MODEL(index.check().height() == 1);
      // A transaction that runs now could be on the way to a page that is deleted.
      my_transaction().current_xid();
      IndexVacuumResult result;
      auto dead = [](const ItemPointer& tid) { return tid.block() >= 50 && tid.block() < 390; };
      btree_bulk_delete(index.index, {}, dead, result);
      btree_vacuum_cleanup(index.index, {}, true, result);
      BtreeChecker checker = index.check();
      EXPECT_IN_MODEL(result.pages_newly_deleted > 80 && result.pages_free == 0);
      EXPECT_IN_MODEL(checker.deleted_pages() == static_cast<int>(result.pages_deleted));
      EXPECT_IN_MODEL(checker.entries().size() == 6000);
      EXPECT_IN_MODEL(index.scan({}).size() == 6000);
      EXPECT_IN_MODEL(index.scan({}, ScanDirection::kBackward).size() == 6000);
    });
    server.run_session([](Task&) {
      TestIndex index(int4_shape());
      // Somebody with a newer xid, so that the old horizon has passed.
      my_transaction().current_xid();
      my_transaction().commit();
      my_transaction().begin({});
      BlockNumber blocks = index.blocks();
      // As every VACUUM does at its beginning.
      oldest_removable_xid(HorizonKind::kData);
      IndexVacuumResult result;
      btree_vacuum_cleanup(index.index, {}, false, result);
      EXPECT_IN_MODEL(result.pages_free > 80);
      for (int i = 5000; i < 17000; ++i) index.insert(i, i);
      EXPECT_IN_MODEL(index.blocks() == blocks);
      EXPECT_IN_MODEL(index.check().entries().size() == 18000);
    });
  });
}

TEST_P(Btree, WholeBranchesAreDeleted) {
  run([](Task&) {
    TestIndex index({.tuple = TupleShape({text_column()}), .keys = {{.compare = compare_text}}});
    index.create();
    Arena arena;
    auto key = [&](int i) {
      return varlena_from(arena, fmt::format("{:08}", i) + std::string(900, 'x'));
    };
    for (int i = 0; i < 1500; ++i) index.insert(key(i), i);
    EXPECT_IN_MODEL(index.check().height() >= 3);
    IndexVacuumResult result;
    auto dead = [](const ItemPointer& tid) { return tid.block() < 14; };
    btree_bulk_delete(index.index, {}, dead, result);
    BtreeChecker checker = index.check();
    EXPECT_IN_MODEL(checker.half_dead_pages() == 0);
    EXPECT_IN_MODEL(checker.entries().size() == 100);
    // All leaves but those of the last hundred, and parents with them.
    EXPECT_IN_MODEL(checker.leaves() < 20);
    EXPECT_IN_MODEL(result.pages_newly_deleted > 190);
    for (int i = 0; i < 1400; ++i) index.insert(key(i), i);
    EXPECT_IN_MODEL(index.check().entries().size() == 1500);
  });
}

TEST_P(Btree, UniqueKeysAreRefusedWhileTheirRowLives) {
  run([](Task&) {
    TestIndex index(int4_shape());
    index.shape.unique = true;
    index.create();
    for (int i = 0; i < 1000; ++i) {
      index.table.rows.insert(tid_of(i));
      EXPECT_IN_MODEL(index.insert(i, i, UniqueCheck::kYes).is_unique);
    }
    BtreeInserted refused = index.insert(500, 5000, UniqueCheck::kYes);
    EXPECT_IN_MODEL(!refused.is_unique && refused.conflict == tid_of(500));
    EXPECT_IN_MODEL(index.check().entries().size() == 1000);
    BtreeInserted doubtful = index.insert(500, 5001, UniqueCheck::kPartial);
    EXPECT_IN_MODEL(!doubtful.is_unique);
    EXPECT_IN_MODEL(index.check().entries().size() == 1001);
    index.table.rows.insert(tid_of(5001));
    EXPECT_IN_MODEL(!index.insert(500, 5001, UniqueCheck::kExisting).is_unique);
    index.table.rows.erase(tid_of(500));
    EXPECT_IN_MODEL(index.insert(500, 5001, UniqueCheck::kExisting).is_unique);
    // The dead row's entry has been marked on the way.
    BtreeChecker checker = index.check();
    EXPECT_IN_MODEL(std::count_if(checker.entries().begin(), checker.entries().end(),
                                  [](const auto& entry) { return entry.dead; }) == 1);
    EXPECT_IN_MODEL(index.scan({condition(BtreeStrategy::kEqual, 500)}).size() == 1);
  });
}

/// What two tasks know of the row that is in doubt.
struct Doubt {
  std::atomic<TransactionId> xid;
  std::atomic<bool> live;
  std::atomic<bool> other_waits;
};

class DoubtfulTable : public FakeTable {
 public:
  explicit DoubtfulTable(Doubt& doubt) : doubt_(doubt) {}
  Row look_at(const ItemPointer&) override {
    doubt_.other_waits = true;
    return {.live = doubt_.live, .dead_to_all = !doubt_.live, .in_doubt = doubt_.xid};
  }

 private:
  Doubt& doubt_;
};

TEST_P(Btree, UniqueCheckWaitsForTheOtherTransaction) {
  for (bool commits : {true, false}) {
    run_server([commits](AccessServer& server) {
      auto* doubt = shared_block<Doubt>();
      server.run_session([](Task&) { TestIndex(int4_shape()).create(); });
      server.spawn_session([=](Task&) {
        TestIndex index(int4_shape());
        TransactionId xid = my_transaction().current_xid();
        index.insert(1, 1, UniqueCheck::kYes);
        doubt->live = true;
        doubt->xid = xid;
        EXPECT_IN_MODEL(eventually([&] { return doubt->other_waits.load(); }));
        doubt->live = commits;
        doubt->xid = 0;
        commits ? my_transaction().commit() : my_transaction().abort();
      });
      server.spawn_session([=](Task&) {
        TestIndex index(int4_shape());
        EXPECT_IN_MODEL(eventually([&] { return doubt->xid.load() != 0; }));
        DoubtfulTable table(*doubt);
        Datum key = datum_from_int32(1);
        bool null = false;
        BtreeInserted inserted =
            btree_insert(index.index, &key, &null, tid_of(2), UniqueCheck::kYes, table);
        EXPECT_IN_MODEL(inserted.is_unique == !commits);
      });
      server.wait_for_all();
      server.run_session([=](Task&) {
        EXPECT_IN_MODEL(TestIndex(int4_shape()).check().entries().size() == (commits ? 1u : 2u));
      });
    });
  }
}

TEST_P(Btree, ManyInsertAtOnce) {
  run_server([](AccessServer& server) {
    constexpr int kTasks = 4, kEach = 1500;
    server.run_session([](Task&) { TestIndex(int4_shape()).create(); });
    for (int t = 0; t < kTasks; ++t) {
      server.spawn_session([t](Task& task) {
        TestIndex index(int4_shape());
        std::mt19937 random(static_cast<unsigned>(t));
        for (int i = 0; i < kEach; ++i) {
          int row = t * kEach + i;
          // Two of them grow at the right end, two insert anywhere.
          index.insert(t < 2 ? row : static_cast<int>(random() % 5000), row);
          task.check_interrupts();
        }
      });
    }
    server.spawn_session([](Task& task) {
      TestIndex index(int4_shape());
      for (int i = 0; i < 8; ++i) {
        std::vector<ItemPointer> forward = index.scan({});
        EXPECT_IN_MODEL(std::set(forward.begin(), forward.end()).size() == forward.size());
        index.scan({}, ScanDirection::kBackward);
        IndexVacuumResult result;
        btree_bulk_delete(
            index.index, {}, [](const ItemPointer& tid) { return tid.offset == 7; }, result);
        task.check_interrupts();
      }
    });
    server.wait_for_all();
    server.run_session([](Task&) {
      TestIndex index(int4_shape());
      IndexVacuumResult result;
      btree_bulk_delete(
          index.index, {}, [](const ItemPointer& tid) { return tid.offset == 7; }, result);
      EXPECT_IN_MODEL(index.check().entries().size() == kTasks * kEach * 99 / 100);
    });
  });
}

TEST_P(Btree, OrdersNullsAndDescendingColumns) {
  run([](Task&) {
    IndexShape shape{.tuple = TupleShape({int4_column(), int4_column()}),
                     .keys = {{.compare = compare_int4, .descending = true, .nulls_first = true},
                              {.compare = compare_int4}}};
    TestIndex index(shape);
    index.create();
    std::mt19937 random(3);
    for (int i = 0; i < 3000; ++i) {
      Datum values[] = {datum_from_int32(static_cast<int>(random() % 50)),
                        datum_from_int32(static_cast<int>(random() % 10))};
      bool nulls[] = {random() % 10 == 0, random() % 10 == 0};
      btree_insert(index.index, values, nulls, tid_of(i), UniqueCheck::kNo, index.table);
    }
    std::vector<ItemPointer> all = index.scan({});
    EXPECT_IN_MODEL(all.size() == 3000);
    BtreeChecker checker = index.check();
    // Every condition, checked the slow way.
    using Kind = BtreeCondition::Kind;
    Datum elements[] = {datum_from_int32(9), datum_from_int32(3), datum_from_int32(9)};
    std::vector<std::vector<BtreeCondition>> cases = {
        {{.column = 0, .kind = Kind::kIsNull}},
        {{.column = 0, .kind = Kind::kIsNotNull}},
        {{.column = 1, .kind = Kind::kIsNull}},
        {condition(BtreeStrategy::kLess, 20)},
        {condition(BtreeStrategy::kGreaterEqual, 20)},
        {condition(BtreeStrategy::kLess, 20), condition(BtreeStrategy::kLessEqual, 10)},
        {condition(BtreeStrategy::kEqual, 7), condition(BtreeStrategy::kGreater, 4, 1)},
        {condition(BtreeStrategy::kEqual, 7), condition(BtreeStrategy::kLess, 3)},
        {condition(BtreeStrategy::kGreaterEqual, 40), condition(BtreeStrategy::kLessEqual, 4, 1)},
        {{.column = 0, .kind = Kind::kAnyOf, .elements = elements},
         condition(BtreeStrategy::kEqual, 5, 1)},
        {condition(BtreeStrategy::kGreater, 30, 0),
         {.column = 1, .kind = Kind::kAnyOf, .elements = elements}},
    };
    auto holds = [&](const BtreeCondition& c, const IndexTuple& tuple) {
      bool is_null;
      int value = datum_to_int32(index_attribute(tuple, index.shape, c.column, is_null));
      if (c.kind == Kind::kIsNull) return is_null;
      if (c.kind == Kind::kIsNotNull) return !is_null;
      if (is_null) return false;
      if (c.kind == Kind::kAnyOf) return value == 9 || value == 3;
      int other = datum_to_int32(c.value);
      switch (c.strategy) {
        case BtreeStrategy::kLess:
          return value < other;
        case BtreeStrategy::kLessEqual:
          return value <= other;
        case BtreeStrategy::kEqual:
          return value == other;
        case BtreeStrategy::kGreaterEqual:
          return value >= other;
        default:
          return value > other;
      }
    };
    for (const auto& conditions : cases) {
      std::vector<ItemPointer> expected;
      for (const auto& entry : checker.entries()) {
        if (std::all_of(conditions.begin(), conditions.end(),
                        [&](const auto& c) { return holds(c, *entry.tuple); })) {
          expected.push_back(entry.tid);
        }
      }
      std::vector<ItemPointer> found = index.scan(conditions);
      std::vector<ItemPointer> backward = index.scan(conditions, ScanDirection::kBackward);
      std::reverse(backward.begin(), backward.end());
      bool several_lists = conditions.size() > 1 && conditions.back().kind == Kind::kAnyOf;
      if (several_lists) {
        // One list element after another, not in the order of the index.
        std::sort(expected.begin(), expected.end());
        std::sort(found.begin(), found.end());
        std::sort(backward.begin(), backward.end());
      }
      EXPECT_IN_MODEL(found == expected);
      EXPECT_IN_MODEL(backward == expected);
    }
  });
}

TEST_P(Btree, GoesBackToTheMark) {
  run([](Task&) {
    TestIndex index(int4_shape());
    index.create();
    for (int i = 0; i < 5000; ++i) index.insert(i / 4, i);
    BtreeScan scan(index.index, {.want_tuples = true});
    scan.rescan(std::vector{condition(BtreeStrategy::kGreaterEqual, 100)});
    for (int i = 0; i < 10; ++i) EXPECT_IN_MODEL(scan.next());
    EXPECT_IN_MODEL(scan.tid() == tid_of(409));
    scan.mark();
    for (int skip : {3, 2000}) {
      for (int i = 0; i < skip; ++i) EXPECT_IN_MODEL(scan.next());
      EXPECT_IN_MODEL(scan.tid() == tid_of(409 + skip));
      bool is_null;
      EXPECT_IN_MODEL(datum_to_int32(index_attribute(scan.tuple(), index.shape, 0, is_null)) ==
                      (409 + skip) / 4);
      scan.restore();
      EXPECT_IN_MODEL(scan.tid() == tid_of(409));
    }
    EXPECT_IN_MODEL(scan.next(ScanDirection::kBackward) && scan.tid() == tid_of(408));
    for (int i = 0; i < 8; ++i) EXPECT_IN_MODEL(scan.next(ScanDirection::kBackward));
    EXPECT_IN_MODEL(scan.tid() == tid_of(400));
    EXPECT_IN_MODEL(!scan.next(ScanDirection::kBackward));
  });
}

TEST_P(Btree, KilledEntriesMakeRoom) {
  run([](Task&) {
    TestIndex index(int4_shape());
    index.create();
    int row = 0;
    while (index.blocks() < 3) index.insert(row % 200, row), ++row;
    BlockNumber blocks = index.blocks();
    // Everything but one row of each key is dead, and a scan finds that out.
    BtreeScan scan(index.index, {});
    scan.rescan({});
    int killed = 0;
    while (scan.next()) {
      if (scan.tid().block() == 0) continue;
      scan.kill_current();
      ++killed;
    }
    EXPECT_IN_MODEL(killed > 0 && static_cast<int>(index.scan({}).size()) == row - killed);
    for (int i = 0; i < killed / 2; ++i, ++row) index.insert(i % 200, row);
    EXPECT_IN_MODEL(index.blocks() == blocks);
    index.check();
  });
}

TEST_P(Btree, BuildsFromSortedRowsInMemoryAndFromRuns) {
  run([](Task&) {
    uint32_t number = 20001;
    for (size_t memory : {size_t{64} << 20, size_t{100} << 10}) {
      TestIndex index(int4_shape(), number++);
      create_relation_file(index.relation.file, ForkNumber::kMain);
      BtreeBuild build(index.index, memory);
      std::mt19937 random(11);
      Model model;
      for (int i = 0; i < 12000; ++i) {
        int key = static_cast<int>(random() % 20000);
        Datum value = datum_from_int32(key);
        bool null = false;
        build.add(&value, &null, tid_of(i));
        model.insert({key, tid_of(i)});
      }
      EXPECT_IN_MODEL(!build.finish());
      expect_same(index, model);
      expect_ranges(index, model, random, 20000);
      // 366 entries fill a leaf to nine tenths.
      EXPECT_IN_MODEL(index.check().leaves() == (12000 + 365) / 366);
      index.insert(5, 40000);
      model.insert({5, tid_of(40000)});
      expect_same(index, model);
    }
  });
}

TEST_P(Btree, BuildRefusesDuplicates) {
  run([](Task&) {
    IndexShape shape = int4_shape();
    shape.unique = true;
    TestIndex index(shape);
    create_relation_file(index.relation.file, ForkNumber::kMain);
    for (bool duplicate_lives : {true, false}) {
      BtreeBuild build(index.index, size_t{1} << 20);
      bool null = false;
      for (int i = 0; i < 100; ++i) {
        Datum key = datum_from_int32(i);
        build.add(&key, &null, tid_of(i));
      }
      Datum again = datum_from_int32(42);
      build.add(&again, &null, tid_of(1000), duplicate_lives);
      auto duplicate = build.finish();
      EXPECT_IN_MODEL(duplicate.has_value() == duplicate_lives);
      if (duplicate) EXPECT_IN_MODEL(datum_to_int32(duplicate->values[0]) == 42);
    }
    EXPECT_IN_MODEL(index.check().entries().size() == 101);
  });
}

TEST_P(Btree, RefusesEntriesOverAThirdOfAPage) {
  run([](Task&) {
    TestIndex index({.tuple = TupleShape({text_column()}), .keys = {{.compare = compare_text}}});
    index.index.table_name = "t";
    index.create();
    Arena arena;
    std::string message =
        message_of([&] { index.insert(varlena_from(arena, std::string(3000, 'x')), 5); });
    EXPECT_IN_MODEL(
        message ==
        "index row size 3016 exceeds btree version 4 maximum 2704 for index \"t_idx\" / "
        "Index row references tuple (0,6) in relation \"t\".");
  });
}

/// The pages of one file as WAL makes them.
class Replayed {
 public:
  explicit Replayed(const RelationFile& file) : file_(file) {}

  /// Replays from the beginning; `stop` is asked after each B-tree record.
  void run(const std::function<bool(const DecodedRecord&)>& stop) {
    WalFilePages source(shared_memory().area<WalShared>().geometry(), 1, nullptr);
    WalReader reader(source, shared_memory().area<WalShared>().geometry(), 0);
    reader.seek(reader.find_first_after(kFirstLsn));
    DecodedRecord record;
    while (reader.next(record)) {
      bool ours = false;
      for (int id = 0; id <= record.block_id_max; ++id) {
        const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
        if (!block.in_use || !(block.file == file_) || block.fork != ForkNumber::kMain) continue;
        ours = true;
        replay(record, id, pages[block.block]);
      }
      if (ours && record.header.resource_manager == kManagerBtree && stop(record)) return;
    }
  }
  struct alignas(8) Bytes {
    char page[kPageBytes] = {};
  };
  std::map<BlockNumber, Bytes> pages;

 private:
  static void replay(const DecodedRecord& record, int id, Bytes& bytes) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    if (block.has_image && block.apply_image) {
      EXPECT_IN_MODEL(restore_wal_image(block, bytes.page));
      return;
    }
    if (record.header.resource_manager != kManagerBtree) return;
    if (block.will_init) std::memset(bytes.page, 0, kPageBytes);
    apply_btree_record(record, id, bytes.page);
  }
  RelationFile file_;
};

/// As btree_mask(): hints, and what a running VACUUM leaves.
void mask_page(char* page) {
  PageHeader& header = page_header(page);
  set_page_lsn(page, {});
  header.checksum = 0;
  std::memset(page + header.lower, 0, static_cast<size_t>(header.upper - header.lower));
  BtreeSpecial& special = btree_special(page);
  special.clear(kBtreeHasGarbage | kBtreeSplitEnd);
  special.cycle = 0;
}

void make_history(TestIndex& index) {
  index.create();
  std::mt19937 random(5);
  for (int i = 0; i < 6000; ++i) index.insert(static_cast<int>(random() % 3000), i);
  for (int i = 0; i < 4000; ++i) index.insert(5000 + i, 6000 + i);
  IndexVacuumResult result;
  btree_bulk_delete(
      index.index, {}, [](const ItemPointer& tid) { return tid.block() > 65 && tid.block() < 90; },
      result);
  btree_vacuum_cleanup(index.index, {}, true, result);
  EXPECT_IN_MODEL(result.pages_newly_deleted > 2);
  for (int i = 0; i < 1000; ++i) index.insert(static_cast<int>(random() % 3000), 10000 + i);
  wal_flush(wal_insert_position());
}

TEST_P(Btree, RedoGivesTheSamePages) {
  run([](Task&) {
    TestIndex index(int4_shape());
    make_history(index);
    Replayed replayed(index.relation.file);
    std::set<int> kinds;
    replayed.run([&](const DecodedRecord& record) {
      kinds.insert(record.own_info());
      return false;
    });
    for (int kind :
         {kBtreeInsertLeaf, kBtreeInsertUpper, kBtreeSplitLeft, kBtreeSplitRight, kBtreeUnlinkPage,
          kBtreeNewRoot, kBtreeMarkPageHalfDead, kBtreeVacuum, kBtreeMetaCleanup}) {
      EXPECT_IN_MODEL(kinds.contains(kind));
    }
    index.check();
    for (BlockNumber block = 0; block < index.blocks(); ++block) {
      EXPECT_IN_MODEL(replayed.pages.contains(block));
      char* made = replayed.pages[block].page;
      char* was = index.copies[block].data();
      mask_page(made);
      mask_page(was);
      EXPECT_IN_MODEL(std::memcmp(made, was, kPageBytes) == 0);
    }
  });
}

TEST_P(Btree, IncompleteSplitsAreFinished) {
  run([](Task&) {
    TestIndex index(int4_shape());
    make_history(index);
    // A server that crashed right after the first record of the n-th split.
    uint32_t number = 21000;
    for (int split : {1, 2, 5, 20}) {
      Replayed replayed(index.relation.file);
      int seen = 0;
      replayed.run([&](const DecodedRecord& record) {
        int kind = record.own_info();
        return (kind == kBtreeSplitLeft || kind == kBtreeSplitRight) && ++seen == split;
      });
      TestIndex crashed(int4_shape(), number++);
      create_relation_file(crashed.relation.file, ForkNumber::kMain);
      for (auto& [block, bytes] : replayed.pages) {
        page_set_checksum(bytes.page, block);
        extend_fork(crashed.relation.file, ForkNumber::kMain, block, bytes.page);
      }
      BtreeChecker before = crashed.check();
      EXPECT_IN_MODEL(before.incomplete_splits() == 1);
      size_t entries = before.entries().size();
      EXPECT_IN_MODEL(crashed.scan({}).size() == entries);
      for (int i = 0; i < 4000; ++i) crashed.insert(i, 50000 + i);
      for (int i = 0; i < 1000; ++i) crashed.insert(9000 + i, 60000 + i);
      BtreeChecker after = crashed.check();
      EXPECT_IN_MODEL(after.incomplete_splits() == 0);
      EXPECT_IN_MODEL(after.entries().size() == entries + 5000);
    }
  });
}

}  // namespace
}  // namespace cofork
