// Redo of heap records against a real server's own: WAL of PostgreSQL 15.18 written with
// wal_consistency_checking = all holds, for every block a record changes, the page afterwards.
#include <gtest/gtest.h>

#include <initializer_list>

#include "access_heap_replay.h"
#include "test_data.h"

namespace cofork {
namespace {

using testing_support::data_path;
using testing_support::MemoryPages;
using testing_support::output_of;

std::string unpack(const char* name) {
  return output_of("xz -dc '" + data_path(std::string("wal/") + name) + "'");
}

int key_of(uint8_t manager, int info) {
  return manager << 8 | info;
}

TEST(HeapRedo, GivesThePagesOfARealServer) {
  MemoryPages source(unpack("consistency_00000001000000000000000A.xz") +
                         unpack("consistency_00000001000000000000000B.xz"),
                     {0xA000000});
  HeapReplay replay;
  replay.run(source, {0xA000000});
  for (int info :
       std::initializer_list<int>{kHeapInsert, kHeapDelete, kHeapUpdate, kHeapHotUpdate, kHeapLock,
                                  kHeapInplace, kHeapInsert | kHeapInitPage}) {
    EXPECT_GT(replay.compared[key_of(kManagerHeap, info)], 0) << "info " << info;
  }
  for (int info :
       std::initializer_list<int>{kHeap2Prune, kHeap2Vacuum, kHeap2FreezePage, kHeap2Visible,
                                  kHeap2MultiInsert, int{kHeap2MultiInsert} | kHeapInitPage}) {
    EXPECT_GT(replay.compared[key_of(kManagerHeap2, info)], 0) << "info " << info;
  }
}

TEST(HeapRedo, SpeculativeInsertionsAreConfirmed) {
  MemoryPages source(unpack("consistency2_00000001000000000000000C.xz") +
                         unpack("consistency2_00000001000000000000000D.xz") +
                         unpack("consistency2_00000001000000000000000E.xz"),
                     {0xC000000});
  HeapReplay replay;
  replay.run(source, {0xC000000});
  EXPECT_GT(replay.compared[key_of(kManagerHeap, kHeapConfirm)], 0);
  EXPECT_GT(replay.compared[key_of(kManagerHeap, kHeapHotUpdate)], 0);
}

}  // namespace
}  // namespace cofork
