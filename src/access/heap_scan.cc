// See heap_scan.h.
#include "access/heap_scan.h"

#include <algorithm>

#include "access/heap_prune.h"
#include "access/visibility.h"
#include "model/task.h"

namespace cofork {

namespace {

/// Everything about it is long settled: most tuples of most pages, and no question asked.
bool is_plainly_visible(const HeapTupleHeader& header, const Snapshot& snapshot) {
  constexpr uint16_t kSettled = kTupleXminCommitted | kTupleXmaxInvalid;
  return snapshot.kind == SnapshotKind::kMvcc && (header.infomask & kSettled) == kSettled &&
         xid_precedes(header.effective_xmin(), snapshot.xmin);
}

/// The same for a version that is over: updated pages are full of them until the next pruning.
bool is_plainly_gone(const HeapTupleHeader& header, const Snapshot& snapshot) {
  constexpr uint16_t kAsked = kTupleXminCommitted | kTupleXmaxBits;
  constexpr uint16_t kGone = kTupleXminCommitted | kTupleXmaxCommitted;
  return snapshot.kind == SnapshotKind::kMvcc && (header.infomask & kAsked) == kGone &&
         xid_precedes(header.xmax, snapshot.xmin);
}

HeapTuple tuple_at(char* page, BlockNumber block, OffsetNumber offset, Oid table) {
  ItemId id = page_item_id(page, offset);
  HeapTuple tuple;
  tuple.header = reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
  tuple.length = id.length();
  tuple.self = {block, offset};
  tuple.table = table;
  return tuple;
}

}  // namespace

HeapScan::HeapScan(Relation& relation, const Snapshot& snapshot)
    : HeapScan(relation, snapshot, Options()) {}

HeapScan::HeapScan(Relation& relation, const Snapshot& snapshot, const Options& options)
    : relation_(relation), snapshot_(snapshot) {
  BlockNumber blocks = relation_blocks(relation.file, ForkNumber::kMain);
  first_block_ = std::min(options.first_block, blocks);
  end_block_ = first_block_ + std::min(options.blocks, blocks - first_block_);
  next_block_ = first_block_;
  bool is_large = blocks > static_cast<uint32_t>(shared_memory().limits().shared_buffers) / 4;
  if (options.bulk_strategy && is_large) strategy_.emplace(AccessStrategy::Kind::kBulkRead);
}

void HeapScan::rewind() {
  buffer_.release();
  next_block_ = first_block_;
  position_ = 0;
  visible_count_ = 0;
}

bool HeapScan::take() {
  OffsetNumber offset = visible_[position_++];
  tuple_ = tuple_at(buffer_.page(), block_, offset, relation_.oid);
  return true;
}

bool HeapScan::next_page() {
  while (next_block_ < end_block_) {
    this_task().check_interrupts();
    block_ = next_block_++;
    AccessStrategy* strategy = strategy_ ? &*strategy_ : nullptr;
    buffer_.release();
    buffer_ = read_buffer(relation_.file, ForkNumber::kMain, block_, ReadMode::kNormal, strategy);
    read_page();
    if (visible_count_ > 0) return take();
  }
  buffer_.release();
  tuple_ = HeapTuple();
  position_ = 0;
  visible_count_ = 0;
  return false;
}

void HeapScan::read_page() {
  prune_page_if_useful(relation_, buffer_);
  position_ = 0;
  visible_count_ = 0;
  buffer_.lock_shared();
  char* page = buffer_.page();
  bool all_visible = page_is_all_visible(page);
  OffsetNumber last = page_item_count(page);
  for (OffsetNumber offset = kFirstOffset; offset <= last; ++offset) {
    if (!page_item_id(page, offset).is_normal()) continue;
    if (!all_visible) {
      HeapTuple tuple = tuple_at(page, block_, offset, relation_.oid);
      if (is_plainly_gone(*tuple.header, snapshot_)) continue;
      if (!is_plainly_visible(*tuple.header, snapshot_) &&
          !tuple_is_visible(tuple, snapshot_, buffer_)) {
        continue;
      }
    }
    visible_[visible_count_++] = offset;
  }
  buffer_.unlock();
}

}  // namespace cofork
