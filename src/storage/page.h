// A page: 8192 bytes of a relation file, and the furniture common to all of them.
//
//   0        24          lower        upper                special      8192
//   | header | item ids →|    free    |← items             | special    |
//
// Item ids grow up from the header, items grow down from the special space (a B-tree's 16 bytes;
// none in a heap). Who points at an item names its number, never its place: so a page can be
// packed again without anybody noticing.
//
// A page is a char* to 8192 bytes aligned to 8: in the buffer pool, or a local copy. Layout,
// constants and error texts are PostgreSQL 15's (bufpage.h, bufpage.c, checksum_impl.h). Nothing
// here waits, locks or writes WAL; who changes a shared page holds its content lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/lsn.h"
#include "support/unordered.h"
#include "wal/format.h"

namespace cofork {

using BlockNumber = uint32_t;
using OffsetNumber = uint16_t;  ///< number of an item id, from 1
using Page = char*;
using ConstPage = const char*;

inline constexpr BlockNumber kInvalidBlock = 0xFFFFFFFFu;
inline constexpr BlockNumber kMaxBlock = 0xFFFFFFFEu;
inline constexpr OffsetNumber kInvalidOffset = 0;
inline constexpr OffsetNumber kFirstOffset = 1;
inline constexpr uint32_t kPageBytes = 8192;
inline constexpr uint32_t kPageHeaderBytes = 24;
inline constexpr uint32_t kMaxHeapTuplesPerPage = 291;
inline constexpr uint16_t kPageSizeAndVersion = 8192 | 4;

constexpr size_t align8(size_t bytes) {
  return (bytes + 7) & ~size_t{7};
}

/// Where a row version is: block and item number, as stored in tuples (ItemPointerData).
struct ItemPointer {
  uint16_t block_hi = 0xFFFF;
  uint16_t block_lo = 0xFFFF;
  OffsetNumber offset = kInvalidOffset;

  constexpr ItemPointer() = default;
  constexpr ItemPointer(BlockNumber block, OffsetNumber number)
      : block_hi(static_cast<uint16_t>(block >> 16)),
        block_lo(static_cast<uint16_t>(block)),
        offset(number) {}
  constexpr BlockNumber block() const {
    return (static_cast<BlockNumber>(block_hi) << 16) | block_lo;
  }
  constexpr bool is_valid() const { return offset != kInvalidOffset; }
  friend constexpr bool operator==(const ItemPointer&, const ItemPointer&) = default;
  friend constexpr auto operator<=>(const ItemPointer&, const ItemPointer&) = default;
};
static_assert(sizeof(ItemPointer) == 6);

enum class ItemState : uint8_t { kUnused = 0, kNormal = 1, kRedirect = 2, kDead = 3 };

/// A line pointer: offset (15 bits), state (2), length (15). ItemIdData.
class ItemId {
 public:
  constexpr ItemState state() const { return static_cast<ItemState>((word_ >> 15) & 3); }
  /// Of the item's first byte; of a redirect: the item number it leads to.
  constexpr uint32_t offset() const { return word_ & 0x7FFF; }
  constexpr uint32_t length() const { return word_ >> 17; }
  constexpr bool is_used() const { return state() != ItemState::kUnused; }
  constexpr bool is_normal() const { return state() == ItemState::kNormal; }
  constexpr bool is_redirect() const { return state() == ItemState::kRedirect; }
  constexpr bool is_dead() const { return state() == ItemState::kDead; }
  constexpr bool has_storage() const { return length() != 0; }
  constexpr OffsetNumber redirect() const { return static_cast<OffsetNumber>(offset()); }

  constexpr void set(ItemState state, uint32_t offset, uint32_t length) {
    word_ = (offset & 0x7FFF) | (static_cast<uint32_t>(state) << 15) | (length << 17);
  }
  constexpr void set_normal(uint32_t offset, uint32_t length) {
    set(ItemState::kNormal, offset, length);
  }
  constexpr void set_redirect(OffsetNumber target) { set(ItemState::kRedirect, target, 0); }
  constexpr void set_unused() { word_ = 0; }
  /// Dead without an item (heap).
  constexpr void set_dead() { set(ItemState::kDead, 0, 0); }
  /// Dead, the item still there (a hint in a B-tree: ItemIdMarkDead).
  constexpr void mark_dead() { set(ItemState::kDead, offset(), length()); }
  constexpr void set_offset(uint32_t offset) { set(state(), offset, length()); }
  constexpr uint32_t word() const { return word_; }

