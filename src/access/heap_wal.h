// WAL records of heap tables: resource managers Heap (10) and Heap2 (9) (access/heapam_xlog.h, 15).
//
// What a record holds besides these structs is block data: new tuples without the fields redo knows
// already (xmin is the record's xid, ctid its own place), lists of offsets, freeze plans. Written
// and read byte for byte as PostgreSQL 15 does, so that pg_waldump describes them.
//
// The structs are packed: their sizes are those in the WAL, with no padding at the end.
#pragma once

#include <cstdint>

#include "access/tuple_header.h"

namespace cofork {

inline constexpr uint8_t kManagerHeap2 = 9;
inline constexpr uint8_t kManagerHeap = 10;

/// Heap: bits 4…6 of the info byte.
enum HeapRecord : uint8_t {
  kHeapInsert = 0x00,
  kHeapDelete = 0x10,
  kHeapUpdate = 0x20,
  kHeapTruncate = 0x30,
  kHeapHotUpdate = 0x40,
  kHeapConfirm = 0x50,
  kHeapLock = 0x60,
  kHeapInplace = 0x70,
  kHeapOperationMask = 0x70,
  kHeapInitPage = 0x80,  ///< redo begins with an empty page; Heap2's multi-insert too
};
enum Heap2Record : uint8_t {
  kHeap2Rewrite = 0x00,
  kHeap2Prune = 0x10,
  kHeap2Vacuum = 0x20,
  kHeap2FreezePage = 0x30,
  kHeap2Visible = 0x40,
  kHeap2MultiInsert = 0x50,
  kHeap2LockUpdated = 0x60,
  kHeap2NewCid = 0x70,
};

// Flags of the records.
inline constexpr uint8_t kWalInsertAllVisibleCleared = 0x01;
inline constexpr uint8_t kWalInsertLastInMulti = 0x02;
inline constexpr uint8_t kWalInsertIsSpeculative = 0x04;
inline constexpr uint8_t kWalInsertAllFrozenSet = 0x20;
inline constexpr uint8_t kWalDeleteAllVisibleCleared = 0x01;
inline constexpr uint8_t kWalDeleteIsSuper = 0x08;
inline constexpr uint8_t kWalDeleteIsPartitionMove = 0x10;
inline constexpr uint8_t kWalUpdateOldAllVisibleCleared = 0x01;
inline constexpr uint8_t kWalUpdateNewAllVisibleCleared = 0x02;
inline constexpr uint8_t kWalUpdatePrefixFromOld = 0x20;
inline constexpr uint8_t kWalUpdateSuffixFromOld = 0x40;
inline constexpr uint8_t kWalLockAllFrozenCleared = 0x01;

/// What a record says of xmax's bits (infobits_set).
enum WalXmaxBits : uint8_t {
  kWalXmaxIsMulti = 0x01,
  kWalXmaxLockOnly = 0x02,
  kWalXmaxExclusiveLock = 0x04,
  kWalXmaxKeyShareLock = 0x08,
  kWalKeysUpdated = 0x10,
};

#pragma pack(push, 1)

/// Before each new tuple in block data; the tuple follows from its byte 23 on.
struct WalHeapHeader {
  uint16_t infomask2;
  uint16_t infomask;
  uint8_t hoff;
};
static_assert(sizeof(WalHeapHeader) == 5);

struct WalHeapInsert {
  OffsetNumber offset;
  uint8_t flags;
};
static_assert(sizeof(WalHeapInsert) == 3);

struct WalHeapDelete {
  TransactionId xmax;
  OffsetNumber offset;
  uint8_t xmax_bits;
  uint8_t flags;
};
static_assert(sizeof(WalHeapDelete) == 8);

/// Block 0: the new tuple's page; block 1: the old one's, when that is another.
struct WalHeapUpdate {
  TransactionId old_xmax;
  OffsetNumber old_offset;
  uint8_t old_xmax_bits;
  uint8_t flags;
  TransactionId new_xmax;
  OffsetNumber new_offset;
};
static_assert(sizeof(WalHeapUpdate) == 14);

struct WalHeapLock {
  TransactionId xmax;
  OffsetNumber offset;
  uint8_t xmax_bits;
  uint8_t flags;
};
static_assert(sizeof(WalHeapLock) == 8);

struct WalHeapConfirm {
  OffsetNumber offset;
};
struct WalHeapInplace {
  OffsetNumber offset;
};

/// Then ntuples offsets, unless the page is made anew.
struct WalHeapMultiInsert {
  uint8_t flags;
  uint8_t padding;
  uint16_t tuples;
};
static_assert(sizeof(WalHeapMultiInsert) == 4);
/// Each at a multiple of 2 in block data, its bytes following.
struct WalMultiInsertTuple {
  uint16_t data_bytes;
  uint16_t infomask2;
  uint16_t infomask;
  uint8_t hoff;
};
static_assert(sizeof(WalMultiInsertTuple) == 7);

/// Block data: redirected pairs, dead offsets, unused offsets.
struct WalHeapPrune {
  TransactionId latest_removed_xid;
  uint16_t redirected;
  uint16_t dead;
};
static_assert(sizeof(WalHeapPrune) == 8);

struct WalHeapVacuum {
  uint16_t unused;
};

struct WalFreezePage {
  TransactionId cutoff_xid;
  uint16_t tuples;
};
static_assert(sizeof(WalFreezePage) == 6);

/// Block 0: of the visibility map; block 1: of the heap.
struct WalHeapVisible {
  TransactionId cutoff_xid;
  uint8_t flags;
};
static_assert(sizeof(WalHeapVisible) == 5);

struct WalLockUpdated {
  TransactionId xmax;
  OffsetNumber offset;
  uint8_t xmax_bits;
  uint8_t flags;
};
static_assert(sizeof(WalLockUpdated) == 8);

#pragma pack(pop)

/// What freezing makes of a tuple (xl_heap_freeze_tuple): also in block data as it is.
struct FreezePlan {
  TransactionId xmax;
  OffsetNumber offset;
  uint16_t infomask2;
  uint16_t infomask;
  uint8_t flags;
  uint8_t padding;
};
static_assert(sizeof(FreezePlan) == 12);

}  // namespace cofork
