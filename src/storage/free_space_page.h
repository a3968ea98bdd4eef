// One page of the free space map: a heap-ordered tree of bytes (fsmpage.c, 15). Inside storage/
// only.
//
//   header | next slot (4 bytes) | 4095 inner nodes | 4069 leaves ("slots")
//
// Every inner node is the larger of its children, so the root says at once whether the page knows
// of enough space, and a walk down finds it. The walk begins where the last one ended: insertions
// at the same time get different pages.
#pragma once

#include <cstdint>

#include "storage/page.h"

namespace cofork {

inline constexpr int kFsmSlots = 4069;
inline constexpr int kFsmNoSlot = -1;

uint8_t fsm_value(ConstPage page, int slot);
uint8_t fsm_largest(ConstPage page);
/// Sets a slot and what lies above it; false when nothing has changed.
bool fsm_set(Page page, int slot, uint8_t value);
/// A slot with at least `wanted`, or kFsmNoSlot. With `advance` the next search begins after it.
/// The page may be locked shared: the place to begin at is a hint, written without care. `damaged`:
/// an inner node promised what is not there; call fsm_rebuild() and search again.
int fsm_search_page(Page page, uint8_t wanted, bool advance, bool& damaged);
/// Zeros for all slots from `slots` on; false when they were.
bool fsm_cut(Page page, int slots);
/// Computes the inner nodes anew; false when they were right.
bool fsm_rebuild(Page page);
void fsm_begin_at_start(Page page);

}  // namespace cofork
