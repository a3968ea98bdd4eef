// The WAL reader and the record builder against segments written by PostgreSQL 15 and the text
// pg_waldump prints for them; and every way in which WAL can end.
#include "wal/reader.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>
#include <vector>

#include "support/bytes.h"
#include "support/crc32c.h"
#include "test_data.h"
#include "wal_test_source.h"

namespace cofork {
namespace {

using testing_support::data_path;
using testing_support::MemoryPages;
using testing_support::read_file;
using testing_support::read_gz;

constexpr const char* kManagerNames[] = {
    "XLOG",       "Transaction",   "Storage", "CLOG",     "Database",
    "Tablespace", "MultiXact",     "RelMap",  "Standby",  "Heap2",
    "Heap",       "Btree",         "Hash",    "Gin",      "Gist",
    "Sequence",   "SPGist",        "BRIN",    "CommitTs", "ReplicationOrigin",
    "Generic",    "LogicalMessage"};

std::string fixed_lsn(Lsn lsn) {
  return fmt::format("{:X}/{:08X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFu);
}

/// The blocks a record refers to.
std::vector<std::pair<int, const DecodedBlock*>> blocks_of(const DecodedRecord& record) {
  std::vector<std::pair<int, const DecodedBlock*>> found;
  for (int id = 0; id <= record.block_id_max; ++id) {
    const DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    if (block.in_use) found.emplace_back(id, &block);
  }
  return found;
}

/// What pg_waldump prints before the description.
std::string dump_prefix(const DecodedRecord& record) {
  uint64_t images = 0;
  for (auto [id, block] : blocks_of(record)) images += block->image.size();
  return fmt::format(
      "rmgr: {:<11} len (rec/tot): {:>6}/{:>6}, tx: {:>10}, lsn: {}, prev {}, desc: ",
      kManagerNames[record.header.resource_manager], record.header.total_length - images,
      record.header.total_length, record.header.xid, fixed_lsn(record.start),
      fixed_lsn({record.header.previous}));
}

/// What it prints after the description.
std::string dump_suffix(const DecodedRecord& record) {
  static constexpr const char* kForks[] = {"", " fork fsm", " fork vm", " fork init"};
  std::string out;
  for (auto [id, block] : blocks_of(record)) {
    out += fmt::format(", blkref #{}: rel {}/{}/{}{} blk {}", id, block->file.tablespace,
                       block->file.database, block->file.number,
                       kForks[static_cast<int>(block->fork)], block->block);
    if (block->has_image) out += block->apply_image ? " FPW" : " FPW for WAL verification";
  }
  return out;
}

/// Builds the record again from its parts; "" when it holds something the builder does not write.
std::string rebuilt(const DecodedRecord& record) {
  if (record.origin != 0 || record.toplevel_xid != 0) return "";
  WalRecordBuilder builder;
  builder.begin(record.header.resource_manager, record.header.info, record.header.xid);
  std::vector<std::string> pages(record.blocks.size());
  for (auto [id, block] : blocks_of(record)) {
    if (block->has_image && !block->apply_image) return "";
    auto flags = static_cast<uint8_t>(block->will_init ? kWalBlockReinitialized : kWalBlockNoImage);
    std::string& page = pages[static_cast<size_t>(id)];
    page.resize(kWalPageBytes);
    if (block->has_image) {
      EXPECT_TRUE(restore_wal_image(*block, page.data()));
      flags = kWalBlockForceImage | kWalBlockKeepData;
      if (block->image_info & kWalImageHasHole) flags |= kWalBlockStandardPage;
    }
    builder.add_block(
        {static_cast<uint8_t>(id), block->file, block->fork, block->block, page.data(), flags});
    if (block->has_data) {
      builder.add_block_data(static_cast<uint8_t>(id), block->data.data(), block->data.size());
    }
  }
  builder.add_main(record.main_data.data(), record.main_data.size());
  builder.assemble({{}, true});
  return wal_record_bytes(builder, {record.header.previous});
}

struct Dumped {
  int records = 0;
  int rebuilt = 0;
  std::string end;
};

/// Reads from `first` on and holds every record against its line of pg_waldump.
Dumped compare_with_dump(MemoryPages& pages, Lsn first, const std::string& dump) {
  WalReader reader(pages, WalGeometry(), 0);
  reader.seek(first);
  DecodedRecord record;
  std::istringstream lines(dump);
  Dumped result;
  while (std::getline(lines, result.end) && result.end.starts_with("rmgr:")) {
    const std::string& line = result.end;
    if (!reader.next(record)) {
      ADD_FAILURE() << reader.complaint() << "\n" << line;
      break;
    }
    EXPECT_TRUE(line.starts_with(dump_prefix(record))) << line << "\n" << dump_prefix(record);
    EXPECT_TRUE(line.ends_with(dump_suffix(record))) << line << "\n" << dump_suffix(record);
    // A record within one page can be compared with the stream's own bytes.
    std::string again = rebuilt(record);
    if (!again.empty() && wal_page_offset(record.start.value) + again.size() <= kWalPageBytes) {
      EXPECT_TRUE(again == std::string(pages.at(record.start), again.size())) << line;
      ++result.rebuilt;
    }
    ++result.records;
  }
  return result;
}

TEST(WalReader, ReadsTheMainSegmentAsPgWaldump) {
  MemoryPages pages(read_gz(data_path("wal/000000010000000000000007.gz")), {0x7000000});
  Dumped dumped =
      compare_with_dump(pages, {0x7000000}, read_gz(data_path("wal/main.waldump.txt.gz")));
  EXPECT_EQ(dumped.records, 4482);
  EXPECT_GT(dumped.rebuilt, 4000);
  WalReader reader(pages, WalGeometry(), 0);
  reader.seek({0x714AF88});
  DecodedRecord record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.end, Lsn{0x8000000}) << "after a switch the stream goes on in the next segment";
}

TEST(WalReader, ReadsInitdbsFirstRecords) {
  MemoryPages pages(read_gz(data_path("wal/initdb_first64k_000000010000000000000001.gz")),
                    {0x1000000});
  Dumped dumped = compare_with_dump(pages, {0x1000000},
                                    read_file(data_path("wal/initdb_first64k.waldump.txt")));
  EXPECT_EQ(dumped.records, 9);
}

TEST(WalReader, ReadsASegmentWithPagesOfTwoTimelines) {
  MemoryPages pages(read_gz(data_path("wal/promoted_00000002000000000000000B.gz")), {0xB000000}, 2);
  WalReader reader(pages, WalGeometry(), 0);
  Lsn first = reader.find_first_after({0xB000000});
  Dumped dumped = compare_with_dump(
      pages, first, read_gz(data_path("wal/promoted_00000002000000000000000B.waldump.txt.gz")));
  EXPECT_GT(dumped.records, 500);
  EXPECT_NE(dumped.end.find("invalid record length at 0/B3DF838: wanted 24, got 0"),
            std::string::npos);
}

TEST(WalReader, ReadsCommitLogRecordsAndAResetSegment) {
  MemoryPages clog(read_gz(data_path("wal/clog_000000010000000000000002.gz")), {0x2000000});
  EXPECT_GT(
      compare_with_dump(clog, {0x2000000}, read_gz(data_path("wal/clog.waldump.txt.gz"))).records,
      100);
  MemoryPages reset(read_gz(data_path("wal/resetwal_minimal_00000001000000000000000C.gz")),
                    {0xC000000});
  EXPECT_EQ(compare_with_dump(
                reset, {0xC000000},
                read_file(data_path("wal/resetwal_minimal_00000001000000000000000C.waldump.txt")))
                .records,
            1);
}

/// Damages a copy of initdb's WAL and says what the reader makes of it.
class WalEnd : public ::testing::Test {
 protected:
  std::string complaint_after(Lsn start) {
    WalReader reader(pages_, WalGeometry(), system_identifier_);
    reader.seek(start);
    DecodedRecord record;
    records_ = 0;
    while (reader.next(record)) ++records_;
    aborted_ = reader.aborted_record();
    missing_ = reader.missing_part();
    return reader.complaint();
  }
  std::string complaint() { return complaint_after({0x1000000}); }
  void recompute_crc(Lsn lsn) {
    char* raw = pages_.at(lsn);
    auto total = load_le<uint32_t>(raw);
    store_le(raw + 20, Crc32c().add(raw + 24, total - 24).add(raw, 20).value());
  }

