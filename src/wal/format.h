// The WAL's bytes: pages, segments, record headers, and the arithmetic between them.
//
// The stream is cut into segments (files, 16 MB by default) and 8 kB pages. Every page begins with
// a header of 24 bytes, the first page of a segment with one of 40. What lies between is records,
// each starting at a multiple of 8 and running on over as many pages as it needs.
//
// Three kinds of position, never mixed:
//   Lsn             a byte address in the stream, headers included: what everybody outside sees
//   WalBytePosition the same stream counted without page headers: what inserters reserve from,
//                   because adding a length to it is one addition (as XLogBytePosToRecPtr, xlog.c)
//   WalSegmentNo    Lsn divided by the segment size
//
// Layouts are PostgreSQL 15's (access/xlog_internal.h, access/xlogrecord.h); everything here is
// plain data and arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/lsn.h"

namespace cofork {

using TimelineId = uint32_t;
using TransactionId = uint32_t;
using WalSegmentNo = uint64_t;
using WalBytePosition = uint64_t;

inline constexpr uint32_t kWalPageBytes = 8192;
inline constexpr uint16_t kWalPageMagic = 0xD110;
inline constexpr uint32_t kDefaultWalSegmentBytes = 16u << 20;
inline constexpr uint32_t kWalSegmentBytesMin = 1u << 20;
inline constexpr uint32_t kWalSegmentBytesMax = 1u << 30;

enum WalPageFlag : uint16_t {
  kWalPageFirstIsContinued = 0x0001,
  kWalPageLongHeader = 0x0002,
  kWalPageBackupRemovable = 0x0004,
  kWalPageFirstIsOverwrittenContinued = 0x0008,
  kWalPageAllFlags = 0x000F,
};

struct WalPageHeader {
  uint16_t magic;
  uint16_t flags;
  TimelineId timeline;
  uint64_t page_address;
  uint32_t remaining_length;  ///< of a record continued from the page before, 0 if none
  uint32_t padding;
};

struct WalLongPageHeader {
  WalPageHeader standard;
  uint64_t system_identifier;
  uint32_t segment_bytes;
  uint32_t page_bytes;
};

inline constexpr uint32_t kWalShortHeaderBytes = 24;
inline constexpr uint32_t kWalLongHeaderBytes = 40;
static_assert(sizeof(WalPageHeader) == kWalShortHeaderBytes);
static_assert(sizeof(WalLongPageHeader) == kWalLongHeaderBytes);

struct WalRecordHeader {
  uint32_t total_length;  ///< header and everything that follows, without padding
  TransactionId xid;
  uint64_t previous;  ///< start of the record before
  uint8_t info;       ///< high four bits: the resource manager's; low: kWalInfo…
  uint8_t resource_manager;
  uint16_t padding;
  uint32_t crc;
};

inline constexpr uint32_t kWalRecordHeaderBytes = 24;
static_assert(sizeof(WalRecordHeader) == kWalRecordHeaderBytes);
static_assert(offsetof(WalRecordHeader, crc) == 20);

/// Low bits of WalRecordHeader::info.
inline constexpr uint8_t kWalInfoSpecialRelationUpdate = 0x01;
inline constexpr uint8_t kWalInfoCheckConsistency = 0x02;
inline constexpr uint8_t kWalInfoOwnBits = 0xF0;  ///< the resource manager's

/// The one resource manager and record the framing itself has to know: after an XLOG switch record
/// the rest of the segment is empty (RM_XLOG_ID, XLOG_SWITCH).
inline constexpr uint8_t kWalXlogManager = 0;
inline constexpr uint8_t kWalXlogSwitch = 0x40;

/// PostgreSQL 15's own resource managers are 0…21, those of extensions 128…255.
constexpr bool wal_resource_manager_is_valid(uint8_t id) {
  return id <= 21 || id >= 128;
}

/// Sub-header ids after the record header.
inline constexpr uint8_t kWalBlockIdMax = 32;
inline constexpr uint8_t kWalMainDataShort = 255;
inline constexpr uint8_t kWalMainDataLong = 254;
inline constexpr uint8_t kWalOrigin = 253;
inline constexpr uint8_t kWalToplevelXid = 252;

inline constexpr uint8_t kWalBlockForkMask = 0x0F;
inline constexpr uint8_t kWalBlockHasImage = 0x10;
inline constexpr uint8_t kWalBlockHasData = 0x20;
inline constexpr uint8_t kWalBlockWillInit = 0x40;
inline constexpr uint8_t kWalBlockSameRelation = 0x80;

inline constexpr uint8_t kWalImageHasHole = 0x01;
inline constexpr uint8_t kWalImageApply = 0x02;
inline constexpr uint8_t kWalImageCompressed = 0x04 | 0x08 | 0x10;  ///< pglz, lz4, zstd

/// Longest record a reader believes in (as MaxAllocSize): a larger length is damage.
inline constexpr uint32_t kWalRecordBytesMax = (1u << 30) - 1;

/// Which file of a relation, as every record and page address names it.
struct RelationFile {
  uint32_t tablespace = 0;
  uint32_t database = 0;  ///< 0: shared by all databases
  uint32_t number = 0;    ///< relfilenode
  friend constexpr bool operator==(const RelationFile&, const RelationFile&) = default;
};
static_assert(sizeof(RelationFile) == 12);

enum class ForkNumber : uint8_t { kMain = 0, kFreeSpaceMap = 1, kVisibilityMap = 2, kInit = 3 };

/// True for a power of two between 1 MB and 1 GB.
constexpr bool wal_segment_size_is_valid(uint64_t bytes) {
  return bytes >= kWalSegmentBytesMin && bytes <= kWalSegmentBytesMax && (bytes & (bytes - 1)) == 0;
}

/// Arithmetic that depends on the segment size of a cluster.
class WalGeometry {
 public:
  explicit constexpr WalGeometry(uint32_t segment_bytes = kDefaultWalSegmentBytes)
      : segment_bytes_(segment_bytes) {}

