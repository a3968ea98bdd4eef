// See heap_space.h.
#include "access/heap_space.h"

#include <cstring>

#include "access/row_lock.h"
#include "storage/free_space.h"
#include "storage/visibility_map.h"
#include "support/error.h"

namespace cofork {

namespace {

/// What a page must have free: the tuple, and what fillfactor keeps for updates, but not more than
/// an almost empty page has: a few item ids that are left over should not make it unusable.
uint32_t wanted_bytes(const Relation& relation, uint32_t tuple_bytes) {
  constexpr uint32_t kNearlyEmpty = kHeapTupleBytesMax - kMaxHeapTuplesPerPage / 8 * 4;
  uint32_t wanted = tuple_bytes + reserved_bytes(relation);
  return wanted > kNearlyEmpty ? std::max(tuple_bytes, kNearlyEmpty) : wanted;
}

AccessStrategy* strategy_of(BulkInsert* bulk) {
  return bulk != nullptr ? bulk->strategy : nullptr;
}

/// A pin on the block; a bulk insertion keeps the last one and gets it without asking the pool.
Buffer read_target(Relation& relation, BlockNumber block, BulkInsert* bulk) {
  if (bulk == nullptr) return read_buffer(relation.file, ForkNumber::kMain, block);
  if (!bulk->current.is_valid() || bulk->current.block() != block) {
    bulk->current =
        read_buffer(relation.file, ForkNumber::kMain, block, ReadMode::kNormal, bulk->strategy);
  }
  return bulk->current.pin_again();
}

/// A remembered block, or one from the map, may have been cut off since then by a vacuum. (Not
/// during this transaction: it holds the table's lock.)
BlockNumber if_it_exists(const Relation& relation, BlockNumber block) {
  if (block == kInvalidBlock) return block;
  return block < relation_blocks(relation.file, ForkNumber::kMain) ? block : kInvalidBlock;
}

BlockNumber first_target(Relation& relation, uint32_t wanted, uint32_t options, BulkInsert* bulk) {
  if (bulk != nullptr && bulk->current.is_valid()) return bulk->current.block();
  BlockNumber block = if_it_exists(relation, relation.target_block);
  if (block != kInvalidBlock || (options & kInsertSkipFsm) != 0) return block;
  block = if_it_exists(relation, page_with_free_space(relation.file, wanted));
  if (block != kInvalidBlock) return block;
  BlockNumber blocks = relation_blocks(relation.file, ForkNumber::kMain);
  return blocks > 0 ? blocks - 1 : kInvalidBlock;
}

/// A page that was added by somebody who crashed before filling it.
void init_if_new(Buffer& buffer) {
  if (!page_is_new(buffer.page())) return;
  page_init(buffer.page(), 0);
  buffer.mark_dirty();
}

/// Room for those who wait for the extension lock behind us.
void add_extra_pages(Relation& relation, BulkInsert* bulk) {
  constexpr int kPages = 20;
  BlockNumber first = kInvalidBlock;
  BlockNumber last = kInvalidBlock;
  for (int i = 0; i < kPages; ++i) {
    Buffer buffer = extend_relation(relation.file, ForkNumber::kMain, strategy_of(bulk));
    page_init(buffer.page(), 0);
    buffer.mark_dirty();
    last = buffer.block();
    if (first == kInvalidBlock) first = last;
    uint32_t room = page_heap_free_space(buffer.page());
    buffer.release();
    record_free_space(relation.file, last, room);
  }
  free_space_vacuum_range(relation.file, first, last + 1);
}

/// The relation's extension lock; pages may be added while it is held.
class ExtensionLock {
 public:
  explicit ExtensionLock(const Relation& relation)
      : needed_(relation.persistence != 't'),
        tag_(LockTag::relation_extend(lock_database(relation), relation.oid)) {}
  bool has_waiters() { return needed_ && lock_has_waiters(tag_, LockMode::kExclusive); }
  bool try_acquire() {
    return !needed_ || lock_acquire(tag_, LockMode::kExclusive, LockWait::kNoWait) !=
                           LockOutcome::kNotAvailable;
  }
  void acquire() { lock_acquire(tag_, LockMode::kExclusive); }
  void release() {
    if (needed_) lock_release(tag_, LockMode::kExclusive);
  }

