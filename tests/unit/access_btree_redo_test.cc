// Redo of B-tree records against a real server's own: WAL of PostgreSQL 15.18 written with
// wal_consistency_checking = all holds, for every block a record changes, the page afterwards. And
// where the server has split its pages, so would we.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <tuple>

#include "access/btree.h"
#include "access/btree_records.h"
#include "access/btree_split_choice.h"
#include "test_data.h"
#include "types/type_oids.h"
#include "wal/reader.h"
#include "wal_test_source.h"

namespace cofork {
namespace {

using testing_support::data_path;
using testing_support::MemoryPages;
using testing_support::output_of;

struct alignas(8) PageBytes {
  char bytes[kPageBytes];
};

int compare_int4(Datum a, Datum b) {
  int32_t x = datum_to_int32(a), y = datum_to_int32(b);
  return x < y ? -1 : (x > y ? 1 : 0);
}
int compare_oid(Datum a, Datum b) {
  Oid x = datum_to_oid(a), y = datum_to_oid(b);
  return x < y ? -1 : (x > y ? 1 : 0);
}
int compare_int2(Datum a, Datum b) {
  return datum_to_int16(a) - datum_to_int16(b);
}
int compare_name(Datum a, Datum b) {
  return std::strncmp(datum_to_pointer(a), datum_to_pointer(b), 64);
}

int compare_text(Datum a, Datum b) {
  return varlena_view(a).compare(varlena_view(b));
}

Attribute column(Oid type, int16_t length, char align) {
  return {.type = type, .length = length, .by_value = length != 64, .align = align, .storage = 'p'};
}

/// Indexes whose splits are compared, by relfilenode.
std::map<uint32_t, IndexShape> known_indexes() {
  using namespace type_oid;
  Attribute oid = column(kOid, 4, 'i'), int4 = column(kInt4, 4, 'i'), int2 = column(kInt2, 2, 's'),
            name = column(kName, 64, 'c');
  IndexKey by_oid{.compare = compare_oid}, by_int4{.compare = compare_int4},
      by_int2{.compare = compare_int2}, by_name{.compare = compare_name};
  std::map<uint32_t, IndexShape> shapes;
  shapes[2658] = {.tuple = TupleShape({oid, name}), .keys = {by_oid, by_name}};
  shapes[2659] = {.tuple = TupleShape({oid, int2}), .keys = {by_oid, by_int2}};
  shapes[2662] = {.tuple = TupleShape({oid}), .keys = {by_oid}};
  shapes[2663] = {.tuple = TupleShape({name, oid}), .keys = {by_name, by_oid}};
  shapes[2673] = {.tuple = TupleShape({oid, oid, int4}), .keys = {by_oid, by_oid, by_int4}};
  shapes[2674] = {.tuple = TupleShape({oid, oid, int4}), .keys = {by_oid, by_oid, by_int4}};
  shapes[2703] = {.tuple = TupleShape({oid}), .keys = {by_oid}};
  shapes[2704] = {.tuple = TupleShape({name, oid}), .keys = {by_name, by_oid}};
  // bt_k of the segment in 0…07: wide text keys, three levels.
  shapes[16741] = {.tuple = TupleShape({{.type = kText, .length = -1, .align = 'i'}}),
                   .keys = {{.compare = compare_text}}};
  return shapes;
}

/// What redo need not reproduce (btree_mask): hints, what only a running VACUUM needs, stale bytes.
void mask_page(PageBytes& page) {
  Page bytes = page.bytes;
  PageHeader& header = page_header(bytes);
  set_page_lsn(bytes, {});
  header.checksum = 0;
  header.flags = 0;
  std::memset(bytes + header.lower, 0, static_cast<size_t>(header.upper - header.lower));
  BtreeSpecial& special = btree_special(bytes);
  if (special.is_leaf() && !special.has(kBtreeDeleted)) {
    for (OffsetNumber i = 1; i <= page_item_count(bytes); ++i) {
      ItemId& id = page_item_id(bytes, i);
      id.set_normal(id.offset(), id.length());
    }
  }
  special.clear(kBtreeHasGarbage | kBtreeSplitEnd);
  special.cycle = 0;
}

struct Replay {
  using Key = std::tuple<uint32_t, uint32_t, uint32_t, ForkNumber, BlockNumber>;
  std::map<Key, PageBytes> pages;
  std::map<int, int> compared;  ///< how often, by kind of record
  std::map<uint32_t, IndexShape> shapes = known_indexes();
  int splits_compared = 0;

  static Key key_of(const DecodedBlock& block) {
    return {block.file.tablespace, block.file.database, block.file.number, block.fork, block.block};
  }

  void replay_block(const DecodedRecord& record, int id) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    bool known = pages.contains(key_of(block));
    PageBytes& page = pages[key_of(block)];
    if (block.apply_image) {
      ASSERT_TRUE(restore_wal_image(block, page.bytes));
      return;
    }
    if (record.header.resource_manager == kManagerBtree && (known || block.will_init)) {
      if (block.will_init) std::memset(page.bytes, 0, kPageBytes);
      apply_btree_record(record, id, page.bytes);
      if (block.has_image) compare(record, id, page);
    } else if (block.has_image) {
      ASSERT_TRUE(restore_wal_image(block, page.bytes));
    }
  }

