// What B-tree records do to pages (see btree_records.h for what they hold; nbtxlog.c, 15).
//
// What a record does to one of its pages follows from the record and the page alone.
#include <cstring>
#include <memory>
#include <vector>

#include "access/btree.h"
#include "access/btree_records.h"
#include "support/error.h"

namespace cofork {

namespace {

[[noreturn]] void panic(const DecodedRecord& record, const char* what) {
  throw Error(sqlstate::kDataCorrupted, "B-tree record at {}: {}", record.start, what)
      .severity(Severity::kPanic);
}

template <typename T>
T body_of(const DecodedRecord& record, size_t bytes = sizeof(T)) {
  T body{};
  if (record.main_data.size() < bytes) panic(record, "main data is too short");
  std::memcpy(static_cast<void*>(&body), record.main_data.data(), bytes);
  return body;
}

bool has_block(const DecodedRecord& record, int block_id) {
  return block_id <= record.block_id_max && record.blocks[static_cast<size_t>(block_id)].in_use;
}

BlockNumber block_number(const DecodedRecord& record, int block_id) {
  return has_block(record, block_id) ? record.blocks[static_cast<size_t>(block_id)].block
                                     : kBtreeNone;
}

/// Takes pieces off the front of block data. Tuples come out aligned, in an arena.
class DataReader {
 public:
  DataReader(const DecodedRecord& record, uint8_t block_id)
      : record_(record), rest_(record.blocks[block_id].data) {}

  bool at_end() const { return rest_.empty(); }
  const char* take(size_t bytes) {
    if (rest_.size() < bytes) panic(record_, "block data is too short");
    const char* start = rest_.data();
    rest_.remove_prefix(bytes);
    return start;
  }
  template <typename T>
  T take_value() {
    return load_le<T>(take(sizeof(T)));
  }
  template <typename T>
  std::vector<T> take_values(size_t count) {
    std::vector<T> values(count);
    if (count != 0) std::memcpy(values.data(), take(count * sizeof(T)), count * sizeof(T));
    return values;
  }
  IndexTuple* take_tuple(Arena& arena) {
    if (rest_.size() < sizeof(IndexTuple)) panic(record_, "block data is too short");
    IndexTuple head;
    std::memcpy(static_cast<void*>(&head), rest_.data(), sizeof head);
    const char* bytes = take(align8(head.size()));
    auto* tuple = static_cast<IndexTuple*>(arena.allocate(head.size(), 8));
    std::memcpy(static_cast<void*>(tuple), bytes, head.size());
    return tuple;
  }

