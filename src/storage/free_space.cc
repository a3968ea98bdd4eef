// See free_space.h.
#include "storage/free_space.h"

#include <algorithm>

#include "model/task.h"
#include "storage/buffer_pool.h"
#include "storage/free_space_page.h"
#include "storage/map_fork.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr ForkNumber kThisFork = ForkNumber::kFreeSpaceMap;
constexpr int kRootLevel = 2;
constexpr int kBottomLevel = 0;
constexpr uint32_t kStep = 32;
constexpr uint32_t kLargestRequest = 8160;  ///< MaxHeapTupleSize
constexpr int kRestartsMax = 10000;
constexpr uint8_t kXlogPageImage = 0xB0;  ///< XLOG_FPI

/// A page of the map: its level, and its number on that level.
struct Address {
  int level;
  uint32_t number;
};
constexpr Address kRoot{kRootLevel, 0};

struct Place {
  Address address;
  int slot;
};

Place place_of(BlockNumber block) {
  return {{kBottomLevel, block / kFsmSlots}, static_cast<int>(block % kFsmSlots)};
}
Place parent_of(Address child) {
  return {{child.level + 1, child.number / kFsmSlots}, static_cast<int>(child.number % kFsmSlots)};
}
Address child_of(Address parent, int slot) {
  return {parent.level - 1, parent.number * kFsmSlots + static_cast<uint32_t>(slot)};
}
BlockNumber heap_block(Address address, int slot) {
  return address.number * kFsmSlots + static_cast<BlockNumber>(slot);
}

/// Where a page lies in the fork: after all leaves that come before its first one, and the upper
/// pages of those.
BlockNumber block_of(Address address) {
  uint32_t leaf = address.number;
  for (int level = 0; level < address.level; ++level) leaf *= kFsmSlots;
  BlockNumber pages = 0;
  for (int level = 0; level <= kRootLevel; ++level) {
    pages += leaf + 1;
    leaf /= kFsmSlots;
  }
  return pages - static_cast<BlockNumber>(address.level) - 1;
}

Buffer read_map(const RelationFile& file, Address address, bool extend) {
  return read_map_fork(file, kThisFork, block_of(address), extend);
}

uint8_t category_of(uint32_t room) {
  if (room >= kLargestRequest) return 255;
  return static_cast<uint8_t>(std::min(room / kStep, 254u));
}

/// What a page must have recorded to be sure of `wanted` bytes.
uint8_t category_needed(uint32_t wanted) {
  if (wanted > kLargestRequest) {
    throw Error(sqlstate::kInternalError, "invalid FSM request size {}", wanted);
  }
  if (wanted == 0) return 1;
  return static_cast<uint8_t>(std::min((wanted + kStep - 1) / kStep, 255u));
}

void mark(Buffer& buffer) {
  buffer.mark_dirty_hint(false);
}

/// A slot of a locked page. A damaged page is repaired under an exclusive lock, and searched again.
int search_page(Buffer& buffer, uint8_t wanted, bool advance, bool exclusive) {
  for (;;) {
    bool damaged = false;
    int slot = fsm_search_page(buffer.page(), wanted, advance, damaged);
    if (!damaged) return slot;
    if (!exclusive) {
      buffer.unlock();
      buffer.lock_exclusive();
      exclusive = true;
    }
    fsm_rebuild(buffer.page());
    mark(buffer);
  }
}

/// Records a value, and looks for another slot on the same page if `wanted` is not 0.
int set_and_search(const RelationFile& file, const Place& place, uint8_t value, uint8_t wanted) {
  Buffer buffer = read_map(file, place.address, true);
  buffer.lock_exclusive();
  if (fsm_set(buffer.page(), place.slot, value)) mark(buffer);
  if (wanted == 0) return kFsmNoSlot;
  return search_page(buffer, wanted, place.address.level == kBottomLevel, true);
}

/// A map that was not written after the relation was cut may promise pages that are gone. They are
/// recorded as full.
bool block_is_there(const RelationFile& file, BlockNumber block) {
  if (block < fork_blocks(file, ForkNumber::kMain)) return true;
  set_and_search(file, place_of(block), 0, 0);
  return false;
}

/// From the root down. A page that holds less than the one above it promised is corrected there,
/// and the search begins again.
BlockNumber search(const RelationFile& file, uint8_t wanted) {
  Address address = kRoot;
  for (int restarts = 0; restarts < kRestartsMax;) {
    int slot = kFsmNoSlot;
    uint8_t largest = 0;
    {
      Buffer buffer = read_map(file, address, false);
      if (buffer.is_valid()) {
        buffer.lock_shared();
        slot = search_page(buffer, wanted, address.level == kBottomLevel, false);
        if (slot == kFsmNoSlot) largest = fsm_largest(buffer.page());
      }
    }
    if (slot != kFsmNoSlot && address.level != kBottomLevel) {
      address = child_of(address, slot);
      continue;
    }
    if (slot != kFsmNoSlot) {
      BlockNumber block = heap_block(address, slot);
      if (block_is_there(file, block)) return block;
    } else if (address.level == kRootLevel) {
      return kInvalidBlock;
    } else {
      set_and_search(file, parent_of(address), largest, 0);
    }
    this_task().check_interrupts();
    ++restarts;
    address = kRoot;
  }
  return kInvalidBlock;
}

