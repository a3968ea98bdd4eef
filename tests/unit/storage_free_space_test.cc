// The free space map: its tree, a real server's map, searching and correcting.
#include "storage/free_space.h"

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "in_storage.h"
#include "storage/buffer_pool.h"
#include "storage/free_space_page.h"
#include "test_data.h"

namespace cofork {
namespace {

constexpr RelationFile kTable{kDefaultTablespaceOid, 5, 16384};

struct MapPage {
  alignas(8) char bytes[kPageBytes];
  MapPage() { page_init(bytes, 0); }
};

int find(MapPage& page, uint8_t wanted) {
  bool damaged;
  int slot = fsm_search_page(page.bytes, wanted, false, damaged);
  EXPECT_FALSE(damaged);
  return slot;
}

TEST(FreeSpacePage, RootIsTheLargest) {
  MapPage page;
  std::mt19937 random(1);
  std::vector<uint8_t> model(kFsmSlots);
  for (int round = 0; round < 20000; ++round) {
    int slot = static_cast<int>(random() % kFsmSlots);
    auto value = static_cast<uint8_t>(random());
    bool changed = model[static_cast<size_t>(slot)] != value;
    ASSERT_EQ(fsm_set(page.bytes, slot, value), changed);
    model[static_cast<size_t>(slot)] = value;
  }
  EXPECT_EQ(fsm_largest(page.bytes), *std::max_element(model.begin(), model.end()));
  EXPECT_FALSE(fsm_rebuild(page.bytes));
  for (int wanted = 1; wanted <= 255; ++wanted) {
    int slot = find(page, static_cast<uint8_t>(wanted));
    ASSERT_NE(slot, kFsmNoSlot);
    ASSERT_GE(fsm_value(page.bytes, slot), wanted);
  }
}

TEST(FreeSpacePage, SearchGoesOnWhereItEnded) {
  MapPage page;
  for (int slot : {10, 2000, 4068}) fsm_set(page.bytes, slot, 100);
  bool damaged;
  for (int expected : {10, 2000, 4068, 10}) {
    EXPECT_EQ(fsm_search_page(page.bytes, 90, true, damaged), expected);
  }
  EXPECT_EQ(find(page, 101), kFsmNoSlot);
}

TEST(FreeSpacePage, DamageIsNoticedAndRepaired) {
  MapPage page;
  fsm_set(page.bytes, 5, 50);
  page.bytes[kPageHeaderBytes + 4] = 90;  // the root promises too much
  bool damaged;
  EXPECT_EQ(fsm_search_page(page.bytes, 80, false, damaged), kFsmNoSlot);
  EXPECT_TRUE(damaged);
  EXPECT_TRUE(fsm_rebuild(page.bytes));
  EXPECT_EQ(find(page, 80), kFsmNoSlot);
  EXPECT_EQ(find(page, 50), 5);
}

TEST(FreeSpacePage, CuttingForgetsTheRest) {
  MapPage page;
  fsm_set(page.bytes, 5, 50);
  fsm_set(page.bytes, 6, 60);
  EXPECT_TRUE(fsm_cut(page.bytes, 6));
  EXPECT_EQ(fsm_largest(page.bytes), 50);
  EXPECT_FALSE(fsm_cut(page.bytes, 6));
}

class FreeSpace : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void()>& body) {
    Limits limits = small_limits();
    limits.shared_buffers = 64;
    EXPECT_EQ(run_in_storage(GetParam(), limits,
                             [&](TestServer& server) {
                               server.spawn([&](Task&) {
                                 PendingSyncs syncs;
                                 create_relation_file(kTable, ForkNumber::kMain);
                                 body();
                               });
                               server.wait_for_all();
                             }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, FreeSpace,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutineTwoThreads),
                         model_name);

/// A table that long, without filling it.
void set_length(BlockNumber blocks) {
  std::filesystem::resize_file("base/5/16384", static_cast<uintmax_t>(blocks) * kPageBytes);
}

TEST_P(FreeSpace, ReadsARealServersMap) {
  std::string map = testing_support::read_gz(testing_support::data_path("storage/dd.fsm.bin.gz"));
  std::istringstream lines(
      testing_support::read_file(testing_support::data_path("storage/dd.freespace.csv")));
  run([&] {
    std::ofstream("base/5/16384_fsm", std::ios::binary) << map;
    std::string line;
    std::getline(lines, line);
    int compared = 0;
    while (std::getline(lines, line)) {
      BlockNumber block = static_cast<BlockNumber>(std::stoul(line));
      uint32_t avail = static_cast<uint32_t>(std::stoul(line.substr(line.find(',') + 1)));
      EXPECT_IN_MODEL(recorded_free_space(kTable, block) == avail);
      ++compared;
    }
    EXPECT_IN_MODEL(compared >= 2);
  });
}

TEST_P(FreeSpace, FindsWhatWasRecordedOnceTheUpperLevelsKnow) {
  run([] {
    set_length(20000);  // five leaf pages
    EXPECT_IN_MODEL(page_with_free_space(kTable, 100) == kInvalidBlock);
    record_free_space(kTable, 3, 640);
    record_free_space(kTable, 12345, 5000);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 100) == kInvalidBlock);
    free_space_vacuum(kTable);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 100) == 3);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 641) == 12345);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 5001) == kInvalidBlock);
    EXPECT_IN_MODEL(recorded_free_space(kTable, 12345) == 4992);
    // Root, first page of level 1, leaves 0 … 3.
    EXPECT_IN_MODEL(relation_blocks(kTable, ForkNumber::kFreeSpaceMap) == 6);
    // It was full after all: the next best.
    EXPECT_IN_MODEL(record_and_find_free_space(kTable, 3, 0, 100) == 12345);
    EXPECT_IN_MODEL(record_and_find_free_space(kTable, 12345, 40, 100) == kInvalidBlock);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 30) == 12345);
    EXPECT_IN_MODEL(message_of([] { page_with_free_space(kTable, 8161); }) ==
                    "invalid FSM request size 8161");
  });
}

