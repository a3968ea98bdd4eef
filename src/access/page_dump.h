// A page as a table of words, for people: what the functions of PostgreSQL's extension pageinspect
// return, with their names, columns and text (rawpage.c, heapfuncs.c, btreefuncs.c, 15).
//
// A page may be damaged: nothing here follows an offset that leads out of it. Needs no server,
// waits for nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/page.h"

namespace cofork {

using PageRow = std::vector<std::optional<std::string>>;  ///< nothing: null

struct PageTable {
  std::string name;  ///< of pageinspect's function
  std::vector<std::string> columns;
  std::vector<PageRow> rows;
};

PageTable page_header_table(ConstPage page);
/// Line pointers and tuple headers; values as bytea.
PageTable heap_page_items_table(ConstPage page);
PageTable btree_metapage_table(ConstPage page);
PageTable btree_page_stats_table(ConstPage page, BlockNumber block);
/// No rows for a deleted page: what it holds is no items.
PageTable btree_page_items_table(ConstPage page);

/// What there is to say about a page that is `block` of its file, as its special space tells what
/// kind it is of: a new page and one with a damaged header have only the header.
std::vector<PageTable> dump_page(ConstPage page, BlockNumber block);

/// As a line of `psql --csv`: an empty text and a null are both nothing.
std::string page_row_as_csv(const PageRow& row);

}  // namespace cofork