 private:
  const DecodedRecord& record_;
  std::string_view rest_;
};

void add_or_panic(const DecodedRecord& record, Page page, OffsetNumber where,
                  const IndexTuple& tuple) {
  if (!btree_add_item(page, where, tuple, false)) panic(record, "item does not fit the page");
}
void append(const DecodedRecord& record, Page page, const IndexTuple& tuple) {
  add_or_panic(record, page, static_cast<OffsetNumber>(page_item_count(page) + 1), tuple);
}

/// An empty page in its place.
void start_page(Page page, BlockNumber left, BlockNumber right, uint32_t level, uint16_t flags) {
  btree_page_init(page);
  auto all_flags = static_cast<uint16_t>(flags | (level == 0 ? kBtreeLeaf : 0));
  btree_special(page) = {left, right, level, all_flags, 0};
}

/// Items as they lie on a page, from the last to the first (_bt_restore_page).
void restore_items(const DecodedRecord& record, uint8_t block_id, Page page) {
  Arena arena;
  std::vector<IndexTuple*> tuples;
  for (DataReader data(record, block_id); !data.at_end();) {
    tuples.push_back(data.take_tuple(arena));
  }
  for (auto tuple = tuples.rbegin(); tuple != tuples.rend(); ++tuple) append(record, page, **tuple);
}

void restore_meta(const DecodedRecord& record, uint8_t block_id, Page page) {
  auto meta = DataReader(record, block_id).take_value<BtreeMetaRecord>();
  btree_meta_init(page, meta.root, meta.level, meta.all_equal_image != 0);
  BtreeMetadata& metadata = btree_metadata(page);
  metadata.version = meta.version;
  metadata.fast_root = meta.fast_root;
  metadata.fast_level = meta.fast_level;
  metadata.last_cleanup_deleted_pages = meta.last_cleanup_deleted_pages;
}

void insert_item(const DecodedRecord& record, bool posting, Page page) {
  auto body = body_of<BtreeInsertRecord>(record);
  Arena arena;
  DataReader data(record, 0);
  uint16_t place = posting ? data.take_value<uint16_t>() : uint16_t{0};
  IndexTuple* tuple = data.take_tuple(arena);
  if (posting) {
    IndexTuple& old = btree_item(page, static_cast<OffsetNumber>(body.offset - 1));
    IndexTuple* changed = btree_swap_posting(*tuple, old, place, arena);
    std::memcpy(static_cast<void*>(&old), changed, changed->size());
  }
  add_or_panic(record, page, body.offset, *tuple);
}

void apply_insert(const DecodedRecord& record, int block_id, Page page) {
  switch (block_id) {
    case 0:
      return insert_item(record, record.own_info() == kBtreeInsertPosting, page);
    case 1:
      return btree_special(page).clear(kBtreeIncompleteSplit);
    default:
      return restore_meta(record, 2, page);
  }
}

/// The left half: the old page without what went right, and with the new item if that went left.
void make_left_half(const DecodedRecord& record, const BtreeSplitRecord& body, bool new_on_left,
                    Page page) {
  Arena arena;
  DataReader data(record, 0);
  IndexTuple* new_item = nullptr;
  const IndexTuple* new_posting = nullptr;
  if (new_on_left || body.posting_place != 0) new_item = data.take_tuple(arena);
  if (body.posting_place != 0) {
    const IndexTuple& old = btree_item(page, static_cast<OffsetNumber>(body.new_item - 1));
    new_posting = btree_swap_posting(*new_item, old, body.posting_place, arena);
  }
  const IndexTuple* high_key = data.take_tuple(arena);

  auto copied = std::make_unique<BtreePageCopy>();
  Page copy = copied->bytes;
  const BtreeSpecial& old_special = btree_special(page);
  btree_page_init(copy);
  btree_special(copy) = old_special;
  append(record, copy, *high_key);
  for (OffsetNumber i = old_special.first_data(); i <= body.first_right; ++i) {
    if (new_on_left && i == body.new_item) append(record, copy, *new_item);
    if (i == body.first_right) break;
    bool replaced = new_posting != nullptr && i + 1 == body.new_item;
    append(record, copy, replaced ? *new_posting : btree_item(page, i));
  }
  BtreeSpecial& special = btree_special(copy);
  special.flags = static_cast<uint16_t>(kBtreeIncompleteSplit | (body.level == 0 ? kBtreeLeaf : 0));
  special.right = block_number(record, 1);
  special.cycle = 0;
  std::memcpy(page, copy, kPageBytes);
}

void apply_split(const DecodedRecord& record, int block_id, Page page) {
  auto body = body_of<BtreeSplitRecord>(record, kBtreeSplitRecordBytes);
  switch (block_id) {
    case 0:
      return make_left_half(record, body, record.own_info() == kBtreeSplitLeft, page);
    case 1:
      start_page(page, block_number(record, 0), block_number(record, 2), body.level, 0);
      return restore_items(record, 1, page);
    case 2:
      btree_special(page).left = block_number(record, 1);
      return;
    default:
      return btree_special(page).clear(kBtreeIncompleteSplit);
  }
}

void apply_dedup(const DecodedRecord& record, Page page) {
  auto body = body_of<BtreeDedupRecord>(record);
  DataReader data(record, 0);
  auto intervals = data.take_values<BtreeDedupInterval>(body.intervals);
  auto copied = std::make_unique<BtreePageCopy>();
  Page copy = copied->bytes;
  btree_page_init(copy);
  btree_special(copy) = btree_special(page);
  Arena arena;
  size_t next = 0;
  OffsetNumber last = page_item_count(page);
  for (OffsetNumber i = 1; i <= last; ++i) {
    if (next == intervals.size() || i != intervals[next].first) {
      append(record, copy, btree_item(page, i));
      continue;
    }
    std::vector<ItemPointer> tids;
    auto end = static_cast<OffsetNumber>(i + intervals[next].items);
    for (OffsetNumber j = i; j < end; ++j) {
      auto of_item = btree_item(static_cast<ConstPage>(page), j).heap_tids();
      tids.insert(tids.end(), of_item.begin(), of_item.end());
    }
    append(record, copy, *index_form_posting(btree_item(page, i), tids, arena));
    i = static_cast<OffsetNumber>(end - 1);
    ++next;
  }
  btree_special(copy).clear(kBtreeHasGarbage);
  std::memcpy(page, copy, kPageBytes);
}

/// DELETE and VACUUM: some items go, some posting lists lose rows.
void apply_removal(const DecodedRecord& record, uint16_t deleted, uint16_t updated, Page page) {
  DataReader data(record, 0);
  auto deleted_items = data.take_values<OffsetNumber>(deleted);
  auto updated_items = data.take_values<OffsetNumber>(updated);
  Arena arena;
  for (OffsetNumber item : updated_items) {
    auto head = data.take_value<BtreeUpdateHead>();
    auto removed = data.take_values<uint16_t>(head.removed);
    IndexTuple* rest = btree_remove_from_posting(btree_item(page, item), removed, arena);
    if (!page_index_tuple_overwrite(page, item, rest, static_cast<uint32_t>(rest->size()))) {
      panic(record, "failed to update partially dead item");
    }
  }
  if (!deleted_items.empty()) page_index_multi_delete(page, deleted_items);
  btree_special(page).clear(kBtreeHasGarbage);
}

/// An empty leaf that waits for being unlinked.
void make_half_dead(const DecodedRecord& record, BlockNumber left, BlockNumber right,
                    BlockNumber top_parent, Page page) {
  start_page(page, left, right, 0, kBtreeHalfDead);
  add_or_panic(record, page, 1, btree_half_dead_item(top_parent));
}

void apply_half_dead(const DecodedRecord& record, int block_id, Page page) {
  auto body = body_of<BtreeHalfDeadRecord>(record);
  if (block_id == 0) {
    return make_half_dead(record, body.left, body.right, body.top_parent, page);
  }
  // The parent: the item takes the downlink of the one after it, which goes.
  auto next = static_cast<OffsetNumber>(body.parent_item + 1);
  btree_item(page, body.parent_item).set_downlink(btree_item(page, next).downlink());
  page_index_tuple_delete(page, next);
}

void apply_unlink(const DecodedRecord& record, int block_id, Page page) {
  auto body = body_of<BtreeUnlinkRecord>(record, kBtreeUnlinkRecordBytes);
  switch (block_id) {
    case 0:
      start_page(page, body.left, body.right, body.level, 0);
      return btree_set_deleted(page, body.safe_xid);
    case 1:
      btree_special(page).right = body.right;
      return;
    case 2:
      btree_special(page).left = body.left;
      return;
    case 3:
      return make_half_dead(record, body.leaf_left, body.leaf_right, body.leaf_top_parent, page);
    default:
      return restore_meta(record, 4, page);
  }
}

void apply_new_root(const DecodedRecord& record, int block_id, Page page) {
  auto body = body_of<BtreeNewRootRecord>(record);
  switch (block_id) {
    case 0:
      start_page(page, kBtreeNone, kBtreeNone, body.level, kBtreeRoot);
      return restore_items(record, 0, page);
    case 1:
      return btree_special(page).clear(kBtreeIncompleteSplit);
    default:
      return restore_meta(record, 2, page);
  }
}

}  // namespace

void apply_btree_record(const DecodedRecord& record, int block_id, Page page) {
  switch (record.own_info()) {
    case kBtreeInsertLeaf:
    case kBtreeInsertUpper:
    case kBtreeInsertMeta:
    case kBtreeInsertPosting:
      return apply_insert(record, block_id, page);
    case kBtreeSplitLeft:
    case kBtreeSplitRight:
      return apply_split(record, block_id, page);
    case kBtreeDedup:
      return apply_dedup(record, page);
    case kBtreeDelete: {
      auto body = body_of<BtreeDeleteRecord>(record);
      return apply_removal(record, body.deleted, body.updated, page);
    }
    case kBtreeVacuum: {
      auto body = body_of<BtreeVacuumRecord>(record);
      return apply_removal(record, body.deleted, body.updated, page);
    }
    case kBtreeUnlinkPage:
    case kBtreeUnlinkPageMeta:
      return apply_unlink(record, block_id, page);
    case kBtreeNewRoot:
      return apply_new_root(record, block_id, page);
    case kBtreeMarkPageHalfDead:
      return apply_half_dead(record, block_id, page);
    case kBtreeReusePage:
      return;  // only tells standbys whose snapshots are too old
    case kBtreeMetaCleanup:
      return restore_meta(record, 0, page);
    default:
      throw Error(sqlstate::kInternalError, "btree_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
