// The visibility map: two bits for each page of a heap (visibilitymap.c, 15).
//
//   all-visible   every row version on the page is visible to everybody: scans of indexes need not
//                 look at it, vacuum may pass it over
//   all-frozen    and none of them has an xid left that could become too old
//
//   fork _vm: page header, then 8168 bytes of four heap pages each, lowest bits first
//
// Rules
//  1. A bit is set only while the heap page is locked and marked itself (kPageAllVisible), and
//     cleared with the change that makes it wrong. So a set bit is always true; a missing one only
//     costs time.
//  2. Reading a map page may wait: it is pinned before the heap page is locked.
//  3. Setting is in WAL (the heap's VISIBLE record); clearing is a flag of the record that changes
//     the heap page.
#pragma once

#include "storage/buffer_pool.h"

namespace cofork {

inline constexpr uint8_t kVmAllVisible = 0x01;
inline constexpr uint8_t kVmAllFrozen = 0x02;
inline constexpr uint8_t kVmAllBits = 0x03;

/// Pins the map page that covers a heap page, unless `map_page` is that already; extends the map as
/// far as needed. May wait.
void visibility_map_pin(const RelationFile& file, BlockNumber heap_block, Buffer& map_page);
/// Does the pin cover this heap page?
bool visibility_map_pin_covers(const Buffer& map_page, BlockNumber heap_block);

/// Clears bits; true if one was set. The heap page is locked, the map page pinned.
bool visibility_map_clear(const RelationFile& file, BlockNumber heap_block, Buffer& map_page,
                          uint8_t bits);
/// Sets bits on a locked map page (its bytes only); false when they are set already.
bool set_visibility_bits(Page map, BlockNumber heap_block, uint8_t bits);

/// The bits, without a lock: what has been set may just have been cleared. Changes the pin if
/// needed; past the end of the map there is nothing set. May wait.
uint8_t visibility_map_status(const RelationFile& file, BlockNumber heap_block, Buffer& map_page);

struct VisibilityCounts {
  BlockNumber all_visible = 0;
  BlockNumber all_frozen = 0;
};
VisibilityCounts visibility_map_count(const RelationFile& file);

/// Before the heap is cut to `heap_blocks`: clears what lies behind on the last map page that
/// stays, and returns the length the map is to be cut to; kInvalidBlock: nothing to cut
/// (visibilitymap_prepare_truncate).
BlockNumber visibility_map_prepare_truncate(const RelationFile& file, BlockNumber heap_blocks);

}  // namespace cofork
