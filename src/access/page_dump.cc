// See page_dump.h.
#include "access/page_dump.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "access/btree_page.h"
#include "access/tuple_header.h"

namespace cofork {

namespace {

std::string shown(ItemPointer tid) {
  return fmt::format("({},{})", tid.block(), tid.offset);
}
std::string shown(bool truth) {
  return truth ? "t" : "f";
}
template <typename Number>
std::string shown(Number number) {
  return fmt::format("{}", number);
}

std::string shown_hex(const char* bytes, size_t count, const char* between) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += fmt::format("{}{:02x}", i > 0 ? between : "", static_cast<uint8_t>(bytes[i]));
  }
  return text;
}

/// The header can be believed: item ids and items lie where they should.
bool layout_is_sane(ConstPage page) {
  const PageHeader& header = page_header(page);
  return header.lower >= kPageHeaderBytes && header.lower <= header.upper &&
         header.upper <= header.special && header.special <= kPageBytes;
}

/// The item lies on the page, where an item can lie.
bool item_is_inside(ItemId id, size_t bytes_min) {
  return id.length() >= bytes_min && id.offset() == align8(id.offset()) &&
         id.offset() + id.length() <= kPageBytes;
}

OffsetNumber believable_item_count(ConstPage page) {
  return layout_is_sane(page) ? page_item_count(page) : OffsetNumber{0};
}

/// The null bitmap, a character a column, to the end of its last byte.
std::string null_bits(const HeapTupleHeader& tuple) {
  std::string text;
  int bits = (tuple.columns() + 7) / 8 * 8;
  for (int i = 0; i < bits; ++i) {
    text += (static_cast<unsigned>(tuple.bits[i / 8]) & (1u << (i % 8))) != 0 ? '1' : '0';
  }
  return text;
}

/// The columns after lp_len, of an item that is a tuple.
void add_heap_tuple(PageRow& row, const HeapTupleHeader& tuple, uint32_t length) {
  row.push_back(shown(tuple.xmin));
  row.push_back(shown(tuple.xmax));
  row.push_back(shown(tuple.command));
  row.push_back(shown(tuple.ctid));
  row.push_back(shown(tuple.infomask2));
  row.push_back(shown(tuple.infomask));
  row.push_back(shown(tuple.hoff));
  bool has_data =
      tuple.hoff >= kTupleHeaderBytes && tuple.hoff <= length && tuple.hoff == align8(tuple.hoff);
  bool has_bits = has_data && tuple.has_nulls() &&
                  kTupleHeaderBytes + static_cast<uint32_t>(tuple.columns() + 7) / 8 <= tuple.hoff;
  row.push_back(has_bits ? std::optional(null_bits(tuple)) : std::nullopt);
  row.push_back(std::nullopt);  // t_oid: rows have had none since 12
  row.push_back(has_data ? std::optional("\\x" + shown_hex(tuple.bytes() + tuple.hoff,
                                                           length - tuple.hoff, ""))
                         : std::nullopt);
}

// --- B-tree

struct BtreeItemSums {
  uint32_t live = 0, dead = 0, bytes = 0;
};

BtreeItemSums sum_btree_items(ConstPage page) {
  BtreeItemSums sums;
  OffsetNumber count = believable_item_count(page);
  for (OffsetNumber number = kFirstOffset; number <= count; ++number) {
    ItemId id = page_item_id(page, number);
    id.is_dead() ? ++sums.dead : ++sums.live;
    if (item_is_inside(id, sizeof(IndexTuple))) {
      sums.bytes += static_cast<uint32_t>(btree_item(page, number).size());
    }
  }
  return sums;
}

const char* btree_page_type(const BtreeSpecial& special) {
  if (special.has(kBtreeDeleted)) return special.is_leaf() ? "d" : "D";
  if (special.has(kBtreeHalfDead)) return "e";
  if (special.is_leaf()) return "l";
  return special.is_root() ? "r" : "i";
}

/// The key's bytes: without the rows of a posting list and the row address of a pivot.
std::string btree_key_bytes(const IndexTuple& tuple) {
  size_t begin = tuple.has_nulls() ? 16 : 8;
  size_t end = tuple.size();
  if (tuple.is_posting()) {
    end = std::min(end, tuple.posting_offset());
  } else if (tuple.is_pivot() && tuple.heap_tid() != nullptr) {
    end -= align8(sizeof(ItemPointer));
  }
  return begin < end ? shown_hex(tuple.bytes() + begin, end - begin, " ") : "";
}

std::optional<std::string> posting_list(const IndexTuple& tuple) {
  if (!tuple.is_posting()) return std::nullopt;
  std::string text;
  for (ItemPointer tid : tuple.heap_tids()) {
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ",", shown(tid));
  }
  return "{" + text + "}";
}

/// Does what the tuple says of its own parts fit into its item?
bool btree_tuple_is_sane(const IndexTuple& tuple, uint32_t item_bytes) {
  if (tuple.size() < sizeof(IndexTuple) || tuple.size() > item_bytes) return false;
  if (!tuple.is_posting()) return true;
  size_t bytes = static_cast<size_t>(tuple.posting_count()) * sizeof(ItemPointer);
  return tuple.posting_offset() + bytes <= tuple.size();
}