  MemoryPages pages_{read_gz(data_path("wal/initdb_first64k_000000010000000000000001.gz")),
                     {0x1000000}};
  uint64_t system_identifier_ = 0;
  int records_ = 0;
  Lsn aborted_;
  Lsn missing_;
};

TEST_F(WalEnd, QuietWhereTheBytesEnd) {
  EXPECT_EQ(complaint(), "");
  EXPECT_GE(records_, 9);
  EXPECT_EQ(missing_, Lsn{0x1010000}) << "the last record runs on past 64 kB";
}

TEST_F(WalEnd, LengthZero) {
  std::memset(pages_.at({0x1004160}), 0, 64);
  EXPECT_EQ(complaint(), "invalid record length at 0/1004160: wanted 24, got 0");
  EXPECT_EQ(records_, 4);
}

TEST_F(WalEnd, FlippedBitInTheData) {
  pages_.at({0x1004140})[27] ^= 1;
  EXPECT_EQ(complaint(), "incorrect resource manager data checksum in record at 0/1004140");
}

TEST_F(WalEnd, EveryFlippedBitOfARecordIsNoticed) {
  for (size_t bit = 0; bit < 30 * 8; ++bit) {
    pages_.at({0x1004140})[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    std::string text = complaint();
    EXPECT_EQ(records_, 3) << bit;
    // A longer length makes the reader look for pages that are not there: that end has no text.
    if (bit / 8 >= 4) {
      EXPECT_NE(text, "") << bit;
    }
    pages_.at({0x1004140})[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST_F(WalEnd, UnknownResourceManager) {
  pages_.at({0x1004140})[17] = 99;
  EXPECT_EQ(complaint(), "invalid resource manager ID 99 at 0/1004140");
}

TEST_F(WalEnd, WrongBackLink) {
  store_le(pages_.at({0x1004140}) + 8, uint64_t{0x1000028});
  recompute_crc({0x1004140});
  EXPECT_EQ(complaint(), "record with incorrect prev-link 0/1000028 at 0/1004140");
  store_le(pages_.at({0x1004160}) + 8, uint64_t{0x1000028});
  EXPECT_EQ(complaint_after({0x1004140}), "record with incorrect prev-link 0/1000028 at 0/1004160");
  EXPECT_EQ(records_, 1) << "the first record read is only asked for a link that leads back";
}

TEST_F(WalEnd, PageMagic) {
  store_le(pages_.at({0x1004000}), uint16_t{0});
  EXPECT_EQ(complaint(),
            "invalid magic number 0000 in log segment 000000010000000000000001, offset 16384");
  EXPECT_EQ(aborted_, Lsn{0x10020F0});
  EXPECT_EQ(missing_, Lsn{0x1004000});
}

TEST_F(WalEnd, PageFlags) {
  store_le(pages_.at({0x1004000}) + 2, uint16_t{0x0101});
  EXPECT_EQ(complaint(),
            "invalid info bits 0101 in log segment 000000010000000000000001, offset 16384");
}

TEST_F(WalEnd, PageOfAFormerLife) {
  store_le(pages_.at({0x1004000}) + 8, uint64_t{0x4000});
  EXPECT_EQ(complaint(),
            "unexpected pageaddr 0/4000 in log segment 000000010000000000000001, offset 16384");
}

TEST_F(WalEnd, TimelineGoesBack) {
  store_le(pages_.at({0x1002000}) + 4, uint32_t{3});
  EXPECT_EQ(complaint(),
            "out-of-sequence timeline ID 1 (after 3) in log segment 000000010000000000000001, "
            "offset 16384");
}

TEST_F(WalEnd, ContinuationIsNotMarked) {
  store_le(pages_.at({0x1004000}) + 2, uint16_t{0});
  EXPECT_EQ(complaint(), "there is no contrecord flag at 0/10020F0");
}

TEST_F(WalEnd, ContinuationHasAnotherLength) {
  store_le(pages_.at({0x1004000}) + 16, uint32_t{7});
  EXPECT_EQ(complaint(), "invalid contrecord length 7 (expected 289) at 0/10020F0");
}

TEST_F(WalEnd, AnotherSystem) {
  system_identifier_ = 12345;
  EXPECT_EQ(complaint(),
            fmt::format("WAL file is from different database system: WAL file database system "
                        "identifier is {}, pg_control database system identifier is 12345",
                        load_le<uint64_t>(pages_.at({0x1000018}))));
}

TEST_F(WalEnd, AnotherSegmentSize) {
  store_le(pages_.at({0x1000000}) + 32, uint32_t{1 << 20});
  EXPECT_EQ(complaint(),
            "WAL file is from different database system: incorrect segment size in page header");
  EXPECT_EQ(records_, 0);
}

TEST_F(WalEnd, StartInsideAPageHeader) {
  EXPECT_EQ(complaint_after({0x1002010}), "invalid record offset at 0/1002010");
}

TEST_F(WalEnd, StartAtAContinuation) {
  EXPECT_EQ(complaint_after({0x1004018}), "contrecord is requested by 0/1004018");
}

TEST_F(WalEnd, OverwrittenContinuationIsPassedOver) {
  // A record that never got its second page: the server that came after marked the page and began
  // it with a record that links back to the last complete one.
  store_le(pages_.at({0x1004000}) + 2, uint16_t{kWalPageFirstIsOverwrittenContinued});
  WalRecordBuilder builder;
  builder.begin(kWalXlogManager, 0xD0);
  std::string main(16, '\0');
  store_le(main.data(), uint64_t{0x10020F0});
  builder.add_main(main.data(), main.size());
  builder.assemble({{}, true});
  std::string raw = wal_record_bytes(builder, {0x10000A0});
  std::memcpy(pages_.at({0x1004018}), raw.data(), raw.size());
  std::memset(pages_.at({0x1004018 + 48}), 0, 8);

  WalReader reader(pages_, WalGeometry(), 0);
  reader.seek({0x1000000});
  DecodedRecord record;
  ASSERT_TRUE(reader.next(record));
  ASSERT_TRUE(reader.next(record));
  ASSERT_TRUE(reader.next(record)) << reader.complaint();
  EXPECT_EQ(record.start, Lsn{0x1004018});
  EXPECT_EQ(reader.overwritten_record(), Lsn{0x10020F0});
  EXPECT_FALSE(reader.next(record));
  EXPECT_EQ(reader.complaint(), "invalid record length at 0/1004048: wanted 24, got 0");
}

}  // namespace
}  // namespace cofork
