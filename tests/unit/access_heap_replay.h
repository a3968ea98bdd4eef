// Replaying heap records on pages in memory, and comparing pages as redo is expected to make them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <tuple>

#include "access/heap_redo.h"
#include "access/heap_wal.h"
#include "test_data.h"
#include "wal/reader.h"
#include "wal_test_source.h"

namespace cofork {

using testing_support::MemoryPages;

using PageBytes = std::array<char, kPageBytes>;

/// What redo need not reproduce: hints, stale bytes, what only the doing transaction knows.
inline void mask_heap_page(PageBytes& bytes, BlockNumber block) {
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

struct HeapReplay {
  using Key = std::tuple<uint32_t, uint32_t, uint32_t, ForkNumber, BlockNumber>;
  std::map<Key, PageBytes> pages;
  std::map<int, int> compared;  ///< how often, by resource manager and kind of record

  Lsn end;  ///< where reading ended

  static bool is_heap(const DecodedRecord& record) {
    uint8_t manager = record.header.resource_manager;
    return manager == kManagerHeap || manager == kManagerHeap2;
  }

  static Key key_of_heap(const RelationFile& file, BlockNumber block) {
    return {file.tablespace, file.database, file.number, ForkNumber::kMain, block};
  }
  bool has_page(const RelationFile& file, BlockNumber block) const {
    return pages.contains(key_of_heap(file, block));
  }
  /// First byte in which the replayed page differs from this one, masked; -1: none.
  int difference(const RelationFile& file, BlockNumber block, ConstPage page) const {
    PageBytes made = pages.at(key_of_heap(file, block));
    PageBytes expected;
    std::copy_n(page, kPageBytes, expected.begin());
    mask_heap_page(made, block);
    mask_heap_page(expected, block);
    auto found = std::mismatch(made.begin(), made.end(), expected.begin());
    return found.first == made.end() ? -1 : static_cast<int>(found.first - made.begin());
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
      if (block.has_image) compare(record, id);
    } else if (block.has_image) {
      ASSERT_TRUE(restore_wal_image(block, page.data()));
    }
  }

  void compare(const DecodedRecord& record, int id) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    PageBytes expected;
    ASSERT_TRUE(restore_wal_image(block, expected.data()));
    EXPECT_EQ(difference(block.file, block.block, expected.data()), -1)
        << "manager " << int{record.header.resource_manager} << " info " << std::hex
        << int{record.header.info} << " at " << fmt::format("{}", record.start) << " block " << id;
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
    end = reader.end();
  }
};

}  // namespace cofork