  void compare(const DecodedRecord& record, int id, const PageBytes& replayed) {
    PageBytes expected;
    ASSERT_TRUE(restore_wal_image(record.blocks[static_cast<size_t>(id)], expected.bytes));
    PageBytes made = replayed;
    mask_page(expected);
    mask_page(made);
    auto differs = std::mismatch(made.bytes, made.bytes + kPageBytes, expected.bytes);
    EXPECT_TRUE(differs.first == made.bytes + kPageBytes)
        << "info " << std::hex << int{record.header.info} << " at "
        << fmt::format("{}", record.start) << " block " << id << " differs at byte " << std::dec
        << differs.first - made.bytes;
    ++compared[record.own_info()];
  }

  /// The new tuple of a split that went to the right page: it is there at its place.
  static const IndexTuple* new_tuple_on_right(const DecodedRecord& record,
                                              const BtreeSplitRecord& split, PageBytes& right,
                                              OffsetNumber first_right) {
    std::memset(right.bytes, 0, kPageBytes);
    apply_btree_record(record, 1, right.bytes);
    auto first = btree_special(right.bytes).first_data();
    return &btree_item(static_cast<ConstPage>(right.bytes),
                       static_cast<OffsetNumber>(first + split.new_item - first_right));
  }

  void compare_split(const DecodedRecord& record) {
    const DecodedBlock& left = record.blocks[0];
    auto shape = shapes.find(left.file.number);
    if (shape == shapes.end() || !pages.contains(key_of(left)) || left.apply_image) return;
    BtreeSplitRecord split{};
    std::memcpy(static_cast<void*>(&split), record.main_data.data(), kBtreeSplitRecordBytes);
    if (split.posting_place != 0) return;
    PageBytes right;
    PageBytes tuple_bytes{};
    bool on_left = record.own_info() == kBtreeSplitLeft;
    const IndexTuple* tuple;
    if (on_left) {
      std::memcpy(tuple_bytes.bytes, left.data.data(),
                  std::min<size_t>(left.data.size(), kPageBytes));
      tuple = reinterpret_cast<const IndexTuple*>(tuple_bytes.bytes);
    } else {
      tuple = new_tuple_on_right(record, split, right, split.first_right);
    }
    SplitPlace place = btree_choose_split(pages[key_of(left)].bytes, shape->second, split.new_item,
                                          *tuple, 90, "index");
    ++splits_compared;
    bool equal = place.first_right == split.first_right && place.new_item_on_left == on_left;
    EXPECT_TRUE(equal) << "index " << left.file.number << " level " << split.level << " items "
                       << page_item_count(pages[key_of(left)].bytes) << " new item at "
                       << split.new_item << ": " << place.first_right << " instead of "
                       << split.first_right << (on_left ? " (left)" : " (right)");
  }

  void run(MemoryPages& source, Lsn start) {
    WalReader reader(source, WalGeometry(), 0);
    reader.seek(reader.find_first_after(start));
    DecodedRecord record;
    while (reader.next(record)) {
      if (record.header.resource_manager == kManagerBtree &&
          (record.own_info() == kBtreeSplitLeft || record.own_info() == kBtreeSplitRight)) {
        compare_split(record);
      }
      for (int id = 0; id <= record.block_id_max; ++id) {
        if (record.blocks[static_cast<size_t>(id)].in_use) replay_block(record, id);
      }
    }
  }
};

std::string unpack(const char* name) {
  return output_of("xz -dc '" + data_path(std::string("wal/") + name) + "'");
}

TEST(BtreeRedo, GivesThePagesOfARealServer) {
  MemoryPages source(unpack("consistency_00000001000000000000000A.xz") +
                         unpack("consistency_00000001000000000000000B.xz"),
                     {0xA000000});
  Replay replay;
  replay.run(source, {0xA000000});
  for (int info : {kBtreeInsertLeaf, kBtreeInsertUpper, kBtreeInsertMeta, kBtreeSplitLeft,
                   kBtreeSplitRight, kBtreeDelete, kBtreeUnlinkPage, kBtreeUnlinkPageMeta,
                   kBtreeNewRoot, kBtreeMarkPageHalfDead, kBtreeVacuum, kBtreeMetaCleanup}) {
    EXPECT_GT(replay.compared[info], 0) << "info " << info;
  }
  EXPECT_GT(replay.splits_compared, 0);
}

TEST(BtreeRedo, SplitsWhereTheServerDoes) {
  MemoryPages source(testing_support::read_gz(data_path("wal/000000010000000000000007.gz")),
                     {0x7000000});
  Replay replay;
  replay.run(source, {0x7000000});
  EXPECT_GE(replay.splits_compared, 20);
}

TEST(BtreeRedo, PostingListsTakeRows) {
  MemoryPages source(unpack("consistency2_00000001000000000000000C.xz") +
                         unpack("consistency2_00000001000000000000000D.xz") +
                         unpack("consistency2_00000001000000000000000E.xz"),
                     {0xC000000});
  Replay replay;
  replay.run(source, {0xC000000});
  EXPECT_GT(replay.compared[kBtreeInsertPosting], 100);
  EXPECT_GT(replay.compared[kBtreeDedup], 10);
  EXPECT_GT(replay.compared[kBtreeVacuum], 0);
}

}  // namespace
}  // namespace cofork
