// Pages taken apart for people, against what PostgreSQL 15.18's pageinspect printed for the same
// files (tests/data/pageinspect), and damaged pages, which must not lead out of themselves.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <sstream>

#include "access/page_dump.h"
#include "test_data.h"

namespace cofork {
namespace {

using testing_support::data_path;

/// A file's pages, each aligned.
std::vector<std::unique_ptr<uint64_t[]>> pages_of(const std::string& path) {
  const std::string bytes = testing_support::read_gz(data_path(path));
  std::vector<std::unique_ptr<uint64_t[]>> pages;
  for (size_t at = 0; at + kPageBytes <= bytes.size(); at += kPageBytes) {
    pages.push_back(std::make_unique<uint64_t[]>(kPageBytes / 8));
    std::memcpy(pages.back().get(), bytes.data() + at, kPageBytes);
  }
  return pages;
}

Page as_page(const std::unique_ptr<uint64_t[]>& page) {
  return reinterpret_cast<Page>(page.get());
}

std::string recorded(const std::string& name) {
  const std::string path = data_path("pageinspect/" + name);
  return name.ends_with(".gz") ? testing_support::read_gz(path) : testing_support::read_file(path);
}

using MakeTable = std::function<PageTable(ConstPage, BlockNumber)>;

PageTable header_of(ConstPage page, BlockNumber) {
  return page_header_table(page);
}
PageTable heap_items_of(ConstPage page, BlockNumber) {
  return heap_page_items_table(page);
}
PageTable btree_items_of(ConstPage page, BlockNumber) {
  return btree_page_items_table(page);
}
PageTable metapage_of(ConstPage page, BlockNumber) {
  return btree_metapage_table(page);
}

/// The rows of all pages from `first` on as CSV, the block in front of each, below a header. Blocks
/// the record leaves out (deleted pages) are left out here too.
std::string as_csv(const std::vector<std::unique_ptr<uint64_t[]>>& pages, BlockNumber first,
                   const std::string& block_column, const MakeTable& make) {
  std::string text;
  for (BlockNumber block = first; block < pages.size(); ++block) {
    PageTable table = make(as_page(pages[block]), block);
    if (text.empty()) {
      text = block_column;
      for (const std::string& column : table.columns) {
        if (!text.empty()) text += ',';
        text += column;
      }
      text += "\n";
    }
    for (const PageRow& row : table.rows) {
      if (!block_column.empty()) text += std::to_string(block) + ",";
      text += page_row_as_csv(row) + "\n";
    }
  }
  return text;
}

TEST(PageDump, HeapPagesAsPageinspectPrintsThem) {
  for (const std::string name : {"h", "dd", "kd", "tr", "types_t"}) {
    SCOPED_TRACE(name);
    const auto pages = pages_of("pageinspect/" + name + ".main.bin.gz");
    EXPECT_EQ(as_csv(pages, 0, "blk", header_of), recorded(name + ".page_header.csv"));
    EXPECT_EQ(as_csv(pages, 0, "blk", heap_items_of), recorded(name + ".heap_page_items.csv.gz"));
  }
}

TEST(PageDump, BtreePagesAsPageinspectPrintsThem) {
  for (const std::string name : {"bt_k", "dd_a", "kd_a", "h_id", "types_t_pkey"}) {
    SCOPED_TRACE(name);
    auto pages = pages_of("btree/" + name + ".main.gz");
    EXPECT_EQ(as_csv(pages, 1, "", btree_page_stats_table), recorded(name + ".bt_page_stats.csv"));
    EXPECT_EQ(as_csv(pages, 1, "blk", btree_items_of), recorded(name + ".bt_page_items.csv.gz"));
    pages.resize(1);
    EXPECT_EQ(as_csv(pages, 0, "", metapage_of), recorded(name + ".metap.csv"));
  }
}

TEST(PageDump, TheKindOfAPageDecidesWhatIsShown) {
  const auto names = [](const std::vector<PageTable>& tables) {
    std::string text;
    for (const PageTable& table : tables) text += table.name + " ";
    return text;
  };
  const auto heap = pages_of("pageinspect/h.main.bin.gz");
  const auto btree = pages_of("btree/bt_k.main.gz");
  EXPECT_EQ(names(dump_page(as_page(heap[0]), 0)), "page_header heap_page_items ");
  EXPECT_EQ(names(dump_page(as_page(btree[0]), 0)), "page_header bt_metap ");
  EXPECT_EQ(names(dump_page(as_page(btree[1]), 1)), "page_header bt_page_stats bt_page_items ");
  const auto zeros = std::make_unique<uint64_t[]>(kPageBytes / 8);
  EXPECT_EQ(names(dump_page(as_page(zeros), 0)), "page_header ");
}

TEST(PageDump, DamagedPagesStayWithinThemselves) {
  std::mt19937 random(15);
  for (const char* path :
       {"pageinspect/types_t.main.bin.gz", "btree/dd_a.main.gz", "btree/bt_k.main.gz"}) {
    for (const auto& original : pages_of(path)) {
      for (int round = 0; round < 20; ++round) {
        // At the end of its allocation: the address sanitizer sees a byte too far.
        const auto page = std::make_unique<uint64_t[]>(kPageBytes / 8);
        std::memcpy(page.get(), original.get(), kPageBytes);
        for (int change = 0; change < 30; ++change) {
          as_page(page)[random() % (round % 2 == 0 ? 200 : kPageBytes)] =
              static_cast<char>(random());
        }
        EXPECT_FALSE(dump_page(as_page(page), 1).empty());
        EXPECT_EQ(heap_page_items_table(as_page(page)).columns.size(), 14u);
        EXPECT_EQ(btree_page_items_table(as_page(page)).columns.size(), 9u);
      }
    }
  }
}

}  // namespace
}  // namespace cofork