/// First and last slot of a page that lie above heap blocks first … last.
struct SlotRange {
  int first;
  int last;
};
SlotRange slots_above(Address address, BlockNumber first, BlockNumber last) {
  Place begin = place_of(first), end = place_of(last);
  while (begin.address.level < address.level) {
    begin = parent_of(begin.address);
    end = parent_of(end.address);
  }
  SlotRange range{begin.slot, end.slot};
  if (begin.address.number < address.number) range.first = 0;
  if (begin.address.number > address.number) range.first = kFsmSlots;
  if (end.address.number > address.number) range.last = kFsmSlots - 1;
  if (end.address.number < address.number) range.last = -1;
  return range;
}

/// Makes each slot above the blocks what the root below it says; the page's own largest value.
/// `at_end`: the map ends here. (fsm_vacuum_page)
uint8_t vacuum_page(const RelationFile& file, Address address, BlockNumber first, BlockNumber last,
                    bool& at_end) {
  Buffer buffer = read_map(file, address, false);
  if (!buffer.is_valid()) {
    at_end = true;
    return 0;
  }
  if (address.level > kBottomLevel) {
    SlotRange range = slots_above(address, first, last);
    bool ended = false;
    for (int slot = range.first; slot <= range.last; ++slot) {
      this_task().check_interrupts();
      uint8_t below = 0;
      if (!ended) below = vacuum_page(file, child_of(address, slot), first, last, ended);
      if (fsm_value(buffer.page(), slot) == below) continue;
      buffer.lock_exclusive();
      if (fsm_set(buffer.page(), slot, below)) mark(buffer);
      buffer.unlock();
    }
  }
  // Insertions fill the relation from its beginning again, so that its end can become empty.
  fsm_begin_at_start(buffer.page());
  return fsm_largest(buffer.page());
}

/// The whole page as a record, for a change that must not be half there after a crash.
void log_map_page(Buffer& buffer) {
  WalRecordBuilder& record = wal_record();
  record.begin(kWalXlogManager, kXlogPageImage);
  const BufferTag& tag = buffer.tag();
  record.add_block({.id = 0,
                    .file = tag.file,
                    .fork = tag.fork,
                    .block = tag.block,
                    .page = buffer.page(),
                    .flags = kWalBlockForceImage});
  set_page_lsn(buffer.page(), wal_insert(record));
}

}  // namespace

BlockNumber page_with_free_space(const RelationFile& file, uint32_t wanted) {
  return search(file, category_needed(wanted));
}

BlockNumber record_and_find_free_space(const RelationFile& file, BlockNumber old_block,
                                       uint32_t room, uint32_t wanted) {
  uint8_t needed = category_needed(wanted);
  Place place = place_of(old_block);
  // A neighbour, if there is one: its map page is in hand.
  int slot = set_and_search(file, place, category_of(room), needed);
  if (slot != kFsmNoSlot) {
    BlockNumber block = heap_block(place.address, slot);
    if (block_is_there(file, block)) return block;
  }
  return search(file, needed);
}

void record_free_space(const RelationFile& file, BlockNumber block, uint32_t room) {
  set_and_search(file, place_of(block), category_of(room), 0);
}

void redo_record_free_space(const RelationFile& file, BlockNumber block, uint32_t room) {
  record_free_space(file, block, room);
}

uint32_t recorded_free_space(const RelationFile& file, BlockNumber block) {
  Place place = place_of(block);
  Buffer buffer = read_map(file, place.address, false);
  if (!buffer.is_valid()) return 0;
  uint8_t category = fsm_value(buffer.page(), place.slot);
  return category == 255 ? kLargestRequest : category * kStep;
}

void free_space_vacuum(const RelationFile& file) {
  free_space_vacuum_range(file, 0, kInvalidBlock);
}

void free_space_vacuum_range(const RelationFile& file, BlockNumber first, BlockNumber end) {
  if (end <= first) return;
  bool at_end = false;
  vacuum_page(file, kRoot, first, end - 1, at_end);
}

BlockNumber truncate_free_space(const RelationFile& file, BlockNumber blocks, bool needs_wal) {
  if (!relation_file_exists(file, kThisFork)) return kInvalidBlock;
  Place place = place_of(blocks);
  BlockNumber keep = block_of(place.address);
  if (place.slot > 0) {
    Buffer buffer = read_map(file, place.address, false);
    if (!buffer.is_valid()) return kInvalidBlock;  // the map is shorter already
    buffer.lock_exclusive();
    CriticalSection critical;
    fsm_cut(buffer.page(), place.slot);
    // Not as a hint: the pages it speaks of will be gone for good.
    buffer.mark_dirty();
    if (!recovery_in_progress() && needs_wal && hints_need_wal()) log_map_page(buffer);
    critical.end();
    ++keep;
  }
  return keep < fork_blocks(file, kThisFork) ? keep : kInvalidBlock;
}

BlockNumber free_index_page(const RelationFile& file) {
  BlockNumber block = page_with_free_space(file, kPageBytes / 2);
  if (block != kInvalidBlock) record_free_space(file, block, 0);
  return block;
}

void record_free_index_page(const RelationFile& file, BlockNumber block) {
  record_free_space(file, block, kPageBytes - 1);
}

}  // namespace cofork
