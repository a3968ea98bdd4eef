// cofork page: one page of a relation's file, as PostgreSQL's extension pageinspect would show it:
// the header; line pointers and row versions of a table; statistics and items of a B-tree page, or
// its metapage. It reads the file: what a running server has in its buffers may be newer
// (CHECKPOINT writes it out).
#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <vector>

#include "access/page_dump.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "io/file.h"
#include "log/log.h"
#include "os/process.h"

namespace cofork {
namespace {

constexpr const char* kPageProgram = "cofork page";

struct alignas(8) PageBytes {
  char bytes[kPageBytes];
};

/// As psql does: columns side by side, numbers to the right.
void print_aligned(const PageTable& table) {
  std::vector<size_t> widths;
  std::vector<bool> numeric(table.columns.size(), true);
  for (const std::string& column : table.columns) widths.push_back(column.size());
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (!row[i]) continue;
      widths[i] = std::max(widths[i], row[i]->size());
      bool is_number = std::all_of(row[i]->begin(), row[i]->end(), [](unsigned char c) {
        return std::isdigit(c) != 0 || c == '-';
      });
      numeric[i] = numeric[i] && is_number;
    }
  }
  fmt::print("{}\n", table.name);
  for (size_t i = 0; i < widths.size(); ++i) {
    fmt::print("{} {:^{}} ", i > 0 ? "|" : "", table.columns[i], widths[i]);
  }
  fmt::print("\n");
  for (size_t i = 0; i < widths.size(); ++i) {
    fmt::print("{}{}", i > 0 ? "+" : "", std::string(widths[i] + 2, '-'));
  }
  fmt::print("\n");
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      std::string text = row[i].value_or("");
      std::string padding(widths[i] - text.size(), ' ');
      fmt::print("{} {}{} ", i > 0 ? "|" : "", numeric[i] ? padding : "", text);
      if (!numeric[i] && i + 1 < row.size()) fmt::print("{}", padding);
    }
    fmt::print("\n");
  }
  fmt::print("({} row{})\n\n", table.rows.size(), table.rows.size() == 1 ? "" : "s");
}

/// As `psql --csv` does, the table's name in a line of its own.
void print_csv(const PageTable& table) {
  fmt::print("{}\n", table.name);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    fmt::print("{}{}", i > 0 ? "," : "", table.columns[i]);
  }
  fmt::print("\n");
  for (const PageRow& row : table.rows) {
    fmt::print("{}\n", page_row_as_csv(row));
  }
  fmt::print("\n");
}

/// False when it could not be read (told).
bool read_page(const std::string& path, BlockNumber block, PageBytes& page) {
  FileSystem& files = real_operating_system().files;
  int fd = files.open(path, O_RDONLY);
  if (fd < 0) {
    fmt::print(stderr, "{}: could not open file \"{}\": {}\n", kPageProgram, path, errno_text(-fd));
    return false;
  }
  ssize_t got =
      File::read_fully(files, fd, page.bytes, kPageBytes, static_cast<off_t>(block) * kPageBytes);
  files.close(fd);
  if (got == kPageBytes) return true;
  if (got < 0) {
    fmt::print(stderr, "{}: could not read block {} in file \"{}\": {}\n", kPageProgram, block,
               path, errno_text(static_cast<int>(-got)));
  } else {
    fmt::print(stderr, "{}: block number {} is out of range for file \"{}\"\n", kPageProgram, block,
               path);
  }
  return false;
}

}  // namespace

int page_command(int argc, char** argv) {
  CommandLine line(
      kPageProgram, "Shows one page of a relation's file.",
      "FILE is a file of a table or index (select pg_relation_filepath('t')), BLOCK the number of\n"
      "the page in it, from 0. The columns are those of PostgreSQL's pageinspect: page_header,\n"
      "heap_page_items, bt_metap, bt_page_stats, bt_page_items.\n\n"
      "Examples:\n"
      "  cofork page ~/data/base/5/1259 0\n"
      "  cofork page --csv ~/data/base/5/16402 3\n");
  bool csv = false;
  std::vector<std::string> words;
  line.flag("--csv", csv, "print CSV instead of tables");
  line.arguments("FILE BLOCK", words, "which page");
  if (const auto status = line.parse(argc, argv)) return *status;
  BlockNumber block = 0;
  const char* end = words.size() == 2 ? words[1].data() + words[1].size() : nullptr;
  if (end == nullptr || words[1].empty() ||
      std::from_chars(words[1].data(), end, block).ptr != end) {
    fmt::print(stderr, "{}: expected a file and the number of a block (see {} --help)\n",
               kPageProgram, kPageProgram);
    return 2;
  }
  PageBytes page;
  if (!read_page(words[0], block, page)) return 1;
  for (const PageTable& table : dump_page(page.bytes, block)) {
    csv ? print_csv(table) : print_aligned(table);
  }
  return 0;
}

}  // namespace cofork