 private:
  uint32_t word_;
};
static_assert(sizeof(ItemId) == 4);

enum PageFlag : uint16_t {
  kPageHasFreeLines = 0x0001,  ///< a hint: some item ids are unused
  kPageFull = 0x0002,          ///< a hint: an update found no room here
  kPageAllVisible = 0x0004,    ///< every row version is visible to everybody
  kPageAllFlags = 0x0007,
};

struct PageHeader {
  uint32_t lsn_high;
  uint32_t lsn_low;
  uint16_t checksum;
  Unordered<uint16_t> flags;
  Unordered<uint16_t> lower;
  Unordered<uint16_t> upper;
  uint16_t special;
  uint16_t size_and_version;
  Unordered<uint32_t> prune_xid;  ///< heap: oldest xid whose rows might be pruned; 0: none
};
static_assert(sizeof(PageHeader) == kPageHeaderBytes);

inline PageHeader& page_header(Page page) {
  return *reinterpret_cast<PageHeader*>(page);
}
inline const PageHeader& page_header(ConstPage page) {
  return *reinterpret_cast<const PageHeader*>(page);
}
/// End of the last record that changed the page: WAL must be on disk up to here before it is.
inline Lsn page_lsn(ConstPage page) {
  const PageHeader& header = page_header(page);
  return {(static_cast<uint64_t>(header.lsn_high) << 32) | header.lsn_low};
}
inline void set_page_lsn(Page page, Lsn lsn) {
  page_header(page).lsn_high = static_cast<uint32_t>(lsn.value >> 32);
  page_header(page).lsn_low = static_cast<uint32_t>(lsn.value);
}
/// Never initialised: all zeros, as extending a file leaves it.
inline bool page_is_new(ConstPage page) {
  return page_header(page).upper == 0;
}
inline bool page_is_empty(ConstPage page) {
  return page_header(page).lower <= kPageHeaderBytes;
}
inline OffsetNumber page_item_count(ConstPage page) {
  uint32_t lower = page_header(page).lower;
  return lower <= kPageHeaderBytes ? OffsetNumber{0}
                                   : static_cast<OffsetNumber>((lower - kPageHeaderBytes) / 4);
}
inline ItemId& page_item_id(Page page, OffsetNumber number) {
  return reinterpret_cast<ItemId*>(page + kPageHeaderBytes)[number - 1];
}
inline const ItemId& page_item_id(ConstPage page, OffsetNumber number) {
  return reinterpret_cast<const ItemId*>(page + kPageHeaderBytes)[number - 1];
}
/// The bytes of an item that has storage.
inline char* page_item(Page page, ItemId id) {
  return page + id.offset();
}
inline const char* page_item(ConstPage page, ItemId id) {
  return page + id.offset();
}
inline char* page_special(Page page) {
  return page + page_header(page).special;
}
inline const char* page_special(ConstPage page) {
  return page + page_header(page).special;
}
inline uint32_t page_special_bytes(ConstPage page) {
  return kPageBytes - page_header(page).special;
}
inline bool page_is_all_visible(ConstPage page) {
  return (page_header(page).flags & kPageAllVisible) != 0;
}
inline void set_page_flag(Page page, PageFlag flag, bool on) {
  Unordered<uint16_t>& flags = page_header(page).flags;
  flags = static_cast<uint16_t>(on ? flags | flag : flags & ~flag);
}

/// Makes an empty page with `special_bytes` (rounded up to 8) at its end. (PageInit)
void page_init(Page page, uint32_t special_bytes);

enum PageAdd : uint32_t {
  kPageAddOverwrite = 1,  ///< `where` is an unused item id or one past the last
  kPageAddHeap = 2,       ///< no more than 291 item ids
};
/// Puts an item on the page and returns its number; kInvalidOffset when it does not fit or the
/// request makes no sense (a WARNING says why). `where` kInvalidOffset: the first unused item id,
/// else a new one; otherwise that number, later ones moving up by one unless kPageAddOverwrite.
/// Throws only the PANIC "corrupted page pointers: …". (PageAddItemExtended)
OffsetNumber page_add_item(Page page, const void* item, uint32_t bytes, OffsetNumber where,
                           uint32_t flags);

/// Bytes for one more item, its item id taken off; 0 if there are none. (PageGetFreeSpace)
uint32_t page_free_space(ConstPage page);
/// The same for `items` new item ids. (PageGetFreeSpaceForMultipleTuples)
uint32_t page_free_space_for(ConstPage page, uint32_t items);
/// Bytes between item ids and items. (PageGetExactFreeSpace)
uint32_t page_exact_free_space(ConstPage page);
/// Of a heap page: 0 as well when it has 291 item ids and all are used. (PageGetHeapFreeSpace)
uint32_t page_heap_free_space(ConstPage page);

/// Packs the items of a heap page towards its end, in item-id order, and sets the hint about
/// unused item ids. Throws ERROR XX001 when the page does not add up. (PageRepairFragmentation)
void page_repair_fragmentation(Page page);
/// Forgets unused item ids at the end of the array, all but one. (PageTruncateLinePointerArray)
void page_truncate_item_ids(Page page);

/// Removes an item and its id; later ids move down. (PageIndexTupleDelete)
void page_index_tuple_delete(Page page, OffsetNumber number);
/// Removes many, numbers in ascending order, in one pass. (PageIndexMultiDelete)
void page_index_multi_delete(Page page, std::span<const OffsetNumber> numbers);
/// Puts another item in an item's place, its number kept; false when there is no room.
/// (PageIndexTupleOverwrite)
bool page_index_tuple_overwrite(Page page, OffsetNumber number, const void* item, uint32_t bytes);

/// Checksum of a page that is block `block` of its fork; its own field counts as 0. Never 0.
uint16_t page_checksum(ConstPage page, BlockNumber block);
/// Stores it; a new page gets none. (PageSetChecksumInplace)
void page_set_checksum(Page page, BlockNumber block);

/// What is wrong with a page that was just read.
struct PageCheck {
  bool valid = true;             ///< may be used
  bool checksum_failed = false;  ///< and is not a page of zeros
  uint16_t calculated = 0;
  uint16_t expected = 0;
};
/// A page of zeros is fine, and so is one with a sane header and, if `checksums`, the right
/// checksum. With `ignore_failure` a sane header is enough. (PageIsVerifiedExtended,
/// whose WARNING is the caller's business.)
PageCheck page_verify(ConstPage page, BlockNumber block, bool checksums, bool ignore_failure);

}  // namespace cofork
