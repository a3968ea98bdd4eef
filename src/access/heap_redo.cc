// See heap_redo.h: the pages, the maps beside them, and the free space. What a record does to a
// page is in heap_redo_apply.cc.
#include "access/heap_redo.h"

#include "access/heap_wal.h"
#include "access/redo_page.h"
#include "settings/settings.h"
#include "storage/free_space.h"
#include "storage/visibility_map.h"
#include "support/bytes.h"

namespace cofork {

namespace {

/// Below this a page's free space is worth telling the map: exact values are vacuum's business.
constexpr uint32_t kTellFreeSpaceBelow = kPageBytes / 5;

struct Outcome {
  RedoAction action = RedoAction::kNotFound;
  uint32_t free_space = 0;
};

Outcome redo_block(const DecodedRecord& record, uint8_t block_id, bool cleanup = false) {
  Buffer buffer;
  Outcome outcome;
  outcome.action = redo_page(record, block_id, buffer, cleanup);
  if (outcome.action == RedoAction::kApply) {
    apply_heap_record(record, block_id, buffer.page());
    redo_changed(record, buffer);
  }
  if (buffer.is_valid()) outcome.free_space = page_heap_free_space(buffer.page());
  return outcome;
}

/// The map's bits go first: reading its page may wait, and a page that is marked in the map must
/// never be without its own mark.
void clear_map(const DecodedRecord& record, int block_id, uint8_t bits) {
  const DecodedBlock& block = record.blocks[static_cast<size_t>(block_id)];
  Buffer map_page;
  visibility_map_pin(block.file, block.block, map_page);
  visibility_map_clear(block.file, block.block, map_page, bits);
}

void tell_free_space(const DecodedRecord& record, const Outcome& outcome, bool always = false) {
  if (outcome.action == RedoAction::kNotFound) return;
  if (!always &&
      (outcome.action != RedoAction::kApply || outcome.free_space >= kTellFreeSpaceBelow))
    return;
  const DecodedBlock& block = record.blocks[0];
  redo_record_free_space(block.file, block.block, outcome.free_space);
}

uint8_t flags_at(const DecodedRecord& record, size_t offset) {
  return record.main_data.size() > offset ? static_cast<uint8_t>(record.main_data[offset]) : 0;
}

void redo_update(const DecodedRecord& record) {
  uint8_t flags = flags_at(record, offsetof(WalHeapUpdate, flags));
  bool two_pages = record.block_id_max >= 1 && record.blocks[1].in_use;
  if ((flags & kWalUpdateOldAllVisibleCleared) != 0) {
    clear_map(record, two_pages ? 1 : 0, kVmAllBits);
  }
  if ((flags & kWalUpdateNewAllVisibleCleared) != 0) clear_map(record, 0, kVmAllBits);
  if (two_pages) redo_block(record, 1);
  Outcome outcome = redo_block(record, 0);
  // After a HOT update the page is to be pruned soon: others should not come for its room.
  bool hot = (record.header.info & kHeapOperationMask) == kHeapHotUpdate;
  if (!hot) tell_free_space(record, outcome);
}

void redo_insertion(const DecodedRecord& record, size_t flags_offset) {
  if ((flags_at(record, flags_offset) & kWalInsertAllVisibleCleared) != 0) {
    clear_map(record, 0, kVmAllBits);
  }
  tell_free_space(record, redo_block(record, 0));
}

/// Block 0 is the map's page, block 1 the heap's. The mark on the heap page comes first.
void redo_visible(const DecodedRecord& record) {
  auto bits = static_cast<uint8_t>(flags_at(record, offsetof(WalHeapVisible, flags)) & kVmAllBits);
  const DecodedBlock& heap = record.blocks[1];
  Buffer heap_page;
  RedoAction action = redo_page(record, 1, heap_page);
  if (heap_page.is_valid()) {
    if (action == RedoAction::kApply) {
      apply_heap_record(record, 1, heap_page.page());
      heap_page.mark_dirty();
      // Without hint bits in WAL the page may come from before the record: it keeps its LSN.
      if (hints_need_wal()) set_page_lsn(heap_page.page(), record.end);
    }
    uint32_t free_space = page_free_space(heap_page.page());
    heap_page.release();
    if (bits != 0) redo_record_free_space(heap.file, heap.block, free_space);
  }
  if (record.blocks[0].has_image && record.blocks[0].apply_image) {
    Buffer map_page;
    redo_page(record, 0, map_page);
    return;
  }
  Buffer map_page;
  visibility_map_pin(heap.file, heap.block, map_page);
  map_page.lock_exclusive();
  if (record.end <= page_lsn(map_page.page())) return;
  set_visibility_bits(map_page.page(), heap.block, bits);
  redo_changed(record, map_page);
}

}  // namespace

void heap_redo(const DecodedRecord& record) {
  switch (record.header.info & kHeapOperationMask) {
    case kHeapInsert:
      return redo_insertion(record, offsetof(WalHeapInsert, flags));
    case kHeapDelete:
      if ((flags_at(record, offsetof(WalHeapDelete, flags)) & kWalDeleteAllVisibleCleared) != 0) {
        clear_map(record, 0, kVmAllBits);
      }
      redo_block(record, 0);
      return;
    case kHeapUpdate:
    case kHeapHotUpdate:
      return redo_update(record);
    case kHeapTruncate:
      return;  // only for logical decoding
    case kHeapLock:
      if ((flags_at(record, offsetof(WalHeapLock, flags)) & kWalLockAllFrozenCleared) != 0) {
        clear_map(record, 0, kVmAllFrozen);
      }
      redo_block(record, 0);
      return;
    default:
      redo_block(record, 0);
  }
}

void heap2_redo(const DecodedRecord& record) {
  switch (record.header.info & kHeapOperationMask) {
    case kHeap2Rewrite:
    case kHeap2NewCid:
      return;  // only for logical decoding
    case kHeap2Prune:
      return tell_free_space(record, redo_block(record, 0, true), true);
    case kHeap2Vacuum:
      return tell_free_space(record, redo_block(record, 0), true);
    case kHeap2Visible:
      return redo_visible(record);
    case kHeap2MultiInsert:
      return redo_insertion(record, offsetof(WalHeapMultiInsert, flags));
    case kHeap2LockUpdated:
      if ((flags_at(record, offsetof(WalLockUpdated, flags)) & kWalLockAllFrozenCleared) != 0) {
        clear_map(record, 0, kVmAllFrozen);
      }
      redo_block(record, 0);
      return;
    default:
      redo_block(record, 0);
  }
}

}  // namespace cofork
