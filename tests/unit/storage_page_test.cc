// Pages: layout, adding and removing items, packing, checksums against a real server's pages.
#include "storage/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "support/error.h"
#include "test_data.h"

namespace cofork {
namespace {

struct alignas(8) PageBytes {
  char bytes[kPageBytes] = {};
  operator Page() { return bytes; }  // NOLINT: a page wherever one is expected
};

OffsetNumber add(Page page, const std::string& item, OffsetNumber where = kInvalidOffset,
                 uint32_t flags = 0) {
  return page_add_item(page, item.data(), static_cast<uint32_t>(item.size()), where, flags);
}

std::string item_text(Page page, OffsetNumber number) {
  ItemId id = page_item_id(page, number);
  return {page_item(page, id), id.length()};
}

TEST(Page, InitLeavesRoomForSpecialSpace) {
  PageBytes page;
  page_init(page, 13);
  EXPECT_EQ(page_header(page).lower, 24);
  EXPECT_EQ(page_header(page).upper, 8176);
  EXPECT_EQ(page_header(page).special, 8176);
  EXPECT_EQ(page_header(page).size_and_version, 0x2004);
  EXPECT_EQ(page_special_bytes(page), 16u);
  EXPECT_EQ(page_free_space(page), 8176u - 24 - 4);
  EXPECT_TRUE(page_is_empty(page));
  EXPECT_FALSE(page_is_new(page));
}

TEST(Page, LsnIsStoredHighWordFirst) {
  PageBytes page;
  set_page_lsn(page, Lsn{0x0123456789ABCDEF});
  EXPECT_EQ(page_lsn(page), Lsn{0x0123456789ABCDEF});
  uint32_t first;
  std::memcpy(&first, page.bytes, 4);
  EXPECT_EQ(first, 0x01234567u);
}

TEST(Page, ItemsGrowDownAndIdsGrowUp) {
  PageBytes page;
  page_init(page, 0);
  EXPECT_EQ(add(page, "first"), 1);
  EXPECT_EQ(add(page, "second, longer"), 2);
  EXPECT_EQ(page_item_id(page, 1).offset(), 8184u);
  EXPECT_EQ(page_item_id(page, 1).length(), 5u);
  EXPECT_EQ(page_item_id(page, 2).offset(), 8168u);
  EXPECT_EQ(item_text(page, 2), "second, longer");
  EXPECT_EQ(page_header(page).lower, 32);
}

TEST(Page, InsertingInTheMiddleShiftsIds) {
  PageBytes page;
  page_init(page, 16);
  add(page, "aaaaaaaa");
  add(page, "cccccccc");
  EXPECT_EQ(add(page, "bbbbbbbb", 2), 2);
  EXPECT_EQ(item_text(page, 1), "aaaaaaaa");
  EXPECT_EQ(item_text(page, 2), "bbbbbbbb");
  EXPECT_EQ(item_text(page, 3), "cccccccc");
}

TEST(Page, UnusedIdIsTakenOnlyWithTheHint) {
  PageBytes page;
  page_init(page, 0);
  for (const char* text : {"one", "two", "three"}) add(page, text);
  page_item_id(page, 2).set_unused();
  EXPECT_EQ(add(page, "four"), 4);
  page_repair_fragmentation(page);
  EXPECT_NE(page_header(page).flags & kPageHasFreeLines, 0);
  EXPECT_EQ(add(page, "five"), 2);
}

TEST(Page, FillsUpAndThenRefuses) {
  PageBytes page;
  page_init(page, 0);
  int added = 0;
  while (add(page, std::string(100, 'x')) != kInvalidOffset) ++added;
  EXPECT_EQ(added, (8192 - 24) / (104 + 4));
  EXPECT_LT(page_free_space(page), 104u);
}

TEST(Page, RepairPacksInItemIdOrder) {
  PageBytes page;
  page_init(page, 0);
  for (const char* text : {"11111111", "22222222", "33333333", "44444444"}) add(page, text);
  // 4 before 1: the order of ids decides, not of places.
  ItemId first = page_item_id(page, 1);
  page_item_id(page, 1) = page_item_id(page, 4);
  page_item_id(page, 4) = first;
  page_item_id(page, 2).set_unused();
  page_repair_fragmentation(page);
  EXPECT_EQ(page_item_id(page, 1).offset(), 8184u);
  EXPECT_EQ(item_text(page, 1), "44444444");
  EXPECT_EQ(page_item_id(page, 3).offset(), 8176u);
  EXPECT_EQ(item_text(page, 3), "33333333");
  EXPECT_EQ(page_item_id(page, 4).offset(), 8168u);
  EXPECT_EQ(item_text(page, 4), "11111111");
  EXPECT_EQ(page_header(page).upper, 8168);
}

TEST(Page, TruncateForgetsUnusedIdsAtTheEnd) {
  PageBytes page;
  page_init(page, 0);
  for (int i = 0; i < 4; ++i) add(page, "12345678");
  page_item_id(page, 1).set_unused();
  page_item_id(page, 3).set_unused();
  page_item_id(page, 4).set_unused();
  page_truncate_item_ids(page);
  EXPECT_EQ(page_item_count(page), 2);
  EXPECT_NE(page_header(page).flags & kPageHasFreeLines, 0);
}

TEST(Page, IndexDeleteMovesIdsAndBytes) {
  for (std::vector<OffsetNumber> gone :
       {std::vector<OffsetNumber>{2}, {1, 3}, {1, 3, 5}, {1, 2, 3, 4, 5, 6}}) {
    PageBytes page;
    page_init(page, 16);
    std::vector<std::string> expected;
    for (OffsetNumber n = 1; n <= 6; ++n) {
      std::string item(static_cast<size_t>(n) * 8, static_cast<char>('0' + n));
      add(page, item);
      if (std::find(gone.begin(), gone.end(), n) == gone.end()) expected.push_back(item);
    }
    page_index_multi_delete(page, gone);
    ASSERT_EQ(page_item_count(page), expected.size());
    size_t bytes = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(item_text(page, static_cast<OffsetNumber>(i + 1)), expected[i]);
      bytes += expected[i].size();
    }
    EXPECT_EQ(page_header(page).upper, 8176 - bytes);
  }
}

TEST(Page, IndexOverwriteKeepsNumberAndNeighbours) {
  PageBytes page;
  page_init(page, 16);
  for (const char* text : {"11111111", "22222222", "33333333"}) add(page, text);
  std::string longer(24, 'L');
  EXPECT_TRUE(page_index_tuple_overwrite(page, 2, longer.data(), 24));
  EXPECT_EQ(item_text(page, 1), "11111111");
  EXPECT_EQ(item_text(page, 2), longer);
  EXPECT_EQ(item_text(page, 3), "33333333");
  EXPECT_TRUE(page_index_tuple_overwrite(page, 2, "2", 1));
  EXPECT_EQ(item_text(page, 2), "2");
  EXPECT_EQ(item_text(page, 3), "33333333");
  EXPECT_EQ(page_header(page).upper, 8176 - 24);
  std::string huge(8100, 'H');
  EXPECT_TRUE(page_index_tuple_overwrite(page, 2, huge.data(), 8100));
  EXPECT_FALSE(page_index_tuple_overwrite(page, 2, huge.data(), 8150));
}

TEST(Page, DamagedPointersAreRefused) {
  PageBytes page;
  page_init(page, 0);
  add(page, "item");
  page_header(page).lower = 9000;
  try {
    add(page, "more");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.data().severity, Severity::kPanic);
    EXPECT_EQ(error.data().message,
              "corrupted page pointers: lower = 9000, upper = 8184, special = 8192");
  }
  EXPECT_THROW(page_repair_fragmentation(page), Error);
}