 private:
  bool needed_;
  LockTag tag_;
};

/// A new page at the end, locked; or, when somebody else has just made some, an empty Buffer and
/// the block to try.
Buffer extend_heap(Relation& relation, uint32_t wanted, uint32_t options, BulkInsert* bulk,
                   BlockNumber& try_block) {
  ExtensionLock lock(relation);
  if ((options & kInsertSkipFsm) != 0) {
    if (!lock.try_acquire()) lock.acquire();
  } else if (!lock.try_acquire()) {
    lock.acquire();
    try_block = page_with_free_space(relation.file, wanted);
    if (try_block != kInvalidBlock) {
      lock.release();
      return {};
    }
    if (lock.has_waiters()) add_extra_pages(relation, bulk);
  }
  Buffer buffer = extend_relation(relation.file, ForkNumber::kMain, strategy_of(bulk));
  if (!page_is_new(buffer.page())) {
    throw Error(sqlstate::kInternalError, "page {} of relation \"{}\" should be empty but is not",
                buffer.block(), relation.name);
  }
  page_init(buffer.page(), 0);
  buffer.mark_dirty();
  lock.release();
  if (bulk != nullptr) bulk->current = buffer.pin_again();
  return buffer;
}

bool needs_map_pin(const Buffer& buffer, const Buffer& map_page) {
  return page_is_all_visible(buffer.page()) && !visibility_map_pin_covers(map_page, buffer.block());
}

}  // namespace

void check_tuple_size(const Relation& relation, uint32_t bytes) {
  if (align8(bytes) <= kHeapTupleBytesMax) return;
  Error error(sqlstate::kProgramLimitExceeded, "row is too big: size {}, maximum size {}",
              align8(bytes), kHeapTupleBytesMax);
  if (relation.is_catalog) {
    // A limit of this server, not of the table's design.
    error.data().sqlstate = sqlstate::kFeatureNotSupported;
    error.data().detail = "Large values of system catalogs are not stored out of line (TOAST).";
  }
  throw error;
}

Buffer page_for_tuple(Relation& relation, uint32_t bytes, uint32_t options, BulkInsert* bulk,
                      Buffer& map_page) {
  check_tuple_size(relation, bytes);
  auto tuple_bytes = static_cast<uint32_t>(align8(bytes));
  uint32_t wanted = wanted_bytes(relation, tuple_bytes);
  BlockNumber target = first_target(relation, wanted, options, bulk);
  for (;;) {
    while (target != kInvalidBlock) {
      Buffer buffer = read_target(relation, target, bulk);
      // Reading the map may wait, so its page is pinned before the heap page is locked. The mark
      // may come between the two; then both are done once more.
      if (page_is_all_visible(buffer.page())) visibility_map_pin(relation.file, target, map_page);
      buffer.lock_exclusive();
      while (needs_map_pin(buffer, map_page)) {
        buffer.unlock();
        visibility_map_pin(relation.file, target, map_page);
        buffer.lock_exclusive();
      }
      init_if_new(buffer);
      uint32_t room = page_heap_free_space(buffer.page());
      if (wanted <= room) {
        relation.target_block = target;
        return buffer;
      }
      buffer.release();
      if ((options & kInsertSkipFsm) != 0) break;
      target =
          if_it_exists(relation, record_and_find_free_space(relation.file, target, room, wanted));
    }
    Buffer buffer = extend_heap(relation, wanted, options, bulk, target);
    if (!buffer.is_valid()) continue;
    if ((options & kInsertFrozen) != 0) {
      BlockNumber block = buffer.block();
      buffer.unlock();
      visibility_map_pin(relation.file, block, map_page);
      buffer.lock_exclusive();
      if (page_heap_free_space(buffer.page()) < tuple_bytes) {
        target = block;
        continue;
      }
    }
    relation.target_block = buffer.block();
    return buffer;
  }
}

namespace {

/// Locks both (target may be empty) in ascending order, with the map pages they need pinned.
void lock_pair(Relation& relation, Buffer& old, Buffer& target, MapPins& pins) {
  for (;;) {
    bool target_first = target.is_valid() && target.block() < old.block();
    if (target_first) target.lock_exclusive();
    old.lock_exclusive();
    if (target.is_valid() && !target_first) target.lock_exclusive();
    bool old_needs = needs_map_pin(old, pins.other);
    bool target_needs = target.is_valid() && needs_map_pin(target, pins.page);
    if (!old_needs && !target_needs) return;
    if (target.is_valid()) target.unlock();
    old.unlock();
    if (old_needs) visibility_map_pin(relation.file, old.block(), pins.other);
    if (target_needs) visibility_map_pin(relation.file, target.block(), pins.page);
  }
}

}  // namespace

Buffer page_for_update(Relation& relation, uint32_t bytes, Buffer& old, MapPins& pins) {
  check_tuple_size(relation, bytes);
  auto tuple_bytes = static_cast<uint32_t>(align8(bytes));
  uint32_t wanted = wanted_bytes(relation, tuple_bytes);
  BlockNumber block = first_target(relation, wanted, 0, nullptr);
  for (;;) {
    while (block != kInvalidBlock) {
      Buffer target;
      if (block != old.block()) target = read_buffer(relation.file, ForkNumber::kMain, block);
      lock_pair(relation, old, target, pins);
      Buffer& page = target.is_valid() ? target : old;
      init_if_new(page);
      uint32_t room = page_heap_free_space(page.page());
      if (wanted <= room) {
        relation.target_block = block;
        return target;
      }
      target.release();
      old.unlock();
      block =
          if_it_exists(relation, record_and_find_free_space(relation.file, block, room, wanted));
    }
    Buffer target = extend_heap(relation, wanted, 0, nullptr, block);
    if (!target.is_valid()) continue;
    // The new page comes after the old one, so it is locked second. It has been visible to others
    // meanwhile: they may have used it up.
    target.unlock();
    lock_pair(relation, old, target, pins);
    if (page_heap_free_space(target.page()) >= tuple_bytes) {
      relation.target_block = target.block();
      return target;
    }
    block = target.block();
    target.release();
    old.unlock();
  }
}

void put_tuple(const Buffer& buffer, HeapTuple& tuple) {
  OffsetNumber offset =
      page_add_item(buffer.page(), tuple.header, tuple.length, kInvalidOffset, kPageAddHeap);
  if (offset == kInvalidOffset) {
    throw Error(sqlstate::kInternalError, "failed to add tuple to page").severity(Severity::kPanic);
  }
  tuple.self = {buffer.block(), offset};
  ItemId id = page_item_id(buffer.page(), offset);
  auto* stored = reinterpret_cast<HeapTupleHeader*>(page_item(buffer.page(), id));
  stored->ctid = tuple.self;
  tuple.header->ctid = tuple.self;
}

}  // namespace cofork
