// The bytes a heap tuple begins with: who made it, who ended it, where the next version is
// (HeapTupleHeaderData in access/htup_details.h, 15).
//
//   0 xmin | 4 xmax | 8 command id | 12 ctid | 18 infomask2 | 20 infomask | 22 hoff | 23 null
//   bitmap
//
// Rules
//  1. The two hint pairs (XMIN_…, XMAX_…) only remember what the commit log says; a reader with a
//     shared lock may set them. Everything else changes under the exclusive lock of the page.
//  2. xmax means nothing while XMAX_INVALID is set, and is no end of the row while it is only a
//     lock (is_only_locked). With XMAX_IS_MULTI it is a MultiXactId.
//  3. A frozen tuple keeps its raw xmin: frozen is a combination of hint bits, not a number.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/page.h"
#include "support/unordered.h"
#include "txn/xid.h"

namespace cofork {

/// t_infomask.
enum TupleMask : uint16_t {
  kTupleHasNull = 0x0001,
  kTupleHasVarWidth = 0x0002,
  kTupleHasExternal = 0x0004,
  kTupleXmaxKeyShareLock = 0x0010,
  kTupleComboCommand = 0x0020,
  kTupleXmaxExclusiveLock = 0x0040,
  kTupleXmaxLockOnly = 0x0080,
  kTupleXminCommitted = 0x0100,
  kTupleXminInvalid = 0x0200,
  kTupleXminFrozen = 0x0300,
  kTupleXmaxCommitted = 0x0400,
  kTupleXmaxInvalid = 0x0800,
  kTupleXmaxIsMulti = 0x1000,
  kTupleUpdated = 0x2000,  ///< the new version of an updated row
  kTupleMoved = 0xC000,    ///< of a VACUUM FULL before 9.0; never set today
  kTupleXmaxShareLock = kTupleXmaxExclusiveLock | kTupleXmaxKeyShareLock,
  kTupleLockMask = kTupleXmaxShareLock,
  kTupleXmaxBits = kTupleXmaxCommitted | kTupleXmaxInvalid | kTupleXmaxIsMulti | kTupleLockMask |
                   kTupleXmaxLockOnly,
  kTupleVisibilityMask = 0xFFF0,
};

/// t_infomask2.
enum TupleMask2 : uint16_t {
  kTupleColumnsMask = 0x07FF,
  kTupleKeysUpdated = 0x2000,  ///< deleted, or updated in its key, or locked FOR UPDATE
  kTupleHotUpdated = 0x4000,
  kTupleHeapOnly = 0x8000,
  kTupleVisibilityMask2 = 0xE000,
};

template <typename Mask>
void set_mask(Mask& mask, uint16_t bits) {
  mask = static_cast<uint16_t>(mask | bits);
}
template <typename Mask>
void clear_mask(Mask& mask, uint16_t bits) {
  mask = static_cast<uint16_t>(mask & ~bits);
}

/// ctid offsets with a meaning of their own.
inline constexpr OffsetNumber kSpeculativeTokenOffset = 0xFFFE;
inline constexpr OffsetNumber kMovedPartitionsOffset = 0xFFFD;

struct HeapTupleHeader {
  TransactionId xmin;
  Unordered<TransactionId> xmax;
  Unordered<CommandId> command;  ///< cmin, or cmax, or a combo command id
  ItemPointer ctid;              ///< itself, or the next version
  Unordered<uint16_t> infomask2;
  Unordered<uint16_t> infomask;
  uint8_t hoff;     ///< where the values begin
  uint8_t bits[1];  ///< null bitmap, if there is one: 1 means not null

  int columns() const { return infomask2 & kTupleColumnsMask; }
  bool has_nulls() const { return (infomask & kTupleHasNull) != 0; }
  bool is_heap_only() const { return (infomask2 & kTupleHeapOnly) != 0; }
  /// The next version is on this page and has no index entries of its own.
  bool is_hot_updated() const {
    return (infomask2 & kTupleHotUpdated) != 0 && (infomask & kTupleXmaxInvalid) == 0 &&
           !xmin_is_invalid();
  }
  bool xmin_is_committed() const { return (infomask & kTupleXminCommitted) != 0; }
  bool xmin_is_invalid() const { return (infomask & kTupleXminFrozen) == kTupleXminInvalid; }
  bool xmin_is_frozen() const { return (infomask & kTupleXminFrozen) == kTupleXminFrozen; }
  /// xmin as visibility and freezing mean it: kFrozenXid once frozen.
  TransactionId effective_xmin() const { return xmin_is_frozen() ? kFrozenXid : xmin; }
  bool xmax_is_multi() const { return (infomask & kTupleXmaxIsMulti) != 0; }
  bool has_xmax(uint16_t mask) const { return (infomask & mask) != 0; }
  /// xmax is a lock and no update or delete: by the bits alone (HEAP_XMAX_IS_LOCKED_ONLY).
  static bool mask_is_only_locked(uint16_t mask) {
    return (mask & kTupleXmaxLockOnly) != 0 ||
           (mask & (kTupleXmaxIsMulti | kTupleLockMask)) == kTupleXmaxExclusiveLock;
  }
  bool mask_is_only_locked() const { return mask_is_only_locked(infomask); }
  bool is_speculative() const { return ctid.offset == kSpeculativeTokenOffset; }
  bool moved_to_other_partition() const {
    return ctid.offset == kMovedPartitionsOffset && ctid.block() == kInvalidBlock;
  }
  void set_moved_to_other_partition() { ctid = {kInvalidBlock, kMovedPartitionsOffset}; }
  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
};

/// The part every tuple has; the null bitmap follows, and hoff is rounded up to 8.
inline constexpr uint32_t kTupleHeaderBytes = 23;
static_assert(offsetof(HeapTupleHeader, bits) == kTupleHeaderBytes);
static_assert(offsetof(HeapTupleHeader, ctid) == 12 && offsetof(HeapTupleHeader, hoff) == 22);

inline constexpr int kTupleColumnsMax = 1664;  ///< MaxTupleAttributeNumber
/// A tuple must fit an empty page: header and one line pointer taken off (MaxHeapTupleSize).
inline constexpr uint32_t kHeapTupleBytesMax = 8160;

}  // namespace cofork
