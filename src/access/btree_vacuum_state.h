// Which indexes are being vacuumed, for everybody who splits a page of one meanwhile (BTVacInfo in
// nbtutils.c, 15).
//
// Each VACUUM of an index has a cycle number. A split leaves it on both pages, and so the VACUUM
// can tell that entries may have moved to a page it has passed already.
#pragma once

#include <cstdint>

#include "access/btree.h"
#include "shmem/segment.h"

namespace cofork {

/// Guarded by BtreeVacuumLock.
struct BtreeVacuumArea {
  static constexpr Area kArea = Area::kBtreeVacuum;
  static constexpr const char* kName = "BTree Vacuum State";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);

  struct Running {
    Oid database;
    Oid index;
    uint16_t cycle;
  };
  uint16_t last_cycle;
  int32_t count;
  int32_t max;
  Running running[1];  ///< `max` of them
};

/// Enters a VACUUM of the index and gives it a cycle. Throws XX000 "multiple active vacuums for
/// index …" (_bt_start_vacuum).
uint16_t btree_start_vacuum(const BtreeIndex& index);
void btree_end_vacuum(const BtreeIndex& index);

}  // namespace cofork