  constexpr uint32_t segment_bytes() const { return segment_bytes_; }
  constexpr WalSegmentNo segment_of(Lsn lsn) const { return lsn.value / segment_bytes_; }
  /// The segment of the byte before: where a record that ends at `lsn` ends (XLByteToPrevSeg).
  constexpr WalSegmentNo segment_before(Lsn lsn) const { return (lsn.value - 1) / segment_bytes_; }
  constexpr uint32_t offset_in_segment(Lsn lsn) const {
    return static_cast<uint32_t>(lsn.value & (segment_bytes_ - 1));
  }
  constexpr Lsn segment_start(WalSegmentNo segment) const { return {segment * segment_bytes_}; }
  /// Size of the header of the page that begins at `page`.
  constexpr uint32_t header_bytes(Lsn page) const {
    return offset_in_segment(page) == 0 ? kWalLongHeaderBytes : kWalShortHeaderBytes;
  }

  /// Lsn of the first byte at a header-free position; on a page boundary that is after the header.
  Lsn start_lsn(WalBytePosition position) const;
  /// Lsn just past the byte before a header-free position: on a page boundary the boundary itself.
  Lsn end_lsn(WalBytePosition position) const;
  WalBytePosition byte_position(Lsn lsn) const;

  /// "000000010000000000000001": timeline, segment number split at 4 GB.
  std::string segment_name(TimelineId timeline, WalSegmentNo segment) const;
  struct SegmentName {
    TimelineId timeline;
    WalSegmentNo segment;
  };
  std::optional<SegmentName> parse_segment_name(std::string_view name) const;

 private:
  constexpr uint64_t usable_bytes_in_segment() const {
    return static_cast<uint64_t>(segment_bytes_ / kWalPageBytes) *
               (kWalPageBytes - kWalShortHeaderBytes) -
           (kWalLongHeaderBytes - kWalShortHeaderBytes);
  }
  uint32_t segment_bytes_;
};

/// True for 24 upper-case hexadecimal digits (IsXLogFileName).
bool is_wal_segment_name(std::string_view name);
/// … followed by ".partial".
bool is_wal_partial_segment_name(std::string_view name);

inline constexpr uint64_t wal_page_start(uint64_t address) {
  return address & ~static_cast<uint64_t>(kWalPageBytes - 1);
}
inline constexpr uint32_t wal_page_offset(uint64_t address) {
  return static_cast<uint32_t>(address & (kWalPageBytes - 1));
}

}  // namespace cofork