PageRow btree_item_row(ConstPage page, OffsetNumber number) {
  const BtreeSpecial& special = btree_special(page);
  ItemId id = page_item_id(page, number);
  PageRow row = {shown(number)};
  if (!item_is_inside(id, sizeof(IndexTuple)) ||
      !btree_tuple_is_sane(btree_item(page, number), id.length())) {
    row.resize(9);
    return row;
  }
  const IndexTuple& tuple = btree_item(page, number);
  // By its place; what it says itself is of version 4 only.
  bool is_pivot = !special.is_leaf() || (!special.is_rightmost() && number == kBtreeHighKey);
  const ItemPointer* heap_tid = is_pivot && !tuple.is_pivot() ? nullptr : tuple.heap_tid();
  row.push_back(shown(tuple.t_tid));
  row.push_back(shown(tuple.size()));
  row.push_back(shown(tuple.has_nulls()));
  row.push_back(shown((tuple.t_info & IndexTuple::kHasVariableWidths) != 0));
  row.push_back(btree_key_bytes(tuple));
  row.push_back(is_pivot ? std::nullopt : std::optional(shown(id.is_dead())));
  row.push_back(heap_tid == nullptr ? std::nullopt : std::optional(shown(*heap_tid)));
  row.push_back(posting_list(tuple));
  return row;
}

bool is_btree(ConstPage page) {
  return page_special_bytes(page) == sizeof(BtreeSpecial);
}
bool is_btree_metapage(ConstPage page) {
  return btree_special(page).has(kBtreeMeta) && btree_metadata(page).magic == kBtreeMagic;
}

}  // namespace

PageTable page_header_table(ConstPage page) {
  const PageHeader& header = page_header(page);
  Lsn lsn = page_lsn(page);
  PageTable table{
      "page_header",
      {"lsn", "checksum", "flags", "lower", "upper", "special", "pagesize", "version", "prune_xid"},
      {}};
  table.rows.push_back({fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFu),
                        // A smallint there.
                        shown(static_cast<int16_t>(header.checksum)), shown(header.flags),
                        shown(header.lower), shown(header.upper), shown(header.special),
                        shown(header.size_and_version & 0xFF00),
                        shown(header.size_and_version & 0x00FF), shown(header.prune_xid)});
  return table;
}

PageTable heap_page_items_table(ConstPage page) {
  PageTable table{"heap_page_items",
                  {"lp", "lp_off", "lp_flags", "lp_len", "t_xmin", "t_xmax", "t_field3", "t_ctid",
                   "t_infomask2", "t_infomask", "t_hoff", "t_bits", "t_oid", "t_data"},
                  {}};
  OffsetNumber count = believable_item_count(page);
  for (OffsetNumber number = kFirstOffset; number <= count; ++number) {
    ItemId id = page_item_id(page, number);
    PageRow row = {shown(number), shown(id.offset()), shown(static_cast<int>(id.state())),
                   shown(id.length())};
    if (id.has_storage() && item_is_inside(id, align8(kTupleHeaderBytes))) {
      add_heap_tuple(row, *reinterpret_cast<const HeapTupleHeader*>(page_item(page, id)),
                     id.length());
    }
    row.resize(table.columns.size());
    table.rows.push_back(std::move(row));
  }
  return table;
}

PageTable btree_metapage_table(ConstPage page) {
  const BtreeMetadata& meta = btree_metadata(page);
  PageTable table{"bt_metap",
                  {"magic", "version", "root", "level", "fastroot", "fastlevel",
                   "last_cleanup_num_delpages", "last_cleanup_num_tuples", "allequalimage"},
                  {}};
  table.rows.push_back({shown(meta.magic), shown(meta.version), shown(meta.root), shown(meta.level),
                        shown(meta.fast_root), shown(meta.fast_level),
                        shown(meta.last_cleanup_deleted_pages),
                        shown(meta.last_cleanup_heap_tuples), shown(meta.all_equal_image != 0)});
  return table;
}

PageTable btree_page_stats_table(ConstPage page, BlockNumber block) {
  const BtreeSpecial& special = btree_special(page);
  BtreeItemSums sums = special.has(kBtreeDeleted) ? BtreeItemSums{} : sum_btree_items(page);
  uint32_t items = sums.live + sums.dead;
  PageTable table{"bt_page_stats",
                  {"blkno", "type", "live_items", "dead_items", "avg_item_size", "page_size",
                   "free_size", "btpo_prev", "btpo_next", "btpo_level", "btpo_flags"},
                  {}};
  table.rows.push_back({shown(block), btree_page_type(special), shown(sums.live), shown(sums.dead),
                        shown(items > 0 ? sums.bytes / items : 0),
                        shown(page_header(page).size_and_version & 0xFF00),
                        shown(page_free_space(page)), shown(special.left), shown(special.right),
                        shown(special.level), shown(special.flags)});
  return table;
}

PageTable btree_page_items_table(ConstPage page) {
  PageTable table{
      "bt_page_items",
      {"itemoffset", "ctid", "itemlen", "nulls", "vars", "data", "dead", "htid", "tids"},
      {}};
  if (btree_special(page).has(kBtreeDeleted)) return table;
  OffsetNumber count = believable_item_count(page);
  for (OffsetNumber number = kFirstOffset; number <= count; ++number) {
    table.rows.push_back(btree_item_row(page, number));
  }
  return table;
}

std::string page_row_as_csv(const PageRow& row) {
  std::string line;
  for (const std::optional<std::string>& value : row) {
    if (&value != &row.front()) line += ',';
    if (!value) continue;
    if (value->find_first_of(",\"") == std::string::npos) {
      line += *value;
      continue;
    }
    line += '"';
    for (char c : *value) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line;
}

std::vector<PageTable> dump_page(ConstPage page, BlockNumber block) {
  std::vector<PageTable> tables = {page_header_table(page)};
  if (page_is_new(page) || !layout_is_sane(page)) return tables;
  if (!is_btree(page)) {
    tables.push_back(heap_page_items_table(page));
  } else if (is_btree_metapage(page)) {
    tables.push_back(btree_metapage_table(page));
  } else {
    tables.push_back(btree_page_stats_table(page, block));
    tables.push_back(btree_page_items_table(page));
  }
  return tables;
}

}  // namespace cofork