TEST(Page, ChecksumsAreThoseOfARealServer) {
  std::string pages = testing_support::read_gz(testing_support::data_path("storage/pages.bin.gz"));
  std::istringstream lines(
      testing_support::read_file(testing_support::data_path("storage/checksums.csv")));
  std::string line;
  std::getline(lines, line);  // names of the columns
  int compared = 0;
  while (std::getline(lines, line)) {
    std::vector<std::string> fields;
    std::istringstream columns(line);
    for (std::string field; std::getline(columns, field, ',');) fields.push_back(field);
    PageBytes page;
    std::memcpy(page.bytes, pages.data() + std::stoul(fields[0]) * kPageBytes, kPageBytes);
    auto block = static_cast<BlockNumber>(std::stoul(fields[2]));
    EXPECT_EQ(page_checksum(page, block), std::stoul(fields[3])) << line;
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

TEST(Page, VerifyTellsDamageFromZeros) {
  PageBytes page;
  EXPECT_TRUE(page_verify(page, 0, true, false).valid);
  page.bytes[5000] = 1;  // new by its header, but not all zeros
  EXPECT_FALSE(page_verify(page, 0, true, false).valid);
  page_init(page, 0);
  add(page, "item");
  page_set_checksum(page, 7);
  EXPECT_TRUE(page_verify(page, 7, true, false).valid);
  PageCheck wrong_place = page_verify(page, 8, true, false);
  EXPECT_FALSE(wrong_place.valid);
  EXPECT_TRUE(wrong_place.checksum_failed);
  EXPECT_EQ(wrong_place.expected, page_header(page).checksum);
  EXPECT_TRUE(page_verify(page, 8, true, true).valid);
  EXPECT_TRUE(page_verify(page, 8, false, false).valid);
  page_header(page).flags = 0x10;
  EXPECT_FALSE(page_verify(page, 8, true, true).valid);
}

}  // namespace
}  // namespace cofork
