// See btree_page.h.
#include "access/btree_page.h"

#include <algorithm>
#include <vector>

#include "support/error.h"

namespace cofork {

void btree_page_init(Page page) {
  page_init(page, sizeof(BtreeSpecial));
}

void btree_meta_init(Page page, BlockNumber root, uint32_t level, bool all_equal_image) {
  btree_page_init(page);
  btree_metadata(page) = {.magic = kBtreeMagic,
                          .version = kBtreeVersion,
                          .root = root,
                          .level = level,
                          .fast_root = root,
                          .fast_level = level,
                          .last_cleanup_deleted_pages = 0,
                          .padding = 0,
                          .last_cleanup_heap_tuples = -1.0,
                          .all_equal_image = all_equal_image,
                          .padding2 = {}};
  btree_special(page).flags = kBtreeMeta;
  // Page images leave out what lies between lower and upper: the metadata must not.
  page_header(page).lower = kPageHeaderBytes + sizeof(BtreeMetadata);
}

IndexTuple btree_half_dead_item(BlockNumber top_parent) {
  IndexTuple item;
  item.t_tid = {top_parent, 0};
  item.t_info = sizeof(IndexTuple);
  item.set_pivot(0, false);
  return item;
}

IndexTuple btree_minus_infinity(BlockNumber child) {
  return btree_half_dead_item(child);
}

void btree_set_deleted(Page page, uint64_t safe_xid) {
  BtreeSpecial& special = btree_special(page);
  special.clear(kBtreeHalfDead);
  special.set(kBtreeDeleted | kBtreeHasFullXid);
  PageHeader& header = page_header(page);
  header.lower = kPageHeaderBytes + sizeof(BtreeDeletedContents);
  header.upper = header.special;
  reinterpret_cast<BtreeDeletedContents*>(page + kPageHeaderBytes)->safe_xid = safe_xid;
}

uint64_t btree_safe_xid(ConstPage page) {
  if (!btree_special(page).has(kBtreeHasFullXid)) return 0;
  return reinterpret_cast<const BtreeDeletedContents*>(page + kPageHeaderBytes)->safe_xid;
}

bool btree_add_item(Page page, OffsetNumber where, const IndexTuple& tuple, bool cut) {
  IndexTuple downlink_only;
  const IndexTuple* item = &tuple;
  if (cut) {
    downlink_only = btree_minus_infinity(tuple.downlink());
    item = &downlink_only;
  }
  return page_add_item(page, item, static_cast<uint32_t>(item->size()), where, 0) != kInvalidOffset;
}

IndexTuple* btree_swap_posting(IndexTuple& new_tuple, const IndexTuple& old_posting, int place,
                               Arena& arena) {
  int count = old_posting.posting_count();
  if (place <= 0 || place >= count) {
    throw Error(sqlstate::kInternalError,
                "posting list tuple with {} items cannot be split at offset {}", count, place);
  }
  IndexTuple* posting = copy_index_tuple(old_posting, arena);
  ItemPointer* tids = posting->posting();
  ItemPointer last = tids[count - 1];
  std::copy_backward(tids + place, tids + count - 1, tids + count);
  tids[place] = new_tuple.t_tid;
  new_tuple.t_tid = last;
  return posting;
}

IndexTuple* btree_remove_from_posting(const IndexTuple& posting, std::span<const uint16_t> removed,
                                      Arena& arena) {
  std::vector<ItemPointer> kept;
  size_t next_removed = 0;
  std::span<const ItemPointer> tids = posting.heap_tids();
  for (size_t i = 0; i < tids.size(); ++i) {
    if (next_removed < removed.size() && removed[next_removed] == i) {
      ++next_removed;
    } else {
      kept.push_back(tids[i]);
    }
  }
  return index_form_posting(posting, kept, arena);
}

}  // namespace cofork
