// What changing a B-tree's pages consists of: records, new pages, splits. For this folder's own
// use.
//
// Each change of one or several pages is one record, made in a critical section:
//
//   CriticalSection critical;
//   … change the pages …  buffer.mark_dirty();
//   BtreeRecordWriter record(index, kBtreeInsertLeaf);
//   record.block(0, buffer, kWalBlockStandardPage);  record.data(0, tuple, bytes);  record.main(…);
//   record.insert({&buffer});                         // stamps the pages; nothing for unlogged
//   ones critical.end();
#pragma once

#include <initializer_list>

#include "access/btree_records.h"
#include "access/btree_search.h"
#include "wal/insert.h"

namespace cofork {

class BtreeRecordWriter {
 public:
  BtreeRecordWriter(const BtreeIndex& index, BtreeRecord kind);
  bool is_needed() const { return needed_; }
  void block(uint8_t id, const Buffer& buffer, uint8_t flags);
  void data(uint8_t id, const void* bytes, size_t count);
  void main(const void* bytes, size_t count);
  /// Registers the metapage as `id`, to be made anew by redo.
  void meta(uint8_t id, const Buffer& buffer);
  /// Inserts the record and stamps these pages; invalid buffers among them are passed over.
  void insert(std::initializer_list<Buffer*> changed);

 private:
  bool needed_;
  WalRecordBuilder* record_ = nullptr;
  BtreeMetaRecord meta_record_;
};

/// A page to be filled: a free one, or a new one at the end. Exclusively locked, empty, and nobody
/// else's (_bt_getbuf with P_NEW).
Buffer btree_new_page(BtreeIndex& index);
/// May a page be used for something else: never used, or deleted long enough ago
/// (BTPageIsRecyclable)?
bool btree_is_recyclable(const BtreeIndex& index, ConstPage page);
/// Has every snapshot gone that may have been taken before this full xid was given out?
bool btree_nobody_needs(const BtreeIndex& index, uint64_t safe_xid);
/// The metapage's content, checked: XX002 "index … is not a btree".
const BtreeMetadata& btree_checked_metadata(const BtreeIndex& index, const Buffer& meta);

/// Gives the right half of an incomplete split its downlink (_bt_finish_split). `left` is the left
/// half, exclusively locked. `stack` leads to its parent, or is empty.
void btree_finish_split(BtreeIndex& index, Buffer left, BtreeStack stack);

/// What is to be put on a page, and where.
struct BtreeInsertion {
  IndexTuple* tuple;
  OffsetNumber offset;  ///< in front of which item
  /// > 0: the tuple's row lies within the posting list in front of `offset`, behind so many of its
  /// rows.
  int posting_place = 0;
  bool only_page_of_level = false;  ///< the page was alone on its level: the fast root may rise
};
/// Puts a tuple on a page, splitting it when needed, and with it the pages above
/// (_bt_insertonpg). `buffer` is exclusively locked; so is `child` when the page is internal: the
/// left half of the split that the tuple completes. `stack` leads to the page's parent.
void btree_insert_on_page(BtreeIndex& index, Buffer buffer, Buffer child, BtreeStack stack,
                          const BtreeInsertion& insertion);

/// The page with the item that leads to `child`, exclusively locked; the last entry of `stack` says
/// where it was, and afterwards where it is. Invalid when it is not there (_bt_getstackbuf).
Buffer btree_find_parent(BtreeIndex& index, BtreeStack& stack, BlockNumber child);

/// The cycle of a VACUUM that is running on the index, else 0: splits leave it on their pages
/// (_bt_vacuum_cycleid).
uint16_t btree_vacuum_cycle(const BtreeIndex& index);

}  // namespace cofork