TEST_P(FreeSpace, PagesPastTheEndAreNotGivenOut) {
  run([] {
    set_length(10);
    record_free_space(kTable, 5, 320);
    record_free_space(kTable, 700, 4000);
    free_space_vacuum_range(kTable, 0, 701);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 3000) == kInvalidBlock);
    EXPECT_IN_MODEL(recorded_free_space(kTable, 700) == 0);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 300) == 5);
  });
}

TEST_P(FreeSpace, TruncationForgets) {
  run([] {
    set_length(20000);
    for (BlockNumber block : {1u, 4068u, 4069u, 5000u, 15000u})
      record_free_space(kTable, block, 96);
    free_space_vacuum(kTable);
    // (The map's own pages are in WAL from here on, which this server does not have.)
    BlockNumber keep = truncate_free_space(kTable, 4500, false);
    EXPECT_IN_MODEL(keep == 4);
    drop_relation_buffers(kTable, ForkNumber::kFreeSpaceMap, keep);
    truncate_fork(kTable, ForkNumber::kFreeSpaceMap, keep);
    set_length(4500);
    free_space_vacuum(kTable);
    EXPECT_IN_MODEL(recorded_free_space(kTable, 5000) == 0);
    EXPECT_IN_MODEL(recorded_free_space(kTable, 4069) == 96);
    EXPECT_IN_MODEL(page_with_free_space(kTable, 96) == 1);
  });
}

TEST_P(FreeSpace, IndexPagesAreFreeOrNot) {
  run([] {
    set_length(50);
    record_free_index_page(kTable, 17);
    free_space_vacuum(kTable);
    EXPECT_IN_MODEL(free_index_page(kTable) == 17);
    EXPECT_IN_MODEL(free_index_page(kTable) == kInvalidBlock);
  });
}

}  // namespace
}  // namespace cofork
