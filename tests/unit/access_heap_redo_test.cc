// Redo of heap records against a real server's own: WAL of PostgreSQL 15.18 written with
// wal_consistency_checking = all holds, for every block a record changes, the page afterwards.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <initializer_list>
#include <map>
#include <tuple>

#include "access/heap_redo.h"
#include "access/heap_wal.h"
#include "test_data.h"
#include "wal/reader.h"
#include "wal_test_source.h"

namespace cofork {
namespace {

using testing_support::data_path;
using testing_support::MemoryPages;
using testing_support::output_of;

using PageBytes = std::array<char, kPageBytes>;

/// What redo need not reproduce: hints, stale bytes, what only the doing transaction knows.
void mask_heap_page(PageBytes& bytes, BlockNumber block) {
  Page page = bytes.data();
  PageHeader& header = page_header(page);
  set_page_lsn(page, {});
  header.checksum = 0;
  header.prune_xid = 0;
  header.flags = static_cast<uint16_t>(header.flags & kPageAllVisible);
  std::memset(page + header.lower, 0, static_cast<size_t>(header.upper - header.lower));
  for (OffsetNumber i = 1; i <= page_item_count(page); ++i) {
    ItemId id = page_item_id(page, i);
    if (!id.is_normal()) continue;
    auto& tuple = *reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
    uint16_t hints = kTupleXmaxCommitted | kTupleXmaxInvalid | kTupleComboCommand;
    if (!tuple.xmin_is_frozen()) hints |= kTupleXminFrozen;
    tuple.infomask = static_cast<uint16_t>(tuple.infomask & ~hints);
    tuple.command = 0;
    if (tuple.is_speculative()) tuple.ctid = {block, i};
    std::memset(page_item(page, id) + id.length(), 0, align8(id.length()) - id.length());
  }
}

struct Replay {
  using Key = std::tuple<uint32_t, uint32_t, uint32_t, ForkNumber, BlockNumber>;
  std::map<Key, PageBytes> pages;
  std::map<int, int> compared;  ///< how often, by resource manager and kind of record

  static bool is_heap(const DecodedRecord& record) {
    uint8_t manager = record.header.resource_manager;
    return manager == kManagerHeap || manager == kManagerHeap2;
  }

  void replay_block(const DecodedRecord& record, int id) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    Key key{block.file.tablespace, block.file.database, block.file.number, block.fork, block.block};
    bool known = pages.contains(key);
    PageBytes& page = pages[key];
    if (block.apply_image) {
      ASSERT_TRUE(restore_wal_image(block, page.data()));
      return;
    }
    bool can_apply = is_heap(record) && block.fork == ForkNumber::kMain;
    if (can_apply && (known || block.will_init)) {
      if (block.will_init) page.fill(0);
      apply_heap_record(record, id, page.data());
      if (block.has_image) compare(record, id, page);
    } else if (block.has_image) {
      ASSERT_TRUE(restore_wal_image(block, page.data()));
    }
  }

  void compare(const DecodedRecord& record, int id, const PageBytes& replayed) {
    PageBytes expected;
    ASSERT_TRUE(restore_wal_image(record.blocks[static_cast<size_t>(id)], expected.data()));
    PageBytes made = replayed;
    BlockNumber block = record.blocks[static_cast<size_t>(id)].block;
    mask_heap_page(expected, block);
    mask_heap_page(made, block);
    auto differs = std::mismatch(made.begin(), made.end(), expected.begin());
    EXPECT_TRUE(differs.first == made.end())
        << "manager " << int{record.header.resource_manager} << " info " << std::hex
        << int{record.header.info} << " at " << fmt::format("{}", record.start) << " block " << id
        << " differs at byte " << std::dec << differs.first - made.begin();
    ++compared[record.header.resource_manager << 8 | record.own_info()];
  }

  void run(MemoryPages& source, Lsn start) {
    WalReader reader(source, WalGeometry(), 0);
    reader.seek(reader.find_first_after(start));
    DecodedRecord record;
    while (reader.next(record) && !testing::Test::HasFailure()) {
      // As redo does it: the old version's page before the new one's.
      for (int id = record.block_id_max; id >= 0; --id) {
        if (record.blocks[static_cast<size_t>(id)].in_use) replay_block(record, id);
      }
    }
  }
};

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
  Replay replay;
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
  Replay replay;
  replay.run(source, {0xC000000});
  EXPECT_GT(replay.compared[key_of(kManagerHeap, kHeapConfirm)], 0);
  EXPECT_GT(replay.compared[key_of(kManagerHeap, kHeapHotUpdate)], 0);
}

}  // namespace
}  // namespace cofork
