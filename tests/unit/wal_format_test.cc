// Arithmetic of WAL positions and names.
#include "wal/format.h"

#include <gtest/gtest.h>

namespace cofork {
namespace {

TEST(WalGeometry, SegmentNames) {
  WalGeometry geometry;
  EXPECT_EQ(geometry.segment_name(1, 1), "000000010000000000000001");
  EXPECT_EQ(geometry.segment_name(2, 0x2FF), "0000000200000002000000FF");
  EXPECT_EQ(WalGeometry(1u << 20).segment_name(1, 0x1234), "000000010000000100000234");
  auto parsed = geometry.parse_segment_name("0000000200000002000000FF");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->timeline, 2u);
  EXPECT_EQ(parsed->segment, 0x2FFu);
  EXPECT_FALSE(geometry.parse_segment_name("0000000200000002000000ff").has_value());
  EXPECT_FALSE(geometry.parse_segment_name("0000000200000002000000FF.partial").has_value());
  EXPECT_TRUE(is_wal_partial_segment_name("0000000200000002000000FF.partial"));
}

TEST(WalGeometry, PositionsThereAndBack) {
  for (uint32_t segment_bytes : {1u << 20, 16u << 20}) {
    WalGeometry geometry(segment_bytes);
    WalBytePosition begin = geometry.byte_position(geometry.segment_start(3) - 3 * 8192);
    for (WalBytePosition position = begin; position < begin + 6 * 8192; position += 8) {
      Lsn start = geometry.start_lsn(position);
      ASSERT_EQ(geometry.byte_position(start), position);
      ASSERT_EQ(geometry.byte_position(geometry.end_lsn(position)), position);
      ASSERT_GE(wal_page_offset(start.value), geometry.header_bytes({wal_page_start(start.value)}));
      ASSERT_LE(geometry.end_lsn(position), start);
    }
  }
}

TEST(WalGeometry, PageBoundaries) {
  WalGeometry geometry;
  WalBytePosition first = geometry.byte_position({0x1000028});
  EXPECT_EQ(geometry.start_lsn(first), Lsn{0x1000028});
  EXPECT_EQ(geometry.end_lsn(first), Lsn{0x1000000});
  WalBytePosition second_page = first + 8192 - 40;
  EXPECT_EQ(geometry.start_lsn(second_page), Lsn{0x1002018});
  EXPECT_EQ(geometry.end_lsn(second_page), Lsn{0x1002000});
}

TEST(Lsn, Text) {
  EXPECT_EQ(Lsn{0x17414D0}.text(), "0/17414D0");
  EXPECT_EQ((Lsn{0xAB00000001}.text()), "AB/1");
  EXPECT_EQ(fmt::format("{}", Lsn{}), "0/0");
}

}  // namespace
}  // namespace cofork
